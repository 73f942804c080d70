# %% [markdown]
# # Learning the baseline
#
# *Document `notes`, lines 523 to 622.* The state's value is not known, so it is learned: from whole returns, or from one reward and the current
# estimate of what follows. The formulas are right. The adjectives (unbiased, high variance; lower variance, biased) are right for
# some estimates of some models, and each has a model of two or three states in which it is not. One line needs a word: a squared TD error must not be
# minimised through its own target.
#
# From here on returns are discounted (line 549); up to line 521 they were plain sums.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    against,
    below,
    claim,
    close,
    differs,
    enclosed,
    equal,
    exceeds,
    proved,
    same_as,
    shows,
    swept,
)
from rlexact.exact.bellman import bellman_policy
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import advantage, policy_value
from rlexact.exact.expected_updates import expected_td
from rlexact.exact.expected_updates import td_update as expected_td_update
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.moments import return_variance
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect, paths
from rlexact.exact.return_estimators import n_step_return_law
from rlexact.formulas.actor_critic import td_value_loss, td_value_loss_gradient, value_loss, value_loss_gradient
from rlexact.formulas.dqn import one_step_targets
from rlexact.formulas.q_learning import td_update
from rlexact.formulas.returns import monte_carlo_advantages, returns_to_go
from rlexact.learning.monte_carlo import first_visit
from rlexact.learning.replay import Transition
from rlexact.learning.td import batch_mc, td0
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("notes", "learning_the_baseline", "Learning the baseline")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
SHOWN = 60


def vector(*numbers):
    """Numbers as an exact vector."""
    return np.array([Fraction(x) for x in numbers], dtype=object)


# %% [markdown]
# ## Four small models
#
# *Encore*: each performance pays 1, and a coin decides whether there is another; $V = 2$, and the return is 1, 2, 3, … with chances ½, ¼, ⅛, …
# *Fork in the road*: a coin leads to a place that pays 1 or to one that pays 0. *Quits*: a coin pays ±1, the next step pays it back. And the random walk of five
# states, $V = k/6$.


# %%
def encore(go_on=HALF):
    """One state that pays 1 and is repeated with this probability."""
    return MDP.from_outcomes({(0, 0): [(go_on, 0, 1, False), (1 - go_on, None, 1, True)]}, ONE, 0)


def road():
    """A coin leads to state 1, which pays 1, or to state 2, which pays 0; γ = 1."""
    there = [(HALF, 1, 0, False), (HALF, 2, 0, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, 1, True)], (2, 0): [(ONE, None, 0, True)]}, ONE, 0)


def quits():
    """A coin pays 1 and leads to state 1, or -1 and leads to 2; there the opposite is paid, and the end."""
    there = [(HALF, 1, 1, False), (HALF, 2, -1, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, -1, True)], (2, 0): [(ONE, None, 1, True)]}, ONE, 0)


SIXTHS = vector(*(Fraction(k, 6) for k in range(1, 6)))

# %% [markdown]
# ## What is to be learned


# %%
@claim(
    "notes-083",
    "notes-084",
    says=r"$V^\pi(s) = E[\sum_{k=0}^\infty \gamma^k r_{t+k} \mid s_t = s]$; of an episode $G_t = r_t + \gamma r_{t+1} + \dots + \gamma^{T-t} r_T$",
    verdict=Holds(
        note="π is followed, with γ < 1 or an end; T is the last step. Line 457 has V without γ and up to T only, line 225 G without γ"
    ),
    about=(policy_value, returns_to_go),
)
def the_value_and_the_return():
    r, gamma = sympy.symbols("r:4", real=True), sympy.Symbol("gamma", positive=True)
    found = returns_to_go(r, [False, False, False, True], None, gamma)
    yield proved(
        [found[t] - sum(gamma ** (k - t) * r[k] for k in range(t, 4)) for t in range(4)], "T = 3, free rewards"
    )
    turns = MDP.chain([[0, 1], [1, 0]], [1, 0], gamma, 0)
    series = np.array([1, gamma]) / (1 - gamma**2)
    yield proved(policy_value(turns, uniform(turns)) - series, "1, 0, 1, 0, … without end: Σ γ^2k, and γ of it")
    model = gallery.three_state_chain(HALF)
    listed = [
        expect(model, None, 3, lambda p: returns_to_go(p.rewards, None, None, HALF)[0], start=s) for s in range(3)
    ]
    yield equal(policy_value(model, uniform(model)), listed, "a chain that ends: the solve, and every path")


