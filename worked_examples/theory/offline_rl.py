# %% [markdown]
# # Learning from a fixed data set
#
# *Document `theory`, lines 316 to 341.* A fixed set of transitions, a maximum over actions that are not in it, and two
# remedies: implicit Q-learning (IQL), which never asks about such actions, and conservative Q-learning (CQL), which presses
# them down. The danger is real and the remedies are right. Three things are not: the way in which the phantom value is
# said to reach an unseen action, expectiles as quantiles, and one of three expectiles worked out by hand. And several
# sentences need a condition, foremost that of CQL's lower bound.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.arithmetic import SingularSystem
from rlexact.claims import (
    Conditional,
    Holds,
    Qualitative,
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
    swept,
)
from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import policy_value
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.max_estimators import chosen_first, single_max_law
from rlexact.exact.offline import cql_action_value, iql_value
from rlexact.formulas.cql import (
    cql_h_loss,
    cql_h_loss_gradient,
    cql_loss,
    cql_loss_gradient,
    cql_regulariser,
    cql_rho_loss,
    cql_rho_loss_gradient,
)
from rlexact.formulas.cql_bound import (
    cql_gap,
    cql_lower_bound,
    cql_lower_bound_alpha,
    cql_minimiser,
    cql_pointwise_alpha,
    cql_pointwise_minimiser,
    cql_sampling_error,
)
from rlexact.formulas.dqn import dqn_targets
from rlexact.formulas.expectile import expectile_condition, expectile_loss, expectile_loss_gradient, expectile_of
from rlexact.formulas.fitted_q import fitted_q_step, fitted_q_targets
from rlexact.formulas.iql import (
    iql_policy_loss,
    iql_policy_loss_gradient,
    iql_q_loss,
    iql_q_loss_gradient,
    iql_value_loss,
    iql_value_loss_gradient,
    iql_weights,
)
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("theory", "offline_rl", "Learning from a fixed data set")

ONE, HALF, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(9, 10)
S, U = 0, 1
LEFT, RIGHT = 0, 1


def fractions(*numbers):
    """Numbers, or rows of them, as an exact array."""
    return np.vectorize(Fraction, otypes=[object])(np.array(numbers, dtype=object))


# %% [markdown]
# ## The arm
#
# The document's story as a model. In state $s$, *left* pays 8 and ends, *right* breaks the arm: −10. In a second state $u$,
# *left* pays nothing and stays, *right* breaks the arm too. The data hold *left* alone, so an offline sweep updates the two
# pairs of the left column and no other.


# %%
def arm(left_leads_to=None, right_pays=-10):
    """States s, u; actions left, right; γ = 9/10. Left in s pays 8 and ends, unless it leads to a state that is given."""
    reach = (ONE, left_leads_to, 8, left_leads_to is None)
    crash = [(ONE, None, right_pays, True)]
    table = {(S, LEFT): [reach], (S, RIGHT): crash, (U, LEFT): [(ONE, U, 0, False)], (U, RIGHT): crash}
    return MDP.from_outcomes(table, NINE_TENTHS, S)


def sweeps(model, q, n, seen=((1, 0), (1, 0))):
    """n rounds of Q-learning with step size 1 on the seen pairs."""
    for _ in range(n):
        q = expected_q_learning(model, q, 1, fractions(*seen))
    return q


sweeps(arm(), fractions((20, 12), (0, 0)), 100)

# %% [markdown]
# **Never corrected?** The 12 of the unseen *right* is still there after 100 sweeps. Online, a greedy agent pulls *right*
# once and learns. But the 20 that stood at *left*, just as overestimated, became 8: an action in the data is corrected by
# the data. And where *right* shares a weight with *left*, it moves along.


# %%
@claim(
    "theory-374",
    says="Online an overestimated action is tried and corrected; offline, overestimated actions are never corrected",
    verdict=Conditional(given="the action is not in the data, and its value shares no parameter with those that are"),
    about=(expected_q_learning, fitted_q_step),
)
def never_corrected():
    optimistic = fractions((20, 12), (0, 0))
    offline = sweeps(arm(), optimistic, 100)
    yield equal(offline[S, RIGHT], 12, "offline, in a table, right stays at 12 for ever")
    online = sweeps(arm(), offline, 1, seen=((0, 1), (0, 0)))
    yield equal(online[S], [8, -10], "online: 12 is the greedy choice, tried once, and corrected")
    yield differs(offline[S, LEFT], optimistic[S, LEFT], "offline, left was overestimated as well, and is in the data")
    theta = fitted_q_step(fractions((1,)), fractions(8))
    yield equal(theta, [8], "one weight, Q(left) = θ, Q(right) = θ/2: a fit to the data gives θ = 8")
    yield differs(12, theta[0] / 2, "so that right falls from 12 to 4, unseen")


never_corrected

# %% [markdown]
# ## What a maximum does to errors
#
# A maximum chooses the largest *estimate*, truth plus error. It is the largest error when the truths are equal, as in the
# document's own example $[7, 4, 6]$ for $[5, 5, 5]$. When they are not, a sound 10 is chosen before a 7 that should be 5.
# What is true in general is a mean: the error of the chosen action is at least 0 on average if the errors have mean 0.


# %%
@claim(
    "theory-375",
    says="The maximum preferentially selects the most overestimated action",
    verdict=Conditional(
        given="the true values are equal, or differ by less than the errors do; in general only the mean error is ≥ 0"
    ),
    about=(chosen_first, single_max_law),
)
def the_most_overestimated():
    certain = [{Fraction(x): ONE} for x in (7, 4, 6)]
    yield equal(chosen_first(certain), [1, 0, 0], "truths 5, 5, 5, errors 2, -1, 1: the error 2 is selected")
    apart = [{Fraction(x): ONE} for x in (10, 7)]
    yield against(bool(chosen_first(apart)[1] == 0), "truths 10 and 5, errors 0 and 2: the error 2 is never selected")
    noisy = [{Fraction(2): HALF, Fraction(0): HALF}, {Fraction(1): HALF, Fraction(-1): HALF}]
    picked = chosen_first(noisy)
    yield equal(picked, [Fraction(3, 4), Fraction(1, 4)], "truths 1 and 0, each ±1, by the four cases")
    mean_error = single_max_law(noisy).mean - picked @ fractions(1, 0)
    yield equal(mean_error, HALF, "mean error of the selected action: (2 + 2 + 1 + 0)/4 - 3/4")


the_most_overestimated

# %% [markdown]
# **Does it ensure that the error is upward?** No single maximum does: $[3, 4, 2]$ for $[5, 5, 5]$ gives 4. Two things are
# sure. If the estimates are right on average the maximum is too high on average (Jensen). And if the seen actions are
# right, while the unseen one is truly no better, then whenever the maximum falls on the unseen one it is too high.


