"""Fitted Q-iteration with linear values, and what its loss has for a gradient.

    Q_θ(s, a) = φ(s, a)·θ,   y(θ) = r + γ (1 - terminated) max_a' φ(s', a')·θ
    θ ← argmin_w Σ (φ·w - y(θ))² + ridge |w|² = (ΦᵀΦ + ridge I)⁻¹ Φᵀ y(θ)               one fitted step
    semi-gradient   2 (φ·θ - y) φ                                                        y a constant: what is used
    gradient        2 (φ·θ - y) (φ - γ (1 - terminated) φ(s', a*))                       of the loss as a function of θ

A mean square of sampled errors exceeds the mean-squared Bellman error by the variance of the target; the average error,
unsquared, has no such excess. Ernst, Geurts and Wehenkel (2005); Baird (1995) for the gradient; Jiang et al. (2017).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, read, within
from rlexact.formulas.dqn import highest, one_step_targets, squared_td_loss
from rlexact.formulas.reduction import Reduction, reduce, weights


def fitted_q_targets(theta: Any, rewards: Any, next_features: Any, terminated: Any, gamma: Any) -> Array:
    """(K,), (N,), (N, A, K), (N,) -> (N,): regression targets of one fitted step, from the present parameters.

        y = r + γ (1 - terminated) max_a' φ(s', a')·θ

    Raises `InvalidBatch` as `one_step_targets`, and for features that θ does not fit.
    Source: Ernst, Geurts and Wehenkel (2005), Figure 1.

    >>> fitted_q_targets([1.0, 2.0], [1.0], [[[1.0, 0.0], [0.0, 1.0]]], [False], 0.5)
    array([2.])
    """
    w, r, phi = read(theta=theta, rewards=rewards, next_features=next_features)
    return one_step_targets(r, highest(linear_values(w, phi, "next_features", 3))[0], terminated, gamma)


def fitted_q_step(features: Any, targets: Any, ridge: Any = 0) -> Array:
    """(N, K), (N,) -> (K,): the least-squares parameters for these targets.

        θ = (ΦᵀΦ + ridge I)⁻¹ Φᵀ y

    The normal equations: exact in Fractions; in floats they lose digits with the square of the condition of Φ. Raises
    `InvalidBatch` for a negative ridge, `SingularSystem` where features leave θ open and ridge is 0.
    Source: Ernst, Geurts and Wehenkel (2005), Figure 1; Lagoudakis and Parr (2003), §5.

    >>> fitted_q_step([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 5.0])
    array([2., 5.])
    """
    phi, y, penalty = read(features=features, targets=targets, ridge=ridge)
    within(0, None, ridge=penalty)
    if phi.ndim != 2 or y.shape != phi.shape[:1] or phi.size == 0:
        raise InvalidBatch(f"features {phi.shape} beside targets {y.shape}: give (N, K) and (N,)")
    eye = np.where(np.eye(phi.shape[1], dtype=bool), penalty, 0 * penalty)
    return ar.solve(ar.kernel_from(phi.T @ phi + eye), phi.T @ y)


def bellman_error_loss(
    theta: Any,
    features: Any,
    rewards: Any,
    next_features: Any,
    terminated: Any,
    gamma: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(K,), (N, K), (N,), (N, A, K), (N,) -> (N,), or one number: the squared TD error as a function of θ, target included.

        loss = (φ·θ - y(θ))²,   y(θ) = r + γ (1 - terminated) max_a' φ(s', a')·θ

    Its mean is the mean-squared Bellman error plus the mean variance of y given (s, a). Raises as `fitted_q_targets`.
    Source: Baird (1995), §3; Sutton and Barto (2018), §11.5.

    >>> bellman_error_loss([3.0], [[1.0]], [0.0], [[[2.0]]], [False], 1)
    array([9.])
    """
    q, y, _ = errors_in_theta(theta, features, rewards, next_features, terminated, gamma)
    return squared_td_loss(q, y, reduction=reduction, mask=mask)


