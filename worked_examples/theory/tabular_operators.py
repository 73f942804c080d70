# %% [markdown]
# # Tables, operators, and the fixed-point theorem
#
# *Document `theory`, lines 252 to 267.* Before networks there were tables, and their guarantees. The section counts table
# entries, states policy evaluation, policy improvement and value iteration (their displays are lost), proves that $T^\pi$ is a
# contraction, and concludes by Banach's theorem. The proof is sound. Around it: a count of images that is too small by
# seventy thousand orders of magnitude, and a conclusion about $V^*$ and value iteration drawn from a proof about $T^\pi$.

# %%
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    at_most,
    below,
    claim,
    close,
    equal,
    exceeds,
    printed,
    proved,
    same_as,
    shows,
    sourced,
    tight,
)
from rlexact.exact.bellman import bellman_optimal, bellman_policy, greedy
from rlexact.exact.evaluation import policy_value
from rlexact.mdp import MDP
from rlexact.plotting import convergence, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("theory", "tabular_operators", "Tables, operators, and the fixed-point theorem")

NINE_TENTHS = Fraction(9, 10)


def norm(x):
    return max(abs(entry) for entry in x)


def iterates(operator, v, count):
    """v, T v, T² v, … (count + 1 of them)."""
    found = [np.array([Fraction(x) for x in v], dtype=object)]
    for _ in range(count):
        found.append(operator(found[-1]))
    return found


# %% [markdown]
# ## Guarantees, and their conditions
#
# "These methods have convergence guarantees." They do, under conditions. With exact backups and γ < 1 the error shrinks by γ each
# sweep. From samples, a table with a constant step size never settles: the variance of its estimate stays at
# $\alpha/(2-\alpha)$ times that of the target. And what is lost with function approximation can be seen in two numbers: features 1
# and 2 for two states, the second leading to itself, and a semi-gradient update that grows by 27/25 at every step.


# %%
def variance_after(alpha, steps):
    """Exact variance of a constant-step estimate of a fair ±1 reward, started at 0 (γ = 0)."""
    variance = Fraction(0)
    for _ in range(steps):
        variance = (1 - alpha) ** 2 * variance + alpha**2
    return variance


def growth_per_update(alpha, gamma):
    """w → w + α (γ · 2w − w): the first state's update toward the second's value, features 1 and 2, no reward."""
    return 1 + alpha * (2 * gamma - 1)


@claim(
    "theory-299",
    says="Tabular methods have convergence guarantees that deep RL lacks",
    verdict=Conditional(
        given="exact backups with γ < 1, or samples with every pair visited for ever, Σα = ∞ and Σα² < ∞"
    ),
    about=(bellman_optimal, variance_after, growth_per_update),
)
def guarantees_have_conditions():
    loop = gallery.left_right_loop()
    truth = np.array([Fraction(300, 19), Fraction(270, 19)])
    errors = [norm(v - truth) for v in iterates(lambda v: bellman_optimal(loop, v), (0, 0), 30)]
    yield shows(
        all(e <= NINE_TENTHS**k * errors[0] for k, e in enumerate(errors)), "exact backups: error ≤ .9^k × the first"
    )
    yield below(errors[-1], errors[0] / 20, "and it falls")
    alpha = Fraction(1, 10)
    limit = alpha / (2 - alpha)
    yield equal(limit, Fraction(1, 19), "the variance at which a constant step of 1/10 stays")
    yield equal(
        limit - variance_after(alpha, 200), (1 - alpha) ** 400 * limit, "it is approached from below, by (1 - α)^2k"
    )
    yield exceeds(
        variance_after(alpha, 200), Fraction(1, 20), "a table that is not settling: variance after 200 updates"
    )
    yield equal(growth_per_update(alpha, NINE_TENTHS), Fraction(27, 25), "with features 1, 2 the same update grows")


guarantees_have_conditions

# %% [markdown]
# ## How large a table is


# %%
@claim("theory-300", says="100 states and 4 actions make a Q table of 400 numbers", verdict=Holds())
def a_table_of_400():
    yield equal(printed("400"), printed("100").value * printed("4").value)


a_table_of_400


# %%
def images(pixels, levels):
    """log10 of the number of different images."""
    return pixels * math.log10(levels)


