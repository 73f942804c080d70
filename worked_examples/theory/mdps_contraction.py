# %% [markdown]
# # Why value iteration converges
#
# *Document `theory`, lines 48 to 61.* A practice problem: prove that the optimality operator is a contraction. The proof shown is
# sound, step by step. What is drawn from it is sometimes too much: that γ < 1 is *essential*, that value iteration *gives
# exact solutions*, that in reinforcement learning the data distribution *is* the policy.

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
    at_most,
    below,
    claim,
    differs,
    equal,
    proved,
    proved_at_most,
    shows,
    swept,
    tight,
)
from rlexact.exact.bellman import backup, bellman_optimal, bellman_policy
from rlexact.exact.contraction import contraction_modulus
from rlexact.exact.evaluation import expected_return, occupancy, policy_value
from rlexact.exact.paths import paths
from rlexact.mdp import MDP
from rlexact.plotting import convergence, figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("theory", "mdps_contraction", "Why value iteration converges")

NINE_TENTHS = Fraction(9, 10)


def norm(x):
    return max(abs(entry) for entry in x)


def gap(x, y):
    return norm([a - b for a, b in zip(x, y, strict=True)])


# %% [markdown]
# ## The operator and its modulus
#
# Two hundred pairs of rational value functions on random rational models: the operators never stretch a gap beyond γ times it,
# exactly, and a constant shift attains that.


