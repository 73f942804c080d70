# %% [markdown]
# # Baselines
#
# *Document `notes`, lines 411 to 521.* A number that does not look at the action may be subtracted from the return without moving the
# mean of the gradient. The proof is right. Two things around it are not: that *any* such number lowers the variance, and that
# without one nothing can be learned. And the average of the very batch that is being weighed is not such a number.
#
# In this part of the document returns are plain sums (line 225), so γ = 1 throughout, and $U$ is the expected total reward.

# %%
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    claim,
    differs,
    equal,
    exceeds,
    proved,
    same_as,
)
from rlexact.exact.baselines import batch_mean_law, each_state, each_time, optimal_baseline
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import advantage, expected_return, policy_value
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.gradient_estimators import reward_to_go, reward_to_go_law, score_table
from rlexact.exact.moments import action_return_variance
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect, paths
from rlexact.formulas.reinforce import (
    batch_mean_baseline,
    batch_mean_factor,
    leave_one_out_baseline,
    reinforce_loss_gradient,
    score_gradient,
)
from rlexact.formulas.returns import monte_carlo_advantages, returns_to_go
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("notes", "baselines", "Baselines")

ONE, HALF, QUARTER, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(9, 10)
DAYS = 3

# %% [markdown]
# ## Two decisions, everything free
#
# From state 0 one action leads to state 1, the other to state 2; there a second decision ends the episode. All six rewards and all
# three chances are symbols. $U$ is then a polynomial, and with a table of logits $\partial/\partial\theta = p(1-p)\,\partial/\partial p$:
# the gradient by a route that knows no score.


# %%
def two_decisions():
    """(model, softmax family, the chances of the second action in states 0, 1, 2)."""
    chance, r = sympy.symbols("p q u", positive=True), sympy.symbols("r:6", real=True)
    P = np.zeros((4, 2, 4), dtype=int)
    P[0, 0, 1] = P[0, 1, 2] = P[1, :, 3] = P[2, :, 3] = 1
    model = MDP(P.tolist(), [r[:2], r[2:4], r[4:], [0, 0]], sympy.Integer(1), initial=0, terminal=[3])
    policy = np.array([[1 - x, x] for x in chance] + [[HALF, HALF]])
    return model, softmax_at(model, policy), chance


def slope(model, family, chance):
    """∂U/∂θ for the logits of the second actions, from the sum over paths as a polynomial."""
    total = expect(model, family.policy, 2, lambda path: sum(path.rewards))
    return [x * (1 - x) * sympy.diff(total, x) for x in chance]


# %%
one_trajectory = same_as(
    "notes-059",
    of="notes-031",
    says=r"$\nabla_\theta U \approx \sum_t \nabla_\theta \log \pi_\theta(a_t \mid s_t)\, G_t$, the case $N = 1$, returns undiscounted",
)
one_trajectory

# %% [markdown]
# **Unbiased, and noisy?** The first always. The second depends on the numbers: arms that pay 100 and 102 leave a signal-to-noise
# ratio of 1/101 at even odds, arms that pay 1 and 0 one of 3 once the better one is taken nine times in ten.


# %%
def arms_law(rewards, p, b=0):
    """Mean and variance of the first logit's component for two arms, the first taken with probability p, less b."""
    model = gallery.bandit(rewards)
    law = reward_to_go_law(model, softmax_at(model, np.array([[p, 1 - p]])), 1, [b + 0 * ONE])
    return law.mean[0, 0], law.variance[0, 0]