@claim(
    "theory-301",
    says="For images, |S| is about 10^30",
    verdict=Wrong(
        because="10^30 is about 2^100: the number of black-and-white images of 10 × 10 pixels",
        instead="an Atari frame of 210 × 160 pixels in 128 colours has 128^33600 ≈ 10^70802 values; four 84 × 84 grey frames, 10^67970",
    ),
    about=images,
)
def how_many_images():
    yield against(
        128 ** (210 * 160) > 10**70_000, "one Atari frame has more than 10^70000 values, compared as integers"
    )
    yield close(
        images(210 * 160, 128), 70802.25, tol=0.01, because="two decimals of a logarithm", what="log10 of 128^33600"
    )
    yield close(
        images(4 * 84 * 84, 256), 67970.16, tol=0.01, because="two decimals of a logarithm", what="log10 of 256^28224"
    )
    yield shows(2**99 < 10**30 < 2**100, "2^99 < 10^30 < 2^100")
    yield sourced("Bellemare et al. (2013), §2: Atari frames have 160 × 210 pixels in 128 colours")


how_many_images

# %% [markdown]
# ## The three lost displays
#
# Policy evaluation $V_{k+1} = T^\pi V_k$ (Sutton and Barto 2018, (4.5)), policy improvement
# $\pi_{k+1}(s) \in \arg\max_a [r + \gamma \sum p V^{\pi_k}]$ with $V^{\pi_{k+1}} \ge V^{\pi_k}$ ((4.7) to (4.9)), and value
# iteration $V_{k+1} = T^* V_k$ ((4.10)).


