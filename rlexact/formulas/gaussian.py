"""The Gaussian, one coordinate at a time and with a diagonal covariance.

    log N(x; μ, σ) = -½ ((x - μ)/σ)² - log σ - ½ log 2π                            nats; σ is a standard deviation
    ∂_μ = (x - μ)/σ²     ∂_σ = ((x - μ)² - σ²)/σ³     ∂_log σ = ((x - μ)/σ)² - 1    the score
    H = ½ log 2πe σ²                                                               below 0 for σ < 0.2420
    KL(N₁ ‖ N₂) = log(σ₂/σ₁) + (σ₁² + (μ₁ - μ₂)²)/(2σ₂²) - ½
    x = μ + σ z,  z ~ N(0, 1)                                                      the reparameterised sample

Coordinates with a diagonal covariance are independent: log-densities, entropies and divergences add over the last axis
(the `diagonal_` functions), while scores, samples and their derivatives are those of each coordinate. Scores, samples and
information matrices are rational in their arguments and run on Fractions; where a logarithm is needed exact numbers are
refused (`NotExact`). A full covariance is in `full_gaussian`, a tanh on top in `squashed_gaussian`.
Williams (1992), §6; Bishop (2006), §1.2.4 and §1.6.1; Kingma and Welling (2014), §2.4.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, positive, vectors

LOG_2PI = np.log(2 * np.pi).item()


@dataclass(frozen=True, eq=False)
class GaussianGradient:
    """Derivatives in μ, in σ, and in log σ (σ times that in σ)."""

    mean: Array
    std: Array
    log_std: Array


@dataclass(frozen=True, eq=False)
class GaussianKlGradient:
    """Derivatives of KL(N₁ ‖ N₂) in μ₁, σ₁, μ₂ and σ₂."""

    mean: Array
    std: Array
    other_mean: Array
    other_std: Array


def gaussian_log_density(x: Any, mean: Any, std: Any) -> Array:
    """(N,) each -> (N,): log N(x; μ, σ), coordinate by coordinate.

        log N(x; μ, σ) = -½ ((x - μ)/σ)² - log σ - ½ log 2π

    In nats; a density, so above 0 where σ is small. Raises `InvalidBatch` for σ ≤ 0, `NotExact` for exact numbers.
    Source: Bishop (2006), (1.46).

    >>> gaussian_log_density([0.0, 2.0], [0.0, 0.0], [1.0, 1.0]) + 0.5 * np.log(2 * np.pi)
    array([ 0., -2.])
    """
    x, mu, sigma = gaussian_arguments(x=x, mean=mean, std=std)
    log_sigma = ar.log(sigma)
    return np.asarray(-(((x - mu) / sigma) ** 2) / 2 - log_sigma - ar.number(sigma, LOG_2PI) / 2)


def gaussian_arguments(**given: Any) -> list[Array]:
    """Numbers of one shape, the standard deviations among them above 0."""
    arrays = numbers(**given)
    positive(**{name: x for name, x in zip(given, arrays, strict=True) if name.endswith("std")})
    return arrays


def gaussian_score(x: Any, mean: Any, std: Any) -> GaussianGradient:
    """(N,) each -> (N,) each: ∇ log N in μ, in σ and in log σ; it runs on Fractions.

        ∂_μ = (x - μ)/σ²,   ∂_σ = ((x - μ)² - σ²)/σ³,   ∂_log σ = ((x - μ)/σ)² - 1

    With a diagonal covariance the same, coordinate by coordinate. Multiply by ∂μ/∂θ for a network. Raises `InvalidBatch`
    for σ ≤ 0.
    Source: Williams (1992), (14) and (15).

    >>> score = gaussian_score(3.0, 1.0, 2.0)
    >>> float(score.mean), float(score.std), float(score.log_std)
    (0.5, 0.0, 0.0)
    """
    x, mu, sigma = gaussian_arguments(x=x, mean=mean, std=std)
    z = (x - mu) / sigma
    return GaussianGradient(np.asarray(z / sigma), np.asarray((z**2 - 1) / sigma), np.asarray(z**2 - 1))


def gaussian_entropy(std: Any) -> Array:
    """(N,) -> (N,): H of each coordinate, in nats.

        H = ½ log 2πe σ²

    A differential entropy: it falls below 0 at σ = 1/√(2πe) ≈ 0.242. Raises `InvalidBatch` for σ ≤ 0, `NotExact` for exact
    numbers.
    Source: Bishop (2006), (1.110).

    >>> gaussian_entropy([1 / np.sqrt(2 * np.pi * np.e), 1 / np.sqrt(2 * np.pi)]).round(12) + 0.0
    array([0. , 0.5])
    """
    (sigma,) = gaussian_arguments(std=std)
    return np.asarray(ar.log(sigma) + (ar.number(sigma, LOG_2PI) + 1) / 2)


def gaussian_entropy_gradient(std: Any) -> Array:
    """(N,) -> (N,): dH/dσ; in log σ the derivative is 1. It runs on Fractions.

        dH/dσ = 1/σ

    Raises `InvalidBatch` for σ ≤ 0.
    Source: differentiated from Bishop (2006), (1.110).

    >>> gaussian_entropy_gradient([2.0, 0.5])
    array([0.5, 2. ])
    """
    (sigma,) = gaussian_arguments(std=std)
    return np.asarray(1 / sigma)


def gaussian_kl(mean: Any, std: Any, other_mean: Any, other_std: Any) -> Array:
    """(N,) each -> (N,): KL(N(μ₁, σ₁) ‖ N(μ₂, σ₂)), coordinate by coordinate, in nats.

        KL = log(σ₂/σ₁) + (σ₁² + (μ₁ - μ₂)²)/(2σ₂²) - ½

    Raises `InvalidBatch` for σ ≤ 0, `NotExact` for exact numbers.
    Source: Kullback (1959), §9.1.

    >>> gaussian_kl([1.0], [1.0], [4.0], [1.0])
    array([4.5])
    """
    m_1, s_1, m_2, s_2 = gaussian_arguments(mean=mean, std=std, other_mean=other_mean, other_std=other_std)
    ratio = s_1 / s_2
    return np.asarray((ratio**2 - 1 + ((m_1 - m_2) / s_2) ** 2) / 2 - ar.log(ratio))


def gaussian_kl_gradient(mean: Any, std: Any, other_mean: Any, other_std: Any) -> GaussianKlGradient:
    """(N,) each -> (N,) each: the derivatives of KL(N₁ ‖ N₂) in all four arguments; it runs on Fractions.

        ∂_μ₁ = (μ₁ - μ₂)/σ₂² = -∂_μ₂,   ∂_σ₁ = σ₁/σ₂² - 1/σ₁,   ∂_σ₂ = 1/σ₂ - (σ₁² + (μ₁ - μ₂)²)/σ₂³

    Raises `InvalidBatch` for σ ≤ 0.
    Source: differentiated from Kullback (1959), §9.1.

    >>> slope = gaussian_kl_gradient(3.0, 1.0, 1.0, 2.0)
    >>> float(slope.mean), float(slope.std), float(slope.other_std)
    (0.5, -0.75, -0.125)
    """
    m_1, s_1, m_2, s_2 = gaussian_arguments(mean=mean, std=std, other_mean=other_mean, other_std=other_std)
    pull = np.asarray((m_1 - m_2) / s_2**2)
    spread = np.asarray(1 / s_2 - (s_1**2 + (m_1 - m_2) ** 2) / s_2**3)
    return GaussianKlGradient(pull, np.asarray(s_1 / s_2**2 - 1 / s_1), np.asarray(-pull), spread)


def gaussian_sample(mean: Any, std: Any, noise: Any) -> Array:
    """(N,) each -> (N,): the sample that standard normal noise is carried to; it runs on Fractions.

        x = μ + σ z

    Raises `InvalidBatch` for σ ≤ 0.
    Source: Kingma and Welling (2014), §2.4.

    >>> gaussian_sample([1.0, 1.0], [2.0, 2.0], [0.0, -1.5])
    array([ 1., -2.])
    """
    mu, sigma, z = gaussian_arguments(mean=mean, std=std, noise=noise)
    return np.asarray(mu + sigma * z)


def gaussian_sample_gradient(mean: Any, std: Any, noise: Any) -> GaussianGradient:
    """(N,) each -> (N,) each: the derivatives of x = μ + σ z with the noise held.

        ∂x/∂μ = 1,   ∂x/∂σ = z,   ∂x/∂log σ = σ z

    ∇E f(x) = E[f'(x) ∂x]: multiply by the slope of f at the sample. Raises `InvalidBatch` for σ ≤ 0.
    Source: Kingma and Welling (2014), §2.4.

    >>> gaussian_sample_gradient([1.0], [2.0], [-1.5]).log_std
    array([-3.])
    """
    mu, sigma, z = gaussian_arguments(mean=mean, std=std, noise=noise)
    nothing = 0 * (mu + sigma + z)
    return GaussianGradient(np.asarray(nothing + 1), np.asarray(nothing + z), np.asarray(nothing + sigma * z))


def gaussian_fisher(std: Any) -> Array:
    """(N,) -> (N, 2, 2): E[∇log N ∇log Nᵀ] in (μ, σ); it runs on Fractions.

        F = diag(1/σ², 2/σ²)

    In (μ, log σ) it is diag(1/σ², 2). Raises `InvalidBatch` for σ ≤ 0.
    Source: Amari (1998), "Natural Gradient Works Efficiently in Learning", §2.

    >>> gaussian_fisher(0.5)
    array([[4., 0.],
           [0., 8.]])
    """
    (sigma,) = gaussian_arguments(std=std)
    out = ar.zeros(sigma, (*sigma.shape, 2, 2))
    out[..., 0, 0], out[..., 1, 1] = 1 / sigma**2, 2 / sigma**2
    return out


def diagonal_gaussian_log_density(x: Any, mean: Any, std: Any) -> Array:
    """(..., n) each -> (...): log N(x; μ, diag σ²), added over the last axis.

        log N(x; μ, diag σ²) = Σ_i log N(x_i; μ_i, σ_i)

    Raises as `gaussian_log_density`, and `InvalidBatch` for scalars, whose number of coordinates is unknown.
    Source: Bishop (2006), §2.3.

    >>> diagonal_gaussian_log_density([1.0, 2.0], [0.0, 0.0], [1.0, 1.0]) + np.log(2 * np.pi)
    np.float64(-2.5)
    """
    vectors(**dict(zip(("x", "mean", "std"), numbers(x=x, mean=mean, std=std), strict=True)))
    return np.asarray(gaussian_log_density(x, mean, std).sum(axis=-1))


def diagonal_gaussian_entropy(std: Any) -> Array:
    """(..., n) -> (...): H, added over the last axis, in nats.

        H = Σ_i ½ log 2πe σ_i²

    Raises as `gaussian_entropy`, and `InvalidBatch` for a scalar: seven equal σ are [σ] * 7.
    Source: Bishop (2006), §2.3.

    >>> diagonal_gaussian_entropy([1.0, 1.0]) - np.log(2 * np.pi)
    np.float64(1.0)
    """
    vectors(std=numbers(std=std)[0])
    return np.asarray(gaussian_entropy(std).sum(axis=-1))


def diagonal_gaussian_kl(mean: Any, std: Any, other_mean: Any, other_std: Any) -> Array:
    """(..., n) each -> (...): KL between diagonal Gaussians, added over the last axis, in nats.

        KL = Σ_i KL(N(μ₁ᵢ, σ₁ᵢ) ‖ N(μ₂ᵢ, σ₂ᵢ))

    Raises as `gaussian_kl`, and `InvalidBatch` for scalars.
    Source: Kullback (1959), §9.1.

    >>> diagonal_gaussian_kl([1.0, 0.0], [1.0, 1.0], [4.0, 2.0], [1.0, 1.0])
    array(6.5)
    """
    read = numbers(mean=mean, std=std, other_mean=other_mean, other_std=other_std)
    vectors(**dict(zip(("mean", "std", "other_mean", "other_std"), read, strict=True)))
    return np.asarray(gaussian_kl(mean, std, other_mean, other_std).sum(axis=-1))
