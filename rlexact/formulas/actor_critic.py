"""Actor-critic: a policy weighted by advantages, and a value fitted to returns.

    L_policy = -log π(a_t | s_t) Â_t                           Â held fixed
    L_value = (V(s_t) - G_t)²                                  G a return or a bootstrapped target, held fixed
    L_TD = δ_t²,   δ = r + γ V(s') - V(s)                       G = r + γ V(s')
    θ' = θ + α δ ∂ log π,   w' = w + β δ ∂V                     the step after each transition

The square carries no ½. Their sum with an entropy bonus is `a2c`. Mnih et al. (2016), §4; Sutton and Barto (2018), §13.5.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, read, within
from rlexact.formulas.gae import td_errors
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.reinforce import reinforce_loss, reinforce_loss_gradient


@dataclass(frozen=True, eq=False)
class ActorCriticStep:
    """`theta` and `w` after one transition, and its `td_error`."""

    theta: Array
    w: Array
    td_error: Any


def policy_loss(log_probs: Any, advantages: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), (N,) -> (N,), or one number: the actor's loss, advantages held fixed.

        L_policy = -log π Â

    Source: Mnih et al. (2016), §4; Sutton and Barto (2018), (13.12).

    >>> policy_loss([-0.5, -2.0], [3.0, -1.0])
    array([ 1.5, -2. ])
    """
    return reinforce_loss(log_probs, advantages, reduction=reduction, mask=mask)


def policy_loss_gradient(log_probs: Any, advantages: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), (N,) -> (N,): d L_policy / d log π of each sample.

        d L_policy / d log π = -Â

    Source: differentiated from Mnih et al. (2016), §4.

    >>> policy_loss_gradient([-0.5, -2.0], [3.0, -1.0])
    array([-3.,  1.])
    """
    return reinforce_loss_gradient(log_probs, advantages, reduction=reduction, mask=mask)


def value_loss(values: Any, returns: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), (N,) -> (N,), or one number: the critic's loss in squared rewards, targets held fixed.

        L_value = (V - G)²

    Source: Mnih et al. (2016), §4 and algorithm S3.

    >>> value_loss([3.0, 1.0], [14.0, 1.0])
    array([121.,   0.])
    """
    v, gain = numbers(values=values, returns=returns)
    return reduce((v - gain) * (v - gain), reduction, mask)


def value_loss_gradient(values: Any, returns: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), (N,) -> (N,): d L_value / d V of each sample.

        d L_value / d V = 2 (V - G)

    Source: differentiated from Mnih et al. (2016), §4.

    >>> value_loss_gradient([3.0, 1.0], [14.0, 1.0])
    array([-22.,   0.])
    """
    v, gain = numbers(values=values, returns=returns)
    gradient = np.asarray(2 * (v - gain))
    return np.asarray(gradient * weights(gradient, reduction, mask))


def td_value_loss(rewards: Any, values: Any, next_values: Any, terminated: Any, gamma: Any) -> Array:
    """(T, ...) each -> (T, ...): the squared TD error, the critic's loss with a bootstrapped target.

        L_TD = δ_t²,   δ_t = r_t + γ (1 - terminated_t) V(s_{t+1}) - V(s_t)

    Raises `InvalidBatch` as `td_errors` does.
    Source: Sutton and Barto (2018), §11.5.

    >>> td_value_loss([5.0], [3.0], [10.0], [False], gamma=1.0)
    array([144.])
    """
    delta = td_errors(rewards, values, next_values, terminated, gamma)
    return np.asarray(delta * delta)


def td_value_loss_gradient(rewards: Any, values: Any, next_values: Any, terminated: Any, gamma: Any) -> Array:
    """(T, ...) each -> (T, ...): what is followed for d L_TD / d V(s_t): the target held fixed, a semi-gradient.

        -2 δ_t

    The whole gradient has 2γ (1 - terminated_t) δ_t at V(s_{t+1}) as well, and its fixed point is another (residual gradient).
    Source: Sutton and Barto (2018), (9.7) and §11.5.

    >>> td_value_loss_gradient([5.0], [3.0], [10.0], [False], gamma=1.0)
    array([-24.])
    """
    return np.asarray(-2 * td_errors(rewards, values, next_values, terminated, gamma))


def td_actor_critic_step(
    theta: Any,
    w: Any,
    score: Any,
    value_slope: Any,
    reward: Any,
    value: Any,
    next_value: Any,
    terminated: bool,
    *,
    gamma: Any,
    actor_step: Any,
    critic_step: Any,
    discount: Any = 1,
) -> ActorCriticStep:
    """(K,), (M,), (K,), (M,), scalars -> `ActorCriticStep`: the update after one transition.

        δ = r + γ (1 - terminated) V(s') - V(s),   θ' = θ + α I δ ∂ log π(a | s),   w' = w + β δ ∂V(s)

    `score` is ∂ log π(a | s) / ∂θ and `value_slope` ∂V(s) / ∂w, both at the old parameters; α is `actor_step`, β
    `critic_step`. `discount` is I = γ^t in the gradient of the discounted return, 1 in what most code does. Raises
    `InvalidBatch`, also for step sizes below 0.
    Source: Sutton and Barto (2018), §13.5, one-step actor-critic.

    >>> td_actor_critic_step([0, 0], [3], [-0.5, 0.5], [1], 5, 3, 10, False, gamma=0.5, actor_step=1, critic_step=0.5)
    ActorCriticStep(theta=array([-3.5,  3.5]), w=array([6.5]), td_error=np.float64(7.0))
    """
    params, critic, psi, slope, r, v, v_next, g, alpha, beta, share = read(
        theta=theta,
        w=w,
        score=score,
        value_slope=value_slope,
        reward=reward,
        value=value,
        next_value=next_value,
        gamma=gamma,
        actor_step=actor_step,
        critic_step=critic_step,
        discount=discount,
    )
    if params.shape != psi.shape or critic.shape != slope.shape:
        raise InvalidBatch(
            f"theta {params.shape} and score {psi.shape}, w {critic.shape} and value_slope {slope.shape}: give equal shapes"
        )
    within(0, None, actor_step=alpha, critic_step=beta, discount=share)
    (ended,) = flags((), terminated=terminated)
    delta = td_errors(r[None], v[None], v_next[None], ended[None], g)[0]
    return ActorCriticStep(params + alpha * share * delta * psi, critic + beta * delta * slope, delta)
