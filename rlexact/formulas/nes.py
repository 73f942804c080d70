"""Evolution strategies as gradient ascent on the mean fitness of a Gaussian.

    J(μ, σ) = E F(θ),  θ = μ + σ ⊙ z,  z ~ N(0, I)                                 maximised; F is only evaluated
    ∇_μ log N(θ) = (θ - μ)/σ²                    ∇_μ J = E[F(θ) (θ - μ)/σ²] = E[F z]/σ
    ∇_σ J = E[F (z² - 1)]/σ                      ∇_Σ J = 1/2 E[F (Σ⁻¹ d dᵀ Σ⁻¹ - Σ⁻¹)],  d = θ - μ
    ∇̃ = Fisher⁻¹ ∇:   ∇̃_μ = σ² ∇_μ = σ E[F z]    ∇̃_σ = σ²/2 ∇_σ    full: ∇̃_μ = Σ ∇_μ,  ∇̃_Σ = 2 Σ ∇_Σ Σ = E[F (d dᵀ - Σ)]

Expectations become means of N samples, and stay unbiased; σ is one number or one for each coordinate. The plain step
μ + α/(Nσ) Σ F z follows ∇_μ J: with σ fixed the natural gradient is the same direction, σ² times as long. Wierstra, Schaul,
Glasmachers, Sun, Peters and Schmidhuber (2014), §2; Salimans, Ho, Chen, Sidor and Sutskever (2017), §2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, positive, read
from rlexact.formulas.fitness_shaping import population
from rlexact.formulas.full_gaussian import full_gaussian_score_covariance, full_gaussian_score_mean


@dataclass(frozen=True, eq=False)
class SearchGradient:
    """A gradient in the parameters of a Gaussian: `mean` (d,), and `spread`, in σ (d,) or in Σ (d, d)."""

    mean: Array
    spread: Array


def weighed(fitness: Any, draws: Any, sigma: Any) -> list[Array]:
    """(N,), (N, d), σ in one world, σ > 0."""
    f, z = population(fitness, draws=draws)
    _, _, s = read(fitness=f, draws=z, sigma=sigma)
    positive(sigma=s)
    if s.shape not in ((), z.shape[1:]):
        raise InvalidBatch(f"sigma has shape {s.shape}, draws {z.shape}: give a scalar, or one for each coordinate")
    return [f, z, s]


def es_gradient(fitness: Any, draws: Any, sigma: Any) -> Array:
    """(N,), (N, d), a scalar or (d,) -> (d,): the gradient of J in μ, estimated from samples μ + σ z; ascend.

        g = 1/(N σ) Σ_i F_i z_i

    Unbiased, also with any number subtracted from F that does not depend on the draws. Raises `InvalidBatch`.
    Source: Salimans et al. (2017), algorithm 1; Wierstra et al. (2014), §2.1.

    >>> es_gradient([1.0, 3.0], [[1.0, 0.0], [0.0, -1.0]], 0.5).tolist()
    [1.0, -3.0]
    """
    f, z, s = weighed(fitness, draws, sigma)
    return np.asarray((f[:, None] * z).sum(axis=0) / (len(f) * s))


def antithetic_gradient(fitness_plus: Any, fitness_minus: Any, draws: Any, sigma: Any) -> Array:
    """(N,), (N,), (N, d), a scalar or (d,) -> (d,): the same from pairs μ + σ z and μ - σ z, 2N evaluations.

        g = 1/(2 N σ) Σ_i (F(μ + σ z_i) - F(μ - σ z_i)) z_i

    Unbiased. What is even in z, such as F(μ) itself, drops out sample by sample.
    Source: Salimans et al. (2017), §2.1; Nesterov and Spokoiny (2017).

    >>> antithetic_gradient([7.0], [5.0], [[2.0]], 0.5).tolist()
    [4.0]
    """
    up, z, s = weighed(fitness_plus, draws, sigma)
    down, _, _ = weighed(fitness_minus, draws, sigma)
    return es_gradient((up - down) / 2, z, s)


def es_update(mean: Any, fitness: Any, draws: Any, sigma: Any, alpha: Any) -> Array:
    """(d,), (N,), (N, d) -> (d,): one step up the estimated gradient, σ kept.

        μ ← μ + α/(N σ) Σ_i F(μ + σ z_i) z_i

    Source: Salimans et al. (2017), algorithm 1.

    >>> es_update([1.0], [2.0, 0.0], [[1.0], [-1.0]], 0.5, 0.25).tolist()
    [1.5]
    """
    mu, a, g = read(mean=mean, alpha=alpha, gradient=es_gradient(fitness, draws, sigma))
    if mu.shape != g.shape:
        raise InvalidBatch(f"mean has shape {mu.shape}, the gradient {g.shape}")
    return np.asarray(mu + a * g)


def search_gradient(fitness: Any, draws: Any, sigma: Any) -> SearchGradient:
    """(N,), (N, d), (d,) or a scalar -> SearchGradient: of J in μ and in σ, one σ for each coordinate.

        ∇_μ = 1/N Σ F z/σ,   ∇_σ = 1/N Σ F (z² - 1)/σ

    Where all coordinates share one σ, its derivative is the sum of `spread`.
    Source: Wierstra et al. (2014), §2.1 and §3.5.

    >>> g = search_gradient([2.0], [[3.0]], 0.5)
    >>> g.mean.tolist(), g.spread.tolist()
    ([12.0], [32.0])
    """
    f, z, s = weighed(fitness, draws, sigma)
    return SearchGradient(es_gradient(f, z, s), (f[:, None] * (z**2 - 1)).sum(axis=0) / (len(f) * s))


def full_search_gradient(fitness: Any, samples: Any, mean: Any, covariance: Any) -> SearchGradient:
    """(N,), (N, d), (d,), (d, d) -> SearchGradient: of J in μ and in the covariance Σ.

        ∇_μ = 1/N Σ_i F Σ⁻¹ d,   ∇_Σ = 1/N Σ_i F (Σ⁻¹ d dᵀ Σ⁻¹ - Σ⁻¹)/2,   d = θ_i - μ

    ∇_Σ is symmetric: dJ = tr(∇_Σ dΣ). Raises `InvalidBatch` where Σ is no covariance.
    Source: Wierstra et al. (2014), §2.1.

    >>> g = full_search_gradient([2.0], [[3.0]], [1.0], [[4.0]])
    >>> g.mean.tolist(), g.spread.tolist()
    ([1.0], [[0.0]])
    """
    f, theta = population(fitness, samples=samples)
    _, _, mu, S = read(fitness=f, samples=theta, mean=mean, covariance=covariance)
    if mu.shape != theta.shape[1:]:
        raise InvalidBatch(f"samples {theta.shape}, mean {mu.shape}: give (N, d) and (d,)")
    centre = np.broadcast_to(mu, theta.shape)
    in_mean = f @ full_gaussian_score_mean(theta, centre, S)
    in_covariance = (f[:, None, None] * full_gaussian_score_covariance(theta, centre, S)).sum(axis=0)
    return SearchGradient(np.asarray(in_mean / len(f)), np.asarray(in_covariance / len(f)))


def natural_gradient(gradient: SearchGradient, sigma: Any) -> SearchGradient:
    """SearchGradient, (d,) or a scalar -> SearchGradient: the inverse Fisher matrix applied, for a diagonal Gaussian.

        ∇̃_μ = σ² ∇_μ,   ∇̃_σ = σ²/2 ∇_σ

    The Fisher matrix is diag(1/σ², 2/σ²), `gaussian.gaussian_fisher`. Raises `InvalidBatch` for σ not above 0.
    Source: Wierstra et al. (2014), §2.2.

    >>> natural_gradient(SearchGradient(np.array([12.0]), np.array([32.0])), 0.5).spread.tolist()
    [4.0]
    """
    (s,) = read(sigma=sigma)
    positive(sigma=s)
    return SearchGradient(np.asarray(s**2 * gradient.mean), np.asarray(s**2 * gradient.spread / 2))


def full_natural_gradient(gradient: SearchGradient, covariance: Any) -> SearchGradient:
    """SearchGradient, (d, d) -> SearchGradient: the inverse Fisher matrix applied, for a full Gaussian.

        ∇̃_μ = Σ ∇_μ,   ∇̃_Σ = 2 Σ ∇_Σ Σ

    Source: Akimoto, Nagata, Ono and Kobayashi (2010), theorem 3.1; Wierstra et al. (2014), §2.4.

    >>> full_natural_gradient(SearchGradient(np.array([1.0]), np.array([[0.5]])), [[4.0]]).spread.tolist()
    [[16.0]]
    """
    (S,) = read(covariance=covariance)
    return SearchGradient(np.asarray(S @ gradient.mean), np.asarray(2 * S @ gradient.spread @ S))
