# %% [markdown]
# # Function approximation, and the deadly triad
#
# *Document `theory`, lines 287 to 315.* Values by a network instead of a table: what to regress on, why it can blow up, and what
# replay buffers, target networks and Double DQN do about it. The formulas are right. The explanations promise more than they
# keep: replay is not a remedy for off-policy data but a source of it, a target network can start a spiral as well as end one,
# and one minibatch holds frames from the future.

# %%
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.arithmetic import SingularSystem
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    agrees,
    below,
    claim,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    refuses,
    shows,
    sourced,
    swept,
)
from rlexact.exact.asynchronous import autocovariance
from rlexact.exact.estimator_law import estimator_law, from_start
from rlexact.exact.evaluation import action_value, policy_value, visits
from rlexact.exact.expected_updates import td_update
from rlexact.exact.linear_td import expected_linear_q, linear_sarsa, linear_td
from rlexact.exact.max_estimators import double_max_law, sample_mean, single_max_law
from rlexact.exact.paths import expect
from rlexact.exact.return_estimators import lambda_return_law, n_step_return_law
from rlexact.exact.target_network import fitted, hard_target
from rlexact.formulas.dqn import (
    double_dqn_targets,
    dqn_targets,
    one_step_targets,
    squared_td_loss,
    squared_td_loss_gradient,
)
from rlexact.formulas.fitted_q import fitted_q_step, fitted_q_targets
from rlexact.formulas.prioritised_replay import (
    prioritised_mean,
    prioritised_probabilities,
    proportional_priorities,
)
from rlexact.formulas.q_learning import td_update as table_update
from rlexact.formulas.replay import age_probabilities
from rlexact.formulas.returns import discounted_return, returns_to_go
from rlexact.formulas.target_network import hard_update, hard_update_lag
from rlexact.gallery.counterexamples import baird, spiral, w_to_2w
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("theory", "function_approximation", "Function approximation, and the deadly triad")

ONE, HALF, QUARTER, TENTH = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)
NINE_TENTHS = Fraction(9, 10)


def fractions(*rows):
    """An object array of Fractions."""
    return np.array(rows, dtype=object) * ONE


# %% [markdown]
# ## Too many states for a table
#
# An Atari screen has 210 × 160 pixels of 128 colours. $10^{30}$ is about $2^{100}$, the number of black-and-white pictures of ten by
# ten pixels.


# %%
def screens(height, width, colours):
    """How many different pictures a screen can show."""
    return colours ** (height * width)


@claim(
    "theory-337",
    says="Atari has about 10^30 possible screen images",
    verdict=Wrong(
        because="10^30 is the count of 10 × 10 black-and-white pictures",
        instead="128^33600 ≈ 10^70802 pictures; and the console's 128 bytes of memory alone have 2^1024 ≈ 10^308 states",
    ),
    about=screens,
)
def how_many_screens():
    stated, atari = printed("1e30").value, screens(210, 160, 128)
    yield against(atari > stated**2000, "more than 10^60000, compared as integers")
    yield against(256**128 > stated**10, "a memory of 128 bytes: more than 10^300")
    yield equal(atari, 2**235200, "7 bits for each of 33,600 pixels")
    yield equal(len(bin(10**70802)), 235201 + 1, "10^70802 has 235,200 binary digits, and so lies below 2^235200")
    yield agrees(printed("1.3e30"), screens(10, 10, 2), "10 × 10, two colours")


how_many_screens

# %% [markdown]
# Values $\hat V_\phi(s)$ with one feature for each state are a table: same update, same numbers. With fewer features the states
# share, and that is the point. On the five-state random walk $V(k) = k/6$ is a straight line; features $(1, k)$ find it although
# the last state is never updated. The table has nothing to say there.


# %%
LINE = fractions(*([1, k] for k in range(1, 6)))


