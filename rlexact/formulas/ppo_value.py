"""PPO's value clipping, and its combined loss.

    V_clip = V_old + clip(V - V_old, -ε, ε)
    L_value = max((V - G)², (V_clip - G)²)                     the larger of the two: pessimistic, as the policy's minimum
    L = L_clip + c_1 L_value - c_2 H                           a loss; in the paper its negative, to be maximised

Value clipping is not in the paper but in its code; ε is in rewards there, so it depends on their scale. Schulman et al.
(2017), (9); Engstrom et al. (2020), "Implementation matters in deep policy gradients", §3.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.a2c import ActorCriticGradient, ActorCriticLoss, combined_gradient, combined_loss
from rlexact.formulas.actor_critic import value_loss, value_loss_gradient
from rlexact.formulas.batch import InvalidBatch, numbers, within
from rlexact.formulas.ppo import ppo_clip_loss, ppo_clip_loss_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights


def value_clip_loss(
    values: Any, old_values: Any, returns: Any, clip_eps: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N,) each -> (N,), or one number: the critic's loss that does not reward leaving the old value; it runs on Fractions.

        max((V - G)², (V_old + clip(V - V_old, -ε, ε) - G)²)

    In squared rewards, without ½. Raises `InvalidBatch` for ε below 0.
    Source: Engstrom et al. (2020), §3.

    >>> value_clip_loss([3.0, 0.5], [1.0, 0.0], [3.0, 3.0], 1.0)
    array([1.  , 6.25])
    """
    v, clipped, gain = clipped_values(values, old_values, returns, clip_eps)
    return reduce(np.maximum(value_loss(v, gain), value_loss(clipped, gain)), reduction, mask)


def value_clip_loss_gradient(
    values: Any, old_values: Any, returns: Any, clip_eps: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N,) each -> (N,): d loss / dV; 0 where the clipped square is the larger, at a kink the side of the unclipped.

        d loss / dV = 2 (V - G) · 1[(V - G)² ≥ (V_clip - G)²]

    Source: differentiated from Engstrom et al. (2020), §3.

    >>> value_clip_loss_gradient([3.0, 0.5], [1.0, 0.0], [3.0, 3.0], 1.0)
    array([ 0., -5.])
    """
    v, clipped, gain = clipped_values(values, old_values, returns, clip_eps)
    gradient = value_loss_gradient(v, gain)
    gradient = np.where(value_loss(v, gain) >= value_loss(clipped, gain), gradient, 0 * gradient)
    return np.asarray(gradient * weights(gradient, reduction, mask))


def clipped_values(values: Any, old_values: Any, returns: Any, clip_eps: Any) -> tuple[Array, Array, Array]:
    """V, V_clip and G."""
    v, old, gain, eps = numbers(values=values, old_values=old_values, returns=returns, clip_eps=clip_eps)
    within(0, None, clip_eps=eps)
    moved = v - old
    return v, np.where(ar.negative(eps - abs(moved.real)), old + np.clip(moved.real, -eps, eps), v), gain


def ppo_loss(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    values: Any,
    returns: Any,
    entropies: Any,
    clip_eps: Any,
    value_coef: Any,
    entropy_coef: Any,
    clip_eps_high: Any = None,
    *,
    old_values: Any = None,
    value_clip_eps: Any = None,
    reduction: Reduction = "none",
    mask: Any = None,
) -> ActorCriticLoss:
    """(N,) each -> `ActorCriticLoss` of (N,) or numbers: PPO's combined loss with its parts.

        L = -min(ρ Â, clip(ρ, 1 - ε, 1 + ε_high) Â) + c_1 L_value - c_2 H

    L_value is (V - G)², or `value_clip_loss` where `old_values` and `value_clip_eps` are given. Raises `InvalidBatch` as
    `ppo_clip_loss` and `a2c_loss`, and for one of the two without the other.
    Source: Schulman et al. (2017), (9), of the opposite sign.

    >>> ppo_loss([0.0], [-1.0], [2.0], [3.0], [5.0], [0.5], 0.2, 0.5, 0.1)
    ActorCriticLoss(total=array([-0.45]), policy=array([-2.4]), value=array([4.]), entropy=array([0.5]))
    """
    entropy, c_1, c_2 = numbers(entropies=entropies, value_coef=value_coef, entropy_coef=entropy_coef)
    numbers(log_probs=log_probs, values=values, entropies=entropy)
    policy = ppo_clip_loss(log_probs, old_log_probs, advantages, clip_eps, clip_eps_high)
    if value_clipping(old_values, value_clip_eps):
        value = value_clip_loss(values, old_values, returns, value_clip_eps)
    else:
        value = value_loss(values, returns)
    return combined_loss(policy, value, entropy, c_1, c_2, reduction, mask)


def ppo_loss_gradient(
    log_probs: Any,
    old_log_probs: Any,
    advantages: Any,
    values: Any,
    returns: Any,
    entropies: Any,
    clip_eps: Any,
    value_coef: Any,
    entropy_coef: Any,
    clip_eps_high: Any = None,
    *,
    old_values: Any = None,
    value_clip_eps: Any = None,
    reduction: Reduction = "none",
    mask: Any = None,
) -> ActorCriticGradient:
    """(N,) each -> `ActorCriticGradient` of (N,): what each output of the network receives.

        dL/d log π = -ρ Â · 1[active],   dL/dV = c_1 dL_value/dV,   dL/dH = -c_2

    Source: differentiated from Schulman et al. (2017), (9).

    >>> ppo_loss_gradient([0.0], [0.0], [2.0], [3.0], [5.0], [0.5], 0.2, 0.5, 0.1)
    ActorCriticGradient(log_probs=array([-2.]), values=array([-2.]), entropies=array([-0.1]))
    """
    entropy, c_1, c_2 = numbers(entropies=entropies, value_coef=value_coef, entropy_coef=entropy_coef)
    numbers(log_probs=log_probs, values=values, entropies=entropy)
    policy = ppo_clip_loss_gradient(log_probs, old_log_probs, advantages, clip_eps, clip_eps_high)
    if value_clipping(old_values, value_clip_eps):
        value = value_clip_loss_gradient(values, old_values, returns, value_clip_eps)
    else:
        value = value_loss_gradient(values, returns)
    return combined_gradient(policy, value, entropy, c_1, c_2, reduction, mask)


def value_clipping(old_values: Any, value_clip_eps: Any) -> bool:
    if (old_values is None) != (value_clip_eps is None):
        raise InvalidBatch("value clipping needs old_values and value_clip_eps: give both, or neither")
    return old_values is not None