@claim(
    "notes-060",
    says=r"The estimator with $G_t$ is unbiased but has extremely high variance",
    verdict=Conditional(
        given="returns are large against their differences, or chance is; unbiased it is in any case (G_t undiscounted)"
    ),
    about=(reward_to_go, reward_to_go_law),
)
def unbiased_and_noisy():
    model, family, chance = two_decisions()
    mean = expect(model, family.policy, 2, reward_to_go(model, family))
    yield proved(mean[:3, 1] - slope(model, family, chance), "unbiased, everything free")
    mean, variance = arms_law((100, 102), HALF)
    yield equal([mean, variance / mean**2], [-HALF, 101**2], "100 and 102: mean, variance over squared mean")
    mean, variance = arms_law((ONE, 0), NINE_TENTHS)
    yield equal([mean, variance], [Fraction(9, 100), Fraction(9, 10000)], "1 and 0 at odds 9 to 1")
    yield against(bool(9 * variance == mean**2), "the spread there is a third of the mean")


unbiased_and_noisy

# %% [markdown]
# ## The good room and the bad room
#
# A coin leads into one of two rooms with two arms each. A sample pushes the logit of *its own* arm by half its return. With the good
# room at 10 and 12 the pushes are $+5$ on one logit or $+6$ on the other, and nothing else: each sample reinforces. But the second is larger,
# and pushing one logit up is pushing the other down. Of $n$ samples, the better arm comes out ahead when it is drawn more
# than $5n/11$ times. That has probability ½ for one sample, 0.82 for a hundred and 0.998 for a thousand.


# %%
def rooms():
    """A coin leads into the good room, which pays 10 or 12, or into the bad one: -12 or -10."""
    table = [[[(ONE, None, r, True)] for r in paid] for paid in ((10, 12), (-12, -10))]
    model = MDP.from_outcomes(table, ONE, [HALF, HALF])
    return model, softmax_at(model, uniform(model))


def own_pushes(model, estimator):
    """What a sampled update adds to the logit of the arm drawn: one row for each room."""
    found = {(p.states[0], p.actions[0]): estimator(p) for p in paths(model, uniform(model), 1)}
    return [[found[s, a][s, a] for a in range(model.n_actions)] for s in range(model.n_states)]


@claim(
    "notes-072",
    says="Without a baseline good states reinforce everything, bad states suppress everything: useless for learning which is better",
    verdict=Wrong(
        because="the sizes of the pushes differ, and their mean is the same vector with a baseline and without",
        instead="the direction is there; it takes more samples to see it, and with the baseline one may do",
    ),
    about=(reward_to_go_law, own_pushes),
)
def is_it_useless():
    model, family = rooms()
    v = np.array([Fraction(11), Fraction(-11)])
    without, centred = reward_to_go_law(model, family, 1), reward_to_go_law(model, family, 1, v)
    yield equal(without.mean, [[-QUARTER, QUARTER]] * 2, "mean update without a baseline: the better arm in each room")
    yield against(bool((without.mean == centred.mean).all()), "the same as with it: what is learned is the same")
    spread = [np.trace(law.covariance) for law in (without, centred)]
    yield equal(spread, [Fraction(243, 4), QUARTER], "total variance: (100 + 144)/4 - 1/4, and (1 + 1)/4 - 1/4")
    worse, better = own_pushes(model, reward_to_go(model, family))[0]
    ahead = [sum(comb(n, k) for k in range(n + 1) if better * k > worse * (n - k)) for n in (1, 100, 1000)]
    yield equal(ahead[:2], [1, sum(comb(100, k) for k in range(46, 101))], "of 2 and 2^100; 46 of 100 suffice: 0.82")
    yield against(1000 * ahead[2] > 997 * 2**1000, "in 99.7 % and more, a thousand samples find the better arm")


is_it_useless

# %%
two_rooms = same_as(
    "notes-061",
    of="notes-057",
    says="in a bad state all actions are suppressed, even the best; in a good state all are reinforced (lines 406 and 430, word for word)",
)
two_rooms

# %% [markdown]
# **Only the better ones?** With $b = V^\pi(s)$ and returns that nothing but the action decides, a sample's push has the sign of the advantage. A return that
# chance has a hand in can come out above the average for an action below it. And an advantage is one over the others' *average*,
# $A(a) = (1 - \pi(a))\,(Q(a) - \bar Q_{\text{others}})$: with two actions the better one has it, with three the second best may as well.


