"""Soft actor-critic over A discrete actions: every expectation over actions is a sum.

    V(s) = Σ_a π(a) (Q(a) - τ log π(a))                                        the soft state value
    y = r + γ (1 - terminated) Σ_a π(a) (min(Q₁', Q₂')(s', a) - τ log π(a))    the target of both critics
    L = Σ_a π(a) (τ log π(a) - min(Q₁, Q₂)(a))                                 the actor's loss, minus V of the minimum
    dL/dz = π (τ log π - min(Q₁, Q₂) - L)                                      in the logits: 0 at the Boltzmann policy

No action is drawn and nothing is reparameterised. The minimum is taken action by action, before the sum.
Christodoulou (2019), "Soft Actor-Critic for Discrete Action Settings", §4.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, of_shape, read, vectors
from rlexact.formulas.categorical import log_softmax
from rlexact.formulas.dqn import one_step_targets
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.sac import soft_value_sample
from rlexact.formulas.twin_critics import twin_minimum


def soft_state_value(q_values: Any, log_probs: Any, temperature: Any) -> Array:
    """(..., A), (..., A), () -> (...): V(s) of a policy over A actions, no sampling.

        V = Σ_a π(a) (Q(a) - τ log π(a)),   π = e^{log π}

    An action of log-probability -1e4 adds 0. Raises `InvalidBatch` where the probabilities do not sum to 1, `NotExact` for
    Fractions.
    Source: Haarnoja et al. (2018), "Applications", (3).

    >>> soft_state_value([2.0, 4.0], np.log([0.5, 0.5]), 1.0) - np.log(2)
    np.float64(3.0)
    """
    q, log_pi, tau = read(q_values=q_values, log_probs=log_probs, temperature=temperature)
    vectors(q_values=q, log_probs=log_pi)
    of_shape((), temperature=tau)
    pi = ar.exp(log_pi)
    total = np.asarray(np.real(pi.sum(axis=-1)))
    if ar.apart(total, 1, 1e-5).any():  # float32 log-probabilities of many actions
        raise InvalidBatch(f"exp(log_probs) sums to {total.flat[0]}: give log-probabilities of all A actions")
    return np.asarray((pi * soft_value_sample(q, log_pi, tau)).sum(axis=-1))


def sac_discrete_target(
    rewards: Any, next_q1: Any, next_q2: Any, next_log_probs: Any, terminated: Any, gamma: Any, temperature: Any
) -> Array:
    """(N,), (N, A), (N, A), (N, A), (N,) bool -> (N,): the target with the expectation over actions taken.

        y = r + γ (1 - terminated) Σ_a π(a | s') (min(Q₁', Q₂')(s', a) - τ log π(a | s'))

    The minimum is taken action by action. Raises as `sac_target` and `soft_state_value`.
    Source: Christodoulou (2019), (10).

    >>> sac_discrete_target([1.0], [[2.0, 9.0]], [[5.0, 4.0]], [np.log([0.5, 0.5])], [False], 1.0, 0.0)
    array([4.])
    """
    next_values = soft_state_value(twin_minimum(next_q1, next_q2), next_log_probs, temperature)
    return one_step_targets(rewards, next_values, terminated, gamma)


def discrete_costs(logits: Any, q1: Any, q2: Any, temperature: Any) -> tuple[Array, Array]:
    """π and τ log π - min(Q₁, Q₂), (..., A) each."""
    z, first, second, tau = read(logits=logits, q1=q1, q2=q2, temperature=temperature)
    vectors(logits=z, q1=first, q2=second)
    of_shape((), temperature=tau)
    log_pi = log_softmax(z)
    return ar.exp(log_pi), -soft_value_sample(twin_minimum(first, second), log_pi, tau)


def sac_discrete_actor_loss(
    logits: Any, q1: Any, q2: Any, temperature: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(..., A) each, () -> (...), or one number: the actor's loss with the expectation over actions taken, minimised.

        L = Σ_a π(a) (τ log π(a) - min(Q₁, Q₂)(a)),   π = softmax(z)

    Minus the soft state value; smallest, at -τ log Σ e^{Q/τ}, for the Boltzmann policy. Raises `InvalidBatch` for τ < 0 and
    shapes that differ, `NotExact` for Fractions.
    Source: Christodoulou (2019), (12).

    >>> sac_discrete_actor_loss([0.0, 0.0], [1.0, 3.0], [2.0, 2.0], 1.0) + np.log(2)
    np.float64(-1.5)
    """
    pi, costs = discrete_costs(logits, q1, q2, temperature)
    return reduce(np.asarray((pi * costs).sum(axis=-1)), reduction, mask)


def sac_discrete_actor_loss_gradient(
    logits: Any, q1: Any, q2: Any, temperature: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(..., A) each, () -> (..., A): dL/dz in the logits, weighted as the reduction weighs it; the critics are held.

        dL/dz_a = π(a) (τ log π(a) - min(Q₁, Q₂)(a) - L)

    0 at the Boltzmann policy. Raises as `sac_discrete_actor_loss`.
    Source: differentiated from Christodoulou (2019), (12).

    >>> sac_discrete_actor_loss_gradient([0.0, 0.0], [1.0, 3.0], [1.0, 3.0], 1.0)
    array([ 0.5, -0.5])
    """
    pi, costs = discrete_costs(logits, q1, q2, temperature)
    losses = np.asarray((pi * costs).sum(axis=-1))
    return np.asarray(pi * (costs - losses[..., None]) * weights(losses, reduction, mask)[..., None])
