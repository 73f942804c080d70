import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.fitness_shaping import nes_utilities
from rlexact.formulas.nes import full_natural_gradient, full_search_gradient, natural_gradient, search_gradient
from rlexact.formulas.xnes import SearchState, snes_rate, snes_update, xnes_rate, xnes_update

RNG = np.random.default_rng(0)
MEAN, FACTOR = RNG.normal(size=3), RNG.normal(size=(3, 3)) + 3 * np.eye(3)
DRAWS, UTILITIES = RNG.normal(size=(8, 3)), nes_utilities(RNG.normal(size=8))
STEP = 1e-30  # complex step: no subtraction, exact to rounding


def bent(x):
    return -((x**2) @ np.array([1.0, 10.0, 100.0])) - np.abs(x - 1).sum(axis=1)


def test_xnes_starts_along_the_natural_gradient():
    """d/dη of μ and of Σ = A Aᵀ at η = 0, N times utilities for fitness."""
    moved = xnes_update(SearchState(MEAN, FACTOR), DRAWS, UTILITIES, *[1j * STEP] * 3)
    S, theta = FACTOR @ FACTOR.T, MEAN + DRAWS @ FACTOR.T
    natural = full_natural_gradient(full_search_gradient(8 * UTILITIES, theta, MEAN, (S + S.T) / 2), S)
    np.testing.assert_allclose(moved.mean.imag / STEP, natural.mean, rtol=1e-12)
    np.testing.assert_allclose((moved.factor @ moved.factor.T).imag / STEP, natural.spread, rtol=1e-11, atol=1e-12)


def test_snes_starts_along_the_natural_gradient():
    sigma = np.array([0.5, 1.0, 3.0])
    moved = snes_update(SearchState(MEAN, sigma), DRAWS, UTILITIES, 1j * STEP, 1j * STEP)
    natural = natural_gradient(search_gradient(8 * UTILITIES, DRAWS, sigma), sigma)
    np.testing.assert_allclose(moved.mean.imag / STEP, natural.mean, rtol=1e-12)
    np.testing.assert_allclose(moved.factor.imag / STEP, natural.spread, rtol=1e-12)


def test_every_linear_map_carries_runs_over():
    T, rng = np.array([[1.0, 4.0, 0.0], [0.0, 1.0, -2.0], [0.0, 0.0, 3.0]]), np.random.default_rng(1)
    inverse = np.linalg.inv(T)
    first, second = SearchState(MEAN, FACTOR), SearchState(inverse @ MEAN, inverse @ FACTOR)
    for _ in range(30):
        z = rng.normal(size=(9, 3))
        u = nes_utilities(bent(first.mean + z @ first.factor.T))
        v = nes_utilities(bent((second.mean + z @ second.factor.T) @ T.T))
        first, second = (xnes_update(s, z, w, 1, 0.3, 0.2) for s, w in ((first, u), (second, v)))
    np.testing.assert_allclose(T @ second.mean, first.mean, rtol=1e-9)  # rounding of 30 generations
    np.testing.assert_allclose(T @ second.factor, first.factor, rtol=1e-9, atol=1e-12)


def test_shape_keeps_the_volume_and_size_keeps_the_shape():
    state = SearchState(MEAN, FACTOR)
    shaped, sized = (xnes_update(state, DRAWS, UTILITIES, 1, *rates) for rates in ((0, 0.7), (0.7, 0)))
    np.testing.assert_allclose(np.linalg.det(shaped.factor), np.linalg.det(FACTOR), rtol=1e-12)
    trace = UTILITIES @ (DRAWS**2 - 1).sum(axis=1)
    np.testing.assert_allclose(sized.factor, FACTOR * math.exp(0.7 * trace / 6), rtol=1e-12)


def test_in_one_dimension_both_are_the_same():
    z, u = DRAWS[:, :1], UTILITIES
    full = xnes_update(SearchState(MEAN[:1], np.array([[2.0]])), z, u, 1, 0.4, 0.9)
    single = snes_update(SearchState(MEAN[:1], np.array([2.0])), z, u, 1, 0.4)
    np.testing.assert_allclose([full.mean[0], full.factor[0, 0]], [single.mean[0], single.factor[0]], rtol=1e-14)


def test_published_rates():
    """η_SNES / η_xNES = d/3 at every d."""
    for d in (1, 2, 5, 10):
        np.testing.assert_allclose(snes_rate(d) / xnes_rate(d), d / 3, rtol=1e-14)
    np.testing.assert_allclose(snes_rate(4), (3 + 2 * math.log(2)) / 10, rtol=1e-14)
    np.testing.assert_allclose(xnes_rate(4), (9 + 6 * math.log(2)) / 40, rtol=1e-14)


def test_refusals():
    with pytest.raises(InvalidBatch, match="do not fit"):
        xnes_update(SearchState(MEAN, MEAN), DRAWS, UTILITIES, 1, 1, 1)
    with pytest.raises(InvalidBatch, match="factor"):
        snes_update(SearchState(MEAN, np.array([1.0, 1.0, 0.0])), DRAWS, UTILITIES, 1, 1)
    with pytest.raises(InvalidBatch, match="give"):
        snes_update(SearchState(MEAN, np.ones(2)), DRAWS, UTILITIES, 1, 1)
    half = Fraction(1, 2)
    with pytest.raises(NotExact):
        xnes_update(SearchState(np.array([half]), np.array([[half]])), [[half]], [half], 1, 1, 1)
