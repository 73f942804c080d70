"""Exact roots against SymPy's, comparisons against squares, and the resolvent against adjugate over determinant."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact, kernel_from
from rlexact.arithmetic.polynomial import (
    AlgebraicNumber,
    point_between,
    product,
    resolvent,
    roots_between,
    simplest_between,
    slope,
    value_at,
)

X = sympy.Symbol("x")


def poly(*ascending):
    return np.array([Fraction(c) for c in ascending], dtype=object)


def as_sympy(ascending):
    return sympy.Poly([sympy.Rational(c.numerator, c.denominator) for c in reversed(ascending)], X)


ROOT_HALF = roots_between(poly(-1, 0, 2), 0, 1)[0]


@pytest.mark.parametrize("seed", range(12))
def test_roots_are_those_of_sympy(seed):
    rng = np.random.default_rng(seed)
    p = poly(1)
    for _ in range(3):
        p = product(p, poly(*(int(c) for c in rng.integers(-6, 7, 4)), 7))
    p = product(p, product(poly(-2, 3), poly(-2, 3)))  # a double root at 2/3, counted once
    found = roots_between(p, 0, 1)
    expected = sorted({r for r in as_sympy(p).real_roots() if 0 < r < 1}, key=lambda r: r.evalf(30))
    assert [root.to_sympy() for root in found] == expected
    assert Fraction(2, 3) in found


def test_the_interval_is_open_and_signs_do_not_matter():
    assert roots_between(product(poly(0, 1), poly(-1, 1)), 0, 1) == []
    assert roots_between(-poly(-1, 0, 2), 0, 1) == [ROOT_HALF]
    assert float(roots_between(poly(-1, 0, 2), -1, 1)[0]) == -(0.5**0.5)
    assert roots_between(poly(3), 0, 1) == []
    with pytest.raises(ValueError, match="zero polynomial"):
        roots_between(poly(0, 0), 0, 1)


def test_close_roots_are_told_apart():
    gap = Fraction(1, 10**40)
    p = product(product(poly(-1, 2), poly(-1 - gap, 2)), poly(-1, 0, 2))
    assert roots_between(p, 0, 1) == [Fraction(1, 2), Fraction(1, 2) + gap / 2, ROOT_HALF]


def test_algebraic_numbers_are_ordered_by_their_squares():
    for x in (
        Fraction(7, 10),
        Fraction(71, 100),
        Fraction(7071067811865475244, 10**19),
        Fraction(1, 2),
        Fraction(3, 4),
    ):
        assert (x > ROOT_HALF) == (Fraction(1, 2) < x * x)
        assert (x < ROOT_HALF) == (Fraction(1, 2) > x * x)
        assert x != ROOT_HALF
    third = roots_between(poly(-1, 0, 0, 3), 0, 1)[0]  # 3^(-1/3) = 0.693
    assert third < ROOT_HALF
    assert sorted([ROOT_HALF, AlgebraicNumber.of("7/10"), third]) == [third, Fraction(7, 10), ROOT_HALF]
    (elsewhere,) = roots_between(product(poly(-1, 0, 2), poly(5, 1)), Fraction(1, 3), 1)
    assert elsewhere.narrowed(Fraction(1, 1000)) == ROOT_HALF
    assert hash(ROOT_HALF) == hash(ROOT_HALF.narrowed(Fraction(1, 8)))
    assert float(ROOT_HALF) == 0.5**0.5
    assert (ROOT_HALF == "0.7") is False


def test_two_roots_of_one_polynomial_differ():
    small, large = roots_between(poly(1, -5, 5), 0, 1)  # (5 ± √5) / 10
    assert small < large
    assert small != large
    assert float(large) == pytest.approx((5 + 5**0.5) / 10, abs=1e-15)  # one rounding of either side


def test_the_simplest_fraction_between():
    rng = np.random.default_rng(0)
    for _ in range(200):
        low, high = sorted(Fraction(int(a), int(b)) for a, b in rng.integers(1, 40, (2, 2)))
        if low == high:
            continue
        found = simplest_between(low, high)
        least = next(q for q in range(1, 2000) if any(low < Fraction(k, q) < high for k in range(40 * q)))
        assert low < found < high
        assert found.denominator == least
    assert simplest_between(Fraction(0), Fraction(1, 7)) == Fraction(1, 8)
    assert Fraction(7, 10) < point_between("7/10", ROOT_HALF) < ROOT_HALF


def test_the_resolvent_is_adjugate_over_determinant():
    P = np.array([["1/2", "1/3", "1/6"], ["0", "1/4", "3/4"], ["1", "0", "0"]])
    exact = np.vectorize(Fraction, otypes=[object])(P)
    b = poly(2, -1, "1/3")
    numerators, denominator = resolvent(kernel_from(exact), b)
    system = sympy.eye(3) - X * sympy.Matrix(3, 3, [sympy.Rational(x) for x in P.flat])
    for s, solved in enumerate(system.adjugate() * sympy.Matrix([2, -1, sympy.Rational(1, 3)]) / system.det()):
        assert sympy.cancel(as_sympy(numerators[s]).as_expr() / as_sympy(denominator).as_expr() - solved) == 0
    assert denominator[0] == 1


def test_common_factors_are_gone():
    cycle = kernel_from(poly(0, 1, 1, 0).reshape(2, 2))
    numerators, denominator = resolvent(cycle, poly(1, 1))  # 1 / (1 - x), not (1 + x) / (1 - x²)
    assert denominator.tolist() == [1, -1]
    assert numerators.tolist() == [[1, 0], [1, 0]]
    with pytest.raises(NotExact, match="to_rational"):
        resolvent(np.eye(2), np.ones(2))


def test_slope_and_value_work_along_the_last_axis():
    p = np.array([poly(1, 2, 3), poly(0, 0, 1)])
    assert slope(p).tolist() == [[2, 6], [0, 2]]
    assert slope(poly(7)).tolist() == [0]
    assert value_at(p, Fraction(2)).tolist() == [17, 4]
