"""float64 in NumPy arrays."""

from typing import Any

import numpy as np

from rlexact.arithmetic.errors import MixedNumbers, SingularSystem
from rlexact.arithmetic.reading import Array, as_fraction, is_symbol

NAME = "float64"
EXACT = False
UNIT_ROUNDOFF = 2.0**-53
SMALLEST = 2.0**-1074  # the spacing of subnormal numbers: what a product loses when it underflows


def kernel(array: Array) -> Array:
    return np.ascontiguousarray(array, dtype=np.float64)


def columns(kernel: Array, values: Array) -> Array:
    return kernel * values


def dense_array(kernel: Array) -> Array:
    return np.asarray(kernel)


def row(kernel: Array, i: int) -> tuple[Array, Array]:
    (where,) = np.nonzero(kernel[i])
    return where, kernel[i, where]


def take_rows(kernel: Array, index: Array) -> Array:
    return np.asarray(kernel[index])


def entries(kernel: Array) -> tuple[Array, Array, Array]:
    rows, cols = np.nonzero(kernel)
    return rows, cols, kernel[rows, cols]


def assemble(rows: Array, cols: Array, values: Array, shape: tuple[int, int]) -> Array:
    out = filled(shape, 0)
    np.add.at(out, (rows, cols), values)
    return kernel(out)


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
        x = np.linalg.solve(a, beside_ones(b))
    except np.linalg.LinAlgError:
        raise SingularSystem(f"the {a.shape[0]} x {a.shape[1]} system has no unique solution") from None
    return without_ones(a, x, np.shape(b))


def beside_ones(b: Array) -> Array:
    """(n,) or (n, k) right-hand sides, and a last column of ones that shows how far the inverse stretches."""
    if np.asarray(b).dtype.kind not in "fiu":
        raise MixedNumbers("the system is in floats and its right-hand side is not: convert one of them")
    n = np.shape(b)[0]
    return np.column_stack([np.reshape(b, (n, -1)), np.ones(n)])


def without_ones(a: Any, x: Array, shape: tuple[int, ...]) -> Array:
    """The solution, unless ‖a‖∞ ‖a⁻¹ 1‖∞ ≤ cond(a) says that no digit of it holds."""
    condition = abs(a).sum(axis=1).max(initial=0.0) * np.abs(x[:, -1]).max(initial=0.0)
    if not np.all(np.isfinite(x)) or condition * UNIT_ROUNDOFF >= 1:
        raise SingularSystem(f"the {a.shape[0]} x {a.shape[1]} system is singular to working precision")
    return np.reshape(x[:, :-1], shape)


def eigenvalues(a: Array) -> Array:
    return np.asarray(np.linalg.eigvals(a))


def null_space(a: Array) -> Array:
    _, sizes, axes = np.linalg.svd(a, full_matrices=a.shape[0] < a.shape[1])
    rank = np.count_nonzero(sizes > max(a.shape) * 2 * UNIT_ROUNDOFF * largest(sizes))
    return np.asarray(axes[rank:].T)


def eye(a: Array) -> Array:
    return np.eye(a.shape[0])


def mix(policy: Array, kernel: Array) -> Array:
    n_states, n_actions = policy.shape
    return np.asarray(np.matmul(policy[:, None, :], kernel.reshape(n_states, n_actions, -1))[:, 0, :])


def exp(x: Array) -> Array:
    return np.exp(x)


def log(x: Array) -> Array:
    return np.log(x)


def log1p(x: Array) -> Array:
    return np.log1p(x)


def expm1(x: Array) -> Array:
    return np.expm1(x)


def square_root(x: Array) -> Array:
    return np.sqrt(x)


def logsumexp(x: Array, axis: int = -1) -> Array:
    top = np.max(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)  # e^(x - shift) does not overflow, and all of -∞ stays -∞
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(x - shift).sum(axis=axis)) + np.squeeze(shift, axis=axis))


def log_softmax(x: Array, axis: int = -1) -> Array:
    down = x - np.max(x, axis=axis, keepdims=True)
    return np.asarray(down - np.log(np.exp(down).sum(axis=axis, keepdims=True)))


def best(q: Array, available: Array) -> tuple[Array, Array]:
    masked = np.where(available, q, -np.inf)
    top = masked.max(axis=1, initial=-np.inf)
    ties = available & (masked == top[:, None])
    return np.where(available.any(axis=1), top, 0.0), ties


def soft_best(q: Array, weights: Array, temperature: float) -> tuple[Array, Array]:
    live = weights > 0
    top, _ = best(q, live)
    with np.errstate(over="ignore", divide="ignore"):
        x = np.where(live, q - top[:, None], 0.0) / temperature + np.log(weights)
    shift, _ = best(x, live)
    share = np.exp(x - shift[:, None])
    total = share.sum(axis=1)
    some = np.where(live.any(axis=1), total, 1.0)
    return top + temperature * (shift + np.log(some)), share / some[:, None]


def surprise(p: Array, weights: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.where(p > 0, np.log(np.where(p > 0, p, 1.0)) - np.log(weights), 0.0)


def largest(x: Array) -> float:
    return float(np.max(x)) if np.size(x) else 0.0


def number(x: Any) -> float:
    if is_symbol(x) and not x.is_number:
        raise MixedNumbers(f"the symbol {x} met floats: take an exact model to_symbolic()")
    return float(as_fraction(x)) if isinstance(x, str) else float(x)


def filled(shape: int | tuple[int, ...], value: int) -> Array:
    return np.full(shape, float(value))


def rounding(kernel: Array, x: Array) -> Array:
    n = np.count_nonzero(kernel, axis=1) + 2
    nu = n * UNIT_ROUNDOFF
    return rounded_up(n, nu, np.abs(kernel) @ np.abs(x))


def rounded_up(n: Array, nu: Array, product: Array) -> Array:
    """ν / (1 - ν) product per row, with what the bound's own operations and underflow may have lost."""
    per_row = (..., *(None,) * (np.ndim(product) - 1))
    bound = (nu / (1 - nu))[per_row] * product * (1 + 2 * largest(nu))
    return np.asarray(bound + np.where(n > 2, (n + 2) * SMALLEST, 0.0)[per_row])