# %%
@claim(
    "notes-071",
    "notes-073",
    says="An advantage is a higher return than the other actions; with a baseline only actions above the state's average are reinforced",
    verdict=Conditional(
        given="'the others' means their average under π; b is V^π(s), no chance follows the action, a sample's own push is meant"
    ),
    about=(own_pushes, advantage, policy_value),
)
def only_the_better_ones():
    q, w = sympy.symbols("q:3", real=True), sympy.symbols("w:3", positive=True)
    pi = [x / sum(w) for x in w]
    model = MDP([[[0, 1]] * 3, [[0, 0]] * 3], [q, [0] * 3], sympy.Integer(1), initial=0, terminal=[1])
    found = advantage(model, np.array([pi, [sympy.Rational(1, 3)] * 3]))[0]
    others = [sum(w[b] * q[b] for b in range(3) if b != a) / sum(w[b] for b in range(3) if b != a) for a in range(3)]
    yield proved([found[a] - (1 - pi[a]) * (q[a] - others[a]) for a in range(3)], "A = (1 - π) (Q - others' average)")
    a = advantage(gallery.bandit((4, 3, 0)), np.array([[HALF, QUARTER, QUARTER]]))[0]
    yield equal(a, [Fraction(5, 4), QUARTER, Fraction(-11, 4)], "arms 4, 3, 0 at ½, ¼, ¼")
    yield against(bool(0 < a[1] < a[0]), "the middle one has an advantage, and not a higher return than the first")
    model, family = rooms()
    v = policy_value(model, family.policy)
    yield equal(v, [11, -11], "values of the rooms")
    pushes = own_pushes(model, reward_to_go(model, family).minus(lambda t, s: v[s]))
    yield equal(pushes, [[-HALF, HALF]] * 2, "less V: one up, one down in each room")
    model = MDP.from_outcomes([[[(HALF, None, 0, True), (HALF, None, 3, True)], [(ONE, None, 2, True)]]], ONE, 0)
    family, v = softmax_at(model, uniform(model)), policy_value(model, uniform(model))[0]
    worse = advantage(model, family.policy)[0, 0]
    yield equal([v, worse], [Fraction(7, 4), -QUARTER], "an arm with 0 or 3, an arm with 2: V, and A of the first")
    lucky = next(p for p in paths(model, family.policy, 1) if p.rewards == (3,))
    push = reward_to_go(model, family).minus(lambda t, s: v)(lucky)[0, 0]
    yield against(bool(push > 0 > worse), "a lucky 3 reinforces the arm below average")


only_the_better_ones

# %% [markdown]
# ## What a baseline is
#
# In the loss of REINFORCE, $-\log\pi\,(G - b)$, the baseline changes the factor of the score and nothing else. The second of the three choices
# is computed from the batch, one mean for each time step. It needs one word about episodes that are over: they count with a return of 0, or are left
# out and $N$ is then smaller.


# %%
def batch(rewards):
    """Returns to go of several trajectories of equal length, time first: (T, N)."""
    r = np.array(rewards, dtype=object).T
    return returns_to_go(r, [[False] * r.shape[1]] * (len(r) - 1) + [[True] * r.shape[1]], None, ONE)


@claim(
    "notes-062",
    "notes-065",
    says=r"A baseline is a reference value: $(G_t - b)$ in place of $G_t$; for each time, $b_t = \frac1N \sum_i G_t^{(i)}$",
    verdict=Holds(
        note="as definitions; b_t centres the weights of each step, which one number does not (notes-063). The mean stays if b looks neither "
        "at the action nor at what follows; the batch's own mean does"
    ),
    about=(reinforce_loss_gradient, batch_mean_baseline),
)
def the_definitions():
    g, b = sympy.symbols("G b", real=True)
    yield proved(-reinforce_loss_gradient([-1], [g], [b])[0] - (g - b), "the weight of ∇log π")
    gains = batch([[1, 2, 3], [0, 0, 4], [5, 1, 2]])
    yield equal(gains, [[6, 4, 8], [5, 4, 3], [3, 4, 2]], "returns of three trajectories at t = 0, 1, 2")
    yield equal(batch_mean_baseline(gains)[:, 0], [6, 4, 3], "their means")
    yield equal((gains - batch_mean_baseline(gains)).sum(axis=1), [0, 0, 0], "what is left adds up to 0 at each step")
    left = batch_mean_baseline(gains[2], [True, False, True])[0]
    yield equal(left, Fraction(5, 2), "the second trajectory over by t = 2 and left out: (3 + 2)/2")


