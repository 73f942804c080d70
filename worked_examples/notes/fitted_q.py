# %% [markdown]
# # Fitted Q-iteration
#
# *Document `notes`, lines 973 to 1009.* A network in the place of the table: what it is fitted to, in what sense a step descends anything, and
# what becomes of convergence. The warnings are right and can be proved. The reassurances around them hold for tables; with
# features shared between states each has a counterexample with one or two parameters.
#
# $\varphi$ are features, $Q_\theta(s, a) = \varphi(s, a)\cdot\theta$; a table is the case of one feature for each pair.

# %%
from fractions import Fraction
from itertools import pairwise

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
    differs,
    equal,
    exceeds,
    proved,
    same_as,
    shows,
)
from rlexact.exact.bellman import backup, bellman_optimal
from rlexact.exact.evaluation import action_value, policy_value, visits
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.linear_td import expected_linear_q
from rlexact.formulas.fitted_q import (
    bellman_error_loss,
    bellman_error_loss_gradient,
    bellman_error_semigradient,
    fitted_q_step,
    fitted_q_targets,
)
from rlexact.formulas.q_learning import q_learning_targets
from rlexact.gallery.counterexamples import tsitsiklis_van_roy, w_to_2w
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("notes", "fitted_q", "Fitted Q-iteration")

ONE, HALF, QUARTER, TENTH, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(9, 10)


def fractions(*rows):
    """An object array of Fractions."""
    return np.array(rows, dtype=object) * ONE


# %% [markdown]
# ## The target
#
# $y = r + \gamma \max_{a'} Q_\theta(s', a')$ goes on after every transition. A network has some number also for the state in which the episode
# ended; there the target is $r$. (And $y$ depends on the $s'$ that was drawn: $y(s, a)$ is one sample of many.)


# %%
@claim(
    "notes-165",
    says=r"The target is $y(s, a) = r(s, a) + \gamma \max_{a'} Q_\theta(s', a')$",
    verdict=Conditional(given="s' does not end the episode; there y = r"),
    about=fitted_q_targets,
)
def the_target():
    theta, ahead = fractions(8, 3), fractions([[1, 0], [0, 1]])
    goes_on = fitted_q_targets(theta, fractions(1), ahead, [False], HALF)
    yield equal(goes_on, [5], "Q(s', ·) = (8, 3), r = 1, γ = 1/2: 1 + 8/2")
    ended = fitted_q_targets(theta, fractions(1), ahead, [True], HALF)
    yield equal(ended, [1], "paid 1 and over: worth 1")
    yield differs(goes_on, ended, "the display, where s' is the end")


the_target

# %% [markdown]
# **Where it comes from.** The target's mean over $s'$ is the right side of the optimality equation, and only Q\* is its own mean target.
# A single target is not: it contains the $s'$ that happened. A coin decides between a state worth 1 and one worth 0: the targets are 1 and 0, the
# action is worth 1/2. And the reward plus the best that can follow is what an *optimal* continuation gets; a policy gets its own.


# %%
def coin():
    """State 0 leads to state 1, which pays 1, or to state 2, which pays 0, with probability 1/2 each; γ = 1."""
    there = [(HALF, 1, 0, False), (HALF, 2, 0, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, 1, True)], (2, 0): [(ONE, None, 0, True)]}, ONE, 0)


def best_values(mdp):
    """V* by brute force over deterministic policies."""
    return np.max([policy_value(mdp, p) for p in deterministic_policies(mdp)], axis=0)


def mean_targets(mdp, q):
    """E[r + γ max_a' Q(s', a') | s, a] over all outcomes: (S, A) -> (S, A)."""
    out = 0 * mdp.r
    for s, a in np.ndindex(*out.shape):
        for p, following, reward, ended in mdp.outcomes(s, a):
            after = q[0 if ended else following]
            out[s, a] += p * q_learning_targets(fractions(reward), [after], [ended], mdp.gamma)[0]
    return out


