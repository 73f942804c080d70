# %% [markdown]
# # Actor and critic
#
# *Document `theory`, lines 127 to 151.* Waiting for the return is noisy and slow, so a learned value takes the place of
# whatever has not been seen yet. The arithmetic of the worked examples is right. Of the general statements, most are right
# for a critic that is nearly right: the tables' bias and variance columns read as laws, and with exact laws of the estimators
# small models decide where they stop being so.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Qualitative,
    Section,
    against,
    below,
    claim,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    refuses,
    shows,
)
from rlexact.exact.estimator_law import estimator_law, from_start
from rlexact.exact.evaluation import action_value, advantage, policy_value
from rlexact.exact.expected_updates import td_update
from rlexact.exact.fisher import natural_gradient
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.gradient_estimators import actor_critic, actor_critic_mean, reward_to_go
from rlexact.exact.moments import return_variance
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect, paths
from rlexact.exact.return_estimators import (
    lambda_advantage,
    lambda_advantage_law,
    lambda_return,
    lambda_return_law,
    n_step_return_law,
    td_error,
)
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("theory", "actor_critic", "Actor and critic")

ONE, HALF, QUARTER, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(9, 10)


def fractions(*numbers):
    """Numbers as an exact vector."""
    return np.array([Fraction(x) for x in numbers], dtype=object)


# %% [markdown]
# ## The advantage, and what it does to probabilities
#
# Averaged over the policy the advantage is 0: positive is better than average, negative is worse.


# %%
def symbolic_choice():
    """(model, policy, p): state 0 stays or leaves for state 1, state 1 stays or comes back; rewards and γ symbols."""
    gamma, p, q = sympy.symbols("gamma p q", positive=True)
    r = sympy.symbols("r:4", real=True)
    model = MDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [r[:2], r[2:]], gamma, initial=0)
    return model, np.array([[1 - p, p], [1 - q, q]]), p


@claim(
    "theory-138",
    says=r"$A^\pi = Q^\pi - V^\pi$ says how much better an action is than the average in its state",
    verdict=Holds(),
    about=(advantage, action_value, policy_value),
)
def the_advantage():
    model, policy, p = symbolic_choice()
    q, v, a = action_value(model, policy), policy_value(model, policy), advantage(model, policy)
    yield proved(a - (q - v[:, None]), "A = Q - V")
    yield proved((policy * a).sum(axis=1), "its average under π is 0")
    yield proved(a[0, 1] - (1 - p) * (q[0, 1] - q[0, 0]), "of two actions: (1 - p) times what the other would lose")
    three = gallery.bandit((4, 3, 0))
    policy = np.array([[HALF, QUARTER, QUARTER]])
    yield equal(policy_value(three, policy), [Fraction(11, 4)], "arms 4, 3, 0 at 1/2, 1/4, 1/4")
    yield equal(action_value(three, policy)[0], [4, 3, 0])


the_advantage

# %% [markdown]
# "Positive: raise the probability. Negative: lower it. Zero: leave it." That is what a sampled update does to the
# log-probability of *its own* action. The sum of the updates is another matter, since probabilities share a sum: under a
# softmax the mean step moves $\pi(a)$ by $\pi(a)\,[\pi(a) A(a) - \sum_b \pi(b)^2 A(b)]$. Arms 4, 3 and 0, pulled with 1/2, 1/4
# and 1/4: the middle arm is better than the average 11/4, and loses. Only the natural gradient moves each $\pi(a)$ by
# $\pi(a) A(a)$.


# %%
@claim(
    "theory-139",
    says="The advantage is the ideal weight: positive raises an action's probability, negative lowers it, zero leaves it",
    verdict=Conditional(
        given="a sample's effect on its own action, or the natural gradient; not the mean step of a softmax"
    ),
    about=(policy_gradient, advantage, natural_gradient, actor_critic),
)
def the_ideal_weight():
    model = gallery.bandit((4, 3, 0))
    family = softmax_at(model, np.array([[HALF, QUARTER, QUARTER]]))
    a = advantage(model, family.policy)[0]
    yield equal(a, [Fraction(5, 4), QUARTER, Fraction(-11, 4)], "advantages")
    sampled = actor_critic(model, family, policy_value(model, family.policy))
    own = {w.actions[0]: sampled(w)[0, w.actions[0]] for w in paths(model, family.policy, 1)}
    yield equal(
        [own[k] for k in range(3)], [x * (1 - p) for x, p in zip(a, family.policy[0], strict=True)], "own pushes"
    )
    slopes = family.jacobian[0, :, 0]
    moved = slopes @ policy_gradient(model, family)[0]
    yield equal(moved, [Fraction(15, 64), Fraction(-3, 128), Fraction(-27, 128)], "mean step: change of probabilities")
    yield against(bool(a[1] > 0 > moved[1]), "the second arm is better than average, and its probability falls")
    natural = slopes @ natural_gradient(model, family).direction[0]
    yield equal(natural, [Fraction(5, 8), Fraction(1, 16), Fraction(-11, 16)], "natural gradient: π(a) A(a)")


