"""Preference losses that need no reference model: SimPO and ORPO.

    ℓ = (1/|y|) Σ_t log π(y_t)                                                  the mean log-probability of a token
    SimPO   L = -log σ(β (ℓ_w - ℓ_l) - m)                                       m a target margin
    ORPO    L = -ℓ_w - λ log σ(o_w - o_l),   o = ℓ - log(1 - e^ℓ)                 o the log-odds of e^ℓ

Losses of the mean log-probabilities of the chosen and the rejected answer. Meng, Xia and Chen (2024), "SimPO", §2.3; Hong, Lee
and Thorne (2024), "ORPO", §4.2.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive, refuse_where, within
from rlexact.formulas.preference import PairGradient, reward_model_loss, reward_model_loss_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.sigmoid import log_sigmoid, sigmoid


def simpo_loss(
    chosen_mean_log_probs: Any,
    rejected_mean_log_probs: Any,
    beta: Any,
    margin: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,), (N,) -> (N,), or one number: the reward model's loss on β times the mean log-probabilities.

        L = -log σ(β (ℓ_w - ℓ_l) - m)

    Raises `InvalidBatch` for β ≤ 0.
    Source: Meng, Xia and Chen (2024), "SimPO", §2.3; m is the paper's γ.

    >>> simpo_loss([-1.0], [-2.0], 2.0, 2.0).round(4) == np.log(2).round(4)
    array([ True])
    """
    won, lost, _ = scaled(chosen_mean_log_probs, rejected_mean_log_probs, beta)
    return reward_model_loss(won, lost, margin, reduction=reduction, mask=mask)


def simpo_loss_gradient(
    chosen_mean_log_probs: Any,
    rejected_mean_log_probs: Any,
    beta: Any,
    margin: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> PairGradient:
    """(N,), (N,) -> (N,) twice: the slope in the two mean log-probabilities.

        ∂L/∂ℓ_w = -β σ(-(β (ℓ_w - ℓ_l) - m)) = -∂L/∂ℓ_l

    Source: Meng, Xia and Chen (2024), "SimPO", appendix on the gradient.

    >>> simpo_loss_gradient([-1.0], [-2.0], 2.0, 2.0).chosen
    array([-1.])
    """
    won, lost, b = scaled(chosen_mean_log_probs, rejected_mean_log_probs, beta)
    slope = reward_model_loss_gradient(won, lost, margin, reduction=reduction, mask=mask)
    return PairGradient(np.asarray(b * slope.chosen), np.asarray(b * slope.rejected))


def orpo_loss(
    chosen_mean_log_probs: Any,
    rejected_mean_log_probs: Any,
    odds_weight: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,), (N,) -> (N,), or one number: the likelihood loss of the chosen answer and the log-odds ratio.

        L = -ℓ_w - λ log σ(o_w - o_l)

    λ is `odds_weight`. Raises `InvalidBatch` for λ < 0 and for a mean log-probability that is not below 0.
    Source: Hong, Lee and Thorne (2024), "ORPO", §4.2.

    >>> orpo_loss([-1.0], [-1.0], 1.0).round(4) == (1 + np.log(2)).round(4)
    array([ True])
    """
    won, lost, weight = below_zero(chosen_mean_log_probs, rejected_mean_log_probs, odds_weight)
    return reduce(-won - weight * log_sigmoid(log_odds(won) - log_odds(lost)), reduction, mask)


def orpo_loss_gradient(
    chosen_mean_log_probs: Any,
    rejected_mean_log_probs: Any,
    odds_weight: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> PairGradient:
    """(N,), (N,) -> (N,) twice: the slope in the two mean log-probabilities.

        ∂L/∂ℓ_w = -1 - λ σ(o_l - o_w) / (1 - e^ℓ_w),    ∂L/∂ℓ_l = λ σ(o_l - o_w) / (1 - e^ℓ_l)

    Source: Hong, Lee and Thorne (2024), "ORPO", §4.3.

    >>> gradient = orpo_loss_gradient([-np.log(2)], [-np.log(2)], 1.0)
    >>> gradient.chosen.round(12), gradient.rejected.round(12)
    (array([-2.]), array([1.]))
    """
    won, lost, weight = below_zero(chosen_mean_log_probs, rejected_mean_log_probs, odds_weight)
    push = weight * sigmoid(log_odds(lost) - log_odds(won))
    counted = weights(push, reduction, mask)
    return PairGradient((push / ar.expm1(won) - 1) * counted, -push / ar.expm1(lost) * counted)


def log_odds(ell: Array) -> Array:
    """o = ℓ - log(1 - e^ℓ), ℓ < 0."""
    return np.asarray(ell - ar.log(-ar.expm1(ell)))


def scaled(chosen: Any, rejected: Any, beta: Any) -> tuple[Array, Array, Array]:
    won, lost, b = numbers(chosen_mean_log_probs=chosen, rejected_mean_log_probs=rejected, beta=beta)
    positive(beta=b)
    return np.asarray(b * won), np.asarray(b * lost), b


def below_zero(chosen: Any, rejected: Any, odds_weight: Any) -> tuple[Array, ...]:
    won, lost, weight = numbers(chosen_mean_log_probs=chosen, rejected_mean_log_probs=rejected, odds_weight=odds_weight)
    within(0, None, odds_weight=weight)
    for name, ell in (("chosen_mean_log_probs", won), ("rejected_mean_log_probs", lost)):
        refuse_where(~ar.negative(np.real(ell)), name, ell, "below 0: the odds of a certain answer are infinite")
    return won, lost, weight
