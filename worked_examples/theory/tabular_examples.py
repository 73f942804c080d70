# %% [markdown]
# # Convergence in numbers, and policy iteration against value iteration
#
# *Document `theory`, lines 268 to 286.* Two guesses that close in on each other, a table that compares two algorithms, and a
# worked example of value iteration. The printed decimals are right. The table's rows hold for typical models and fail for
# others that are small enough to write down.

# %%
import math
from fractions import Fraction

import numpy as np

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Qualitative,
    Section,
    against,
    agrees,
    at_most,
    below,
    claim,
    close,
    equal,
    exceeds,
    printed,
    same_as,
    shows,
    tight,
)
from rlexact.exact.bellman import backup, bellman_optimal, bellman_policy, greedy
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.value_iteration import modified_policy_iteration, value_iteration
from rlexact.mdp import MDP
from rlexact.plotting import convergence, figure
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("theory", "tabular_examples", "Convergence in numbers, and policy iteration against value iteration")

NINE_TENTHS = Fraction(9, 10)


def sweeps(mdp, v, count):
    """v, T v, T² v, … (count + 1 of them)."""
    found = [np.array([Fraction(x) for x in v], dtype=object)]
    for _ in range(count):
        found.append(bellman_optimal(mdp, found[-1]))
    return found


def gap(v, w):
    return max(abs(a - b) for a, b in zip(v, w, strict=True))


# %% [markdown]
# ## Two guesses
#
# The document gives $V^* = (10, 8)$, γ = 1/2 and the guesses (0, 0) and (20, 20). The gallery's model has these values. The
# distances printed are between the *two guesses*; from $V^*$ they are 10 and 12 away.


# %%
@claim(
    "theory-315",
    says="True V* = (10, 8), γ = 1/2, guesses (0, 0) and (20, 20), one pessimistic and one optimistic",
    verdict=Holds(note="the guesses are 10 and 12 from V*"),
    about=(gallery.half_contraction, policy_iteration),
)
def the_setting():
    model = gallery.half_contraction()
    v = policy_iteration(model).v
    yield equal(v, [printed("10"), printed("8")], "V*")
    yield equal(v, np.max([policy_value(model, p) for p in deterministic_policies(model)], axis=0), "by brute force")
    yield equal([gap((0, 0), v), gap((20, 20), v)], [10, 12], "distances of the guesses from V*")


the_setting


# %%
@claim(
    "theory-316",
    "theory-317",
    "theory-318",
    "theory-320",
    says="The guesses are 20 apart; after 1, 5 and 10 backups at most 10, 0.625 and 0.0195",
    verdict=Holds(note="in the gallery's model the bounds are attained: exactly 20 / 2^k apart"),
    about=bellman_optimal,
)
def two_guesses():
    model = gallery.half_contraction()
    apart = [gap(a, b) for a, b in zip(sweeps(model, (0, 0), 10), sweeps(model, (20, 20), 10), strict=True)]
    yield equal(apart[0], printed("20"), "at first")
    yield at_most(apart, [Fraction(20, 2**k) for k in range(11)], "the contraction bound, ten backups")
    yield tight(apart[1], printed("10"), "after 1")
    yield agrees(printed("0.625"), apart[5], "after 5")
    yield agrees(printed("0.0195"), apart[10], "after 10")
    yield equal(apart[10], Fraction(5, 256))


two_guesses


# %%
@claim(
    "theory-319",
    says="After 5 backups, 0.625 apart, the guesses are nearly identical",
    verdict=Qualitative(why="'nearly' has no threshold: 0.625 is 1/16 of V*(first state), and 1e-6 needs 25 backups"),
)
def nearly_identical():
    return iter(())


nearly_identical


# %%
@figure
def closing_in():
    """From (0, 0) and from (20, 20): both errors halve at every sweep."""
    model = gallery.half_contraction()
    starts = {"from (0, 0)": (0, 0), "from (20, 20)": (20, 20)}
    errors = {label: [gap(v, (10, 8)) for v in sweeps(model, start, 12)] for label, start in starts.items()}
    return convergence(errors, gamma=0.5).figure


closing_in

# %% [markdown]
# ## At γ = 0.99

# %%
the_same_weight = same_as("theory-321", of="theory-008", says="0.99^100 = 0.366")
the_same_weight


# %%
def sweeps_needed(gamma, factor):
    """Fewest sweeps that reduce the error of a single paid loop by the factor, counted on exact iterates."""
    loop = MDP([[["1"]]], [1], gamma)
    truth = 1 / (1 - gamma)
    v, count = np.array([Fraction(0)]), 0
    while (truth - v[0]) * factor > truth:
        v, count = bellman_optimal(loop, v), count + 1
    return count


