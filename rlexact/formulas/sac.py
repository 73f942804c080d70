"""Soft actor-critic: the critic's target, and the actor's loss by reparameterisation.

    r̃ = r - τ log π(a | s)                                                  the reward with the entropy in it
    V(s) = E_π[Q(s, a) - τ log π(a | s)] = Σ_a π (Q - τ log π)              the soft state value
    y = r + γ (1 - terminated) (min(Q₁', Q₂')(s', a') - τ log π(a' | s'))   a' ~ π(· | s'), fresh, not from the buffer
    L_Q = (Q₁ - y)² + (Q₂ - y)²                                             `twin_critics.twin_critic_loss`
    L_π = τ log π(a_θ | s) - min(Q₁, Q₂)(s, a_θ),   a_θ = tanh(μ + σ z)     minimised in θ through the sample

Q leaves out the entropy of its own first action; that of later ones is in V. The text's α is `temperature` here. Over discrete
actions no sample is needed (`sac_discrete`); the temperature has its own loss (`sac_temperature`).
Haarnoja, Zhou, Abbeel and Levine (2018), "Soft Actor-Critic"; Haarnoja et al. (2018), "Soft Actor-Critic Algorithms and
Applications", (2) to (6), (9) and (10).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, within
from rlexact.formulas.dqn import one_step_targets
from rlexact.formulas.gaussian import GaussianGradient, gaussian_arguments
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.squashed_gaussian import (
    squashed_gaussian_sample_gradient,
    squashed_gaussian_sample_log_density_gradient,
)
from rlexact.formulas.twin_critics import twin_minimum, twin_minimum_gradient


@dataclass(frozen=True, eq=False)
class SacActorGradient:
    """Derivatives of the actor's loss in log π and in the two critics' values."""

    log_probs: Array
    q1: Array
    q2: Array


def entropy_augmented_rewards(rewards: Any, log_probs: Any, temperature: Any) -> Array:
    """(N,), (N,), () -> (N,): the reward under which maximum-entropy control is control; it runs on Fractions.

        r̃ = r - τ log π(a | s)

    Raises `InvalidBatch` for τ < 0 and shapes that differ.
    Source: Haarnoja et al. (2018), "Applications", (1).

    >>> entropy_augmented_rewards([1.0, 1.0], [-2.0, 0.0], 0.5)
    array([2., 1.])
    """
    r, log_pi, tau = numbers(rewards=rewards, log_probs=log_probs, temperature=temperature)
    within(0, None, temperature=tau)
    return np.asarray(r - tau * log_pi)


def soft_value_sample(q_values: Any, log_probs: Any, temperature: Any) -> Array:
    """(N,), (N,), () -> (N,): the soft value seen by one action a ~ π, whose mean is V(s); it runs on Fractions.

        Q(s, a) - τ log π(a | s)

    Raises `InvalidBatch` for τ < 0 and shapes that differ.
    Source: Haarnoja et al. (2018), "Applications", (3).

    >>> soft_value_sample([1.0, 3.0], [-2.0, -1.0], 0.5)
    array([2. , 3.5])
    """
    q, log_pi, tau = numbers(q_values=q_values, log_probs=log_probs, temperature=temperature)
    within(0, None, temperature=tau)
    return np.asarray(q - tau * log_pi)


def sac_target(
    rewards: Any, next_q1: Any, next_q2: Any, next_log_probs: Any, terminated: Any, gamma: Any, temperature: Any
) -> Array:
    """(N,) each -> (N,): the one target of both critics, at an action drawn from π at s'; it runs on Fractions.

        y = r + γ (1 - terminated) (min(Q₁', Q₂') - τ log π(a' | s'))

    A truncated step bootstraps. At τ = 0 this is TD3's target. Raises `InvalidBatch` for shapes that differ, flags that are
    not boolean, γ outside [0, 1], τ < 0.
    Source: Haarnoja et al. (2018), "Applications", (6) and §6 for the minimum.

    >>> sac_target([1.0, 1.0], [4.0, 4.0], [2.0, 6.0], [-2.0, -2.0], [False, True], 0.5, 0.5)
    array([2.5, 1. ])
    """
    next_values = soft_value_sample(twin_minimum(next_q1, next_q2), next_log_probs, temperature)
    return one_step_targets(rewards, next_values, terminated, gamma)


def sac_actor_loss(
    log_probs: Any, q1: Any, q2: Any, temperature: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N,) each -> (N,), or one number: the actor's loss at reparameterised actions, to be minimised.

        L = τ log π(a_θ | s) - min(Q₁, Q₂)(s, a_θ)

    Its mean is τ KL(π ‖ e^{Q/τ}/Z) up to a constant. Raises `InvalidBatch` for τ < 0 and shapes that differ.
    Source: Haarnoja et al. (2018), "Applications", (9).

    >>> sac_actor_loss([-2.0, 0.0], [1.0, 5.0], [3.0, 4.0], 0.5)
    array([-2., -4.])
    """
    return reduce(-soft_value_sample(twin_minimum(q1, q2), log_probs, temperature), reduction, mask)


