"""Natural evolution strategies in coordinates where the Fisher matrix is the identity: xNES (full) and SNES (diagonal).

    θ_i = μ + A z_i,   Σ = A Aᵀ,   u_i the utility of sample i               fitness is maximised
    G_δ = Σ u z      G_M = Σ u (z zᵀ - I)      G_σ = tr G_M / d      G_B = G_M - G_σ I
    xNES     μ ← μ + η_μ A G_δ      A ← A exp((η_σ G_σ I + η_B G_B)/2)
    SNES     μ ← μ + η_μ σ ⊙ G_δ    σ ← σ ⊙ exp(η_σ/2 Σ u (z² - 1))

The exponential keeps Σ positive definite whatever the step; to first order the step is the natural gradient. The draws alone
decide G, so a run on F(T θ) from (T⁻¹ μ, T⁻¹ A) is the image of the run on F from (μ, A), for every invertible T. Glasmachers,
Schaul, Sun, Wierstra and Schmidhuber (2010); Schaul, Glasmachers and Schmidhuber (2011) for SNES; constants: Wierstra et al.
(2014), Table 1.
"""

from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import scipy.linalg

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, positive, read
from rlexact.formulas.fitness_shaping import population


@dataclass(frozen=True, eq=False)
class SearchState:
    """`mean` μ (d,), and `factor`: A (d, d) of xNES, or σ (d,) of SNES."""

    mean: Array
    factor: Array


def xnes_rate(dimension: int) -> float:
    """d -> η_σ = η_B, the default learning rates of xNES beside η_μ = 1.

        η = (9 + 3 log d) / (5 d √d)

    Source: Wierstra et al. (2014), Table 1.

    >>> xnes_rate(1)
    1.8
    """
    return (9 + 3 * log(dimension)) / (5 * dimension * sqrt(dimension))


def snes_rate(dimension: int) -> float:
    """d -> η_σ, the default learning rate of SNES beside η_μ = 1.

        η = (3 + log d) / (5 √d)

    Source: Wierstra et al. (2014), Table 1.

    >>> snes_rate(1)
    0.6
    """
    return (3 + log(dimension)) / (5 * sqrt(dimension))


def xnes_update(
    state: SearchState, draws: Any, utilities: Any, rate_mean: Any, rate_sigma: Any, rate_shape: Any
) -> SearchState:
    """SearchState, (N, d), (N,) -> SearchState: one generation of xNES, `utilities[i]` that of μ + A draws[i].

        μ ← μ + η_μ A G_δ,   A ← A exp((η_σ G_σ I + η_B G_B)/2)

    Raises `InvalidBatch` for shapes that do not fit, `NotExact` for exact numbers.
    Source: Glasmachers et al. (2010), algorithm 1.

    >>> new = xnes_update(SearchState(np.zeros(1), np.eye(1)), [[1.0], [-2.0]], [0.5, -0.5], 1, 0.5, 0.5)
    >>> new.mean.tolist(), float(new.factor[0, 0].round(6))  # G_M = -3/2, e^(-3/8)
    ([1.5], 0.687289)
    """
    u, z = population(utilities, draws=draws)
    n = z.shape[1]
    if state.mean.shape != (n,) or state.factor.shape != (n, n):
        raise InvalidBatch(f"mean {state.mean.shape}, factor {state.factor.shape}, draws {z.shape} do not fit")
    if ar.is_exact(z):
        raise ar.NotExact("the exponential of a rational matrix is not rational: give floats")
    identity = np.eye(n)
    moment = (u * z.T) @ z - u.sum() * identity
    scale = np.trace(moment) / n * identity
    growth = scipy.linalg.expm((rate_sigma * scale + rate_shape * (moment - scale)) / 2)
    return SearchState(state.mean + rate_mean * state.factor @ (u @ z), state.factor @ growth)


def snes_update(state: SearchState, draws: Any, utilities: Any, rate_mean: Any, rate_sigma: Any) -> SearchState:
    """SearchState, (N, d), (N,) -> SearchState: one generation of SNES, `utilities[i]` that of μ + σ ⊙ draws[i].

        μ ← μ + η_μ σ ⊙ Σ u z,   σ ← σ ⊙ exp(η_σ/2 Σ u (z² - 1))

    Raises `InvalidBatch` for shapes that do not fit and σ not above 0, `NotExact` for exact numbers.
    Source: Schaul, Glasmachers and Schmidhuber (2011), algorithm 2; Wierstra et al. (2014), algorithm 6.

    >>> new = snes_update(SearchState(np.zeros(1), np.ones(1)), [[1.0], [-2.0]], [0.5, -0.5], 1, 0.5)
    >>> new.mean.tolist(), float(new.factor[0].round(6))
    ([1.5], 0.687289)
    """
    u, z = population(utilities, draws=draws)
    mu, s = read(mean=state.mean, factor=state.factor)
    positive(factor=s)
    if not mu.shape == s.shape == z.shape[1:]:
        raise InvalidBatch(f"mean {mu.shape}, factor {s.shape}, draws {z.shape}: give (d,), (d,), (N, d)")
    growth = ar.exp(rate_sigma * (u @ (z**2 - 1)) / 2)
    return SearchState(np.asarray(mu + rate_mean * s * (u @ z)), np.asarray(s * growth))
