"""Quantile regression: the law of the return as n values of equal weight.

    τ_i = (2i - 1) / (2n),   i = 1, ..., n                                              midpoints
    ρ_τ(u) = (τ - 1[u < 0]) u                                                           pinball; least at the τ-quantile
    ρ_τ^κ(u) = |τ - 1[u < 0]| L_κ(u) / κ                                                Huber's; → ρ_τ as κ → 0
    loss = Σ_i (1/m) Σ_j ρ_τi(y_j - θ_i)                                                every target with every quantile

The sum over i and the mean over j are not to be swapped, and u is target minus prediction: the other sign gives the 1 - τ
quantile. Dabney, Rowland, Bellemare and Munos (2018), (8) to (10), where κ does not divide; Dabney, Ostrovski, Silver and
Munos (2018), §2, where it does. The two agree at κ = 1.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, beside, flags, read, within
from rlexact.formulas.dqn import highest
from rlexact.formulas.huber import smooth_l1_loss, smooth_l1_loss_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights


def quantile_midpoints(n: int, like: Any = 1) -> Array:
    """n -> (n,): the levels whose quantiles, each of weight 1/n, are nearest to a law in 1-Wasserstein distance.

        τ_i = (2i - 1) / (2n),   i = 1, ..., n

    In the numbers of `like`: floats, unless a Fraction or a symbol is given. Raises `InvalidBatch` for n below 1.
    Source: Dabney et al. (2018), Lemma 2.

    >>> quantile_midpoints(4)
    array([0.125, 0.375, 0.625, 0.875])
    """
    if n < 1:
        raise InvalidBatch(f"n = {n} quantiles: give 1 or more")
    return np.asarray((2 * np.cumsum(ar.ones(like, n)) - 1) / (2 * n))


def quantile_targets(rewards: Any, next_quantiles: Any, terminated: Any, gamma: Any) -> Array:
    """(N,), (N, A, n), (N,) -> (N, n): samples of the target law, of the action of the highest mean at s'.

        y_j = r + γ (1 - terminated) θ_j(s', a*),   a* = argmax_a (1/n) Σ_j θ_j(s', a)

    Raises `InvalidBatch` as `one_step_targets`.
    Source: Dabney et al. (2018), Algorithm 1.

    >>> quantile_targets([1.0], [[[0.0, 9.0], [4.0, 6.0]]], [False], 0.5)
    array([[3., 4.]])
    """
    r, theta, g = read(rewards=rewards, next_quantiles=next_quantiles, gamma=gamma)
    if theta.ndim < 2 or theta.size == 0:
        raise InvalidBatch(f"next_quantiles has shape {theta.shape}: give (..., actions, quantiles)")
    within(0, 1, gamma=g)
    best = highest(theta.sum(axis=-1) / theta.shape[-1])[1]
    chosen = np.take_along_axis(theta, best[..., None, None], axis=-2)[..., 0, :]
    (ended,) = flags(beside({"rewards": r, "gamma": g}, next_quantiles=chosen), terminated=terminated)
    return np.asarray(r[..., None] + g[..., None] * np.where(ended[..., None], 0 * chosen, chosen))


def quantile_loss(
    quantiles: Any, targets: Any, taus: Any = None, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N, n), (N, m) -> (N,), or one number: the pinball loss of n quantiles on m samples.

        loss = Σ_i (1/m) Σ_j (τ_i - 1[u_ij < 0]) u_ij,   u_ij = y_j - θ_i

    `taus` (n,) are the midpoints unless given. Raises `InvalidBatch` for shapes that differ and τ outside [0, 1].
    Source: Dabney, Rowland, Bellemare and Munos (2018), (8) and Algorithm 1 at κ = 0.

    >>> quantile_loss([[0.0, 2.0]], [[1.0, 3.0]])
    array([1.])
    """
    u, slope = pairs(quantiles, targets, taus)
    return reduce(mean_of_targets(slope * u).sum(axis=-1), reduction, mask)


