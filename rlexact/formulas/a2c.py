"""Advantage actor-critic's total loss: what one network with a policy and a value minimises.

    L = L_policy + c_1 L_value - c_2 H(π(· | s_t))             A2C; the entropy is a bonus
    L_policy = -log π(a_t | s_t) Â_t,   L_value = (V(s_t) - G_t)²

Without a ½ in the square: a text that has one means c_1 / 2 by c_1. Usual sizes: c_1 = 0.5, c_2 = 0.01. PPO's combined
loss (`ppo_value`) has the same form around another policy part. Mnih et al. (2016), §4; Schulman et al. (2017), (9).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.actor_critic import policy_loss, policy_loss_gradient, value_loss, value_loss_gradient
from rlexact.formulas.batch import numbers, within
from rlexact.formulas.reduction import Reduction, reduce, weights


@dataclass(frozen=True, eq=False)
class ActorCriticLoss:
    """`total` = `policy` + c_1 `value` - c_2 `entropy`: (N,) each, or a number each where reduced."""

    total: Any
    policy: Any
    value: Any
    entropy: Any


@dataclass(frozen=True, eq=False)
class ActorCriticGradient:
    """d total / d log π, d total / d V and d total / d H of every sample: (N,) each."""

    log_probs: Array
    values: Array
    entropies: Array


def a2c_loss(
    log_probs: Any,
    advantages: Any,
    values: Any,
    returns: Any,
    entropies: Any,
    value_coef: Any,
    entropy_coef: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> ActorCriticLoss:
    """(N,) each -> `ActorCriticLoss` of (N,) or numbers: A2C's total loss with its parts.

        L = L_policy + c_1 L_value - c_2 H

    `entropies` are H(π(· | s)) in nats, of the whole distribution in each state. Coefficients below 0 are `InvalidBatch`.
    Source: Mnih et al. (2016), §4; c_1 and the one sum: Schulman et al. (2017), (9), of the opposite sign.

    >>> a2c_loss([-1.0], [2.0], [3.0], [5.0], [0.5], 0.5, 0.1).total
    array([3.95])
    """
    log_p, adv, v, gain, entropy, c_1, c_2 = numbers(
        log_probs=log_probs,
        advantages=advantages,
        values=values,
        returns=returns,
        entropies=entropies,
        value_coef=value_coef,
        entropy_coef=entropy_coef,
    )
    return combined_loss(policy_loss(log_p, adv), value_loss(v, gain), entropy, c_1, c_2, reduction, mask)


def a2c_loss_gradient(
    log_probs: Any,
    advantages: Any,
    values: Any,
    returns: Any,
    entropies: Any,
    value_coef: Any,
    entropy_coef: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> ActorCriticGradient:
    """(N,) each -> `ActorCriticGradient` of (N,): what each output of the network receives.

        dL/d log π = -Â,   dL/dV = 2 c_1 (V - G),   dL/dH = -c_2

    Source: differentiated from Mnih et al. (2016), §4.

    >>> a2c_loss_gradient([-1.0], [2.0], [3.0], [5.0], [0.5], 0.5, 0.1).values
    array([-2.])
    """
    log_p, adv, v, gain, entropy, c_1, c_2 = numbers(
        log_probs=log_probs,
        advantages=advantages,
        values=values,
        returns=returns,
        entropies=entropies,
        value_coef=value_coef,
        entropy_coef=entropy_coef,
    )
    slope = policy_loss_gradient(log_p, adv)
    return combined_gradient(slope, value_loss_gradient(v, gain), entropy, c_1, c_2, reduction, mask)


def combined_loss(
    policy: Array, value: Array, entropy: Array, c_1: Any, c_2: Any, reduction: Reduction, mask: Any
) -> ActorCriticLoss:
    """Three per-sample parts and their sum, all reduced alike."""
    within(0, None, value_coef=c_1, entropy_coef=c_2)
    total = policy + c_1 * value - c_2 * entropy
    bonus = np.asarray(entropy + 0 * total)
    return ActorCriticLoss(*(reduce(part, reduction, mask) for part in (total, policy, value, bonus)))


def combined_gradient(
    policy: Array, value: Array, entropy: Array, c_1: Any, c_2: Any, reduction: Reduction, mask: Any
) -> ActorCriticGradient:
    """The three parts' slopes times their coefficients and the reduction's weights."""
    within(0, None, value_coef=c_1, entropy_coef=c_2)
    shares = weights(policy, reduction, mask)
    return ActorCriticGradient(policy * shares, c_1 * value * shares, np.asarray((0 * entropy - c_2) * shares))
