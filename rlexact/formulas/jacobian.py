"""Jacobians: by complex step, in closed form, and multiplied by the chain rule.

    J[i, j] = ∂y_i/∂x_j,   y = f(x),  x ∈ ℝⁿ, y ∈ ℝᵐ:  J is (m, n);   a scalar y has the row (n,),  a scalar x the column (m,)
    ∂y/∂x_j = Im f(x + i h e_j) / h                   for analytic f; nothing is subtracted, so h = 1e-100 costs no digits
    ∂z/∂x = (∂z/∂y)(∂y/∂x)                            the chain rule, the outer Jacobian first

    softmax     ∂p/∂z = diag(p) - p pᵀ                log-softmax  ∂ log p/∂z = I - 1 pᵀ
    quadratic   ∂(xᵀA x)/∂x = xᵀ(A + Aᵀ)               linear       ∂(W x)_i/∂W_jk = δ_ij x_k
    trace       ∂ tr(A X)/∂X = Aᵀ                     log-det      ∂ log|det X|/∂X = X⁻ᵀ
    elementwise ∂f(x)/∂x = diag(f'(x))                layer norm   (I - 11ᵀ/n - y yᵀ/n) / σ

A derivative in a matrix has the matrix's axes: entry [i, j] belongs to X_ij. Squire and Trapp (1998) for the complex step;
Magnus and Neudecker (2019); Petersen and Pedersen (2012), "The matrix cookbook".
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce as fold
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.formulas.batch import InvalidBatch, distributions, numbers, positive, read, within

STEP = 1e-100


@dataclass(frozen=True, eq=False)
class JacobianCheck:
    """Whether a claimed Jacobian agrees; else the first entry that does not, what was claimed there and what is found."""

    agrees: bool
    entry: tuple[int, ...] | None
    claimed: float | None
    found: float | None
    largest_gap: float


def jacobian(f: Callable[[Array], Any], x: Any) -> Array:
    """f, (n,) -> (m, n): the Jacobian of an analytic function, to all digits; output axes first, then those of x.

        J[i, j] = Im f_i(x + i h e_j) / h

    f is called with complex arrays: an `abs`, a `conj` or a comparison inside it breaks the step. Raises `InvalidBatch`
    where f returns real numbers, having dropped the step, and `NotExact` for exact x.
    Source: Squire and Trapp (1998), "Using complex variables to estimate derivatives of real functions".

    >>> jacobian(lambda x: np.array([x[0] * x[1], x[0] ** 2]), [3.0, 2.0])
    array([[2., 3.],
           [6., 0.]])
    """
    (point,) = read(x=x)
    if ar.is_exact(point):
        raise NotExact("the complex step is for floats: differentiate exact expressions in SymPy")
    columns = [stepped(f, point, index) for index in np.ndindex(point.shape)]
    return np.stack(columns, axis=-1).reshape(columns[0].shape + point.shape)


def stepped(f: Callable[[Array], Any], point: Array, index: tuple[int, ...]) -> Array:
    """∂f/∂x at this index of x."""
    moved = point.astype(np.complex128)
    moved[index] += 1j * STEP
    y = np.asarray(f(moved))
    if not np.iscomplexobj(y):
        raise InvalidBatch(
            f"f returns {y.dtype} for complex numbers: it drops the step, so its derivative cannot be read off"
        )
    return y.imag / STEP


def chain_rule(*jacobians: Any) -> Array:
    """(m, k), (k, ...), ... -> (m, ...): the Jacobian of a composition, the outermost function first. It runs on Fractions.

        ∂z/∂x = (∂z/∂y)(∂y/∂x)

    A row (k,) stands for the gradient of a scalar; a last factor (k, m, n) for a derivative in a matrix. Raises
    `InvalidBatch` where the axes between two factors differ.
    Source: Magnus and Neudecker (2019), chapter 5.

    >>> chain_rule([1.0, 1.0], [[1.0, 2.0], [3.0, 4.0]])
    array([4., 6.])
    """
    if not jacobians:
        raise InvalidBatch("no Jacobian given: give at least one, the outermost first")
    return fold(contracted, read(**{f"factor {i}": j for i, j in enumerate(jacobians)}))


def contracted(outer: Array, inner: Array) -> Array:
    if not outer.ndim or not inner.ndim or outer.shape[-1] != inner.shape[0]:
        raise InvalidBatch(
            f"shapes {outer.shape} and {inner.shape}: the last axis of a factor is the first of the next"
        )
    return np.asarray(np.tensordot(outer, inner, axes=1))


def check_jacobian(f: Callable[[Array], Any], x: Any, claimed: Any, tolerance: Any) -> JacobianCheck:
    """f, (n,), (m, n) -> JacobianCheck: whether the claimed Jacobian is that of f at x, by complex step.

        |claimed - J| ≤ tolerance · max(1, max |J|), entry by entry

    Raises as `jacobian`, and where the shapes differ: a Jacobian laid out the other way round is named, not transposed.
    Source: Squire and Trapp (1998).

    >>> check_jacobian(lambda x: x**2, [1.0, 3.0], [[2.0, 0.0], [0.0, 3.0]], 1e-12).entry
    (1, 1)
    """
    found, (said, margin) = jacobian(f, x), read(claimed=claimed, tolerance=tolerance)
    within(0, None, tolerance=margin)
    if said.shape != found.shape:
        raise InvalidBatch(
            f"the claimed Jacobian has shape {said.shape}, f has {found.shape}: outputs first, then inputs"
        )
    gap = np.abs(said - found)
    wrong = np.argwhere(~(gap <= margin * max(1.0, float(np.abs(found).max()))))
    if not len(wrong):
        return JacobianCheck(True, None, None, None, float(gap.max()))
    entry = tuple(int(i) for i in wrong[0])
    return JacobianCheck(False, entry, float(said[entry]), float(found[entry]), float(gap.max()))


def softmax_jacobian(p: Any) -> Array:
    """(N,) -> (N, N): ∂p/∂z where p = softmax(z). It runs on Fractions.

        ∂p_i/∂z_j = p_i (δ_ij - p_j)

    Raises `InvalidBatch` for a p that is no distribution.
    Source: Bridle (1990); Bishop (2006), (4.106).

    >>> softmax_jacobian([0.5, 0.5])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    (p_i,) = distributions(p=p)
    return np.asarray(p_i[:, None] * log_softmax_jacobian(p_i))


