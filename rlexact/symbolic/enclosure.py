"""A rigorous interval around a number that SymPy holds exactly: exp, log, tanh, powers, π and Euler's γ of rationals.

Each operation rounds outwards (mpmath's interval context, which SymPy brings along), so that an interval without 0 proves that
the number is not 0. A rational is its own interval.
"""

from typing import Any

import sympy
from mpmath import iv

from rlexact.arithmetic import NotExact

BITS = 160  # two numbers that agree in 40 digits are taken to be undecided, never equal


def enclosure(number: Any) -> tuple[Any, Any]:
    """(lower, upper), both rational: a SymPy number without symbols -> two rationals.  Raises `NotExact`."""
    if number.is_Rational:
        return number, number
    before, iv.prec = iv.prec, BITS
    try:
        ball = interval(number)
        return rational(ball.a), rational(ball.b)
    finally:
        iv.prec = before


def interval(number: Any) -> Any:
    """The same as an mpmath interval, by structure."""
    if number.is_Rational:
        return iv.mpf(int(number.p)) / iv.mpf(int(number.q))
    if number in CONSTANTS:
        return CONSTANTS[number]()
    parts = [interval(argument) for argument in number.args]
    if not parts or number.func not in VERBS:
        raise NotExact(
            f"no enclosure of {number}: only sums, products, powers, exp, log and tanh of rationals have one"
        )
    return VERBS[number.func](*parts)


def added(*parts: Any) -> Any:
    return sum(parts, iv.mpf(0))


def multiplied(*parts: Any) -> Any:
    out = iv.mpf(1)
    for part in parts:
        out *= part
    return out


def power(base: Any, exponent: Any) -> Any:
    """x^k for a whole k of any sign, and exp(y log x) else, for positive x."""
    if exponent.delta == 0 and int(exponent.mid) == exponent.mid:
        return base ** int(exponent.mid)
    return iv.exp(exponent * iv.log(base))


CONSTANTS: dict[Any, Any] = {
    sympy.pi: lambda: iv.pi + 0,
    sympy.E: lambda: iv.e + 0,
    sympy.EulerGamma: lambda: iv.euler + 0,
}
VERBS: dict[Any, Any] = {
    sympy.Add: added,
    sympy.Mul: multiplied,
    sympy.Pow: power,
    sympy.exp: lambda x: iv.exp(x),
    sympy.log: lambda x: iv.log(x),
    sympy.tanh: lambda x: 1 - 2 / (1 + iv.exp(2 * x)),
    sympy.Abs: lambda x: abs(x),
}


def rational(end: Any) -> Any:
    """The end of an interval as the dyadic rational that it is."""
    sign, mantissa, exponent, _ = end._mpi_[0]
    return (-1) ** sign * sympy.Integer(int(mantissa)) * sympy.Integer(2) ** int(exponent)