the_value_and_the_return

# %% [markdown]
# ## From whole returns
#
# One return is a sample with the right mean. It need not be near: on the walk every return is 0 or 1, and no value is. Its squared distance from a number
# $V$ has the mean $(V - V^\pi)^2 + \mathrm{Var}\,G$, least at $V^\pi$.


# %%
def plain_return(path):
    """The undiscounted return of a path."""
    return sum(path.rewards)


@claim(
    "notes-085",
    "notes-086",
    says=r"$V^\pi(s_t) \approx G_t$, a sample; regression with $L_{MC}(\phi) = (V_\phi(s_t) - G_t)^2$",
    verdict=Holds(
        note="the mean of G_t given s_t is V^π(s_t), if the episode is played to its end; there the mean loss of a table is least"
    ),
    about=(value_loss, value_loss_gradient, return_variance, estimator_law),
)
def regression_on_samples():
    law = estimator_law(road(), None, 2, plain_return, target=HALF)
    yield equal([law.bias, law.variance], [0, QUARTER], "road, V = ½: bias and variance of G_0")
    v, model = sympy.Symbol("v", real=True), road().to_symbolic()
    loss = expect(model, uniform(model), 2, lambda p: value_loss([v], [plain_return(p)])[0])
    yield proved(loss - ((v - HALF) ** 2 + QUARTER), "the mean loss at the start")
    slope = expect(model, uniform(model), 2, lambda p: value_loss_gradient([v], [plain_return(p)])[0])
    yield proved(slope - sympy.diff(loss, v), "its gradient, 0 at V = ½")
    walk = gallery.random_walk()
    spread = return_variance(walk, uniform(walk))
    yield equal(spread, SIXTHS * (1 - SIXTHS), "walk: G is 1 with probability k/6, else 0, and never k/6")


regression_on_samples

# %% [markdown]
# **Unbiased?** The target is; and so is the mean of the returns that follow *first* visits. The mean over *all* visits of an episode is not: an encore
# of $n$ performances has the returns $n, n-1, \dots, 1$ with mean $(n+1)/2$, so that one episode estimates $(V + 1)/2 = \frac32$ where $V = 2$. Long
# episodes have more visits, but count as much as short ones. (Singh and Sutton 1996; the bias fades with more episodes.)


# %%
def episode(n):
    """An encore of n performances, as transitions."""
    return [Transition(0, 0, ONE, 0, k == n - 1, False) for k in range(n)]


def mean_over_episodes(estimate):
    """E[estimate(episode)] within the mass 2^-60 of longer ones: (sum over n ≤ 60, bound on the rest for estimates ≤ n)."""
    seen = sum(estimate(n) / 2**n for n in range(1, SHOWN + 1))
    return seen, Fraction(SHOWN + 2, 2**SHOWN)


@claim(
    "notes-087",
    says="Monte-Carlo estimation is unbiased, because it uses the true outcome",
    verdict=Conditional(
        given="the target of a whole episode under π, or the mean over first visits; every-visit means and fits of a poor family are biased"
    ),
    about=(batch_mc, policy_value),
)
def is_it_unbiased():
    model = encore()
    v = policy_value(model, uniform(model))[0]
    yield equal(v, 2, "V = 1 / (1 - ½)")
    first, rest = mean_over_episodes(lambda n: sum(x.reward for x in episode(n)))
    yield enclosed(v, first, first + rest, "E[return of the first visit]")
    every, rest = mean_over_episodes(lambda n: batch_mc(model, [episode(n)])[0])
    yield enclosed(Fraction(3, 2), every, every + rest, "E[mean over all visits of one episode]")
    yield against(every + rest < v, "which falls short of 2, however the long episodes turn out")
    two = [batch_mc(model, [episode(n), episode(m)])[0] for n, m in ((1, 3), (3, 1))]
    yield equal(two, [Fraction(7, 4)] * 2, "two episodes, pooled: (1 + 3 + 2 + 1) / 4")