def log_softmax_jacobian(p: Any) -> Array:
    """(N,) -> (N, N): ∂ log p/∂z where p = softmax(z); row a is the score of action a. It runs on Fractions.

        ∂ log p_i/∂z_j = δ_ij - p_j

    Raises as `softmax_jacobian`.
    Source: Sutton and Barto (2018), exercise 13.3, with logits for parameters.

    >>> log_softmax_jacobian([0.25, 0.75])
    array([[ 0.75, -0.75],
           [-0.25,  0.25]])
    """
    (p_j,) = distributions(p=p)
    return np.asarray(elementwise_jacobian(0 * one_axis("p", p_j) + 1) - p_j[None, :])


def elementwise_jacobian(slopes: Any) -> Array:
    """(N,) -> (N, N): the Jacobian of a function applied to each entry, from its slopes. It runs on Fractions.

        ∂f(x_i)/∂x_j = f'(x_i) δ_ij

    Source: Magnus and Neudecker (2019), chapter 5.

    >>> elementwise_jacobian([1.0, 2.0])
    array([[1., 0.],
           [0., 2.]])
    """
    (slope,) = numbers(slopes=slopes)
    one_axis("slopes", slope)
    return np.where(np.eye(len(slope), dtype=bool), slope[:, None], ar.zeros(slope, ()).astype(slope.dtype))


