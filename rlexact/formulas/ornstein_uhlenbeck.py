"""Ornstein-Uhlenbeck noise: exploration that remembers its direction.

    dx = θ (μ - x) dt + s dW                          drift back to μ at rate θ, noise of size s
    x_{k+1} = x_k + θ (μ - x_k) Δ + s √Δ z_k          its Euler step, which is what code runs
    Var x = s²/(θ (2 - θΔ))                           of the steps, once stationary: a fixed point of v = (1 - θΔ)² v + s²Δ
    corr(x_k, x_{k+m}) = (1 - θΔ)^m

As Δ → 0 the variance is s²/(2θ) and the correlation e^{-θt}. The steps settle down only for 0 < θΔ < 2; at θΔ = 1 they are
independent noise. Uhlenbeck and Ornstein (1930); Lillicrap et al. (2016), §3, with θ = 0.15, s = 0.2.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, of_shape, positive, read, refuse_where, time_major, within


def settling(theta: Any, std: Any, dt: Any) -> tuple[Array, Array, Array]:
    """θ > 0, s ≥ 0, Δ ≥ 0, scalars with θΔ < 2."""
    rate, s, step = read(theta=theta, std=std, dt=dt)
    of_shape((), theta=rate, std=s, dt=step)
    positive(theta=rate)
    within(0, None, std=s, dt=step)
    refuse_where(
        ~ar.negative(np.real(rate * step) - 2), "theta dt", rate * step, "below 2: the steps grow without bound"
    )
    return rate, s, step


def ornstein_uhlenbeck(noise: Any, start: Any, mean: Any, theta: Any, std: Any, dt: Any) -> Array:
    """(T, ...), (...), () -> (T, ...): the path x_1 ... x_T that standard normal noise drives, time first.

        x_{k+1} = x_k + θ (μ - x_k) Δ + s √Δ z_k

    Fractions keep their world where Δ is a square. Raises `InvalidBatch` unless θ > 0, s ≥ 0, Δ ≥ 0 and θΔ < 2.
    Source: Lillicrap et al. (2016), §3, by the Euler-Maruyama step.

    >>> ornstein_uhlenbeck([0.0, 2.0], 4.0, 0.0, 0.5, 1.0, 1.0)
    array([2., 3.])
    """
    z, x, mu = read(noise=noise, start=start, mean=mean)
    time_major(noise=z)
    of_shape(z.shape[1:], start=x, mean=mu)
    rate, s, step = settling(theta, std, dt)
    numbers(noise=z, theta=rate)
    out, kick = [], s * ar.square_root(step)
    for z_k in z:
        x = x + rate * (mu - x) * step + kick * z_k
        out.append(x)
    return np.stack(out)


def ornstein_uhlenbeck_variance(theta: Any, std: Any, dt: Any = 0) -> Array:
    """() each -> (): the stationary variance of the steps; of the process itself where Δ = 0; it runs on Fractions.

        Var x = s²/(θ (2 - θΔ))

    Raises as `ornstein_uhlenbeck`.
    Source: Uhlenbeck and Ornstein (1930), (21); the fixed point of the Euler step's variance.

    >>> ornstein_uhlenbeck_variance(0.5, 1.0), ornstein_uhlenbeck_variance(0.5, 1.0, 2.0)
    (array(1.), array(2.))
    """
    rate, s, step = settling(theta, std, dt)
    return np.asarray(s**2 / (rate * (2 - rate * step)))


def ornstein_uhlenbeck_correlation(lag: int, theta: Any, dt: Any) -> Array:
    """() each -> (): the stationary correlation of noise `lag` steps apart; it runs on Fractions.

        corr(x_k, x_{k+m}) = (1 - θΔ)^m

    Raises `InvalidBatch` for a negative lag, and as `ornstein_uhlenbeck`.
    Source: the Euler step, multiplied by x_k and averaged.

    >>> ornstein_uhlenbeck_correlation(2, 0.5, 1.0)
    array(0.25)
    """
    if lag < 0:
        raise InvalidBatch(f"lag = {lag}: give at least 0 steps")
    rate, _, step = settling(theta, 0, dt)
    return np.asarray((1 - rate * step) ** lag)
