"""PPO with a KL penalty: a price on leaving the old policy, fixed or adapted.

    L = ρ Â - β D,   D = KL(π_old ‖ π)                          an objective of ratios and divergences
    D̂ = log π_old(a) - log π(a),   a ~ π_old                     the one-sample estimate: E D̂ = D, E ∂D̂ = ∂D
    β' = β / 2 if d < d_target / 1.5,   2β if d > 1.5 d_target    after each update

The samples are the old policy's, and D has it first: then the gradient of D̂ is right as well as its mean (it would not be
for KL(π ‖ π_old)). Divergences in nats; the approximate KL that early stopping watches is k3 of `kl_estimators`, of π_old to
π. Schulman et al. (2017), §4.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive, within
from rlexact.formulas.off_policy import importance_weighted_loss, importance_weighted_surrogate
from rlexact.formulas.reduction import Reduction, reduce, weights


@dataclass(frozen=True, eq=False)
class PenalisedGradient:
    """dL/dρ and dL/dD of every sample: (N,) each."""

    ratios: Array
    divergences: Array


def penalised_surrogate(ratios: Any, advantages: Any, divergences: Any, kl_coef: Any) -> Array:
    """(N,) each -> (N,): the surrogate less β times the divergence in each sample's state; it runs on Fractions.

        L = ρ Â - β D

    `divergences` are KL(π_old ‖ π)(s), computed from whole distributions. Raises `InvalidBatch` for negative ρ, D, β.
    Source: Schulman et al. (2017), (8).

    >>> penalised_surrogate([1.5], [2.0], [0.1], 10.0)
    array([2.])
    """
    rho, adv, d, beta = numbers(ratios=ratios, advantages=advantages, divergences=divergences, kl_coef=kl_coef)
    within(0, None, divergences=d, kl_coef=beta)
    return np.asarray(importance_weighted_surrogate(rho, adv) - beta * d)


def penalised_surrogate_gradient(ratios: Any, advantages: Any, divergences: Any, kl_coef: Any) -> PenalisedGradient:
    """(N,) each -> `PenalisedGradient` of (N,): dL/dρ and dL/dD of each sample.

        dL/dρ = Â,   dL/dD = -β

    Source: differentiated from Schulman et al. (2017), (8).

    >>> penalised_surrogate_gradient([1.5], [2.0], [0.1], 10.0)
    PenalisedGradient(ratios=array([2.]), divergences=array([-10.]))
    """
    rho, adv, d, beta = numbers(ratios=ratios, advantages=advantages, divergences=divergences, kl_coef=kl_coef)
    nothing = 0 * (rho + adv + d)
    return PenalisedGradient(np.asarray(adv + nothing), np.asarray(nothing - beta))


def ppo_penalty_loss(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    kl_coef: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) each -> (N,), or one number: minus the penalised surrogate, its divergence estimated from the same samples.

        loss = -ρ Â + β (log π_old - log π)

    Actions must come from the old policy. Raises `InvalidBatch` as `importance_weighted_loss`, and for β below 0.
    Source: Schulman et al. (2017), (8), with KL(π_old ‖ π) = E_old[log π_old - log π].

    >>> ppo_penalty_loss([-1.0], [-1.0], [2.0], 3.0)
    array([-2.])
    """
    log_p, log_old, beta = numbers(log_probs=log_probs, old_log_probs=old_log_probs, kl_coef=kl_coef)
    within(0, None, kl_coef=beta)
    loss = importance_weighted_loss(log_p, log_old, advantages) + beta * (log_old - log_p)
    return reduce(loss, reduction, mask)


def ppo_penalty_loss_gradient(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    kl_coef: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,) each -> (N,): d loss / d log π of each sample; the penalty pulls every drawn action up alike.

        d loss / d log π = -ρ Â - β,   for ∂KL(π_old ‖ π) = -E_old[∂ log π]

    Source: differentiated from Schulman et al. (2017), (8).

    >>> ppo_penalty_loss_gradient([-1.0], [-1.0], [2.0], 3.0)
    array([-5.])
    """
    log_p, log_old, beta = numbers(log_probs=log_probs, old_log_probs=old_log_probs, kl_coef=kl_coef)
    within(0, None, kl_coef=beta)
    gradient = np.asarray(importance_weighted_loss(log_p, log_old, advantages) - beta)
    return np.asarray(gradient * weights(gradient, reduction, mask))


def adaptive_kl_coefficient(kl_coef: Any, divergence: Any, target: Any) -> Any:
    """(), (), () -> (): the next β: halved where the update moved too little, doubled where it moved too far.

        β' = β / 2 if d < d_target / 1.5,   2β if d > 1.5 d_target,   else β

    `divergence` is d, the mean KL(π_old ‖ π) after the update. It runs on Fractions. Raises `InvalidBatch` for a d below 0
    (an estimate may be: give 0), and for β or d_target not above 0.
    Source: Schulman et al. (2017), §4.

    >>> [float(adaptive_kl_coefficient(1.0, d, 0.02)) for d in (0.01, 0.02, 0.04)]
    [0.5, 1.0, 2.0]
    """
    beta, d, target = numbers(kl_coef=kl_coef, divergence=divergence, target=target)
    positive(kl_coef=beta, target=target)
    within(0, None, divergence=d)
    if ar.negative(3 * d - 2 * target).any():
        return beta[()] / 2
    return 2 * beta[()] if ar.negative(3 * target - 2 * d).any() else beta[()]
