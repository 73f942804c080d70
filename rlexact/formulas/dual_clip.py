"""Dual clip: PPO's surrogate with a floor under samples whose bad action has become much likelier.

    L = max(min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â), c Â)   where Â < 0,   c > 1;   PPO's own where Â ≥ 0

For Â < 0 PPO's minimum falls without bound in ρ: dual clip holds it at c Â from ρ = c on, where the gradient is 0. An
objective; the loss is -L. Ye et al. (2020), "Mastering complex control in MOBA games with deep reinforcement learning".
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, refuse_where
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.ppo import clipped_surrogate, clipped_surrogate_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights


def dual_clip_surrogate(
    ratios: Any, advantages: Any, clip_eps: Any, dual_clip: Any, clip_eps_high: Any = None
) -> Array:
    """(N,), (N,) -> (N,): the dual-clipped surrogate objective; it runs on Fractions.

        L = max(min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â), c Â) where Â < 0

    `dual_clip` is c. Raises `InvalidBatch` as `clipped_surrogate`, and for c of at most 1.
    Source: Ye et al. (2020), dual-clip PPO.

    >>> dual_clip_surrogate([5.0, 2.0, 5.0], [-1, -1, 1], 0.2, 3)
    array([-3. , -2. ,  1.2])
    """
    rho, adv, c = dual_arguments(ratios, advantages, dual_clip)
    single = clipped_surrogate(rho, adv, clip_eps, clip_eps_high)
    return np.where(ar.negative(np.real(adv)), np.maximum(single, c * adv), single)


def dual_clip_surrogate_gradient(
    ratios: Any, advantages: Any, clip_eps: Any, dual_clip: Any, clip_eps_high: Any = None
) -> Array:
    """(N,), (N,) -> (N,): dL/dρ, PPO's, and 0 where the floor is reached.

        dL/dρ = Â · 1[ρ Â ≤ clip(ρ, 1 - ε, 1 + ε_high) Â] · 1[Â ≥ 0 or ρ ≤ c]

    Source: differentiated from Ye et al. (2020), dual-clip PPO.

    >>> dual_clip_surrogate_gradient([5.0, 2.0, 5.0], [-1, -1, 1], 0.2, 3)
    array([-0., -1.,  0.])
    """
    rho, adv, c = dual_arguments(ratios, advantages, dual_clip)
    single = clipped_surrogate_gradient(rho, adv, clip_eps, clip_eps_high)
    return np.where(ar.negative(adv) & ar.negative(c - rho), 0 * single, single)


def dual_arguments(ratios: Any, advantages: Any, dual_clip: Any) -> tuple[Array, Array, Array]:
    rho, adv, c = numbers(ratios=ratios, advantages=advantages, dual_clip=dual_clip)
    refuse_where(~ar.negative(1 - c), "dual_clip", c, "above 1")
    return rho, adv, c


def dual_clip_loss(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    clip_eps: Any,
    dual_clip: Any,
    clip_eps_high: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) each -> (N,), or one number: minus the dual-clipped surrogate, of log-probabilities; bounded for every ratio.

        loss = -max(min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â), c Â) where Â < 0,   ρ = exp(log π - log π_old)

    Raises `InvalidBatch` as `dual_clip_surrogate`, `NotExact` for exact numbers.
    Source: Ye et al. (2020), dual-clip PPO.

    >>> dual_clip_loss([0.0], [-1e4], [-2.0], 0.2, 3.0)
    array([6.])
    """
    rho, adv = ratios_below(log_probs, old_log_probs, advantages)
    return reduce(-dual_clip_surrogate(rho, adv, clip_eps, dual_clip, clip_eps_high), reduction, mask)


def dual_clip_loss_gradient(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    clip_eps: Any,
    dual_clip: Any,
    clip_eps_high: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,) each -> (N,): d loss / d log π of each sample.

        d loss / d log π = -ρ dL/dρ

    Source: differentiated from Ye et al. (2020), dual-clip PPO.

    >>> dual_clip_loss_gradient([0.0, 0.0], [-1e4, 0.0], [-2.0, -2.0], 0.2, 3.0)
    array([0., 2.])
    """
    rho, adv = ratios_below(log_probs, old_log_probs, advantages)
    gradient = -rho * dual_clip_surrogate_gradient(rho, adv, clip_eps, dual_clip, clip_eps_high)
    return np.asarray(gradient * weights(gradient, reduction, mask))


def ratios_below(log_probs: Any, old_log_probs: Any, advantages: Any) -> tuple[Array, Array]:
    """ρ and Â, with ρ cut at e^600, far above c and every clip: nothing depends on it there."""
    log_p, log_old, adv = numbers(log_probs=log_probs, old_log_probs=old_log_probs, advantages=advantages)
    return importance_ratios(np.minimum(log_p - log_old, 600), 0), adv
