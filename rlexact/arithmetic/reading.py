"""Reading what a user hands over: nested lists, arrays, decimal strings, Fractions, SymPy expressions.

    one SymPy expression            -> everything is symbolic
    one Fraction or decimal string  -> everything is rational
    floats, or integers alone       -> everything is float64

Integers join either side. An exact number beside a float is `MixedNumbers`: nothing changes its kind silently.
"""

import decimal
import sys
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from numbers import Integral, Rational
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from rlexact.arithmetic.errors import MixedNumbers

Array = NDArray[Any]
LARGEST_FLOAT_INTEGER = 2**53


class NotANumber(ValueError):
    """An entry that no world reads: where it stands and what was found."""


def is_symbol(entry: Any) -> bool:
    """A SymPy object, told without importing SymPy: whoever made one has imported it."""
    kind: Any = type(entry)
    return is_symbol_type(kind)


@cache
def is_symbol_type(kind: type) -> bool:
    sympy = sys.modules.get("sympy")
    return sympy is not None and issubclass(kind, sympy.Basic)


def as_fraction(entry: Any) -> Fraction:
    """An integer, a Fraction, a Decimal or a string such as '0.1' or '1/3', read exactly."""
    try:
        read = Fraction(entry.item() if isinstance(entry, np.generic) else entry)
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        raise NotANumber(f"{entry!r} is not a finite decimal or a fraction") from None
    return Fraction(int(read.numerator), int(read.denominator))  # a Fraction made of NumPy integers would overflow


def kind_of(entry: Any) -> str:
    its_type: Any = type(entry)
    kind = kind_of_type(its_type)
    if kind == "truth":
        raise NotANumber(f"{entry!r} is a truth value: give 0 or 1")
    if kind == "":
        raise NotANumber(f"{entry!r} of type {type(entry).__name__} is not a real number")
    if kind == "symbol":
        check_symbol(entry)
    if isinstance(entry, str):
        as_fraction(entry)
    return kind


@cache
def kind_of_type(kind: Any) -> str:
    if issubclass(kind, (bool, np.bool_)):
        return "truth"
    if is_symbol_type(kind):  # before the rest: SymPy registers its own numbers as Integral and Rational
        return "symbol"
    if issubclass(kind, Integral):
        return "integer"
    if issubclass(kind, (Rational, str, decimal.Decimal)):
        return "exact"
    return "float" if issubclass(kind, (float, np.float32, np.float16)) else ""


def check_symbol(entry: Any) -> None:
    import sympy

    if not isinstance(entry, sympy.Expr) or entry.is_extended_real is False:
        raise NotANumber(f"{entry} is not a real number")
    if entry.has(sympy.Float):
        raise NotANumber(f"{entry} holds a float: write it as a sympy.Rational")


def at(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def as_array(name: str, value: object) -> Array:
    """The value as an array whose entries have not been changed: numeric where it was, objects otherwise."""
    if isinstance(value, np.ma.MaskedArray):
        raise NotANumber(f"{name} is a masked array: fill it, or give available=")
    try:
        array = np.asarray(value)
    except ValueError as ragged:
        raise NotANumber(f"{name} is ragged: its rows differ in length ({ragged})") from None
    if array.dtype.kind in "US" and not isinstance(value, np.ndarray):
        array = np.asarray(value, dtype=object)
    if array.dtype.kind in "US":
        array = array.astype(object)
    if array.dtype.kind in "fiu" and array.dtype.itemsize <= 8:
        return array
    if array.dtype.kind != "O":
        raise NotANumber(f"{name} has dtype {array.dtype}: give real numbers, Fractions or decimal strings")
    for index, entry in np.ndenumerate(array):
        if isinstance(entry, Iterable) and not isinstance(entry, (str, bytes)):
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
        return as_floats(name, array)
    entry = as_expression if kind == "symbolic" else as_fraction
    out = np.empty(array.shape, dtype=object)
    for index, x in np.ndenumerate(array):
        try:
            out[index] = entry(x)
        except NotANumber as error:
            raise NotANumber(f"{at(name, index)}: {error}") from None
    return out


def as_expression(x: Any) -> Any:
    import sympy

    return x if is_symbol(x) else sympy.Rational(*as_fraction(x).as_integer_ratio())


def as_floats(name: str, array: Array) -> Array:
    """float64, refusing integers that float64 would round."""
    for index in large_integers(array):
        if not fits_float(int(array[index])):
            raise MixedNumbers(f"{at(name, index)} = {array[index]} is no float64: give Fractions or decimal strings")
    return array.astype(np.float64)


def large_integers(array: Array) -> list[tuple[int, ...]]:
    """Where integers stand that may not be floats."""
    if array.dtype.kind == "O":
        return [index for index, x in np.ndenumerate(array) if isinstance(x, Integral)]
    if array.dtype.kind == "f":
        return []
    large = (array > LARGEST_FLOAT_INTEGER) | (array < -LARGEST_FLOAT_INTEGER)
    return [tuple(index) for index in np.argwhere(large)]


def fits_float(integer: int) -> bool:
    try:
        return int(float(integer)) == integer
    except OverflowError:
        return False


def read_sparse(name: str, matrix: Any) -> Any:
    """The matrix as float64 compressed rows of its own, each entry stored once."""
    if matrix.dtype.kind not in "fiu" or matrix.dtype.itemsize > 8:
        raise NotANumber(f"{name} is sparse with dtype {matrix.dtype}: scipy.sparse holds floats and integers")
    if matrix.ndim != 2:
        raise NotANumber(f"{name} is sparse with shape {matrix.shape}: give two axes, or an array")
    own = scipy.sparse.csr_array(matrix, dtype=np.float64, copy=True)
    own.sum_duplicates()
    own.eliminate_zeros()
    return own


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
            arrays[name] = read_sparse(name, value)
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