@claim(
    "theory-322",
    says="At γ = .99 it takes about 460 iterations to reduce the error 100 times",
    verdict=Holds(note="exactly 459; 460.5 is ln 100 / (1 - γ)"),
    about=(sweeps_needed, bellman_optimal),
)
def about_460():
    yield equal(sweeps_needed(Fraction(99, 100), 100), 459, "fewest sweeps, counted")
    yield shows(Fraction(99, 100) ** 458 > Fraction(1, 100) >= Fraction(99, 100) ** 459, ".99^458 > 1/100 ≥ .99^459")
    yield agrees(printed("460", digits=2), sweeps_needed(Fraction(99, 100), 100), "'about 460', to two digits")


about_460

# %% [markdown]
# ## The table: policy iteration against value iteration
#
# **Inner loop.** Policy iteration evaluates each policy by a linear solve, value iteration by a single backup: a sweep of $T^*$ *is* one
# backup of the greedy policy.


# %%
@claim(
    "theory-323",
    says="Policy iteration evaluates the policy fully; value iteration takes one max per state",
    verdict=Holds(note="each max is over |A| backed-up values, |S|²|A| multiplications in a dense model"),
    about=(backup, policy_value),
)
def inner_loops():
    loop = gallery.left_right_loop()
    v = np.array([Fraction(12), Fraction(10)])
    q = backup(loop, v)
    yield equal(q, [[Fraction(59, 5), 12], [Fraction(54, 5), 10]], "one backup, by hand")
    yield equal(q.max(axis=1), (greedy(loop, v) * q).sum(axis=1), "its max is one backup of the greedy policy")
    yield equal(
        policy_value(loop, greedy(loop, v)), [Fraction(300, 19), Fraction(270, 19)], "full evaluation goes to the end"
    )


inner_loops

# %% [markdown]
# **Outer iterations.** For a fixed *relative* reduction the number of sweeps does grow like $1/(1-\gamma)$: the product tends to $\ln 100$.
# For a fixed *absolute* error it grows faster, and where episodes are short it does not grow at all. "Few" policies are typical, but
# a corridor of n cells makes policy iteration evaluate n + 1 of them.


# %%
def corridor(n, gamma=NINE_TENTHS):
    """n cells: stay for nothing, or move right; the step out of the last cell pays 1 and ends."""
    table = {}
    for s in range(n):
        table[s, "stay"] = [(Fraction(1), s, 0, False)]
        table[s, "right"] = [(Fraction(1), s + 1, 0, False)] if s < n - 1 else [(Fraction(1), None, 1, True)]
    return MDP.from_outcomes(table, gamma, 0, actions=("stay", "right"))


def sweeps_to_exact(mdp):
    """Value iteration sweeps from 0 until nothing changes (for models where it does)."""
    v, count = np.array([Fraction(0)] * mdp.n_states), 0
    while gap(bellman_optimal(mdp, v), v) > 0:
        v, count = bellman_optimal(mdp, v), count + 1
    return count


def policies_evaluated(mdp):
    """Policies that policy iteration evaluates when it starts from 'stay' (the first action) everywhere."""
    return policy_iteration(mdp, policy=deterministic(mdp, [0] * mdp.n_states)).iterations


@claim(
    "theory-324",
    says="Policy iteration needs few outer iterations (3 to 10), value iteration a number proportional to 1/(1 - γ)",
    verdict=Conditional(
        given="a typical model for the first; a fixed relative error and dynamics that recur for the second"
    ),
    about=(policy_iteration, bellman_optimal),
)
def outer_iterations():
    counts = [sweeps_needed(gamma, 100) for gamma in (NINE_TENTHS, Fraction(99, 100))]
    yield equal(counts, [44, 459], "sweeps for a hundredth of the first error, γ = .9 and .99")
    few = [policy_iteration(gallery.random_mdp(seed, 8, 3)).iterations for seed in range(30)]
    yield shows(min(few) >= 1 and max(few) <= 10, f"30 random models: {min(few)} to {max(few)} policies evaluated")
    yield equal(
        [policies_evaluated(corridor(n)) for n in (2, 5, 10, 20)],
        [3, 6, 11, 21],
        "a corridor of n cells: n + 1 policies",
    )
    yield exceeds(policies_evaluated(corridor(20)), 10, "not 'few'")
    exact = [sweeps_to_exact(corridor(20, gamma)) for gamma in (NINE_TENTHS, Fraction(999, 1000))]
    yield against(exact == [20, 20], "value iteration there: 20 sweeps at γ = .9 and at .999 alike")


