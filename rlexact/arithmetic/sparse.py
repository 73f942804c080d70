"""float64 in compressed sparse rows: vectors and policies are the dense world's."""

import warnings
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from rlexact.arithmetic import dense
from rlexact.arithmetic.dense import (
    EXACT,
    UNIT_ROUNDOFF,
    apart,
    beside_ones,
    best,
    exp,
    expm1,
    filled,
    finite,
    largest,
    log,
    log1p,
    log_softmax,
    logsumexp,
    negative,
    number,
    rounded_up,
    soft_best,
    square_root,
    surprise,
    tidy,
    without_ones,
)
from rlexact.arithmetic.errors import SingularSystem
from rlexact.arithmetic.reading import Array

__all__ = [  # the dense world's, and handed on as this world's own
    "EXACT",
    "UNIT_ROUNDOFF",
    "apart",
    "best",
    "exp",
    "expm1",
    "filled",
    "finite",
    "largest",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "negative",
    "number",
    "soft_best",
    "square_root",
    "surprise",
    "tidy",
]

NAME = "sparse float64"
DIRECT_STATES = 2_000
DIRECT_BANDWIDTH = 64
REFINEMENTS = 8
BACKWARD_ERROR = 2.0**-50


def kernel(matrix: Any) -> Any:
    out = scipy.sparse.csr_array(matrix, dtype=np.float64)
    out.sum_duplicates()
    return out


def columns(kernel: Any, values: Array) -> Any:
    return scipy.sparse.csr_array(kernel @ scipy.sparse.diags_array(values))


def dense_array(kernel: Any) -> Array:
    return np.asarray(kernel.toarray())


def row(kernel: Any, i: int) -> tuple[Array, Array]:
    span = slice(kernel.indptr[i], kernel.indptr[i + 1])
    where, entries = kernel.indices[span], kernel.data[span]
    return where[entries != 0], entries[entries != 0]


def take_rows(kernel: Any, index: Array) -> Any:
    return kernel[index]


def entries(kernel: Any) -> tuple[Array, Array, Array]:
    coo = kernel.tocoo()
    stored = coo.data != 0
    rows, cols = coo.coords
    return rows[stored], cols[stored], coo.data[stored]


def assemble(rows: Array, cols: Array, values: Array, shape: tuple[int, int]) -> Any:
    return kernel(scipy.sparse.coo_array((values, (rows, cols)), shape=shape))


def solve(a: Any, b: Array) -> Array:
    """Direct for small or banded systems; otherwise restarted GMRES, and the direct solve where that stalls.

    Random sparse graphs fill in: at 10⁴ states the direct solve takes minutes where GMRES takes hundredths of a second.
    """
    a = scipy.sparse.csr_array(a)
    if a.shape[0] > DIRECT_STATES and bandwidth(a) > DIRECT_BANDWIDTH:
        x = by_krylov(a, np.asarray(b, dtype=np.float64).reshape(a.shape[0], -1))
        if x is not None:
            return x.reshape(np.shape(b))
    right = beside_ones(b)
    with warnings.catch_warnings():
        warnings.simplefilter("error", scipy.sparse.linalg.MatrixRankWarning)
        try:
            x = scipy.sparse.linalg.splu(scipy.sparse.csc_array(a)).solve(right)
        except (RuntimeError, scipy.sparse.linalg.MatrixRankWarning):
            raise SingularSystem(f"the {a.shape[0]} x {a.shape[1]} sparse system has no unique solution") from None
    return without_ones(a, x, np.shape(b))


def by_krylov(a: Any, b: Array) -> Array | None:
    """(n, k) right-hand sides by refined GMRES, to a backward error of a few roundings; None as soon as one stalls.

    The backward error |b - a x| / (|a||x| + |b|) is what a float solution can have: the residual alone would ask for more
    than rounding allows where x is large (Higham 2002, §7.1).
    """
    out = np.empty_like(b)
    size = np.abs(a).sum(axis=1).max()
    for j, column in enumerate(b.T):
        x = np.zeros_like(column)
        for _ in range(REFINEMENTS):
            residual = column - a @ x
            reached = np.abs(residual).max() <= BACKWARD_ERROR * (size * np.abs(x).max() + np.abs(column).max())
            if reached:
                break
            x = x + scipy.sparse.linalg.gmres(a, residual, rtol=1e-8, atol=0.0, restart=60, maxiter=10)[0]
        else:
            return None
        out[:, j] = x
    return out if np.all(np.isfinite(out)) else None


def bandwidth(a: Any) -> int:
    coo = a.tocoo()
    rows, cols = coo.coords
    return int(np.abs(rows - cols).max(initial=0))


def eigenvalues(a: Any) -> Array:
    return np.asarray(np.linalg.eigvals(a.toarray()))


def null_space(a: Any) -> Array:
    return dense.null_space(a.toarray())


def eye(a: Any) -> Any:
    return scipy.sparse.eye_array(a.shape[0], format="csr")


def mix(policy: Array, kernel: Any) -> Any:
    n_states, n_actions = policy.shape
    pairs = np.arange(n_states * n_actions)
    weights = scipy.sparse.csr_array((policy.ravel(), (pairs // n_actions, pairs)), shape=(n_states, pairs.size))
    weights.eliminate_zeros()
    mixed = scipy.sparse.csr_array(weights @ kernel)
    mixed.sort_indices()
    return mixed


def rounding(kernel: Any, x: Array) -> Array:
    n = np.diff(kernel.indptr) + 2
    nu = n * UNIT_ROUNDOFF
    return rounded_up(n, nu, abs(kernel) @ np.abs(x))