@claim(
    "theory-338",
    says=r"Replace the table by $\hat V_\phi(s)$ or $\hat Q_\phi(s, a)$ that generalises across similar states",
    verdict=Holds(note="a table is the case of one feature for each state; only values in the features' span can be learned"),
    about=(linear_td, td_update),
)
def instead_of_a_table():
    walk = gallery.random_walk()
    policy, unseen = uniform(walk), fractions(1, 1, 1, 1, 0)
    start = fractions(3, 1, 4, 1, 5)
    both = [
        linear_td(walk, policy, fractions(*np.eye(5, dtype=int)), unseen).update(HALF)(start),
        td_update(walk, policy, HALF, unseen)(start),
    ]
    yield equal(both[0], [2, Fraction(9, 4), Fraction(5, 2), Fraction(11, 4), 5], "one-hot features, an update by hand")
    yield equal(both[1], both[0], "and the table's")
    line = linear_td(walk, policy, LINE, unseen)
    yield equal(line.values(line.fixed_point()), [Fraction(k, 6) for k in range(1, 6)], "features (1, k): V(5) = 5/6 too")
    table = linear_td(walk, policy, fractions(*np.eye(5, dtype=int)), unseen)
    yield refuses(SingularSystem, table.fixed_point, "the table leaves V(5) open")


instead_of_a_table

# %% [markdown]
# ## What to regress on
#
# The document's displays are lost. They must have been the two usual rules: least squares towards the return, and the
# semi-gradient step, which differentiates the prediction and not the target:
#
# $$\min_\phi\; E\big[(G_t - \hat V_\phi(s_t))^2\big], \qquad
#   \phi \leftarrow \phi + \alpha\,\big(r + \gamma \hat V_\phi(s') - \hat V_\phi(s)\big)\,\nabla \hat V_\phi(s).$$
#
# They are two different answers as soon as the network cannot represent $V$. A coin leads to a state that pays 1 or to one that pays
# 0; a single feature is 1, 2, 1 there. Least squares rests at 3/7, the semi-gradient at 1/2, and descending the squared
# Bellman error *through* the target at 4/11.


# %%
def coin():
    """State 0 leads to state 1, which pays 1, or to state 2, which pays 0, with probability 1/2 each; γ = 1."""
    there = [(HALF, 1, 0, False), (HALF, 2, 0, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, 1, True)], (2, 0): [(ONE, None, 0, True)]}, ONE, 0)


def semi_gradient(theta, phi, target, alpha):
    """θ + α (y - φ·θ) φ: half a step down the squared error, the target held fixed."""
    return theta - alpha / 2 * squared_td_loss_gradient([phi @ theta], [target])[0] * phi


@claim(
    "theory-340",
    says=r"(lost display) Monte Carlo: $\min E[(G_t - \hat V_\phi(s_t))^2]$. TD: $\phi$ += $\alpha\,(r + \gamma\hat V_\phi(s') - "
    r"\hat V_\phi(s))\,\nabla\hat V_\phi(s)$",
    verdict=Holds(note="the target is held fixed: the step is not the gradient of the squared TD error, which rests elsewhere"),
    about=(linear_td, semi_gradient, returns_to_go, one_step_targets),
)
def two_rules():
    model, phi = coin(), fractions(1, 2, 1)
    td = linear_td(model, uniform(model), phi[:, None], visits(model, uniform(model)))
    x = sympy.Symbol("x", real=True)

    def squares(path):
        returns = returns_to_go(path.rewards, None, None, ONE)
        return sum((g - phi[s] * x) ** 2 for s, g in zip(path.states, returns, strict=False))

    paths = [([0, 1], [ONE * 0, ONE]), ([0, 2], [ONE * 0, ONE * 0])]
    loss = sum(HALF * squares(gallery_path(*p)) for p in paths)
    yield equal(sympy.solve(sympy.diff(loss, x), x), [Fraction(3, 7)], "dE/dx = 0: least squares to the returns")
    yield equal(td.monte_carlo(), [Fraction(3, 7)], "the projection of V")
    theta, mean = fractions(3), fractions(0)
    for states, rewards in paths:
        for t, s in enumerate(states):
            ahead = phi[states[1]] * theta[0] if t == 0 else ONE * 0
            target = one_step_targets([rewards[t]], [ahead], [t == 1], ONE)[0]
            mean = mean + HALF * (semi_gradient(theta, phi[s : s + 1], target, TENTH) - theta)
    yield equal(td.update(TENTH)(theta) - theta, mean, "the mean of the sampled steps at θ = 3")
    yield equal(mean, [Fraction(-1, 2)], "α (1 - 2θ), by hand")
    yield equal([*td.fixed_point(), *td.residual_gradient()], [HALF, Fraction(4, 11)], "TD, and through the target")


def gallery_path(states, rewards):
    """What a path shows to an estimator."""
    from types import SimpleNamespace

    return SimpleNamespace(states=states, rewards=rewards)