the_ideal_weight

# %% [markdown]
# ## One transition
#
# The lost display is $\hat A = r + \gamma\hat V(s') - \hat V(s)$, the TD error. Its mean given $(s, a)$, for *any* critic, is
#
# $$E[\delta \mid s, a] = A^\pi(s, a) + \gamma\, E[e(s')] - e(s), \qquad e = \hat V - V^\pi .$$


# %%
@claim(
    "theory-140",
    "theory-141",
    says=r"(lost display) $\hat A = r + \gamma\hat V(s') - \hat V(s)$; $r + \gamma\hat V(s')$ is a one-sample estimate of $Q^\pi$",
    verdict=Holds(note="unbiased when V̂ = V^π; otherwise off by γ E[e(s')] - e(s) with e = V̂ - V^π"),
    about=(lambda_advantage_law, action_value),
)
def the_td_advantage():
    gamma = sympy.Symbol("gamma", positive=True)
    model = MDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [[1, 2], [3, -1]], gamma, initial=0)
    policy = np.array([[HALF, HALF], [QUARTER, 3 * QUARTER]])
    v, q = policy_value(model, policy), action_value(model, policy)
    there = model.r + model.gamma * v[np.array([[0, 1], [1, 0]])]
    yield proved(q - there, "Q = r + γ E[V(s')], moves written out")
    e = np.array(sympy.symbols("e:2", real=True))
    found = lambda_advantage_law(model, policy, v + e, 0)
    expected = model.gamma * e[np.array([[0, 1], [1, 0]])] - e[:, None]
    yield proved(found.mean - (q - v[:, None]) - expected, "mean of δ for a critic with errors e(0), e(1)")


the_td_advantage

# %% [markdown]
# **Bias for variance.** On the random walk with the right critic, from the middle, the exchange costs nothing and gains much:
# variance 1/36 instead of 1/4. In general it depends on the critic. *Quits*: a first step pays ±1 by chance, the second pays
# it back. A critic that knows nothing ($\hat V = 0$) has no bias at the start, but keeps the coin's noise; the return is sure.


# %%
def quits():
    """From state 0 a coin pays 1 and leads to state 1, or -1 and leads to 2; from there the opposite is paid, and the end."""
    there = [(HALF, 1, 1, False), (HALF, 2, -1, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, -1, True)], (2, 0): [(ONE, None, 1, True)]}, ONE, 0)


def target_variances(model, v, s):
    """Variance of the TD target and of the return from state s."""
    policy = uniform(model)
    return [n_step_return_law(model, policy, v, 1).variance[s], return_variance(model, policy)[s]]


@claim(
    "theory-142",
    says="Bootstrapping introduces bias where the critic is wrong, but reduces variance dramatically",
    verdict=Conditional(given="the critic is close to V^π; a wrong one can raise the variance as well"),
    about=(n_step_return_law, return_variance),
)
def bias_for_variance():
    walk = gallery.random_walk()
    known = fractions(*(Fraction(k, 6) for k in range(1, 6)))
    yield equal(
        target_variances(walk, known, 2), [Fraction(1, 36), QUARTER], "random walk, right critic: TD, Monte Carlo"
    )
    yield equal(n_step_return_law(walk, uniform(walk), known, 1).bias, [0] * 5, "no bias")
    wrong = n_step_return_law(walk, uniform(walk), 0 * known, 1)
    yield equal(wrong.bias[2], -HALF, "a critic that is 0: biased by -1/2 at the middle")
    nothing = fractions(0, 0, 0)
    yield equal(target_variances(quits(), nothing, 0), [1, 0], "quits, critic 0: TD, Monte Carlo")
    yield exceeds(*target_variances(quits(), nothing, 0), "bootstrapping raised it")


bias_for_variance

# %% [markdown]
# ## Training the critic
#
# The lost display is a squared error, $E[(\hat V(s_t) - y_t)^2]$, with $y_t = \hat G_t$ or $y_t = r_t + \gamma\hat V(s_{t+1})$ held
# constant while differentiating. Then both rest at $V^\pi$. Differentiated through the target as well, the TD error leads
# elsewhere: let a coin lead to a state that pays 1 or to one that pays 0. The true values 1/2, 1 and 0 have mean squared TD
# error 1/4, the values 1/2, 3/4 and 1/4 have 1/8.