def bellman_error_loss_gradient(
    theta: Any,
    features: Any,
    rewards: Any,
    next_features: Any,
    terminated: Any,
    gamma: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(K,), (N, K), (N,), (N, A, K), (N,) -> (N, K): d loss / dθ of every sample, through the target as well.

        2 (φ·θ - y) (φ - γ (1 - terminated) φ(s', a*)),   a* = argmax_a' φ(s', a')·θ

    The residual gradient: descending it lowers the loss, towards other parameters than fitted Q-iteration's. At a tie of
    actions, the side of the first. Raises as `fitted_q_targets`.
    Source: Baird (1995), §4.

    >>> bellman_error_loss_gradient([3.0], [[1.0]], [0.0], [[[2.0]]], [False], 1)
    array([[6.]])
    """
    q, y, phi = errors_in_theta(theta, features, rewards, next_features, terminated, gamma)
    slope = np.asarray(2 * (q - y))
    return np.asarray((slope * weights(slope, reduction, mask))[:, None] * phi)


def bellman_error_semigradient(
    theta: Any,
    features: Any,
    rewards: Any,
    next_features: Any,
    terminated: Any,
    gamma: Any,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(K,), (N, K), (N,), (N, A, K), (N,) -> (N, K): the gradient with the target held fixed, of no function of θ.

        2 (φ·θ - y) φ

    What fitted Q-iteration and DQN descend; it can point uphill. Raises as `fitted_q_targets`.
    Source: Sutton and Barto (2018), §9.3 (semi-gradient methods).

    >>> bellman_error_semigradient([3.0], [[1.0]], [0.0], [[[2.0]]], [False], 1)
    array([[-6.]])
    """
    q, y, _ = errors_in_theta(theta, features, rewards, next_features, terminated, gamma)
    slope = np.asarray(2 * (q - y))
    return np.asarray((slope * weights(slope, reduction, mask))[:, None] * read(features=features)[0])


def average_bellman_error(q_taken: Any, targets: Any, test: Any = 1) -> Any:
    """(N,), (N,), (N,) -> one number: the mean TD error, weighed by a test function w(s, a).

        (1/N) Σ w(s, a) (Q(s, a) - y)

    Without bias for E[w (Q - T Q)], from single transitions; zero for every w at the fixed point. Raises `InvalidBatch`.
    Source: Jiang et al. (2017), average Bellman error; Xie and Jiang (2020), MABO.

    >>> float(average_bellman_error([1.0, 2.0], [4.0, 1.0]))
    -1.0
    """
    q, y, w = numbers(q_taken=q_taken, targets=targets, test=test)
    return np.asarray(reduce(np.asarray(w * (q - y)), "mean"))[()]


def average_bellman_error_loss(q_taken: Any, targets: Any, test: Any = 1) -> Any:
    """(N,), (N,), (N,) -> one number: the square of the average error; the maximum over test functions is minimised.

        ((1/N) Σ w (Q - y))²

    Source: Xie and Jiang (2020), MABO.

    >>> float(average_bellman_error_loss([1.0, 2.0], [4.0, 1.0]))
    1.0
    """
    return np.asarray(average_bellman_error(q_taken, targets, test) ** 2)[()]


def average_bellman_error_loss_gradient(q_taken: Any, targets: Any, test: Any = 1) -> Array:
    """(N,), (N,), (N,) -> (N,): d loss / d Q(s, a) of every sample, target fixed.

        2 ((1/N) Σ w (Q - y)) w / N

    Source: Xie and Jiang (2020), MABO, differentiated.

    >>> average_bellman_error_loss_gradient([1.0, 2.0], [4.0, 1.0])
    array([-1., -1.])
    """
    q, y, w = numbers(q_taken=q_taken, targets=targets, test=test)
    spread = w + 0 * (q - y)
    return np.asarray(2 * average_bellman_error(q, y, w) * spread * weights(spread, "mean"))


def errors_in_theta(
    theta: Any, features: Any, rewards: Any, next_features: Any, terminated: Any, gamma: Any
) -> tuple[Array, Array, Array]:
    """Q, y and d(Q - y)/dθ: (N,), (N,), (N, K)."""
    w, phi, r, following, g = read(
        theta=theta, features=features, rewards=rewards, next_features=next_features, gamma=gamma
    )
    q, next_q = linear_values(w, phi, "features", 2), linear_values(w, following, "next_features", 3)
    y = one_step_targets(r, highest(next_q)[0], terminated, g)
    best = np.take_along_axis(following, highest(next_q)[1][:, None, None], axis=1)[:, 0]
    (ended,) = flags(y.shape, terminated=terminated)
    return q, y, phi - g[..., None] * np.where(ended[:, None], 0 * best, best)


def linear_values(theta: Array, features: Array, name: str, axes: int) -> Array:
    """(K,), (..., K) -> (...).  Raises `InvalidBatch`."""
    if features.ndim != axes or theta.ndim != 1 or features.shape[-1] != theta.size or features.size == 0:
        raise InvalidBatch(
            f"{name} has shape {features.shape}: give {axes} axes, the last as long as theta {theta.shape}"
        )
    return np.asarray(features @ theta)
