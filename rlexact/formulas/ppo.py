"""Proximal policy optimisation: the clipped surrogate.

    ρ = exp(log π - log π_old)                                                     the importance ratio
    L = min(ρ Â, clip(ρ, 1 - ε_low, 1 + ε_high) Â)                                 an objective; the loss is -L
    dL/dρ = Â where the first term is the smaller, 0 where the clip is             the active set

For Â > 0 the clip acts only above 1 + ε, for Â < 0 only below 1 - ε: the minimum is a pessimistic bound, and a sample that
has moved the wrong way keeps its gradient; without the minimum it would lose it (`clip_only_surrogate`). The value loss and
the sum of all parts are in `ppo_value`, the KL penalty in `ppo_penalty`, the second clip in `dual_clip`. Schulman, Wolski,
Dhariwal, Radford and Klimov (2017), (7).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, within
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.reduction import Reduction, reduce, weights


def clipped_surrogate(ratios: Any, advantages: Any, clip_eps: Any, clip_eps_high: Any = None) -> Array:
    """(N,), (N,) -> (N,): the clipped surrogate objective, as a function of the ratio; it runs on Fractions.

        L = min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â),   ε_high = ε unless given

    Raises `InvalidBatch` for a negative ratio or ε, and for ε above 1.
    Source: Schulman et al. (2017), (7); ε_high: Yu et al. (2025), "DAPO", (10).

    >>> clipped_surrogate([1.5, 0.5], [1, -1], 0.2)
    array([ 1.2, -0.8])
    """
    rho, adv, low, high = clip_arguments(ratios, advantages, clip_eps, clip_eps_high)
    return np.asarray(np.minimum(rho * adv, np.clip(rho, low, high) * adv))


def clipped_surrogate_gradient(ratios: Any, advantages: Any, clip_eps: Any, clip_eps_high: Any = None) -> Array:
    """(N,), (N,) -> (N,): dL/dρ, Â on the active set and 0 off it; at a kink, the side of the unclipped term.

        dL/dρ = Â · 1[ρ Â ≤ clip(ρ, 1 - ε, 1 + ε_high) Â]

    Source: differentiated from Schulman et al. (2017), (7).

    >>> clipped_surrogate_gradient([1.5, 1.5], [1, -1], 0.2)
    array([ 0., -1.])
    """
    rho, adv, low, high = clip_arguments(ratios, advantages, clip_eps, clip_eps_high)
    return np.where(rho * adv <= np.clip(rho, low, high) * adv, adv, 0 * adv)


def active_set(ratios: Any, advantages: Any, clip_eps: Any, clip_eps_high: Any = None) -> Array:
    """(N,), (N,) -> (N,) bool: where a sample still has a gradient.

        ρ Â ≤ clip(ρ, 1 - ε, 1 + ε_high) Â,   False where (Â > 0, ρ > 1 + ε_high) or (Â < 0, ρ < 1 - ε)

    An advantage of 0 counts as active, though its gradient is 0. Raises `InvalidBatch` as `clipped_surrogate`.
    Source: read off Schulman et al. (2017), (7) and figure 1.

    >>> active_set([1.5, 1.5, 0.5, 0.5], [1, -1, 1, -1], 0.2)
    array([False,  True,  True, False])
    """
    rho, adv, low, high = clip_arguments(ratios, advantages, clip_eps, clip_eps_high)
    return np.asarray(np.real(rho * adv) <= np.real(np.clip(rho, low, high) * adv), dtype=bool)


def clip_fraction(ratios: Any, clip_eps: Any, clip_eps_high: Any = None) -> Any:
    """(N,) -> (): the share of ratios outside the clip range, whatever their advantages; a diagnostic.

        1/N Σ_i 1[ρ_i < 1 - ε or ρ_i > 1 + ε_high]

    More than the share without gradient: half of these samples, about, are in the active set. Exact for Fractions.
    Source: Huang et al. (2022), "The 37 implementation details of PPO", debug variables.

    >>> float(clip_fraction([1.5, 0.5, 1.0, 1.25], 0.2, 0.3))
    0.5
    """
    rho, _, low, high = clip_arguments(ratios, 0, clip_eps, clip_eps_high)
    outside = ar.negative(np.real(rho - low)) | ar.negative(np.real(high - rho))
    return ar.number(rho, int(outside.sum())) / outside.size


def clip_only_surrogate(ratios: Any, advantages: Any, clip_eps: Any, clip_eps_high: Any = None) -> Array:
    """(N,), (N,) -> (N,): the clip without the minimum, as shortened accounts print it; no pessimistic bound.

        clip(ρ, 1 - ε, 1 + ε_high) Â

    Outside the range nothing pulls a sample back, even one that has moved the wrong way. An objective, on Fractions too.
    Source: the second term of Schulman et al. (2017), (7).

    >>> clip_only_surrogate([1.5, 1.5], [1, -1], 0.2)
    array([ 1.2, -1.2])
    """
    rho, adv, low, high = clip_arguments(ratios, advantages, clip_eps, clip_eps_high)
    return np.asarray(np.clip(rho, low, high) * adv)


def clip_only_surrogate_gradient(ratios: Any, advantages: Any, clip_eps: Any, clip_eps_high: Any = None) -> Array:
    """(N,), (N,) -> (N,): its dL/dρ, Â inside the range and 0 outside; at a kink, the inner side.

        dL/dρ = Â · 1[1 - ε ≤ ρ ≤ 1 + ε_high]

    Source: differentiated from the second term of Schulman et al. (2017), (7).

    >>> clip_only_surrogate_gradient([1.5, 1.0], [1, -1], 0.2)
    array([ 0., -1.])
    """
    rho, adv, low, high = clip_arguments(ratios, advantages, clip_eps, clip_eps_high)
    return np.where((low <= rho) & (rho <= high), adv, 0 * adv)


def clip_arguments(ratios: Any, advantages: Any, clip_eps: Any, clip_eps_high: Any) -> tuple[Array, ...]:
    rho, adv, below, above = numbers(
        ratios=ratios,
        advantages=advantages,
        clip_eps=clip_eps,
        clip_eps_high=clip_eps if clip_eps_high is None else clip_eps_high,
    )
    within(0, None, ratios=rho, clip_eps_high=above)
    within(0, 1, clip_eps=below)
    return rho, adv, 1 - below, 1 + above


def ppo_clip_loss(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    clip_eps: Any,
    clip_eps_high: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) each -> (N,), or one number: minus the clipped surrogate, of log-probabilities.

        loss = -min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â),   ρ = exp(log π - log π_old)

    Raises `InvalidBatch`, also where a ratio beyond the largest float has an advantage below 0 (the loss has no bound
    there), and `NotExact` for exact numbers: take `clipped_surrogate` of exact ratios.
    Source: Schulman et al. (2017), (7).

    >>> ppo_clip_loss([0.0, -900.0, 900.0], [-1.0, -1.0, -1.0], [2.0, 2.0, 2.0], 0.2)
    array([-2.4, -0. , -2.4])
    """
    rho, adv = ratios_where_it_matters(log_probs, old_log_probs, advantages)
    return reduce(-clipped_surrogate(rho, adv, clip_eps, clip_eps_high), reduction, mask)


