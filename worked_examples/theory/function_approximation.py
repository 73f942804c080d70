# %% [markdown]
# # Function approximation, and the deadly triad
#
# *Document `theory`, lines 287 to 315.* Values by a network instead of a table: what to regress on, why it can blow up, and what
# replay buffers, target networks and Double DQN do about it. The formulas are right. The explanations promise more than they
# keep: replay is not a remedy for off-policy data but a source of it, a target network can start a spiral as well as end one,
# Double DQN does not converge to the truth, and one minibatch holds frames from the future.

# %%
from fractions import Fraction
from itertools import pairwise, product

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
    close,
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
from rlexact.exact.stability import schur_stable
from rlexact.exact.target_network import fitted, hard_target
from rlexact.formulas.dqn import (
    double_dqn_targets,
    dqn_targets,
    one_step_targets,
    squared_td_loss,
    squared_td_loss_gradient,
)
from rlexact.formulas.fitted_q import fitted_q_targets
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
    yield shows(atari == 2**235200 and 10**70802 < atari < 10**70803, "2^235200, 7 bits a pixel: 70,803 digits")
    yield agrees(printed("1.3e30"), screens(10, 10, 2), "10 × 10, two colours")


how_many_screens

# %% [markdown]
# Values $\hat V_\phi(s)$ with one feature for each state are a table: same update, same numbers. With fewer features the states
# share, and that is the point. On the five-state random walk $V(k) = k/6$ is a straight line; features $(1, k)$ find it although
# the middle state is never updated. The table has nothing to say there.


# %%
LINE = fractions(*([1, k] for k in range(1, 6)))
SIXTHS = fractions(*range(1, 6)) / 6  # V of the random walk


@claim(
    "theory-338",
    says=r"Replace the table by $\hat V_\phi(s)$ or $\hat Q_\phi(s, a)$ that generalises across similar states",
    verdict=Holds(note="a table has one feature per state; what the features cannot express cannot be learned"),
    about=(linear_td, td_update),
)
def instead_of_a_table():
    walk = gallery.random_walk()
    policy, unseen, one_hot = uniform(walk), fractions(1, 1, 0, 1, 1), fractions(*np.eye(5, dtype=int))
    table, start = linear_td(walk, policy, one_hot, unseen), fractions(3, 1, 4, 1, 5)
    by_hand = [Fraction(7, 4), Fraction(9, 4), 4, Fraction(11, 4), 3]
    yield equal(table.update(HALF)(start), by_hand, "one-hot features, an update by hand")
    yield equal(td_update(walk, policy, HALF, unseen)(start), by_hand, "and the table's")
    line = linear_td(walk, policy, LINE, unseen)
    yield equal(line.values(line.fixed_point()), SIXTHS, "features (1, k): V(3) = 1/2 too")
    yield refuses(SingularSystem, table.fixed_point, "the table leaves V(3) open")


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
    verdict=Holds(note="with the target held fixed the TD step is not the gradient of the squared TD error"),
    about=(linear_td, semi_gradient, returns_to_go, one_step_targets),
)
def two_rules():
    model, phi = coin(), fractions(1, 2, 1)
    td = linear_td(model, uniform(model), phi[:, None], visits(model, uniform(model)))
    x, theta = sympy.Symbol("x", real=True), fractions(3)

    def squares(path):
        returns = returns_to_go(path.rewards, None, None, 1)
        return sum((g - phi[s] * x) ** 2 for s, g in zip(path.states, returns, strict=False))

    def steps(path):
        ahead = [phi[path.states[1]] * theta[0], 0]
        target = one_step_targets(path.rewards, ahead, [False, True], ONE)
        return sum(semi_gradient(theta, phi[[s]], y, TENTH) - theta for s, y in zip(path.states, target, strict=False))

    symbolic = model.to_symbolic()
    loss = expect(symbolic, uniform(symbolic), 2, squares)
    yield equal(sympy.solve(sympy.diff(loss, x), x), [Fraction(3, 7)], "dE/dx = 0: least squares to the returns")
    yield equal(td.monte_carlo(), [Fraction(3, 7)], "the projection of V")
    mean = expect(model, uniform(model), 2, steps)
    yield equal(td.update(TENTH)(theta) - theta, mean, "the mean of the sampled steps at θ = 3")
    yield equal(mean, [Fraction(-1, 2)], "α (1 - 2θ), by hand")
    yield equal([*td.fixed_point(), *td.residual_gradient()], [HALF, Fraction(4, 11)], "TD, and through the target")


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
        given="the target of a whole episode is unbiased, a fit only if V is representable; variance needs chance after s_t"
    ),
    about=(lambda_return_law, linear_td),
)
def regress_on_returns():
    walk = gallery.random_walk()
    monte_carlo = targets(walk, fractions(9, 9, 9, 9, 9))[1]
    yield equal(monte_carlo.mean, SIXTHS, "random walk, network wrong everywhere: E[G | s] = k/6")
    yield equal(monte_carlo.variance, SIXTHS * (1 - SIXTHS), "G is 1 with probability k/6, else 0")
    still = targets(corridor(6), fractions(*[0] * 6))[1]
    yield equal(still.mean, [-6, -5, -4, -3, -2, -1], "a corridor")
    yield against(not still.variance.any(), "its returns have no variance at all")
    model, phi = coin(), fractions([1], [2], [1])
    td = linear_td(model, uniform(model), phi, visits(model, uniform(model)))
    fit = td.values(td.monte_carlo())
    yield equal(fit, [Fraction(3, 7), Fraction(6, 7), Fraction(3, 7)], "what the coin's one feature is fitted to")
    yield differs(fit, [HALF, 1, 0], "the values of the coin: a biased fit")