the_definitions

# %% [markdown]
# ### One number: $b = E[R(\tau)]$
#
# The document says what it is for: recentring, so that only relative success counts. At the first step, or where the whole $R(\tau)$ is the weight, it
# does that. But the weights here are returns *to go*. Let a first step pay $c$ whatever one does, and a second choose between 10
# and 12: then $b = c + 11$, the second step's weights have mean $-c$, and the variance is $c^2/2$ against 60.5 with no baseline. A number
# for each step follows such a trend. "Early returns are larger, because more rewards are ahead": if they are positive.


# %%
def prepaid(c):
    """A step that pays c, then two arms, 10 and 12, evenly: (model, softmax family)."""
    table = {(0, 0): [(ONE, 1, c, False)], (1, 0): [(ONE, None, 10, True)], (1, 1): [(ONE, None, 12, True)]}
    model = MDP.from_outcomes(table, ONE, 0)
    return model, softmax_at(model, uniform(model))


def total_variance(model, family, steps, estimator):
    """The trace of the covariance of one estimate."""
    return np.trace(estimator_law(model, family.policy, steps, estimator).covariance)


@claim(
    "notes-063",
    "notes-067",
    says=r"Constant baseline: $b = E[R(\tau)]$, which recentres the weights; early actions have larger remaining returns than late ones",
    verdict=Conditional(
        given="the weight is R(τ) itself, as at the first step, a later G_t having another mean; it is smaller if what is paid is positive"
    ),
    about=(expected_return, total_variance, returns_to_go),
)
def the_expected_total():
    model, family = prepaid(30)
    b = expected_return(model, family.policy)
    yield equal(b, 41, "c = 30: E R(τ)")
    weights = [expect(model, family.policy, 2, lambda path, t=t: sum(path.rewards[t:]) - b) for t in (0, 1)]
    yield equal(weights, [0, -30], "mean weight at the first step and at the second")
    noise = total_variance(model, family, 2, reward_to_go(model, family).minus(lambda t, s: b))
    plain = total_variance(model, family, 2, reward_to_go(model, family))
    yield equal([noise, plain], [450, Fraction(121, 2)], "total variance with it, c²/2, and with no baseline")
    yield exceeds(noise, plain, "it is noisier with it")
    yield against(weights[1] != 0, "the second step's weights are not centred: -31 and -29, whatever is done")
    paid, cost = batch([[1, 1, 1]]), batch([[-1, -1, -1]])
    yield equal([paid[:, 0], cost[:, 0]], [[3, 2, 1], [-3, -2, -1]], "remaining returns at 1 a step, and at -1 a step")
    yield exceeds(cost[2, 0], cost[0, 0], "with costs the last one is the largest")


the_expected_total

# %% [markdown]
# **The sum that starts at 1.** Trajectories begin with $(s_0, a_0)$ (line 102), and the third of the three estimators sums from $t = 0$. The first
# two sum from $t = 1$. If that is meant, the first decision is never learned.