# %%
@claim(
    "theory-376",
    says="An unseen action's value may be arbitrarily wrong, and the max ensures that the error is upward",
    verdict=Conditional(
        given="the seen values are right and the unseen action is truly no better; or in the mean, for unbiased estimates"
    ),
    about=(dqn_targets, single_max_law),
)
def upward():
    def target(*q):
        return dqn_targets(fractions(0), fractions(q), [False], ONE)[0]

    guesses = [Fraction(k, 2) for k in range(-40, 41)]
    errors = [target(5, guess) - 5 for guess in guesses]
    yield equal(
        errors, [max(0, guess - 5) for guess in guesses], "5 seen and right, unseen ≤ 5, guessed from -20 to 20"
    )
    unbiased = single_max_law([{Fraction(7): HALF, Fraction(3): HALF}] * 3)
    yield equal(unbiased.bias, Fraction(3, 2), "three estimates 5 ± 2: too high by 7·7/8 + 3/8 - 5 in the mean")
    yield exceeds(5, target(3, 4, 2), "estimates 3, 4, 2 of 5, 5, 5: the maximum is too low; 5 ≤ max")
    yield exceeds(10, target(5, 7), "seen 5, unseen 7 where the truth is 10: the unseen one is selected, and too low")


upward


# %% [markdown]
# ## The story, iteration by iteration
#
# Iteration 1: *left* is trained to 8, *right* keeps its initial 0. The data say nothing about it, so least squares on a
# table has no unique answer.


# %%
@claim(
    "theory-378",
    says="Iteration 1: Q(s, left) = 8 from the data, Q(s, right) = 0 as initialised",
    verdict=Holds(),
    about=(expected_q_learning, fitted_q_step),
)
def iteration_1():
    q = sweeps(arm(), fractions((0, 0), (0, 0)), 1)
    yield equal(q[S], [printed("8"), printed("0")], "one sweep from a table of zeros")
    both, rewards = fractions((1, 0), (1, 0)), fractions(8, 8)
    yield refuses(SingularSystem, lambda: fitted_q_step(both, rewards), "least squares leaves Q(right) open")
    yield equal(fitted_q_step(fractions((1,), (1,)), rewards), [8], "and fits Q(left) to 8")


iteration_1

# %% [markdown]
# Iteration 100: *right* has risen to 12, and the reason given is that some $s'$ in the data has a maximum of 12, which
# bootstrapping carried to $Q(s, right)$. But a target is computed for pairs *in the data* only, and the whole point is that
# $(s, right)$ is not. Bootstrapping carries the 12 to the seen pairs that lead to $s'$: here to $Q(u, left) = 0.9 \cdot 12$.
# What can move an unseen pair is generalisation, a weight that it shares with a seen one.
#
# The smallest such model has two weights. $Q(s, left) = \theta_1$. The second is shared: $Q(s, right) = Q(u, left) = \theta_2$,
# and the unseen $Q(u, right) = 1.04\,\theta_2$. In $u$, *left* pays 0.136 and stays; γ = 0.96. A fitted step is then
# $\theta_2 \leftarrow 0.136 + 0.96 \cdot 1.04\,\theta_2$, and with these numbers, chosen for it, it tells the document's story to the digit.


# %%
GAMMA, RISE, PAY = Fraction(96, 100), Fraction(104, 100), Fraction(136, 1000)


def fitted(n):
    """(θ1, θ2) after n steps of fitted Q-iteration from zeros, on the transitions (s, left) and (u, left)."""
    features, following = fractions((1, 0), (0, 1)), fractions(((0, 0), (0, 0)), ((0, 1), (0, RISE)))
    theta = fractions(0, 0)
    for _ in range(n):
        y = fitted_q_targets(theta, fractions(8, PAY), following, [True, False], GAMMA)
        theta = fitted_q_step(features, y)
    return theta


def by_geometric_sum(n):
    """θ2 after n steps, in closed form."""
    growth = GAMMA * RISE
    return PAY * (1 - growth**n) / (1 - growth)


[float(by_geometric_sum(n)) for n in (1, 99, 499)]


# %%
@claim(
    "theory-379",
    says="Iteration 100: Q(s, right) = 12, because an inflated max at some s' propagated to it through bootstrapping",
    verdict=Wrong(
        because="bootstrapping updates pairs in the data, and (s, right) is in none: in a table it stays at 0",
        instead="bootstrapping inflates the seen pairs that lead to s'; only shared parameters carry that to (s, right)",
    ),
    about=(expected_q_learning, fitted_q_step, fitted_q_targets),
)
def iteration_100():
    q = sweeps(arm(), fractions((0, 0), (0, 12)), 99)
    yield differs(printed("12"), q[S, RIGHT], "table, an unseen 12 at u: Q(s, right)")
    yield equal(q[U, LEFT], Fraction(54, 5), "what bootstrapping does inflate: Q(u, left) = .9 · 12, truly 0")
    theta = fitted(99)
    yield equal(theta, [8, by_geometric_sum(99)], "shared weight, after 99 more steps: the geometric sum")
    yield agrees(printed("12", digits=2), theta[1], "Q(s, right) with a shared weight")


iteration_100

# %% [markdown]
# Does *left* stay at 8? It does if *left* ends the episode. Should it lead to the state with the phantom 12, then its target
# is $8 + 0.9 \cdot 12$, and the action that the data support is corrupted as much as any. (Line 318 of the document says so:
# the phantom values corrupt the entire function.)


# %%
@claim(
    "theory-380",
    says="Iteration 100: Q(s, left) = 8 still, since the data support it",
    verdict=Conditional(given="no successor of (s, left) has an unseen action as its maximum, and no weight is shared"),
    about=expected_q_learning,
)
def left_is_stable():
    phantom = fractions((8, 0), (0, 12))
    yield equal(sweeps(arm(), phantom, 99)[S, LEFT], printed("8"), "left ends the episode")
    corrupted = sweeps(arm(left_leads_to=U), phantom, 99)[S, LEFT]
    yield differs(printed("8"), corrupted, "left leads to u, where nothing more is to be had, but 12 is believed")
    yield equal(corrupted, 8 + NINE_TENTHS * 12, "the seen action's value, truly 8")


left_is_stable