# %%
def pairs(seed=0, count=200):
    """Random rational models with two random rational value functions each."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        mdp = gallery.random_mdp(seed + k, 3, 2, gamma=NINE_TENTHS)
        draw = [[Fraction(int(x), 7) for x in rng.integers(-50, 50, size=3)] for _ in range(2)]
        yield mdp, np.array(draw[0], dtype=object), np.array(draw[1], dtype=object)


def excess(operator):
    """How far an operator stretches the gap of a pair beyond γ times that gap; at most 0 for a γ-contraction."""
    return lambda case: (
        gap(operator(case[0], case[1]), operator(case[0], case[2])) - NINE_TENTHS * gap(case[1], case[2])
    )


@claim(
    "theory-061",
    says=r"$T^\pi$ is a γ-contraction in the maximum norm",
    verdict=Holds(),
    about=(bellman_policy, contraction_modulus),
)
def the_policy_operator_contracts():
    def one(mdp, v):
        return bellman_policy(mdp, uniform(mdp), v)

    yield swept(excess(one), pairs(), "stretch of a random rational pair beyond γ times its gap")
    loop = MDP([[["1/2", "1/2"]], [["1/3", "2/3"]]], [1, 2], NINE_TENTHS)
    v = np.array([Fraction(3), Fraction(-1)])
    shifted = one(loop, v + 1) - one(loop, v)
    yield at_most(norm(shifted), NINE_TENTHS, "a constant shift")
    yield tight(norm(shifted), NINE_TENTHS, "attains γ")
    yield equal(contraction_modulus(loop), NINE_TENTHS, "the modulus, from the row sums")


the_policy_operator_contracts


# %%
@claim(
    "theory-062",
    says=r"$(T^* V)(s) = \max_a [r(s,a) + \gamma \sum_{s'} p(s'|s,a) V(s')]$",
    verdict=Holds(note="the maximum runs over the actions that are available in s"),
    about=bellman_optimal,
)
def the_optimality_operator():
    loop = gallery.left_right_loop()
    yield equal(
        bellman_optimal(loop, np.array([Fraction(0), Fraction(0)])), [3, 10], "T 0: the best reward of each state"
    )
    yield equal(
        bellman_optimal(loop, np.array([Fraction(12), Fraction(10)])), [12, Fraction(54, 5)], "T (12, 10), by hand"
    )
    mdp = gallery.random_mdp(1, 3, 2, gamma=NINE_TENTHS)
    v = np.array([Fraction(1), Fraction(-2), Fraction(5)])
    each = [bellman_policy(mdp, policy, v) for policy in deterministic_policies(mdp)]
    yield equal(bellman_optimal(mdp, v), np.max(each, axis=0), "T* v is the best T^π v over the deterministic policies")


the_optimality_operator


# %%
@claim(
    "theory-063",
    "theory-067",
    says=r"$\|T^* V - T^* V'\|_\infty \le \gamma \|V - V'\|_\infty$, by taking the supremum over s",
    verdict=Holds(),
    about=bellman_optimal,
)
def the_optimality_operator_contracts():
    yield swept(excess(bellman_optimal), pairs(), "stretch of a random rational pair beyond γ times its gap")
    loop = gallery.half_contraction()
    low, high = np.array([Fraction(0)] * 2), np.array([Fraction(20)] * 2)
    after = gap(bellman_optimal(loop, low), bellman_optimal(loop, high))
    yield at_most(after, 10, "guesses 0 and 20 at γ = 1/2, after one sweep")
    yield tight(after, 10, "they are exactly half as far apart")


the_optimality_operator_contracts

# %% [markdown]
# ## The steps of the proof
#
# Step 2 rests on $|\max f - \max g| \le \max |f - g|$, for maxima over the *same* set of actions: at the action where f is best,
# g can only be at or below its own maximum.


# %%
def max_gap(f, g):
    """|max f - max g| and max |f - g|."""
    return abs(max(f) - max(g)), max(abs(a - b) for a, b in zip(f, g, strict=True))


@claim(
    "theory-064",
    says=r"$|\max f - \max g| \le \max |f - g|$",
    verdict=Holds(note="with both maxima attained, over the same set of actions"),
    about=max_gap,
)
def the_max_of_a_difference():
    cases = [[[Fraction(x) for x in v[:3]] for v in (one, two)] for _, one, two in pairs(seed=5)]
    yield swept(lambda case: np.subtract(*max_gap(*case)), cases, "|max f - max g| - max |f - g| for three actions")
    left, right = max_gap((Fraction(1), Fraction(0)), (Fraction(0), Fraction(0)))
    yield at_most(left, right, "f = (1, 0), g = (0, 0)")
    yield tight(left, right)
    yield equal(left, 1)
    f1, g1 = sympy.symbols("f1 g1", real=True)
    more = sympy.Symbol("d", nonnegative=True)
    yield proved_at_most(
        f1 - (g1 + more), f1 - g1, [more], "f best at action 1 and max g = g1 + d: max f - max g ≤ f1 - g1"
    )


the_max_of_a_difference


# %%
def difference_of_backups():
    """(Q V - Q V') for a two-state model whose numbers are all symbols, and γ Σ p (V - V')."""
    p = sympy.symbols("p:4", positive=True)
    r = sympy.symbols("r:4", real=True)
    gamma = sympy.Symbol("gamma", positive=True)
    v, w = (np.array(sympy.symbols(f"{name}:2", real=True), dtype=object) for name in "vw")
    P = [[[p[0], 1 - p[0]], [p[1], 1 - p[1]]], [[p[2], 1 - p[2]], [p[3], 1 - p[3]]]]
    mdp = MDP(P, [[r[0], r[1]], [r[2], r[3]]], gamma)
    onward = [gamma * (p[k] * (v[0] - w[0]) + (1 - p[k]) * (v[1] - w[1])) for k in range(4)]
    return (backup(mdp, v) - backup(mdp, w)).ravel(), onward, r


@claim(
    "theory-065",
    says="After the max inequality the rewards cancel, action by action",
    verdict=Holds(note="not before it: the two maxima may be attained by different actions"),
    about=backup,
)
def the_rewards_cancel():
    left, onward, rewards = difference_of_backups()
    yield proved([a - b for a, b in zip(left, onward, strict=True)], "Q V - Q V' = γ Σ p (V - V'), all numbers symbols")
    yield shows(not any(sympy.cancel(x).has(*rewards) for x in left), "no reward is left in it")


the_rewards_cancel


# %%
@claim(
    "theory-066",
    says=r"$|\sum p (V - V')| \le \sum p |V - V'| \le \|V - V'\|_\infty$",
    verdict=Holds(note="equality when the next state is certain and attains the norm"),
    about=backup,
)
def the_triangle_inequality():
    a, b, p = sympy.symbols("a b p", nonnegative=True)
    mean = p * a + (1 - p) * b
    yield proved(
        (p * a + (1 - p) * (-b)) ** 2 - mean**2 + 4 * p * (1 - p) * a * b,
        "mixed signs: |Σ| is less by 4p(1-p)ab under the square",
    )
    certain = MDP([[["0", 1]], [[0, 1]]], [0, 0], NINE_TENTHS)
    v, w = np.array([Fraction(0), Fraction(7)]), np.array([Fraction(1), Fraction(2)])
    moved = norm((backup(certain, v) - backup(certain, w)).ravel())
    yield at_most(moved, NINE_TENTHS * gap(v, w), "a certain next state")
    yield tight(moved, NINE_TENTHS * gap(v, w), "attains it")


the_triangle_inequality

# %% [markdown]
# ## What follows
#
# Convergence from any start holds for finite models with γ < 1.


# %%
def sweeps(mdp, v, count):
    """v, T v, T² v, …"""
    found = [v]
    for _ in range(count):
        found.append(bellman_optimal(mdp, found[-1]))
    return found


@claim(
    "theory-068",
    says="Value iteration converges to V* from any initial V",
    verdict=Holds(note="for finitely many states and γ < 1; on a countable chain V(n) = 2^n at γ = 1/2 never moves"),
    about=bellman_optimal,
)
def from_anywhere():
    loop = gallery.left_right_loop()
    truth = [Fraction(300, 19), Fraction(270, 19)]
    for start in ((0, 0), (10**6, -(10**6))):
        v = np.array([Fraction(x) for x in start], dtype=object)
        errors = [gap(x, truth) for x in sweeps(loop, v, 40)]
        yield shows(
            all(e <= NINE_TENTHS**k * errors[0] for k, e in enumerate(errors)),
            f"from {start}: error ≤ .9^k × the first, 40 sweeps",
        )
        yield below(errors[-1], errors[0] / 50, "and it has fallen")


from_anywhere


# %%
@claim(
    "theory-069",
    says="γ < 1 is essential for the convergence of value iteration",
    verdict=Conditional(
        given="a guarantee for every finite model is meant; models whose policies all end converge at γ = 1 too"
    ),
    about=bellman_optimal,
)
def is_a_discount_essential():
    swap = MDP([[["0", 1]], [[1, 0]]], [0, 0], 1)
    start = np.array([Fraction(0), Fraction(1)])
    yield equal(sweeps(swap, start, 2)[1:], [[1, 0], [0, 1]], "γ = 1: two states that swap oscillate for ever")
    paid = MDP([[["1"]]], [1], 1)
    yield equal(
        [v[0] for v in sweeps(paid, np.array([Fraction(0)]), 4)],
        [0, 1, 2, 3, 4],
        "γ = 1: a paid loop grows without bound",
    )
    chain = gallery.three_state_chain(Fraction(1))
    last = sweeps(chain, np.array([Fraction(7), Fraction(-3), Fraction(100)]), 3)[-1]
    yield equal(last, [8, 9, 10], "γ = 1: the chain that ends")
    yield against(
        bool((last == policy_value(chain, uniform(chain))).all()), "is exact after three sweeps from anywhere"
    )


is_a_discount_essential


# %%
@figure
def errors_of_value_iteration():
    """Value iteration on the two-state loop: from both starts the error falls below the γ^k line and stays there."""
    loop = gallery.left_right_loop()
    truth = [Fraction(300, 19), Fraction(270, 19)]
    starts = {"from (0, 0)": (0, 0), "from (20, 20)": (20, 20)}
    errors = {
        label: [gap(v, truth) for v in sweeps(loop, np.array([Fraction(x) for x in start]), 40)]
        for label, start in starts.items()
    }
    return convergence(errors, gamma=0.9).figure


errors_of_value_iteration


# %%
@claim(
    "theory-072",
    says="Value iteration gives exact solutions when p is known",
    verdict=Conditional(
        given="γ = 0, or a start at V*, or every policy ends within a fixed number of steps; else only in the limit"
    ),
    about=bellman_optimal,
)
def is_value_iteration_exact():
    chain = gallery.three_state_chain()
    v = sweeps(chain, np.array([Fraction(0)] * 3), 3)[-1]
    yield equal(v, [Fraction(31, 5), 8, 10], "the chain that ends: exact after three sweeps")
    stay = gallery.go_then_stay()
    iterates = sweeps(stay, np.array([Fraction(0)] * 2), 30)
    yield equal(
        [x[1] for x in iterates],
        [10 * (1 - NINE_TENTHS**k) for k in range(31)],
        "go, then stay: V_k(B) = 10 (1 - .9^k)",
    )
    yield differs(iterates[-1][1], Fraction(10), "so no sweep ever gives V*(B) = 10")


is_value_iteration_exact

# %% [markdown]
# ## Data, dynamics and gradients
#
# "The data distribution is the policy": what is visited depends on the policy *and* on the dynamics and the start, and not at all
# on the policy that is learned when the data were collected by another. And the objective $J(\theta)$ is one fixed function; what
# shifts is the law that samples are drawn from.


# %%
@claim(
    "theory-070",
    says="In supervised learning the data distribution is fixed; in RL it depends on the policy and changes with it",
    verdict=Conditional(
        given="the data are collected by the policy being learned, and its actions affect what is visited"
    ),
    about=occupancy,
)
def the_data_follow_the_policy():
    loop = gallery.left_right_loop()
    back = occupancy(loop, deterministic(loop, ["right", "left"]))
    yield equal(back, [Fraction(10, 19), Fraction(9, 19)], "walking the loop: .1/(1 - .81)")
    stays = occupancy(loop, deterministic(loop, ["left", "left"]))
    yield equal(stays, [1, 0], "staying at A")
    yield shows(bool((back != stays).all()), "another policy, other data")
    yield differs(
        stays,
        back,
        "data that the stay-at-A policy collected, for learning the loop: the data's law, and the learned policy's",
    )


the_data_follow_the_policy


# %% [markdown]
# The log-derivative trick removes the dynamics from the *integrand*: $\nabla \log P_\theta(\tau)$ has no transition term, since none depends
# on θ. The gradient itself still depends on them, through the law that paths are drawn from. A two-step model with a
# one-parameter policy shows both.


# %%
def two_chances(q):
    """Act once; 'try' reaches the second decision with probability q, where trying again pays 1 for sure."""
    table = {
        ("first", "try"): [(q, "second", 0, False), (1 - q, None, 0, True)],
        ("first", "quit"): [(Fraction(1), None, Fraction(1, 10), True)],
        ("second", "try"): [(Fraction(1), None, 1, True)],
        ("second", "quit"): [(Fraction(1), None, 0, True)],
    }
    return MDP.from_outcomes(table, Fraction(1), "first", states=("first", "second"), actions=("try", "quit"))


def score_sum(q):
    """E[R(τ) Σ_t ∂ log π(a_t)] at x = 1/2 for π(try) = x: an average over every path, no derivative of the dynamics."""
    half = np.full((2, 2), Fraction(1, 2), dtype=object)
    score = {0: Fraction(2), 1: Fraction(-2)}
    return sum(
        path.probability * sum(path.rewards) * sum(score[a] for a in path.actions)
        for path in paths(two_chances(q), half, 2)
    )


def slope(q):
    """dJ/dx at x = 1/2, by differentiating the solved J as a function of x."""
    x = sympy.Symbol("x", positive=True)
    mdp = two_chances(q).to_symbolic()
    j = expected_return(mdp, np.array([[x, 1 - x], [x, 1 - x]], dtype=object))
    return sympy.diff(j, x).subs(x, sympy.Rational(1, 2))


@claim(
    "theory-071",
    "theory-073",
    says="Value iteration needs p. Policy gradients need only samples: in the log-derivative the dynamics cancel",
    verdict=Holds(
        note="they vanish from the score, not from the gradient: dynamics that depend on θ, or other dynamics, change it"
    ),
    about=(paths, expected_return, backup),
)
def dynamics_leave_the_score():
    for q, by_hand in ((Fraction(1, 2), Fraction(2, 5)), (Fraction(1), Fraction(9, 10))):
        yield equal(score_sum(q), by_hand, f"average of return × score over every path, q = {q}")
        yield equal(slope(q), by_hand, f"derivative of the solved objective, q = {q}")
    best = [backup(two_chances(q), np.array([Fraction(0), Fraction(1)]))[0] for q in (Fraction(1, 2), Fraction(1))]
    yield equal(
        best, [[Fraction(1, 2), Fraction(1, 10)], [1, Fraction(1, 10)]], "a backup differs with q: it must be known"
    )


dynamics_leave_the_score
