"""The verbs, each handed on to the world of its first argument."""

from types import ModuleType
from typing import Any

import numpy as np
import scipy.sparse

from rlexact.arithmetic import dense, rational, sparse
from rlexact.arithmetic.reading import Array, is_symbol


def of(x: Any) -> ModuleType:
    """The world that `x` (a kernel, an array or a number) lives in."""
    if scipy.sparse.issparse(x):
        return sparse
    if isinstance(x, rational.RationalMatrix):
        return rational
    if type(x).__name__ == "SymbolicMatrix":
        return symbolic_world()
    array = np.asarray(x)
    if array.dtype != object:
        return dense
    return symbolic_world() if any(map(is_symbol, array.flat)) else rational


def symbolic_world() -> ModuleType:
    from rlexact.arithmetic import symbolic

    return symbolic


def is_exact(x: Any) -> bool:
    """Whether numbers of this world carry no rounding: floats among objects (a Fraction times a float) do."""
    held = isinstance(x, np.ndarray) and x.dtype == object and any(isinstance(e, float) for e in x.flat)
    return bool(of(x).EXACT) and not held


def kernel_from(array: Any) -> Any:
    """(n, m) array or scipy.sparse -> a kernel of the same numbers."""
    return of(array).kernel(array)


def columns_from(kernel: Any, values: Any) -> Any:
    """A kernel of the same world and shape with `values[j]` multiplied into column j."""
    return of(kernel).columns(kernel, values)


def dense_array(kernel: Any) -> Array:
    """The kernel written out as a (n, m) array of its numbers."""
    return of(kernel).dense_array(kernel)  # type: ignore[no-any-return]


def row(kernel: Any, i: int) -> tuple[Array, Array]:
    """(column indices, entries) of the non-zero entries of row i."""
    return of(kernel).row(kernel, i)  # type: ignore[no-any-return]


def take_rows(kernel: Any, index: Array) -> Any:
    """The kernel of the listed rows: (n, m), (k,) indices -> (k, m)."""
    return of(kernel).take_rows(kernel, index)


def entries(kernel: Any) -> tuple[Array, Array, Array]:
    """(rows, columns, values) of the non-zero entries, row by row."""
    return of(kernel).entries(kernel)  # type: ignore[no-any-return]


def assemble(like: Any, rows: Array, cols: Array, values: Array, shape: tuple[int, int]) -> Any:
    """The kernel with these entries, in the world of `like`: what `entries` takes apart. Entries of one place add up."""
    return of(like).assemble(rows, cols, values, shape)


def support(kernel: Any) -> Any:
    """The pattern of non-zero entries as a boolean scipy.sparse array: a graph, whatever the numbers."""
    rows, cols, _ = entries(kernel)
    return scipy.sparse.csr_array((np.ones(rows.size, dtype=bool), (rows, cols)), shape=kernel.shape)


def finite(x: Array) -> Array:
    """Where entries are finite numbers (NaN and infinities are not)."""
    return of(x).finite(x)  # type: ignore[no-any-return]


def negative(x: Array) -> Array:
    """Where entries are surely below zero (an undecided symbol is not)."""
    return of(x).negative(x)  # type: ignore[no-any-return]


def apart(x: Array, y: Any, tolerance: Any = 0.0) -> Array:
    """Where |x - y| exceeds the tolerance, for floats; where x ≠ y, for exact numbers."""
    return of(x).apart(x, y, tolerance)  # type: ignore[no-any-return]


def tidy(x: Array) -> Array:
    """The same numbers in the form their world keeps: symbols cancelled, everything else untouched."""
    return of(x).tidy(x)  # type: ignore[no-any-return]


def average(weights: Array, values: Array) -> Array:
    """Σ_a weights[s, a] values[s, a]: (S, A), (S, A) -> (S,)."""
    return tidy((weights * values).sum(axis=1))


def solve(a: Any, b: Array) -> Array:
    """x with a @ x = b, for b of shape (n,) or (n, k).  Raises `SingularSystem`."""
    return of(a).solve(a, b)  # type: ignore[no-any-return]


def eigenvalues(a: Any) -> Array:
    """Eigenvalues of a square kernel, with multiplicity: (n, n) -> (n,), complex for floats.  Raises `NotExact` in rationals."""
    return of(a).eigenvalues(a)  # type: ignore[no-any-return]


