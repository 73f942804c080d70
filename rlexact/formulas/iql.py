"""Implicit Q-learning: three losses, none of which asks for the value of an action outside the data.

    L_V = |τ - 1[u < 0]| u²,   u = Q⁻(s, a) - V(s)                              value: an expectile of Q over the data's actions
    L_Q = (r + γ (1 - terminated) V(s') - Q(s, a))²                             action value: no maximum, V stands in for it
    L_π = -w log π(a | s),   w = min(e^{β (Q⁻(s, a) - V(s))}, w_max)            policy extraction, by weighted regression

All three are losses. β is an inverse temperature: 0 is behavioural cloning, ∞ keeps the best action seen. The weights are
constants to the gradient. Kostrikov, Nair and Levine (2022), (5) to (7).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive, within
from rlexact.formulas.dqn import one_step_targets, squared_td_loss, squared_td_loss_gradient
from rlexact.formulas.expectile import expectile_loss, expectile_loss_gradient
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.reduction import Reduction, reduce, weights


def iql_value_loss(
    values: Any, q_target: Any, expectile: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N,), (N,), τ -> (N,), or one number: the expectile loss of V(s) on the target network's Q(s, a).

        L_V = |τ - 1[u < 0]| u²,   u = Q⁻(s, a) - V(s)

    Least at the τ-expectile of Q⁻ over the actions seen in s. Raises `InvalidBatch` for τ outside [0, 1].
    Source: Kostrikov, Nair and Levine (2022), (5).

    >>> iql_value_loss([1.0, 1.0], [3.0, -1.0], 0.75)
    array([3., 1.])
    """
    v, q = numbers(values=values, q_target=q_target)
    return expectile_loss(np.asarray(q - v), expectile, reduction=reduction, mask=mask)


def iql_value_loss_gradient(
    values: Any, q_target: Any, expectile: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N,), (N,), τ -> (N,): dL_V / dV.

        dL_V / dV = -2 |τ - 1[u < 0]| u,   u = Q⁻(s, a) - V(s)

    Source: Kostrikov, Nair and Levine (2022), differentiated from (5).

    >>> iql_value_loss_gradient([1.0, 1.0], [3.0, -1.0], 0.75)
    array([-3.,  1.])
    """
    v, q = numbers(values=values, q_target=q_target)
    return -expectile_loss_gradient(np.asarray(q - v), expectile, reduction=reduction, mask=mask)


def iql_q_loss(
    q_taken: Any,
    rewards: Any,
    next_values: Any,
    terminated: Any,
    gamma: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,) each -> (N,), or one number: the squared error of Q(s, a) on a target that holds V, not a maximum.

        L_Q = (r + γ (1 - terminated) V(s') - Q(s, a))²

    Raises as `one_step_targets`.
    Source: Kostrikov, Nair and Levine (2022), (6).

    >>> iql_q_loss([1.0], [1.0], [4.0], [False], 0.5)
    array([4.])
    """
    y = one_step_targets(rewards, next_values, terminated, gamma)
    return squared_td_loss(q_taken, y, reduction=reduction, mask=mask)


def iql_q_loss_gradient(
    q_taken: Any,
    rewards: Any,
    next_values: Any,
    terminated: Any,
    gamma: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,) each -> (N,): dL_Q / dQ(s, a), target fixed.

        dL_Q / dQ = 2 (Q(s, a) - r - γ (1 - terminated) V(s'))

    Source: Kostrikov, Nair and Levine (2022), differentiated from (6).

    >>> iql_q_loss_gradient([1.0], [1.0], [4.0], [False], 0.5)
    array([-4.])
    """
    y = one_step_targets(rewards, next_values, terminated, gamma)
    return squared_td_loss_gradient(q_taken, y, reduction=reduction, mask=mask)


def iql_weights(q_target: Any, values: Any, beta: Any, max_weight: Any = None) -> Array:
    """(N,), (N,), β -> (N,): what each action counts in the regression of the policy.

        w = min(exp(β (Q⁻(s, a) - V(s))), w_max)

    Raises `InvalidBatch` for β < 0, w_max ≤ 0, and for a weight beyond the largest float where there is no w_max.
    Source: Kostrikov, Nair and Levine (2022), (7); the clip, at 100: its experimental details.

    >>> iql_weights([1.0, 400.0], [1.0, 0.0], 3.0, max_weight=100.0)
    array([  1., 100.])
    """
    q, v, b, most = numbers(q_target=q_target, values=values, beta=beta, max_weight=max_weight, optional=["max_weight"])
    within(0, None, beta=b)
    exponent = np.asarray(b * (q - v))
    if max_weight is None:
        return importance_ratios(exponent, 0)
    positive(max_weight=most)
    return np.minimum(ar.exp(np.minimum(exponent, ar.log(most))), most)


def iql_policy_loss(
    log_probs: Any,
    q_target: Any,
    values: Any,
    beta: Any,
    max_weight: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,), (N,), (N,), β -> (N,), or one number: log-likelihood of the data's actions, weighted by their advantage.

        L_π = -min(exp(β (Q⁻(s, a) - V(s))), w_max) log π(a | s)

    The paper writes the objective, -L_π, maximised. Raises as `iql_weights`.
    Source: Kostrikov, Nair and Levine (2022), (7).

    >>> iql_policy_loss([-2.0], [1.0], [1.0], 3.0)
    array([2.])
    """
    log_p, q, v, b = numbers(log_probs=log_probs, q_target=q_target, values=values, beta=beta)
    return reduce(-iql_weights(q, v, b, max_weight) * log_p, reduction, mask)


def iql_policy_loss_gradient(
    log_probs: Any,
    q_target: Any,
    values: Any,
    beta: Any,
    max_weight: Any = None,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N,), (N,), (N,), β -> (N,): dL_π / d log π, minus the weight; nothing flows into Q and V.

        dL_π / d log π = -min(exp(β (Q⁻(s, a) - V(s))), w_max)

    Source: Kostrikov, Nair and Levine (2022), differentiated from (7).

    >>> iql_policy_loss_gradient([-2.0], [1.0], [1.0], 3.0)
    array([-1.])
    """
    log_p, q, v, b = numbers(log_probs=log_probs, q_target=q_target, values=values, beta=beta)
    slope = np.asarray(-iql_weights(q, v, b, max_weight) + 0 * log_p)
    return np.asarray(slope * weights(slope, reduction, mask))