two_rules

# %% [markdown]
# ### Bias and variance
#
# The return of a whole episode has mean $V^\pi(s_t)$, whatever the network: the *target* is unbiased. The fitted values are not,
# unless they can be represented. And its variance is what chance makes it: zero in a corridor without chance, less than
# that of the bootstrapped target where a later reward undoes an earlier one.


# %%
def corridor(n, gamma=ONE):
    """n states in a row, -1 for each step, and the end."""
    return MDP.from_outcomes({(k, 0): [(ONE, (k + 1) % n, -1, k == n - 1)] for k in range(n)}, gamma, 0)


def undone():
    """State 0 pays +1 or -1 by a coin; the next step takes it back. The return is always 0."""
    first = [(HALF, 1, 1, False), (HALF, 2, -1, False)]
    return MDP.from_outcomes({(0, 0): first, (1, 0): [(ONE, None, -1, True)], (2, 0): [(ONE, None, 1, True)]}, ONE, 0)


def targets(model, v):
    """Laws of the two regression targets from each state: r + γ v(s'), and the whole return."""
    return n_step_return_law(model, uniform(model), v, 1), lambda_return_law(model, uniform(model), v, 1)


@claim(
    "theory-339",
    says=r"Monte Carlo: regress $\hat V_\phi(s_t)$ toward $G_t$; unbiased but high variance",
    verdict=Conditional(
        given="unbiased: the target, of whole episodes (the fit only where V is representable); high variance: where chance is behind s_t"
    ),
    about=(lambda_return_law, linear_td),
)
def regress_on_returns():
    walk = gallery.random_walk()
    monte_carlo = targets(walk, fractions(9, 9, 9, 9, 9))[1]
    truth = [Fraction(k, 6) for k in range(1, 6)]
    yield equal(monte_carlo.mean, truth, "random walk, network wrong everywhere: E[G | s] = k/6")
    yield equal(monte_carlo.variance, [p * (1 - p) for p in truth], "a coin of bias k/6: up to 1/4")
    still = targets(corridor(6), fractions(*[0] * 6))[1]
    yield equal(still.mean, [-6, -5, -4, -3, -2, -1], "a corridor")
    yield against(not still.variance.any(), "its returns have no variance at all")
    model, phi = coin(), fractions([1], [2], [1])
    td = linear_td(model, uniform(model), phi, visits(model, uniform(model)))
    yield differs(td.values(td.monte_carlo()), [HALF, 1, 0], "the fitted values of the coin, against V")


regress_on_returns


# %%
@claim(
    "theory-341",
    says=r"TD: the target $r + \gamma\hat V_\phi(s')$ has lower variance, but is biased",
    verdict=Conditional(given="V̂ is near V^π, and later rewards do not undo earlier ones; no bias where V̂(s') is right on average"),
    about=n_step_return_law,
)
def regress_on_bootstraps():
    walk, truth = gallery.random_walk(), fractions(*(Fraction(k, 6) for k in range(1, 6)))
    bootstrapped, whole = targets(walk, truth)
    yield equal([bootstrapped.variance[2], whole.variance[2]], [Fraction(1, 36), QUARTER], "right network: 1/36, 1/4")
    yield below(bootstrapped.variance, whole.variance, "lower in every state")
    off = targets(walk, truth + 1)[0]
    yield equal(off.bias, [HALF, 1, 1, 1, HALF], "network 1 too high: biased by the chance that a step does not end")
    td, whole = targets(undone(), fractions(0, 0, 0))
    yield equal([td.variance[0], whole.variance[0]], [1, 0], "a reward that is undone, network 0: TD, Monte Carlo")
    yield exceeds(td.variance[0], whole.variance[0], "bootstrapping raised it")


regress_on_bootstraps

# %% [markdown]
# ### Mountain car
#
# An episode of 150 steps, -1 each. The Monte-Carlo targets count the steps left. That is the *undiscounted* return; the
# document's TD target for the same state has a discount of 0.99, whose return from $t = 50$ is not -100 but
# $-(1 - 0.99^{100})/0.01 = -63.4$. The two targets belong to two different functions.