@claim(
    "notes-171",
    says=r"The target $r + \gamma \max_{a'} Q(s', a')$ comes directly from the Bellman optimality equation",
    verdict=Holds(
        note="as a sample: its mean over s' is the right side of that equation, whose only solution for γ < 1 is Q*"
    ),
    about=(mean_targets, q_learning_targets, backup),
)
def from_the_optimality_equation():
    loop = gallery.left_right_loop()
    stated = fractions([Fraction(289, 19), Fraction(300, 19)], [Fraction(270, 19), 10])
    yield equal(backup(loop, best_values(loop)), stated, "two-state loop: Q* by brute force")
    yield equal(mean_targets(loop, stated), stated, "the targets of Q* are Q*")
    walk = gallery.random_walk()
    sixths = fractions(*([k] for k in range(1, 6))) / 6
    yield equal(
        mean_targets(walk, sixths), sixths, "random walk: the mean targets of k/6, each 0, 1 or a neighbour's value"
    )
    other = fractions([1, 2], [3, 4])
    yield equal(mean_targets(loop, other), backup(loop, fractions(2, 4)), "any Q: mean targets r + γ E max Q")


from_the_optimality_equation


# %%
@claim(
    "notes-172",
    says=r"The total expected return splits into the reward now and the best possible future value, $\gamma \max_{a'} Q(s', a')$",
    verdict=Conditional(
        given="the future value is averaged over s', Q is Q*, and actions are optimal from s' on; else the return is r + γ E V^π(s')"
    ),
    about=(mean_targets, action_value),
)
def how_a_return_splits():
    loop = gallery.left_right_loop()
    best = deterministic(loop, ["right", "left"])
    q = action_value(loop, best)
    yield equal(
        q[0], [Fraction(289, 19), Fraction(300, 19)], "optimal from then on: 1 + .9 · 300/19 and 3 + .9 · 270/19"
    )
    yield equal(mean_targets(loop, q), q, "reward now and the best future, averaged")
    toss = coin()
    worth = action_value(toss, uniform(toss))
    yield equal(mean_targets(toss, worth)[0], [HALF], "the coin: expected return 1/2")
    landed = q_learning_targets(fractions(0, 0), worth[[1, 2]], [False, False], ONE)
    yield equal(landed, [1, 0], "reward plus the best future value from where it lands")
    yield differs(landed, [HALF], "neither is the expected return")
    right = deterministic(loop, ["right", "right"])
    followed, promised = action_value(loop, right), mean_targets(loop, action_value(loop, right))
    yield equal(
        [followed[1, 0], promised[1, 0]], [Fraction(54, 5)] * 2, "right at both states, going left once from B: no gap"
    )
    yield equal([followed[0, 1], promised[0, 1]], [12, Fraction(318, 25)], "right from A: 3 + .9 · 10; 3 + .9 · 10.8")
    yield differs(promised[0, 1], followed[0, 1], "the best future is not this policy's")


how_a_return_splits

# %% [markdown]
# ## The loss
#
# With $y$ held fixed, least squares pull $Q_\theta(s, a)$ to the mean target. But $y$ contains θ, and as written the loss is minimised over both. Where
# chance decides $s'$ that is another problem, even for a table: the loss at the truth is the variance of the targets, and it pays to make the
# *next* values more alike. The coin, in the proportions in which it falls, has values 1/2, 1, 0. The literal loss is least at
# 1/2, 3/4, 1/4 (the A-split of Sutton and Barto 2018, Example 11.3).


# %%
COIN_BATCH = {
    "features": fractions([1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]),
    "rewards": fractions(0, 0, 1, 0),
    "next_features": fractions([[0, 1, 0]], [[0, 0, 1]], [[0, 0, 0]], [[0, 0, 0]]),
    "terminated": [False, False, True, True],
    "gamma": ONE,
}
TRUTH, SPLIT = fractions(HALF, 1, 0), fractions(HALF, 3 * QUARTER, QUARTER)


def loss_at(theta):
    """The mean squared TD error of the coin's four transitions, target included."""
    return bellman_error_loss(theta, **COIN_BATCH, reduction="mean")


def fitted_once(theta):
    """Least squares to the targets of θ, for the coin's table."""
    batch = {k: COIN_BATCH[k] for k in ("rewards", "next_features", "terminated", "gamma")}
    return fitted_q_step(COIN_BATCH["features"], fitted_q_targets(theta, **batch))


