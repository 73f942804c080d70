"""Deep Q-networks: one-step targets from a frozen network, and the losses taken on them.

    y = r + γ (1 - terminated) max_a' Q⁻(s', a')                                  DQN
    y = r + γ (1 - terminated) Q⁻(s', argmax_a' Q(s', a'))                        double DQN: Q selects, Q⁻ evaluates
    loss = (y - Q(s, a))²,   or Huber's of Q(s, a) - y

Q⁻ is the target network. y is a constant to the gradient: d loss / d Q(s, a) = 2 (Q(s, a) - y), and nothing flows through the
target (a semi-gradient; `fitted_q` has the whole one). A truncated transition bootstraps, a terminated one does not. Ties go
to the first maximiser. Mnih et al. (2015); van Hasselt, Guez and Silver (2016).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import beside, flags, numbers, read, same_shape, taken, within
from rlexact.formulas.huber import huber_loss, huber_loss_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights


def one_step_targets(rewards: Any, next_values: Any, terminated: Any, gamma: Any) -> Array:
    """(N,) each -> (N,): the one-step target, whatever the value of the next state is.

        y = r + γ (1 - terminated) V(s')

    Raises `InvalidBatch` for shapes that differ, flags that are not boolean, γ outside [0, 1], NaN or infinity.
    Source: Sutton and Barto (2018), (6.2).

    >>> one_step_targets([1.0, 1.0], [4.0, 4.0], [False, True], 0.5)
    array([3., 1.])
    """
    r, v, g = numbers(rewards=rewards, next_values=next_values, gamma=gamma)
    within(0, 1, gamma=g)
    (ended,) = flags(same_shape({"rewards": r, "next_values": v}), terminated=terminated)
    return np.asarray(r + g * np.where(ended, 0 * v, v))


def dqn_targets(rewards: Any, next_q_target: Any, terminated: Any, gamma: Any) -> Array:
    """(N,), (N, A), (N,) -> (N,): the target of DQN, Q⁻ being the target network's values at s'.

        y = r + γ (1 - terminated) max_a' Q⁻(s', a')

    With the online network's values in place of Q⁻ it is the target of fitted Q-iteration. Raises as `one_step_targets`.
    Source: Mnih et al. (2015), Algorithm 1.

    >>> dqn_targets([1.0, 1.0], [[4.0, 7.0, 5.0], [4.0, 7.0, 5.0]], [False, True], 0.5)
    array([4.5, 1. ])
    """
    r, q = read(rewards=rewards, next_q_target=next_q_target)
    beside({"rewards": r}, next_q_target=q)
    return one_step_targets(r, highest(q)[0], terminated, gamma)


def double_dqn_targets(rewards: Any, next_q: Any, next_q_target: Any, terminated: Any, gamma: Any) -> Array:
    """(N,), (N, A), (N, A), (N,) -> (N,): the target of double DQN, online values first.

        y = r + γ (1 - terminated) Q⁻(s', argmax_a' Q(s', a'))

    Never above `dqn_targets`. With two networks of equal standing it is double Q-learning's. Raises as `one_step_targets`.
    Source: van Hasselt, Guez and Silver (2016), section Double DQN.

    >>> double_dqn_targets([0.0], [[7.0, 4.0, 6.0]], [[4.0, 7.0, 5.0]], [False], 1)
    array([4.])
    """
    r, q, q_target = read(rewards=rewards, next_q=next_q, next_q_target=next_q_target)
    beside({"rewards": r}, next_q=q, next_q_target=q_target)
    return one_step_targets(r, taken(q_target, highest(q)[1]), terminated, gamma)


def squared_td_loss(q_taken: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), (N,) -> (N,), or one number: the squared error of Q(s, a), target fixed.

        loss = (y - Q(s, a))²

    Without the ½ that many write: its gradient is twice the error. Raises `InvalidBatch`.
    Source: Mnih et al. (2015), Algorithm 1.

    >>> squared_td_loss([1.0, 2.0], [4.0, 2.0], reduction="mean")
    np.float64(4.5)
    """
    q, y = numbers(q_taken=q_taken, targets=targets)
    return reduce((y - q) ** 2, reduction, mask)


def squared_td_loss_gradient(q_taken: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), (N,) -> (N,): d loss / d Q(s, a), with nothing through the target.

        d loss / dQ = 2 (Q(s, a) - y)

    Source: Mnih et al. (2013), (3), there without the factor 2.

    >>> squared_td_loss_gradient([1.0, 2.0], [4.0, 2.0])
    array([-6.,  0.])
    """
    q, y = numbers(q_taken=q_taken, targets=targets)
    slope = np.asarray(2 * (q - y))
    return np.asarray(slope * weights(slope, reduction, mask))


def huber_td_loss(q_taken: Any, targets: Any, delta: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), (N,), δ -> (N,), or one number: Huber's loss of the TD error, target fixed.

        loss = L_δ(Q(s, a) - y),   L_δ(x) = x²/2 for |x| ≤ δ, δ|x| - δ²/2 beyond

    Half of `squared_td_loss` where |Q - y| ≤ δ. Raises as `huber_loss`.
    Source: Mnih et al. (2015), Methods (error clipping); Huber (1964), §4.

    >>> huber_td_loss([1.0, 2.0], [4.0, 2.5], 1.0)
    array([2.5  , 0.125])
    """
    q, y = numbers(q_taken=q_taken, targets=targets)
    return huber_loss(np.asarray(q - y), delta, reduction=reduction, mask=mask)


def huber_td_loss_gradient(
    q_taken: Any, targets: Any, delta: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N,), (N,), δ -> (N,): d loss / d Q(s, a), at most δ in size.

        d loss / dQ = clip(Q(s, a) - y, -δ, δ)

    Source: differentiated from Huber (1964), §4.

    >>> huber_td_loss_gradient([1.0, 2.0], [4.0, 2.5], 1.0)
    array([-1. , -0.5])
    """
    q, y = numbers(q_taken=q_taken, targets=targets)
    return huber_loss_gradient(np.asarray(q - y), delta, reduction=reduction, mask=mask)


def highest(q: Array) -> tuple[Array, Array]:
    """(..., A) -> the maximum of each row, and its first maximiser, (...) each."""
    top, ties = ar.best(q.reshape(-1, q.shape[-1]), np.ones((q.size // q.shape[-1], q.shape[-1]), dtype=bool))
    return top.reshape(q.shape[:-1]), ties.argmax(axis=1).reshape(q.shape[:-1])