# %%
@claim(
    "theory-381",
    says="Iteration 500: Q(s, right) = 47, entirely fictional",
    verdict=Conditional(given="the value of right shares parameters with seen pairs; in a table it never moves from 0"),
    about=(fitted_q_step, fitted_q_targets, expected_q_learning),
)
def iteration_500():
    theta = fitted(499)
    yield equal(theta, [8, by_geometric_sum(499)], "two weights, 499 steps after iteration 1")
    yield agrees(printed("47", digits=2), theta[1], "Q(s, right)")
    yield below(PAY / (1 - GAMMA), theta[1], "what the data can justify at u, .136 for ever, is 3.4")
    yield below(theta[0], theta[1], "and the greedy policy goes right")
    q = sweeps(arm(), fractions((0, 0), (0, 12)), 499)
    yield equal(q[U, LEFT], Fraction(54, 5), "in a table the seen pair is inflated once")
    yield differs(printed("47"), q[S, RIGHT], "in a table, Q(s, right)")


iteration_500


# %%
@figure
def the_phantom():
    """Q(s, right) over the iterations: with a shared weight it passes the document's 12 and 47; in a table it stays at 0."""
    import matplotlib.pyplot as plt

    n = np.arange(0, 1000)
    ax = plt.subplots()[1]
    ax.plot(n + 1, [float(by_geometric_sum(int(k))) for k in n], label="shared weight")
    ax.plot(n + 1, 0 * n, label="table")
    ax.axhline(3.4, color="0.4", ls="--", lw=1)
    ax.text(1000, 4.4, "what the data can justify at u: 3.4", ha="right", color="0.3", fontsize=8)
    ax.plot([1, 100, 500], [0, 12, 47], "o", color=COLOURS[6], label="the document's numbers", zorder=3)
    ax.set(xlabel="iteration", ylabel="Q(s, right)", title="A value that no data support")
    ax.legend(loc="upper left")
    return ax.figure


the_phantom

# %% [markdown]
# ## Expectiles
#
# IQL replaces the maximum by an expectile, the minimiser of $|\tau - 1\{u < 0\}|\,u^2$ with $u = Q - V$. On a stretch between
# two neighbouring values the loss is a parabola, so the minimiser is a weighted mean that lies in its own stretch. That is
# a hand computation, and it is the second route for everything in this part.


# %%
def weighted_mean(values, tau):
    """The τ-expectile by hand: for each split, the mean with weights 1 - τ below and τ above, if it lies in between."""
    x = sorted(values)
    for k in range(1, len(x)):
        m = ((1 - tau) * sum(x[:k]) + tau * sum(x[k:])) / ((1 - tau) * k + tau * (len(x) - k))
        if x[k - 1] <= m <= x[k]:
            return m
    raise ValueError("no split holds its own mean")


FOUR = fractions(2, 5, 3, 8)
{str(tau): str(weighted_mean(FOUR, tau)) for tau in fractions(HALF, NINE_TENTHS, Fraction(99, 100))}


# %%
@claim(
    "theory-384",
    "theory-385",
    says=r"The τ-expectile loss is $L_2^\tau(u) = |\tau - 1\{u < 0\}|\,u^2$; at τ = 0.5 it is ordinary least squares",
    verdict=Holds(note="at ½ it is half the squared error, so it has the same minimiser, the mean"),
    about=(expectile_loss, expectile_of, expectile_condition),
)
def the_loss():
    tau = Fraction(3, 4)
    yield equal(expectile_loss(fractions(2, -2, 0), tau), [3, 1, 0], "τ · 4, (1 - τ) · 4 and 0")
    grid = [Fraction(k, 24) for k in range(24 * 2, 24 * 8 + 1)]
    m = weighted_mean(FOUR, tau)
    least = min(grid, key=lambda c: expectile_loss(FOUR - c, tau).sum())
    yield equal(least, m, "2, 5, 3, 8: least on a grid of 24ths at 17/3 = (1/4 · 10 + 3/4 · 8) / (3/2)")
    yield equal(expectile_of(FOUR, tau), m, "the expectile is that minimiser")
    yield equal(expectile_condition(FOUR, m, tau), 0, "where the two sides balance")
    yield equal(expectile_condition(FOUR, 2, tau), Fraction(15, 8), "at 2 everything is above: 3/4 · 10/4")
    yield equal(expectile_loss(fractions(-3, 5), HALF), [Fraction(9, 2), Fraction(25, 2)], "τ = ½: ½ u²")
    rng = np.random.default_rng(0)
    samples = [fractions(*(int(n) for n in rng.integers(-20, 20, size=7))) for _ in range(30)]
    yield swept(lambda x: abs(expectile_of(x, HALF) - sum(x) / 7), samples, "τ = ½: the minimiser is the mean")


the_loss


# %% [markdown]
# **Which error costs more?** The document's line 325 does not say which difference $u$ is; its line 334 does: $Q > V$ has the
# weight τ. With the other sign everything would be turned round and V would go to the minimum.


# %%
@claim(
    "theory-387",
    "theory-403",
    says="For τ above ½ under-prediction is penalised more; at τ = 0.9, Q > V has weight 0.9 and Q < V has 0.1",
    verdict=Holds(note="with u = Q - V; for u = V - Q it is the other way round"),
    about=(expectile_loss, expectile_loss_gradient, iql_value_loss, iql_value_loss_gradient),
)
def two_weights():
    above, beneath = expectile_loss(fractions(1, -1), NINE_TENTHS)
    yield equal([above, beneath], [printed("0.9").value, printed("0.1").value], "loss of an error of one, either way")
    yield equal(expectile_loss_gradient(fractions(1, -1), NINE_TENTHS), [Fraction(9, 5), Fraction(-1, 5)], "slopes")
    values, q = fractions(4, 4), fractions(5, 3)
    yield equal(iql_value_loss(values, q, NINE_TENTHS), [NINE_TENTHS, 1 - NINE_TENTHS], "V = 4 beside Q = 5 and Q = 3")
    yield equal(iql_value_loss_gradient(values, q, NINE_TENTHS), [Fraction(-9, 5), Fraction(1, 5)], "in V: up, down")
    steep = expectile_loss(fractions(1, -1), Fraction(99, 100))
    yield equal(steep[0] / steep[1], 99, "at τ = .99 the two stand as 99 to 1")


two_weights

# %% [markdown]
# **Not a quantile.** Expectile regression is said to estimate quantiles. It does not: a quantile minimises an asymmetric
# *absolute* error and depends on the order of the values alone; an expectile minimises an asymmetric *square* and moves with
# each of them. The 0.9-quantile of 2, 3, 5, 8 is 8. And the median does not notice when the 8 becomes 80.


# %%
def quantile(values, tau):
    """The smallest value that at least a share τ of the values does not exceed."""
    x = sorted(values)
    return next(x[k] for k in range(len(x)) if Fraction(k + 1, len(x)) >= tau)


