"""How far computed values are from V* at γ = 1, where no contraction helps: one model more, whose rewards are the
doubts.

A vector u with u ≥ r + P u on every pair that leaves its component or is paid, constant on the collapsed components
and ≥ 0 there, bounds every policy: u ≥ V* (the argument of `ending`, case 4, with every δ > 0). A vector l with l ≤
r_π + P_π l, l ≤ 0 where π stops, is below V^π ≤ V* if π ends. Given v, both are looked for at

    u = v + W,   W the optimal value of the collapsed model whose rewards are  r + P v - v + margin
    l = v - L,   L the value of π in the one whose rewards are              v - r - P v + margin

and then verified in the original model with every rounding counted: what W and L are themselves computed with does
not matter. The margin, a few roundings of one backup, makes the verification succeed. Expected steps to the end
multiply the rounding of a step, and W counts them along the paths that a nearly best policy takes.
"""

from dataclasses import replace

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.exact.contraction import enclosed_backup
from rlexact.exact.ending import Ending
from rlexact.exact.evaluation import policy_value
from rlexact.exact.howard import howard
from rlexact.mdp import MDP
from rlexact.solution import Unbounded

MARGIN = 4  # roundings of the worst backup, which every step is given


def ending_bounds(mdp: MDP, ending: Ending, v: Array, policy: Array) -> tuple[Array, Array]:
    """(lower, upper) around V* from values v (S,) equal on each component and a collapsed policy (S, A') that ends.

    Both are v in exact worlds, where v must be V*. Infinite where verification fails: loops that pay 0 up to rounding.
    """
    if ar.is_exact(mdp.r):
        return v, v
    q, slop = enclosed_backup(mdp, v)
    doubt, margin = q - v[:, None], MARGIN * ar.largest(slop) + ar.unit_roundoff(v) ** 16  # far above what underflows
    return lower(mdp, ending, v, policy, margin - doubt), upper(mdp, ending, v, policy, margin + doubt)


def upper(mdp: MDP, ending: Ending, v: Array, policy: Array, gain: Array) -> Array:
    """u = v + W if no pair outside the components contradicts it, else ∞."""
    try:
        _, W, _ = howard(rewarded(ending, gain, -v), policy)
    except Unbounded:
        return np.full(v.shape, np.inf)
    u = v + ending.lift(W)
    u = np.where(np.any(ending.inside, axis=1), np.maximum(u, 0), u)
    q, slop = enclosed_backup(mdp, u)
    contradicted = mdp.available & ~ending.inside & (q + slop > u[:, None])
    return np.full(v.shape, np.inf) if contradicted.any() else u


def lower(mdp: MDP, ending: Ending, v: Array, policy: Array, loss: Array) -> Array:
    """l = v - L if no pair of the policy contradicts it, else -∞."""
    member, exits = np.any(ending.inside, axis=1), ending.exits(policy)
    stops = member & ~np.isin(ending.root, ending.root[exits])
    low = v - ending.lift(policy_value(rewarded(ending, loss, v), policy))
    low = np.where(stops, np.minimum(low, 0), low)
    q, slop = enclosed_backup(mdp, low)
    reached = ar.average(mdp.admit(ending.policy(mdp, policy)), q - slop)
    contradicted = (exits | ~member) & ~mdp.terminal & (reached < low)
    return np.full(v.shape, -np.inf) if contradicted.any() else low


def rewarded(ending: Ending, r: Array, stop: Array) -> MDP:
    """The collapsed model with rewards r (S, A) for what is left of the original, and stop (S,) for stopping."""
    parts = ending.mdp._parts
    extra = np.where(ending.child < 0, stop[:, None], 0.0)[:, : parts.r.shape[1] - r.shape[1]]
    paid = np.where(parts.available, np.hstack([r, extra]), 0.0)
    return MDP.of_parts(door.freeze(replace(parts, r=paid, R=paid, law=None)))