# %%
@claim(
    "notes-064",
    says=r"$\hat g = \frac1N \sum_i \sum_{t=1}^T \nabla_\theta \log \pi_\theta(a_t^{(i)} \mid s_t^{(i)})\,(G_t^{(i)} - b)$",
    verdict=Conditional(
        given="t = 1 is the first decision (the document's trajectories begin at 0), and b is not computed from the same batch"
    ),
    about=reward_to_go,
)
def a_constant_baseline():
    model, family, chance = two_decisions()
    b, by_hand = sympy.Symbol("b", real=True), slope(model, family, chance)
    estimator = reward_to_go(model, family)

    def from_step(first):
        return lambda path: sum((estimator.weight(path, t) - b) * estimator.slopes(path)[t] for t in range(first, 2))

    whole, late = (expect(model, family.policy, 2, from_step(first))[:3, 1] for first in (0, 1))
    yield proved(whole - by_hand, "every decision counted: ∇U for every b")
    yield proved(late - [0, *by_hand[1:]], "from t = 1 with a first decision at 0: its component is 0")
    at = dict.fromkeys(chance, HALF) | {r: k for k, r in enumerate(sympy.symbols("r:6", real=True))}
    yield differs(late[0], by_hand[0].subs(at), "rewards 0 to 5 and even odds: ∂U/∂θ of the first decision")


a_constant_baseline

# %% [markdown]
# ### One number for each step: the batch's own mean
#
# It is not one of the baselines that the proof of line 511 covers: it holds the sample's own return, which the action does enter. For one
# trajectory it is that return, and every weight is 0. For $N$, $G^i - \bar G = (1 - \frac1N)\,(G^i - \bar G_{\text{others}})$, and the average over the others is a
# proper baseline: the estimate has mean $(1 - \frac1N)\,\nabla U$. The direction is right, the length is short.


# %%
def relay():
    """Two decisions: state 0 pays 0 or 1 and leads on; state 1 pays 0 or 4 and ends.  (model, family); ∇U = ¼, 1."""
    table = {(0, a): [(ONE, 1, a, False)] for a in (0, 1)} | {(1, a): [(ONE, None, 4 * a, True)] for a in (0, 1)}
    model = MDP.from_outcomes(table, ONE, 0)
    return model, softmax_at(model, uniform(model))


def mean_over_batches(n, baseline):
    """E[ĝ] over every batch of n trajectories of the relay, weights G less `baseline`(G), by listing batches."""
    model, family = relay()
    scores, total = score_table(model, family), 0 * family.policy
    for drawn in product(list(paths(model, family.policy, 2)), repeat=n):
        gains = batch([p.rewards for p in drawn])
        weights = gains - baseline(gains)
        steps = [(weights[t, i], p.states[t], p.actions[t]) for i, p in enumerate(drawn) for t in (0, 1)]
        chance = np.prod([p.probability for p in drawn])
        total = total + chance * sum(w * scores[s, a] for w, s, a in steps) / n
    return total


@claim(
    "notes-066",
    says=r"The estimator with the batch's own $b_t$ is unbiased, as any baseline that depends on the state only",
    verdict=Wrong(
        because="b_t contains the sample's own return: the mean is (1 - 1/N) ∇U, and 0 for one trajectory",
        instead="subtract the mean of the other trajectories (leave one out), or multiply by N/(N - 1); and sum from t = 0",
    ),
    about=(batch_mean_law, batch_mean_baseline, batch_mean_factor, leave_one_out_baseline),
)
def its_own_return():
    truth = np.array([[-QUARTER, QUARTER], [-ONE, ONE]])
    for n in (1, 2, 3):
        listed = mean_over_batches(n, batch_mean_baseline)
        yield equal(listed, (1 - Fraction(1, n)) * truth, f"N = {n}, all batches listed: (1 - 1/N) ∇U")
        yield equal(batch_mean_factor(n) * truth, listed, "the factor")
    yield differs(mean_over_batches(2, batch_mean_baseline), truth, "N = 2: mean against ∇U")
    yield equal(batch_mean_law(relay()[0], reward_to_go(*relay()), 2, 10).mean, NINE_TENTHS * truth, "N = 10")
    others = leave_one_out_baseline(batch([[6], [5], [3]]))
    yield equal(others, [[4, Fraction(9, 2), Fraction(11, 2)]], "means of the others of 6, 5, 3")
    for n in (2, 3):
        yield equal(mean_over_batches(n, leave_one_out_baseline), truth, f"N = {n}, less the others' mean: ∇U")