# %%
@claim(
    "theory-342",
    "theory-344",
    says="150 steps at -1 give a total of -150, and a Monte-Carlo target of -1 at t = 149",
    verdict=Holds(note="steps counted from 0, so that t = 149 is the last; the total is undiscounted"),
    about=(discounted_return, returns_to_go),
)
def totals():
    rewards = fractions(*[-1] * 150)
    yield equal(printed("-150"), discounted_return(rewards, ONE), "the sum")
    for gamma in (ONE, Fraction(99, 100)):
        yield equal(printed("-1"), returns_to_go(rewards, None, None, gamma)[149], f"the last target, γ = {gamma}")


totals


# %%
@claim(
    "theory-343",
    says="The Monte-Carlo target at t = 50 is -100: 100 steps remain",
    verdict=Conditional(given="γ = 1; with the 0.99 of the document's own TD target it is -63.4"),
    about=(returns_to_go, policy_value),
)
def a_hundred_left():
    rewards, gamma = fractions(*[-1] * 150), Fraction(99, 100)
    yield equal(printed("-100"), returns_to_go(rewards, None, None, ONE)[50], "γ = 1")
    discounted = returns_to_go(rewards, None, None, gamma)[50]
    yield differs(printed("-100"), discounted, "γ = 0.99")
    yield equal(discounted, -100 * (1 - gamma**100), "-(1 - γ^100) / (1 - γ)")
    model = corridor(150, gamma)
    yield equal(policy_value(model, uniform(model))[50], discounted, "the value at which TD with 0.99 rests")


a_hundred_left


# %%
@claim(
    "theory-346",
    says=r"The TD target at t = 50 is $-1 + 0.99\,\hat V(s_{51})$",
    verdict=Holds(note="of the value with γ = 0.99, which differs from the -100 of the line before"),
    about=one_step_targets,
)
def the_td_target():
    v = sympy.Symbol("v", real=True)
    gamma = printed("0.99").value
    yield proved(one_step_targets([-1], [v], [False], gamma)[0] - (sympy.Rational(99, 100) * v - 1), "for any V̂(s51)")
    known = -100 * (1 - gamma**99)
    yield equal(one_step_targets([-ONE], [known], [False], gamma)[0], -100 * (1 - gamma**100), "the right V̂ is kept")


the_td_target

# %% [markdown]
# **Why would the targets be noisy?** Because episodes start in different places and so take 120 or 200 steps, says the document. But the
# state is given, (position, velocity), and the return *from there on* cannot tell how the episode came there. In a corridor
# entered at two places the lengths are 120 and 200, and every target has variance 0. Noise needs chance after $s_t$: random
# actions, slips.


# %%
def two_entrances():
    """A corridor of 200 states, entered at the beginning or 80 states further on."""
    return corridor(200).replace(initial=[HALF if k in (0, 80) else 0 * ONE for k in range(200)])


def slippery(n):
    """A corridor in which every step slips and stays with probability 1/2."""
    table = {(k, 0): [(HALF, k, -1, False), (HALF, (k + 1) % n, -1, k == n - 1)] for k in range(n)}
    return MDP.from_outcomes(table, ONE, 0)


@claim(
    "theory-345",
    says="All targets are noisy because episodes take different numbers of steps, 120 or 200, depending on initial conditions",
    verdict=Wrong(
        because="given the state, the return does not depend on the start: lengths 120 and 200, and no target has any noise",
        instead="the noise is chance after s_t, in actions and dynamics; the start only decides which states are seen",
    ),
    about=lambda_return_law,
)
def where_noise_comes_from():
    model = two_entrances()
    law = lambda_return_law(model, uniform(model), fractions(*[0] * 200), 1)
    yield equal([-law.mean[0], -law.mean[80]], printed(["200", "120"]), "two starts, two lengths")
    yield against(not law.variance.any(), "the variance of the target is 0 in every state")
    yield equal(from_start(model, law).variance, 40**2, "lengths vary from episode to episode: the starts differ, not the targets")
    slips = slippery(5)
    noisy = lambda_return_law(slips, uniform(slips), fractions(*[0] * 5), 1)
    yield equal(noisy.mean, [-10, -8, -6, -4, -2], "a slippery corridor of five states, one start")
    yield equal(noisy.variance, [10, 8, 6, 4, 2], "2 for each geometric wait ahead")


where_noise_comes_from


# %%
def push(x, v):
    """A step of the mountain car of Sutton and Barto (2018), Example 10.1, always pushed the way it moves."""
    v = np.clip(v + 0.001 * np.where(v < 0, -1, 1) - 0.0025 * np.cos(3 * x), -0.07, 0.07)
    x = np.clip(x + v, -1.2, 0.5)
    return x, np.where((x <= -1.2) & (v < 0), 0, v)


