"""SymPy expressions, kept in cancelled form: a kernel is a coat over SymPy's `DomainMatrix` over a field of fractions."""

from typing import Any

import numpy as np
import sympy
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

from rlexact.arithmetic.errors import NotExact, SingularSystem
from rlexact.arithmetic.reading import Array, as_fraction, is_symbol

NAME = "symbolic"
EXACT = True
UNIT_ROUNDOFF = sympy.Integer(0)

cancelled = np.frompyfunc(lambda x: sympy.cancel(x), 1, 1)


class SymbolicMatrix:
    """A matrix of expressions with `@`, `+`, `-`, scalar `*`, `.T`, `.sum(axis)`, `==`."""

    __slots__ = ("_domain",)
    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, domain_matrix: DomainMatrix) -> None:
        self._domain = domain_matrix

    @classmethod
    def from_array(cls, array: Array) -> "SymbolicMatrix":
        return cls(DomainMatrix.from_Matrix(sympy.Matrix(expressions_of(array))).to_field())

    @property
    def shape(self) -> tuple[int, int]:
        rows, cols = self._domain.shape
        return int(rows), int(cols)

    @property
    def T(self) -> "SymbolicMatrix":
        return SymbolicMatrix(self._domain.transpose())

    def to_array(self) -> Array:
        out = np.empty(self.shape, dtype=object)
        out[:] = self._domain.to_Matrix().tolist()
        return np.asarray(cancelled(out), dtype=object)

    def __reduce__(self) -> tuple[Any, ...]:
        return SymbolicMatrix.from_array, (self.to_array(),)

    def with_(self, other: "SymbolicMatrix", verb: str) -> "SymbolicMatrix":
        left, right = self._domain.unify(other._domain)
        return SymbolicMatrix(getattr(left.to_field(), verb)(right.to_field()))

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, SymbolicMatrix):
            return self.with_(other, "matmul")
        array = expressions_of(other)
        product = self @ SymbolicMatrix.from_array(array.reshape(array.shape[0], -1))
        return product.to_array().reshape((self.shape[0], *array.shape[1:]))

    def __rmatmul__(self, other: Any) -> Any:
        array = expressions_of(other)
        return self.T @ array if array.ndim == 1 else (self.T @ array.T).T

    def __add__(self, other: "SymbolicMatrix") -> "SymbolicMatrix":
        return self.with_(other, "add")

    def __sub__(self, other: "SymbolicMatrix") -> "SymbolicMatrix":
        return self.with_(other, "sub")

    def __neg__(self) -> "SymbolicMatrix":
        return SymbolicMatrix(-self._domain)

    def __mul__(self, scalar: Any) -> "SymbolicMatrix":
        return SymbolicMatrix.from_array(self.to_array() * number(scalar))

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SymbolicMatrix)
            and self.shape == other.shape
            and not any(map(bool, (self - other).to_array().flat))
        )

    def sum(self, axis: int) -> Array:
        return np.asarray(cancelled(self.to_array().sum(axis=axis)), dtype=object)

    def __repr__(self) -> str:
        return f"SymbolicMatrix{self.shape}"


def expressions_of(x: Any) -> Array:
    array = np.asarray(x, dtype=object)
    out = np.empty(array.shape, dtype=object)
    for index, entry in np.ndenumerate(array):
        out[index] = number(entry)
    return out


def kernel(array: Any) -> SymbolicMatrix:
    return array if isinstance(array, SymbolicMatrix) else SymbolicMatrix.from_array(np.asarray(array, dtype=object))


def columns(kernel: SymbolicMatrix, values: Array) -> SymbolicMatrix:
    return SymbolicMatrix.from_array(kernel.to_array() * expressions_of(values))


def dense_array(kernel: SymbolicMatrix | Array) -> Array:
    return kernel.to_array() if isinstance(kernel, SymbolicMatrix) else kernel


def row(kernel: SymbolicMatrix, i: int) -> tuple[Array, Array]:
    line = kernel.to_array()[i]
    where = np.array([j for j, x in enumerate(line) if x != 0], dtype=int)
    return where, line[where]


def take_rows(kernel: SymbolicMatrix, index: Array) -> SymbolicMatrix:
    return SymbolicMatrix(kernel._domain.extract([int(i) for i in index], list(range(kernel.shape[1]))))


def entries(kernel: SymbolicMatrix | Array) -> tuple[Array, Array, Array]:
    array = dense_array(kernel)
    rows, cols = np.nonzero((array != 0).astype(bool))
    return rows, cols, array[rows, cols]


def assemble(rows: Array, cols: Array, values: Array, shape: tuple[int, int]) -> SymbolicMatrix:
    out = filled(shape, 0)
    np.add.at(out, (rows, cols), values)
    return kernel(out)


def finite(x: Array) -> Array:
    return judged(lambda e: not e.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan), x)