@claim(
    "theory-382",
    says="Expectile regression is a technique that estimates quantiles",
    verdict=Wrong(
        because="the 0.9-quantile of 2, 5, 3, 8 is 8, the 0.9-expectile 41/6; a far outlier moves only the expectile",
        instead="it estimates expectiles, minimisers of an asymmetric square; quantiles minimise an asymmetric absolute error",
    ),
    about=(expectile_of, expectile_condition),
)
def not_a_quantile():
    outlier = fractions(2, 5, 3, 80)
    yield differs(quantile(FOUR, NINE_TENTHS), expectile_of(FOUR, NINE_TENTHS), "at τ = .9: quantile, but expectile")
    yield equal(quantile(outlier, HALF), quantile(FOUR, HALF), "8 becomes 80: the median stays")
    yield equal(expectile_of(outlier, HALF) - expectile_of(FOUR, HALF), 18, "the ½-expectile moves by 72/4")
    yield equal(expectile_of(FOUR, NINE_TENTHS), Fraction(41, 6), "(.1 · 10 + .9 · 8) / (.3 + .9)")
    yield equal(expectile_condition(FOUR, Fraction(41, 6), NINE_TENTHS), 0, "the balance that an expectile keeps")
    at_the_quantile = expectile_condition(FOUR, 8, NINE_TENTHS)
    yield equal(at_the_quantile, Fraction(-7, 20), "the quantile does not: -.1 · (6 + 3 + 5)/4")


not_a_quantile

# %% [markdown]
# ## The four numbers
#
# For 2, 5, 3, 8 and every τ from 5/8 on, the expectile is $(10 - 2\tau)/(3 - 2\tau)$, and $8 - m = 14(1-\tau)/(3-2\tau)$. Of
# the document's three values the first and the last are right. At τ = 0.9 it is 41/6 ≈ 6.83; 7.2 would take τ = 29/31 ≈ 0.935.


# %%
@claim(
    "theory-400",
    says="The 0.9-expectile of 2, 5, 3, 8 is about 7.2",
    verdict=Wrong(because="the two sides balance lower: .9 · (8 - m) = .1 · (3m - 10)", instead="41/6 ≈ 6.83"),
    about=(expectile_of, expectile_condition),
)
def at_nine_tenths():
    m = expectile_of(FOUR, NINE_TENTHS)
    yield differs(printed("7.2"), m)
    yield equal(m, Fraction(41, 6), "8.2 / 1.2")
    yield equal(weighted_mean(FOUR, NINE_TENTHS), m, "by hand")
    off = expectile_condition(FOUR, printed("7.2").value, NINE_TENTHS)
    yield equal(off, Fraction(-11, 100), "at 7.2 the sides do not balance: (.9 · .8 - .1 · 11.6)/4")
    yield equal(expectile_of(FOUR, Fraction(29, 31)), printed("7.2").value, "7.2 belongs to τ = 29/31")


at_nine_tenths


# %%
@claim(
    "theory-386",
    "theory-399",
    "theory-401",
    "theory-402",
    says="τ = 0.5 gives 4.5, τ = 0.99 about 7.9; as τ → 1 the minimiser approaches the maximum, here 8, and stays below it",
    verdict=Holds(note="the largest value of positive probability; of an unbounded law it grows without end"),
    about=expectile_of,
)
def towards_the_maximum():
    for level, stated, exactly in ((HALF, "4.5", Fraction(9, 2)), (Fraction(99, 100), "7.9", Fraction(401, 51))):
        yield equal([expectile_of(FOUR, level), weighted_mean(FOUR, level)], [exactly] * 2, f"τ = {level}, and by hand")
        yield agrees(printed(stated), expectile_of(FOUR, level))
    tau = sympy.Symbol("tau", positive=True)
    m = (10 - 2 * tau) / (3 - 2 * tau)
    yield proved(m - ((1 - tau) * 10 + tau * 8) / ((1 - tau) * 3 + tau), "between 5 and 8, by the weights")
    yield proved(sympy.limit(m, tau, 1) - 8, "its limit is 8")
    yield proved(8 - m - 14 * (1 - tau) / (3 - 2 * tau), "the distance is 14 (1 - τ) / (3 - 2τ), above 0")
    yield equal(expectile_of(FOUR, Fraction(5, 8)), 5, "the formula starts at τ = 5/8")
    for k in (1, 2, 3, 6, 12):
        small = Fraction(1, 10**k)
        short = printed("8").value - expectile_of(FOUR, 1 - small)
        yield equal(short, 14 * small / (1 + 2 * small), f"1 - τ = 1e-{k}: short of 8 by")
        yield below(0, short, "never reached")


towards_the_maximum


# %%
@figure
def expectile_beside_quantile():
    """The τ-expectile of 2, 3, 5, 8 is smooth, the τ-quantile a staircase. Crosses: the document's three values."""
    import matplotlib.pyplot as plt

    taus = np.linspace(0.01, 0.995, 198)
    exact = [Fraction(float(t)).limit_denominator(1000) for t in taus]
    ax = plt.subplots()[1]
    ax.plot(taus, [float(weighted_mean(FOUR, t)) for t in exact], label="expectile")
    ax.step(taus, [float(quantile(FOUR, t)) for t in exact], where="post", label="quantile", lw=1.2)
    ax.plot([0.5, 0.9, 0.99], [4.5, 7.2, 7.9], "x", color=COLOURS[6], ms=8, mew=1.8, label="as printed")
    ax.annotate("7.2, but 41/6", (0.89, 7.22), (0.56, 7.3), fontsize=9, arrowprops={"arrowstyle": "-", "color": "0.5"})
    ax.set(xlabel=r"$\tau$", ylabel="value", title="Four numbers: 2, 3, 5, 8")
    ax.legend(loc="upper left")
    return ax.figure


expectile_beside_quantile

# %% [markdown]
# ## Implicit Q-learning
#
# The display that names its three networks is lost. Its usual form, and what each loss must make true:
#
# $$L_V = E_D\big[L_2^\tau(\bar Q(s,a) - V(s))\big], \quad L_Q = E_D\big[(r + \gamma V(s') - Q(s,a))^2\big], \quad
# L_\pi = -E_D\big[e^{\beta(\bar Q - V)}\log\pi(a\mid s)\big] .$$
#
# The first makes V an expectile of Q over the actions *seen*. The second averages over the dynamics, so that a lucky
# transition is not mistaken for a good action. The third has the minimum $\pi \propto \pi_\beta\,e^{\beta(Q - V)}$.