@figure
def every_state_has_one_return():
    """Mountain car, pushed the way it moves: steps to the goal from every state, and two episodes (120 and 113 steps). Starts
    differ; the return from a state does not."""
    from matplotlib import pyplot as plt

    grid = x, v = np.meshgrid(np.linspace(-1.2, 0.5, 240), np.linspace(-0.07, 0.07, 160))
    steps = np.zeros(x.shape)
    for _ in range(260):
        steps += x < 0.5
        x, v = (np.where(x < 0.5, new, old) for new, old in zip(push(x, v), (x, v), strict=True))
    fig, ax = plt.subplots()
    image = ax.pcolormesh(*grid, steps, cmap="cividis", rasterized=True)
    fig.colorbar(image, label="steps to the goal")
    for start, colour in ((-0.52, "white"), (-0.6, COLOURS[5])):
        episode = [(start, 0.0)]
        while episode[-1][0] < 0.5:
            episode.append(push(*episode[-1]))
        ax.plot(*np.transpose(episode), color=colour, lw=1.2, label=f"from {start}: {len(episode) - 1} steps")
    ax.legend(loc="lower left", labelcolor="white")
    ax.set(xlabel="position", ylabel="velocity")
    ax.grid(False)
    return fig


every_state_has_one_return

# %% [markdown]
# **One step's error is small, and then?** An error $e$ of $\hat V(s')$ enters the target as $\gamma e$, no more. If every fit adds
# an error again, these add up to at most $e/(1-\gamma)$.


# %%
@claim(
    "theory-347",
    says="If V̂ is slightly wrong, the error from one step is small",
    verdict=Holds(note="it is γ times the error; errors made afresh at every step can add up to 1/(1-γ) times, 100 times at γ = 0.99"),
    about=one_step_targets,
)
def one_step_of_error():
    v, e, gamma = sympy.symbols("v e gamma", positive=True)
    wrong, right = (one_step_targets([-1], [x], [False], gamma)[0] for x in (v + e, v))
    yield proved(wrong - right - gamma * e, "an error e of V̂ is an error γ e of the target")
    error, chain = 0 * ONE, Fraction(99, 100)
    for _ in range(99):
        error = 1 + one_step_targets([0 * ONE], [error], [False], chain)[0]
    yield equal(error, 100 * (1 - chain**99), "an error of 1 added at each of 99 steps: 63, on the way to 100")


one_step_of_error

# %% [markdown]
# **Does TD win?** If the network can represent $V$, its bias vanishes and the small variance stays. If it cannot, the bias stays: two
# states with values 1 and 0 that share one feature are best valued at 1/2, and TD rests at 1. And the variance of Monte Carlo is
# that of one target; averages of $n$ have $\sigma^2/n$.


# %%
def shared():
    """State 0 pays 1 and leads to state 1, which pays 0 and ends; γ = 1."""
    return MDP.from_outcomes({(0, 0): [(ONE, 1, 1, False)], (1, 0): [(ONE, None, 0, True)]}, ONE, 0)


@claim(
    "theory-348",
    says="In practice TD wins: its bias decreases as V̂ improves, while the variance of Monte Carlo stays high for ever",
    verdict=Conditional(
        given="V is representable (nearly) and data are few; else TD's bias stays, and averaging brings Monte Carlo's variance down"
    ),
    about=(linear_td, n_step_return_law, estimator_law),
)
def does_td_win():
    walk, truth = gallery.random_walk(), [Fraction(k, 6) for k in range(1, 6)]
    td = linear_td(walk, uniform(walk), LINE, fractions(*[Fraction(1, 5)] * 5))
    yield equal(td.values(td.fixed_point()), truth, "V in the span: TD rests at V")
    at_rest = n_step_return_law(walk, uniform(walk), td.values(td.fixed_point()), 1)
    yield equal([at_rest.bias[2], at_rest.variance[2]], [0, Fraction(1, 36)], "then no bias, and 1/36 against 1/4")
    model = shared()
    poor = linear_td(model, uniform(model), fractions([1], [1]), fractions(HALF, HALF))
    yield equal([*poor.fixed_point(), *poor.monte_carlo()], [1, HALF], "a shared feature: TD, least squares")
    errors = [poor.errors(theta).value for theta in (poor.fixed_point(), poor.monte_carlo())]
    yield equal(errors, [HALF, QUARTER], "their mean squared errors, for ever")
    yield exceeds(*errors, "TD loses")
    toss = MDP.from_outcomes({(0, 0): [(HALF, None, 1, True), (HALF, None, 0, True)]}, ONE, 0)
    single = estimator_law(toss, None, 1, lambda path: path.rewards[0])
    yield equal([single.variance, single.averaged(100).variance], [QUARTER, Fraction(1, 400)], "one return, the mean of 100")
    yield exceeds(single.variance, single.averaged(100).variance, "the variance does not stay")