is_it_unbiased


# %%
@figure
def first_and_every_visit():
    """What one episode of the encore estimates, in the mean, as encores become likely: all visits fall behind."""
    from matplotlib import pyplot as plt

    p = np.linspace(0, 0.9, 91)
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    ax.plot(p, 1 / (1 - p), color=COLOURS[0], label="first visit, and $V$")
    ax.plot(p, (1 / (1 - p) + 1) / 2, color=COLOURS[1], label="every visit, one episode")
    ax.set(xlabel="chance of another performance", ylabel="mean estimate", ylim=(0, 10.5))
    ax.legend()
    return fig


first_and_every_visit

# %% [markdown]
# **High variance, and late?** Late always: two encores that begin alike have different returns. The variance is that of chance: none on a road without forks.


# %%
@claim(
    "notes-088",
    says="Monte-Carlo estimation has high variance, returns depending on all that follows, and waits for the episode's end",
    verdict=Conditional(given="chance comes after s_t, and does not cancel; waiting for the end it does in any case"),
    about=(return_variance, returns_to_go),
)
def noisy_and_late():
    yield equal(return_variance(encore(), uniform(encore())), [2], "encore: Var G = p / (1 - p)²")
    short, long = (returns_to_go([ONE] * n, None, None, ONE)[0] for n in (1, 5))
    yield equal([short, long], [1, 5], "two encores with the same first step: nothing is known before the end")
    row = MDP.from_outcomes({(k, 0): [(ONE, (k + 1) % 6, -1, k == 5)] for k in range(6)}, ONE, 0)
    still, even = (return_variance(m, uniform(m)) for m in (row, quits()))
    yield equal([still[0], even[0]], [0, 0], "six steps without chance, and chance that cancels: Var G_0")
    yield against(not still.any(), "the first has no variance anywhere")


noisy_and_late

# %% [markdown]
# ### First-visit prediction
#
# *A place of our own: the picture of line 572 is lost.* The standard form (Sutton and Barto 2018, section 5.1) appends the return to a list at the first visit of each
# episode, and $V(s)$ is the list's mean. By the Markov property what follows a first visit is distributed as an episode from $s$, and episodes are independent:
# mean $V^\pi(s)$, variance $\mathrm{Var}(G \mid s)/n$ after $n$ visits.


# %%
def mean_of(n, model, steps):
    """Mean and variance of the mean of n returns, by listing all n-tuples of paths."""
    one = {}
    for path in paths(model, uniform(model), steps):
        one[plain_return(path)] = one.get(plain_return(path), 0) + path.probability
    law = {Fraction(0): ONE}
    for _ in range(n):
        after = {}
        for total, p in law.items():
            for g, q in one.items():
                after[total + g] = after.get(total + g, 0) + p * q
        law = after
    mean = sum(p * g / n for g, p in law.items())
    return mean, sum(p * (g / n - mean) ** 2 for g, p in law.items())


@claim(
    "notes-x05",
    says=r"(our own) First-visit prediction: $V(s)$ is the mean of $n$ first-visit returns; mean $V^\pi(s)$, variance $\mathrm{Var}(G|s)/n$",
    verdict=Holds(note="given n; with a number of visits that chance decides, by averaging over n"),
    about=(return_variance, first_visit, policy_value),
)
def first_visit_prediction():
    model = road()
    truth, spread = policy_value(model, uniform(model))[0], return_variance(model, uniform(model))[0]
    for n in (1, 2, 5):
        yield equal(mean_of(n, model, 2), (truth, spread / n), f"road, all tuples of {n} episodes: mean, variance")
    walk = gallery.random_walk()
    learned = first_visit(walk, uniform(walk), 2000, 0)
    n = learned.tables["visits"]
    yield shows(bool((n[2] == 2000) and (n < 2000).sum() == 4), "walk: the middle is visited in each of 2000 episodes")
    errors = np.abs(learned.v - np.array([k / 6 for k in range(1, 6)])) / np.sqrt(
        np.array(return_variance(walk, uniform(walk)), dtype=float) / n
    )
    yield close(errors, np.zeros(5), 3, "three standard deviations of a mean of n", "a run, errors over √(Var/n)")


