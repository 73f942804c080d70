"""How far a guess is from the truth: moduli, residual and span bounds, all counting rounding.

    modulus     m = γ max_{s,a} Σ_s' p(s' | s, a)                          the true row sums, not 1
    residual    ‖v - V*‖ ≤ ‖Tv - v‖ / (1 - m)                              Puterman (1994), Theorem 6.3.1
    span        Tv + m/(1-m) min(Tv - v) ≤ V* ≤ Tv + m/(1-m) max(Tv - v)   MacQueen (1966), Porteus (1971)

'The truth' is the fixed point of the stored numbers read as exact. In exact worlds rounding is 0 and so is its share of
every bound; in floats each bound is itself rounded up.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.mdp import MDP

SAFETY = 16  # roundings committed while a bound itself is being added up: each is at most one unit roundoff


def up(mdp: MDP, x: Any) -> Any:
    """A non-negative number or array pushed up past the rounding of the few operations that made it."""
    return x * (1 + SAFETY * ar.unit_roundoff(mdp.r))


def row_sums(mdp: MDP) -> tuple[Array, Array]:
    """Lower and upper bounds on Σ_s' p(s' | s, a) over non-terminal s' (where values can differ from 0): (S, A) each."""
    live = np.where(mdp.terminal, ar.zeros(mdp.r, mdp.n_states), ar.ones(mdp.r, mdp.n_states))
    sums = (mdp.kernel @ live).reshape(mdp.r.shape)
    slop = ar.rounding(mdp.kernel, live).reshape(mdp.r.shape)
    return sums - up(mdp, slop), up(mdp, sums + slop)


def contraction_modulus(mdp: MDP) -> Any:
    """The modulus of the Bellman operators in the maximum norm: γ times the largest true row sum, rounded up."""
    _, high = row_sums(mdp)
    return up(mdp, mdp.gamma * ar.largest(high))


def backup_slop(mdp: MDP, v: Array) -> Array:
    """A bound on |computed backup - exact backup of the stored numbers|: (S,) -> (S, A); 0 in exact worlds."""
    u = ar.unit_roundoff(mdp.r)
    if u == 0:
        return ar.zeros(mdp.r, mdp.r.shape)
    product = mdp.gamma * (mdp.kernel @ np.abs(v)).reshape(mdp.r.shape)
    slop = mdp.gamma * ar.rounding(mdp.kernel, v).reshape(mdp.r.shape) + 3 * u * (np.abs(mdp.r) + product)
    return np.asarray(up(mdp, slop + reward_slop(mdp)))


def reward_slop(mdp: MDP) -> Array:
    """A bound on the rounding of r(s, a) where it is an average of given rewards: (S, A); 0 where r was given."""
    rank = 2 if mdp._parts.law is not None else 3 if getattr(mdp.R, "ndim", 2) == 3 or mdp.R.shape != mdp.r.shape else 1
    if rank == 1 or mdp.R.shape == (mdp.n_states,):
        return ar.zeros(mdp.r, mdp.r.shape)
    pairs = [(s, a) for s in range(mdp.n_states) for a in range(mdp.n_actions)]
    u = ar.unit_roundoff(mdp.r)
    laws = [mdp.outcomes(s, a) for s, a in pairs]
    return np.array([(len(law) + 2) * u * sum(p * abs(x) for p, _, x, _ in law) for law in laws]).reshape(mdp.r.shape)


def residual_bound(mdp: MDP, v: Array) -> Any:
    """‖v - V*‖∞ ≤ this, for any v: (S,) -> a number.  Raises `ValueError` where the modulus is not below 1."""
    gap = ar.best(np.abs(backup_gap(mdp, v)), mdp.available)
    raise NotImplementedError(gap)