def null_space(a: Any) -> Array:
    """A basis of {x: a @ x = 0} as columns: (n, m) -> (m, k).  Orthonormal for floats, where singular values below
    max(n, m) · 2⁻⁵² of the largest count as 0."""
    return of(a).null_space(a)  # type: ignore[no-any-return]


def eye(a: Any) -> Any:
    """The identity beside the square kernel `a`."""
    return of(a).eye(a)


def mix(policy: Array, kernel: Any) -> Any:
    """Rows weighted by a policy: (S, A), (S·A, m) -> (S, m), row s being Σ_a policy[s, a] kernel[s·A + a]."""
    return of(kernel).mix(policy, kernel)


def keep_rows(kernel: Any, mask: Array) -> Any:
    """The kernel with every row outside the mask set to zero."""
    return mix(np.where(mask, ones(kernel, mask.shape), zeros(kernel, mask.shape))[:, None], kernel)


def exp(x: Array) -> Array:
    return of(x).exp(x)  # type: ignore[no-any-return]


def log(x: Array) -> Array:
    return of(x).log(x)  # type: ignore[no-any-return]


def log1p(x: Array) -> Array:
    """log(1 + x), with all its digits where x is small."""
    return of(x).log1p(x)  # type: ignore[no-any-return]


def expm1(x: Array) -> Array:
    """exp(x) - 1, with all its digits where x is small."""
    return of(x).expm1(x)  # type: ignore[no-any-return]


def square_root(x: Array) -> Array:
    """√x entry by entry, x ≥ 0.  Raises `NotExact` where the root of a rational is not rational."""
    return of(x).square_root(x)  # type: ignore[no-any-return]


def logsumexp(x: Array, axis: int = -1) -> Array:
    return of(x).logsumexp(x, axis)  # type: ignore[no-any-return]


def log_softmax(x: Array, axis: int = -1) -> Array:
    """x - logsumexp(x), with all its digits where x is large: the logarithms of probabilities."""
    return of(x).log_softmax(x, axis)  # type: ignore[no-any-return]


def best(q: Array, available: Array) -> tuple[Array, Array]:
    """Masked maximum over actions and its ties: (S, A), (S, A) bool -> (S,), (S, A) bool.

    A row without any available action has maximum 0 (a terminal state) and no ties.
    Raises `NotExact` when symbols leave the larger one undecided.
    """
    return of(q).best(q, available)  # type: ignore[no-any-return]


def soft_best(q: Array, weights: Array, temperature: Any) -> tuple[Array, Array]:
    """τ log Σ_a w exp(q / τ) and the shares w exp(q / τ) / Σ: (S, A), (S, A) ≥ 0, τ > 0 -> (S,), (S, A).

    A row without weight has maximum 0 and no shares (a terminal state). Nothing overflows. `NotExact` in rationals.
    """
    return of(q).soft_best(q, weights, temperature)  # type: ignore[no-any-return]


def surprise(p: Array, weights: Array) -> Array:
    """log(p / w), 0 where p is 0: (S, A), (S, A) -> (S, A).  w is above 0 where p is. `NotExact` in rationals."""
    return of(p).surprise(p, weights)  # type: ignore[no-any-return]


def largest(x: Array) -> Any:
    """The largest entry, as a number of the world (0 for an empty array)."""
    return of(x).largest(x)


def number(like: Any, x: Any) -> Any:
    """The integer, Fraction or decimal string `x` as a number of the world of `like`."""
    return of(like).number(x)


def zeros(like: Any, shape: int | tuple[int, ...]) -> Array:
    return of(like).filled(shape, 0)  # type: ignore[no-any-return]


def ones(like: Any, shape: int | tuple[int, ...]) -> Array:
    return of(like).filled(shape, 1)  # type: ignore[no-any-return]


def rounding(kernel: Any, x: Array) -> Array:
    """A bound on |computed(kernel @ x) - kernel @ x| per row, for kernels ≥ 0: 0 where arithmetic is exact.

    For floats: γ_n Σ_j |k_j||x_j| with γ_n = n u / (1 - n u) and n the non-zeros of the row (Higham 2002, §3.1).
    """
    return of(kernel).rounding(kernel, x)  # type: ignore[no-any-return]


def unit_roundoff(like: Any) -> Any:
    """2⁻⁵³ for floats, 0 for exact numbers."""
    return of(like).UNIT_ROUNDOFF