# %%
@claim(
    "theory-143",
    says=r"(lost display) The critic minimises $E[(\hat V(s_t) - y_t)^2]$, $y_t$ the return or the TD target held constant",
    verdict=Holds(
        note="a table rests at V^π either way; differentiating through the target as well gives another answer"
    ),
    about=(td_update, estimator_law),
)
def the_critic_loss():
    walk = gallery.random_walk()
    policy, known = uniform(walk), fractions(*(Fraction(k, 6) for k in range(1, 6)))
    yield equal(td_update(walk, policy, HALF, fractions(1, 1, 1, 1, 1)).fixed_point(), known, "TD rests at k/6")
    v = sympy.Symbol("v", real=True)
    model = quits().to_symbolic()
    loss = estimator_law(model, uniform(model), 2, lambda p: (v - sum(p.rewards)) ** 2).mean
    yield proved(loss - v**2, "quits, Monte Carlo: the loss is v², least at V = 0")
    twin = split_walk()
    rest = td_update(twin, uniform(twin), HALF, fractions(1, 1, 1)).fixed_point()
    yield equal(rest, [HALF, 1, 0], "a coin, then 1 or 0: V = 1/2, 1, 0")
    yield equal(squared_td_errors(twin, rest), Fraction(1, 4), "mean squared TD error of V itself, over an episode")
    other = fractions(HALF, Fraction(3, 4), QUARTER)
    yield equal(squared_td_errors(twin, other), Fraction(1, 8), "and of (1/2, 3/4, 1/4): smaller, and wrong")


def split_walk():
    """A coin leads to state 1, which pays 1, or to state 2, which pays 0; both end."""
    there = [(HALF, 1, 0, False), (HALF, 2, 0, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, 1, True)], (2, 0): [(ONE, None, 0, True)]}, ONE, 0)


def squared_td_errors(model, v):
    """E[δ_0² + δ_1²] of an episode of two steps."""
    delta = td_error(model, v)
    return expect(model, uniform(model), 2, lambda path: delta(path, 0) ** 2 + delta(path, 1) ** 2)


the_critic_loss

# %% [markdown]
# ### The two rows of the table
#
# *Monte Carlo: no bias, high variance.* The first holds for whole episodes; a sum that is cut at $T$ misses
# $\gamma^{T+1} V(s_{T+1})$. *Bootstrapping: bias from the critic, low variance.* The variance columns are reversed in *quits*.


# %%
def steady():
    """One state that pays 1 for ever, γ = 9/10: V = 10."""
    return MDP.chain([[1]], [1], NINE_TENTHS, 0)


@claim(
    "theory-144",
    "theory-145",
    says="Target Σ γ^{t'-t} r: no bias, high variance. Target r + γ V̂(s'): bias from V̂, low variance",
    verdict=Conditional(given="episodes that end by T, and a critic close to V^π"),
    about=(n_step_return_law, return_variance),
)
def the_two_targets():
    walk, known = gallery.random_walk(), fractions(*(Fraction(k, 6) for k in range(1, 6)))
    yield below(*target_variances(walk, known, 2), "random walk, right critic: TD below Monte Carlo")
    yield equal(target_variances(walk, known, 2), [Fraction(1, 36), QUARTER], "1/36 and 1/4")
    whole = estimator_law(quits(), None, 2, lambda p: sum(p.rewards), target=0)
    yield equal([whole.mean, whole.bias], [0, 0], "a whole episode: no bias")
    cut = n_step_return_law(steady(), uniform(steady()), fractions(0), 11)
    yield equal(cut.bias[0], -10 * NINE_TENTHS**11, "a stream of 1s cut at T = 10, nothing put behind: bias")
    yield against(bool(cut.bias[0] != 0), "Monte Carlo with a horizon is biased")
    yield exceeds(
        *target_variances(quits(), fractions(0, 0, 0), 0), "quits, critic 0: variance of TD above Monte Carlo"
    )


the_two_targets

# %% [markdown]
# ### Does bootstrapping win?
#
# Mean squared error is variance plus squared bias. With the right critic the TD target wins on the walk, 1/36 to 1/4; with a
# critic that says -1 everywhere it loses, 9/4 to 1/4.


# %%
@claim(
    "theory-146",
    says="In practice bootstrapping wins: less variance outweighs the bias, especially with an accurate critic",
    verdict=Conditional(
        given="the critic's error is small against the spread of the return; early in training it need not be"
    ),
    about=(n_step_return_law, return_variance),
)
def does_bootstrapping_win():
    walk = gallery.random_walk()
    known, policy = fractions(*(Fraction(k, 6) for k in range(1, 6))), uniform(walk)
    monte_carlo = return_variance(walk, policy)[2]
    good = n_step_return_law(walk, policy, known, 1).mean_squared_error[2]
    bad = n_step_return_law(walk, policy, fractions(-1, -1, -1, -1, -1), 1).mean_squared_error[2]
    yield equal(
        [good, monte_carlo, bad], [Fraction(1, 36), QUARTER, Fraction(9, 4)], "right critic, Monte Carlo, critic -1"
    )
    yield below(good, monte_carlo, "it wins with the right critic")
    yield exceeds(bad, monte_carlo, "it loses with the other")


