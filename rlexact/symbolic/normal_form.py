"""Deciding that an expression is zero: a normal form that is a rational function of independent-looking generators.

    log(x y / z) -> log x + log y - log z        where the signs are known to be positive
    exp(x + y)   -> exp(x) exp(y)
    then one fraction, numerator and denominator without a common factor (`sympy.cancel`)

Every step is an equality under the assumptions that the symbols carry, so a normal form of 0 is a proof. The converse does
not hold: generators such as log 2 and log(x + 1) may be related in ways not used here, and what is not brought to zero is
undecided. Derivatives, sums and integrals are carried out first; an integral that SymPy cannot do stays, undecided.
"""

from typing import Any

import sympy


def normal_form(expression: Any) -> Any:
    """One fraction of polynomials in symbols, logarithms and powers: an expression, or each entry of a matrix."""
    if isinstance(expression, sympy.MatrixBase):
        return expression.applyfunc(normal_form)
    split = spread(expression)
    return sympy.Integer(0) if vanishes(split) else sympy.cancel(split)


def is_zero(expression: Any) -> bool:
    """Whether the normal form is 0, without the work of dividing out common factors where it is not."""
    return vanishes(spread(expression))


def spread(expression: Any) -> Any:
    """What is to be done is done, and exp and log are taken apart."""
    plain = expression.doit().rewrite(sympy.tanh, sympy.exp)
    return with_split_logarithms(sympy.expand_power_exp(plain))


def vanishes(expression: Any) -> bool:
    """Whether the numerator over a common denominator expands to 0."""
    numerator, _ = sympy.fraction(sympy.together(expression))
    if numerator.is_Rational:
        return bool(numerator == 0)
    try:
        return bool(expanded(numerator) == 0)
    except sympy.PolynomialError:  # a generator under a negative or symbolic power
        return bool(sympy.cancel(expression) == 0)


def expanded(numerator: Any) -> Any:
    """A polynomial in its symbols; failing that, in its exponentials, logarithms and roots as well."""
    try:
        return sympy.ring(sorted(numerator.free_symbols, key=str), sympy.QQ)[0].from_expr(numerator)
    except ValueError:
        return sympy.sring(numerator)[1]


def with_split_logarithms(expression: Any) -> Any:
    """Each log of a product becomes a sum of logs, innermost first."""
    return expression.replace(sympy.log, split_logarithm)


def split_logarithm(argument: Any) -> Any:
    return sympy.expand_log(sympy.log(sympy.factor(argument)))