# %%
@claim(
    "theory-388",
    says=r"(lost display) $L_V = E_{(s,a)\sim D}[L_2^\tau(\bar Q(s,a) - V(s))]$",
    verdict=Holds(),
    about=(iql_value_loss, iql_value_loss_gradient),
)
def the_value_loss():
    m = Fraction(41, 6)
    held = fractions(m, m, m, m)
    slope = iql_value_loss_gradient(held, FOUR, NINE_TENTHS)
    yield equal(slope, [2 * (m - 2) / 10, 2 * (m - 5) / 10, 2 * (m - 3) / 10, -2 * (8 - m) * 9 / 10], "by hand")
    yield equal(slope.sum(), 0, "at the expectile of the data's Q the mean loss is level")
    least = iql_value_loss(held, FOUR, NINE_TENTHS, reduction="mean")
    yield equal(
        least, (((m - 2) ** 2 + (m - 5) ** 2 + (m - 3) ** 2) / 10 + (8 - m) ** 2 * 9 / 10) / 4, "its mean there"
    )
    aside = [
        iql_value_loss(held + d, FOUR, NINE_TENTHS, reduction="mean") for d in (Fraction(1, 100), Fraction(-1, 100))
    ]
    yield shows(bool(min(aside) > least), "and larger to either side")


the_value_loss


# %%
@claim(
    "theory-389",
    says=r"(lost display) $L_Q = E_D[(r + \gamma (1-d) V(s') - Q(s,a))^2]$",
    verdict=Holds(note="d marks an end, where V(s') does not count; the paper leaves it out"),
    about=(iql_q_loss, iql_q_loss_gradient),
)
def the_q_loss():
    rewards, after, ended = fractions(1, 1, 1), fractions(0, 10, 10), [False, False, True]
    q = fractions(4, 4, 4)
    yield equal(iql_q_loss(q, rewards, after, ended, NINE_TENTHS), [9, 36, 9], "targets 1, 10, and 1 at the end")
    slope = iql_q_loss_gradient(q, rewards, after, ended, NINE_TENTHS)
    yield equal(slope, [6, -12, 6], "slopes 2 (Q - y)")
    yield equal(slope.sum(), 0, "level at Q = 4, the mean of the targets and not their maximum 10")


the_q_loss


# %%
@claim(
    "theory-390",
    says=r"(lost display) $L_\pi = -E_D[\exp(\beta(Q(s,a) - V(s)))\log\pi(a\mid s)]$, advantage-weighted regression",
    verdict=Holds(note="most code also clips the weight, and holds it constant in the gradient"),
    about=(iql_policy_loss, iql_policy_loss_gradient, iql_weights),
)
def the_policy_loss():
    p, b = sympy.Symbol("p", positive=True), sympy.Symbol("b", positive=True)
    advantages, nothing = [sympy.log(3), 0], [0, 0]
    logs = [sympy.log(p), sympy.log(1 - p)]
    w = iql_weights(advantages, nothing, b)
    yield proved(w - np.array([3**b, 1]), "weights for advantages log 3 and 0")
    losses = iql_policy_loss(logs, advantages, nothing, 1)
    yield proved(losses + np.array([3 * logs[0], logs[1]]), "two actions, seen once each, β = 1: -3 log p - log(1 - p)")
    yield proved(
        sympy.diff(losses.sum(), p).subs(p, sympy.Rational(3, 4)), "level at p = 3/4: odds of 3, times the data's"
    )
    yield proved(iql_policy_loss_gradient(logs, advantages, nothing, b) + w, "its slope in log π is minus the weight")


the_policy_loss

# %% [markdown]
# **Three networks.** Two functions, $Q$ and $V$, close on each other: with V the expectile of Q, and Q the backup of V, they
# have one joint solution, found here exactly. The policy is read off at the end and never fed back. The slowly moving copy
# $\bar Q$ and, in the authors' experiments, a second critic come on top, as means to the same fixed point.


# %%
@claim(
    "theory-391",
    says="IQL uses three networks: Q, V and a policy",
    verdict=Holds(
        note="three that are trained by gradient; a target copy of Q, and often a twin of it, are kept besides"
    ),
    about=(iql_value, expectile_of, backup),
)
def three_functions():
    loop = gallery.left_right_loop()
    behaviour = uniform(loop)
    v = iql_value(loop, behaviour, NINE_TENTHS)
    q = backup(loop, v)
    v_a, v_b = v
    by_hand = [[1 + NINE_TENTHS * v_a, 3 + NINE_TENTHS * v_b], [NINE_TENTHS * v_a, 10]]
    yield equal(q, by_hand, "Q from V: the two-state loop, backed up by hand")
    yield equal([expectile_of(row, NINE_TENTHS) for row in q], v, "V from Q: the expectile in each state")
    yield equal([weighted_mean(row, NINE_TENTHS) for row in q], v, "the same by hand; no policy takes part")


three_functions

# %% [markdown]
# **The maximum over which actions?** Over those that the data show. As τ → 1, IQL tends to the best policy *within the
# data*; where the best action is missing no τ finds it. With all actions seen it is the optimum, 300/19 and 270/19 in the
# two-state loop.


# %%
@claim(
    "theory-404",
    "theory-407",
    says=r"IQL approximates $\max_a Q(s, a)$, and the optimum, without evaluating unseen actions",
    verdict=Conditional(given="the maximum and the optimum are over actions that the data show, and τ → 1"),
    about=(expectile_of, iql_value),
)
def best_of_the_seen():
    loop = gallery.left_right_loop()
    optimum = fractions(Fraction(300, 19), Fraction(270, 19))
    near = [max(optimum - iql_value(loop, uniform(loop), 1 - Fraction(1, 10**k))) for k in (2, 4, 6)]
    yield shows(bool(near[0] > near[1] > near[2] > 0), "all actions seen: below V* by less and less")
    yield below(near[2], Fraction(1, 1000), "at 1 - τ = 1e-6")
    yield equal(
        iql_value(loop, fractions((0, 1), (1, 0)), HALF), optimum, "the best actions alone in the data: V* itself"
    )
    yield equal(expectile_of(FOUR, ONE), 8, "the four numbers: 8 at τ = 1")
    seen = iql_value(gallery.bandit((8, 10)), fractions((1, 0)), 1 - Fraction(1, 10**6))
    yield differs(10, seen[0], "arms 8 and 10, the second never seen: max Q = 10")


best_of_the_seen

# %% [markdown]
# ## Conservative Q-learning
#
# Its objective is lost as well; the usual one, CQL(H), is
#
# $$\min_Q\; \alpha\,\Big(E_{s\sim D}\log\sum_a e^{Q(s,a)} - E_{(s,a)\sim D}\,Q(s,a)\Big) + \tfrac12 E_D\big(Q - \hat{\mathcal B}\bar Q\big)^2 .$$


