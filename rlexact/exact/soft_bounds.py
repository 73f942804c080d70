"""How far a guess is from the soft optimum, every rounding counted.

    |τ log Σ μ exp(q / τ) - τ log Σ μ exp(Q / τ)| ≤ max_a |q - Q|                                 [S1]
    span        Tv - ρ(max(v - Tv)) ≤ V* ≤ Tv + ρ(max(Tv - v))                                    [S2]
    supersolution   T u ≤ u  implies  V* ≤ u;   subsolution   T l ≥ l  implies  l ≤ V*            [S3]

[S1]: the gradient of the soft maximum is a policy. [S2] is [B3] of `contraction`: its proof uses only that T is monotone
and adds at most m x, or m₀ x, when x is added to v. [S3] holds at γ < 1 because T is monotone and contracts, and at γ = 1
if every policy that takes all actions of the support ends: then V^π_l ≥ l for the soft-greedy policy of l, and
E[Σ_{t<n} paid] ≤ u(s) - E[u(s_n)] for every policy. Candidates are v ± ε h, h the expected number of remaining steps: one
backup takes ε off them, to first order, and what remains is verified.

In floats, exp and log are taken to be within four units in the last place (NumPy's tests ask for that).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, SingularSystem
from rlexact.exact.contraction import contracting, enclosed_backup, moduli, settled, up
from rlexact.exact.soft_bellman import SoftControl
from rlexact.exact.soft_evaluation import LIBRARY

Bounds = tuple[Array, Array]


def soft_enclosed(control: SoftControl, v: Array) -> Bounds:
    """T v as computed, and a bound on its distance from the truth: (S,) -> (S,), (S,)."""
    q, slop = enclosed_backup(control.mdp, v)
    top, _ = ar.soft_best(q, control.weights, control.tau)
    if ar.is_exact(top):
        return ar.tidy(top), ar.zeros(top, top.shape)
    low, high = -ar.best(-q, control.support)[0], ar.best(q, control.support)[0]
    w = np.where(control.support, control.weights, 1.0)
    units = control.tau * (2 * LIBRARY + control.mdp.n_actions + LIBRARY * np.abs(np.log(w)).max(axis=1))
    lost = ar.unit_roundoff(top) * (4 * (high - low) + 4 * units + 4 * np.abs(top))
    return top, settled(control.mdp, up(ar.best(slop, control.support)[0] + lost))


def soft_residual(control: SoftControl, v: Array) -> tuple[Array, Array, Array, Array]:
    """T v and its rounding, T v - v and its rounding: (S,) -> four of (S,)."""
    top, slop = soft_enclosed(control, v)
    gap = top - v
    return top, slop, gap, up(slop + 4 * ar.unit_roundoff(top) * np.abs(gap))


def soft_bounds(control: SoftControl, v: Array) -> Bounds:
    """(lower, upper) with lower ≤ V* ≤ upper: [S2] where T contracts, else [S3].  (S,) -> (S,), (S,).

    Infinite where floats cannot verify [S3].
    """
    return by_span(control, v) if moduli(control.mdp).contracts else by_steps(control, v)


def by_span(control: SoftControl, v: Array) -> Bounds:
    """[S2].  Raises `InvalidMDP` unless the modulus is below 1."""
    m, live = contracting(control.mdp), ~control.mdp.terminal
    top, slop, gap, error = soft_residual(control, settled(control.mdp, v))
    climb, fall = m.rise(ar.largest((gap + error)[live])), m.rise(ar.largest((error - gap)[live]))
    pad = up(slop + 4 * ar.unit_roundoff(top) * (np.abs(top) + abs(climb) + abs(fall)))
    return settled(control.mdp, top - fall - pad), settled(control.mdp, top + climb + pad)


def by_steps(control: SoftControl, v: Array) -> Bounds:
    """[S3] with v ± ε h, infinite where it cannot be verified."""
    _, _, gap, error = soft_residual(control, v)
    endless = np.full(v.shape, np.inf)
    try:
        reach = 2 * ar.largest(np.abs(gap) + error) * steps_left(control, v)
    except SingularSystem:  # too far from the optimum: its soft-greedy policy hardly ends
        return -endless, endless
    lower, upper = settled(control.mdp, v - reach), settled(control.mdp, v + reach)
    return (
        lower if verified(control, lower, 1) else -endless,
        upper if verified(control, upper, -1) else endless,
    )


def steps_left(control: SoftControl, v: Array) -> Array:
    """Expected number of discounted steps still to come under the soft-greedy policy of v: (S,) -> (S,)."""
    P, _ = control.mdp.under(control.greedy(v))
    one = settled(control.mdp, ar.ones(v, v.shape))
    return ar.solve(ar.eye(P) - control.mdp.gamma * P, one)


def verified(control: SoftControl, x: Array, sign: int) -> bool:
    """Whether sign · (T x - x) ≥ 0 for certain on every state that is not terminal."""
    _, _, gap, error = soft_residual(control, x)
    return not ar.negative((sign * gap - error)[~control.mdp.terminal]).any()


def middle(v: Array, bounds: Bounds) -> tuple[Array, Any]:
    """The middle of (lower, upper) and how far it can be from anything between; v itself where they are infinite."""
    lower, upper = bounds
    if not ar.finite(np.concatenate(bounds)).all():
        return v, np.inf
    v = lower + (upper - lower) / 2
    return v, up(ar.largest(np.concatenate([upper - v, v - lower])))