does_bootstrapping_win

# %% [markdown]
# ## The algorithm
#
# Its box is lost. The usual loop: draw $a$, observe $r, s'$, form $\delta = r + \gamma\,(1 - \text{done})\,\hat V(s') - \hat V(s)$,
# move $\phi$ by $\delta\nabla\hat V$ and $\theta$ by $\gamma^t\,\delta\,\nabla\log\pi$. With the right critic the mean of a whole
# episode's actor updates, $\theta$ held, is $\nabla V$; most code leaves out $\gamma^t$, and then it is not.


# %%
def relay():
    """Two decisions, γ = 1/2: state 0 pays 0 or 1 and leads on; state 1 pays 0 or 4 and ends."""
    first = {(0, a): [(ONE, 1, a, False)] for a in (0, 1)}
    model = MDP.from_outcomes(first | {(1, a): [(ONE, None, 4 * a, True)] for a in (0, 1)}, HALF, 0)
    return model, softmax_at(model, uniform(model))


@claim(
    "theory-147",
    says=r"(lost algorithm) $\delta = r + \gamma(1-done)\hat V(s') - \hat V(s)$; $\phi$ += $\delta\nabla\hat V$; "
    r"$\theta$ += $[\gamma^t]\,\delta\nabla\log\pi$",
    verdict=Conditional(given="γ^t is kept (or γ = 1) and the critic is right: only then is the mean step along ∇V"),
    about=(actor_critic, actor_critic_mean, policy_gradient),
)
def the_algorithm():
    model, family = relay()
    gradient = [[-QUARTER, QUARTER], [-HALF, HALF]]
    yield equal(policy_gradient(model, family), gradient, "∇V by hand: ±1/4 · 1 and ±1/2 · 1/4 · 4")
    right = fractions(Fraction(3, 2), 2)
    yield equal(actor_critic_mean(model, family, right).mean, gradient, "right critic, γ^t kept")
    along = estimator_law(model, family.policy, 2, actor_critic(model, family, right))
    yield equal(along.mean, gradient, "the same over paths")
    without = estimator_law(model, family.policy, 2, actor_critic(model, family, right, discount=1))
    yield differs(without.mean, gradient, "γ^t left out")


the_algorithm

# %% [markdown]
# **The same mathematics?** REINFORCE with $\hat V$ as its baseline and the sum of all TD errors are the same number on every
# path, because the critic's terms telescope. Replacing the return by the TD target keeps the first of these errors and drops
# the rest.


# %%
@claim(
    "theory-148",
    says="Actor-critic is REINFORCE with a baseline, the return replaced by the TD target and an update after each step",
    verdict=Holds(
        note="λ = 1 of the same family is REINFORCE; an update each step also lets θ and V̂ change on the way"
    ),
    about=(reward_to_go, actor_critic),
)
def reinforce_and_two_changes():
    model, family = relay()
    v = fractions(7, -3)  # any critic
    delta = td_error(model, v)
    listed = sorted(paths(model, family.policy, 2), key=lambda p: p.actions)
    yield equal([delta(p, 0) for p in listed], [Fraction(-17, 2)] * 2 + [Fraction(-15, 2)] * 2, "δ_0, by hand")
    yield equal(
        [delta(p, 0) + HALF * delta(p, 1) for p in listed],
        [p.rewards[0] + HALF * p.rewards[1] - 7 for p in listed],
        "δ_0 + γ δ_1 = G - V̂ on every path",
    )
    plain = reward_to_go(model, family).minus(lambda t, s: v[s])
    full = actor_critic(model, family, v, 1)
    yield equal([full(p) for p in listed], [plain(p) for p in listed], "the two updates with λ = 1, path by path")
    first = [actor_critic(model, family, v, 0)(p)[0] for p in listed]
    yield equal(
        first, [[d * x / 2 for x in ((1, -1), (-1, 1))[p.actions[0]]] for p in listed for d in [delta(p, 0)]], "λ = 0"
    )


reinforce_and_two_changes

# %% [markdown]
# ## The spectrum
#
# Four estimators of the advantage. The formulas are right; the columns are not laws.
#
# **Monte Carlo, "no bias".** Given state and action, the mean of $\hat G_t - \hat V(s_t)$ is $A + (V^\pi - \hat V)(s_t)$: as an
# estimate of the advantage it is off by all of the critic's error. The error is the same for every action, and so the
# *gradient* has no bias.


