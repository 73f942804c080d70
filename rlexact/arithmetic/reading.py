"""Reading what a user hands over: nested lists, arrays, decimal strings, Fractions, SymPy expressions.

    one SymPy expression            -> everything is symbolic
    one Fraction or decimal string  -> everything is rational
    floats, or integers alone       -> everything is float64

Integers join either side. An exact number beside a float is `MixedNumbers`: nothing changes its kind silently.
"""

import decimal
from collections.abc import Iterable, Mapping
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from rlexact.arithmetic.errors import MixedNumbers

Array = NDArray[Any]
LARGEST_FLOAT_INTEGER = 2**53


class NotANumber(ValueError):
    """An entry that no world reads: where it stands and what was found."""


def is_symbol(entry: object) -> bool:
    """A SymPy object, told without importing SymPy."""
    return type(entry).__module__.partition(".")[0] == "sympy"


def as_fraction(entry: Any) -> Fraction:
    """An integer, a Fraction, a Decimal or a string such as '0.1' or '1/3', read exactly."""
    try:
        return Fraction(entry.strip()) if isinstance(entry, str) else Fraction(entry)
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        raise NotANumber(f"{entry!r} is not a finite decimal or a fraction") from None


def kind_of(entry: object) -> str:
    if isinstance(entry, (bool, np.bool_)):
        raise NotANumber(f"{entry!r} is a truth value: give 0 or 1")
    if isinstance(entry, Integral):
        return "integer"
    if isinstance(entry, (Rational, str, decimal.Decimal)):
        return "exact"
    if isinstance(entry, (Real, np.floating)):
        return "float"
    if is_symbol(entry):
        return "symbol"
    raise NotANumber(f"{entry!r} of type {type(entry).__name__} is not a real number")


def at(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def as_array(name: str, value: object) -> Array:
    """The value as an array whose entries have not been changed: numeric where it was, objects otherwise."""
    try:
        array = np.asarray(value)
    except ValueError as ragged:
        raise NotANumber(f"{name} is ragged: its rows differ in length ({ragged})") from None
    if array.dtype.kind in "US" and not isinstance(value, np.ndarray):
        array = np.asarray(value, dtype=object)
    if array.dtype.kind in "US":
        array = array.astype(object)
    if array.dtype.kind in "fiu" and array.dtype != np.longdouble:
        return array
    if array.dtype.kind != "O":
        raise NotANumber(f"{name} has dtype {array.dtype}: give real numbers, Fractions or decimal strings")
    for index, entry in np.ndenumerate(array):
        if isinstance(entry, Iterable) and not isinstance(entry, str):
            raise NotANumber(f"{at(name, index)} is a {type(entry).__name__}: {name} is ragged or nested too deep")
    return array


def kinds_in(name: str, array: Array) -> dict[str, str]:
    """{kind: where it was first seen}."""
    if array.dtype.kind == "f":
        return {"float": name} if array.size else {}
    if array.dtype.kind in "iu":
        return {"integer": name} if array.size else {}
    found: dict[str, str] = {}
    for index, entry in np.ndenumerate(array):
        try:
            found.setdefault(kind_of(entry), at(name, index))
        except NotANumber as error:
            raise NotANumber(f"{at(name, index)}: {error}") from None
    return found


def choose_kind(found: Mapping[str, str]) -> str:
    exact = found.get("symbol") or found.get("exact")
    if exact and "float" in found:
        raise MixedNumbers(
            f"{exact} is exact and {found['float']} is a float: write the float as a decimal string "
            "('0.1') or a Fraction, or give floats throughout"
        )
    return "symbolic" if "symbol" in found else "rational" if "exact" in found else "float"


def convert(name: str, array: Array, kind: str) -> Array:
    if kind == "float":
        if array.dtype.kind in "iuO" and any(abs(int(x)) > LARGEST_FLOAT_INTEGER for x in array.flat if x == x // 1):
            raise MixedNumbers(f"{name} holds integers above 2**53, which float64 cannot: give Fractions")
        return array.astype(np.float64)
    if kind == "symbolic":
        import sympy

        def entry(x: Any) -> Any:
            return x if is_symbol(x) else sympy.Rational(*as_fraction(x).as_integer_ratio())
    else:
        entry = as_fraction
    out = np.empty(array.shape, dtype=object)
    for index, x in np.ndenumerate(array):
        try:
            out[index] = entry(x.item() if isinstance(x, np.generic) else x)
        except NotANumber as error:
            raise NotANumber(f"{at(name, index)}: {error}") from None
    return out


def read(values: Mapping[str, object]) -> dict[str, Any]:
    """Named values -> the same names, all in one world (arrays; scipy.sparse stays sparse; None stays None).

    Raises `NotANumber` (an entry that is not a real number, with its place) and `MixedNumbers`.
    """
    arrays: dict[str, Any] = {}
    found: dict[str, str] = {}
    for name, value in values.items():
        if value is None:
            arrays[name] = None
            continue
        if scipy.sparse.issparse(value):
            if value.dtype.kind not in "fiu":
                raise NotANumber(f"{name} is sparse with dtype {value.dtype}: scipy.sparse holds floats and integers")
            arrays[name] = scipy.sparse.csr_array(value, dtype=np.float64)
            found.setdefault("float", name)
            continue
        arrays[name] = as_array(name, value)
        for kind, where in kinds_in(name, arrays[name]).items():
            found.setdefault(kind, where)
    kind = choose_kind(found)
    return {
        name: array if array is None or scipy.sparse.issparse(array) else convert(name, array, kind)
        for name, array in arrays.items()
    }
