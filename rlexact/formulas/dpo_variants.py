"""Kin of DPO: other losses of the same margin. (Without pairs: `kto`; without a reference: `reference_free`.)

    u = β h,   h = (log π/π_ref)(chosen) - (log π/π_ref)(rejected)                the margin of DPO

    conservative   -(1 - ε) log σ(u) - ε log σ(-u)                               least at σ(u) = 1 - ε
    robust         (-(1 - ε) log σ(u) + ε log σ(-u)) / (1 - 2ε)                   mean over flipped labels: -log σ(u)
    IPO            (h - 1/(2β))²                                                 least at h = 1/(2β), not at infinity
    hinge          max(0, 1 - u)                                                 no slope beyond u = 1

All are losses. Their slopes in the four log-probabilities of a pair are the slope in u times (β, -β, -β, β).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive, refuse_where, within
from rlexact.formulas.dpo import DpoGradient, dpo_margin, through_margin
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.sigmoid import log_sigmoid, sigmoid


def conservative_dpo_loss(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    label_smoothing: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) four times -> (N,), or one number: DPO with labels that are wrong with chance ε.

        L = -(1 - ε) log σ(u) - ε log σ(-u)

    Raises `InvalidBatch` for ε outside [0, 1] and β ≤ 0. ε = 0 is `dpo_loss`.
    Source: Mitchell (2023), "A note on DPO with noisy preferences and relationship to IPO".

    >>> conservative_dpo_loss([0.0], [0.0], [0.0], [0.0], 1.0, 0.25).round(4) == np.log(2).round(4)
    array([ True])
    """
    u, eps = noisy(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta, label_smoothing)
    return reduce(-(1 - eps) * log_sigmoid(u) - eps * log_sigmoid(-u), reduction, mask)


def conservative_dpo_loss_gradient(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    label_smoothing: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> DpoGradient:
    """(N,) four times -> (N,) four times: the slope in each log-probability.

        dL/du = ε - σ(-u)

    Source: differentiated from Mitchell (2023).

    >>> conservative_dpo_loss_gradient([0.0], [0.0], [0.0], [0.0], 1.0, 0.25).policy_chosen
    array([-0.25])
    """
    u, eps = noisy(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta, label_smoothing)
    return reduced(eps - sigmoid(-u), beta, reduction, mask)


def robust_dpo_loss(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    label_smoothing: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) four times -> (N,), or one number: an estimate of DPO's loss on clean labels, from labels flipped with chance ε.

        L = (-(1 - ε) log σ(u) + ε log σ(-u)) / (1 - 2ε)

    Unbiased, (1 - ε) L(u) + ε L(-u) = -log σ(u), and unbounded below. Raises `InvalidBatch` for ε outside [0, 1/2).
    Source: Chowdhury, Kini and Natarajan (2024), "Provably robust DPO", §3.

    >>> robust_dpo_loss([0.0], [0.0], [0.0], [0.0], 1.0, 0.25).round(4) == np.log(2).round(4)
    array([ True])
    """
    u, eps = noisy(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta, label_smoothing)
    refuse_half(eps)
    return reduce((-(1 - eps) * log_sigmoid(u) + eps * log_sigmoid(-u)) / (1 - 2 * eps), reduction, mask)


def robust_dpo_loss_gradient(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    label_smoothing: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> DpoGradient:
    """(N,) four times -> (N,) four times: the slope in each log-probability.

        dL/du = -σ(-u) - ε / (1 - 2ε)

    Source: differentiated from Chowdhury et al. (2024), §3.

    >>> robust_dpo_loss_gradient([0.0], [0.0], [0.0], [0.0], 1.0, 0.25).policy_chosen
    array([-1.])
    """
    u, eps = noisy(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta, label_smoothing)
    refuse_half(eps)
    return reduced(-sigmoid(-u) - eps / (1 - 2 * eps), beta, reduction, mask)


def ipo_loss(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) four times -> (N,), or one number: identity preference optimisation; it runs on Fractions.

        L = (h - 1/(2β))²

    h is the margin without β, of whole answers. β is the paper's τ.
    Source: Azar et al. (2024), "A general theoretical paradigm to understand learning from human preferences", §5.2.

    >>> ipo_loss([1.0], [0.0], [0.0], [0.0], 0.25)
    array([1.])
    """
    gap = ipo_gap(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return reduce(gap * gap, reduction, mask)


def ipo_loss_gradient(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> DpoGradient:
    """(N,) four times -> (N,) four times: the slope in each log-probability; it runs on Fractions.

        dL/dh = 2 (h - 1/(2β))

    Source: differentiated from Azar et al. (2024), §5.2.

    >>> ipo_loss_gradient([1.0], [0.0], [0.0], [0.0], 0.25).policy_chosen
    array([-2.])
    """
    gap = ipo_gap(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return reduced(2 * gap, 1, reduction, mask)


def hinge_dpo_loss(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) four times -> (N,), or one number: the hinge of the margin; it runs on Fractions.

        L = max(0, 1 - u)

    With references of 0 it is the calibration term of SLiC-HF, whose margin is 1/β.
    Source: Liu et al. (2024), "RSO", the hinge-norm loss; Zhao et al. (2023), "SLiC-HF", §2.

    >>> hinge_dpo_loss([1.0, 4.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 0.5)
    array([0.5, 0. ])
    """
    u = dpo_margin(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return reduce(np.where(short_of_one(u), 1 - u, 0 * u), reduction, mask)


def hinge_dpo_loss_gradient(
    policy_chosen: Any,
    policy_rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    beta: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> DpoGradient:
    """(N,) four times -> (N,) four times: the slope in each log-probability, 0 at the kink; it runs on Fractions.

        dL/du = -1[u < 1]

    Source: differentiated from Liu et al. (2024), "RSO".

    >>> hinge_dpo_loss_gradient([1.0, 4.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 0.5).policy_chosen
    array([-0.5,  0. ])
    """
    u = dpo_margin(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return reduced(np.where(short_of_one(u), 0 * u - 1, 0 * u), beta, reduction, mask)


def short_of_one(u: Array) -> Array:
    return np.asarray(np.real(u) < 1)


def noisy(chosen: Any, rejected: Any, ref_chosen: Any, ref_rejected: Any, beta: Any, eps: Any) -> tuple[Array, Array]:
    """The margin, and the chance of a wrong label."""
    u, noise = numbers(margin=dpo_margin(chosen, rejected, ref_chosen, ref_rejected, beta), label_smoothing=eps)
    within(0, 1, label_smoothing=noise)
    return u, noise


def refuse_half(eps: Array) -> None:
    refuse_where(~ar.negative(2 * np.real(eps) - 1), "label_smoothing", eps, "below 1/2: more noise leaves no signal")


def ipo_gap(chosen: Any, rejected: Any, ref_chosen: Any, ref_rejected: Any, beta: Any) -> Array:
    """h - 1/(2β)."""
    h, b = numbers(margin=dpo_margin(chosen, rejected, ref_chosen, ref_rejected, 1), beta=beta)
    positive(beta=b)
    return np.asarray(h - 1 / (2 * b))


def reduced(slope: Array, beta: Any, reduction: Reduction, mask: Any) -> DpoGradient:
    return through_margin(np.asarray(slope * weights(slope, reduction, mask)), beta)
