# %% [markdown]
# # Values and returns, with the missing conditions
#
# *Document `intro`, lines 13 to 24.* A short page that leaves symbols out on purpose, and says so. Most of what it leaves out
# can be read back in. Two things cannot: which distribution $d_\pi$ is, and that a *state* value cannot stand where its symbol
# ψ will be used. Here is each line with the condition under which it is right, and a number that shows what happens without.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import Conditional, Holds, Section, against, claim, differs, equal, proved, shows
from rlexact.exact.evaluation import action_value, expected_return, occupancy, policy_value, visits
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect
from rlexact.exact.stationary import stationary
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("intro", "values_and_returns", "Values and returns, with the missing conditions")

NINE_TENTHS = Fraction(9, 10)

# %% [markdown]
# ## The discount
#
# $\gamma^t = e^{-t \ln(1/\gamma)}$ decays exponentially for $0 < \gamma < 1$. The page gives no range, and at $\gamma = 1$, which
# is the usual choice for episodes, nothing decays.


# %%
def row_of(rewards, gamma):
    """States in a row, one step each and then the end; the step out of state t pays rewards[t]."""
    last = len(rewards) - 1
    one = gamma * 0 + 1
    table = [[[(one, None if t == last else t + 1, reward, t == last)]] for t, reward in enumerate(rewards)]
    return MDP.from_outcomes(table, gamma, 0)


@claim(
    "intro-001",
    says=r"$\gamma^t$ decays exponentially with t",
    verdict=Conditional(given="0 < γ < 1; at γ = 1 it is constant"),
    about=visits,
)
def the_weights():
    gamma = sympy.Symbol("gamma", positive=True)
    row = row_of([sympy.Integer(0)] * 5, gamma)
    weights = visits(row, uniform(row))
    yield proved([w - sympy.exp(t * sympy.log(gamma)) for t, w in enumerate(weights)], "the weight of step t")
    yield equal(
        [w.subs(gamma, sympy.Rational(1, 2)) for w in weights[:3]], [1, Fraction(1, 2), Fraction(1, 4)], "γ = 1/2"
    )
    flat = row_of([Fraction(0)] * 5, Fraction(1))
    yield differs([1, NINE_TENTHS, NINE_TENTHS**2], visits(flat, uniform(flat))[:3], "γ = 1: no decay")


the_weights

# %% [markdown]
# Discounting alone does not keep a total finite. It does for rewards bounded by $r$, by $r/(1-\gamma)$. Rewards that grow by
# 10/9 a step undo γ = 9/10 exactly: each step then adds 1.


# %%
@claim(
    "intro-002",
    says="Discounting prevents infinite rewards",
    verdict=Conditional(
        given="γ < 1 and rewards are bounded; growing rewards, or γ = 1, can still add up without limit"
    ),
    about=(policy_value, expected_return),
)
def finite_totals():
    for_ever = MDP([[["1"]]], [1], NINE_TENTHS)
    yield equal(policy_value(for_ever, uniform(for_ever)), [10], "1 for ever at γ = 9/10")
    totals = []
    for steps in (5, 50):
        growing = row_of([Fraction(10, 9) ** t for t in range(steps)], NINE_TENTHS)
        totals.append(expected_return(growing, uniform(growing)))
    yield differs([10, 10], totals, "rewards (10/9)^t at γ = 9/10, 5 and 50 steps")
    yield equal(totals, [5, 50], "they add up to the number of steps, without limit")


finite_totals


# %%
@claim(
    "intro-003",
    says="Discounting makes the agent a bit more short-sighted",
    verdict=Holds(note="how much is γ's to say: here the choice flips at γ = 2^(-1/10) ≈ 0.9330"),
    about=action_value,
)
def short_sight():
    for gamma, early in ((NINE_TENTHS, True), (Fraction(99, 100), False)):
        model = gallery.two_streams(gamma)
        now, later = action_value(model, uniform(model))[0]
        yield equal(
            [now, later],
            [1 / (1 - gamma), 2 * gamma**10 / (1 - gamma)],
            f"1 now for ever, or 2 after ten steps, γ = {gamma}",
        )
        yield shows((now > later) == early, "the early stream is better" if early else "the late stream is better")


short_sight

# %% [markdown]
# ## Return and value
#
# The prose sums *all the rewards*, the formula weighs them. Both are called the return; they agree at γ = 1.


# %%
@claim(
    "intro-004",
    says="Summing all the rewards that follow gives the return",
    verdict=Conditional(given="γ = 1, or the sum is meant with its weights γ^t, as in the formula below it"),
    about=expect,
)
def the_return():
    gamma = Fraction(9, 10)
    row = row_of([Fraction(-1), -1, 10], gamma)
    plain = expect(row, uniform(row), 3, lambda path: sum(path.rewards))
    weighed = expect(row, uniform(row), 3, lambda path: sum(gamma**t * r for t, r in enumerate(path.rewards)))
    yield equal(weighed, Fraction(31, 5), "-1, -1, 10 at γ = 9/10, weighed: what V is the mean of")
    yield differs(plain, weighed, "the plain sum")
    undiscounted = row_of([Fraction(-1), -1, 10], Fraction(1))
    yield equal(policy_value(undiscounted, uniform(undiscounted))[0], plain, "at γ = 1 the value is the plain sum")


