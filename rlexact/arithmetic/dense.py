"""float64 in NumPy arrays."""

from fractions import Fraction
from typing import Any

import numpy as np
import scipy.special

from rlexact.arithmetic.errors import SingularSystem
from rlexact.arithmetic.reading import Array

NAME = "float64"
EXACT = False
UNIT_ROUNDOFF = 2.0**-53


def kernel(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float64)


def columns(kernel: Array, values: Array) -> Array:
    return kernel * values


def dense_array(kernel: Array) -> Array:
    return np.asarray(kernel)


def row(kernel: Array, i: int) -> tuple[Array, Array]:
    (where,) = np.nonzero(kernel[i])
    return where, kernel[i, where]


def entries(kernel: Array) -> tuple[Array, Array, Array]:
    rows, cols = np.nonzero(kernel)
    return rows, cols, kernel[rows, cols]


def finite(x: Array) -> Array:
    return np.isfinite(x)


def negative(x: Array) -> Array:
    return np.asarray(x) < 0


def apart(x: Array, y: Any, tolerance: float) -> Array:
    return np.asarray(~(np.abs(np.asarray(x) - y) <= tolerance))


def tidy(x: Array) -> Array:
    return x


def solve(a: Array, b: Array) -> Array:
    try:
        x = np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise SingularSystem(f"the {a.shape[0]} x {a.shape[1]} system has no unique solution") from None
    if not np.all(np.isfinite(x)):
        raise SingularSystem(f"the {a.shape[0]} x {a.shape[1]} system is singular to working precision")
    return np.asarray(x)


def eye(a: Array) -> Array:
    return np.eye(a.shape[0])


def mix(policy: Array, kernel: Array) -> Array:
    n_states, n_actions = policy.shape
    return np.asarray(np.matmul(policy[:, None, :], kernel.reshape(n_states, n_actions, -1))[:, 0, :])


def exp(x: Array) -> Array:
    return np.exp(x)


def log(x: Array) -> Array:
    return np.log(x)


def logsumexp(x: Array, axis: int = -1) -> Array:
    return np.asarray(scipy.special.logsumexp(x, axis=axis))


def best(q: Array, available: Array) -> tuple[Array, Array]:
    masked = np.where(available, q, -np.inf)
    top = masked.max(axis=1, initial=-np.inf)
    ties = available & (masked == top[:, None])
    return np.where(available.any(axis=1), top, 0.0), ties


def largest(x: Array) -> float:
    return float(np.max(x)) if np.size(x) else 0.0


def number(x: Any) -> float:
    return float(Fraction(x)) if isinstance(x, str) else float(x)


def filled(shape: int | tuple[int, ...], value: int) -> Array:
    return np.full(shape, float(value))


def rounding(kernel: Array, x: Array) -> Array:
    n = np.count_nonzero(kernel, axis=1) + 2
    nu = n * UNIT_ROUNDOFF
    bound = (nu / (1 - nu))[(...,) + (None,) * (np.ndim(x) - 1)] * (np.abs(kernel) @ np.abs(x))
    return np.asarray(bound * (1 + 2 * largest(nu)))