first_visit_prediction

# %% [markdown]
# ## From one step and a guess
#
# In the mean the TD target is $T^\pi V$, one application of the Bellman operator.


# %%
@claim(
    "notes-089",
    says=r"TD target: $r_t + \gamma V_\phi(s_{t+1})$",
    verdict=Holds(
        note="along an episode, after which V_φ = 0 (a buffer's transition has to be told: notes-165); its mean given s_t is T^π V_φ, which is "
        "V_φ for V_φ = V^π alone"
    ),
    about=(one_step_targets, bellman_policy),
)
def the_target():
    r, v, gamma = sympy.symbols("r v gamma", positive=True)
    yield proved(one_step_targets([r, r], [v, v], [False, True], gamma) - np.array([r + gamma * v, r]), "on, and ended")
    walk, guess = gallery.random_walk(), vector(3, 1, 4, 1, 5)
    mean = [
        sum(
            p * one_step_targets([paid], [0 if n is None else guess[n]], [ended], ONE)[0]
            for p, n, paid, ended in walk.outcomes(s, 0)
        )
        for s in range(5)
    ]
    yield equal(mean, [HALF, Fraction(7, 2), 1, Fraction(9, 2), 1], "walk, V = 3, 1, 4, 1, 5: averages of neighbours")
    yield equal(bellman_policy(walk, uniform(walk), guess), mean, "T V")
    yield equal(bellman_policy(walk, uniform(walk), SIXTHS), SIXTHS, "T V = V at k/6")


the_target

# %%
td_error = same_as("notes-090", of="reference-064", says=r"$\delta_t = r_t + \gamma V_\phi(s_{t+1}) - V_\phi(s_t)$")
td_error

# %% [markdown]
# ### Minimising $\delta_t^2$
#
# $V_\phi$ stands in $\delta$ twice. If both move, the minimum of the mean square is not at $V^\pi$: on the road the true values $(\frac12, 1, 0)$ leave ¼, the values
# $(\frac12, \frac34, \frac14)$ leave ⅛. What is meant, and what code does, is to hold the target fixed. Without chance in the transitions both rest at $V^\pi$.


# %%
def squared_errors(model, v):
    """E[Σ_t δ_t²] of an episode of two steps."""

    def along(path):
        ahead = [v[path.states[1]], 0]
        return sum(td_value_loss(path.rewards, v[list(path.states[:2])], ahead, [False, True], ONE))

    return expect(model, uniform(model), 2, along)


@claim(
    "notes-091",
    says=r"The value function is trained to minimise $L_{TD}(\phi) = \delta_t^2$",
    verdict=Conditional(given="the target is held fixed while differentiating, or transitions have no chance in them"),
    about=(td_value_loss, td_value_loss_gradient, expected_td_update),
)
def through_the_target():
    model, v = road().to_symbolic(), np.array(sympy.symbols("v:3", real=True))
    loss = squared_errors(model, v)
    (rest,) = sympy.solve([sympy.diff(loss, x) for x in v], v, dict=True)
    least = [rest[x] for x in v]
    yield equal(least, [HALF, Fraction(3, 4), QUARTER], "road: where E Σ δ² is least, both terms moving")
    true = vector(HALF, 1, 0)
    yield differs(least, true, "the values")
    found = [loss.subs(dict(zip(v, at, strict=True))) for at in (least, true)]
    yield equal(found, [Fraction(1, 8), QUARTER], "what is left there, and at the true values")
    pull = expect(
        model, uniform(model), 2, lambda p: td_value_loss_gradient([p.rewards[0]], [v[0]], [v[p.states[1]]], None, 1)[0]
    )
    yield proved(pull - (2 * v[0] - v[1] - v[2]), "target held fixed: the mean pull at the start")
    fixed = expected_td_update(road(), uniform(road()), HALF, vector(1, 1, 1)).fixed_point()
    yield equal(fixed, true, "where it rests")
    straight = MDP.from_outcomes({(0, 0): [(ONE, 1, 2, False)], (1, 0): [(ONE, None, 1, True)]}, ONE, 0).to_symbolic()
    yield proved(squared_errors(straight, v) - (2 + v[1] - v[0]) ** 2 - (1 - v[1]) ** 2, "no chance: 0 at V = (3, 1)")


