"""Polynomials over the rationals, their real roots as algebraic numbers, and (I - x P)⁻¹ r as a fraction of polynomials.

    (I - x P)⁻¹ b = N(x) / D(x),   D(x) = det(I - x P),   N = D · Σ_{k<n} x^k P^k b   up to degree n - 1       [F1]

D is the characteristic polynomial of P read backwards; N has degree below n because the adjugate of I - x P has, so the
series may be cut there (Faddeev and Faddeeva 1963, §47). Roots are separated by bisection until Descartes' rule of signs,
moved to the interval by x ↦ (low + high x) / (1 + x), counts 0 or 1 (Collins and Akritas 1976): no floating point anywhere.

Coefficients are in ascending order, `Fraction` outside and FLINT inside.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, total_ordering
from itertools import pairwise
from typing import Any

import numpy as np
from flint import fmpq_poly, fmpz, fmpz_poly

from rlexact.arithmetic.errors import NotExact
from rlexact.arithmetic.rational import RationalMatrix, to_flint, to_fraction
from rlexact.arithmetic.reading import Array, as_fraction


def resolvent(kernel: Any, b: Array) -> tuple[Array, Array]:
    """(I - x P)⁻¹ b by [F1], in lowest terms: (n, n), (n,) -> numerators (n, d), one denominator (d,), D(0) = 1.

    Raises `NotExact` unless the numbers are rational.
    """
    if not isinstance(kernel, RationalMatrix):
        raise NotExact("fractions of polynomials need rational numbers: take the model to_rational()")
    n = kernel.shape[0]
    D = fmpq_poly(kernel._flint.charpoly().coeffs()[::-1])
    powers = [np.asarray(b)]
    for _ in range(n - 1):
        powers.append(kernel @ powers[-1])
    numerators = [D.mul_low(as_flint(series), n) for series in np.array(powers).T]
    common = D
    for numerator in numerators:
        common = common.gcd(numerator)
    common = common / common[0]
    width = max(1, *(p.degree() + 1 for p in (D, *numerators))) - common.degree()
    return np.array([coefficients(p // common, width) for p in numerators]), coefficients(D // common, width)


def as_flint(ascending: Iterable[Any]) -> fmpq_poly:
    return fmpq_poly([to_flint(c) for c in ascending])


def coefficients(p: fmpq_poly, width: int) -> Array:
    out = np.full(width, Fraction(0), dtype=object)
    out[: p.degree() + 1] = [to_fraction(c) for c in p.coeffs()]
    return out


def value_at(ascending: Array, x: Any) -> Any:
    """Horner's rule along the last axis: (..., d), a number -> (...)."""
    total = 0 * ascending[..., 0]
    for k in reversed(range(ascending.shape[-1])):
        total = total * x + ascending[..., k]
    return total


def product(one: Array, other: Array) -> Array:
    """Products of polynomials along the last axis: (..., d), (e,) -> (..., d + e - 1)."""
    out = np.full((*one.shape[:-1], one.shape[-1] + other.size - 1), Fraction(0), dtype=object)
    for k, c in enumerate(other):
        out[..., k : k + one.shape[-1]] += c * one
    return out


def slope(ascending: Array) -> Array:
    """The derivative along the last axis: (..., d) -> (..., d - 1), or (..., 1) for a constant."""
    out = ascending[..., 1:] * np.arange(1, ascending.shape[-1])
    return out if ascending.shape[-1] > 1 else 0 * ascending