regress_on_returns


# %%
@claim(
    "theory-341",
    says=r"TD: the target $r + \gamma\hat V_\phi(s')$ has lower variance, but is biased",
    verdict=Conditional(given="V̂ is near V^π but not right, and later rewards do not undo earlier ones"),
    about=n_step_return_law,
)
def regress_on_bootstraps():
    walk = gallery.random_walk()
    bootstrapped, whole = targets(walk, SIXTHS)
    yield equal([bootstrapped.variance[2], whole.variance[2]], [Fraction(1, 36), QUARTER], "right network: 1/36, 1/4")
    yield below(bootstrapped.variance, whole.variance, "lower in every state")
    off = targets(walk, SIXTHS + 1)[0]
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
    yield equal(policy_value(model, uniform(model))[50], discounted, "where TD with 0.99 rests")


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
    target = one_step_targets([-1], [v], [False], printed("0.99").value)[0]
    yield proved(target - (sympy.Rational(99, 100) * v - 1), "for any V̂(s51)")


the_td_target

# %% [markdown]
# **Why would the targets be noisy?** Because episodes start in different places and so take 120 or 200 steps, says the document. But the
# state is given, (position, velocity), and the return *from there on* cannot tell how the episode came there. In a corridor
# entered at two places the lengths are 120 and 200, and every target has variance 0. Noise needs chance after $s_t$: random
# actions, slips.


# %%
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
    model = corridor(200).replace(initial=[HALF if k in (0, 80) else 0 * ONE for k in range(200)])
    law = lambda_return_law(model, uniform(model), fractions(*[0] * 200), 1)
    yield equal([-law.mean[0], -law.mean[80]], printed(["200", "120"]), "two starts, two lengths")
    yield against(not law.variance.any(), "the variance of the target is 0 in every state")
    yield equal(from_start(model, law).variance, 40**2, "between episodes lengths do vary: the starts differ")
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
    verdict=Holds(note="γ times the error; errors made afresh at every step add up, to at most 1/(1-γ) times"),
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
@claim(
    "theory-348",
    says="In practice TD wins: its bias decreases as V̂ improves, while the variance of Monte Carlo stays high for ever",
    verdict=Conditional(
        given="V is (nearly) representable and data are few: else TD's bias stays, and averaging quietens Monte Carlo"
    ),
    about=(linear_td, n_step_return_law, estimator_law),
)
def does_td_win():
    walk = gallery.random_walk()
    td = linear_td(walk, uniform(walk), LINE, fractions(*[Fraction(1, 5)] * 5))
    yield equal(td.values(td.fixed_point()), SIXTHS, "V in the span: TD rests at V")
    at_rest = n_step_return_law(walk, uniform(walk), td.values(td.fixed_point()), 1)
    yield equal([at_rest.bias[2], at_rest.variance[2]], [0, Fraction(1, 36)], "then no bias, and 1/36 against 1/4")
    model = MDP.from_outcomes({(0, 0): [(ONE, 1, 1, False)], (1, 0): [(ONE, None, 0, True)]}, ONE, 0)
    poor = linear_td(model, uniform(model), fractions([1], [1]), fractions(HALF, HALF))
    yield equal([*poor.fixed_point(), *poor.monte_carlo()], [1, HALF], "a shared feature: TD, least squares")
    errors = [poor.errors(theta).value for theta in (poor.fixed_point(), poor.monte_carlo())]
    yield equal(errors, [HALF, QUARTER], "their mean squared errors, for ever")
    yield exceeds(*errors, "TD loses")
    toss = MDP.from_outcomes({(0, 0): [(HALF, None, 1, True), (HALF, None, 0, True)]}, ONE, 0)
    single = estimator_law(toss, None, 1, lambda path: path.rewards[0])
    mean = single.averaged(100)
    yield equal([single.variance, mean.variance], [QUARTER, Fraction(1, 400)], "one return, the mean of 100")
    yield exceeds(single.variance, mean.variance, "the variance does not stay")


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
    yield equal(w, [Fraction(27, 25) ** 3], "values w and 2w, truth 0: each update raises its own target")


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
    verdict=Holds(
        note="the dependence is judged; the target itself ends at a terminal transition (reference-093). A Monte-Carlo target has none"
    ),
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
    on_policy = learner(two, weights=visits(two.mdp.replace(gamma=1), two.policy))
    moved = on_policy.update(1)(np.array([sympy.Integer(1)]))[0]
    yield proved(
        1 - moved - (1 + 2 * g + 4 * (1 - g) / e),
        "not off-policy: w → 2w by its own visits has A = 1 + 2γ + 4(1 - γ)/ε > 0",
    )
    yield sourced("Tsitsiklis and Van Roy (1997), Theorem 1: linear TD(λ) on-policy converges in every ergodic model")
    ring, by_hand = spiral(Fraction(1, 20), Fraction(99, 100)), Fraction(297, 800) - Fraction(301, 8000)
    yield equal(ring.growth, by_hand, "the spiral's rate, 3γ/8 - ε (1 - γ/4)")
    yield against(bool(ring.growth > 0), "nonlinear, bootstrapping, on-policy: θ rises for ever, and |V| with it")
    other = fractions(1, 1, -2)
    yield equal(other @ ring.drift @ other / 6, ring.growth, "the same rate in another direction of the plane")


