"""The cross-entropy method: sample from a Gaussian, keep the elites, fit the Gaussian to them.

    θ_i = μ + σ ⊙ z_i,   z_i ~ N(0, I)                                             N samples
    m = ⌊ρ N⌋ elites θ'_1, ..., θ'_m                                               the fittest; fitness is maximised
    μ(j) ← 1/m Σ_i θ'_i(j)
    σ²(j) ← 1/m Σ_i (θ'_i(j) - μ(j))² + η                                          about the new mean

The fit without η is a projection: it minimises the cross-entropy -1/m Σ log N(θ'_i; μ, σ²), that is KL(elites‖N), over all
diagonal Gaussians. Under a linear fitness and N → ∞ the elites are a Gaussian cut at its ρ-quantile, and σ² shrinks by the
same factor v(ρ) < 1 each time (`truncated_gaussian`): without η the search stops after a finite way, σ κ / (1 - √v), with it
σ² tends to η / (1 - v). Rubinstein (1999); de Boer, Kroese, Mannor and Rubinstein (2005), §3; η: Szita and Lőrincz (2006).
"""

from dataclasses import dataclass
from math import exp, floor, pi, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtri

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, positive, read, within
from rlexact.formulas.fitness_shaping import population


@dataclass(frozen=True, eq=False)
class DiagonalGaussian:
    """N(mean, diag(variance)): both (d,).  Also a derivative in both."""

    mean: Array
    variance: Array


def diagonal_samples(mean: Any, variance: Any, draws: Any) -> Array:
    """(d,), (d,) or a scalar, (N, d) -> (N, d): samples of N(μ, σ² I) or N(μ, diag σ²) from standard normal draws.

        θ_i = μ + σ ⊙ z_i

    Raises `InvalidBatch` for a variance below 0, `NotExact` where the root of a rational variance is irrational.
    Source: de Boer et al. (2005), §3.

    >>> diagonal_samples([0, 0], 100, [[1, -0.5]])
    array([[10., -5.]])
    """
    mu, v, z = read(mean=mean, variance=variance, draws=draws)
    within(0, None, variance=v)
    if z.ndim != 2 or mu.shape not in ((), z.shape[1:]) or v.shape not in ((), z.shape[1:]):
        raise InvalidBatch(f"mean {mu.shape}, variance {v.shape}, draws {z.shape}: give (d,), (d,) or a scalar, (N, d)")
    return np.asarray(mu + ar.square_root(v) * z)


def average_score(returns: Any) -> Array:
    """(N, L) -> (N,): the fitness of each sample, the mean of its L episodes.

        F_i = 1/L Σ_l R_il

    Its variance is that of one return over L. Raises `InvalidBatch` for an empty batch.
    Source: Mannor, Rubinstein and Gat (2003).

    >>> average_score([[1, 3], [0, -1]])
    array([ 2. , -0.5])
    """
    (r,) = read(returns=returns)
    if r.ndim != 2 or r.size == 0:
        raise InvalidBatch(f"returns have shape {r.shape}: give (N, L), the returns of L episodes for each sample")
    return np.asarray(r.sum(axis=1) / r.shape[1])


def elite_count(samples: int, rho: Any) -> int:
    """N, ρ -> m: how many samples are elites.

        m = ⌊ρ N⌋

    ρ is read as the decimal it is written as: 0.29 of 100 are 29, where floats say 28.999999999999996. Raises
    `InvalidBatch` for ρ outside [0, 1] and where no elite is left.
    Source: Mannor, Rubinstein and Gat (2003); de Boer et al. (2005), §3, round up.

    >>> elite_count(100, 0.29), elite_count(25, 0.1)
    (29, 2)
    """
    share = ar.as_fraction(str(rho))
    if not 0 <= share <= 1 or (count := floor(share * samples)) < 1:
        raise InvalidBatch(f"rho = {rho} of {samples} samples: give a share in [0, 1] that leaves at least one elite")
    return count


def elites(samples: Any, fitness: Any, count: int) -> Array:
    """(N, d), (N,) -> (m, d): the `count` fittest samples, the fittest first; of equals, those that come first.

        θ'_1, ..., θ'_m with F(θ'_1) ≥ ... ≥ F(θ'_m) ≥ all others

    Raises `InvalidBatch` for a count outside 1 ... N, lengths that differ, NaN.
    Source: de Boer et al. (2005), §3.

    >>> elites([[1.0], [2.0], [3.0]], [0.0, 9.0, 5.0], 2).tolist()
    [[2.0], [3.0]]
    """
    f, theta = population(fitness, samples=samples)
    if not 1 <= count <= len(f):
        raise InvalidBatch(f"count = {count}: give from 1 to {len(f)}, the number of samples")
    return np.asarray(theta[np.argsort(-f, kind="stable")[:count]])


def refit(chosen: Any, noise: Any = 0) -> DiagonalGaussian:
    """(m, d), a scalar or (d,) -> DiagonalGaussian: the likeliest diagonal Gaussian of the elites, η added to its variance.

        μ(j) = 1/m Σ_i θ'_i(j),   σ²(j) = 1/m Σ_i (θ'_i(j) - μ(j))² + η

    Divided by m, not m - 1. Raises `InvalidBatch` for η below 0. `noise` η: added variance, at least that of the result.
    Source: de Boer et al. (2005), §3; η: Szita and Lőrincz (2006), §2.

    >>> fit = refit([[1.0], [3.0]], noise=0.25)
    >>> fit.mean.tolist(), fit.variance.tolist()
    ([2.0], [1.25])
    """
    theta, eta = read(elites=chosen, noise=noise)
    within(0, None, noise=eta)
    if theta.ndim != 2 or theta.size == 0 or eta.shape not in ((), theta.shape[1:]):
        raise InvalidBatch(f"elites {theta.shape}, noise {eta.shape}: give (m, d), and a scalar or (d,)")
    mu = theta.sum(axis=0) / len(theta)
    return DiagonalGaussian(mu, ((theta - mu) ** 2).sum(axis=0) / len(theta) + eta)