@claim(
    "notes-166",
    says=r"The loss to minimise is $E_D[(Q_\theta(s, a) - y(s, a))^2]$",
    verdict=Conditional(
        given="y is held fixed while θ is fitted, or s' is determined by (s, a): otherwise chance is charged to θ"
    ),
    about=(bellman_error_loss, fitted_q_step, fitted_q_targets),
)
def the_loss():
    yield equal(fitted_once(SPLIT), [HALF, 1, 0], "y fixed: the fit to the targets of (1/2, 3/4, 1/4)")
    yield equal(fitted_once(TRUTH), TRUTH, "and the truth is its own fit")
    x, y, z = sympy.symbols("x y z", real=True)
    a, b, c = (v - w for v, w in zip((x, y, z), map(sympy.Rational, ("1/2", "3/4", "1/4")), strict=True))
    squares = ((a - b) ** 2 + (a - c) ** 2 + b**2 + c**2) / 4
    residue = loss_at(np.array([x, y, z])) - squares
    yield proved(residue - sympy.Rational(1, 16), "the loss at any θ: 1/16, and squares that vanish at (1/2, 3/4, 1/4)")
    yield equal(
        [loss_at(SPLIT), loss_at(TRUTH)], [Fraction(1, 16), Fraction(1, 8)], "its value there, and at the truth"
    )
    yield exceeds(loss_at(TRUTH), loss_at(SPLIT), "so minimising it leaves the truth")


the_loss

# %% [markdown]
# ## The step
#
# So the gradient matters. With $y$ held fixed, as line 997 adds, the truth is where the mean step is 0. The gradient of the loss as displayed
# flows through $y$ as well, and moves the two next values toward each other.


# %%
def mean_step(gradient, theta):
    """The mean over the coin's four transitions."""
    return gradient(theta, **COIN_BATCH, reduction="mean").sum(axis=0)


@claim(
    "notes-167",
    says=r"$\theta_{t+1} \leftarrow \theta_t - \alpha \nabla_\theta \text{TD-Error}(\theta)|_{\theta = \theta_t}$",
    verdict=Conditional(
        given="y is held constant in the gradient, as line 997 adds; as displayed, the gradient flows through y too"
    ),
    about=(bellman_error_semigradient, bellman_error_loss_gradient),
)
def the_step():
    frozen = [mean_step(bellman_error_semigradient, theta) for theta in (TRUTH, fractions(0, 0, 0))]
    yield equal(frozen[0], [0, 0, 0], "y constant: no step at the truth")
    yield equal(frozen[1], [0, -HALF, 0], "from 0 the first step raises the state that pays: -2 (1 - 0)/4")
    displayed = mean_step(bellman_error_loss_gradient, TRUTH)
    yield equal(displayed, [0, QUARTER, -QUARTER], "as displayed, at the truth: (θ₁ - θ₀)/2, (θ₂ - θ₀)/2")
    yield differs(displayed, [0, 0, 0], "it leaves the truth")
    yield equal(mean_step(bellman_error_loss_gradient, SPLIT), [0, 0, 0], "and rests at (1/2, 3/4, 1/4)")


the_step


# %%
@figure
def two_descents():
    """The coin, all values from 0, α = 1/4: the step with the target held fixed, and the gradient of the displayed loss."""
    import matplotlib.pyplot as plt

    batch = {k: np.array(v, dtype=float if k != "terminated" else bool) for k, v in COIN_BATCH.items() if k != "gamma"}
    fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.2), sharey=True)
    ways = {
        "target held fixed": bellman_error_semigradient,
        "gradient of the displayed loss": bellman_error_loss_gradient,
    }
    for ax, (title, gradient) in zip(axes, ways.items(), strict=True):
        theta, seen = np.zeros(3), []
        for _ in range(60):
            seen.append(theta)
            theta = theta - 0.25 * gradient(theta, **batch, gamma=1.0, reduction="mean").sum(axis=0)
        for k, (name, true) in enumerate(
            (("before the coin", 0.5), ("state that pays 1", 1.0), ("state that pays 0", 0.0))
        ):
            ax.plot(np.array(seen)[:, k], color=COLOURS[k], label=name)
            ax.axhline(true, color=COLOURS[k], ls=":", lw=1)
        ax.set(title=title, xlabel="steps", ylim=(-0.05, 1.05))
    axes[0].set_ylabel("value (dotted: true)")
    axes[0].legend(fontsize=8, loc=(0.5, 0.13))
    return fig