does_td_win

# %% [markdown]
# ## Generalisation
#
# One table entry moves and no other. A network's values at two inputs are as similar as its weights are small:
# $|Q(x) - Q(x')| \le L\,|x - x'|$. Nothing holds $L$ down *automatically*: two ReLU units put a step of height 10 between inputs that are
# a thousandth apart. (Nor should it: the true values on the two sides of a cliff's edge do differ.)


# %%
def relu_step(x, gain):
    """Two ReLU units: 0 up to x = 1/2, from there on upwards with slope `gain`, and 10 at last."""
    relu = lambda z: max(z, 0 * z)  # noqa: E731
    return relu(gain * (x - HALF)) - relu(gain * (x - HALF) - 10)


@claim(
    "theory-349",
    says="In a table each entry is independent; with a network similar states get similar values automatically",
    verdict=Conditional(given="similar means close as inputs, and the network is smooth: |Q(x) - Q(x')| ≤ L |x - x'|"),
    about=(table_update, relu_step),
)
def similar_values():
    yield equal(table_update(fractions(0, 0, 0), 0, 10 * ONE, ONE), [10, 0, 0], "a table: Q(s8), Q(s9) learn nothing")
    near, far = HALF, HALF + Fraction(1, 1000)
    yield equal(relu_step(far, ONE) - relu_step(near, ONE), Fraction(1, 1000), "slope 1: similar values")
    apart = relu_step(far, 10**4 * ONE) - relu_step(near, 10**4 * ONE)
    yield equal(apart, 10, "slope 10^4: inputs a thousandth apart")
    yield exceeds(apart, 1, "the values are not similar")


similar_values

# %% [markdown]
# An update at $s_7$ moves the value at $x$ by $\alpha\,\delta\;\nabla Q(s_7)\cdot\nabla Q(x)$: zero only where the two gradients are
# orthogonal, which in a table they always are.


# %%
@claim(
    "theory-350",
    says="An update to Q(s7) also changes Q(s8), Q(s9): side effects that can destabilise learning",
    verdict=Holds(note="by α δ ∇Q(s7)·∇Q(s8), which is 0 where the gradients are orthogonal"),
    about=(semi_gradient, one_step_targets),
)
def side_effects():
    phi, theta = fractions([1, 0], [HALF, HALF], [0, 3]), fractions(2, 4)
    moved = phi @ semi_gradient(theta, phi[0], 12 * ONE, HALF) - phi @ theta
    yield equal(moved, [5, Fraction(5, 2), 0], "α δ φ·φ' = 5 times 1, 1/2 and 0")
    w, pair = fractions(1), fractions([1], [2])
    for _ in range(3):
        ahead = one_step_targets([0 * ONE], [pair[1] @ w], [False], NINE_TENTHS)[0]
        w = semi_gradient(w, pair[0], ahead, TENTH)
    yield equal(w, [Fraction(27, 25) ** 3], "values w and 2w, truth 0: each update raises its own target, 1.08 each time")


side_effects

# %% [markdown]
# ## The deadly triad
#
# Function approximation, bootstrapping, off-policy data: on Baird's star, and on two states worth $w$ and $2w$, expected
# updates grow for every step size, although the true values are 0 and can be represented.


# %%
def learner(example, lam=0, features=None, weights=None):
    """Linear TD on an example of the gallery, with other features or weights if given."""
    given = example.features if features is None else features
    return linear_td(example.mdp, example.policy, given, example.weights if weights is None else weights, lam)