the_return


# %%
@claim(
    "intro-005",
    says=r"$V(s) = \mathbb{E}[\sum_{t=0}^\infty \gamma^t R(s_t, a_t)]$",
    verdict=Conditional(
        given="s_0 = s and one policy π chooses every action; as printed the right side depends on neither"
    ),
    about=(policy_value, expected_return),
)
def the_value():
    loop = gallery.left_right_loop()
    v = policy_value(loop, deterministic(loop, ["right", "right"]))
    yield equal(v, [12, 10], "right everywhere, from A: 3 + .9 · 10; from B: 10")
    unconditioned = expected_return(
        loop.replace(initial=[Fraction(1, 2), Fraction(1, 2)]), deterministic(loop, ["right"] * 2)
    )
    yield equal(unconditioned, 11, "started evenly: (12 + 10)/2")
    yield differs([unconditioned, unconditioned], v, "without s_0 = s: one number for every state")
    other = policy_value(loop, deterministic(loop, ["left", "right"]))
    yield differs(v, other, "without π: left in A makes another V")
    yield equal(other, [10, 10], "1 for ever from A")


the_value

# %% [markdown]
# *In practice V is not computed but approximated.* For a model that is known and small it is one linear solve. An approximation
# is what its family can hold: a straight line through the values 6.2, 8, 10 of a chain misses each of them.


# %%
def straight_line(values):
    """The least-squares line through values at 0, 1, 2, by its normal equations."""
    mean, slope = sum(values) / 3, (values[2] - values[0]) / 2
    return [mean + slope * (k - 1) for k in range(3)]


@claim(
    "intro-006",
    says="In practice V(s) is not computed analytically; a parametrised function is learned to approximate it",
    verdict=Conditional(given="the model is unknown or too large; a known finite one is solved exactly"),
    about=(policy_value, straight_line),
)
def learned_or_solved():
    chain = gallery.three_state_chain()
    v = policy_value(chain, uniform(chain))
    line = straight_line(v)
    yield equal([a - b for a, b in zip(line, v, strict=True)], [Fraction(-1, 30), Fraction(1, 15), Fraction(-1, 30)],
                "a line fitted to V approximates it, off by")  # fmt: skip
    yield equal(v, [Fraction(31, 5), 8, 10], "the solve")
    yield against(bool(v[0] == -1 - NINE_TENTHS + 10 * NINE_TENTHS**2), "V(A) is had analytically, exactly")


learned_or_solved

# %% [markdown]
# *ψ represents the value.* Later the page multiplies ψ by $\nabla\log\pi(a|s)$. If ψ is the V(s) of this line, the product has mean zero in
# every state, since V(s) does not depend on the action and probabilities sum to 1. It is the value *of the action*, Q, that
# has to stand there.


# %%
def bandit_slope(psi):
    """Σ_a π(a) ψ(a) ∇log π(a) in the bandit that pays 1 and 3, at even odds, by hand: scores ±1/2."""
    return [
        sum(Fraction(1, 2) * p * (Fraction(1, 2) if a == k else -Fraction(1, 2)) for a, p in enumerate(psi))
        for k in (0, 1)
    ]


@claim(
    "intro-007",
    says="ψ stands for the value",
    verdict=Conditional(
        given="the value of the action, Q(s, a) or one that differs from it by a function of s; with V(s) every gradient is 0"
    ),
    about=(policy_gradient, policy_value),
)
def which_value():
    arms = gallery.two_armed_bandit()
    slope = policy_gradient(arms, softmax_at(arms, uniform(arms)))[0]
    yield equal(slope, bandit_slope([1, 3]), "ψ = Q: the gradient of the bandit, (-1/2, 1/2)")
    v = policy_value(arms, uniform(arms))[0]
    yield equal(v, 2, "V of the only state")
    yield equal(slope, bandit_slope([1 - v, 3 - v]), "ψ = Q - V: the same")
    yield differs(bandit_slope([v, v]), slope, "ψ = V")


which_value

# %% [markdown]
# ## The policy and its return
#
# A function from state to action is a *deterministic* policy, one of $\prod_s |A(s)|$. Eight lines later the page writes
# $\pi(a|s)$ and takes its logarithm, which is a distribution. The even policy of the two-state loop is none of the four functions, and
# has none of their values.