its_own_return

# %% [markdown]
# **One number for each state.** $E[r_t + \dots + r_{T-1} \mid s_t = s]$ has a $t$ in it. It is one number per state where every episode ends by $T$ from
# wherever it is, and only then the $V^\pi$ of line 528, which has no $T$; and that one has a γ.


# %%
def expected_rest(model, s, steps):
    """E[r_t + … + r_{T-1} | s_t = s] with T - t = `steps` left, every path, even choices."""
    return expect(model, uniform(model), steps, lambda path: sum(path.rewards), start=s)


@claim(
    "notes-068",
    says=r"$b(s) = E[r_t + r_{t+1} + \dots + r_{T-1} \mid s_t = s] = V^\pi(s)$",
    verdict=Conditional(given="γ = 1 and every episode is over by T; otherwise the left side depends on t and T"),
    about=(policy_value, expected_rest),
)
def a_function_of_the_state():
    model, family = relay()
    rest = [expected_rest(model, 0, 2), expected_rest(model, 1, 1)]
    yield equal(rest, [Fraction(5, 2), 2], "a relay of two steps, T = 2: expected rest from t = 0 and t = 1")
    yield equal(policy_value(model, family.policy), rest, "V by a solve")
    steady = MDP.chain([[1]], [1], HALF, 0)
    left = [expected_rest(steady, 0, 3 - t) for t in range(3)]
    yield equal(left, [3, 2, 1], "one state that pays 1 for ever, T = 3: t = 0, 1, 2")
    yield differs(left[0], left[2], "the same state at t = 0 and t = 2")
    yield differs(left[0], policy_value(steady, uniform(steady))[0], "and line 528 with γ = ½")


a_function_of_the_state


# %% [markdown]
# ## Does it change the gradient?
#
# The starting point, line 487, is the reward-to-go theorem with undiscounted returns.

# %%
true_gradient = same_as(
    "notes-074",
    of="theory-116",
    says=r"$\nabla_\theta U = E_\tau[\sum_t \nabla_\theta \log \pi_\theta(a_t \mid s_t)\, G_t]$, $G_t$ the undiscounted reward to go",
)
true_gradient

# %% [markdown]
# Then the proof: linearity, the tower, and a score with mean zero. Every line is compared with sums over paths, with one free number $b(t, s)$ for each time
# and state. It covers $V^\pi$, the third of the three choices, and not the batch's own mean.