two_descents

# %% [markdown]
# **Not gradient descent**, and of nothing else either: a gradient has a symmetric derivative. For one transition from a state with the feature
# (1, 0) to one with (0, 1) the step is $2(\theta_1 - \gamma\theta_2)$ in $\theta_1$ and nothing in $\theta_2$. Differentiated crosswise: $-2\gamma$ and 0.


# %%
@claim(
    "notes-168",
    says="The update is not gradient descent: the target depends on θ and is treated as fixed",
    verdict=Holds(note="for γ > 0; it is the gradient of no function at all, and can climb the loss"),
    about=(bellman_error_semigradient, bellman_error_loss),
)
def not_a_gradient():
    one, two = sympy.symbols("theta_1 theta_2", real=True)
    g = sympy.Symbol("gamma", positive=True)
    here, ahead = np.array([[sympy.Integer(1), sympy.Integer(0)]]), np.array([[[sympy.Integer(0), sympy.Integer(1)]]])
    step = bellman_error_semigradient(np.array([one, two]), here, np.array([0 * one]), ahead, [False], g)[0]
    yield proved([step[0] - 2 * (one - g * two), step[1]], "the step: 2 (θ₁ - γ θ₂), 0")
    yield proved(sympy.diff(step[0], two) - sympy.diff(step[1], one) + 2 * g, "crosswise derivatives differ by -2γ")
    pair = {
        "features": fractions([1]),
        "rewards": fractions(0),
        "next_features": fractions([[2]]),
        "terminated": [False],
        "gamma": NINE_TENTHS,
    }
    before = fractions(1)
    after = before - TENTH * bellman_error_semigradient(before, **pair)[0]
    losses = [bellman_error_loss(theta, **pair)[0] for theta in (before, after)]
    yield equal(after, [Fraction(29, 25)], "from w to 2w, γ = .9: w = 1 goes to 1 + .2 · .8")
    yield equal(losses, [Fraction(16, 25), Fraction(16, 25) * Fraction(29, 25) ** 2], "the loss (1 - 2γ)² w²")
    yield below(losses[0], losses[1], "a step with y fixed went up")


not_a_gradient

# %% [markdown]
# ## The feedback loop
#
# Two states worth $w$ and $2w$, all rewards 0. Each step toward the target moves the target by more. Fitting *to the end* before the target moves does
# not help: each fit, the best there is, multiplies $w$ by $(6 - 4\varepsilon)\gamma/5$, which is 1.1088 here.


# %%
def fits(example, n):
    """w after n fits to exact mean targets, both states alike."""
    mdp, w = example.mdp, example.start
    for _ in range(n):
        w = fitted_q_step(example.features, backup(mdp, example.features @ w)[:, 0])
    return w


@claim(
    "notes-169",
    says="The targets change as the estimates do: a feedback loop that can sometimes diverge",
    verdict=Holds(note="with shared features; a table under repeated fits never does, for γ < 1"),
    about=(expected_linear_q, fits, fitted_q_step),
)
def it_can_diverge():
    doubling = w_to_2w(gamma=NINE_TENTHS)
    w = doubling.start
    for _ in range(20):
        w = expected_linear_q(doubling.mdp, doubling.features[:, None, :], w, TENTH, doubling.weights[:, None])
    yield equal(w, [Fraction(27, 25) ** 20], "20 mean Q-learning steps from w = 1: 1 + α (2γ - 1) = 1.08 each")
    both = tsitsiklis_van_roy()
    yield equal(fits(both, 20), [Fraction(1386, 1250) ** 20], "20 complete fits: (6 - 4/10) · .99/5 each")
    yield shows(fits(both, 20)[0] > 7, "while the true values, 0, are within reach: w = 0")


it_can_diverge

# %% [markdown]
# **Is each round at least a better solution of the Bellman equation?** For a table yes: each exact fit shrinks the largest Bellman error by γ.
# The fits above raise it each time, by the same 1.1088.


# %%
def bellman_errors(mdp, features, n, w):
    """max |T Q - Q| before each of n fits, and after the last."""
    out = []
    for _ in range(n + 1):
        q = (features @ w).reshape(mdp.r.shape)
        target = backup(mdp, q.max(axis=1))
        out.append(abs(target - q).max())
        w = fitted_q_step(features, target.ravel())
    return out


