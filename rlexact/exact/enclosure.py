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

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact, SingularSystem
from rlexact.arithmetic.intervals import rounded, soft_best_enclosure, surprise_enclosure
from rlexact.exact.bellman import backup, checked_v
from rlexact.exact.evaluation import policy_value
from rlexact.exact.soft_bellman import SoftControl, rewarded, soft_control
from rlexact.exact.soft_bounds import steps_left
from rlexact.exact.soft_gain import SoftGain, ended, free_traps, gains, refuse, restricted
from rlexact.exact.soft_iteration import improve_to
from rlexact.mdp import MDP
from rlexact.solution import NotConverged

PATIENCE = 40  # refinements without a certificate: float64 found no way near enough
NOWHERE_NEAR = "float64 finds no way near the soft optimum. Lower the temperature, or make a step cost more"
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

    Raises `Unbounded` at γ = 1 where the soft optimum is proved not finite, `NotConverged` where no certificate was found
    either way, `InvalidPolicy` as `soft_policy_value`, `NotExact` unless the model is rational.
    """
    control = rational_control(mdp, temperature, reference, digits)
    goal = Fraction(1, 10**digits)
    return (
        optimal_enclosure(control, reference is not None, goal)
        if policy is None
        else value_enclosure(control, policy, goal)
    )


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
    mdp, pi = control.mdp, control.covered(policy)
    bits = GUARD
    while True:
        low, high = surprise_enclosure(pi, control.positive_weights(), bits)
        lower, upper = (policy_value(rewarded(mdp, mdp.r - control.tau * x, mdp.available), pi) for x in (high, low))
        if ar.largest(upper - lower) <= goal:
            return Enclosure(lower, upper)
        bits *= 2


def optimal_enclosure(given: SoftControl, has_reference: bool, goal: Fraction) -> Enclosure:
    """[Y2]: refine v until u and l, near enough to each other, are verified."""
    control, nearby = finite_control(given, has_reference)
    approximate, remaining = proposal(nearby)
    v, h, P = exactly(approximate), exactly(remaining), nearby.mdp.under(nearby.greedy(approximate))[0]
    steps = ar.largest(h)
    size = 1 + given.tau + ar.largest(np.abs(v))
    bits = GUARD + int(size * (1 + steps) / goal).bit_length()
    for _ in range(PATIENCE):
        v = rounded(v, bits)
        found = applied(control, v, bits)
        slack = 2 * ar.largest(np.concatenate([found.upper - v, v - found.lower])) + size / 2 ** (bits - GUARD // 4)
        lower, upper = v - slack * h, v + slack * h
        if 2 * slack * steps <= goal and contradicts_neither(control, lower, upper, bits):
            return Enclosure(lower, upper)
        gap = (found.middle - v).astype(float)
        v = v + exactly(ar.solve(ar.eye(P) - nearby.mdp.gamma * P, gap))
    raise NotConverged(f"no certificate after {PATIENCE} refinements: {NOWHERE_NEAR}", v)


def contradicts_neither(control: SoftControl, lower: Array, upper: Array, bits: int) -> bool:
    """Whether T l ≥ l and T u ≤ u for certain."""
    rise, fall = applied(control, lower, bits).lower - lower, upper - applied(control, upper, bits).upper
    return not ar.negative(np.concatenate([rise, fall])).any()


def finite_control(given: SoftControl, has_reference: bool) -> tuple[SoftControl, SoftControl]:
    """The problem and its float64 image, free traps ended at γ = 1.  Raises `Unbounded`, `NotConverged` as `refuse`."""
    mdp = given.mdp.to_float()
    nearby = SoftControl(mdp, ar.number(mdp.r, given.tau), given.weights.astype(float))
    if mdp.gamma != 1:
        return given, nearby
    free = free_traps(given, has_reference)
    control, nearby = ended(given, free), ended(nearby, free)
    for found in gains(nearby):
        refuse(control, exact_gain(control, found))
    return control, nearby


def exact_gain(control: SoftControl, found: SoftGain) -> SoftGain:
    """The bounds that h proves for the rational problem."""
    inner, h = restricted(control, found.pairs), exactly(found.h)
    image = applied(inner, h, 2 * GUARD)
    return replace(found, h=h, lower=-ar.largest(h - image.lower), upper=ar.largest(image.upper - h))


def proposal(nearby: SoftControl) -> tuple[Array, Array]:
    """Values near the optimum and the steps still to come, from floats: (S,), (S,).  Raises `NotConverged`."""
    try:
        v = nearly(nearby)
        return v, steps_left(nearby, v)
    except SingularSystem as error:
        raise NotConverged(f"{error}: {NOWHERE_NEAR}", None) from None


def nearly(nearby: SoftControl) -> Array:
    try:
        return improve_to(nearby, nearby, 0.0, nearby.base()).v
    except NotConverged as error:
        return np.asarray(error.best.v)


def exactly(x: Array) -> Array:
    """Floats as the Fractions that they are."""
    out = np.empty(x.shape, dtype=object)
    out[:] = [Fraction(float(e)) for e in x]
    return out
