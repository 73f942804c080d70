"""The Gaussian squashed by tanh onto a bounded interval: the policy of SAC.

    u = μ + σ z,   a = c + h tanh(u),   h = (high - low)/2,  c = (high + low)/2
    log π(a) = Σ_i [log N(u_i; μ_i, σ_i) - log h - log(1 - tanh² u_i)]            the change of variables
    log(1 - tanh² u) = 2 (log 2 - u - softplus(-2u))                              no cancellation, finite for every u

At a fixed action u does not move, so the score in μ and σ is the Gaussian's at u. Along a sample (z fixed) log N has
slope 0 in μ and -1/σ in σ, and what remains is the log-determinant's 2 tanh(u). tanh(μ) is the median, not the mode and not
the mean: the mode solves u = μ + 2σ² tanh(u), and for μ = 0 and σ² > ½ the density has two modes with a valley between them.
Log-densities take u, before squashing, where actions near the bounds have lost their digits.
Haarnoja, Zhou, Abbeel and Levine (2018), appendix C, (20) and (21).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import floats, numbers, positive, refuse_where, vectors
from rlexact.formulas.gaussian import (
    GaussianGradient,
    diagonal_gaussian_log_density,
    gaussian_arguments,
    gaussian_score,
)
from rlexact.formulas.sigmoid import log_sigmoid


def tanh_log_slope(u: Any) -> Array:
    """(N,) -> (N,): the logarithm of d tanh(u)/du, the log-determinant of the squashing.

        log(1 - tanh² u) = 2 (log 2 - u - softplus(-2u)),   softplus(-2u) = -log σ(2u)

    Even in u, at most 0, about 2 log 2 - 2|u| far out, where 1 - tanh² u is 0 in floats. Raises `NotExact` for exact numbers.
    Source: Haarnoja et al. (2018), appendix C, (21), in the stable form.

    >>> tanh_log_slope([1e4, -1e4]) - 2 * np.log(2)
    array([-20000., -20000.])
    """
    (u,) = numbers(u=u)
    return np.asarray(2 * (ar.log(ar.ones(u, ()) * 2) - u + log_sigmoid(2 * u)))


def squashed_arguments(low: Any, high: Any, **given: Any) -> tuple[list[Array], Array]:
    """The arrays, and h = (high - low)/2 > 0 of their shape or for all."""
    arrays = gaussian_arguments(**given, low=low, high=high)
    half = np.asarray((arrays[-1] - arrays[-2]) / 2)
    positive(**{"(high - low)/2": half})
    return arrays, half


def squashed_gaussian_log_density(u: Any, mean: Any, std: Any, low: Any = -1, high: Any = 1) -> Array:
    """(..., n) each, before squashing -> (...): log π(a) at a = c + h tanh(u), added over the last axis, in nats.

        log π(a) = Σ_i [log N(u_i; μ_i, σ_i) - log h - 2 (log 2 - u_i - softplus(-2u_i))]

    A density of the action, not of u. Raises `InvalidBatch` for σ ≤ 0, for low ≥ high and for scalars.
    Source: Haarnoja et al. (2018), appendix C, (21).

    >>> (np.exp(squashed_gaussian_log_density([0.0, 0.0], [0.0, 0.0], [1.0, 1.0], -2, 2)) * 8 * np.pi).round(12)
    np.float64(1.0)
    """
    (u, mu, sigma, *_), half = squashed_arguments(low, high, u=u, mean=mean, std=std)
    vectors(u=u, mean=mu, std=sigma)
    return np.asarray(diagonal_gaussian_log_density(u, mu, sigma) - (tanh_log_slope(u) + ar.log(half)).sum(axis=-1))


def squash(u: Any, low: Any = -1, high: Any = 1) -> Array:
    """(N,) -> (N,): the action, inside [low, high]; at u = μ the median, which a policy acts with when it is tested.

        a = c + h tanh(u)

    Raises `InvalidBatch` for low ≥ high, `NotExact` for exact numbers.
    Source: Haarnoja et al. (2018), appendix C.

    >>> squash([0.0, -1e4], 1, 5)
    array([3., 1.])
    """
    (u, lowest, highest), half = squashed_arguments(low, high, u=floats(u=u)[0])
    return np.asarray((lowest + highest) / 2 + half * np.tanh(u))


def unsquash(actions: Any, low: Any = -1, high: Any = 1) -> Array:
    """(N,) -> (N,): u with c + h tanh(u) = a.

        u = artanh((a - c)/h) = ½ (log(a - low) - log(high - a))

    Digits are lost near the bounds: keep u where you can. Raises `InvalidBatch` for actions on or outside the bounds.
    Source: Haarnoja et al. (2018), appendix C.

    >>> unsquash([3.0, 1.0 + 4 * 0.75], 1, 5) - [0.0, np.log(3) / 2]
    array([0., 0.])
    """
    (a, lowest, highest), _ = squashed_arguments(low, high, actions=actions)
    outside = ~(np.real(a) > np.real(lowest)) | ~(np.real(a) < np.real(highest))
    refuse_where(outside, "actions", a, f"strictly between {low} and {high}")
    return np.asarray((ar.log(a - lowest) - ar.log(highest - a)) / 2)


def squashed_gaussian_score(actions: Any, mean: Any, std: Any, low: Any = -1, high: Any = 1) -> GaussianGradient:
    """(N,) each -> (N,) each: ∇ log π(a) in μ, σ and log σ at a fixed action.

        ∂_μ = (u - μ)/σ²,   ∂_log σ = ((u - μ)/σ)² - 1,   u = artanh((a - c)/h)

    The log-determinant does not depend on μ and σ. Raises as `unsquash`.
    Source: Haarnoja et al. (2018), appendix C; Williams (1992), (14) and (15).

    >>> float(squashed_gaussian_score(np.tanh(2.0), 1.0, 2.0).mean.round(12))
    0.25
    """
    return gaussian_score(unsquash(actions, low, high), mean, std)


def squashed_gaussian_sample(mean: Any, std: Any, noise: Any, low: Any = -1, high: Any = 1) -> Array:
    """(N,) each -> (N,): the action that standard normal noise is carried to.

        a = c + h tanh(μ + σ z)

    Raises `InvalidBatch` for σ ≤ 0 and for low ≥ high.
    Source: Haarnoja et al. (2018), appendix C.

    >>> squashed_gaussian_sample([0.5], [0.5], [-1.0])
    array([0.])
    """
    (mu, sigma, z, lowest, highest), _ = squashed_arguments(low, high, mean=mean, std=std, noise=noise)
    return squash(mu + sigma * z, lowest, highest)


def squashed_gaussian_sample_gradient(
    mean: Any, std: Any, noise: Any, low: Any = -1, high: Any = 1
) -> GaussianGradient:
    """(N,) each -> (N,) each: the derivatives of the action with the noise held.

        ∂a/∂μ = h (1 - tanh² u),   ∂a/∂σ = z ∂a/∂μ,   ∂a/∂log σ = σ z ∂a/∂μ

    Raises as `squashed_gaussian_sample`.
    Source: Haarnoja et al. (2018), (13), for a = tanh(u).

    >>> float(squashed_gaussian_sample_gradient(0.5, 0.5, -1.0).std)
    -1.0
    """
    (mu, sigma, z, *_), half = squashed_arguments(low, high, mean=mean, std=std, noise=noise)
    slope = np.asarray(half * ar.exp(tanh_log_slope(mu + sigma * z)))
    return GaussianGradient(slope, np.asarray(slope * z), np.asarray(slope * sigma * z))


def squashed_gaussian_sample_log_density_gradient(mean: Any, std: Any, noise: Any) -> GaussianGradient:
    """(N,) each -> (N,) each: the total derivatives of log π(a) along the sample a = c + h tanh(μ + σ z).

        ∂_μ = 2 tanh(u),   ∂_σ = -1/σ + 2 z tanh(u),   ∂_log σ = -1 + 2 σ z tanh(u)

    The same for every interval. Raises `InvalidBatch` for σ ≤ 0.
    Source: differentiated from Haarnoja et al. (2018), appendix C, (21).

    >>> float(squashed_gaussian_sample_log_density_gradient(0.5, 0.5, -1.0).std)
    -2.0
    """
    mu, sigma, z = gaussian_arguments(mean=mean, std=std, noise=noise)
    drift = 2 * squash(mu + sigma * z)
    slope = np.asarray(drift * z - 1 / sigma)
    return GaussianGradient(drift, slope, np.asarray(sigma * slope))


def squashed_gaussian_mode(mean: Any, std: Any) -> Array:
    """(N,) each -> (N,): the u where the density of a = c + h tanh(u) is largest; of two equal ones the positive.

        u = μ + 2σ² tanh(u),   the solution farthest out on the side of μ

    From μ ± 2σ², beyond it, Newton's steps on a concave function only come nearer, until rounding stops them.
    Raises `InvalidBatch` for σ ≤ 0, `NotExact` for exact numbers.
    Source: the stationary points of Haarnoja et al. (2018), appendix C, (21).

    >>> squashed_gaussian_mode([0.0, 0.0, 5.0], [0.5, 1.0, 0.1]).round(4)
    array([0.   , 1.915, 5.02 ])
    """
    mu, sigma = floats(mean=mean, std=std)
    positive(std=sigma)
    sign, pull = np.where(mu < 0, -1.0, 1.0), 2 * sigma**2
    u = np.asarray(np.abs(mu) + pull)
    moving = np.ones(u.shape, dtype=bool)
    while moving.any():
        slope = np.minimum(pull * np.exp(tanh_log_slope(u)) - 1, -np.finfo(float).eps)
        nearer = np.maximum(u - np.minimum(np.abs(mu) + pull * np.tanh(u) - u, 0) / slope, 0)
        moving = nearer < u
        u = np.where(moving, nearer, u)
    return np.asarray(sign * u)
