"""Deep deterministic policy gradient.

    y = r + γ (1 - terminated) Q'(s', μ'(s'))        the critic's target, from target networks
    L = (Q(s, a) - y)²                               the critic's loss
    L = -Q(s, μ_θ(s))                                the actor's loss
    dL/dθ = -∇_a Q(s, a)|_{a = μ(s)} ∂μ_θ(s)/∂θ      the chain rule: the critic says where, the actor how

The policy gradient theorem for deterministic policies weighs states by their discounted visits; states from a replay buffer
weigh them by what was visited. Actions are (N, n), the parameters' Jacobian (N, n, d). Behaviour adds noise to μ(s): Gaussian
here, Ornstein-Uhlenbeck in its own file.
Silver et al. (2014), (9); Lillicrap et al. (2016), (4) to (7).
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, read, refuse_where, vectors, within
from rlexact.formulas.dqn import one_step_targets, squared_td_loss, squared_td_loss_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights


def ddpg_target(rewards: Any, next_q_values: Any, terminated: Any, gamma: Any) -> Array:
    """(N,) each -> (N,): the critic's target; `next_q_values` are Q'(s', μ'(s')); it runs on Fractions.

        y = r + γ (1 - terminated) Q'(s', μ'(s'))

    A truncated step bootstraps. Raises `InvalidBatch` for shapes that differ, flags that are not boolean, γ outside [0, 1].
    Source: Lillicrap et al. (2016), (5).

    >>> ddpg_target([1.0, 1.0], [4.0, 4.0], [False, True], 0.5)
    array([3., 1.])
    """
    return one_step_targets(rewards, next_q_values, terminated, gamma)


def ddpg_critic_loss(q_values: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), (N,) -> (N,), or one number: the squared error, to be minimised; it runs on Fractions.

        L = (Q - y)²

    Without a factor ½. Raises `InvalidBatch` for shapes that differ.
    Source: Lillicrap et al. (2016), (4).

    >>> ddpg_critic_loss([1.0, 2.0], [3.0, 5.0], reduction="mean")
    np.float64(6.5)
    """
    return squared_td_loss(q_values, targets, reduction=reduction, mask=mask)


def ddpg_critic_loss_gradient(q_values: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), (N,) -> (N,): dL/dQ, weighted as the reduction weighs it; the target is held.

        dL/dQ = 2 (Q - y)

    Raises as `ddpg_critic_loss`.
    Source: differentiated from Lillicrap et al. (2016), (4).

    >>> ddpg_critic_loss_gradient([1.0, 2.0], [3.0, 5.0], reduction="mean")
    array([-2., -3.])
    """
    return squared_td_loss_gradient(q_values, targets, reduction=reduction, mask=mask)


def ddpg_actor_loss(q_values: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,) -> (N,), or one number: minus the critic's value of the actor's own action, to be minimised.

        L = -Q(s, μ_θ(s))

    Source: Silver et al. (2014), (9), as a loss.

    >>> ddpg_actor_loss([1.0, 3.0], reduction="mean")
    np.float64(-2.0)
    """
    (q,) = numbers(q_values=q_values)
    return reduce(0 - q, reduction, mask)


def ddpg_actor_loss_gradient(
    action_gradients: Any, policy_jacobians: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N, n), (N, n, d) -> (N, d): dL/dθ of every sample, weighted as the reduction weighs it: minus the policy gradient.

        dL/dθ = -∇_a Q(s, a)|_{a = μ(s)} ∂μ_θ(s)/∂θ

    `action_gradients` is ∇_a Q at a = μ(s), `policy_jacobians` is ∂μ_i/∂θ_j. It runs on Fractions.
    Source: Silver et al. (2014), (9); Lillicrap et al. (2016), (6).

    >>> ddpg_actor_loss_gradient([[2.0, 1.0]], [[[1.0, 0.0, 3.0], [0.0, 1.0, 1.0]]])
    array([[-2., -1., -7.]])
    """
    slopes = deterministic_policy_gradient(action_gradients, policy_jacobians)
    per_sample = slopes.sum(axis=-1)
    return np.asarray(-slopes * weights(per_sample, reduction, mask)[..., None])


def deterministic_policy_gradient(action_gradients: Any, policy_jacobians: Any) -> Array:
    """(..., n), (..., n, d) -> (..., d): the direction in θ in which Q(s, μ_θ(s)) rises.

        ∇_θ Q(s, μ_θ(s)) = ∇_a Q(s, a)|_{a = μ(s)} ∂μ_θ(s)/∂θ

    Raises `InvalidBatch` where the Jacobians do not stand beside the gradients.
    Source: Silver et al. (2014), (9).

    >>> deterministic_policy_gradient([2.0, 1.0], [[1.0, 0.0, 3.0], [0.0, 1.0, 1.0]])
    array([2., 1., 7.])
    """
    slopes, jacobians = read(action_gradients=action_gradients, policy_jacobians=policy_jacobians)
    vectors(action_gradients=slopes)
    if jacobians.ndim != slopes.ndim + 1 or jacobians.shape[:-1] != slopes.shape:
        said = f"give shape {slopes.shape} and an axis of parameters"
        raise InvalidBatch(f"policy_jacobians has shape {jacobians.shape}: {said}")
    return np.asarray((slopes[..., None] * jacobians).sum(axis=-2))


def gaussian_exploration(actions: Any, std: Any, noise: Any, low: Any = None, high: Any = None) -> Array:
    """(N, ...) each -> (N, ...): the behaviour's action, clipped to the bounds that are given; it runs on Fractions.

        a = clip(μ(s) + σ z, low, high),   z ~ N(0, 1)

    `std` 0 acts without noise. Clipping puts mass on the bounds: the mean moves inwards. Raises `InvalidBatch` for σ < 0 and
    for low > high.
    Source: Fujimoto et al. (2018), algorithm 1; Lillicrap et al. (2016), (7).

    >>> gaussian_exploration([0.5, 0.5], 0.5, [2.0, -2.0], -1, 1)
    array([ 1. , -0.5])
    """
    a, sigma, z, lowest, highest = numbers(
        actions=actions, std=std, noise=noise, low=low, high=high, optional=("low", "high")
    )
    within(0, None, std=sigma)
    return clipped(np.asarray(a + sigma * z), lowest, highest)


def clipped(x: Array, low: Array | None, high: Array | None) -> Array:
    """x between the bounds that are given.  Raises `InvalidBatch` for low > high."""
    if low is not None and high is not None:
        refuse_where(np.real(high) < np.real(low), "low", low + 0 * high, f"at most high = {high}")
    x = x if low is None else np.where(np.real(x) < np.real(low), low, x)
    return x if high is None else np.where(np.real(x) > np.real(high), high, x)