def cem_update(samples: Any, fitness: Any, count: int, noise: Any = 0) -> DiagonalGaussian:
    """(N, d), (N,) -> DiagonalGaussian: one generation of the cross-entropy method.

        (μ, σ²) ← refit(elites(θ, F, m), η)

    Raises as `elites` and `refit`.
    Source: Szita and Lőrincz (2006), §2.

    >>> cem_update([[0.0], [1.0], [3.0]], [0.0, 2.0, 1.0], 2).mean.tolist()
    [2.0]
    """
    return refit(elites(samples, fitness, count), noise)


def smoothed(old: Any, new: Any, share: Any) -> Array:
    """(d,), (d,) -> (d,): part of the way from the old parameter to the refitted one, for means or variances.

        x ← α x_new + (1 - α) x_old,   0 ≤ α ≤ 1

    Raises `InvalidBatch` for α outside [0, 1].
    Source: de Boer et al. (2005), §3, on smoothed updating.

    >>> smoothed([0.0, 4.0], [1.0, 0.0], 0.25).tolist()
    [0.25, 3.0]
    """
    x, y, a = read(old=old, new=new, share=share)
    within(0, 1, share=a)
    if x.shape != y.shape:
        raise InvalidBatch(f"shapes differ: old {x.shape}, new {y.shape}. Give the same parameter twice")
    return np.asarray(a * y + (1 - a) * x)


def elite_cross_entropy(chosen: Any, mean: Any, variance: Any) -> Any:
    """(m, d), (d,), (d,) -> a number: the cross-entropy of the elites and a diagonal Gaussian, minimised by `refit`.

        H = -1/m Σ_i log N(θ'_i; μ, σ²) = 1/2 Σ_j (log 2π σ²(j) + 1/m Σ_i (θ'_i(j) - μ(j))² / σ²(j))

    What it lies above its least value is KL(refit‖N(μ, σ²)). In nats. Raises `InvalidBatch` for a variance not above 0.
    Source: de Boer et al. (2005), §2.

    >>> float(elite_cross_entropy([[1.0], [-1.0]], [0.0], [1.0]).round(6))  # 1/2 log 2π + 1/2
    1.418939
    """
    theta, mu, v = elites_beside(chosen, mean, variance)
    spread = ((theta - mu) ** 2).sum(axis=0) / len(theta)
    return ((ar.log(v) + np.log(2 * pi) + spread / v) / 2).sum()


def elite_cross_entropy_gradient(chosen: Any, mean: Any, variance: Any) -> DiagonalGaussian:
    """(m, d), (d,), (d,) -> DiagonalGaussian: dH/dμ and dH/dσ², (d,) each; 0 at the refit.

        dH/dμ = (μ - mean θ') / σ²,   dH/dσ² = (1 - mean (θ' - μ)² / σ²) / (2 σ²)

    Runs on Fractions. Raises as `elite_cross_entropy`.
    Source: differentiated from de Boer et al. (2005), §2.

    >>> slope = elite_cross_entropy_gradient([[1.0], [-1.0]], [1.0], [2.0])
    >>> slope.mean.tolist(), slope.variance.tolist()
    ([0.5], [0.0])
    """
    theta, mu, v = elites_beside(chosen, mean, variance)
    spread = ((theta - mu) ** 2).sum(axis=0) / len(theta)
    return DiagonalGaussian((mu - theta.sum(axis=0) / len(theta)) / v, (1 - spread / v) / (2 * v))


def elites_beside(chosen: Any, mean: Any, variance: Any) -> list[Array]:
    theta, mu, v = read(elites=chosen, mean=mean, variance=variance)
    positive(variance=v)
    if theta.ndim != 2 or theta.size == 0 or not mu.shape == v.shape == theta.shape[1:]:
        raise InvalidBatch(f"elites {theta.shape}, mean {mu.shape}, variance {v.shape}: give (m, d), (d,), (d,)")
    return [theta, mu, v]


def truncated_gaussian(rho: float) -> tuple[float, float]:
    """ρ -> (κ, v): mean and variance of a standard normal variable given that it lies in its upper share ρ.

        κ = φ(c) / ρ,   v = 1 + c κ - κ²,   Φ(c) = 1 - ρ

    One generation with N → ∞ on a linear fitness: μ + σ κ along its slope, σ² v + η there, σ² + η across. Raises
    `InvalidBatch` for ρ outside (0, 1).
    Source: Greene (2003), "Econometric Analysis", theorem 22.2.

    >>> [round(x, 6) for x in truncated_gaussian(0.5)]  # √(2/π), 1 - 2/π
    [0.797885, 0.36338]
    """
    if not 0 < rho < 1:
        raise InvalidBatch(f"rho = {rho}: give a share between 0 and 1")
    cut = -float(ndtri(rho))
    shift = exp(-(cut**2) / 2) / sqrt(2 * pi) / rho
    return shift, 1 + cut * shift - shift**2