outer_iterations


# %% [markdown]
# **Total computation.** Count multiplications for dense models: an evaluation costs $\tfrac23 S^3$, a backup $2 S^2 A$. Policy iteration with m
# evaluations is cheaper exactly when $m (S/3 + A) < kA$ for k sweeps of value iteration. Which side a model falls on depends on its discount as
# much as on its size.


# %%
def work(n_states, n_actions, sweeps_of_vi, policies=5):
    """(policy iteration, value iteration): multiplications for dense models, by LU and by backups."""
    one_backup = 2 * n_states**2 * n_actions
    return policies * (Fraction(2, 3) * n_states**3 + one_backup), sweeps_of_vi * one_backup


def sweeps_to_a_hundredth(gamma):
    """Sweeps until a paid loop started at 0 is within 1/100 of its value: γ^k / (1 - γ) ≤ 1/100."""
    return math.ceil(math.log((1 - gamma) / 100) / math.log(gamma))


@claim(
    "theory-325",
    says="Policy iteration is often faster for small models, value iteration for large ones",
    verdict=Conditional(
        given="γ near 1 for the first and not too near 1 for the second (dense models, LU, five evaluations)"
    ),
    about=(work, sweeps_to_a_hundredth),
)
def which_is_faster():
    k = {gamma: sweeps_to_a_hundredth(gamma) for gamma in (0.5, 0.99, 0.9999)}
    yield equal(list(k.values()), [8, 917, 138149], "sweeps to 1/100 at γ = .5, .99, .9999")
    small, large = work(50, 4, k[0.99]), work(10**4, 4, k[0.99])
    yield equal(small, (Fraction(1550000, 3), 18340000), "S = 50, A = 4, γ = .99: operations")
    yield below(*small, "small: policy iteration")
    yield below(large[1], large[0], "S = 10000 at γ = .99: value iteration")
    yield exceeds(work(50, 4, k[0.5])[0], work(50, 4, k[0.5])[1], "small at γ = .5: policy iteration costs more")
    yield exceeds(
        work(10**4, 4, k[0.9999])[1], work(10**4, 4, k[0.9999])[0], "large at γ = .9999: value iteration costs more"
    )


which_is_faster


# %%
def swapped_names():
    """Two one-state models with the same V* whose better action has the other name."""
    return MDP([[["1"], ["1"]]], [[1, 0]], NINE_TENTHS), MDP([[["1"], ["1"]]], [[0, 1]], NINE_TENTHS)


@claim(
    "theory-326",
    says="Policy iteration stores V and π, value iteration stores only V",
    verdict=Conditional(
        given="sweeps are in place, the model is not counted, and π is read off at the end with the model"
    ),
    about=(bellman_optimal, greedy),
)
def what_is_stored():
    one, other = swapped_names()
    v = np.array([Fraction(10)])
    yield equal(bellman_optimal(one, v), [10], "V* of the first model")
    yield equal(bellman_optimal(other, v), [10], "V* of the second, the same")
    yield equal([greedy(m, v) for m in (one, other)], [[[1, 0]], [[0, 1]]], "with the model, V* gives the policy")
    yield against(
        bool((greedy(one, v) != greedy(other, v)).any()), "without it V* does not: equal V*, different optimal policies"
    )


what_is_stored


# %%
def alternating_ties(rounds):
    """Policy iteration that breaks ties toward the action it does not hold: the policies it passes through."""
    twins = MDP([[["1"], ["1"]]], [[1, 1]], NINE_TENTHS)
    held, seen = 0, []
    for _ in range(rounds):
        seen.append(held)
        q = backup(twins, policy_value(twins, deterministic(twins, [held])))[0]
        held = 1 - held if q[1 - held] >= q[held] else held
    return seen