# %%
@claim(
    "theory-149",
    says=r"Full Monte Carlo $\hat G_t - \hat V(s_t)$ estimates the advantage with no bias and very high variance",
    verdict=Conditional(
        given="bias of the gradient is meant, or V̂(s_t) is right; where nothing is random, no variance either"
    ),
    about=(lambda_advantage_law, actor_critic_mean),
)
def the_monte_carlo_row():
    model, family = relay()
    wrong = fractions(7, -3)
    law = lambda_advantage_law(model, family.policy, wrong, 1)
    yield equal(law.bias, [[Fraction(-11, 2)] * 2, [5, 5]], "V̂ = (7, -3) for V = (3/2, 2): bias of the advantage")
    yield against(bool((law.bias != 0).all()), "no estimate of an advantage is unbiased here")
    yield equal(
        actor_critic_mean(model, family, wrong, 1).mean, [[-QUARTER, QUARTER], [-HALF, HALF]], "mean update: ∇V"
    )
    yield equal(law.variance, [[1, 1], [0, 0]], "variance given (s, a): 1 where a choice is still to come, then 0")


the_monte_carlo_row

# %% [markdown]
# **n steps, "medium" between "high" and "low".** With $\hat V = V^\pi$ no estimator has bias and the variance grows with n. A
# wrong critic can be right one step ahead and wrong two steps ahead; and in *quits* two steps have less variance than one.


# %%
def three_in_a_row():
    """States 0, 1, 2; only the last step pays, 1.  V = 1 throughout."""
    return MDP.from_outcomes([[[(ONE, 1, 0, False)]], [[(ONE, 2, 0, False)]], [[(ONE, None, 1, True)]]], ONE, 0)


def n_step_facts(model, v, s, ns):
    """(biases, variances) of the n-step returns from s."""
    laws = [n_step_return_law(model, uniform(model), v, n) for n in ns]
    return [law.bias[s] for law in laws], [law.variance[s] for law in laws]


@claim(
    "theory-150",
    "theory-151",
    says="n-step returns have medium bias and variance; one-step TD has high bias (if V̂ is wrong) and low variance",
    verdict=Conditional(
        given="V̂ is close to V^π (variance then grows with n) and equally wrong everywhere (bias then shrinks as γⁿ)"
    ),
    about=n_step_facts,
)
def the_middle_rows():
    walk = gallery.random_walk()
    known = fractions(*(Fraction(k, 6) for k in range(1, 6)))
    biases, variances = n_step_facts(walk, known, 2, (1, 2, 3))
    yield equal(biases, [0, 0, 0], "random walk, right critic: bias for n = 1, 2, 3")
    yield equal(variances, [Fraction(1, 36), Fraction(1, 18), Fraction(1, 12)], "variance")
    biases, _ = n_step_facts(steady(), fractions(9), 0, (1, 2, 3))
    yield equal(biases, [-(NINE_TENTHS**n) for n in (1, 2, 3)], "an error of -1 everywhere: bias -γⁿ")
    biases, _ = n_step_facts(three_in_a_row(), fractions(1, 1, 5), 0, (1, 2, 3))
    yield exceeds(biases[1], biases[0], "V̂ wrong in the third state only: bias of two steps above that of one")
    yield equal(biases, [0, 4, 0], "for n = 1, 2, 3")
    _, variances = n_step_facts(quits(), fractions(0, 0, 0), 0, (1, 2))
    yield exceeds(*variances, "quits: variance of one step above that of two")


the_middle_rows

# %% [markdown]
# **GAE.** $\sum_l (\gamma\lambda)^l \delta_{t+l}$ is $\delta_t$ at λ = 0 and $\hat G_t - \hat V(s_t)$ at λ = 1. In between, bias and
# variance are polynomials in λ. In *quits* with $\hat V = 0$ the variance given the start is $(1 - \lambda)^2$: here λ is a dial
# that turns the other way.