@claim("theory-351", says="All three together can diverge", verdict=Holds(), about=linear_td)
def the_triad():
    star = learner(baird())
    yield shows(not star.stable(), "Baird's star: an eigenvalue with negative real part (Routh-Hurwitz, exact)")
    yield shows(all(not x for x in star.true_values()), "whose true values are all 0, in the span")
    growth = learner(w_to_2w(gamma=NINE_TENTHS)).update(TENTH)
    yield equal(growth(fractions(1)), [Fraction(27, 25)], "w → 2w: 1 + α (2γ - 1) = 1.08 per update")
    yield equal(growth.after(100)(fractions(1)), [Fraction(27, 25) ** 100], "after 100 updates: 2200")


the_triad


# %%
@claim(
    "theory-352",
    "theory-361",
    says=r"With bootstrapping the target depends on the parameters that are updated: $y = r + \gamma\max_{a'}\hat Q_\theta(s', a')$",
    verdict=Holds(note="except at a terminal transition; a Monte-Carlo target does not depend on them"),
    about=(one_step_targets, fitted_q_targets, semi_gradient),
)
def moving_targets():
    theta, h, gamma = sympy.symbols("theta h gamma", positive=True)
    values = [one_step_targets([1], [2 * x], [False], gamma)[0] for x in (theta + h, theta)]
    yield proved((values[0] - values[1]) / h - 2 * gamma, "V̂ = 2θ at s': dy/dθ = 2γ")
    ahead = fractions([[[1, 0], [0, 1]]])[0]
    at, up = fractions(3, 2), fractions(4, 2)
    found = [fitted_q_targets(x, fractions(1), ahead, [False], HALF)[0] for x in (at, up)]
    yield equal(found, [Fraction(5, 2), 3], "max of θ1 and θ2, θ1 from 3 to 4: y moves by γ")
    yield equal([fitted_q_targets(x, fractions(1), ahead, [True], HALF)[0] for x in (at, up)], [1, 1], "terminal")
    moved = semi_gradient(at, fractions(1, 1), 7 * ONE, HALF)
    yield equal(moved, [4, 3], "a gradient step on θ1 + θ2 towards 7 changes the prediction, 5 to 7")
    yield equal(fitted_q_targets(moved, fractions(1), ahead, [False], HALF), [3], "and the target, 5/2 to 3")


moving_targets

# %% [markdown]
# **Are any two fine?** A table may bootstrap off-policy. Linear values may bootstrap on-policy, and may regress on returns off-policy.
# But *(1)* in the document's list is *neural nets*, and with those bootstrapping on-policy suffices: on the three states of
# Tsitsiklis and Van Roy one parameter θ winds the values outwards, with $\dot\theta = \tfrac13 V^\top\! B\, V > 0$ for ever.


# %%
@claim(
    "theory-353",
    says="Any two of the three ingredients are fine",
    verdict=Conditional(given="the approximation is linear (and steps are small): nonlinear TD diverges on-policy"),
    about=(linear_td, spiral),
)
def any_two():
    star = baird()
    yield shows(not learner(star).stable(), "all three, Baird's star")
    yield shows(learner(star, features=fractions(*np.eye(7, dtype=int))).stable(), "no approximation: a table")
    yield shows(learner(star, lam=1).stable(), "no bootstrapping: returns, linear")
    e, g = sympy.symbols("epsilon gamma", positive=True)
    two = w_to_2w(e, g)
    on_policy = learner(two, weights=visits(two.mdp, two.policy))
    yield proved(
        on_policy.update(1).matrix.to_dense()[0, 0] - 1 + 1 + 2 * g + 4 * (1 - g) / e
        if hasattr(on_policy.update(1).matrix, "to_dense")
        else on_policy.update(1)(np.array([sympy.Integer(1)]))[0] - 1 + (1 + 2 * g + 4 * (1 - g) / e),
        "not off-policy: w → 2w by its own visits has A = 1 + 2γ + 4(1 - γ)/ε > 0",
    )
    ring = spiral(Fraction(1, 20), Fraction(99, 100))
    yield equal(ring.growth, Fraction(3, 8) * Fraction(99, 100) - Fraction(1, 20) * (1 - Fraction(99, 400)), "the spiral's rate")
    yield against(bool(ring.growth > 0), "nonlinear, bootstrapping, on-policy: θ rises for ever, and |V| with it")
    other = fractions(1, 1, -2)
    yield equal(other @ ring.drift @ other / 6, ring.growth, "the same rate in another direction of the plane")


any_two