@total_ordering
@dataclass(frozen=True, eq=False)
class AlgebraicNumber:
    """The one root of an irreducible integer polynomial in [low, high]: `minimal`, ascending and without common factor.

    A rational p/q has minimal polynomial q x - p and low = high. Compared exactly with each other and with rationals.
    """

    minimal: tuple[int, ...]
    low: Fraction
    high: Fraction

    @classmethod
    def of(cls, x: Any) -> "AlgebraicNumber":
        """An integer, Fraction or decimal string as an algebraic number."""
        if isinstance(x, AlgebraicNumber):
            return x
        value = as_fraction(x)
        return cls((-value.numerator, value.denominator), value, value)

    @property
    def is_rational(self) -> bool:
        return len(self.minimal) == 2

    @cached_property
    def _polynomial(self) -> fmpz_poly:
        return fmpz_poly(list(self.minimal))

    def narrowed(self, width: Fraction) -> "AlgebraicNumber":
        """The same number between bounds no further apart than `width`."""
        low, high, p = self.low, self.high, self._polynomial
        below = p(to_flint(low)) > 0
        while high - low > width:
            middle = (low + high) / 2
            low, high = (middle, high) if (p(to_flint(middle)) > 0) == below else (low, middle)
        return AlgebraicNumber(self.minimal, low, high)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (AlgebraicNumber, int, Fraction)):
            return NotImplemented
        two = AlgebraicNumber.of(other)
        shared = max(self.low, two.low), min(self.high, two.high)
        return self.minimal == two.minimal and count_roots(self._polynomial, *shared) > 0

    def __lt__(self, other: Any) -> bool:
        one, two = self, AlgebraicNumber.of(other)
        if one == two:
            return False
        while (one.low < two.high and two.low < one.high) or one.low == two.high or one.high == two.low:
            width = max(one.high - one.low, two.high - two.low) / 2
            one, two = one.narrowed(width), two.narrowed(width)
        return one.high <= two.low

    def __hash__(self) -> int:
        return hash(self.low) if self.is_rational else hash(self.minimal)

    def __float__(self) -> float:
        near = self.narrowed(Fraction(1, 2**60))
        return float((near.low + near.high) / 2)

    def to_sympy(self) -> Any:
        """The number as a `sympy.Rational` or `sympy.CRootOf`."""
        import sympy

        p = sympy.Poly(list(reversed(self.minimal)), sympy.Symbol("x"))
        if self.is_rational:
            return sympy.Rational(self.low.numerator, self.low.denominator)
        return sympy.CRootOf(p, p.count_roots(-sympy.oo, sympy.Rational(self.low.numerator, self.low.denominator)))

    def __repr__(self) -> str:
        return str(self.low) if self.is_rational else f"root of {list(self.minimal)} near {float(self):.12g}"


def roots_between(ascending: Array, low: Any, high: Any) -> list[AlgebraicNumber]:
    """The distinct real roots in the open interval (low, high), ascending; a polynomial (d,) that is not zero."""
    start, stop, p = as_fraction(low), as_fraction(high), as_flint(ascending).numer()
    if not p:
        raise ValueError("every number is a root of the zero polynomial")
    if p.degree() == 0 or sign_changes(p, start, stop) == 0:
        return []
    return sorted(root for factor, _ in p.factor()[1] for root in roots_of_irreducible(factor, start, stop))


def roots_of_irreducible(p: fmpz_poly, low: Fraction, high: Fraction) -> Iterator[AlgebraicNumber]:
    minimal = tuple(int(c) for c in (p if p.leading_coefficient() > 0 else -p).coeffs())
    if len(minimal) == 2:
        root = Fraction(-minimal[0], minimal[1])
        if low < root < high:
            yield AlgebraicNumber(minimal, root, root)
        return
    changes = sign_changes(p, low, high)
    if changes == 1:
        yield AlgebraicNumber(minimal, low, high)
    elif changes > 1:
        middle = (low + high) / 2
        yield from roots_of_irreducible(p, low, middle)
        yield from roots_of_irreducible(p, middle, high)


def count_roots(p: fmpz_poly, low: Fraction, high: Fraction) -> int:
    """How many roots of an irreducible p lie in [low, high]."""
    if low >= high:
        return int(low == high and p(to_flint(low)) == 0)
    return len(list(roots_of_irreducible(p, low, high))) + [p(to_flint(x)) == 0 for x in (low, high)].count(True)


def sign_changes(p: fmpz_poly, low: Fraction, high: Fraction) -> int:
    """Descartes' bound for the roots in (low, high), counted with multiplicity: exact where it is 0 or 1."""
    unit = as_flint([low, high - low])
    moved = fmpq_poly(p)(unit).numer()  # the interval is now (0, 1)
    padded = moved.coeffs() + [fmpz(0)] * (p.degree() - moved.degree())
    turned = fmpz_poly(padded[::-1])(fmpz_poly([1, 1]))
    signs = [c > 0 for c in turned.coeffs() if c != 0]
    return sum(a != b for a, b in pairwise(signs))


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of least denominator strictly between two numbers ≥ 0 (Stern and Brocot's tree)."""
    whole = low.numerator // low.denominator
    if whole + 1 < high:
        return Fraction(whole + 1)
    if low == whole:  # then high ≤ whole + 1
        excess = 1 / (high - whole)
        return whole + Fraction(1, excess.numerator // excess.denominator + 1)
    rest = simplest_between(1 / (high - whole), 1 / (low - whole))
    return whole + 1 / rest


def point_between(one: Any, other: Any) -> Fraction:
    """A simple fraction strictly between two different algebraic numbers ≥ 0, the smaller one first."""
    low, high = AlgebraicNumber.of(one), AlgebraicNumber.of(other)
    while not low.high < high.low:
        width = max(low.high - low.low, high.high - high.low) / 2
        low, high = low.narrowed(width), high.narrowed(width)
    return simplest_between(low.high, high.low)