# %%
@claim(
    "theory-392",
    says=r"(lost display) $\alpha(E_s\log\sum_a e^{Q} - E_D Q) + \frac12 E_D (Q - \hat{\mathcal B}\bar Q)^2$",
    verdict=Holds(note="it presses every action down by its softmax share, and raises the action in the data"),
    about=(cql_loss, cql_loss_gradient, cql_h_loss, cql_h_loss_gradient),
)
def the_objective():
    x, y, t = sympy.symbols("x y t", real=True)
    alpha = sympy.Symbol("alpha", positive=True)
    total = sympy.exp(x) + sympy.exp(y)
    penalty = sympy.log(total) - y
    q = [[x, y]]
    yield proved(cql_h_loss(q, [1]) - penalty, "the penalty, the data's action being the second")
    yield proved(cql_h_loss_gradient(q, [1])[0] - [sympy.exp(x) / total, sympy.exp(y) / total - 1], "its slope")
    loss = alpha * penalty + (y - t) ** 2 / 2
    yield proved(cql_loss(q, [1], [t], alpha) - loss, "with the Bellman error")
    slopes = cql_loss_gradient(q, [1], [t], alpha)[0]
    yield proved(slopes - [sympy.diff(loss, x), sympy.diff(loss, y)], "its slope, differentiated")


the_objective

# %% [markdown]
# **The softmax.** The penalty for a given law μ of actions is $E_\mu Q - E_\beta Q$, linear in μ: what maximises it is the
# *greedy* law. The softmax maximises it with the entropy of μ added, and then $\max_\mu$ becomes the log-sum-exp. The
# document does not show the entropy. (Nor does the maximum look for overestimated actions: it looks for high values.)


# %%
@claim(
    "theory-395",
    says=r"The μ that maximises the regulariser is $\mu(a\mid s) \propto \exp Q(s, a)$",
    verdict=Conditional(given="the entropy of μ is part of the regulariser, with weight 1; without it μ is greedy"),
    about=(cql_regulariser, cql_h_loss),
)
def the_worst_law():
    third = sympy.log(3)
    q, data = [[0, third]], [[1, 0]]
    m = sympy.Symbol("m", positive=True)
    gain = (1 - m) * third - m * sympy.log(m) - (1 - m) * sympy.log(1 - m)
    quarter = sympy.Rational(1, 4)
    yield proved(sympy.diff(gain, m).subs(m, quarter), "Q = (0, log 3), with H(μ): level at the softmax (1/4, 3/4)")
    yield proved(sympy.diff(gain, m, 2) + 1 / (m * (1 - m)), "and concave throughout")
    at_softmax = cql_regulariser(q, [[quarter, 1 - quarter]], data)[0]
    entropy = -quarter * sympy.log(quarter) - (1 - quarter) * sympy.log(1 - quarter)
    lse = cql_h_loss(q, [0])[0]
    yield proved(sympy.expand_log(lse - sympy.log(4), force=True), "log(1 + 3), less the data's 0")
    yield proved(sympy.expand_log(at_softmax + entropy - sympy.log(4), force=True), "is E_μ Q + H(μ) at the softmax")
    greedy = cql_regulariser(q, [[sympy.S.Zero, sympy.S.One]], data)[0]
    yield proved(greedy - third, "without H(μ): the greedy law gets log 3")
    yield against(bool(greedy > at_softmax), "and the softmax ¾ log 3, which is less")


the_worst_law

# %% [markdown]
# ## A lower bound on what?
#
# For a given μ the minimiser over a table is known, $y$ being the backup:
#
# $$Q = y - \alpha\,\frac{\mu}{\pi_\beta} \quad\text{(penalty } E_\mu Q\text{ alone)}, \qquad
# Q = y - \alpha\Big(\frac{\mu}{\pi_\beta} - 1\Big) \quad\text{(penalty } E_\mu Q - E_\beta Q\text{)} .$$
#
# The first is nowhere above $y$: a lower bound on Q, pair by pair (Kumar et al. 2020, Theorem 3.1). The second, which
# everybody uses, is above $y$ wherever $\mu < \pi_\beta$; only the *value* $\sum_a \pi Q$ is a lower bound (Theorem 3.2). For
# CQL(H) a short sum says it all: the slopes of the log-sum-exp penalty add up to 0, so at the minimum $E_\beta(Q - y) = 0$.
# What some seen action loses another gains. Both bounds also need α to cover the sampling error of the backup.


# %%
@claim(
    "theory-393",
    "theory-398",
    "theory-407",
    says="CQL makes Q a provable lower bound on the true values",
    verdict=Conditional(
        given="the penalty lacks its term -E_β Q, and α covers the sampling error; the usual CQL bounds Σ π Q only, not Q"
    ),
    about=(cql_pointwise_minimiser, cql_pointwise_alpha, cql_loss_gradient, cql_minimiser, cql_gap, cql_action_value),
)
def a_lower_bound():
    true, error = fractions((8, 2)), fractions((1, 1))
    mu, beta = fractions((Fraction(1, 4), Fraction(3, 4))), fractions((HALF, HALF))
    least = cql_pointwise_alpha(mu, beta, error)
    yield equal(least, 2, "backups too high by at most 1: α = max err π_β/μ")
    yield equal(
        cql_pointwise_minimiser(true + error, mu, beta, least), [[8, 0]], "Theorem 3.1: 9 - 1 and 3 - 3, Q ≤ (8, 2)"
    )
    small = cql_pointwise_minimiser(true + error, mu, beta, ONE)[0, 0]
    yield exceeds(small, 8, "α too small, 1")
    usual = cql_minimiser(true, mu, beta, ONE)
    yield equal(usual, [[Fraction(17, 2), Fraction(3, 2)]], "Theorem 3.2, exact backups: 8 + 1/2 and 2 - 1/2")
    yield exceeds(usual[0, 0], 8, "the action with μ < π_β is raised")
    yield equal(cql_gap(mu, beta), ((true - usual) * mu).sum(axis=1), "its value under μ is lower, by α D")
    yield equal(cql_gap(mu, beta), [Fraction(1, 4)], "D = Σ (μ - π_β)² / π_β")
    model = gallery.bandit((8, 2))
    yield equal(cql_action_value(model, mu, beta, ONE), usual, "the same as the fixed point of a one-step model")
    x, y = sympy.log(3), sympy.S.Zero
    slopes = cql_loss_gradient([[x, y], [x, y]], [0, 1], [x + sympy.Rational(1, 2), -sympy.Rational(1, 2)], 1)
    yield proved(slopes.sum(axis=0), "CQL(H), backups log 3 + 1/2 and -1/2 seen equally often: least at Q = (log 3, 0)")
    yield against(bool(y > -sympy.Rational(1, 2)), "whose second entry is above its backup by 1/2")


a_lower_bound

