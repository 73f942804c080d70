from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.ornstein_uhlenbeck import (
    ornstein_uhlenbeck,
    ornstein_uhlenbeck_correlation,
    ornstein_uhlenbeck_variance,
)

F = Fraction
THETA, STD, DT, STEPS = F(2, 3), F(1, 5), F(1, 4), 12


def responses():
    """The path is linear in the noise: column j is the path that a unit kick at step j drives, from 0 around 0."""
    units = [[F(int(i == j)) for i in range(STEPS)] for j in range(STEPS)]
    return np.stack([ornstein_uhlenbeck(unit, 0, 0, THETA, STD, DT) for unit in units], axis=1)


def test_variance_of_the_path_approaches_the_stationary_one():
    """From a fixed start, Var x_k = (1 - (1 - θΔ)^2k) of it, exactly."""
    by_kicks = (responses() ** 2).sum(axis=1)
    stationary, keep = ornstein_uhlenbeck_variance(THETA, STD, DT), 1 - THETA * DT
    assert list(by_kicks) == [(1 - keep ** (2 * k)) * stationary for k in range(1, STEPS + 1)]
    assert stationary[()] == keep**2 * stationary + STD**2 * DT


def test_correlation_of_the_path():
    h = responses()
    k, m = 5, 4
    covariance = (h[k] * h[k + m]).sum()
    assert covariance == ornstein_uhlenbeck_correlation(m, THETA, DT) * (h[k] ** 2).sum()
    assert ornstein_uhlenbeck_correlation(3, F(4), DT) == 0  # θΔ = 1: independent noise


def test_without_noise_it_decays_to_the_mean():
    path = ornstein_uhlenbeck([F(0)] * 5, F(3), F(1), THETA, STD, DT)
    assert list(path) == [1 + 2 * (1 - THETA * DT) ** k for k in range(1, 6)]


def test_small_steps_have_the_process_s_variance():
    assert ornstein_uhlenbeck_variance(THETA, STD) == STD**2 / (2 * THETA)
    assert ornstein_uhlenbeck_variance(0.15, 0.2, 0.01) == pytest.approx(0.2**2 / 0.3, rel=1e-3)  # θΔ/2 = 0.00075


def test_axes():
    noise = np.ones((4, 3))
    found = ornstein_uhlenbeck(noise, np.array([0.0, 1.0, 2.0]), 0.0, 0.5, 0.2, 0.25)
    for column in range(3):
        alone = ornstein_uhlenbeck(noise[:, column], float(column), 0.0, 0.5, 0.2, 0.25)
        np.testing.assert_array_equal(found[:, column], alone)


def test_refusals():
    for theta, dt in ((1.0, 2.0), (3.0, 1.0)):
        with pytest.raises(InvalidBatch, match="grow without bound"):
            ornstein_uhlenbeck_variance(theta, 1.0, dt)
    with pytest.raises(InvalidBatch, match="theta"):
        ornstein_uhlenbeck_variance(0.0, 1.0)
    with pytest.raises(InvalidBatch, match="lag"):
        ornstein_uhlenbeck_correlation(-1, 0.5, 0.5)
    with pytest.raises(InvalidBatch, match="time axis"):
        ornstein_uhlenbeck(1.0, 0.0, 0.0, 0.5, 0.2, 1.0)
    with pytest.raises(NotExact, match="square root"):
        ornstein_uhlenbeck([F(1)], F(0), F(0), THETA, STD, F(1, 2))