# %%
@claim(
    "theory-302",
    says=r"(lost display) $V_{k+1}(s) = \sum_a \pi(a|s) [r(s,a) + \gamma \sum_{s'} p(s'|s,a) V_k(s')]$ converges to $V^\pi$",
    verdict=Holds(),
    about=(bellman_policy, policy_value),
)
def iterative_policy_evaluation():
    loop = gallery.left_right_loop()
    pi = deterministic(loop, ["right", "left"])
    found = iterates(lambda v: bellman_policy(loop, pi, v), (0, 0), 20)
    partial = [3 * sum((NINE_TENTHS**2) ** j for j in range((k + 1) // 2)) for k in range(21)]
    yield equal([v[0] for v in found], partial, "V_k(A) from 0: the partial sums 3 + 3·.81 + …")
    yield equal(
        policy_value(loop, pi)[0] - found[20][0], NINE_TENTHS**20 * Fraction(300, 19), "what is missing after 20"
    )


iterative_policy_evaluation


# %%
@claim(
    "theory-303",
    says="(lost display) The greedy policy of V^π is at least as good as π everywhere",
    verdict=Holds(note="and strictly better somewhere, unless π is optimal already"),
    about=(greedy, policy_value),
)
def policy_improvement():
    loop = gallery.left_right_loop()
    first = deterministic(loop, ["right", "right"])
    second = greedy(loop, policy_value(loop, first))
    yield equal(policy_value(loop, first), [12, 10], "right at both: 3 + .9 · 10, and 10")
    yield equal(second, deterministic(loop, ["right", "left"]), "its greedy policy goes back from B")
    yield equal(policy_value(loop, second), [Fraction(300, 19), Fraction(270, 19)], "and is better in both states")
    for seed in range(20):
        mdp = gallery.random_mdp(seed)
        v = policy_value(mdp, uniform(mdp))
        better = policy_value(mdp, greedy(mdp, v))
        yield shows(
            bool((better >= v).all() and (better > v).any()),
            f"random rational model {seed}: no worse anywhere, better somewhere",
        )


policy_improvement


# %%
@claim(
    "theory-304",
    says=r"(lost display) $V_{k+1}(s) = \max_a [r(s,a) + \gamma \sum_{s'} p(s'|s,a) V_k(s')]$",
    verdict=Holds(note="one sweep evaluates the greedy policy for a single step, and improves at the next"),
    about=(bellman_optimal, greedy),
)
def one_sweep_of_value_iteration():
    loop = gallery.left_right_loop()
    found = iterates(lambda v: bellman_optimal(loop, v), (0, 0), 3)
    yield equal(found[1:], [[3, 10], [12, 10], [12, Fraction(54, 5)]], "by hand, from 0")
    yield equal(greedy(loop, found[0]), deterministic(loop, ["right", "right"]), "greedy for 0: the best rewards")
    for v in found[:3]:
        yield equal(
            bellman_policy(loop, greedy(loop, v), v), bellman_optimal(loop, v), "one backup of the greedy policy"
        )


one_sweep_of_value_iteration

# %% [markdown]
# ## The contraction proof, step by step
#
# With all numbers symbols, the steps become identities; the inequality is the triangle inequality, an equality when the
# differences have one sign.

# %%
t_pi_contracts = same_as("theory-305", of="theory-061", says="$T^\\pi$ is a γ-contraction in the maximum norm")
t_pi_contracts


# %%
def symbolic_case():
    """A two-state, two-action model and policy of symbols, with two value functions."""
    p = sympy.symbols("p:4", positive=True)
    r = sympy.symbols("r:4", real=True)
    x, y, gamma = sympy.symbols("x y gamma", positive=True)
    v, w = (np.array(sympy.symbols(f"{name}:2", real=True), dtype=object) for name in "vw")
    P = [[[p[0], 1 - p[0]], [p[1], 1 - p[1]]], [[p[2], 1 - p[2]], [p[3], 1 - p[3]]]]
    mdp = MDP(P, [[r[0], r[1]], [r[2], r[3]]], gamma)
    return mdp, np.array([[x, 1 - x], [y, 1 - y]], dtype=object), v, w, p


@claim(
    "theory-306",
    "theory-307",
    says=r"$(T^\pi V)(s) = \sum_a \pi [r + \gamma \sum p V]$, and in a difference of two the rewards cancel",
    verdict=Holds(),
    about=bellman_policy,
)
def rewards_cancel():
    mdp, pi, v, w, p = symbolic_case()
    r = mdp.r
    written_out = [
        sum(pi[s, a] * (r[s, a] + mdp.gamma * (p[2 * s + a] * v[0] + (1 - p[2 * s + a]) * v[1])) for a in range(2))
        for s in range(2)
    ]
    left = bellman_policy(mdp, pi, v)
    yield proved([a - b for a, b in zip(left, written_out, strict=True)], "T^π V written out, all numbers symbols")
    difference = left - bellman_policy(mdp, pi, w)
    onward = [
        mdp.gamma
        * sum(pi[s, a] * (p[2 * s + a] * (v[0] - w[0]) + (1 - p[2 * s + a]) * (v[1] - w[1])) for a in range(2))
        for s in range(2)
    ]
    yield proved([a - b for a, b in zip(difference, onward, strict=True)], "T^π V - T^π V' has no reward in it")


rewards_cancel


# %%
@claim(
    "theory-308",
    "theory-309",
    says=r"Steps 2 and 3: $|\gamma \sum \pi p (V - V')| \le \gamma \sum \pi p |V - V'| \le \gamma \sum \pi p \, \|V - V'\|_\infty$",
    verdict=Holds(note="the first is an equality when V - V' has one sign, both when it is constant"),
    about=bellman_policy,
)
def triangle_and_norm():
    model = MDP([[["1/2", "1/2"]], [["1/3", "2/3"]]], [1, 2], NINE_TENTHS)
    pi = uniform(model)
    rows = [[Fraction(1, 2), Fraction(1, 2)], [Fraction(1, 3), Fraction(2, 3)]]

    def three(d):
        d = [Fraction(x) for x in d]
        zero = np.array([Fraction(0)] * 2)
        moved = bellman_policy(model, pi, np.array(d)) - bellman_policy(model, pi, zero)
        inside = [NINE_TENTHS * sum(p * abs(x) for p, x in zip(row, d, strict=True)) for row in rows]
        return [abs(x) for x in moved], inside, NINE_TENTHS * norm(d)

    moved, inside, outside = three((3, -1))
    yield equal(moved, [Fraction(9, 10), Fraction(3, 10)], "mixed signs (3, -1): .9 · 1 and .9/3")
    yield at_most(moved, inside, "mixed signs, step 2")
    yield at_most(inside, outside, "mixed signs, step 3")
    moved, inside, outside = three((2, 2))
    yield tight(moved[0], inside[0], "a constant difference attains step 2")
    yield tight(inside[0], outside, "and step 3")


triangle_and_norm


# %%
@claim(
    "theory-310",
    says="Step 4: the probabilities sum to 1, which leaves γ times the norm",
    verdict=Holds(note="where a step can end the episode the sum is below 1, the '=' a '≤', and the bound stands"),
    about=bellman_policy,
)
def probabilities_sum_to_one():
    model = MDP([[["1/2", "1/2"]], [["1/3", "2/3"]]], [1, 2], NINE_TENTHS)
    pi, v = uniform(model), np.array([Fraction(4), Fraction(-2)])
    yield equal(
        bellman_policy(model, pi, v + 1) - bellman_policy(model, pi, v),
        [NINE_TENTHS] * 2,
        "a shift by 1 moves T^π by γ",
    )
    ends = gallery.three_state_chain()
    zero = np.array([Fraction(0)] * 3)
    moved = bellman_policy(ends, uniform(ends), zero + 1) - bellman_policy(ends, uniform(ends), zero)
    yield equal(moved, [NINE_TENTHS, NINE_TENTHS, 0], "at C, where the episode ends, by 0")


probabilities_sum_to_one

# %% [markdown]
# ## Banach's theorem and what is drawn from it
#
# The theorem needs a complete space and *one* modulus below 1 for all pairs. On (0, 1] the map $x/2$ contracts and has no fixed point
# there; on [0, ∞) the map $x + 1/(1+x)$ brings every two points closer and has none at all.


# %%
@claim(
    "theory-311",
    says="A contraction has a unique fixed point, and iterating it converges to it",
    verdict=Conditional(given="the space is complete, the map stays in it, and one modulus below 1 serves all pairs"),
    about=(bellman_policy, policy_value),
)
def banach():
    model = MDP([[["1/2", "1/2"]], [["1/3", "2/3"]]], [1, 2], NINE_TENTHS)
    pi = uniform(model)
    fixed = policy_value(model, pi)
    yield equal(bellman_policy(model, pi, fixed), fixed, "R²: V^π is a fixed point of T^π")
    yield equal(fixed, [Fraction(260, 17), Fraction(280, 17)], "by Cramer's rule")
    for start in ((0, 0), (100, -100)):
        last = iterates(lambda v: bellman_policy(model, pi, v), start, 60)[-1]
        yield shows(norm(last - fixed) < Fraction(1, 2), f"iterates from {start} come within 1/2")
    x = sympy.Symbol("x", positive=True)
    yield against(sympy.solve(sympy.Eq(x / 2, x), x) == [], "x → x/2 on (0, 1], not complete: no fixed point")
    yield against(
        sympy.solve(sympy.Eq(x + 1 / (1 + x), x), x) == [],
        "x → x + 1/(1 + x) brings points closer, and moves every point",
    )
    y = sympy.Symbol("y", positive=True)
    ratio = sympy.cancel((x + 1 / (1 + x) - y - 1 / (1 + y)) / (x - y))
    yield proved(
        ratio - (1 - 1 / ((1 + x) * (1 + y))), "its ratio is 1 - 1/((1 + x)(1 + y)) < 1, but as near 1 as one likes"
    )


banach


# %%
@claim(
    "theory-312",
    says=r"After k iterations the error is at most $\gamma^k \|V_0 - V^*\|_\infty$, for the operator $T^\pi$",
    verdict=Conditional(given="the iterated operator is T*, or V* is replaced by V^π"),
    about=(bellman_optimal, bellman_policy),
)
def error_after_k():
    single = MDP([[["1"], ["1"]]], [[1, 0]], NINE_TENTHS)
    optimal = iterates(lambda v: bellman_optimal(single, v), (0,), 20)
    errors = [10 - v[0] for v in optimal]
    yield equal(errors, [10 * NINE_TENTHS**k for k in range(21)], "T*, one paid loop: the error is exactly 10 · .9^k")
    yield at_most(errors[20], 10 * NINE_TENTHS**20, "so the bound is attained")
    yield tight(errors[20], 10 * NINE_TENTHS**20)
    idle = deterministic(single, [1])
    followed = iterates(lambda v: bellman_policy(single, idle, v), (0,), 10)
    yield equal([v[0] for v in followed], [0] * 11, "the idle policy, from 0")
    yield exceeds(10 - followed[10][0], 10 * NINE_TENTHS**10, "T^π of the idle policy stays at 0, 10 from V*")


error_after_k


# %%
value_iteration_needs_more = same_as(
    "theory-313",
    of="theory-069",
    says="γ < 1 is why value iteration converges, and essential. (The proof above is about T^π; value iteration needs theory-063.)",
)
value_iteration_needs_more


# %%
@claim(
    "theory-314",
    says="γ^k → 0 exponentially fast",
    verdict=Holds(note="for γ < 1; at γ = 1 it stays 1"),
    about=bellman_optimal,
)
def geometric_decay():
    single = MDP([[["1"]]], [1], NINE_TENTHS)
    errors = [10 - v[0] for v in iterates(lambda v: bellman_optimal(single, v), (0,), 50)]
    yield equal([b / a for a, b in pairwise(errors)], [NINE_TENTHS] * 50, "each sweep leaves 9/10 of the error")
    k = sympy.Symbol("k", integer=True, positive=True)
    yield equal(sympy.limit(sympy.Rational(9, 10) ** k, k, sympy.oo), 0, "the limit")


geometric_decay


# %%
@figure
def two_operators():
    """T* of a paid loop meets the γ^k bound exactly; T^π of a policy that never takes the reward does not approach V* at all."""
    single = MDP([[["1"], ["1"]]], [[1, 0]], NINE_TENTHS)
    idle = deterministic(single, [1])
    errors = {
        "T*, to V*": [10 - v[0] for v in iterates(lambda v: bellman_optimal(single, v), (0,), 30)],
        "T^π of the idle policy, to V*": [
            10 - v[0] for v in iterates(lambda v: bellman_policy(single, idle, v), (0,), 30)
        ],
    }
    return convergence(errors, gamma=0.9).figure


two_operators