through_the_target

# %% [markdown]
# ### Lower variance, biased?
#
# With the right values the TD target is never noisier, by exactly what the rest of the episode adds (Sobel 1982):
#
# $$\mathrm{Var}(G \mid s) - \mathrm{Var}(r + \gamma V^\pi(s') \mid s) = \gamma^2\, E[\mathrm{Var}(G \mid s') \mid s] \ge 0 .$$
#
# With other values anything can happen. In *quits* the second step takes back what the first one paid: the return is sure, and a target that knows
# nothing of the second step is a coin.


# %%
def td_variance(model, v):
    """Variance of the TD target from each state, under the uniform policy."""
    return n_step_return_law(model, uniform(model), v, 1).variance


def surplus_gap(model):
    """|Var G - Var of the TD target - γ² E[Var(G | s')]| with the right values, each state."""
    policy = uniform(model)
    whole = return_variance(model, policy)
    ahead = model.gamma**2 * (policy[:, :, None] * model.P).sum(axis=1) @ whole
    return abs(whole - td_variance(model, policy_value(model, policy)) - ahead)


@claim(
    "notes-092",
    says="TD has lower variance than Monte Carlo, because its targets look less far ahead",
    verdict=Conditional(given="V_φ is near V^π; a wrong one can make the target noisier than the return"),
    about=(td_variance, return_variance),
)
def is_it_quieter():
    walk = gallery.random_walk()
    one, whole = td_variance(walk, SIXTHS), return_variance(walk, uniform(walk))
    yield equal(one, [Fraction(1, 36)] * 5, "walk, right values: the neighbours differ by 1/6 either way")
    yield equal(whole, SIXTHS * (1 - SIXTHS), "the return: k/6 (1 - k/6)")
    P = walk.P[:, 0]
    yield equal(whole - one, P @ whole, "the difference is γ² E[Var(G | s')]")
    yield swept(
        surplus_gap, (gallery.garnet(4, 2, 2, seed, gamma=HALF, exact=True) for seed in range(3)), "random models"
    )
    one, whole = td_variance(quits(), vector(0, 0, 0))[0], return_variance(quits(), uniform(quits()))[0]
    yield equal([one, whole], [1, 0], "quits, V = 0: TD target, return")
    yield exceeds(one, whole, "the longer look is the quieter one")


is_it_quieter

# %% [markdown]
# The bias is the discounted mean error *of the next state*, $\gamma\, E[e(s')]$ with $e = V_\phi - V^\pi$. Imperfect values need not cause any: errors that cancel do
# not, nor does the last step of an episode. And in a table the errors themselves are learned away.


# %%
@claim(
    "notes-093",
    says="TD is biased, because it relies on imperfect value estimates",
    verdict=Conditional(given="the errors of the next states do not average out; the bias is γ E[V_φ(s') - V^π(s')]"),
    about=(n_step_return_law, expected_td),
)
def is_it_biased():
    model, truth = road(), vector(HALF, 1, 0)

    def bias(e):
        return n_step_return_law(model, uniform(model), truth + e, 1).bias

    yield equal(bias(vector(7, 2, 4)), [3, 0, 0], "errors 7, 2, 4: ½ (2 + 4) at the start, none at the last step")
    yield equal(bias(vector(7, 2, -2)), [0, 0, 0], "errors 7, 2, -2")
    yield against(not bias(vector(7, 2, -2)).any(), "wrong in every state, and no bias in any")
    a, b = (
        expected_td(model, uniform(model), truth + vector(7, 2, 4), HALF, vector(1, 1, 1), steps=k) for k in (1, 20)
    )
    yield equal(a - truth, [5, 1, 2], "after one expected update, α = ½: half of 7, and half of 3, and so on")
    yield below(max(abs(b - truth)), Fraction(1, 10**4), "after twenty the bias is gone")