def negative(x: Array) -> Array:
    return judged(lambda e: e.is_negative is True, x)


def apart(x: Array, y: Any, tolerance: float) -> Array:
    return judged(lambda e: sympy.cancel(e) != 0, np.asarray(x) - y)


def judged(question: Any, x: Array) -> Array:
    return np.asarray(np.frompyfunc(question, 1, 1)(expressions_of(x)), dtype=bool)


def tidy(x: Array) -> Array:
    return np.asarray(cancelled(x), dtype=object)


def solve(a: SymbolicMatrix, b: Array) -> Array:
    right = expressions_of(b)
    left, rhs = a._domain.unify(SymbolicMatrix.from_array(right.reshape(right.shape[0], -1))._domain)
    try:
        x = left.to_field().lu_solve(rhs.to_field())
    except (DMNonInvertibleMatrixError, ZeroDivisionError):
        raise SingularSystem(f"the {a.shape[0]} x {a.shape[1]} symbolic system has no unique solution") from None
    return SymbolicMatrix(x).to_array().reshape(right.shape)


def eye(a: SymbolicMatrix) -> SymbolicMatrix:
    return SymbolicMatrix(DomainMatrix.eye(a.shape[0], a._domain.domain))


def mix(policy: Array, kernel: SymbolicMatrix) -> SymbolicMatrix:
    n_states, n_actions = policy.shape
    lines = kernel.to_array().reshape(n_states, n_actions, -1)
    return SymbolicMatrix.from_array((expressions_of(policy)[:, :, None] * lines).sum(axis=1))


def null_space(a: SymbolicMatrix) -> Array:
    basis = a._domain.nullspace()
    return SymbolicMatrix(basis).to_array().T if basis.shape[0] else filled((a.shape[1], 0), 0)


def eigenvalues(a: SymbolicMatrix) -> Array:
    found = sympy.Matrix(a.to_array()).eigenvals()
    return tidy(np.array([root for root, times in found.items() for _ in range(times)], dtype=object))


def each(function: Any, x: Array) -> Array:
    return np.asarray(np.frompyfunc(function, 1, 1)(expressions_of(x)), dtype=object)


def exp(x: Array) -> Array:
    return each(sympy.exp, x)


def log(x: Array) -> Array:
    return each(sympy.log, x)


def log1p(x: Array) -> Array:
    return each(lambda e: sympy.log(1 + e), x)


def expm1(x: Array) -> Array:
    return each(lambda e: sympy.exp(e) - 1, x)


def square_root(x: Array) -> Array:
    return each(sympy.sqrt, x)


def logsumexp(x: Array, axis: int = -1) -> Array:
    return log(exp(x).sum(axis=axis))


def log_softmax(x: Array, axis: int = -1) -> Array:
    return np.asarray(x - np.expand_dims(logsumexp(x, axis), axis))


def soft_best(q: Array, weights: Array, temperature: Any) -> tuple[Array, Array]:
    share = np.where(weights != 0, weights * exp(q / temperature), filled(q.shape, 0))
    total = share.sum(axis=1)
    some = np.where(total != 0, total, filled(total.shape, 1))
    return temperature * log(some), tidy(share / some[:, None])


def surprise(p: Array, weights: Array) -> Array:
    return each(lambda x: sympy.log(x) if x != 0 else x, np.where(p != 0, p / np.where(weights != 0, weights, 1), 0))


def larger(x: Any, y: Any) -> bool:
    decided = sympy.cancel(x - y).is_positive
    if decided is None:
        raise NotExact(f"which of {x} and {y} is larger depends on the symbols: give them numbers first")
    return bool(decided)


def largest(x: Array) -> Any:
    top = None
    for entry in expressions_of(x).flat:
        if top is None or larger(entry, top):
            top = entry
    return sympy.Integer(0) if top is None else top


def best(q: Array, available: Array) -> tuple[Array, Array]:
    top = filled(q.shape[0], 0)
    ties = np.zeros(q.shape, dtype=bool)
    for s, allowed in enumerate(available):
        if allowed.any():
            top[s] = largest(q[s, allowed])
            ties[s] = allowed & np.array([sympy.cancel(x - top[s]) == 0 for x in q[s]])
    return top, ties


def number(x: Any) -> Any:
    if is_symbol(x) and not x.has(sympy.Float):
        return x
    if isinstance(x, (float, np.floating, sympy.Basic)):
        raise NotExact(f"the float {x!r} met symbols: write it as a Fraction or a decimal string")
    return sympy.Rational(*as_fraction(x).as_integer_ratio())


def filled(shape: int | tuple[int, ...], value: int) -> Array:
    return np.full(shape, sympy.Integer(value), dtype=object)


def rounding(kernel: SymbolicMatrix, x: Array) -> Array:
    return filled((kernel.shape[0], *np.shape(x)[1:]), 0)
