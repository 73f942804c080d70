"""How the optimal policy depends on the discount: every switch on (0, 1), and what is best in the end.

A policy is optimal on an open interval of discounts if and only if all its advantages are ≤ 0 there. For a fixed policy
they are fractions with one positive denominator (`parametric`), so their signs change only at real roots of the
numerators, which are isolated exactly. From the left end of an interval:

    solve at a rational g in it;   if some advantage of that policy is > 0 just to the right of the left end,
    move g to the left of all its roots and repeat: no policy is met twice, so this ends;
    otherwise the policy is optimal up to the first root beyond which an advantage is > 0, and the next interval begins.

V* is one curve on each interval and another on the next: its pieces are finitely many (Puterman 1994, §10.1.3). The policy
of the last is optimal for all discounts close enough to 1: Blackwell-optimal (Blackwell 1962).
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from rlexact.arithmetic import Array, NotExact
from rlexact.arithmetic.polynomial import AlgebraicNumber, point_between, roots_between, value_at
from rlexact.exact.parametric import Curve, advantage_of, value_curve
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP

ZERO, ONE = AlgebraicNumber.of(0), AlgebraicNumber.of(1)


@dataclass(frozen=True, eq=False)
class Piece:
    """The open interval (low, high) of discounts where V* is one curve, as large as it can be.

    `policy` (S, A) is optimal at every discount in it, and `optimal_actions` (S, A) marks every action that is so
    throughout; single discounts inside may have more. `value` is V* there, `sample` a simple discount inside.
    """

    low: AlgebraicNumber
    high: AlgebraicNumber
    policy: Array
    optimal_actions: Array
    value: Curve
    sample: Fraction


def optimal_pieces(mdp: MDP) -> tuple[Piece, ...]:
    """The pieces of V* over the discounts in (0, 1), in order.  Raises `NotExact` unless the model is rational.

    The model's own discount plays no part.
    """
    pieces = [piece_after(mdp, ZERO)]
    while pieces[-1].high < ONE:
        pieces.append(piece_after(mdp, pieces[-1].high))
    return tuple(pieces)


def switch_discounts(mdp: MDP) -> tuple[AlgebraicNumber, ...]:
    """The discounts in (0, 1) where V* passes from one curve to another, ascending."""
    return tuple(piece.low for piece in optimal_pieces(mdp)[1:])


def blackwell(mdp: MDP) -> Piece:
    """The last piece: its policy is optimal for every discount in (low, 1), and for none just below `low`."""
    return piece_before_one(mdp)


def piece_after(mdp: MDP, at: AlgebraicNumber) -> Piece:
    """The piece whose left end is `at`."""
    g = point_between(at, ONE)
    while True:
        policy, v, signs = optimal_at(mdp, g)
        if not any(sign.positive_after(at) for sign in signs):
            return piece(mdp, at, min((sign.rise_after(at) for sign in signs), default=ONE), policy, v)
        g = point_between(at, min(sign.next_root(at) for sign in signs))


def piece_before_one(mdp: MDP) -> Piece:
    g = Fraction(1, 2)
    while True:
        policy, v, signs = optimal_at(mdp, g)
        if not any(sign.positive_at_last for sign in signs):
            return piece(mdp, max((sign.last_fall for sign in signs), default=ZERO), ONE, policy, v)
        g = point_between(max(sign.last_root for sign in signs), ONE)


@dataclass(frozen=True, eq=False)
class Sign:
    """Where a polynomial is positive on (0, 1): its distinct roots, and whether it is so before, between and after them."""

    roots: tuple[AlgebraicNumber, ...]
    positive: tuple[bool, ...]

    @classmethod
    def of(cls, ascending: Array) -> "Sign":
        roots = roots_between(ascending, 0, 1)
        ends = [ZERO, *roots, ONE]
        points = [point_between(a, b) for a, b in pairwise(ends)]
        return cls(tuple(roots), tuple(bool(value_at(ascending, x) > 0) for x in points))

    def after(self, at: AlgebraicNumber) -> int:
        """The number of the first stretch that reaches beyond `at`."""
        return sum(root <= at for root in self.roots)

    def positive_after(self, at: AlgebraicNumber) -> bool:
        return self.positive[self.after(at)]

    def next_root(self, at: AlgebraicNumber) -> AlgebraicNumber:
        return (*self.roots, ONE)[self.after(at)]

    def rise_after(self, at: AlgebraicNumber) -> AlgebraicNumber:
        """Where it first becomes positive beyond `at`, or 1."""
        first = self.after(at)
        rises = (root for k, root in enumerate(self.roots) if k >= first and self.positive[k + 1])
        return next(rises, ONE)

    @property
    def positive_at_last(self) -> bool:
        return self.positive[-1]

    @property
    def last_root(self) -> AlgebraicNumber:
        return (ZERO, *self.roots)[-1]

    @property
    def last_fall(self) -> AlgebraicNumber:
        """The last root before which it is positive, or 0."""
        return next((root for k, root in reversed(list(enumerate(self.roots))) if self.positive[k]), ZERO)


def optimal_at(mdp: MDP, gamma: Fraction) -> tuple[Array, Curve, list[Sign]]:
    """A policy optimal at `gamma`, its value, and the signs of its advantages that are not zero throughout."""
    if mdp.world != "rational":
        raise NotExact(
            f"switches of the discount need rational numbers, the model is {mdp.world}: take it to_rational()"
        )
    policy = policy_iteration(mdp.replace(gamma=gamma)).policy
    v = value_curve(mdp, policy)
    numerators = advantage_of(mdp, v).numerators[mdp.available]
    return policy, v, [Sign.of(p) for p in numerators if p.any()]


def piece(mdp: MDP, low: AlgebraicNumber, high: AlgebraicNumber, policy: Array, v: Curve) -> Piece:
    nothing = (advantage_of(mdp, v).numerators == 0).astype(bool).all(axis=-1)
    return Piece(low, high, policy, mdp.available & nothing, v, point_between(low, high))
