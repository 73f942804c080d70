"""The best policy that cannot tell states apart: one probability p for all of them.

    π_p(second action | s) = p in every state with a choice
    J(p) = ρ · (I - γ P_p)⁻¹ r_p = N(p) / D(p)                                                            [M1]

P_p and r_p are linear in p, so J is a fraction of polynomials. With q = p - ½, B = I - γ P_½, K = B⁻¹ γ (P_1 - P_0):

    (I - γ P_p)⁻¹ r_p = (I - q K)⁻¹ B⁻¹ (r_½ + q (r_1 - r_0))                                             [M2]

which `arithmetic.polynomial.resolvent` writes out. The best p is ½ (where J is constant), an end of [0, 1], or a root of
N'D - ND', isolated exactly; J there is the root of a polynomial again. A memoryless policy may have to be random: Singh,
Jaakkola and Jordan (1994); Sutton and Barto (2018), Example 13.1, where p = 2 - √2.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.arithmetic.polynomial import (
    AlgebraicNumber,
    product,
    resolvent,
    roots_between,
    slope,
    value_at,
)
from rlexact.door import InvalidMDP, InvalidPolicy
from rlexact.exact.chain import closed_classes, named
from rlexact.exact.difference import weighed
from rlexact.exact.evaluation import ending_chain, expected_return, visits
from rlexact.exact.parametric import added
from rlexact.mdp import MDP
from rlexact.policy import choices, number_in_unit_interval, spread
from rlexact.solution import Unbounded

HALF = Fraction(1, 2)
SHIFT, ONE = np.array([HALF, Fraction(1)], dtype=object), np.array([Fraction(1)], dtype=object)  # q + ½ over 1


@dataclass(frozen=True, eq=False)
class AliasedPolicy:
    """The best `probability` p of the second action, its return `value`, and J(p) = `numerator` / `denominator` [M1].

    Both polynomials are in q = p - ½, coefficients ascending: J on the open interval (0, 1).
    """

    probability: AlgebraicNumber
    value: AlgebraicNumber
    numerator: Array
    denominator: Array


def shared_choice(mdp: MDP, probability: Any) -> Array:
    """The policy that takes the second of two actions with one probability wherever there is a choice: -> (S, A).

    Raises `InvalidMDP` where states differ in what there is to choose from, `InvalidPolicy` for p outside [0, 1].
    """
    p, (first, second) = number_in_unit_interval(mdp, probability, "probability"), the_two_actions(mdp)
    mask = choices(mdp)
    policy = spread(mdp, mask)
    free = mask.sum(axis=1) > 1
    policy[free, first], policy[free, second] = 1 - p, p
    return policy


def the_two_actions(mdp: MDP) -> tuple[int, int]:
    patterns = {tuple(np.flatnonzero(row)) for row in mdp.available if row.sum() > 1}
    if len(patterns) != 1 or len(two := next(iter(patterns))) != 2:
        raise InvalidMDP(
            f"states offer the choices {sorted(tuple(map(int, row)) for row in patterns)}: one shared probability needs the "
            "same two actions wherever there is a choice"
        )
    return int(two[0]), int(two[1])


def best_aliased_policy(mdp: MDP) -> AliasedPolicy:
    """The best shared choice between two actions, from `mdp.initial` [M1]: -> `AliasedPolicy`, exact.

    Raises `NotExact` unless the model is rational, `Unbounded` where a return is only approached, or has no bound, as p
    tends to 0 or 1; `InvalidMDP` as `shared_choice`; `InvalidPolicy` where p = ½ never ends and is paid.
    """
    if mdp.world != "rational":
        raise NotExact("the best shared probability is an algebraic number: take the model to_rational()")
    N, D = return_fraction(mdp)
    turning = added(product(slope(N), D), -product(N, slope(D)))
    inside = roots_between(turning, -HALF, HALF) if ar.apart(turning, 0).any() else []
    found = [(image(N, D, q), image(SHIFT, ONE, q)) for q in [*inside, AlgebraicNumber.of(0)]]
    for end in (0, 1):
        if (own := attained(mdp, shared_choice(mdp, end))) is not None:
            found.append((AlgebraicNumber.of(own), AlgebraicNumber.of(end)))
    value, p = max(found, key=lambda pair: pair[0])
    for side in (-HALF, HALF):
        refuse_limit(N, D, side, inside, value)
    return AliasedPolicy(p, value, N, D)


def attained(mdp: MDP, policy: Array) -> Any:
    """J of one policy, or None where it goes round for ever and is paid; states that it never comes to do not matter."""
    try:
        return expected_return(mdp, policy)
    except InvalidPolicy:
        pass
    try:
        return weighed(visits(mdp, policy), mdp.under(policy)[1])
    except InvalidPolicy:
        return None


def return_fraction(mdp: MDP) -> tuple[Array, Array]:
    """N and D of [M1] in q = p - ½, by [M2]; the column beside K carries what r adds for each q."""
    half = shared_choice(mdp, HALF)
    middle, r_middle = ending_chain(mdp, half)
    (P_0, r_0), (P_1, r_1) = (mdp.under(shared_choice(mdp, p)) for p in (0, 1))
    for states in closed_classes(mdp, half) if mdp.gamma == 1 else []:
        if ar.apart(r_1, r_0)[states].any():
            raise Unbounded(f"at gamma = 1 every p but 1/2 is paid for ever in {named(mdp, states)}")
    B = ar.eye(middle) - mdp.gamma * middle
    K = ar.solve(B, ar.dense_array(mdp.gamma * (P_1 - P_0)))
    b, more = ar.solve(B, r_middle), ar.solve(B, r_1 - r_0)
    wide = np.vstack([np.column_stack([K, more]), ar.zeros(mdp.r, mdp.n_states + 1)])
    numerators, D = resolvent(ar.kernel_from(wide), np.append(b, ar.number(mdp.r, 1)))
    return mdp.initial @ numerators[:-1], D


def refuse_limit(N: Array, D: Array, end: Fraction, turning: list[AlgebraicNumber], value: AlgebraicNumber) -> None:
    """Raises `Unbounded` where J tends to more than `value` at this end; J is monotone between the last turn and it."""
    while value_at(N, end) == 0 == value_at(D, end):
        N, D = slope(N), slope(D)  # l'Hôpital
    if value_at(D, end) != 0:
        more = value_at(N, end) / value_at(D, end) > value
    else:
        near = Fraction(0)
        while any(q >= near if end > 0 else q <= near for q in turning):
            near = (near + end) / 2
        before, after = (value_at(N, q) / value_at(D, q) for q in (near, (near + end) / 2))
        more = after > before
    if more:
        raise Unbounded(
            f"as the probability tends to {end + HALF}, the return tends to more than any probability attains"
        )


def image(N: Array, D: Array, q: AlgebraicNumber) -> AlgebraicNumber:
    """N(q) / D(q), the eigenvalue of N(C) D(C)⁻¹ for C the companion matrix of q's minimal polynomial."""
    if q.is_rational:
        return AlgebraicNumber.of(value_at(N, q.low) / value_at(D, q.low))
    C = companion(q)
    F = ar.solve(ar.kernel_from(at_matrix(D, C)), at_matrix(N, C))
    if not ar.apart(F, 0).any():
        return AlgebraicNumber.of(0)
    _, reversed_minimal = resolvent(ar.kernel_from(F), ar.dense_array(ar.eye(C))[0])
    m = np.trim_zeros(reversed_minimal, "b")[::-1]
    radius = 1 + ar.largest(np.abs(m))  # Cauchy's bound: m is monic
    candidates = roots_between(m, -radius, radius)
    while len(candidates) > 1:
        q = q.narrowed((q.high - q.low) / 4)
        low, high = quotient(enclosed(N, q.low, q.high), enclosed(D, q.low, q.high))
        candidates = [z for z in candidates if low is None or low <= z <= high]
    return candidates[0]