any_two

# %% [markdown]
# ### What replay does about off-policy data
#
# It makes more of it: a buffer holds what *older* policies did. Take $w$ and $2w$ once more, with a second action in the second state that ends
# the episode at once. A policy that stays there sees it ten times per episode, and TD on its own data is stable. A buffer
# filled by an earlier policy that almost always left holds the second state hardly more often than the first, and drawing
# from it at random diverges: with $\gamma = 0.99$ as soon as more than 87 % of the episodes are old.


# %%
def two_doors():
    """From the first state to the second; there 'stay' ends with probability 1/10, 'leave' at once. Rewards 0, γ = 0.99."""
    stay = [(NINE_TENTHS, 1, 0, False), (TENTH, None, 0, True)]
    table = {(0, 0): [(ONE, 1, 0, False)], (1, 0): stay, (1, 1): [(ONE, None, 0, True)]}
    return MDP.from_outcomes(table, Fraction(99, 100), 0)


def replayed(old):
    """TD for 'stay', values w and 2w, on episodes of which a share `old` is from a policy that stays once in ten."""
    model = two_doors()
    stays, leaves = fractions([1, 0], [1, 0]), fractions([1, 0], [TENTH, NINE_TENTHS])
    fresh, stale = (visits(model.replace(gamma=1), policy) for policy in (stays, leaves))
    return linear_td(model, stays, fractions([1], [2]), (1 - old) * fresh + old * stale)


@claim(
    "theory-354",
    says="Replay buffers partially fix off-policy learning",
    verdict=Wrong(
        because="a buffer holds data of older policies: replay makes learning off-policy, and can make it unstable",
        instead="replay reuses data and reduces correlation; off-policy is answered by importance ratios or fresh data",
    ),
    about=(replayed, linear_td),
)
def replay_is_off_policy():
    fresh, stale = replayed(0 * ONE), replayed(ONE)
    yield equal(fresh.weights, [1, 10], "visits per episode, fresh data")
    yield equal(stale.weights, [1, Fraction(100, 91)], "visits per episode, from the old policy")
    drift = [td.update(1)(fractions(1))[0] - 1 for td in (fresh, stale)]
    by_hand = [2 * Fraction(99, 100) - 1 - n * Fraction(436, 1000) for n in (10, Fraction(100, 91))]
    yield equal(drift, by_hand, "expected change of w = 1: 2γ - 1 - n (4 - 3.6γ)")
    yield shows(fresh.stable(), "fresh data: stable")
    yield against(not stale.stable(), "replayed data: unstable, drawn at random or not")
    yield against(not learner(baird()).stable(), "Baird's star diverges with independent draws, too")
    mixed = [replayed(Fraction(share)).stable() for share in ("17/20", "22/25")]
    yield equal(mixed, [True, False], "85 % old episodes: stable; 88 %: not")


replay_is_off_policy

# %% [markdown]
# **What replay does about correlation.** *Given the buffer*, draws are independent. The buffer's contents are not: two draws from $N$
# consecutive frames are correlated by the mean of $\rho_{|i-j|}$. A rally lasts twenty frames on average: consecutive
# frames are correlated by 0.9, frames two apart by 0.81, and so on; two draws from a buffer of 1000 by 0.019, and two
# from a buffer of 4 still by 0.88.


# %%
def rally():
    """Two situations; the correlation of frames k apart is (9/10)^k."""
    change = Fraction(1, 20)
    return MDP.chain([[1 - change, change], [change, 1 - change]], gamma=NINE_TENTHS)


def correlation_of_draws(size):
    """Correlation of two uniform draws, with replacement, from a buffer of the last `size` frames."""
    model = rally()
    law = age_probabilities(size, Fraction(size))
    covariances = autocovariance(model, uniform(model), fractions(1, -1), size - 1)
    age = np.arange(size)
    return law @ covariances[abs(age[:, None] - age)] @ law / covariances[0]