def quantile_loss_gradient(
    quantiles: Any, targets: Any, taus: Any = None, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N, n), (N, m) -> (N, n): d loss / d θ; at u = 0 the side of the targets above.

        d loss / d θ_i = -(1/m) Σ_j (τ_i - 1[u_ij < 0])   =   Pr(y < θ_i) - τ_i

    Source: Dabney, Rowland, Bellemare and Munos (2018), differentiated from (8).

    >>> quantile_loss_gradient([[0.0, 2.0]], [[1.0, 3.0]])
    array([[-0.25, -0.25]])
    """
    u, slope = pairs(quantiles, targets, taus)
    return weighted_rows(-mean_of_targets(slope + 0 * u), reduction, mask)


def quantile_huber_loss(
    quantiles: Any, targets: Any, kappa: Any, taus: Any = None, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N, n), (N, m), κ -> (N,), or one number: the quantile Huber loss of n quantiles on m samples.

        loss = Σ_i (1/m) Σ_j |τ_i - 1[u_ij < 0]| L_κ(u_ij) / κ,   u_ij = y_j - θ_i

    Raises as `quantile_loss`, and for κ ≤ 0.
    Source: Dabney, Ostrovski, Silver and Munos (2018), §2; without the division, Dabney et al. (2018), (10).

    >>> quantile_huber_loss([[0.0, 2.0]], [[1.0, 3.0]], 1.0)
    array([0.625])
    """
    u, slope = pairs(quantiles, targets, taus)
    return reduce(mean_of_targets(size(slope) * smooth_l1_loss(u, kappa)).sum(axis=-1), reduction, mask)


def quantile_huber_loss_gradient(
    quantiles: Any, targets: Any, kappa: Any, taus: Any = None, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N, n), (N, m), κ -> (N, n): d loss / d θ, continuous, at most 1 in size.

        d loss / d θ_i = -(1/m) Σ_j |τ_i - 1[u_ij < 0]| clip(u_ij / κ, -1, 1)

    Source: Dabney, Ostrovski, Silver and Munos (2018), §2, differentiated.

    >>> quantile_huber_loss_gradient([[0.0, 2.0]], [[1.0, 3.0]], 1.0)
    array([[-0.25, -0.25]])
    """
    u, slope = pairs(quantiles, targets, taus)
    return weighted_rows(-mean_of_targets(size(slope) * smooth_l1_loss_gradient(u, kappa)), reduction, mask)


def pairs(quantiles: Any, targets: Any, taus: Any) -> tuple[Array, Array]:
    """u_ij = y_j - θ_i and τ_i - 1[u_ij < 0], (..., n, m) each."""
    theta, y, levels = read(quantiles=quantiles, targets=targets, taus=taus, optional=["taus"])
    if beside({}, quantiles=theta) != beside({}, targets=y):
        raise InvalidBatch(f"quantiles {theta.shape} beside targets {y.shape}: give a row of samples for each row")
    n = theta.shape[-1]
    tau = quantile_midpoints(n, theta).astype(theta.dtype) if levels is None else levels
    if tau.shape != (n,):
        raise InvalidBatch(f"taus has shape {tau.shape}: give ({n},), one level for each quantile")
    within(0, 1, taus=tau)
    u = y[..., None, :] - theta[..., :, None]
    return u, np.where(np.real(u) < 0, tau[:, None] - 1, tau[:, None])


def size(slope: Array) -> Array:
    """|τ - 1[u < 0]|."""
    return np.where(np.real(slope) < 0, -slope, slope)


def mean_of_targets(x: Array) -> Array:
    return np.asarray(x.sum(axis=-1) / x.shape[-1])


def weighted_rows(gradient: Array, reduction: Reduction, mask: Any) -> Array:
    return np.asarray(gradient * weights(gradient[..., 0], reduction, mask)[..., None])