def companion(q: AlgebraicNumber) -> Any:
    """The matrix whose characteristic polynomial is q's minimal one."""
    c = np.array([Fraction(x, q.minimal[-1]) for x in q.minimal[:-1]], dtype=object)
    C = ar.zeros(c, (c.size, c.size))
    C[np.arange(1, c.size), np.arange(c.size - 1)] = Fraction(1)
    C[:, -1] = -c
    return ar.kernel_from(C)


def at_matrix(ascending: Array, C: Any) -> Array:
    """A polynomial at a matrix, by Horner's rule: (d,), (n, n) -> (n, n)."""
    one = ar.dense_array(ar.eye(C))
    total = 0 * one
    for c in ascending[::-1]:
        total = C @ total + c * one
    return np.asarray(total)


def enclosed(ascending: Array, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds on a polynomial over [low, high], by Horner's rule in intervals."""
    least = most = Fraction(0)
    for c in ascending[::-1]:
        ends = [x * y for x in (least, most) for y in (low, high)]
        least, most = min(ends) + c, max(ends) + c
    return least, most


def quotient(top: tuple[Fraction, Fraction], below: tuple[Fraction, Fraction]) -> tuple[Any, Any]:
    """Bounds on a quotient, or (None, None) where the divisor may be 0."""
    if below[0] <= 0 <= below[1]:
        return None, None
    ends = [x / y for x in top for y in below]
    return min(ends), max(ends)