@claim(
    "theory-355",
    says="Sampling uniformly from the last N transitions breaks temporal correlations: i.i.d.-like data",
    verdict=Conditional(given="N is many times the span over which frames are correlated"),
    about=(age_probabilities, autocovariance),
)
def like_independent():
    rho = NINE_TENTHS
    by_hand = {n: (n * (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**n) / (1 - rho) ** 2) / n**2 for n in (4, 100, 1000)}
    yield equal([correlation_of_draws(n) for n in (4, 100)], [by_hand[4], by_hand[100]], "by the geometric sums")
    model = rally()
    yield equal(autocovariance(model, uniform(model), fractions(1, -1), 1), [1, rho], "consecutive frames: 0.9")
    yield agrees(printed(["0.172", "0.0188"]), [by_hand[100], by_hand[1000]], "buffers of 100 and 1000")
    yield exceeds(correlation_of_draws(4), Fraction(88, 100), "a buffer of 4 frames breaks little")


like_independent


# %%
@claim("theory-356", says="Frames 5000, 5001, …, 5031 make a minibatch of 32", verdict=Holds())
def thirty_two_frames():
    yield equal(printed("5031"), 5000 + 32 - 1, "the last of 32 frames from 5000 on")


thirty_two_frames

# %% [markdown]
# The example then draws frames 5000, 2300, 87000 and 45000 from the buffer, during a rally of frames 5000 to 5100. Two of the
# four have not happened yet.


# %%
def held(frame, now, capacity):
    """Whether a buffer holds this frame (counted from 1) at this time: its age is one that a draw can have."""
    return 0 <= now - frame < len(age_probabilities(now, capacity))


@claim(
    "theory-357",
    says="In the rally of frames 5000-5100 a buffer of 1M may yield frames 5000, 2300, 87000 and 45000",
    verdict=Wrong(
        because="at frame 5100 a buffer holds at most frames 1 to 5100: 87000 and 45000 lie in the future",
        instead="from frame 87000 on it may, until frame 1 002 300 displaces frame 2300",
    ),
    about=(held, age_probabilities),
)
def frames_from_the_future():
    frames, million = [int(printed(f).value) for f in ("5000", "2300", "87000", "45000")], 1e6
    yield equal(age_probabilities(5100, ONE * 10**6), [Fraction(1, 5100)] * 5100, "5100 ages, all alike")
    yield equal([held(f, 5100, million) for f in frames], [True, True, False, False], "held at the end of the rally")
    yield against(not held(87000, 5100, million), "frame 87000 is 81,900 frames ahead")
    yield shows(all(held(f, 87000, million) for f in frames), "all four at frame 87000")
    yield equal([held(2300, n, million) for n in (1_002_299, 1_002_300)], [True, False], "2300 is displaced")


frames_from_the_future

# %% [markdown]
# **Prioritised replay.** $|Q(s,a) - y|$ says where the network is wrong if $y$ has no noise. If it has, it also says where chance is: a
# state whose value 0 is right and whose rewards are ±1 is drawn twice as often as one that is wrong by 1/2. Drawing by
# $|\delta|$ also moves the answer: a reward of 1 in one case out of ten comes to rest at 1/4. Importance weights bring it
# back to 1/10.


# %%
@claim(
    "theory-358",
    says="Prioritise transitions of high |Q(s, a) - y|, where most is to be learned (Schaul et al. 2016; Rainbow)",
    verdict=Conditional(given="targets without noise (else |δ| shows the noise), and importance weights"),
    about=(proportional_priorities, prioritised_probabilities, prioritised_mean),
)
def most_to_learn():
    def chances(errors):
        return prioritised_probabilities(proportional_priorities(errors, 0 * ONE), ONE)

    yield equal(chances(fractions(3, -1, 0)), [Fraction(3, 4), QUARTER, 0], "no noise: chances as the errors of Q")
    noisy = chances(fractions(1, HALF))
    yield equal(noisy, [Fraction(2, 3), Fraction(1, 3)], "a right value under rewards ±1, a value wrong by 1/2")
    yield exceeds(*noisy, "the one with nothing to learn is drawn more")
    rewards = fractions(*[1] + [0] * 9)
    biased = rewards - QUARTER
    yield equal(chances(biased) @ biased, 0, "prioritised, unweighted: the mean step is 0 at 1/4, not at 1/10")
    yield equal(prioritised_mean(rewards - TENTH, chances(rewards - TENTH), ONE), 0, "weighted back: at 1/10")
    yield equal(prioritised_mean(biased, chances(biased), ONE), Fraction(-1, 8), "and not at 1/4")
    yield sourced("Schaul, Quan, Antonoglou and Silver, ICLR 2016; Hessel et al. 2018, whose priority is the KL loss")


most_to_learn

# %% [markdown]
# ## The target network
#
# The lost display is the loss of DQN, $L(\theta) = E_D\big[(r + \gamma(1-d)\max_{a'} Q_{\theta'}(s', a') - Q_\theta(s, a))^2\big]$ with
# θ′ frozen. On the two-state loop of the first chapter Q\* has loss 0; without $(1 - d)$ it would not.