# %%
@claim(
    "intro-008",
    says="A policy is a function that takes a state and outputs an action",
    verdict=Conditional(
        given="it is deterministic; in general it outputs a distribution, which the log π(a|s) of the same page needs"
    ),
    about=(deterministic_policies, policy_value),
)
def functions_and_distributions():
    loop = gallery.left_right_loop()
    functions = list(deterministic_policies(loop))
    tables = {tuple(int(p) for p in policy.ravel()) for policy in functions}
    yield equal(tables, {(1, 0, 1, 0), (1, 0, 0, 1), (0, 1, 1, 0), (0, 1, 0, 1)}, "2 · 2 functions of the state")
    values = [policy_value(loop, policy)[0] for policy in functions]
    yield equal(sorted(values), [10, 10, 12, Fraction(300, 19)], "their values at A, by hand")
    even = policy_value(loop, uniform(loop))[0]
    yield equal(even, Fraction(1700, 139), "the even policy: (2 + .45 · 5) / (.55 - .2025)")
    yield against(all(even != v for v in values), "is worth none of those: it is no function of the state")


functions_and_distributions


# %% [markdown]
# Following π induces a distribution of states, and several deserve the name: of the state at time t, of the discounted visits, of the
# long run. For two states, where the move to the second has chance $x$ from everywhere and the walk starts in the first, all are
# known by hand, and all differ.


# %%
def salad_and_poison(x, gamma):
    """Salad pays 1 and poison -1 a bite; the next bite is poison with chance x, whatever this one was.  Starts with salad."""
    one = gamma * 0 + 1
    eat = [[one, 0 * one], [0 * one, one]]
    mdp = MDP([eat, eat], [[1, 1], [-1, -1]], gamma, initial=[one, 0 * one])
    return mdp, [[1 - x, x], [1 - x, x]]


@claim(
    "intro-009",
    says=r"Following π induces a distribution $d_\pi(s)$ of states",
    verdict=Holds(note="which one has to be said: discounted visits and the long run differ, and both move with π"),
    about=(occupancy, stationary),
)
def induced():
    x, gamma = sympy.symbols("x gamma", positive=True)
    mdp, pi = salad_and_poison(x, gamma)
    d = occupancy(mdp, pi)
    yield proved([d[0] - (1 - gamma * x), d[1] - gamma * x], "discounted: (1 - γx, γx)")
    yield proved(sum(d) - 1, "a distribution")
    third = Fraction(1, 3)
    yield equal(stationary(*salad_and_poison(third, NINE_TENTHS)), [1 - third, third], "in the long run: (1 - x, x)")


induced

# %% [markdown]
# The return of a policy is $\sum_s \rho_0(s) V(s)$, with the law $\rho_0$ of the *first* state. With a distribution that π induces the sum is
# something else. For salad and poison, $m = 1 - 2x$ and $V(salad) = 1 + \gamma m/(1-\gamma)$; weighing V with the discounted visits subtracts
# $2\gamma x$. With the long-run distribution it gives the mean reward over $1 - \gamma$ (Sutton and Barto 2018, §10.4). It is
# the return again if the walk starts in that distribution.


# %%
@claim(
    "intro-010",
    says=r"$J(\theta) = \sum_s d_\pi(s) V_\pi(s)$",
    verdict=Conditional(
        given="d is the law of the first state; with the states that π goes on to visit the sum is not the return"
    ),
    about=(policy_value, occupancy, expected_return),
)
def return_of_a_policy():
    x, gamma = sympy.symbols("x gamma", positive=True)
    mdp, pi = salad_and_poison(x, gamma)
    v, m = policy_value(mdp, pi), 1 - 2 * x
    by_hand = 1 + gamma * m / (1 - gamma)
    yield proved([v[0] - by_hand, v[1] - by_hand + 2], "V by hand")
    yield proved(expected_return(mdp, pi) - by_hand, "weighed with the law of the first state: the return")
    weighed = sum(d * w for d, w in zip(occupancy(mdp, pi), v, strict=True))
    yield proved(weighed - by_hand + 2 * gamma * x, "weighed with the discounted visits: less by 2γx")
    long_run = (1 - x) * v[0] + x * v[1]
    yield proved(long_run - m / (1 - gamma), "weighed with the long run: the mean reward over 1 - γ")
    settled = mdp.replace(initial=[1 - x, x])
    yield proved(expected_return(settled, pi) - long_run, "which is the return of a walk that starts there")
    numbers = {x: sympy.Rational(1, 3), gamma: sympy.Rational(9, 10)}
    yield differs([e.subs(numbers) for e in (weighed, long_run)], [by_hand.subs(numbers)] * 2, "x = 1/3, γ = .9")


return_of_a_policy


# %%
@figure
def three_readings():
    """Salad and poison at γ = 0.5: three distributions, three answers; only the law of the first state gives the return."""
    from matplotlib import pyplot as plt

    x = np.linspace(0, 1, 50)
    start = 1 + (1 - 2 * x)
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    readings = {"first state: the return": start, "discounted visits": start - x, "long run": 2 * (1 - 2 * x)}
    for colour, (label, values) in zip(COLOURS, readings.items(), strict=False):
        ax.plot(x, values, color=colour, label=label)
    ax.set(xlabel="chance of poison x", ylabel=r"$\sum_s d(s)\,V(s)$")
    ax.legend()
    return fig


three_readings
