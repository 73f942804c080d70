"""The Huber loss: squared near zero, linear far away.

    L_δ(x) = x²/2                  |x| ≤ δ
             δ|x| - δ²/2           |x| > δ
           = c (x - c/2),          c = clip(x, -δ, δ)
    L_δ'(x) = c                                                 the gradient of x²/2, clipped to [-δ, δ]

So clipping the gradient of the squared error with respect to the prediction is the Huber loss; clipping the error inside the
square is not: its gradient vanishes where the error is large. δ → ∞ is x²/2, and L_δ/δ → |x| as δ → 0. Huber (1964).
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive
from rlexact.formulas.reduction import Reduction, reduce, weights


def huber_loss(errors: Any, delta: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), δ -> (N,), or one number: the Huber loss of errors x.

        L = x²/2 for |x| ≤ δ,   δ|x| - δ²/2 beyond

    A loss, in squared units of x; nothing overflows that is not itself too large. Raises `InvalidBatch` for δ ≤ 0.
    Source: Huber (1964), §4 (his k is δ).

    >>> huber_loss([0.5, -3.0], 1.0)
    array([0.125, 2.5  ])
    """
    x, bound = errors_and_bound(errors, delta)
    c = np.clip(x, -bound, bound)
    return reduce(c * (x - c / 2), reduction, mask)


def huber_loss_gradient(errors: Any, delta: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), δ -> (N,): dL/dx, the error itself, cut at ±δ.

        dL/dx = clip(x, -δ, δ)

    For x = Q - y it is dL/dQ, for x = y - Q minus it. Raises as `huber_loss`.
    Source: differentiated from Huber (1964), §4.

    >>> huber_loss_gradient([0.5, -3.0], 1.0)
    array([ 0.5, -1. ])
    """
    x, bound = errors_and_bound(errors, delta)
    return np.asarray(np.clip(x, -bound, bound) * weights(x, reduction, mask))


def smooth_l1_loss(errors: Any, beta: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), β -> (N,), or one number: the Huber loss divided by its width, whose slope far away is 1 for every β.

        L = L_β(x) / β = x²/(2β) for |x| ≤ β,   |x| - β/2 beyond

    It is the Huber loss at β = 1 only: elsewhere the learning rate changes with the width. Raises as `huber_loss`.
    Source: Girshick (2015), "Fast R-CNN", (3), there with β = 1.

    >>> smooth_l1_loss([1.0, -3.0], 2.0)
    array([0.25, 2.  ])
    """
    x, bound = errors_and_bound(errors, beta)
    return reduce(np.asarray(huber_loss(x, bound)) / bound, reduction, mask)


def smooth_l1_loss_gradient(errors: Any, beta: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), β -> (N,): dL/dx, between -1 and 1.

        dL/dx = clip(x / β, -1, 1)

    Raises as `huber_loss`.
    Source: differentiated from Girshick (2015), (3).

    >>> smooth_l1_loss_gradient([1.0, -3.0], 2.0)
    array([ 0.5, -1. ])
    """
    x, bound = errors_and_bound(errors, beta)
    return np.asarray(huber_loss_gradient(x, bound, reduction=reduction, mask=mask) / bound)


def clipped_error_loss(errors: Any, delta: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), δ -> (N,), or one number: half the square of a clipped error, which is not the Huber loss.

        L = clip(x, -δ, δ)² / 2

    What "the error is clipped" becomes where an error is clipped before it is squared: the loss is flat beyond δ, and the
    samples with most to learn teach nothing. Mnih et al. (2015) mean `huber_loss`. Raises as `huber_loss`.
    Source: Mnih et al. (2015), Methods, read literally.

    >>> clipped_error_loss([0.5, -3.0], 1.0)
    array([0.125, 0.5  ])
    """
    x, bound = errors_and_bound(errors, delta)
    return reduce(np.clip(x, -bound, bound) ** 2 / 2, reduction, mask)


def clipped_error_loss_gradient(errors: Any, delta: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), δ -> (N,): dL/dx, 0 beyond the clip; at |x| = δ the side within.

        dL/dx = x · 1[|x| ≤ δ]

    Raises as `huber_loss`.
    Source: differentiated from `clipped_error_loss`.

    >>> clipped_error_loss_gradient([0.5, 3.0], 1.0)
    array([0.5, 0. ])
    """
    x, bound = errors_and_bound(errors, delta)
    inside = (np.real(x) <= np.real(bound)) & (np.real(x) >= -np.real(bound))
    return np.asarray(np.where(inside, x, 0 * x) * weights(x, reduction, mask))


def errors_and_bound(errors: Any, delta: Any) -> tuple[Array, Array]:
    x, bound = numbers(errors=errors, delta=delta)
    positive(delta=bound)
    return x, bound
