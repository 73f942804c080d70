"""The default constants of CMA-ES: functions of the dimension n and the population λ alone.

    λ = 4 + ⌊3 ln n⌋                          w'_i = ln((λ + 1)/2) - ln i                  i = 1 ... λ, the fittest first
    μ_eff = (Σ w)² / Σ w²  over the positive w';   μ_eff⁻ the same over the negative ones
    c_σ = (μ_eff + 2)/(n + μ_eff + 5)         d_σ = 1 + 2 max(0, √((μ_eff - 1)/(n + 1)) - 1) + c_σ
    c_c = (4 + μ_eff/n)/(n + 4 + 2 μ_eff/n)   c_1 = 2/((n + 1.3)² + μ_eff)
    c_μ = min(1 - c_1, 2 (μ_eff - 2 + 1/μ_eff)/((n + 2)² + μ_eff))                         c_m = 1

Positive weights sum to 1. Negative ones sum to -min(1 + c_1/c_μ, 1 + 2 μ_eff⁻/(μ_eff + 2), (1 - c_1 - c_μ)/(n c_μ)), which
keeps the covariance positive definite. Hansen (2016), "The CMA evolution strategy: a tutorial", arXiv:1604.00772v1, Table 1;
its revision of 2023 adds 1/4 to the bracket of c_μ.
"""

from dataclasses import dataclass
from math import exp, floor, lgamma, log, sqrt

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch


@dataclass(frozen=True, eq=False)
class Constants:
    """What `update` needs: `weights` (λ,) from the fittest down, and the published rates."""

    weights: Array
    mu_eff: float
    c_m: float
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float


def default_population(dimension: int) -> int:
    """n -> λ: how many samples a generation has.

        λ = 4 + ⌊3 ln n⌋

    Raises `InvalidBatch` for n below 1.
    Source: Hansen (2016), Table 1, (48).

    >>> [default_population(n) for n in (2, 5, 10)]
    [6, 8, 10]
    """
    if dimension < 1:
        raise InvalidBatch(f"dimension = {dimension}: give at least 1")
    return 4 + floor(3 * log(dimension))


def raw_weights(population: int) -> Array:
    """λ -> (λ,): the weights before they are normalised; the worse half is negative.

        w'_i = ln((λ + 1)/2) - ln i

    Raises `InvalidBatch` for λ below 2.
    Source: Hansen (2016), Table 1, (49).

    >>> raw_weights(3).round(6)  # ln 2, 0, ln 2/3
    array([ 0.693147,  0.      , -0.405465])
    """
    if population < 2:
        raise InvalidBatch(f"population = {population}: selection needs at least 2 samples")
    return np.asarray(log((population + 1) / 2) - np.log(np.arange(1, population + 1)))


def effective_mass(weights: Array) -> float:
    """(m,) -> a number from 1 to m: how many equal weights average as much as these do.

        μ_eff = (Σ w)² / Σ w²

    1/μ_eff is the variance of Σ w_i z_i / Σ w_i, z_i independent of variance 1.
    Source: Hansen (2016), (8).

    >>> effective_mass([1.0, 1.0, 0.0])
    2.0
    """
    w = np.asarray(weights, dtype=float)
    if not w.any():
        raise InvalidBatch(f"weights {w}: none differs from 0, there is nothing to average")
    return float(w.sum() ** 2 / (w**2).sum())


def mean_norm(dimension: int) -> float:
    """n -> E‖N(0, I)‖, the length that an evolution path has without selection.

        E‖N(0, I)‖ = √2 Γ((n + 1)/2) / Γ(n/2)

    Source: Hansen (2016), Figure 6.

    >>> round(mean_norm(2), 6)  # √(π/2)
    1.253314
    """
    return sqrt(2) * exp(lgamma((dimension + 1) / 2) - lgamma(dimension / 2))


def mean_norm_approximation(dimension: int) -> float:
    """n -> the approximation of E‖N(0, I)‖ that implementations use: 0.08 % high at n = 2, 0.013 % at n = 10.

        √n (1 - 1/(4n) + 1/(21 n²))

    Source: Hansen (2016), Figure 6.

    >>> round(mean_norm_approximation(2), 6)
    1.254273
    """
    return sqrt(dimension) * (1 - 1 / (4 * dimension) + 1 / (21 * dimension**2))


def step_size_cumulation(dimension: int, mu_eff: float) -> float:
    """n, μ_eff -> c_σ, what a generation counts in the path of the step size.

        c_σ = (μ_eff + 2)/(n + μ_eff + 5)

    Source: Hansen (2016), Table 1, (55).

    >>> step_size_cumulation(4, 3.0)
    0.4166666666666667
    """
    return (mu_eff + 2) / (dimension + mu_eff + 5)