is_it_biased

# %% [markdown]
# ### TD(0)
#
# *A place of our own: the picture of line 606 is lost.* The standard form (Sutton and Barto 2018, equation 6.2) is
#
# $$V(s_t) \leftarrow V(s_t) + \alpha\,[r_t + \gamma V(s_{t+1}) - V(s_t)] .$$
#
# Its mean move is $\alpha D (T^\pi V - V)$, linear in the error: $-\alpha D (I - \gamma P_\pi)(V - V^\pi)$. As $I - \gamma P_\pi$ is invertible, it vanishes at $V^\pi$ and nowhere else, as
# long as every state is updated.


# %%
@claim(
    "notes-x06",
    says=r"(our own) TD(0): $V(s_t) \leftarrow V(s_t) + \alpha[r_t + \gamma V(s_{t+1}) - V(s_t)]$; the mean update vanishes at $V^\pi$ alone",
    verdict=Holds(note="where every state has a chance of being updated"),
    about=(td_update, expected_td_update, td0),
)
def td_zero():
    alpha, r, v, after, gamma = sympy.symbols("alpha r v v' gamma", positive=True)
    moved = td_update([v, after], 0, r + gamma * after, alpha)
    yield proved(moved - np.array([v + alpha * (r + gamma * after - v), after]), "one update; other entries stay")
    model = MDP.chain([["1/3", "2/3"], ["3/4", "1/4"]], [1, -1], HALF, 0)
    mean = expected_td_update(model, uniform(model), Fraction(1, 10), vector(HALF, HALF))
    x, y = sympy.symbols("x y", real=True)
    move = mean.matrix.to_array() @ np.array([x, y]) + mean.offset - np.array([x, y])
    rest = sympy.solve(list(move), [x, y])
    yield equal([rest[x], rest[y]], [Fraction(26, 29), Fraction(-22, 29)], "the one place without a mean move")
    half = expected_td_update(model, uniform(model), Fraction(1, 10), vector(1, 0))(vector(4, 5))
    yield equal(half[1], 5, "a state that is never updated keeps any value")
    walk = gallery.random_walk()
    run = td0(walk, uniform(walk), 20_000, 0, alpha=0.02)
    right, spread = [k / 6 for k in range(1, 6)], "α = 0.02 leaves a spread of about √(α/2)/6 = 0.017; six times that"
    yield close(run.v, right, 0.1, spread, "a run on the walk")


td_zero

# %% [markdown]
# ## Two advantages
#
# Subtract the value from either target. With a wrong baseline the Monte-Carlo advantage is off by $V^\pi(s) - V_\phi(s)$, the same for every
# action of the state, so that the gradient does not notice; it says that a state is better than thought, of all its actions alike.


# %%
def crossroads():
    """From 0, action 0 leads to state 1, which pays 0 or 2 and ends; action 1 to state 2, which pays 0; γ = ½."""
    ways = {(0, a): [(ONE, 1 + a, 0, False)] for a in (0, 1)}
    coin = [(HALF, None, 0, True), (HALF, None, 2, True)]
    return MDP.from_outcomes(ways | {(1, 0): coin, (2, 0): [(ONE, None, 0, True)]}, HALF, 0)


def mean_monte_carlo(v, action):
    """E[G_0 - v(s_0) | a_0] at the crossroads."""
    model = crossroads()
    return estimator_law(
        model,
        uniform(model),
        2,
        lambda p: monte_carlo_advantages(p.rewards, v[list(p.states[:2])], [False, True], None, HALF)[0],
        given=lambda p: p.actions[0] == action,
    ).mean


