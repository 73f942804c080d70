"""Rational numbers: `Fraction` outside, FLINT inside.

A kernel is a `RationalMatrix`, a thin coat over `flint.fmpq_mat`; vectors are object arrays of `Fraction`. FLINT numbers
never leave this file: an `fmpq` equals no `Fraction`.
"""

from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from rlexact.arithmetic.errors import NotExact, SingularSystem
from rlexact.arithmetic.reading import Array, as_fraction

NAME = "rational"
EXACT = True
UNIT_ROUNDOFF = Fraction(0)


def to_flint(x: Any) -> fmpq:
    try:
        return fmpq(int(x.numerator), int(x.denominator))
    except AttributeError:
        raise NotExact(f"{x!r} met rational numbers: write it as a Fraction or a decimal string") from None


def to_fraction(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))


class RationalMatrix:
    """A matrix of rationals with `@`, `+`, `-`, scalar `*`, `.T`, `.sum(axis)`, `==`; products and solves are FLINT's."""

    __slots__ = ("_flint",)
    __array_ufunc__ = None  # NumPy steps back: vector @ matrix comes to __rmatmul__
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, flint_matrix: fmpq_mat) -> None:
        self._flint = flint_matrix

    @classmethod
    def from_array(cls, array: Array) -> "RationalMatrix":
        rows, cols = array.shape
        return cls(fmpq_mat(rows, cols, [to_flint(x) for x in array.flat]))

    @property
    def shape(self) -> tuple[int, int]:
        return int(self._flint.nrows()), int(self._flint.ncols())

    @property
    def T(self) -> "RationalMatrix":
        return RationalMatrix(self._flint.transpose())

    def to_array(self) -> Array:
        out = np.empty(self.shape[0] * self.shape[1], dtype=object)
        out[:] = [to_fraction(x) for x in self._flint.entries()]
        return out.reshape(self.shape)

    def _lines(self) -> list[list[fmpq]]:
        rows: list[list[fmpq]] = self._flint.table()
        return rows

    def __reduce__(self) -> tuple[Any, ...]:
        return RationalMatrix.from_array, (self.to_array(),)

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, RationalMatrix):
            return RationalMatrix(self._flint * other._flint)
        array = fractions_of(other)
        if array.ndim == 0 or array.shape[0] != self.shape[1]:
            raise ValueError(f"cannot multiply shapes {self.shape} and {array.shape}")
        product = RationalMatrix(self._flint * RationalMatrix.from_array(array.reshape(array.shape[0], -1))._flint)
        return product.to_array().reshape((self.shape[0], *array.shape[1:]))

    def __rmatmul__(self, other: Any) -> Any:
        array = fractions_of(other)
        return self.T @ array if array.ndim == 1 else (self.T @ array.T).T

    def __add__(self, other: "RationalMatrix") -> "RationalMatrix":
        return RationalMatrix(self._flint + other._flint)

    def __sub__(self, other: "RationalMatrix") -> "RationalMatrix":
        return RationalMatrix(self._flint - other._flint)

    def __neg__(self) -> "RationalMatrix":
        return RationalMatrix(-self._flint)

    def __mul__(self, scalar: Any) -> "RationalMatrix":
        return RationalMatrix(self._flint * to_flint(scalar))

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RationalMatrix) and bool(self._flint == other._flint)

    def sum(self, axis: int) -> Array:
        rows = self if range(2)[axis] == 1 else self.T
        return rows @ filled(rows.shape[1], 1)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"RationalMatrix{self.shape}"


def fractions_of(x: Any) -> Array:
    array = np.asarray(x)
    if array.dtype.kind == "f":
        raise NotExact("a float array met a rational matrix: convert it first, or take the model to_float()")
    return array.astype(object) if array.dtype != object else array


def kernel(array: Any) -> RationalMatrix:
    return array if isinstance(array, RationalMatrix) else RationalMatrix.from_array(np.asarray(array))


def columns(kernel: RationalMatrix, values: Array) -> RationalMatrix:
    scale = [to_flint(x) for x in values]
    n, m = kernel.shape
    return RationalMatrix(fmpq_mat(n, m, [x * c for line in kernel._lines() for x, c in zip(line, scale, strict=True)]))


def dense_array(kernel: RationalMatrix | Array) -> Array:
    return kernel.to_array() if isinstance(kernel, RationalMatrix) else kernel


def row(kernel: RationalMatrix, i: int) -> tuple[Array, Array]:
    width = kernel.shape[1]
    found = [(j, to_fraction(kernel._flint[i, j])) for j in range(width) if kernel._flint[i, j] != 0]
    entries = np.empty(len(found), dtype=object)
    entries[:] = [x for _, x in found]
    return np.array([j for j, _ in found], dtype=int), entries


def take_rows(kernel: RationalMatrix, index: Array) -> RationalMatrix:
    width = kernel.shape[1]
    return RationalMatrix(fmpq_mat(len(index), width, [kernel._flint[int(i), j] for i in index for j in range(width)]))


def entries(kernel: RationalMatrix | Array) -> tuple[Array, Array, Array]:
    if not isinstance(kernel, RationalMatrix):
        rows, cols = np.nonzero(kernel)
        return rows, cols, kernel[rows, cols]
    found = [(i, j, x) for i, line in enumerate(kernel._lines()) for j, x in enumerate(line) if x]
    values = np.empty(len(found), dtype=object)
    values[:] = [to_fraction(x) for _, _, x in found]
    return np.array([i for i, _, _ in found], dtype=int), np.array([j for _, j, _ in found], dtype=int), values