@claim(
    "theory-327",
    says="Policy iteration reaches the exact optimal policy in finitely many steps, value iteration V* only in the limit",
    verdict=Conditional(given="exact evaluation, and the old action kept on ties; for the second, that dynamics recur"),
    about=(policy_iteration, bellman_optimal, policy_value),
)
def finite_or_in_the_limit():
    loop = gallery.left_right_loop()
    starts = deterministic_policies(loop)
    found = [policy_iteration(loop, policy=start) for start in starts]
    yield shows(
        all(1 <= s.iterations <= 4 for s in found), "two-state loop, from each of its 4 policies: at most 4 evaluations"
    )
    yield equal([s.v for s in found], [[Fraction(300, 19), Fraction(270, 19)]] * 4, "the exact V* each time")
    yield equal(
        alternating_ties(6), [0, 1, 0, 1, 0, 1], "equal actions and ties broken away from the old one: six rounds"
    )
    twins = gallery.bandit((1, 1))
    yield equal(policy_iteration(twins).iterations, 1, "keeping the old action on ties stops at once")
    yield against(
        alternating_ties(6)[-1] != alternating_ties(6)[-2], "'stop when the policy is unchanged' never stops there"
    )
    chain = sweeps(gallery.three_state_chain(), (0, 0, 0), 4)
    yield equal(chain[3], [Fraction(31, 5), 8, 10], "the chain that ends, three sweeps of value iteration")
    yield against(bool((chain[4] == chain[3]).all()), "which is V*, not a limit")


finite_or_in_the_limit


# %%
@figure
def how_many_policies():
    """Policies evaluated by policy iteration: a corridor needs one more than it has cells, random models a handful."""
    from matplotlib import pyplot as plt

    sizes = (2, 4, 8, 12, 16, 20)
    fig, ax = plt.subplots()
    ax.plot(sizes, [policies_evaluated(corridor(n)) for n in sizes], "o-", label="corridor, from 'stay'")
    for n in sizes:
        counts = [policy_iteration(gallery.random_mdp(seed, n, 3)).iterations for seed in range(10)]
        ax.plot([n] * 10, counts, "x", color="C1", label="random models" if n == 2 else None)
    ax.set(xlabel="states", ylabel="policies evaluated")
    ax.legend()
    return fig


how_many_policies

# %% [markdown]
# ## Value iteration, worked
#
# From A, *go* pays 2 and leads to B; from B, *stay* pays 1 for ever; γ = 0.9. The iterates and limits are as printed. With one action in each
# state there is nothing to maximise: the example is policy evaluation under another name.


# %%
@claim(
    "theory-328",
    says="The example is shown as value iteration",
    verdict=Holds(note="with one action per state T* = T^π: the maximum is never exercised"),
    about=(bellman_optimal, bellman_policy),
)
def no_choice():
    stay = gallery.go_then_stay()
    yield equal(int(stay.available.sum()), 2, "available state-action pairs")
    v = np.array([Fraction(5), Fraction(-3)])
    by_hand = [2 - NINE_TENTHS * 3, 1 - NINE_TENTHS * 3]
    yield equal(bellman_optimal(stay, v), by_hand, "T* v")
    yield equal(bellman_policy(stay, uniform(stay), v), by_hand, "T^π v for the only policy")


no_choice


# %%
@claim(
    "theory-329",
    "theory-330",
    "theory-331",
    "theory-332",
    "theory-333",
    "theory-334",
    says="Iterates (0, 0), (2, 1), (2.9, 1.9), (3.71, 2.71)",
    verdict=Holds(),
    about=(bellman_optimal, gallery.go_then_stay),
)
def the_iterates():
    found = sweeps(gallery.go_then_stay(), (0, 0), 3)
    stated = [["0", "0"], ["2", "1"], ["2.9", "1.9"], ["3.71", "2.71"]]
    for k, digits in enumerate(stated):
        yield agrees(printed(digits), found[k], f"V_{k}")
    closed = [[11 - 10 * NINE_TENTHS**k if k else 0, 10 * (1 - NINE_TENTHS**k)] for k in range(4)]
    yield equal(found, closed, "V_k(A) = 11 - 10 · .9^k and V_k(B) = 10 (1 - .9^k)")


the_iterates


# %%
@claim(
    "theory-335",
    "theory-336",
    says="V*(B) = 10 and V*(A) = 2 + 9 = 11",
    verdict=Holds(),
    about=(policy_value, value_iteration, modified_policy_iteration),
)
def the_limits():
    stay = gallery.go_then_stay()
    v = policy_value(stay, uniform(stay))
    yield equal(v, [printed("11"), printed("10")], "by a linear solve")
    last = sweeps(stay, (0, 0), 60)[-1]
    yield equal([v[0] - last[0], v[1] - last[1]], [10 * NINE_TENTHS**60] * 2, "what 60 sweeps still miss")
    yield below(last[1], 10, "no sweep reaches it")
    for solver in (value_iteration, modified_policy_iteration):
        answer = solver(stay.to_float(), tol=1e-8)
        yield close(answer.v, [11, 10], tol=1e-8, because="the solver's guaranteed bound", what=solver.__name__)


the_limits