@claim(
    "notes-170",
    says="We are still iteratively improving our Q-estimates to better satisfy the Bellman equation",
    verdict=Conditional(
        given="the fit is exact (a table), or spreads no error in the maximum norm; else the Bellman error may rise each time"
    ),
    about=(bellman_errors, fitted_q_step),
)
def still_improving():
    loop = gallery.left_right_loop()
    table = bellman_errors(loop, fractions(*np.eye(4, dtype=int)), 6, fractions(0, 0, 0, 0))
    yield equal(table[:3], [10, 9, Fraction(81, 10)], "a table, two-state loop from 0: by hand")
    yield shows(all(y <= NINE_TENTHS * x for x, y in pairwise(table)), "each at most γ of the last")
    both = tsitsiklis_van_roy()
    shared = bellman_errors(both.mdp, both.features, 3, both.start)
    yield equal(shared[0], Fraction(49, 50), "w and 2w at w = 1: |.99 · 2 - 1|")
    yield equal(shared, [Fraction(49, 50) * Fraction(1386, 1250) ** k for k in range(4)], "after each fit")
    yield exceeds(shared[3], shared[0], "the Bellman error")


still_improving


# %%
@figure
def bellman_error_by_fit():
    """Largest Bellman error after each fit: a table on the two-state loop, and the two states worth w and 2w, γ = 0.99."""
    import matplotlib.pyplot as plt

    loop, both = gallery.left_right_loop(), tsitsiklis_van_roy()
    table = bellman_errors(loop, fractions(*np.eye(4, dtype=int)), 40, fractions(0, 0, 0, 0))
    shared = bellman_errors(both.mdp, both.features, 40, both.start)
    fig, ax = plt.subplots(figsize=(6.2, 3.2))
    ax.semilogy([float(x) for x in table], "o-", ms=3, color=COLOURS[0], label="table, γ = 0.9")
    ax.semilogy([float(x) for x in shared], "s-", ms=3, color=COLOURS[1], label="one shared parameter, γ = 0.99")
    ax.set(xlabel="fits", ylabel="largest Bellman error")
    ax.legend(fontsize=8)
    return fig


bellman_error_by_fit

# %% [markdown]
# ## Does it arrive?
#
# In a table improvements do travel backward, one state per sweep, and all of it converges. With features it may go elsewhere: to infinity, as above,
# or to the wrong place. One parameter for two states worth 1 and 0 has no right place to go to.


# %%
def corridor(n):
    """n states in a row; the last step pays 1 and ends; γ = 1/2."""
    return MDP.from_outcomes({(k, 0): [(ONE, (k + 1) % n, int(k == n - 1), k == n - 1)] for k in range(n)}, HALF, 0)


def sweeps(mdp, n):
    """V after n sweeps from 0."""
    v = 0 * mdp.r[:, 0]
    for _ in range(n):
        v = bellman_optimal(mdp, v)
    return v


@claim(
    "notes-173",
    says="Improvements propagate backward through the state space, eventually converging to the optimal Q-function",
    verdict=Conditional(
        given="a table, γ < 1, and every pair updated for ever; with shared features it may diverge or rest elsewhere"
    ),
    about=(sweeps, bellman_optimal, fits, fitted_q_step),
)
def does_it_arrive():
    row = corridor(5)
    truth = [Fraction(1, 16), Fraction(1, 8), QUARTER, HALF, 1]
    known = [list(sweeps(row, k)) for k in range(1, 6)]
    yield equal(
        known,
        [[0] * (5 - k) + truth[5 - k :] for k in range(1, 6)],
        "five in a row: one more state right after each sweep",
    )
    loop = gallery.left_right_loop()
    left = abs(sweeps(loop, 80) - best_values(loop))
    yield shows(
        bool((left <= NINE_TENTHS**80 * Fraction(300, 19)).all()), "two-state loop: error at most γ^80 of the first"
    )
    yield against(fits(tsitsiklis_van_roy(), 30)[0] > 20, "w and 2w, truth 0: w = 1 is above 20 after 30 fits")
    toss, shared = coin(), fractions([1], [2], [1])
    w = fractions(0)
    for _ in range(60):
        w = fitted_q_step(shared, backup(toss, shared @ w)[:, 0])
    yield shows(
        abs(w[0] - Fraction(4, 9)) < Fraction(1, 10**9),
        "the coin, features 1, 2, 1: w ← (3w/2 + 2)/6 converges, to 4/9",
    )
    yield differs(w[0] * shared[:, 0], [HALF, 1, 0], "resting values, about 4/9, 8/9, 4/9, against the true ones")