def assemble(rows: Array, cols: Array, values: Array, shape: tuple[int, int]) -> RationalMatrix:
    out = filled(shape, 0)
    np.add.at(out, (rows, cols), values)
    return kernel(out)


def finite(x: Array) -> Array:
    return np.ones(np.shape(x), dtype=bool)


def negative(x: Array) -> Array:
    return np.asarray(np.asarray(x) < 0, dtype=bool)


def apart(x: Array, y: Any, tolerance: float) -> Array:
    return np.asarray(np.asarray(x) != y, dtype=bool)


def tidy(x: Array) -> Array:
    return x


def solve(a: RationalMatrix, b: Array) -> Array:
    right = fractions_of(b)
    try:
        x = a._flint.solve(RationalMatrix.from_array(right.reshape(right.shape[0], -1))._flint)
    except ZeroDivisionError:
        raise SingularSystem(f"the {a.shape[0]} x {a.shape[1]} rational system has no unique solution") from None
    return RationalMatrix(x).to_array().reshape(right.shape)


def eye(a: RationalMatrix) -> RationalMatrix:
    n = a.shape[0]
    out = fmpq_mat(n, n)
    for i in range(n):
        out[i, i] = 1
    return RationalMatrix(out)


def mix(policy: Array, kernel: RationalMatrix) -> RationalMatrix:
    n_actions, width = policy.shape[1], kernel.shape[1]
    lines = kernel._lines()
    mixed: list[list[fmpq]] = []
    for s, weights in enumerate(policy):
        total = [fmpq(0)] * width
        for a, weight in enumerate(weights):
            line = lines[s * n_actions + a]
            if weight == 1:
                total = [t + x for t, x in zip(total, line, strict=True)] if any(total) else line
            elif weight != 0:
                w = to_flint(weight)
                total = [t + w * x for t, x in zip(total, line, strict=True)]
        mixed.append(total)
    return RationalMatrix(fmpq_mat(len(mixed), width, [x for line in mixed for x in line]))


ENCLOSED = ", or enclose the value by rlexact.exact.enclosure"


def refuse(what: str, or_else: str = "") -> Any:
    raise NotExact(f"{what} of rational numbers is not rational: take the model to_float(){or_else}")


def null_space(a: RationalMatrix) -> Array:
    reduced, rank = a._flint.rref()
    lines = RationalMatrix(reduced).to_array()[:rank]
    lead = [int(np.flatnonzero(line)[0]) for line in lines]
    free = [j for j in range(a.shape[1]) if j not in set(lead)]
    basis = filled((a.shape[1], len(free)), 0)
    basis[free, range(len(free))] = Fraction(1)
    basis[lead] = -lines[:, free]
    return basis


def eigenvalues(a: RationalMatrix) -> Array:
    return refuse("the spectrum of a matrix")  # type: ignore[no-any-return]


def exp(x: Array) -> Array:
    return refuse("exp")  # type: ignore[no-any-return]


def log(x: Array) -> Array:
    return refuse("log")  # type: ignore[no-any-return]


def log1p(x: Array) -> Array:
    return refuse("log")  # type: ignore[no-any-return]


def expm1(x: Array) -> Array:
    return refuse("exp")  # type: ignore[no-any-return]


def square_root(x: Array) -> Array:
    out = filled(np.shape(x), 0)
    for index, entry in np.ndenumerate(fractions_of(x)):
        top, bottom = (isqrt(abs(part)) for part in entry.as_integer_ratio())
        if top * top != entry.numerator or bottom * bottom != entry.denominator:
            raise NotExact(f"the square root of {entry} is not rational: take the model to_float()")
        out[index] = Fraction(top, bottom)
    return out


def logsumexp(x: Array, axis: int = -1) -> Array:
    return refuse("logsumexp")  # type: ignore[no-any-return]


def log_softmax(x: Array, axis: int = -1) -> Array:
    return refuse("log_softmax")  # type: ignore[no-any-return]


def soft_best(q: Array, weights: Array, temperature: Any) -> tuple[Array, Array]:
    return refuse("a soft maximum", ENCLOSED)  # type: ignore[no-any-return]


def surprise(p: Array, weights: Array) -> Array:
    return refuse("the entropy", ENCLOSED)  # type: ignore[no-any-return]


def best(q: Array, available: Array) -> tuple[Array, Array]:
    top = filled(q.shape[0], 0)
    for s, allowed in enumerate(available):
        if allowed.any():
            top[s] = max(q[s, allowed])
    return top, available & (q == top[:, None]).astype(bool)


def largest(x: Array) -> Any:
    return max(x.flat) if np.size(x) else Fraction(0)


def number(x: Any) -> Fraction:
    if isinstance(x, (float, np.floating)):
        raise NotExact(f"the float {x!r} met rational numbers: write it as a Fraction or a decimal string")
    return as_fraction(x)


def filled(shape: int | tuple[int, ...], value: int) -> Array:
    return np.full(shape, Fraction(value), dtype=object)


def rounding(kernel: RationalMatrix, x: Array) -> Array:
    return filled((kernel.shape[0], *np.shape(x)[1:]), 0)