def sac_actor_loss_gradient(
    log_probs: Any, q1: Any, q2: Any, temperature: Any, *, reduction: Reduction = "none", mask: Any = None
) -> SacActorGradient:
    """(N,) each -> (N,) each: dL/d log π, dL/dQ₁ and dL/dQ₂, weighted as the reduction weighs them.

        dL/d log π = τ,   dL/dQ₁ = -1[Q₁ ≤ Q₂],   dL/dQ₂ = -1[Q₂ < Q₁]

    All three move with the action: `squashed_actor_gradient` puts the chain rule together. Raises as `sac_actor_loss`.
    Source: differentiated from Haarnoja et al. (2018), "Applications", (9).

    >>> sac_actor_loss_gradient([-2.0, 0.0], [1.0, 5.0], [3.0, 4.0], 0.5).q1
    array([-1.,  0.])
    """
    log_pi, first, second, tau = numbers(log_probs=log_probs, q1=q1, q2=q2, temperature=temperature)
    within(0, None, temperature=tau)
    slopes = twin_minimum_gradient(first, second)
    share = weights(np.asarray(0 * (log_pi + first + second)), reduction, mask)
    return SacActorGradient(np.asarray(tau * share), 0 - slopes.q1 * share, 0 - slopes.q2 * share)


def gaussian_actor_gradient(std: Any, noise: Any, action_gradients: Any, temperature: Any) -> GaussianGradient:
    """(N,) each -> (N,) each: dL/dμ, dL/dσ and dL/d log σ for a = μ + σ z, not squashed; it runs on Fractions.

        dL/dμ = -∂_a Q,   dL/dσ = -τ/σ - z ∂_a Q

    `action_gradients` is the slope of min(Q₁, Q₂) at the sampled action. Coordinates stay apart, as log π is a sum over them.
    Raises `InvalidBatch` for σ ≤ 0 and τ < 0.
    Source: Haarnoja et al. (2018), "Applications", (10).

    >>> gaussian_actor_gradient([0.5], [2.0], [3.0], 1.0).std
    array([-8.])
    """
    sigma, z, slope, tau = gaussian_arguments(
        std=std, noise=noise, action_gradients=action_gradients, temperature=temperature
    )
    within(0, None, temperature=tau)
    d_std = np.asarray(-tau / sigma - z * slope)
    return GaussianGradient(np.asarray(-slope + 0 * d_std), d_std, np.asarray(sigma * d_std))


def squashed_actor_gradient(
    mean: Any, std: Any, noise: Any, action_gradients: Any, temperature: Any, low: Any = -1, high: Any = 1
) -> GaussianGradient:
    """(N,) each -> (N,) each: dL/dμ, dL/dσ and dL/d log σ for a = c + h tanh(u), u = μ + σ z, all of the chain rule.

        dL/dμ = 2τ tanh(u) - h (1 - tanh² u) ∂_a Q,   dL/dσ = -τ/σ + z dL/dμ

    `action_gradients` is the slope of min(Q₁, Q₂) at the sampled action. At τ = 0 and z = 0 this is DDPG's gradient for the
    policy c + h tanh(μ). Raises as `gaussian_actor_gradient`, and for low ≥ high.
    Source: Haarnoja et al. (2018), "Applications", (10) and appendix C.

    >>> slopes = squashed_actor_gradient([0.5], [0.5], [-1.0], [3.0], 1.0)
    >>> slopes.mean, slopes.std
    (array([-3.]), array([1.]))
    """
    mu, sigma, z, slope, tau = gaussian_arguments(
        mean=mean, std=std, noise=noise, action_gradients=action_gradients, temperature=temperature
    )
    within(0, None, temperature=tau)
    action = squashed_gaussian_sample_gradient(mu, sigma, z, low, high)
    log_pi = squashed_gaussian_sample_log_density_gradient(mu, sigma, z)
    return GaussianGradient(
        np.asarray(tau * log_pi.mean - slope * action.mean),
        np.asarray(tau * log_pi.std - slope * action.std),
        np.asarray(tau * log_pi.log_std - slope * action.log_std),
    )