# %% [markdown]
# With the usual penalty and backups that err by at most ε(s), the value is a lower bound once $\alpha \ge \varepsilon(s) / D(s)$,
# where $D = \sum_a (\pi - \pi_\beta)^2/\pi_\beta$. The threshold is sharp: here the error is 1, $D = 1/4$, and $\alpha = 4$.


# %%
@claim(
    "theory-393",
    says="What the usual CQL bounds: the value of the policy, Σ π Q ≤ V",
    verdict=Conditional(given="α ≥ error / D in every state"),
    about=(cql_lower_bound, cql_lower_bound_alpha, cql_minimiser, cql_sampling_error),
)
def the_threshold():
    true, pi, beta = fractions((8, 2)), fractions((Fraction(1, 4), Fraction(3, 4))), fractions((HALF, HALF))
    value = (pi * true).sum()
    error = cql_sampling_error(fractions(64), 8, 0, 1)
    yield equal(error, [1], "64 visits, rewards up to 8, γ = 0, C = 1: 8 / √64")
    alpha = cql_lower_bound_alpha(pi, beta, error)
    yield equal(alpha, 4, "1 / (1/4)")

    def found(price):
        return (pi * cql_minimiser(true + 1, pi, beta, price)).sum()

    yield equal(found(Fraction(4)), value, "backups 1 too high, α = 4: exactly the value 7/2")
    yield equal(value, Fraction(7, 2))
    yield below(found(Fraction(5)), value, "α = 5")
    prices = (3, 4, 5)
    held = [bool(cql_lower_bound(pi, beta, Fraction(price), error)[0]) for price in prices]
    yield equal(held, [False, True, True], "the condition at α = 3, 4, 5")
    yield exceeds(found(Fraction(3)), value, "α = 3")


the_threshold


# %%
@figure
def what_is_lowered():
    """Backups 8 and 2, μ = (1/4, 3/4), even data: Q against α. Without the data's term both fall; with it, one rises."""
    import matplotlib.pyplot as plt

    alpha = np.linspace(0, 4, 41)
    panels = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)[1]
    for ax, one, title in zip(panels, (0, 1), (r"penalty $E_\mu Q$", r"penalty $E_\mu Q - E_\beta Q$"), strict=True):
        first, second = 8 - alpha * (0.5 - one), 2 - alpha * (1.5 - one)
        ax.plot(alpha, first, label="Q(left)")
        ax.plot(alpha, second, label="Q(right)")
        ax.plot(alpha, first / 4 + 3 * second / 4, label=r"$\sum_a \mu Q$")
        for height, colour in zip((8, 2, 3.5), COLOURS, strict=False):
            ax.axhline(height, color=colour, ls=":", lw=1)
        ax.set(xlabel=r"$\alpha$", title=title)
    panels[0].set(ylabel="value (dotted: the truth)")
    panels[1].legend(loc="lower left", fontsize=8)
    return panels[0].figure


what_is_lowered

# %% [markdown]
# ## The robot under CQL
#
# *Right* never appears, so its slope $\alpha\,\mathrm{softmax}(Q)_{right}$ is positive at every Q, and descent lowers it without
# end, while *left* is held by the data. In a table the story is right, whatever α: from (8, 47) at α = 1, forty unit steps are
# enough. With a shared weight, $Q(left) = \theta$ and $Q(right) = 2\theta$, pressing on *right* presses on *left*. The slope at
# θ = 0 is $\alpha/2 - 8$, so for every α below 16 the minimum has θ > 0, and the policy goes right. (Line 455 of the document
# gives 0.5 to 10 as the usual range.)


# %%
def descended(q, steps, alpha=1.0, step=1.0):
    """Gradient descent on CQL's loss in a table; the data: left, with target 8."""
    q = np.array([q], dtype=float)
    for _ in range(steps):
        q = q - step * cql_loss_gradient(q, [LEFT], [8.0], alpha)
    return q[0]


@claim(
    "theory-396",
    says="CQL presses Q(s, right) down, Q(s, left) stays high, and the policy safely reaches left",
    verdict=Conditional(
        given="a table, after enough steps; or α large enough to outweigh the weights that left and right share"
    ),
    about=cql_loss_gradient,
)
def the_robot():
    x, y = sympy.symbols("x y", real=True)
    alpha = sympy.Symbol("alpha", positive=True)
    push = cql_loss_gradient([[x, y]], [LEFT], [8], alpha)[0, RIGHT]
    yield proved(push - alpha / (1 + sympy.exp(x - y)), "the slope at right, positive at every Q")
    left, right = descended((8, 47), 40)
    yield below(right, left, "a table, from (8, 47), α = 1, forty unit steps")
    yield below(7, left, "left stays high")
    slopes = cql_loss_gradient([[0, 0]], [LEFT], [8], alpha)[0]
    shared = slopes[LEFT] + 2 * slopes[RIGHT]
    yield proved(shared - (alpha / 2 - 8), "Q = (θ, 2θ): the slope of the loss in θ, at 0")
    yield against(bool(shared.subs(alpha, 10) < 0), "α = 10: convex and falling at 0, so θ > 0 and right is chosen")


the_robot

# %% [markdown]
# **Never, and not catastrophic?** *Right* once seen, by luck: 1 time in 100, with a backup of 47, beside *left* at 8. CQL
# takes $99\alpha$ from the one and gives α to the other. They meet at $\alpha = 39/100$; with a smaller α the hallucination is
# chosen (and with the shared weight above, with any α below 16). And pessimism chooses among what the data show: if all of it is bad, so is the choice.


# %%
@claim(
    "theory-394",
    says="CQL's policy never chooses an action that is high only by hallucination, and is not catastrophically bad",
    verdict=Conditional(
        given="α outweighs the hallucination and whatever is shared, and the data show an acceptable action"
    ),
    about=cql_minimiser,
)
def never_hallucinated():
    backups, rare = fractions((8, 47)), fractions((Fraction(99, 100), Fraction(1, 100)))
    greedy = fractions((0, 1))

    def found(alpha):
        return cql_minimiser(backups, greedy, rare, alpha)[0]

    yield equal(found(HALF), [Fraction(17, 2), Fraction(-5, 2)], "α = 1/2: 8 + 1/2 and 47 - 99/2, left is chosen")
    yield equal(found(Fraction(39, 100))[0], found(Fraction(39, 100))[1], "they meet at α = 39/100")
    weak = found(Fraction(1, 4))
    yield exceeds(weak[RIGHT], weak[LEFT], "α = 1/4: left is to be at least as high as right")
    bad = cql_minimiser(fractions((-100, -90)), fractions((0, 1)), fractions((HALF, HALF)), ONE)[0]
    yield against(bool((bad < -80).all()), "data of catastrophes only: every choice is one")


never_hallucinated

