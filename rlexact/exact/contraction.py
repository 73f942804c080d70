"""How far a guess is from the truth: moduli, residual and span bounds, all counting rounding.

    modulus     m = γ max_{s,a} Σ_s' p(s' | s, a)                            the true row sums, not 1    [B1]
    residual    ‖v - V*‖ ≤ ‖Tv - v‖ / (1 - m)                                                            [B2]
    span        Tv - ρ(max(v - Tv)) ≤ V* ≤ Tv + ρ(max(Tv - v))                                           [B3]
                ρ(x) = x m / (1 - m) for x ≥ 0, x m₀ / (1 - m₀) for x < 0; m₀ = γ min_{s,a} Σ_s' p(s' | s, a)

Puterman (1994), Theorem 6.3.1 for [B2]; MacQueen (1966) and Porteus (1971) for [B3]: if Tv ≤ v + x on every state, then
T²v ≤ Tv + x m where x ≥ 0 and T²v ≤ Tv + x m₀ where x < 0, and so on; the series adds up to ρ(x). Sums and maxima run
over the states that are not terminal, where values may differ from 0. Given a policy, T is T^π and the rows are P_π's.

'The truth' is the fixed point of the stored numbers read as exact, policies included. In exact worlds rounding is 0. In
floats a sum of n products is within γ_n Σ|x_i y_i| of the truth, γ_n = n u / (1 - n u) (Higham 2002, §3.1), plus what
underflow loses, less than u¹⁹; and each bound is itself rounded up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP
from rlexact.exact.bellman import checked_v
from rlexact.mdp import MDP

SAFETY = 16  # roundings committed while a bound itself is being added up: each is at most one unit roundoff


@dataclass(frozen=True, eq=False)
class Moduli:
    """γ times the least and the largest row sum, rounded outwards: m₀ and m."""

    least: Any
    most: Any

    @property
    def contracts(self) -> bool:
        """Whether m < 1.  Raises `NotExact` where symbols leave it open."""
        return bool(ar.largest(np.array([self.most, 1 + 0 * self.most])) != self.most)

    def rise(self, x: Any) -> Any:
        """ρ(x) [B3], rounded up: what all later backups can add where the first added at most x."""
        climb, fall = positive_part(x), positive_part(-x)
        return up(climb * self.most / (1 - self.most)) - down(fall * self.least / (1 - self.least))


def contraction_modulus(mdp: MDP, policy: Array | None = None) -> Any:
    """The modulus of T, or of T^π, in the maximum norm [B1], rounded up: a number.

    Mass on terminal states does not count, since values are 0 there: a model that ends at once has modulus 0.
    """
    return moduli(mdp, policy).most


def residual_bound(mdp: MDP, v: Array, policy: Array | None = None) -> Any:
    """‖v - V*‖∞, or ‖v - V^π‖∞, is at most this [B2]: (S,) -> a number, in the units of the rewards.

    Raises `InvalidMDP` unless the modulus is below 1.
    """
    m, given = contracting(mdp, policy), checked_v(mdp, v)
    _, _, gap, error = residual(mdp, settled(mdp, given), policy)
    inside = up(ar.largest(np.abs(gap) + error) / (1 - m.most))
    return ar.largest(np.array([inside, ar.largest(np.abs(given[mdp.terminal]))]))


def span_bounds(mdp: MDP, v: Array, policy: Array | None = None) -> tuple[Array, Array]:
    """(lower, upper) with lower ≤ V* ≤ upper, or around V^π, one backup after `v` [B3]: (S,) -> (S,), (S,).

    Where no row leaks they are (max - min)(Tv - v) m / (1 - m) apart. Raises `InvalidMDP` unless
    the modulus is below 1.
    """
    m = contracting(mdp, policy)
    top, slop, gap, error = residual(mdp, settled(mdp, checked_v(mdp, v)), policy)
    climb, fall = m.rise(ar.largest((gap + error)[~mdp.terminal])), m.rise(ar.largest((error - gap)[~mdp.terminal]))
    pad = up(slop + 4 * ar.unit_roundoff(mdp.r) * (np.abs(top) + abs(climb) + abs(fall)))
    return settled(mdp, top - fall - pad), settled(mdp, top + climb + pad)


# -- the pieces -------------------------------------------------------------------------------------------------------


def up(x: Any) -> Any:
    """Non-negative numbers pushed up past the rounding of the few operations that made them."""
    return x * (1 + SAFETY * ar.unit_roundoff(x))


def down(x: Any) -> Any:
    return x * (1 - SAFETY * ar.unit_roundoff(x))


def positive_part(x: Any) -> Any:
    return ar.largest(np.array([x, 0 * x]))


def least(x: Array) -> Any:
    return -ar.largest(-x)


def settled(mdp: MDP, v: Array) -> Array:
    """The values with 0 at terminal states, where nothing else can be true."""
    return np.where(mdp.terminal, ar.zeros(mdp.r, mdp.n_states), v)


def contracting(mdp: MDP, policy: Array | None = None) -> Moduli:
    m = moduli(mdp, policy)
    if not m.contracts:
        raise InvalidMDP(
            f"gamma times the largest row sum is {m.most}, not below 1: the backup does not contract in the maximum "
            "norm. Use rlexact.exact.certified, which counts remaining steps"
        )
    return m


def moduli(mdp: MDP, policy: Array | None = None) -> Moduli:
    """m₀ and m of the rows in use: every available pair, or those of P_π.  Each rounded outwards."""
    live = ~mdp.terminal
    sums, slop = enclosed_mean(mdp, np.where(live, ar.ones(mdp.r, live.shape), ar.zeros(mdp.r, live.shape)))
    if policy is None:
        low, high = -ar.best(slop - sums, mdp.available)[0], ar.best(sums + slop, mdp.available)[0]
    else:
        mean, error = averaged(mdp, policy, sums, slop)
        low, high = mean - error, mean + error
    return Moduli(down(mdp.gamma * positive_part(least(down(low[live])))), up(mdp.gamma * ar.largest(up(high[live]))))


def residual(mdp: MDP, v: Array, policy: Array | None = None) -> tuple[Array, Array, Array, Array]:
    """Tv and its rounding, Tv - v and its rounding: (S,) -> four of (S,)."""
    top, slop = enclosed(mdp, v, policy)
    gap = top - v
    return top, slop, gap, up(slop + 4 * ar.unit_roundoff(mdp.r) * np.abs(gap))


def enclosed(mdp: MDP, v: Array, policy: Array | None = None) -> tuple[Array, Array]:
    """Tv, or T^π v, as computed, and a bound on its distance from the truth: (S,) -> (S,), (S,)."""
    q, slop = enclosed_backup(mdp, v)
    if policy is None:
        return ar.best(q, mdp.available)[0], ar.best(slop, mdp.available)[0]
    return averaged(mdp, policy, q, slop)


def averaged(mdp: MDP, policy: Array, x: Array, slop: Array) -> tuple[Array, Array]:
    """Σ_a π(a | s) x(s, a) and its rounding, where x carries the rounding `slop`: two of (S, A) -> two of (S,)."""
    pi = mdp.admit(policy)
    return ar.average(pi, x), up(ar.average(pi, slop) + sum_slop(mdp, mdp.n_actions) * ar.average(pi, np.abs(x)))


def enclosed_backup(mdp: MDP, v: Array) -> tuple[Array, Array]:
    """r + γ P v and a bound on its rounding, that of r included: (S,) -> (S, A), (S, A)."""
    step, slop = enclosed_step(mdp, v)
    q = ar.tidy(mdp.r + step)
    return q, up(slop + reward_slop(mdp) + 2 * ar.unit_roundoff(mdp.r) * np.abs(q))


def enclosed_step(mdp: MDP, v: Array) -> tuple[Array, Array]:
    """γ P v and a bound on its rounding: (S,) -> (S, A), (S, A)."""
    mean, slop = enclosed_mean(mdp, v)
    step, u = mdp.gamma * mean, ar.unit_roundoff(mdp.r)
    return step, up(mdp.gamma * slop + 2 * u * np.abs(step)) + u**19


def enclosed_mean(mdp: MDP, v: Array) -> tuple[Array, Array]:
    """P v and a bound on its rounding: (S,) -> (S, A), (S, A).

    In a model given by outcomes a probability is itself a sum over those that lead to one state, and was rounded.
    """
    kernel, shape = mdp.kernel, mdp.r.shape
    slop = ar.rounding(kernel, v)
    if mdp._parts.law is not None and not ar.is_exact(kernel):
        slop += sum_slop(mdp, np.bincount(mdp._parts.law[0], minlength=slop.size)) * (kernel @ np.abs(v))
    return (kernel @ v).reshape(shape), up(slop).reshape(shape)


def sum_slop(mdp: MDP, n: Any) -> Any:
    """γ_{n+2}, for sums of n products (two roundings to spare): an integer or an array of them."""
    nu = (n + 2) * ar.unit_roundoff(mdp.r)
    return nu / (1 - nu)


def reward_slop(mdp: MDP) -> Array:
    """A bound on the rounding of r(s, a) where it averages given rewards, 0 where r itself was given: (S, A)."""
    nothing = ar.zeros(mdp.r, mdp.r.shape)
    if ar.is_exact(mdp.r):
        return nothing
    if mdp._parts.law is not None:
        rows, _, p, rewards = mdp._parts.law
        sizes = np.bincount(rows, weights=p * np.abs(rewards), minlength=mdp.r.size)
        return np.asarray(up(sum_slop(mdp, np.bincount(rows, minlength=mdp.r.size)) * sizes).reshape(mdp.r.shape))
    if not scipy.sparse.issparse(mdp.R) and np.ndim(mdp.R) < 3:
        return nothing
    given = mdp.R if scipy.sparse.issparse(mdp.R) else mdp.R.reshape(mdp.kernel.shape)
    weighed = ar.kernel_from(mdp.kernel * abs(given))
    return up(ar.rounding(weighed, ar.ones(mdp.r, mdp.n_states))).reshape(mdp.r.shape)  # type: ignore[no-any-return]