# %%
@claim(
    "theory-359",
    says=r"(lost display) $L(\theta) = E_D[(r + \gamma(1-d)\max_{a'} Q_{\theta'}(s',a') - Q_\theta(s,a))^2]$",
    verdict=Holds(note="least at the mean target, T Q_θ'; where targets are noisy their variance is left over"),
    about=(dqn_targets, squared_td_loss, squared_td_loss_gradient),
)
def the_loss_of_dqn():
    a_left, a_right, b_left = Fraction(289, 19), Fraction(300, 19), Fraction(270, 19)
    q = fractions([a_left, a_right], [b_left, 10])
    rewards, after, ends = fractions(1, 3, 0, 10), q[[0, 1, 0, 1]], [False, False, False, True]
    y = dqn_targets(rewards, after, ends, NINE_TENTHS)
    yield equal(y, [a_left, a_right, b_left, 10], "A left, A right, B left, B right: Q* is its own target")
    yield equal(squared_td_loss(q.ravel(), y), [0, 0, 0, 0], "loss")
    careless = dqn_targets(rewards, after, [False] * 4, NINE_TENTHS)[3]
    yield equal(careless, 10 + NINE_TENTHS * b_left, "without (1 - d) the end is worth 10 + 0.9 · 270/19")
    loss = squared_td_loss(fractions(1, 1), dqn_targets(fractions(0, 2), fractions([5], [5]), [True, True], ONE))
    yield equal(loss, [1, 1], "rewards 0 or 2, Q = 1: the variance is left")
    slope = squared_td_loss_gradient(fractions(3, 3), fractions(0, 2))
    yield equal(slope, [6, 2], "slope 2 (Q - y) at Q = 3: mean 4, down to the mean target 1")


the_loss_of_dqn