does_it_arrive

# %% [markdown]
# ## Off-policy


# %%
the_maximum = same_as(
    "notes-174",
    of="reference-052",
    says="the maximum, in the place of the average over the policy that acts, makes Q-learning off-policy",
)
the_maximum

# %% [markdown]
# **Learning from random actions.** A table can, from any behaviour that keeps trying every pair: the mean update contracts to Q\* by
# $1 - \alpha\, d_{\min}(1 - \gamma)$, where $d$ is how often a pair is tried. What is never tried is never learned. And for the $Q_\theta$
# of this chapter random actions are the dangerous case. Give the second of the two states, worth $2w$, a choice: stay, or leave
# for good. Data of the greedy policy, which stays, make $w$ shrink to its true value 0. Data of random actions hold the second state less often,
# and $w$ grows without end.


# %%
def stay_or_leave():
    """From state 0 to state 1; there 'stay' ends with probability 1/10, 'leave' at once. All rewards 0; γ = 0.99."""
    stay = [(NINE_TENTHS, 1, 0, False), (TENTH, None, 0, True)]
    table = {(0, 0): [(ONE, 1, 0, False)], (1, 0): stay, (1, 1): [(ONE, None, 0, True)]}
    return MDP.from_outcomes(table, Fraction(99, 100), 0)


def growth(behaviour):
    """w after one mean Q-learning update from w = 1, α = 1/10, values w, 2w and 0, pairs as an episode of the behaviour has them."""
    mdp = stay_or_leave()
    tried = visits(mdp.replace(gamma=1), behaviour)[:, None] * behaviour
    return expected_linear_q(mdp, fractions([[1], [0]], [[2], [0]]), fractions(1), TENTH, tried)[0]


def learned(mdp, weights, updates):
    """Q after mean updates with α = 1 from 0, pairs drawn with these weights."""
    q = 0 * mdp.r
    for _ in range(updates):
        q = expected_q_learning(mdp, q, ONE, weights)
    return q


@claim(
    "notes-175",
    says="This allows us to learn from exploratory or even random actions",
    verdict=Conditional(
        given="a table, and a behaviour that keeps trying every pair; with shared features random actions may make it diverge"
    ),
    about=(learned, expected_q_learning, growth, expected_linear_q),
)
def from_random_actions():
    loop = gallery.left_right_loop()
    best, random = backup(loop, best_values(loop)), fractions([QUARTER, QUARTER], [QUARTER, QUARTER])
    left = abs(learned(loop, random, 80) - best).max()
    yield shows(
        left <= (1 - QUARTER * TENTH) ** 80 * best.max(), "random actions: error at most (1 - d(1 - γ))^80 of the first"
    )
    yield equal(
        learned(loop, random, 2),
        [[Fraction(97, 160), Fraction(15, 8)], [Fraction(27, 160), Fraction(35, 8)]],
        "two updates, by hand",
    )
    timid = learned(loop, fractions([HALF, 0], [HALF, 0]), 80)
    yield equal(
        timid[:, 1], [0, 0], "a behaviour that never goes right: those entries stay 0, where 300/19 and 10 are true"
    )
    yield differs(timid[:, 1], best[:, 1], "against Q*")
    mdp = stay_or_leave()
    greedy, even = fractions([1, 0], [1, 0]), uniform(mdp)
    by_hand = [1 + TENTH * (Fraction(49, 50) - n * Fraction(109, 250)) for n in (10, Fraction(10, 11))]
    yield equal(
        [growth(greedy), growth(even)], by_hand, "factor of w: 1 + α (2γ - 1 - n (4 - 3.6γ)), n = 10 and 10/11 stays"
    )
    yield shows(0 < growth(greedy) < 1, "data of the greedy policy: w shrinks")
    yield against(growth(even) > 1, "data of random actions: w grows, by 1.058 an update")


from_random_actions
