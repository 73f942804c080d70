"""What evolution strategies climb, in closed form: the mean of a quadratic fitness under a Gaussian, and how its estimates vary.

    F(θ) = c + bᵀ θ + 1/2 θᵀ A θ,   θ ~ N(μ, Σ),   A symmetric
    J(μ, Σ) = F(μ) + 1/2 tr(A Σ)                  ∇_μ J = b + A μ                     ∇_Σ J = A/2

For linear and quadratic fitness smoothing leaves the gradient in μ as it is: the best μ is the best θ, and noise only costs
1/2 tr(A Σ). From degree 3 on it moves it: F = θ³ has ∇_μ J = 3 μ² + 3 σ². For F = f + bᵀ (θ - μ) and θ = μ + σ z, the estimates
from one draw, g = F z/σ, and from one antithetic pair, (F⁺ - F⁻) z/2σ, have mean b and covariances

    plain        (f²/σ² + ‖b‖²) I + b bᵀ
    antithetic              ‖b‖² I + b bᵀ                                          from two evaluations

so the plain one needs a baseline: f²/σ² is what F(μ) costs, without bound as σ → 0. Nesterov and Spokoiny (2017), §2; Mohamed,
Rosca, Figurnov and Mnih (2020), §4.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, positive, read
from rlexact.formulas.nes import SearchGradient


def quadratic_form(constant: Any, slope: Any, curvature: Any, mean: Any, covariance: Any) -> list[Array]:
    c, b, A, mu, S = read(constant=constant, slope=slope, curvature=curvature, mean=mean, covariance=covariance)
    if c.ndim or b.ndim != 1 or mu.shape != b.shape or not A.shape == S.shape == 2 * b.shape:
        raise InvalidBatch(
            f"slope {b.shape}, curvature {A.shape}, mean {mu.shape}, covariance {S.shape}: give (d,), (d, d)"
        )
    if ar.apart(A, A.T).any():
        raise InvalidBatch("the curvature is not symmetric: give (A + Aᵀ)/2, the same fitness")
    return [c, b, A, mu, S]


def expected_quadratic(constant: Any, slope: Any, curvature: Any, mean: Any, covariance: Any) -> Any:
    """c, (d,), (d, d), (d,), (d, d) -> a number: the mean fitness under N(μ, Σ); an objective.

        J = c + bᵀ μ + 1/2 μᵀ A μ + 1/2 tr(A Σ)

    A = 0 is the linear fitness: J = F(μ). Runs on Fractions and symbols. Raises `InvalidBatch` where A is not symmetric.
    Source: Mathai and Provost (1992), "Quadratic Forms in Random Variables", theorem 3.2b.1.

    >>> float(expected_quadratic(1.0, [1.0], [[-2.0]], [3.0], [[0.25]]))  # 1 + 3 - 9 - 1/4
    -5.25
    """
    c, b, A, mu, S = quadratic_form(constant, slope, curvature, mean, covariance)
    return c + b @ mu + (mu @ A @ mu + (A * S).sum()) / 2


def expected_quadratic_gradient(
    constant: Any, slope: Any, curvature: Any, mean: Any, covariance: Any
) -> SearchGradient:
    """c, (d,), (d, d), (d,), (d, d) -> SearchGradient: of the mean fitness in μ and in Σ.

        ∇_μ J = b + A μ,   ∇_Σ J = A/2

    In σ, for Σ = diag σ²: ∇_σ J = σ ⊙ diag A. Raises as `expected_quadratic`.
    Source: Wierstra et al. (2014), §2, with the fitness put in.

    >>> g = expected_quadratic_gradient(1.0, [1.0], [[-2.0]], [3.0], [[0.25]])
    >>> g.mean.tolist(), g.spread.tolist()
    ([-5.0], [[-1.0]])
    """
    _, b, A, mu, _ = quadratic_form(constant, slope, curvature, mean, covariance)
    return SearchGradient(np.asarray(b + A @ mu), A / 2)


def es_covariance(value: Any, slope: Any, sigma: Any, samples: int = 1) -> Array:
    """f, (d,), a scalar -> (d, d): covariance of `es_gradient` from N draws, for linear fitness f + bᵀ (θ - μ).

        Cov = ((f²/σ² + ‖b‖²) I + b bᵀ)/N

    `value` is f = F(μ); after subtracting a baseline, what is left of it. Raises `InvalidBatch` for σ not above 0.
    Source: Nesterov and Spokoiny (2017), §2, for linear fitness.

    >>> es_covariance(1.0, [2.0], 0.5, samples=4).tolist()  # (4 + 4 + 4)/4
    [[3.0]]
    """
    f, b, s = linear_fitness(value, slope, sigma, samples)
    return np.asarray(((f**2 / s**2 + b @ b) * np.eye(len(b), dtype=int) + np.multiply.outer(b, b)) / samples)


def antithetic_covariance(slope: Any, samples: int = 1) -> Array:
    """(d,) -> (d, d): covariance of `antithetic_gradient` from N pairs, for linear fitness; free of F(μ) and σ.

        Cov = (‖b‖² I + b bᵀ)/N

    N pairs are 2N evaluations; F(μ), which is even in z, has dropped out.
    Source: Nesterov and Spokoiny (2017), §2, for linear fitness.

    >>> antithetic_covariance([2.0], samples=4).tolist()
    [[2.0]]
    """
    return es_covariance(0, slope, 1, samples)


def linear_fitness(value: Any, slope: Any, sigma: Any, samples: int) -> list[Array]:
    f, b, s = read(value=value, slope=slope, sigma=sigma)
    positive(sigma=s)
    if f.ndim or s.ndim or b.ndim != 1 or samples < 1:
        raise InvalidBatch(
            f"value {f.shape}, slope {b.shape}, sigma {s.shape}, samples {samples}: give (), (d,), (), 1 or more"
        )
    return [f, b, s]