# %%
@claim(
    "notes-069",
    "notes-075",
    "notes-076",
    "notes-077",
    "notes-078",
    "notes-079",
    "notes-080",
    says=r"$E[\sum_t \nabla\log\pi\,(G_t - b(s_t))]$ splits; $E[\nabla\log\pi(a_t|s_t)\, b(s_t)] = E_{s_t}[b(s_t)\, E_{a \sim \pi}\nabla\log\pi]$, where "
    r"$\sum_a \pi\nabla\log\pi = \sum_a \nabla\pi = \nabla 1 = 0$: a baseline of the state only, such as $V^\pi$, leaves the mean alone",
    verdict=Holds(
        note="π > 0 wherever θ can move it; b may depend on the time too. A V fitted to the same batch is not of this kind"
    ),
    about=(reward_to_go, score_table, monte_carlo_advantages, score_gradient),
)
def the_proof():
    model, family, chance = two_decisions()
    b = {at: sympy.Symbol("b{}{}".format(*at), real=True) for at in ((0, 0), (1, 1), (1, 2))}
    p, by_hand = chance[0], slope(model, family, chance)
    plain, scores = reward_to_go(model, family), score_table(model, family)
    term = [lambda w, t=t: b[t, w.states[t]] * scores[w.states[t], w.actions[t]] for t in (0, 1)]
    f = (plain.minus(lambda t, s: b[t, s]), plain, *term)
    left, first, *second = (expect(model, family.policy, 2, each)[:3] for each in f)
    yield proved(left - (first - sum(second)), "the split, entry by entry")
    yield proved(first[:, 1] - by_hand, "its first part is ∇U")
    inner = (family.policy[:3, :, None, None] * scores[:3]).sum(axis=1)[:, :3]
    yield proved(second[0] - b[0, 0] * inner[0], "t = 0: the tower")
    yield proved(second[1] - (1 - p) * b[1, 1] * inner[1] - p * b[1, 2] * inner[2], "t = 1: states by their chances")
    w = sympy.symbols("w:3", positive=True)
    pi, arms = np.array([x / sum(w) for x in w]), gallery.bandit((0, 0, 0)).to_symbolic()
    h = score_table(arms, softmax_at(arms, pi[None]))[0, :, 0]
    yield proved(pi[:, None] * h - [[x * sympy.diff(f, x) for x in w] for f in pi], "π ∇log π = ∇π, three arms")
    yield proved([x * sympy.diff(sum(pi), x) for x in w], "Σ ∇π = ∇ Σ π = ∇ 1 = 0")
    yield proved(inner, "so the inner mean is 0 in every state")
    yield proved(left[:, 1] - by_hand, "and the mean is ∇U for every b(t, s)")
    v = policy_value(model, family.policy)

    def less_v(path):
        at = list(path.states[:2])
        weights = monte_carlo_advantages(path.rewards, v[at], [False, True], None, 1)
        return 2 * score_gradient(scores[at, list(path.actions)].reshape(2, -1), weights).reshape(4, 2)

    yield proved(expect(model, family.policy, 2, less_v)[:3, 1] - by_hand, "ĝ with V: mean ∇U")


the_proof

# %% [markdown]
# ## Does it reduce the variance?
#
# The document's second bullet is about *any* baseline of the state. But the variance is a parabola in each of its numbers. For one decision
# between arms that pay 1 and 0,
#
# $$\mathrm{Var} = p(1-p)\,(b - b^*)^2, \qquad b^* = 1 - p:$$
#
# smaller than without for $b$ between 0 and $2b^*$, larger outside, without limit.


# %%
@claim(
    "notes-081",
    says="Any baseline that depends only on the state reduces the variance",
    verdict=Wrong(
        because="b = 10 multiplies it by 361 in the simplest choice; even V^π does, by 64, at odds 9 to 1",
        instead="for one decision it does for b strictly between 0 and 2b*, b* = E[|∇log π|² G] / E[|∇log π|²], and raises it outside",
    ),
    about=(reward_to_go_law, optimal_baseline),
)
def any_baseline_helps():
    p, b, arms = sympy.Symbol("p", positive=True), sympy.Symbol("b", real=True), gallery.bandit((1, 0)).to_symbolic()
    variance = reward_to_go_law(arms, softmax_at(arms, np.array([[p, 1 - p]])), 1, [b]).variance[0, 0]
    yield proved(variance - p * (1 - p) * (b - (1 - p)) ** 2, "Var = p (1 - p) (b - b*)²")
    none, far = (variance.subs({p: HALF, b: x}) for x in (0, 10))
    yield equal(far / none, 361, "even odds, b = 10 against none")
    yield exceeds(far, none, "a constant that raises the variance")
    arms = gallery.bandit((ONE, 0 * ONE))
    best = optimal_baseline(arms, reward_to_go(arms, softmax_at(arms, np.array([[NINE_TENTHS, ONE / 10]]))), 1)
    yield equal(best(0, 0), ONE / 10, "b* by least squares at p = 9/10")
    change = p * (1 - p) * b * (b - 2 * (1 - p))
    yield proved(variance - variance.subs(b, 0) - change, "below 0 just for 0 < b < 2b*")


any_baseline_helps

# %% [markdown]
# ### How much quieter?
#
# Even $V^\pi$ may be too much: with $V = p$ and $p = \frac9{10}$ it is nine times $b^*$, and the variance 64 times what it was. Where states differ a lot and actions
# little, it is what is wanted. *Weather*: three steps; before each a coin makes it fair or foul; fair weather pays 4, foul nothing, and one of two actions pays 1
# more. What the value leaves there is not only the action's quality, but also the chance of the weather to come.