# %% [markdown]
# ## The comparison
#
# Both beat naive Q-learning where the data leave actions out: in the arm, naive learning keeps its initial 12 for *right*
# and earns −10; the other two earn 8. Where the data cover everything, and backups are right, naive Q-learning *is* optimal,
# and pessimism costs: with arms 10 and 8, pulled 1 time and 9 times in ten, IQL at τ = 0.9 and β = log 3 mixes both arms
# evenly and earns 9, and CQL at α = 1 prefers the 8.


# %%
@claim(
    "theory-397",
    says="IQL is simpler, CQL has the stronger guarantees; both outperform naive offline Q-learning by a large margin",
    verdict=Conditional(
        given="actions are missing from the data and their initial values are high; 'simpler' has no measure"
    ),
    about=(expected_q_learning, iql_value, cql_loss_gradient, cql_minimiser, iql_weights),
)
def against_naive():
    model = arm()
    naive = sweeps(model, fractions((0, 12), (0, 0)), 100)[S]
    yield equal(naive, [8, 12], "right missing: naive Q-learning goes right")
    earned = model.r[S]
    yield equal(earned[LEFT] - earned[RIGHT], 18, "and loses this much to who goes left")
    yield equal(iql_value(model, fractions((1, 0), (1, 0)), NINE_TENTHS)[S], 8, "IQL goes left")
    q = descended((8, 12), 60)
    yield below(q[RIGHT], q[LEFT], "CQL goes left")
    arms, data = gallery.bandit((10, 8)), fractions((Fraction(1, 10), NINE_TENTHS))
    full = expected_q_learning(arms, fractions((0, 0)), 1, fractions((1, 1)))
    yield equal(full, [[10, 8]], "all arms seen: naive Q-learning is right, and earns 10")
    v = iql_value(arms, data, NINE_TENTHS)
    yield equal(v, [9], "V of IQL: (.09 · 10 + .09 · 8) / .18")
    shares = np.array([sympy.Rational(1, 10), sympy.Rational(9, 10)]) * iql_weights([10, 8], [9, 9], sympy.log(3))
    yield proved(shares - sympy.Rational(3, 10), "its policy weighs both arms alike: .1 · 3 and .9 / 3")
    earns = policy_value(arms, uniform(arms))
    yield exceeds(10, earns[0], "naive learning is to earn less than IQL's even mixture")
    pessimist = cql_minimiser(full, fractions((1, 0)), data, ONE)[0]
    yield equal(pessimist, [1, 9], "CQL at α = 1: 10 - 9 and 8 + 1")
    yield against(bool(pessimist[1] > pessimist[0]), "and so pulls the worse arm")


against_naive

# %% [markdown]
# **Who asks?** The naive target reads Q at unseen actions, and CQL's log-sum-exp reads it at every action of every state; the
# three losses of IQL take Q at pairs of the data, and V. In the arm, with *right* never seen, IQL's values are 8 and 0
# whatever *right* would pay. With few actions CQL's sum is complete and nothing is sampled; with many, an average over
# sampled actions stands in for it.


# %%
@claim(
    "theory-377",
    "theory-383",
    "theory-405",
    says=r"Asks for Q outside the data: $r + \gamma\max_{a'} Q(s', a')$ yes, CQL yes (softmax sampling), IQL never",
    verdict=Holds(
        note="in training: IQL's policy may still act outside the data; CQL's samples are reweighted by their density"
    ),
    about=(dqn_targets, iql_value, cql_h_loss_gradient, cql_rho_loss, cql_rho_loss_gradient),
)
def who_asks():
    only_left = fractions((1, 0), (1, 0))
    for pays in (-10, 47, 1000):
        naive = dqn_targets(fractions(0), fractions((0, pays)), [False], NINE_TENTHS)
        yield equal(
            naive, [NINE_TENTHS * max(0, pays)], f"the unseen right believed to be worth {pays}: naive target at u"
        )
        yield equal(iql_value(arm(right_pays=pays), only_left, NINE_TENTHS), [8, 0], "V of IQL, were it so")
    x, y = sympy.symbols("x y", real=True)
    asked = cql_h_loss_gradient([[x, y]], [LEFT])[0, RIGHT]
    yield proved(asked - 1 / (1 + sympy.exp(x - y)), "CQL: the slope at the unseen action is its softmax share")
    density = [[-sympy.log(2), -sympy.log(2)]]
    sampled = cql_rho_loss([[x, y]], [x], density)[0]
    yield proved(sympy.exp(sampled) - 1 - sympy.exp(y - x), "uniform samples, one of each action: log Σ e^Q - Q(left)")
    slope = cql_rho_loss_gradient([[x, y]], [x], density)
    yield proved(slope.sampled_q[0, RIGHT] - asked, "with the same slope at right")


who_asks


# %%
@claim(
    "theory-406",
    says="Hyperparameters: τ (expectile) and β (temperature of the weights) for IQL, α (weight of the penalty) for CQL",
    verdict=Holds(note="β is an inverse temperature; discount, target copies and step sizes come on top, for both"),
    about=(iql_value, iql_weights, cql_minimiser),
)
def what_they_turn():
    arms, data = gallery.bandit((10, 8)), fractions((HALF, HALF))
    by_tau = [iql_value(arms, data, tau)[0] for tau in (HALF, Fraction(3, 4), NINE_TENTHS)]
    yield equal(by_tau, [9, Fraction(19, 2), Fraction(49, 5)], "τ moves V from the mean 9 towards 10")
    weight = [iql_weights([sympy.log(2)], [0], beta)[0] for beta in (0, 1, 3)]
    yield equal(weight, [1, 2, 8], "β = 0, 1, 3: weight of an advantage log 2; β = 0 imitates")
    by_alpha = [cql_minimiser(fractions((10, 8)), fractions((1, 0)), data, Fraction(a))[0] for a in (0, 1, 2)]
    yield equal(by_alpha, [[10, 8], [9, 9], [8, 10]], "α = 0, 1, 2 moves Q by -α and α; α = 0 is plain")


what_they_turn


# %% [markdown]
# **Use and cost.** These two rows no computation decides. The log-sum-exp does take all A values of a state where IQL's
# regression takes one. But where a network has A outputs, one pass gives them all, and IQL trains two networks more; where
# the action is an input, sampled actions cost CQL a pass each.


# %%
@claim(
    "theory-408",
    "theory-409",
    says="IQL: robot manipulation, fast (no sampling loop); CQL: games and navigation, slower (log-sum-exp over actions)",
    verdict=Qualitative(
        why="who uses what is a matter of surveys; seconds depend on the networks: with one output per action CQL needs no "
        "more passes and fewer networks, with the action as an input it needs one pass per sampled action"
    ),
)
def use_and_cost():
    return ()


use_and_cost
