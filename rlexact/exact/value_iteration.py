"""Value iteration, its in-place form, and its mixture with policy evaluation: V* within `tol`, guaranteed.

    v ← T v                                                           value_iteration, Bellman (1957)           [I1]
    v(s) ← max_a r(s, a) + γ Σ_s' p(s' | s, a) v(s'), state by state  gauss_seidel, Puterman (1994), §6.3.3     [I2]
    v ← (T^π)^k v, π greedy for v                                     modified_policy_iteration, ibid. §6.5     [I3]

All three stop on the span of Tv - v, and answer the middle of the MacQueen-Porteus bounds ([B3] of `contraction`), which
settle long before v does: the part of the error that all states share is known, and is taken away. The bounds are
computed once more with every rounding counted before an answer is given, so ‖v - V*‖ ≤ error_bound ≤ tol.

Since ‖v_k - V*‖ shrinks by m = γ · (largest row sum) per sweep, ‖Tv_k - v_k‖ ≤ 2 m^k ‖Tv_0 - v_0‖ / (1 - m). That gives
the number of sweeps after which only rounding can be in the way, and then the refusal says so.

At γ = 1 no modulus says when to stop. The sweeps run on the `ending_model`, until they change by less than tol (1000 of
them at most); their greedy policy is where policy iteration then begins, often with nothing left to improve.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup, checked_v
from rlexact.exact.contraction import contracting, moduli, settled, span_bounds
from rlexact.exact.ending import ending_model, marked
from rlexact.exact.policy_iteration import from_values, solution
from rlexact.mdp import MDP
from rlexact.policy import first_best
from rlexact.solution import NotConverged, Solution

Sweep = Callable[[Array, Array, Array], Array]  # v, its Tv and the maximisers -> the next v
SPARE = 16  # rounding may take 15/16 of the tolerance before it is refused
CHECKPOINTS = {2**k for k in range(6, 60)}  # where a tolerance out of reach is noticed early
PROPOSAL_SWEEPS = 1_000
STABLE = 0.05  # policies are evaluated once no more than this part of them changes from sweep to sweep


def value_iteration(mdp: MDP, *, tol: Any = 1e-8, v: Array | None = None, max_sweeps: int | None = None) -> Solution:
    """V* within `tol` in the maximum norm, by synchronous sweeps from `v` (zeros) [I1].

    `optimal_actions` marks every action that may be optimal within the bound, the truly optimal ones among them.
    Raises `NotConverged` (with its best answer) where floats cannot guarantee `tol` or `max_sweeps` were not enough,
    `Unbounded` at γ = 1 where V* is not finite, `NotExact` on undecided symbols.
    """
    return iterate(mdp, lambda model: lambda v, top, ties: top, tol, v, max_sweeps)


def gauss_seidel(mdp: MDP, *, tol: Any = 1e-8, v: Array | None = None, max_sweeps: int | None = None) -> Solution:
    """V* within `tol`, each state's update seeing those before it in the same sweep [I2].  Raises as `value_iteration`.

    Best where states are numbered after those they lead to; then one sweep carries a reward all the way.
    """
    return iterate(mdp, in_place, tol, v, max_sweeps)


def modified_policy_iteration(
    mdp: MDP, *, tol: Any = 1e-8, sweeps: int = 20, v: Array | None = None, max_sweeps: int | None = None
) -> Solution:
    """V* within `tol`, with `sweeps` backups of each greedy policy in place of its exact value [I3].

    Stays with plain value iteration while more than 5% of the policy changes. `iterations` and `max_sweeps` count
    improvement steps. Raises as `value_iteration`.
    """
    if sweeps < 1:
        raise ValueError(f"sweeps = {sweeps}: each policy is backed up at least once")
    return iterate(mdp, lambda model: PartialEvaluation(model, sweeps).sweep, tol, v, max_sweeps)


# -- when to stop -----------------------------------------------------------------------------------------------------


def iterate(mdp: MDP, sweep_of: Callable[[MDP], Sweep], tol: Any, v: Array | None, max_sweeps: int | None) -> Solution:
    goal = ar.number(mdp.r, ar.as_fraction(tol))
    if not goal > 0:
        raise ValueError(f"tol = {tol}: give a positive distance to V*; in rationals policy_iteration needs none")
    if max_sweeps is not None and max_sweeps < 1:
        raise ValueError(f"max_sweeps = {max_sweeps}: at least one sweep is made")
    first = settled(mdp, ar.zeros(mdp.r, mdp.n_states) if v is None else checked_v(mdp, v))
    with np.errstate(over="ignore", invalid="ignore"):
        if mdp.gamma == 1 and not moduli(mdp).contracts:
            return from_a_proposal(mdp, sweep_of, goal, first, max_sweeps)
        return to_tolerance(mdp, sweep_of(mdp), goal, first, max_sweeps)


def to_tolerance(mdp: MDP, sweep: Sweep, goal: Any, v: Array, max_sweeps: int | None) -> Solution:
    """Sweep until the span says that `goal` is met, then until the bound with all rounding says so too."""
    m, live, target, done, cap = contracting(mdp), ~mdp.terminal, goal, 1, max_sweeps
    while True:
        top, ties = ar.best(backup(mdp, v), mdp.available)
        gap = refuse_overflow(top - v)[live]
        cap = cap or sweeps_needed(m.most, ar.largest(np.abs(gap)), goal)
        half = (m.rise(ar.largest(gap)) + m.rise(ar.largest(-gap))) / 2
        if half <= target or done >= cap or done in CHECKPOINTS:
            answer = between(mdp, *span_bounds(mdp, v), done)
            if answer.error_bound <= goal:
                return answer
            rounding = answer.error_bound - half
            if half <= SPARE * rounding:  # v is so near V* that its rounding will stay as it is
                target = goal - 5 * rounding / 4
            if done >= cap or target * SPARE < goal:
                raise NotConverged(refusal(answer, goal, rounding, max_sweeps), answer)
        v, done = sweep(v, top, ties), done + 1


def from_a_proposal(
    mdp: MDP, sweep_of: Callable[[MDP], Sweep], goal: Any, v: Array, max_sweeps: int | None
) -> Solution:
    """γ = 1: sweep the ending model until it changes by less than `goal`, then policy iteration from what is greedy."""
    ending = ending_model(mdp)
    sweep, change, done = sweep_of(ending.mdp), None, 0
    while (change is None or change > goal) and done < (max_sweeps or PROPOSAL_SWEEPS):
        top, ties = ar.best(backup(ending.mdp, v), ending.mdp.available)
        change = ar.largest(np.abs(refuse_overflow(top - v)))
        v, done = sweep(v, top, ties), done + 1
    answer = replace(from_values(mdp, ending, v), iterations=done)
    if answer.error_bound <= goal:
        return answer
    raise NotConverged(refusal(answer, goal, answer.error_bound, None), answer)


def sweeps_needed(m: Any, first: Any, goal: Any) -> int:
    """The k from which 2 m^k first · m / (1 - m)² ≤ goal / SPARE, where the first sweep changes v by `first`."""
    if first == 0:
        return 1
    left = math.log(2 * SPARE) + log_of(first) - log_of(goal) - 2 * log_of(1 - m)
    return 1 + max(1, math.ceil(left / float(1 - m)))  # -log m ≥ 1 - m


def log_of(x: Any) -> float:
    """log x for numbers of any world and of any size."""
    exact = ar.as_fraction(x)
    return math.log(exact.numerator) - math.log(exact.denominator)


def refuse_overflow(change: Array) -> Array:
    if not ar.finite(change).all():
        raise OverflowError("values leave the range of float64: scale the rewards, or take the model to_rational()")
    return change


def refusal(answer: Solution, goal: Any, rounding: Any, max_sweeps: int | None) -> str:
    """What was reached, what stands in the way, what to do."""
    reached = f"the bound on ‖v - V*‖ is {float(answer.error_bound):.3g} after {answer.iterations} sweeps, not {float(goal):.3g}"
    if max_sweeps is not None and answer.iterations >= max_sweeps and rounding * SPARE < goal * (SPARE - 1):
        return f"{reached}: raise max_sweeps"
    return (
        f"{reached}: rounding in float64 takes {float(rounding):.3g} of it. Raise tol, or solve to_rational() "
        "or by policy_iteration"
    )


def between(mdp: MDP, lower: Array, upper: Array, done: int) -> Solution:
    v = (lower + upper) / 2
    return solution(mdp, v, first_best(mdp, backup(mdp, v)), done, (lower, upper))


# -- sweeps -----------------------------------------------------------------------------------------------------------


def in_place(mdp: MDP) -> Sweep:
    """A sweep over the states in order, each seeing what those before it have become.

    Each state is in the first level that comes after every smaller state that it reads or that reads it: the states of a
    level do not read each other, so the levels, one after the other, do what the states would one by one.
    """
    n_actions = mdp.n_actions
    blocks = [
        (states, ar.take_rows(mdp.kernel, (states[:, None] * n_actions + np.arange(n_actions)).ravel()))
        for states in levels(mdp)
    ]

    def sweep(v: Array, top: Array, ties: Array) -> Array:
        new = v.copy()
        for states, rows in blocks:
            q = mdp.r[states] + mdp.gamma * (rows @ new).reshape(-1, n_actions)
            new[states], _ = ar.best(ar.tidy(q), mdp.available[states])
        return new

    return sweep


def levels(mdp: MDP) -> list[Array]:
    """States by the longest chain of ever smaller states, each joined to the next by some action, that leads to them."""
    tails, heads = ar.support(mdp.kernel).tocoo().coords
    tails = tails // mdp.n_actions
    low, high = np.minimum(tails, heads), np.maximum(tails, heads)
    pairs = np.unique(low * mdp.n_states + high)
    low, high = pairs // mdp.n_states, pairs % mdp.n_states
    low, high = low[low != high], high[low != high]
    later = scipy.sparse.csr_array((np.ones(low.size, dtype=bool), (low, high)), shape=(mdp.n_states, mdp.n_states))
    waiting, found = np.bincount(high, minlength=mdp.n_states), []
    level = np.flatnonzero(waiting == 0)
    while level.size:
        found.append(level)
        next_ones, counts = np.unique(later[level].indices, return_counts=True)
        waiting[next_ones] -= counts
        level = next_ones[waiting[next_ones] == 0]
    return found


@dataclass
class PartialEvaluation:
    """Sweeps of modified policy iteration, which remember the policy of the sweep before."""

    mdp: MDP
    sweeps: int
    action: Array | None = None

    def sweep(self, v: Array, top: Array, ties: Array) -> Array:
        before, self.action = self.action, ties.argmax(axis=1)
        if before is None or np.mean(self.action != before) > STABLE:
            return top
        P, r = self.mdp.under(marked(self.mdp, self.action))
        for _ in range(self.sweeps - 1):
            top = ar.tidy(r + self.mdp.gamma * (P @ top))
        return top