# %%
def weather():
    """State 2t + w at time t, w = 0 foul, 1 fair; pays 4w + a; (model, softmax family)."""
    after = {t: [(HALF, 2 * t + 2 + w) for w in (0, 1)] for t in range(DAYS - 1)} | {DAYS - 1: [(ONE, None)]}
    table = [[[(p, n, 4 * w + a, n is None) for p, n in after[t]] for a in (0, 1)] for t in range(DAYS) for w in (0, 1)]
    model = MDP.from_outcomes(table, ONE, [HALF, HALF] + [0 * ONE] * (2 * DAYS - 2))
    return model, softmax_at(model, uniform(model))


@figure
def what_each_baseline_takes_away():
    """Total variance of one estimate in the weather: one number throughout, one for each step, one for each state."""
    from matplotlib import pyplot as plt

    model, family = weather()
    plain, v = reward_to_go(model, family), policy_value(model, family.policy)
    kinds = {
        "none": lambda t, s: 0,
        r"$E\,R(\tau)$": lambda t, s: expected_return(model, family.policy),
        "best of $t$": optimal_baseline(model, plain, DAYS, each_time),
        "$V$": lambda t, s: v[s],
        "best of $s$": optimal_baseline(model, plain, DAYS, each_state),
    }
    noise = [float(total_variance(model, family, DAYS, plain.minus(b))) for b in kinds.values()]
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    bars = ax.bar(list(kinds), noise, color=[COLOURS[k] for k in (6, 1, 0, 2, 3)], width=0.6, zorder=2)
    ax.bar_label(bars, fmt="%.1f")
    ax.set(ylabel="total variance", ylim=(0, 1.12 * max(noise)))
    return fig


what_each_baseline_takes_away


# %%
@claim(
    "notes-070",
    "notes-082",
    says=r"Less $V^\pi$ only the quality of the action is left; updates are unbiased and far more stable, of low variance",
    verdict=Conditional(
        given="V^π is near the best baseline, states are most of the noise, and no chance follows the action; unbiased in any case"
    ),
    about=(total_variance, arms_law, policy_gradient, action_return_variance),
)
def far_more_stable():
    model, family = weather()
    v = policy_value(model, family.policy)
    less = reward_to_go(model, family).minus(lambda t, s: v[s])
    mean = expect(model, family.policy, DAYS, less)
    yield equal(mean, [[-Fraction(1, 8), Fraction(1, 8)]] * 6, "weather, less V: ½ · ¼ in every state")
    yield equal(policy_gradient(model, family), mean, "∇U by a solve: unbiased")
    noise = [total_variance(model, family, DAYS, f) for f in (reward_to_go(model, family), less)]
    later = [QUARTER + k * Fraction(17, 4) for k in range(DAYS)]
    level = [Fraction(41, 4), Fraction(29), Fraction(241, 4)]
    by_hand = [sum(x) / 2 - Fraction(3, 16) for x in (later + level, later)]
    yield equal(noise, by_hand, "its total variance: ½ Σ (Var(G|s) + E V²) - |∇U|², and less E V²")
    left = action_return_variance(model, family.policy)[:, 0]
    yield equal(left, [Fraction(17, 2)] * 2 + [Fraction(17, 4)] * 2 + [0] * 2, "Var(G - V | s, a): the weather to come")
    noise = [arms_law((ONE, 0), NINE_TENTHS, b)[1] for b in (0, NINE_TENTHS)]
    yield equal(noise, [Fraction(9, 10**4), Fraction(576, 10**4)], "arms 1 and 0, odds 9 to 1: b = 0 and b = V")
    yield exceeds(noise[1], noise[0], "less stable with V")
    yield equal(arms_law((100, 102), HALF, 101)[1], 0, "100 and 102 at even odds, b = V = 101: no noise left")


far_more_stable
