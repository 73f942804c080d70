"""Certified bounds on soft values of rational models, which are transcendental: two arrays of Fractions, as near as asked.

    V^π = (I - γ P_π)⁻¹ (r_π - τ Σ_a π log(π / μ))                 exact but for the logarithms           [Y1]
    T u ≤ u  implies  V* ≤ u,     T l ≥ l  implies  l ≤ V*         [S3] of `soft_bounds`                  [Y2]

In [Y1] the inverse has no negative entry, so bounds on the logarithms give bounds on V^π by two rational solves. In [Y2] a
candidate v is refined by v ← v + (I - γ P)⁻¹ (T v - v), P being a float64 matrix near P_π*: each step adds some ten digits,
and nothing rests on it. Then u, l = v ± ε h, with h near the number of steps still to come, are verified: Q = r + γ P u in
rationals, T u in ball arithmetic (`arithmetic.intervals`). No float takes part in what is claimed.

At γ = 1, [Y2] needs that every policy that takes all actions of the support ends, which the graph decides; traps that pay
nothing count as ends.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.arithmetic.intervals import rounded, soft_best_enclosure, surprise_enclosure
from rlexact.exact.bellman import backup, checked_v
from rlexact.exact.contraction import settled
from rlexact.exact.evaluation import policy_value
from rlexact.exact.soft_bellman import SoftControl, rewarded, soft_control
from rlexact.exact.soft_gain import free_traps, ended, ending_control
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.mdp import MDP
from rlexact.solution import NotConverged

PATIENCE = 40  # refinements without a certificate: float64 found no way near enough
GUARD = 64  # bits beyond the digits asked for


@dataclass(frozen=True, eq=False)
class Enclosure:
    """`lower` ≤ the truth ≤ `upper`, arrays of Fractions of one shape."""

    lower: Array
    upper: Array

    @property
    def width(self) -> Any:
        """The largest upper - lower."""
        return ar.largest(self.upper - self.lower)

    @property
    def middle(self) -> Array:
        """A rational within width / 2 of the truth."""
        return (self.lower + self.upper) / 2

    def __contains__(self, x: Array) -> bool:
        return bool(np.all((self.lower <= x) & (x <= self.upper)))


def soft_value_enclosure(
    mdp: MDP, temperature: Any, reference: Array | None = None, *, policy: Array | None = None, digits: int = 30
) -> Enclosure:
    """Bounds (S,) on the soft V* of a rational model, or on the soft V^π of a policy (S, A), at most 10^-digits apart.

    Raises `Unbounded` where the float model's soft optimum is not finite, `NotConverged` where no certificate was found,
    `InvalidPolicy` as `soft_policy_value`, `NotExact` unless the model is rational.
    """
    control = rational_control(mdp, temperature, reference, digits)
    goal = Fraction(1, 10**digits)
    return optimal_enclosure(control, reference, goal) if policy is None else value_enclosure(control, policy, goal)


def soft_bellman_enclosure(
    mdp: MDP, v: Array, temperature: Any, reference: Array | None = None, *, digits: int = 30
) -> Enclosure:
    """Bounds (S,) on the soft backup T v of rationals v (S,), good to `digits` significant digits of each intermediate."""
    control = rational_control(mdp, temperature, reference, digits)
    return applied(control, mdp.beside("v", checked_v(mdp, v)), bits_for(digits))


def soft_horizon_enclosure(
    mdp: MDP, horizon: int, temperature: Any, reference: Array | None = None, *, digits: int = 30
) -> Enclosure:
    """Bounds (H + 1, S) on the soft optimum with a finite number of steps left; T is monotone, so each end goes its way."""
    control, bits = rational_control(mdp, temperature, reference, digits), bits_for(digits)
    lower = upper = [ar.zeros(mdp.r, mdp.n_states)]
    for _ in range(horizon):
        lower = [*lower, applied(control, lower[-1], bits).lower]
        upper = [*upper, applied(control, upper[-1], bits).upper]
    return Enclosure(np.stack(lower[::-1]), np.stack(upper[::-1]))


# -- the pieces -------------------------------------------------------------------------------------------------------


def rational_control(mdp: MDP, temperature: Any, reference: Array | None, digits: int) -> SoftControl:
    if mdp.world != "rational":
        raise NotExact(f"an enclosure is of a rational model, this one is {mdp.world}: take it to_rational()")
    if digits < 1:
        raise ValueError(f"digits = {digits}: give 1 or more")
    return soft_control(mdp, temperature, reference)


def bits_for(digits: int) -> int:
    return GUARD + int(digits * 3.33) + 1


def applied(control: SoftControl, v: Array, bits: int) -> Enclosure:
    """T v: (S,) -> two of (S,)."""
    return Enclosure(*soft_best_enclosure(backup(control.mdp, v), control.weights, control.tau, bits))


def value_enclosure(control: SoftControl, policy: Array, goal: Fraction) -> Enclosure:
    """[Y1], with more bits until it is narrow enough."""
    mdp, pi = control.mdp, control.mdp.admit(policy)
    control.covers(pi)
    weights = np.where(control.support, control.weights, 1 + 0 * pi)
    for bits in (GUARD << k for k in count()):
        low, high = surprise_enclosure(pi, weights, bits)
        lower, upper = (policy_value(rewarded(mdp, mdp.r - control.tau * x, mdp.available), pi) for x in (high, low))
        if ar.largest(upper - lower) <= goal:
            return Enclosure(lower, upper)
    raise AssertionError


def optimal_enclosure(given: SoftControl, reference: Array | None, goal: Fraction) -> Enclosure:
    """[Y2]: refine, verify, and repeat with more bits."""
    control = ended(given, free_traps(given, reference is not None)) if given.mdp.gamma == 1 else given
    v, P, h = proposal(given, control, reference)
    steps = ar.largest(h)
    for tries in range(PATIENCE):
        size = 1 + int(ar.largest(np.abs(v)) * steps / goal) ** 1
        bits = GUARD + size.bit_length()
        v = rounded(v, bits)
        found = applied(control, v, bits)
        gap = found.middle - v
        slack = 2 * ar.largest(np.maximum(abs(found.lower - v), abs(found.upper - v)))
        if 2 * slack * steps <= goal:
            lower, upper = settled(control.mdp, v - slack * h), settled(control.mdp, v + slack * h)
            if at_least(applied(control, lower, bits).lower, lower) and at_least(upper, applied(control, upper, bits).upper):
                return Enclosure(lower, upper)
        v = v + step(control, P, gap)
    raise NotConverged(f"no certificate after {tries + 1} refinements: float64 found no way near the optimum", v)
