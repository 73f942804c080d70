"""The machinery: what is proved, what is undecided, what is refuted, and what a point may be."""

from fractions import Fraction

import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.symbolic import Identity, Inequality, identity, normal_form, statements
from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.enclosure import enclosure
from rlexact.symbolic.points import points

x, y = sympy.symbols("x y", real=True)
a, b = sympy.symbols("a b", positive=True)
n = sympy.Symbol("n", positive=True, integer=True)


@pytest.mark.parametrize(
    "zero",
    [
        (x + y) ** 2 - x**2 - 2 * x * y - y**2,
        sympy.exp(x + y) - sympy.exp(x) * sympy.exp(y),
        sympy.log(a * b / (a + b)) - sympy.log(a) - sympy.log(b) + sympy.log(a + b),
        sympy.log(sympy.exp(x) + sympy.exp(x + y)) - x - sympy.log(1 + sympy.exp(y)),
        a ** (x + 1) - a * a**x,
        sympy.Derivative(x**3, x) - 3 * x**2,
        sympy.Integral(x, (x, 0, a)) - a**2 / 2,
        sympy.tanh(x) - (sympy.exp(x) - sympy.exp(-x)) / (sympy.exp(x) + sympy.exp(-x)),
    ],
)
def test_normal_form_is_zero(zero):
    assert normal_form(zero) == 0


@pytest.mark.parametrize(
    "other", [sympy.log(x**2) - 2 * sympy.log(x), sympy.exp(x) - sympy.exp(-x), a - b, sympy.Rational(1, 10**30)]
)
def test_normal_form_is_not_zero(other):
    """log x² = 2 log x needs a sign of x: without it, it is not used."""
    assert normal_form(other) != 0


def test_what_the_normal_form_cannot_do_is_undecided_and_not_refuted():
    true = Identity("a root", sympy.sqrt(3 + 2 * sympy.sqrt(2)), 1 + sympy.sqrt(2))
    assert true.proved() is None
    assert true.refuted_at(0) is None
    assert true.agrees_at(0)


def test_a_false_statement_is_refuted_by_a_rational_witness():
    false = Identity("a square", (x + y) ** 2, x**2 + y**2)
    witness = false.refuted_at(0)
    assert false.proved() is None
    assert not false.agrees_at(0)
    assert witness.lower == witness.upper == 2 * witness.point[x] * witness.point[y]
    assert "left - right" in repr(witness)
    assert false.refuted_at(0).point == witness.point != false.refuted_at(1).point


def test_a_tiny_transcendental_gap_is_seen():
    """1e-30 next to an exponential: floats would call it zero."""
    false = Identity("almost", sympy.exp(x), sympy.exp(x) + sympy.Rational(1, 10**30) * sympy.exp(-x))
    witness = false.refuted_at(0)
    assert witness.lower <= witness.upper < 0


def test_an_inequality_needs_its_terms():
    true = Inequality("squares", 2 * x * y, x**2 + y**2, terms=((x - y) ** 2,))
    assert true.proved() is True
    assert Inequality("squares", 2 * x * y, x**2 + y**2, terms=(x**2 + y**2, -2 * x * y)).proved() is None
    assert Inequality("squares", 2 * x * y, x**2 + y**2, terms=((x + y) ** 2,)).proved() is None
    assert Inequality("too sharp", 3 * x * y, x**2 + y**2, terms=()).refuted_at(0) is not None


def test_log_gap_is_non_negative_only_where_its_argument_is_positive():
    assert log_gap(a).is_nonnegative
    assert log_gap(x).is_nonnegative is None
    assert normal_form(log_gap(a) - (a - 1 - sympy.log(a))) == 0


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (sympy.exp(1), 2.718281828459045),
        (sympy.log(2) / 3, 0.23104906018664842),
        (sympy.pi**2, 9.869604401089358),
        (sympy.sqrt(2) - 2, -0.5857864376269049),
        (sympy.Rational(2, 3) ** sympy.Rational(-5, 3), 1.5 ** (5 / 3)),
        (sympy.EulerGamma, 0.5772156649015329),
        (sympy.tanh(sympy.Rational(1, 2)), 0.46211715726000973),
        (sympy.exp(-3), 0.049787068367863944),
    ],
)
def test_enclosures_are_narrow_and_right(number, value):
    lower, upper = enclosure(number)
    assert lower < upper < lower + Fraction(1, 10**40)
    assert abs(float(lower) - value) < 1e-15 * max(1, value)  # the printed value has 16 digits


def test_enclosures_refuse_what_they_do_not_know():
    assert enclosure(sympy.Rational(1, 3)) == (sympy.Rational(1, 3), sympy.Rational(1, 3))
    with pytest.raises(NotExact, match="no enclosure of"):
        enclosure(sympy.zeta(3))
    with pytest.raises(NotExact, match="no enclosure of"):
        enclosure(x + 1)


def test_points_keep_the_assumptions_and_the_conditions():
    stream = points({x, a, b, n}, (a < 1, a < b), seed=0)
    drawn = [next(stream) for _ in range(50)]
    assert all(0 < p[a] < 1 and p[a] < p[b] and p[n].is_Integer and p[n] > 0 for p in drawn)
    assert {p[x] > 0 for p in drawn} == {True, False}
    with pytest.raises(ValueError, match="contradict"):
        next(points({a}, (a < 0,), seed=0))


def test_matrices_are_compared_entry_by_entry():
    left = sympy.ImmutableMatrix([[x, y], [0, 1]])
    assert Identity("same", left, left).proved() is True
    assert Identity("not", left, left.T).proved() is None
    assert Identity("not", left, left.T).refuted_at(0) is not None


def test_two_statements_of_one_name_are_refused():
    def log_derivative_trick():
        return 0, 0

    assert "log_derivative_trick" in statements()
    with pytest.raises(ValueError, match="two statements are called log_derivative_trick"):
        identity("", "")(log_derivative_trick)


def test_repr_shows_short_sides_and_says_long_ones():
    assert repr(Identity("double", x + x, 2 * x, (x > 0,))) == "double: 2*x = 2*x, given x > 0"
    assert repr(Inequality("square", sympy.Integer(0), x**2)) == "square: 0 <= x**2"
    assert Identity("long", sympy.Symbol("x" * 200), x, says="what it says").__repr__() == "long: what it says"