# %%
@claim(
    "theory-152",
    says=r"GAE: $\sum_l (\gamma\lambda)^l\delta_{t+l}$, bias and variance tuned by λ",
    verdict=Holds(note="continuous in λ between TD and Monte Carlo; neither column need be monotone"),
    about=lambda_advantage_law,
)
def the_gae_row():
    model, family = relay()
    v = fractions(7, -3)
    ends = [[lambda_advantage(model, v, lam)(p, 0) for p in paths(model, family.policy, 2)] for lam in (0, 1)]
    hand = [
        [p.rewards[0] - Fraction(17, 2), p.rewards[0] + HALF * p.rewards[1] - 7] for p in paths(model, family.policy, 2)
    ]
    yield equal(ends, [list(x) for x in zip(*hand, strict=True)], "λ = 0: r + γV̂ - V̂. λ = 1: G - V̂")
    lam = sympy.Symbol("lambda", nonnegative=True)
    symbolic = model.to_symbolic()
    bias = lambda_advantage_law(symbolic, uniform(symbolic), v, lam).bias[0, 0]
    yield proved(bias - (-8 + sympy.Rational(5, 2) * lam), "relay, V̂ = (7, -3): bias -8 + 5λ/2 at the start")
    loop = quits().to_symbolic()
    noise = lambda_advantage_law(loop, uniform(loop), fractions(0, 0, 0), lam).variance[0, 0]
    yield proved(noise - (1 - lam) ** 2, "quits, V̂ = 0: variance (1 - λ)², falling")


the_gae_row


# %%
@figure
def the_dial():
    """λ as a dial, from the middle of the random walk: bias² and variance of the λ-return, and their sum, for two critics."""
    from matplotlib import pyplot as plt

    walk = gallery.random_walk().to_float()
    lams = np.linspace(0, 1, 41)
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.1), sharey=True)
    critics = {r"right critic, $\hat V = V^\pi$": np.arange(1, 6) / 6, r"ignorant critic, $\hat V = 0$": np.zeros(5)}
    for ax, (title, v) in zip(axes, critics.items(), strict=True):
        laws = [lambda_return_law(walk, uniform(walk), v, lam) for lam in lams]
        bias, variance = (np.array([getattr(law, name)[2] for law in laws]) for name in ("bias", "variance"))
        ax.plot(lams, bias**2, color=COLOURS[1], label="bias²")
        ax.plot(lams, variance, color=COLOURS[0], label="variance")
        ax.plot(lams, bias**2 + variance, color=COLOURS[6], ls=":", label="sum")
        ax.set(title=title, xlabel=r"$\lambda$")
    axes[0].legend()
    return fig


the_dial

# %% [markdown]
# ### A critic that is far off
#
# The next state is worth 100 and the critic says 10: the target is short by $0.9 \cdot 90 = 81$. Whether the *advantage* is
# depends on the critic's value here as well: if $\hat V(s)$ lags by the same 81, the two errors cancel. And 100 is meant to be
# $V^\pi(s')$, of the policy that will be followed; the document writes $V^*$.


# %%
def treasure(spread=0):
    """s leads to s', paying nothing; s' pays 100 on average and ends: 100 ± spread.  γ = 9/10."""
    paid = [(HALF, None, 100 - spread, True), (HALF, None, 100 + spread, True)] if spread else [(ONE, None, 100, True)]
    return MDP.from_outcomes([[[(ONE, 1, 0, False)]], [paid]], NINE_TENTHS, 0)


def start_law(model, v, lam):
    """(bias, variance) of the advantage estimate at the start."""
    law = lambda_advantage_law(model, uniform(model), v, lam)
    return law.bias[0, 0], law.variance[0, 0]


@claim(
    "theory-153",
    says="True value 100, critic 10, γ = 0.9: the TD error massively underestimates the advantage",
    verdict=Conditional(given="V̂(s) is right, and V^π(s') is the 100; if V̂(s) is 81 too low as well, δ has no bias"),
    about=start_law,
)
def far_off():
    model = treasure()
    yield equal(NINE_TENTHS * printed("10").value, 9, "γ V̂(s')")
    yield equal(start_law(model, fractions(90, 10), 0)[0], -81, "V̂ = (90, 10): bias of δ")
    consistent = start_law(model, fractions(9, 10), 0)[0]
    yield equal(consistent, 0, "V̂ = (9, 10): no bias")
    yield against(consistent == 0, "a critic that is low everywhere does not underestimate this advantage")


far_off


# %%
@claim(
    "theory-154",
    says="Monte Carlo would reveal the truth, at the cost of enormous variance",
    verdict=Conditional(given="the returns are random; in the example as told the episode is sure and the variance 0"),
    about=start_law,
)
def monte_carlo_reveals():
    yield equal(start_law(treasure(), fractions(90, 10), 1), (0, 0), "bias and variance of G - V̂(s), the payment sure")
    noisy = start_law(treasure(1000), fractions(90, 10), 1)
    yield equal(noisy, (0, 810000), "the payment 100 ± 1000: no bias, variance 900²")
    yield against(start_law(treasure(), fractions(90, 10), 1)[1] == 0, "unbiased at no cost in variance")


monte_carlo_reveals