def linear_weight_jacobian(x: Any, rows: int) -> Array:
    """(n,), m -> (m, m, n): ∂(W x)/∂W of a layer with m outputs. It runs on Fractions.

        ∂(W x)_i/∂W_jk = δ_ij x_k

    With ∂L/∂(W x) before it in `chain_rule` it gives the outer product (∂L/∂h) xᵀ.
    Source: Petersen and Pedersen (2012), (74).

    >>> chain_rule([1.0, 10.0], linear_weight_jacobian([2.0, 3.0], 2))
    array([[ 2.,  3.],
           [20., 30.]])
    """
    (x_k,) = numbers(x=x)
    one_axis("x", x_k)
    return np.where(np.eye(rows, dtype=bool)[:, :, None], x_k, ar.zeros(x_k, ()).astype(x_k.dtype))


def quadratic_form_jacobian(matrix: Any, x: Any) -> Array:
    """(n, n), (n,) -> (n,): the gradient of xᵀA x as a row; 2 xᵀA only where A is symmetric. It runs on Fractions.

        ∂(xᵀA x)/∂x = xᵀ(A + Aᵀ)

    Source: Petersen and Pedersen (2012), (81).

    >>> quadratic_form_jacobian([[1.0, 2.0], [0.0, 1.0]], [1.0, 1.0])
    array([4., 4.])
    """
    a, x_i = read(matrix=matrix, x=x)
    if a.shape != (*one_axis("x", x_i).shape, len(x_i)):
        raise InvalidBatch(f"the matrix has shape {a.shape}, x {x_i.shape}: give (n, n) and (n,)")
    return np.asarray(x_i @ (a + a.T))


def trace_jacobian(matrix: Any) -> Array:
    """(m, n) -> (n, m): the derivative of tr(A X) in X, with the axes of X. It runs on Fractions.

        ∂ tr(A X)/∂X_ij = A_ji

    Source: Petersen and Pedersen (2012), (100).

    >>> trace_jacobian([[1.0, 2.0]])
    array([[1.],
           [2.]])
    """
    (a,) = read(matrix=matrix)
    if a.ndim != 2:
        raise InvalidBatch(f"the matrix has shape {a.shape}: give two axes")
    return np.asarray(a.T)


def log_det_jacobian(matrix: Any) -> Array:
    """(n, n) -> (n, n): the derivative of log|det X| in X, with the axes of X. It runs on Fractions.

        ∂ log|det X|/∂X = X⁻ᵀ

    Raises `InvalidBatch` for a matrix that is not square, `SingularSystem` where X has no inverse.
    Source: Petersen and Pedersen (2012), (57).

    >>> log_det_jacobian([[2.0, 0.0], [1.0, 4.0]])
    array([[ 0.5  , -0.125],
           [ 0.   ,  0.25 ]])
    """
    (x,) = read(matrix=matrix)
    if x.ndim != 2 or x.shape[0] != x.shape[1]:
        raise InvalidBatch(f"the matrix has shape {x.shape}: give (n, n)")
    return ar.solve(ar.kernel_from(x.T), elementwise_jacobian(ar.ones(x, len(x))))


def layer_norm_jacobian(x: Any, epsilon: Any) -> Array:
    """(N,) -> (N, N): the Jacobian of y = (x - mean) / σ, σ² = variance + ε, without scale and shift.

        ∂y_i/∂x_j = (δ_ij - 1/n - y_i y_j / n) / σ

    The variance divides by n. Raises `InvalidBatch` where σ² is not above 0.
    Source: Ba, Kiros and Hinton (2016), (3), differentiated.

    >>> layer_norm_jacobian([1.0, -1.0], 0.0)
    array([[0., 0.],
           [0., 0.]])
    """
    x_i, eps = numbers(x=x, epsilon=epsilon)
    n = len(one_axis("x", x_i))
    centred = x_i - x_i.sum() / n
    variance = np.asarray((centred * centred).sum() / n + eps)
    positive(**{"variance + epsilon": variance})
    sigma = ar.square_root(variance)
    y = centred / sigma
    return np.asarray((elementwise_jacobian(0 * y + 1) - (1 + y[:, None] * y[None, :]) / n) / sigma)


def one_axis(name: str, x: Array) -> Array:
    if x.ndim != 1:
        raise InvalidBatch(f"{name} has shape {x.shape}: give one axis")
    return x