# %%
@claim(
    "theory-360",
    says="A target network with frozen parameters, updated by copying θ → θ' every N steps",
    verdict=Holds(note="N = 1 is none; θ' is (N - 1)/2 updates old on average; the fixed point is that of TD"),
    about=(hard_update, hard_update_lag, hard_target),
)
def copies():
    target, seen = fractions(0), []
    for step in range(1, 10):
        target = hard_update(target, fractions(step), step, 3)
        seen.append(target[0])
    yield equal(seen, [3 * (step // 3) for step in range(1, 10)], "θ at step t is t, N = 3: frozen in between")
    ages = [step - old for step, old in enumerate(seen[2:8], start=3)]
    yield equal([sum(ages) * ONE / 6, hard_update_lag(3 * ONE)], [1, 1], "mean age, (N - 1)/2")
    model = coin()
    td = linear_td(model, uniform(model), fractions([1], [2], [1]), visits(model, uniform(model)))
    yield equal(hard_target(td, TENTH, 4).fixed_point(), [HALF], "the fixed point of TD")


copies

# %% [markdown]
# ### A spiral in three states
#
# True values 5, 5, 5; an update of A to 5.2 moves B to 5.1 and C to 5.15. Let every move pay $5(1-\gamma)$ and lead to the state
# of one's choice, so that the target is $5(1-\gamma) + \gamma\max(Q_A, Q_B, Q_C)$. Features $(1, 0), (\tfrac12, \tfrac k2),
# (\tfrac34, \tfrac k4)$ give Step 1 for every $k$.


# %%
FIRST = fractions(Fraction(1, 5), 0)  # what Step 1 adds to θ
EACH = fractions(*[[Fraction(1, 9)] * 3] * 3)  # all pairs drawn alike


def three_states(gamma=NINE_TENTHS):
    """From each of three states to any of them, paid 5(1 - γ): every action value is 5."""
    moves = {(s, a): [(ONE, a, 5 * (1 - gamma), False)] for s in range(3) for a in range(3)}
    return MDP.from_outcomes(moves, gamma, 0, states=("A", "B", "C"))


def sharing(k):
    """Features of A, B, C, and the parameters at which all are worth 5."""
    return fractions([1, 0], [HALF, HALF * k], [3 * QUARTER, QUARTER * k]), fractions(5, 5 / (ONE * k))


@claim(
    "theory-362",
    "theory-363",
    says=r"Updating Q(A) to 5.2 moves Q(B) to 5.1 and Q(C) to 5.15; the next target, $r + \gamma\cdot 5.2$, is inflated",
    verdict=Holds(note="for gradients of B and C that have 1/2 and 3/4 of A's along A's; inflated by 0.2 γ"),
    about=(semi_gradient, sharing, dqn_targets),
)
def neighbours_move():
    stated = printed(["5.2", "5.1", "5.15"])
    r, gamma = sympy.symbols("r gamma", positive=True)
    for k in (1, QUARTER):
        phi, theta = sharing(k)
        yield equal(phi @ theta, [5, 5, 5], f"k = {k}: the truth")
        moved = phi @ semi_gradient(theta, phi[0], stated[0].value, ONE)
        yield equal(moved, [x.value for x in stated], f"k = {k}: one update")
    before, after = (
        dqn_targets([r], [[sympy.Rational(x) for x in q]], [False], gamma)[0] for q in (phi @ theta, moved)
    )
    yield proved(after - (r + gamma * sympy.Rational(26, 5)), "Step 2: r + γ · 5.2")
    yield proved(after - before - gamma / 5, "above the true target by γ/5")


neighbours_move

# %% [markdown]
# Then, says the document, the maximum goes on to 5.4, 5.8, 6.5, 8, 15 and 100. Steps 1 and 2 do not decide that. For $k = 1/4$ and
# $\gamma = 0.9$ it does pass 100; for $k = 1$ the very same three numbers are followed by a peak of 5.28 and a return to 5. And
# no single feedback makes the whole sequence: up to 8 the excess over 5 nearly doubles each time, as on $w \to 2w$; 15 and
# 100 would need factors of 3.3 and 9.5.


# %%
def maxima(k, updates, every=1):
    """max Q after 0, 1, … expected updates (α = 1, all pairs alike) from Step 1 on, the target copied `every` so many; floats."""
    phi, theta = (x.astype(float) for x in sharing(k))
    theta = frozen = theta + np.array([0.2, 0])
    found = [max(phi @ theta)]
    for step in range(1, updates + 1):
        theta = theta + phi.T @ (0.5 + 0.9 * max(phi @ frozen) - phi @ theta) / 3
        frozen = frozen if step % every else theta
        found.append(max(phi @ theta))
    return found


def towards_a(k):
    """Linear TD of 'always to A', which is greedy after Step 1."""
    model = three_states()
    phi = np.array([sharing(k)[0]] * 3)
    return linear_sarsa(model, deterministic(model, [0, 0, 0]), phi, EACH)


@claim(
    "theory-364",
    says="Step 3: training pushes the maximum to 5.4, then 5.8, 6.5, 8, 15, 100",
    verdict=Conditional(
        given="the shared features amplify (k = 1/4, not k = 1): Step 1 allows both; the printed sequence is an illustration"
    ),
    about=(maxima, expected_linear_q, linear_sarsa, fitted),
)
def the_spiral():
    model, (phi, theta) = three_states(), sharing(1)
    first = expected_linear_q(model, np.array([phi] * 3), theta + FIRST, ONE, EACH)
    yield equal(max(phi @ first), 5 + Fraction(257, 1200), "k = 1, one expected update, by hand: 5.214")
    yield close(maxima(1, 1)[1], 5 + 257 / 1200, 1e-12, "a dozen roundings", "the same in floats")
    yield shows(not towards_a(QUARTER).stable(), "k = 1/4: unstable (exact)")
    yield below(100, maxima(QUARTER, 130)[-1], "and the maximum passes 100")
    yield shows(towards_a(1).stable(), "k = 1: stable (exact)")
    calm = maxima(1, 400)
    yield exceeds(printed("5.4"), max(calm), "k = 1: the maximum never reaches 5.4")
    yield below(calm[-1], 5.001, "k = 1: back at 5")
    factor = fitted(learner(w_to_2w(gamma=Fraction(197, 200))))(fractions(1))[0]
    early = [5 + factor**k / 5 for k in range(1, 5)]
    yield agrees([*printed(["5.4", "5.8", "6.5"]), printed("8", digits=1)], early, "as w → 2w, times 2γ = 1.97")
    errors = [printed(x).value - 5 for x in ("8", "15", "100")]
    yield equal([b / a for a, b in pairwise(errors)], [Fraction(10, 3), Fraction(19, 2)], "then other factors")


the_spiral

# %% [markdown]
# ### Slower, or over, or begun
#
# On $w \to 2w$ a target network slows the growth and cannot stop it: ten updates make 1.52 where ten without make 2.16. But
# in the three states it does end the spiral: constants can be represented, so that a fit to the end would take every value
# to $5 + \gamma\cdot 0.2$, and fifty updates between copies come near enough. And with features 1 and −2 it *begins* one: TD converges,
# the fitted values flip to $-2\gamma$ times what they were. Replay changes none of this: an expected update depends on which
# transitions are drawn, not on when.


# %%
@claim(
    "theory-365",
    says="Target networks and replay buffers slow this spiral but don't eliminate it completely",
    verdict=Conditional(
        given="for a target network, a spiral as in w → 2w; it ends or begins others, and replay alone slows none"
    ),
    about=(hard_target, fitted, schur_stable, semi_gradient),
)
def slower():
    pair = w_to_2w(gamma=NINE_TENTHS)
    frozen, w = hard_target(learner(pair), TENTH, 10)(fractions(1))[0], fractions(1)
    yield equal(frozen, Fraction(9, 5) - Fraction(4, 5) * NINE_TENTHS**10, "w → 2w, ten updates on a frozen target")
    yield below(1, frozen, "not stopped")
    yield below(frozen, Fraction(27, 25) ** 10, "but slower than without")
    for _ in range(10):
        w = semi_gradient(w, fractions(1), NINE_TENTHS * 2 * w[0], TENTH)
    yield equal(w, [Fraction(27, 25) ** 10], "replay of this transition ten times: as fast as without")
    yield exceeds(w[0], frozen, "replay did not slow it")
    spiralling = towards_a(QUARTER)
    yield shows(not spiralling.stable(), "three states, k = 1/4: unstable for every step size")
    yield against(schur_stable(hard_target(spiralling, ONE, 50).matrix), "target copied every 50 updates: converges")
    flipped = learner(pair, features=fractions([1], [-2]))
    yield equal(flipped.update(TENTH)(fractions(1)), [Fraction(18, 25)], "features 1, -2: TD contracts")
    yield equal(fitted(flipped)(fractions(1)), [Fraction(-9, 5)], "fitted between copies: times -2γ")
    yield against(abs(fitted(flipped)(fractions(1))[0]) > 1, "a spiral begun by the target network")


slower


# %%
@figure
def three_states_after_step_one():
    """max Q after Step 1 (5.2, 5.1, 5.15), γ = 0.9: the same three numbers lead to 100 or back to 5, and a target network that is
    copied every ten or fifty updates ends the spiral of k = 1/4."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots()
    runs = {
        "k = 1/4": (QUARTER, 1),
        "k = 1/4, copies every 10": (QUARTER, 10),
        "every 50": (QUARTER, 50),
        "k = 1": (1, 1),
    }
    for label, (k, every) in runs.items():
        ax.plot([x - 5 for x in maxima(k, 1500, every)], label=label)
    ax.axhline(95, color="0.4", ls="--", lw=1)
    ax.text(1500, 80, "the document's 100", color="0.3", fontsize=8, va="top", ha="right")
    ax.set(xlabel="expected updates", ylabel="max Q − 5", yscale="log", ylim=(1e-3, 300))
    ax.legend(loc="center right", bbox_to_anchor=(1, 0.62))
    return fig


three_states_after_step_one

# %% [markdown]
# ## Double DQN
#
# The maximum of estimates that are right on average is too high on average: it is at least each of them, so its mean is at
# least each mean. Equality needs one action to be the maximiser whatever the noise.


# %%
def spread(mean, noise=2):
    """An estimate that is `noise` too high or too low, by a fair coin."""
    return {Fraction(mean - noise): HALF, Fraction(mean + noise): HALF}


@claim(
    "theory-366",
    says=r"DQN overestimates because the maximum picks positive noise: $E[\max_a \hat Q_a] \ge \max_a E[\hat Q_a]$",
    verdict=Holds(
        note="the line speaks of noise, that is, of estimates right on average (notes-191 does not); equal where one action stays the "
        "maximiser whatever the noise"
    ),
    about=single_max_law,
)
def maximum_of_noise():
    laws = [spread(5)] * 3
    listed = [max(draw) for draw in product((3, 7), repeat=3)]
    yield equal(single_max_law(laws).mean, Fraction(sum(listed), 8), "three actions worth 5, ±2: all 8 outcomes")
    yield equal(single_max_law(laws).bias, Fraction(3, 2), "too high by 3/2")
    yield equal(single_max_law([spread(5), spread(1)]).bias, 0, "5 ± 2 against 1 ± 2: no bias")
    draw = np.random.default_rng(0).integers
    cases = [[spread(int(draw(5)), int(draw(1, 4))) for _ in range(3)] for _ in range(40)]
    yield swept(lambda laws: -single_max_law(laws).bias, cases, "never too low")


maximum_of_noise


# %%
@claim(
    "theory-367",
    says=r"(lost display) Double DQN: $y = r + \gamma (1-d)\, Q_{\theta'}(s', \arg\max_{a'} Q_\theta(s', a'))$",
    verdict=Holds(
        note="never above DQN's target, and equal to it right after a copy, when θ' = θ; without 1 - d it is reference-095"
    ),
    about=(double_dqn_targets, dqn_targets),
)
def the_double_target():
    r, gamma = sympy.symbols("r gamma", positive=True)
    online, frozen = [[7, 4, 6]], [[4, 7, 5]]
    y = double_dqn_targets([r], online, frozen, [False], gamma)[0]
    yield proved(y - (r + 4 * gamma), "θ selects, θ' evaluates")
    yield proved(dqn_targets([r], frozen, [False], gamma)[0] - y - 3 * gamma, "3γ below DQN's")
    yield proved(double_dqn_targets([r], online, online, [False], gamma)[0] - (r + 7 * gamma), "θ' = θ: the maximum")
    yield proved(double_dqn_targets([r], online, frozen, [True], gamma)[0] - r, "terminal")


the_double_target


# %%
@claim(
    "theory-368",
    "theory-369",
    "theory-370",
    "theory-371",
    says="True [5, 5, 5], θ [7, 4, 6], θ' [4, 7, 5]. DQN: 7, 2 too high. Double: θ selects action 0, θ' says 4, too low",
    verdict=Holds(note="for γ = 1 and r = 0, or of the bootstrapped value alone"),
    about=(action_value, dqn_targets, double_dqn_targets),
)
def one_draw():
    online, frozen = (fractions([x.value for x in printed(row)]) for row in (["7", "4", "6"], ["4", "7", "5"]))
    three_fives = MDP.from_outcomes({(0, a): [(ONE, None, 5, True)] for a in range(3)}, ONE, 0)
    true = action_value(three_fives, uniform(three_fives))
    yield equal(true, [printed(["5", "5", "5"])], "Q*")
    dqn = dqn_targets(fractions(0), frozen, [False], ONE)[0]
    yield equal([dqn, dqn - true.max()], [printed("7"), 2], "DQN, and its error")
    marked = double_dqn_targets(fractions(0), online, fractions([0, 1, 2]), [False], ONE)[0]
    yield equal(marked, 0, "the action that θ selects")
    double = double_dqn_targets(fractions(0), online, frozen, [False], ONE)[0]
    yield equal([double, double - true.max()], [printed("4"), -1], "Double DQN, and its error")


one_draw

# %% [markdown]
# ### No upward bias, and no bias?
#
# If θ and θ′ are independent and right on average, the double estimate has mean $\sum_a \Pr(A = a)\,Q(a) \le \max_a Q(a)$. But θ′
# is an older copy of θ. Right after a copy both are the same, and the double target is the maximum, with all its bias.


# %%
@claim(
    "theory-372",
    says="The double estimate has no systematic upward bias",
    verdict=Conditional(given="θ and θ' are independent; θ' is a copy of θ, and right after copying the bias is DQN's"),
    about=(double_max_law, double_dqn_targets),
)
def no_upward_bias():
    laws = [spread(5)] * 3
    yield equal(double_max_law(laws).bias, 0, "three actions worth 5, independent ±2: none")
    yield equal(double_max_law([spread(5), spread(4)]).bias, -QUARTER, "5 and 4: too low by 1/4, (1/4) · (5 - 4)")
    draws = [fractions(list(draw)) for draw in product((3, 7), repeat=3)]
    pairs = [double_dqn_targets(fractions(0), x, y, [False], ONE)[0] for x in draws for y in draws]
    yield equal(sum(pairs) / 64, 5, "over all 64 pairs of independent estimates")
    copied = [double_dqn_targets(fractions(0), x, x, [False], ONE)[0] for x in draws]
    yield equal(sum(copied) / 8, Fraction(13, 2), "right after a copy, over all 8 outcomes: 6.5")
    yield exceeds(sum(copied) / 8, 5, "upward bias")


no_upward_bias

# %% [markdown]
# And averaging over samples brings it to its mean, not to the truth: with actions worth 5 and 4 that is 4.75. What does bring it to the
# truth is noise that vanishes, and then the plain maximum gets there as well.


# %%
@claim(
    "theory-373",
    says="Over many samples the double estimates converge to the true values rather than drifting upward",
    verdict=Wrong(
        because="they converge to Σ Pr(a is selected) Q(a): 4.75 for independent estimates of actions worth 5 and 4",
        instead="too low unless the best actions tie, as in the example; the truth as noise vanishes, and then DQN's maximum too",
    ),
    about=(double_max_law, single_max_law, sample_mean),
)
def converge_to_what():
    equals, unequal = double_max_law([spread(5)] * 3), double_max_law([spread(5), spread(4)])
    yield equal(equals.averaged(10**6).mean, 5, "worth 5, 5, 5: the mean of a million double estimates")
    average = unequal.averaged(10**6)
    yield equal([average.mean, average.target], [Fraction(19, 4), 5], "worth 5 and 4: converges to 4.75")
    yield against(bool(average.mean < average.target), "too low however many samples are averaged")
    pair = sample_mean(spread(4), 2)
    yield equal([*pair, *pair.values()], [2, 4, 6, QUARTER, HALF, QUARTER], "the mean of two draws of 4 ± 2")
    yield equal(single_max_law([sample_mean(spread(5), 2), pair]).bias, Fraction(7, 16), "two draws each: 7/16, listed")
    quieter = [sample_mean(spread(m), 40) for m in (5, 4)]
    yield below(-Fraction(1, 50), double_max_law(quieter).bias, "forty draws each: double")
    yield below(single_max_law(quieter).bias, Fraction(1, 50), "and single, both within 1/50")


converge_to_what


# %%
@figure
def too_high_and_too_low():
    """Bias of the two estimates of a maximum: one action worth 5, two worth less by the gap, each estimated with noise of 17 equal
    steps from -2 to 2, or by the mean of four such draws. More data helps both."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots()
    gaps = [Fraction(k, 4) for k in range(17)]
    noise = [sample_mean({Fraction(k, 4): Fraction(1, 17) for k in range(-8, 9)}, n) for n in (1, 4)]
    for law, dashes in zip(noise, ("--", "-"), strict=True):
        laws = [[{5 - low + x: p for x, p in law.items()} for low in (0, gap, gap)] for gap in gaps]
        for name, judge, colour in (("max", single_max_law, COLOURS[1]), ("double", double_max_law, COLOURS[0])):
            label = f"{name}, {'one draw' if dashes == '--' else 'four draws'}"
            ax.plot([float(g) for g in gaps], [float(judge(x).bias) for x in laws], dashes, color=colour, label=label)
    ax.axhline(0, color="0.4", lw=1)
    ax.set(xlabel="gap between the best action and the others", ylabel="bias")
    ax.legend()
    return fig


too_high_and_too_low