# %% [markdown]
# ### λ = 0.95
#
# The λ-return gives the n-step return the share $(1 - \lambda)\lambda^{n-1}$: 5 % to one step, 95 % to two or more, and just less
# than half, $0.95^{14}$, to more than 14. A critic that is 1 in one state of a row and 0 elsewhere reads the shares off the library's
# own λ-return.


# %%
def share(n, lam, length=20):
    """The weight of the n-step return in the λ-return from the start of a row of states that pay nothing."""
    row = [[[(ONE, s + 1 if s + 1 < length else None, 0, s + 1 == length)]] for s in range(length)]
    model = MDP.from_outcomes(row, ONE, 0)
    mark = fractions(*(int(s == n) for s in range(length)))
    (path,) = paths(model, None, length)
    return lambda_return(model, mark, lam)(path, 0)


@claim(
    "theory-155",
    says="GAE with λ = 0.95 mostly uses multi-step returns, with enough bootstrapping to reduce variance",
    verdict=Holds(note="95 % of the weight is on two steps or more, just over half on up to 14 steps"),
    about=share,
)
def mostly_many_steps():
    lam = printed("0.95").value
    shares = [share(n, lam) for n in range(1, 15)]
    yield equal(shares[0], Fraction(1, 20), "one step")
    yield equal(shares, [(1 - lam) * lam ** (n - 1) for n in range(1, 15)], "1 to 14 steps")
    yield shows(sum(shares[:13]) < HALF < sum(shares), "half of the weight is reached with the 14-step return")
    walk, known = gallery.random_walk(), fractions(*(Fraction(k, 6) for k in range(1, 6)))
    variances = [lambda_return_law(walk, uniform(walk), known, x).variance[2] for x in (lam, ONE)]
    yield below(*variances, "variance on the random walk, right critic: λ = 0.95 and 1")


mostly_many_steps


# %%
@claim(
    "theory-156",
    says="This is why λ = 0.95 is the most common choice in practice",
    verdict=Qualitative(
        why="how common a setting is, and why people chose it, is a matter of surveys; Schulman et al. (2017, tables 3 to 5) use "
        "0.95, and that many libraries copied it as a default is another possible reason"
    ),
)
def the_usual_lambda():
    return ()


the_usual_lambda

# %% [markdown]
# ## Many environments
#
# Sixteen transitions at the same moment of sixteen independent runs are uncorrelated. Sixteen in a row are correlated by
# the chain. For a sticky two-state chain that matters: the average of sixteen has variance 1/64 across runs, and more than six
# times that along one. But a chain that alternates covers both states evenly by itself, while sixteen copies that start together
# march in step: sixteen times the same transition.


# %%
def two_faces(stick, start, rounds):
    """Two states that stay with probability `stick` and pay their own number, 0 or 1; it ends after some rounds."""
    moves = {(k, f): [(stick, f), (1 - stick, 1 - f)] for k in range(rounds) for f in (0, 1)}
    outcomes = [
        [[(p, 2 * k + 2 + g if k + 1 < rounds else None, f, k + 1 == rounds) for p, g in law if p]]
        for (k, f), law in moves.items()
    ]
    return MDP.from_outcomes(outcomes, ONE, start + [Fraction(0)] * (2 * rounds - 2))


def average_of_sixteen(stick, start):
    """(mean, variance) of the average of 16 rewards: of 16 independent runs at one moment; of one run over 16 moments."""
    models = [two_faces(stick, start, rounds) for rounds in (1, 16)]
    one, sixteen = (from_start(m, n_step_return_law(m, uniform(m), 0 * m.initial, 16)) for m in models)
    at_once = one.averaged(16)
    return (at_once.mean, at_once.variance), (sixteen.mean / 16, sixteen.variance / 256)


def sticky_by_hand(stick):
    """(1/16²) Σ_{i,j} ¼ (2·stick - 1)^|i-j|, the covariances of a two-state chain started evenly."""
    return sum(QUARTER * (2 * stick - 1) ** abs(i - j) for i in range(16) for j in range(16)) / 256


@claim(
    "theory-157",
    says="A batch from parallel environments, say 16, is less correlated and more diverse than 16 consecutive transitions",
    verdict=Conditional(
        given="runs are in independently drawn states, and consecutive transitions positively correlated"
    ),
    about=average_of_sixteen,
)
def many_environments():
    across, along = average_of_sixteen(NINE_TENTHS, [HALF, HALF])
    yield equal(across, (HALF, Fraction(1, 64)), "sticky chain, 16 independent runs: mean and variance of the average")
    yield equal(along, (HALF, sticky_by_hand(NINE_TENTHS)), "one run of 16 steps, from the covariances (4/5)^k / 4")
    yield below(6 * across[1], along[1], "more than six times as much")
    across, along = average_of_sixteen(Fraction(0), [ONE, Fraction(0)])
    yield equal(across, (0, 0), "alternating, all from state 0: 16 runs in step, mean and variance")
    yield equal(along, (HALF, 0), "16 steps of one run")
    yield against(
        along[0] == HALF != across[0], "one run sees both states evenly; 16 runs in step see state 0 sixteen times"
    )