def ppo_clip_loss_gradient(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    clip_eps: Any,
    clip_eps_high: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,) each -> (N,): d loss / d log π for every sample, weighted as the reduction weighs it.

        d loss / d log π = -ρ Â · 1[ρ Â ≤ clip(ρ, 1 - ε, 1 + ε_high) Â]

    Raises as `ppo_clip_loss`.
    Source: differentiated from Schulman et al. (2017), (7).

    >>> ppo_clip_loss_gradient([0.0, 0.0], [0.0, -1.0], [2.0, 2.0], 0.2, reduction="mean")
    array([-1., -0.])
    """
    rho, adv = ratios_where_it_matters(log_probs, old_log_probs, advantages)
    gradient = -rho * clipped_surrogate_gradient(rho, adv, clip_eps, clip_eps_high)
    return np.asarray(gradient * weights(gradient, reduction, mask))


def ratios_where_it_matters(log_probs: Any, old_log_probs: Any, advantages: Any) -> tuple[Array, Array]:
    """ρ and Â, with ρ cut at e^700 where Â ≥ 0: the clip hides it there."""
    log_p, log_old, adv = numbers(log_probs=log_probs, old_log_probs=old_log_probs, advantages=advantages)
    log_rho = log_p - log_old
    return importance_ratios(np.where(np.real(adv) < 0, log_rho, np.minimum(log_rho, 700)), 0), adv