def step_size_damping(dimension: int, mu_eff: float) -> float:
    """n, μ_eff -> d_σ, about 1: how slowly the step size follows its path.

        d_σ = 1 + 2 max(0, √((μ_eff - 1)/(n + 1)) - 1) + c_σ

    Source: Hansen (2016), Table 1, (55).

    >>> step_size_damping(4, 21.0)  # 1 + 2 (√(20/5) - 1) + 23/30
    3.7666666666666666
    """
    return 1 + 2 * max(0, sqrt((mu_eff - 1) / (dimension + 1)) - 1) + step_size_cumulation(dimension, mu_eff)


def covariance_cumulation(dimension: int, mu_eff: float) -> float:
    """n, μ_eff -> c_c, what a generation counts in the path of the covariance.

        c_c = (4 + μ_eff/n)/(n + 4 + 2 μ_eff/n)

    Source: Hansen (2016), Table 1, (56).

    >>> covariance_cumulation(2, 2.0)
    0.625
    """
    return (4 + mu_eff / dimension) / (dimension + 4 + 2 * mu_eff / dimension)


def rank_one_rate(dimension: int, mu_eff: float) -> float:
    """n, μ_eff -> c_1, the learning rate of the rank-one update, about 2/n².

        c_1 = 2/((n + 1.3)² + μ_eff)

    Source: Hansen (2016), Table 1, (57).

    >>> round(rank_one_rate(2, 2.0), 6)  # 2/12.89
    0.155159
    """
    return 2 / ((dimension + 1.3) ** 2 + mu_eff)


def rank_mu_rate(dimension: int, mu_eff: float, offset: float = 0) -> float:
    """n, μ_eff -> c_μ, the learning rate of the rank-μ update, about μ_eff/n²; 0 at μ_eff = 1.

        c_μ = min(1 - c_1, 2 (offset + μ_eff - 2 + 1/μ_eff)/((n + 2)² + μ_eff))

    The tutorial of 2016 has offset 0, its revision of 2023 has 1/4.
    Source: Hansen (2016), Table 1, (58).

    >>> round(rank_mu_rate(2, 2.0), 6)  # 2 · 1/2 / 18
    0.055556
    """
    bracket = offset + mu_eff - 2 + 1 / mu_eff
    return min(1 - rank_one_rate(dimension, mu_eff), 2 * bracket / ((dimension + 2) ** 2 + mu_eff))


def default_constants(dimension: int, population: int | None = None, negative: bool = True) -> Constants:
    """n, λ -> Constants: all of Table 1; without `negative` weights, those of the worse half are 0.

        w_i = w'_i / Σ w'⁺  where w'_i ≥ 0,   min(α_μ, α_μeff, α_pos) w'_i / Σ |w'⁻|  where w'_i < 0
        α_μ = 1 + c_1/c_μ,   α_μeff = 1 + 2 μ_eff⁻/(μ_eff + 2),   α_pos = (1 - c_1 - c_μ)/(n c_μ)

    Raises `InvalidBatch` for n below 1 and λ below 2.
    Source: Hansen (2016), Table 1, (49) to (58).

    >>> default_constants(10).weights[:5].round(4)
    array([0.4563, 0.2708, 0.1622, 0.0852, 0.0255])
    """
    raw = raw_weights(default_population(dimension) if population is None else population)
    up, down = np.maximum(raw, 0), np.minimum(raw, 0)
    mu_eff = effective_mass(up)
    c_1, c_mu = rank_one_rate(dimension, mu_eff), rank_mu_rate(dimension, mu_eff)
    scale = negative_mass(dimension, c_1, c_mu, mu_eff, effective_mass(down)) if negative else 0.0
    return Constants(
        weights=up / up.sum() + scale * down / abs(down.sum()),
        mu_eff=mu_eff,
        c_m=1.0,
        c_sigma=step_size_cumulation(dimension, mu_eff),
        d_sigma=step_size_damping(dimension, mu_eff),
        c_c=covariance_cumulation(dimension, mu_eff),
        c_1=c_1,
        c_mu=c_mu,
    )


def negative_mass(dimension: int, c_1: float, c_mu: float, mu_eff: float, mu_eff_minus: float) -> float:
    """What the negative weights sum to, without its sign; with c_μ = 0 they never count."""
    bound = 1 + 2 * mu_eff_minus / (mu_eff + 2)
    return bound if c_mu <= 0 else min(1 + c_1 / c_mu, bound, (1 - c_1 - c_mu) / (dimension * c_mu))
