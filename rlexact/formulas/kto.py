"""Kahneman-Tversky optimisation: answers that are good or bad, one at a time, without pairs.

    ℓ = log π(y) - log π_ref(y)
    v = σ(β (ℓ - z)) for desirable answers, σ(β (z - ℓ)) for undesirable ones
    L = λ (1 - v)                                                        a loss in [0, λ]; λ of the answer's own kind

z is the reference point, an estimate of KL(π‖π_ref) of at least 0, held fixed when the loss is differentiated.
Ethayarajh, Xu, Muennighoff, Jurafsky and Kiela (2024), "KTO: model alignment as prospect theoretic optimization", §4.1.
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import flags, numbers, positive, within
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.sigmoid import sigmoid


def kto_loss(
    log_probs: Any,
    reference_log_probs: Any,
    desirable: Any,
    reference_point: Any,
    beta: Any,
    desirable_weight: Any = 1,
    undesirable_weight: Any = 1,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,), (N,), (N,) bool, () -> (N,), or one number: λ (1 - v) for each answer.

        L = λ_D σ(-β (ℓ - z)) if desirable else λ_U σ(β (ℓ - z))

    A loss. Raises `InvalidBatch` for β ≤ 0, z < 0, weights below 0 and flags that are not boolean.
    Source: Ethayarajh et al. (2024), §4.1.

    >>> kto_loss([0.0, 0.0], [0.0, 0.0], [True, False], 0.0, 1.0)
    array([0.5, 0.5])
    """
    loss, _, _ = kto_parts(
        log_probs, reference_log_probs, desirable, reference_point, beta, desirable_weight, undesirable_weight
    )
    return reduce(loss, reduction, mask)


def kto_loss_gradient(
    log_probs: Any,
    reference_log_probs: Any,
    desirable: Any,
    reference_point: Any,
    beta: Any,
    desirable_weight: Any = 1,
    undesirable_weight: Any = 1,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,), (N,), (N,) bool, () -> (N,): ∂L/∂log π of each answer, z held fixed.

        ∂L/∂log π = ∓ β λ v (1 - v),   - for desirable answers

    Source: Ethayarajh et al. (2024), §4.1, differentiated.

    >>> kto_loss_gradient([0.0, 0.0], [0.0, 0.0], [True, False], 0.0, 1.0)
    array([-0.25,  0.25])
    """
    loss, value, slope = kto_parts(
        log_probs, reference_log_probs, desirable, reference_point, beta, desirable_weight, undesirable_weight
    )
    gradient = slope * loss * value
    return np.asarray(gradient * weights(gradient, reduction, mask))


def kto_parts(
    log_probs: Any, reference: Any, desirable: Any, point: Any, beta: Any, good_weight: Any, bad_weight: Any
) -> tuple[Array, Array, Array]:
    """λ (1 - v), v, and the slope -(± β) of the sigmoid's argument."""
    log_p, log_ref, z, b, good, bad = numbers(
        log_probs=log_probs,
        reference_log_probs=reference,
        reference_point=point,
        beta=beta,
        desirable_weight=good_weight,
        undesirable_weight=bad_weight,
    )
    positive(beta=b)
    within(0, None, reference_point=z, desirable_weight=good, undesirable_weight=bad)
    ell = np.asarray(log_p - log_ref)
    (liked,) = flags(ell.shape, desirable=desirable)
    signed = np.where(liked, b + 0 * ell, -b + 0 * ell)
    argument = signed * (ell - z)
    return np.where(liked, good, bad) * sigmoid(-argument), sigmoid(argument), -signed
