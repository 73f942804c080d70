"""Soft value iteration and soft policy iteration: the soft V* within `tol`, guaranteed.

    v ← T v = τ log Σ_a μ exp((r + γ P v) / τ)                      `soft_value_iteration`      [K1]
    v ← V^π, π ← soft-greedy for v                                  `soft_policy_iteration`     [K2]

[K1] shrinks the error by m = γ · (largest row sum) per sweep, so that ‖Tv - v‖ halves at least every ⌈log 2 / -log m⌉ sweeps:
where it does not, only rounding is left. [K2] is Newton's method on v = T v (T is convex): V^π rises on every state at
every step (Haarnoja et al. 2018, Lemma 2), at least as fast as [K1] and in the end quadratically; it stops where Σ_s V(s)
no longer rises. Its policies take every action of the support, so at γ = 1 they end if any of them does.

Neither stopping rule is the guarantee. The bound comes from `soft_bounds`, which looks at v alone.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup, checked_v
from rlexact.exact.contraction import moduli, settled
from rlexact.exact.evaluation import policy_value
from rlexact.exact.soft_bellman import SoftControl, soft_control
from rlexact.exact.soft_bounds import middle, soft_bounds
from rlexact.exact.soft_evaluation import charged
from rlexact.exact.soft_gain import ending_control
from rlexact.mdp import MDP
from rlexact.solution import NotConverged, Solution

PROPOSAL_SWEEPS = 1_000  # at γ = 1, before policy iteration takes over


def soft_value_iteration(
    mdp: MDP, temperature: Any, reference: Array | None = None, *, tol: Any = 1e-8, v: Array | None = None
) -> Solution:
    """The soft V* within `tol` in the maximum norm, by sweeps from `v` (zeros) [K1]; at γ = 1 `soft_policy_iteration` ends it.

    `policy` is soft-greedy, and `optimal_actions` marks its support: every action with reference mass. Raises
    `NotConverged` (with its best answer) where floats cannot guarantee `tol`, `Unbounded` at γ = 1 where entropy beats
    cost, `NotExact` in rationals (see `rlexact.exact.enclosure`) and on undecided symbols.
    """
    goal, given = positive(mdp, tol), soft_control(mdp, temperature, reference)
    control = ending_control(given, reference is not None)
    first = settled(control.mdp, ar.zeros(mdp.r, mdp.n_states) if v is None else checked_v(mdp, v))
    if moduli(control.mdp).contracts:
        return sweep_to(given, control, goal, first)
    change, done = np.inf, 0
    while change > goal and done < PROPOSAL_SWEEPS:
        top = control.optimal(first)
        first, change, done = top, ar.largest(np.abs(top - first)), done + 1
    return replace(improve_to(given, control, goal, control.greedy(first)), iterations=done)


def soft_policy_iteration(
    mdp: MDP, temperature: Any, reference: Array | None = None, *, tol: Any = 1e-8, policy: Array | None = None
) -> Solution:
    """The soft V* within `tol` by policies of rising soft value [K2], from `policy` or the reference (uniform).

    `iterations` counts the policies evaluated. A policy given at γ = 1 ends with probability 1. Raises as
    `soft_value_iteration`, and `InvalidPolicy` where the first policy has no finite soft value.
    """
    goal, given = positive(mdp, tol), soft_control(mdp, temperature, reference)
    control = ending_control(given, reference is not None)
    return improve_to(given, control, goal, control.base() if policy is None else mdp.admit(policy))


def sweep_to(given: SoftControl, control: SoftControl, goal: Any, v: Array) -> Solution:
    """[K1] until the bound meets the goal, or the residual no longer halves in time."""
    m = moduli(control.mdp)
    patience = 1 if m.most <= 0.5 else math.ceil(math.log(2) / -math.log1p(-float(1 - m.most)))
    mark, due, done = np.inf, 1, 1
    while True:
        top = control.optimal(v)
        gap = top - v
        change = ar.largest(np.abs(gap))
        stalled = done >= due and not change < 0.75 * mark
        if stalled or m.rise(ar.largest(gap)) + m.rise(ar.largest(-gap)) <= 2 * goal:
            best, bound = middle(v, soft_bounds(control, v))
            if stalled or bound <= goal:
                return answered(given, control, best, bound, done, goal)
        if done >= due:
            mark, due = change, done + patience
        v, done = top, done + 1


def improve_to(given: SoftControl, control: SoftControl, goal: Any, policy: Array) -> Solution:
    """[K2] until the bound meets the goal, or the values no longer rise."""
    v, before, done = policy_value(charged(control, policy), policy), None, 1
    while True:
        best, bound = middle(v, soft_bounds(control, v))
        if bound <= goal or (before is not None and not v.sum() > before.sum()):
            return answered(given, control, best, bound, done, goal)
        policy, before = control.greedy(v), v
        v, done = policy_value(charged(control, policy), policy), done + 1


def answered(given: SoftControl, control: SoftControl, v: Array, bound: Any, done: int, goal: Any) -> Solution:
    """The answer for the model as it was given, traps included.  Raises `NotConverged` unless the bound meets the goal."""
    trapped = (control.mdp.terminal & ~given.mdp.terminal)[:, None]
    policy = np.where(trapped, given.base(), control.greedy(v))
    answer = Solution(v, backup(given.mdp, v), policy, given.support, done, bound)
    if bound <= goal:
        return answer
    raise NotConverged(
        f"the soft optimum is known within {float(bound):.3g}, not {float(goal):.3g}: rounding is in the way. "
        "Give a larger tol, or enclose the value of to_rational() by rlexact.exact.enclosure",
        answer,
    )


def positive(mdp: MDP, tol: Any) -> Any:
    goal = ar.number(mdp.r, ar.as_fraction(tol))
    if not goal > 0:
        raise ValueError(f"tol = {tol}: give a positive distance to the soft optimum")
    return goal