@claim(
    "notes-094",
    says=r"Monte-Carlo advantage: $A_t^{MC} = G_t - V_\phi(s_t)$",
    verdict=Holds(note="its mean is A^π + (V^π - V_φ)(s): right for V_φ = V^π, else off by the same for every action"),
    about=(monte_carlo_advantages, advantage),
)
def the_monte_carlo_advantage():
    r, v, gamma = sympy.symbols("r:3", real=True), sympy.symbols("v:3", real=True), sympy.Symbol("gamma", positive=True)
    found = monte_carlo_advantages(r, v, [False, False, True], None, gamma)
    by_hand = [sum(gamma ** (k - t) * r[k] for k in range(t, 3)) - v[t] for t in range(3)]
    yield proved(found - np.array(by_hand), "the formula, three free steps")
    model = crossroads()
    yield equal(advantage(model, uniform(model))[0], [QUARTER, -QUARTER], "crossroads: A of the two ways, V = ¼")
    right, wrong = ([mean_monte_carlo(vector(x, 0, 0), a) for a in (0, 1)] for x in (QUARTER, 5))
    yield equal(right, [QUARTER, -QUARTER], "mean of G - V with the right baseline")
    yield equal(wrong, [-Fraction(9, 2), -5], "with V_φ = 5: both less by 19/4")


the_monte_carlo_advantage

# %%
td_advantage = same_as("notes-095", of="theory-140", says=r"$A_t^{TD} = r_t + \gamma V_\phi(s_{t+1}) - V_\phi(s_t)$")
td_advantage

# %% [markdown]
# ### What the sign says
#
# That an action is worth more than the state's average, or less: $A = Q - V$.


# %%
@claim(
    "notes-096",
    says=r"$A^\pi(s, a) > 0$ means that $a$ leads to returns above $V^\pi(s)$ in the mean, $A^\pi < 0$ that it leads to less",
    verdict=Holds(note="in the mean; a single return may lie on the other side"),
    about=(advantage, policy_value),
)
def the_sign():
    model = crossroads()
    v, a = policy_value(model, uniform(model))[0], advantage(model, uniform(model))[0]
    means = [
        estimator_law(model, uniform(model), 2, lambda p: p.rewards[1] / 2, given=lambda p, k=k: p.actions[0] == k).mean
        for k in (0, 1)
    ]
    yield equal([v, *means], [QUARTER, HALF, 0], "crossroads: V, and the mean returns of the two ways, over paths")
    yield equal(a, [means[0] - v, means[1] - v], "A")


the_sign

# %% [markdown]
# **And which actions *should* become more likely?** Raising an action above average pays if the mass comes from actions below it. Arms 4, 3, 0 at odds
# ½, ¼, ¼: the middle arm has $A = \frac14$. Mass moved to it from the worst arm gains 3 per unit; from the best arm it loses 1. The optimum never pulls it, and the gradient
# lowers its probability.


# %%
def value_after(moved_from, mass):
    """The value of arms 4, 3, 0 at ½, ¼, ¼ after moving this mass to the middle arm from another."""
    shift = np.array([[(a == 1) - (a == moved_from) for a in range(3)]])
    return policy_value(gallery.bandit((4, 3, 0)), np.array([[HALF, QUARTER, QUARTER]]) + mass * shift)[0]


@claim(
    "notes-096",
    says="Positive advantages tell which actions should be made more likely, negative ones which less likely",
    verdict=Conditional(given="probability is moved from negative advantages to positive ones, as with two actions"),
    about=(advantage, value_after, policy_gradient),
)
def should_it_be_more_likely():
    arms, odds = gallery.bandit((4, 3, 0)), np.array([[HALF, QUARTER, QUARTER]])
    a, v = advantage(arms, odds)[0], Fraction(11, 4)
    yield equal(a, [Fraction(5, 4), QUARTER, -v], "A: the middle arm is above average")
    yield equal(value_after(2, Fraction(1, 8)), v + Fraction(3, 8), "an eighth from the worst arm to the middle one")
    yield equal(value_after(0, Fraction(1, 8)), v - Fraction(1, 8), "an eighth from the best arm to the middle one")
    yield exceeds(v, value_after(0, Fraction(1, 8)), "more likely, and worse off")
    family = softmax_at(arms, odds)
    moved = family.jacobian[0, :, 0] @ policy_gradient(arms, family)[0]
    yield equal(moved, [Fraction(15, 64), Fraction(-3, 128), Fraction(-27, 128)], "what the gradient does to the odds")


should_it_be_more_likely