many_environments

# %% [markdown]
# ## Near the goal
#
# Reward 5, critic 3 here and 10 at the goal, γ = 0.9: $\delta = 5 + 9 - 3 = 11$, target 14. The arithmetic is right. The one
# question is what being *at the goal* means: if the episode ends there, nothing follows, $\hat V$ must be 0, and the TD error is
# $5 - 3 = 2$.


# %%
def near_the_goal(ends):
    """Going right pays 5 and leads to the goal: terminal if it `ends` there, else the goal pays 1 for ever.  γ = 9/10."""
    table = {("near the goal", "right"): [(ONE, "goal", 5, False)]}
    if not ends:
        table["goal", "right"] = [(ONE, "goal", 1, False)]
    goal = ["goal"] if ends else []
    return MDP.from_outcomes(
        table, NINE_TENTHS, "near the goal", states=("near the goal", "goal"), actions=["right"], terminal=goal
    )


def goal_error(ends, *v):
    """δ of the first step under the critic v."""
    model = near_the_goal(ends)
    (path,) = paths(model, None, 1)
    return td_error(model, fractions(*v))(path, 0)


@claim(
    "theory-158",
    says="δ = 5 + 0.9 · 10 - 3 = +11",
    verdict=Holds(note="for a goal after which the episode goes on (theory-159)"),
    about=goal_error,
)
def the_td_error():
    yield equal(goal_error(False, 3, 10), printed("11"))
    yield equal(printed("11"), 5 + NINE_TENTHS * 10 - 3, "by hand")


the_td_error


# %%
@claim(
    "theory-159",
    says="The value of being at the goal is bootstrapped as V̂(s') = 10",
    verdict=Conditional(given="the episode does not end at the goal; if it does, V̂(s') is 0 and δ = 2"),
    about=goal_error,
)
def the_goal_is_bootstrapped():
    yield equal(goal_error(False, 3, 10), 11, "life goes on at the goal, worth 10: bootstrapping is right")
    yield differs(printed("11"), goal_error(True, 3, 0), "the goal ends the episode")
    yield equal(goal_error(True, 3, 0), 2, "5 - 3")
    yield refuses(ValueError, lambda: goal_error(True, 3, 10), "a terminal state has no value to bootstrap from")


the_goal_is_bootstrapped

# %% [markdown]
# The actor's step raises the log-probability of the action taken in proportion to δ: under a softmax with another action
# beside it, by $\delta\,|\nabla\log\pi|^2 > 0$ to first order. The critic's target is 14, its error the same 11, and a step α
# moves $\hat V(s)$ to $3 + 11\alpha$.


# %%
@claim(
    "theory-160",
    says="δ = +11 > 0, so log π(right) goes up",
    verdict=Holds(note="also with δ = 2, if the goal ends the episode"),
    about=actor_critic,
)
def the_actor_moves():
    model = MDP.from_outcomes(
        {(0, 0): [(ONE, 0, 0, False)], (0, 1): [(ONE, 1, 5, False)], (1, 1): [(ONE, 1, 1, False)]}, NINE_TENTHS, 0
    )
    family = softmax_at(model, uniform(model))
    update = actor_critic(model, family, fractions(3, 10))
    right = next(p for p in paths(model, family.policy, 1) if p.actions == (1,))
    yield equal(update(right)[0], [Fraction(-11, 2), Fraction(11, 2)], "left and right, evenly: δ ∇log π(right)")
    slope = np.array([-HALF, HALF]) @ update(right)[0]
    yield equal(slope, Fraction(11, 2), "change of log π(right) per unit of step: δ |∇log π|²")
    yield shows(slope > 0, "it goes up")


the_actor_moves


# %%
@claim(
    "theory-161",
    says="Critic: target 14, current 3, error 11; V̂(s) is pushed toward 14",
    verdict=Holds(note="for a goal after which the episode goes on (theory-159); otherwise the target is 5"),
    about=td_update,
)
def the_critic_moves():
    model = near_the_goal(ends=False)
    whole, half = (td_update(model, uniform(model), alpha, fractions(1, 0)) for alpha in (ONE, HALF))
    held = fractions(3, 10)
    yield equal(whole(held), printed(["14", "10"]), "a full step reaches the target")
    yield equal(whole(held)[0] - held[0], printed("11"), "the error")
    yield equal(half(held)[0], 3 + HALF * 11, "half a step")


the_critic_moves
