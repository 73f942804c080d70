from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import truncnorm

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cem import (
    average_score,
    cem_update,
    diagonal_samples,
    elite_count,
    elite_cross_entropy,
    elite_cross_entropy_gradient,
    elites,
    refit,
    smoothed,
    truncated_gaussian,
)
from rlexact.formulas.fitness_shaping import truncation_utilities
from rlexact.formulas.gaussian import diagonal_gaussian_log_density, gaussian_kl

RNG = np.random.default_rng(0)
POINTS = np.array([[Fraction(int(x), 3) for x in row] for row in RNG.integers(-9, 9, (7, 2))])
FITNESS = [Fraction(int(x)) for x in RNG.permutation(7)]
RULE = [Fraction(x) for x in (0, 0, 0, 0, 0, 0, 1, 1, -1, -1, 2, -2)]  # moments 0, 1, 0, 3, 0 of a standard normal


def test_samples_have_the_moments_asked_for():
    """On a rule that integrates polynomials of degree 5 against N(0, 1), mean and variance come out exactly."""
    z = np.array([[x, y] for x in RULE for y in RULE])
    theta = diagonal_samples([Fraction(1), Fraction(-2)], [Fraction(100), Fraction(9, 4)], z)
    assert (theta.sum(axis=0) / 144).tolist() == [1, -2]
    spread = (theta - [1, -2]).T @ (theta - [1, -2]) / 144
    assert spread.tolist() == [[100, 0], [0, Fraction(9, 4)]]
    with pytest.raises(NotExact):
        diagonal_samples([Fraction(0)], Fraction(2), [[Fraction(1)]])


def test_elites_are_the_best_subset():
    chosen = elites(POINTS, FITNESS, 3).tolist()
    best = max(combinations(range(7), 3), key=lambda group: sum(FITNESS[i] for i in group))
    assert sorted(chosen) == sorted(POINTS[i].tolist() for i in best)
    assert chosen[0] == POINTS[FITNESS.index(6)].tolist()
    assert elites([[1.0], [2.0], [3.0]], [5.0, 5.0, 5.0], 2).tolist() == [[1.0], [2.0]]


def test_the_mean_is_that_of_truncation_utilities():
    fit = cem_update(POINTS, FITNESS, 3)
    assert fit.mean.tolist() == (truncation_utilities(FITNESS, 3) @ POINTS).tolist()


def test_variance_by_pairs():
    """1/(2 m²) Σ_i Σ_j (x_i - x_j)²: without a mean."""
    eta = Fraction(1, 8)
    fit, m = refit(POINTS, eta), len(POINTS)
    by_pairs = ((POINTS[:, None] - POINTS[None]) ** 2).sum(axis=(0, 1)) / (2 * m**2)
    assert fit.variance.tolist() == (by_pairs + eta).tolist()
    assert refit(POINTS[:1], eta).variance.tolist() == [eta, eta]
    assert refit(POINTS[:1]).variance.tolist() == [0, 0]


def test_refit_is_the_projection():
    """H(N) - H(refit) = KL(refit‖N): the refit is the least, and the gradient vanishes there."""
    points = POINTS.astype(float)
    fit, mean, variance = refit(points), np.array([0.3, -1.0]), np.array([2.0, 0.7])
    excess = elite_cross_entropy(points, mean, variance) - elite_cross_entropy(points, fit.mean, fit.variance)
    kl = gaussian_kl(fit.mean, np.sqrt(fit.variance), mean, np.sqrt(variance)).sum()
    np.testing.assert_allclose(excess, kl, rtol=1e-13)
    exact = refit(POINTS)
    slope = elite_cross_entropy_gradient(POINTS, exact.mean, exact.variance)
    assert slope.mean.tolist() == slope.variance.tolist() == [0, 0]


def test_cross_entropy_is_minus_the_mean_log_density():
    points, mean, variance = POINTS.astype(float), np.array([0.3, -1.0]), np.array([2.0, 0.7])
    shape = points.shape
    logs = diagonal_gaussian_log_density(
        points, np.broadcast_to(mean, shape), np.broadcast_to(np.sqrt(variance), shape)
    )
    np.testing.assert_allclose(elite_cross_entropy(points, mean, variance), -logs.mean(), rtol=1e-14)


def test_cross_entropy_gradient_by_complex_step():
    points, mean, variance, step = POINTS.astype(float), np.array([0.3, -1.0]), np.array([2.0, 0.7]), 1e-30
    slope = elite_cross_entropy_gradient(points, mean, variance)
    for j, unit in enumerate(np.eye(2)):
        in_mean = elite_cross_entropy(points, mean + 1j * step * unit, variance).imag / step
        in_variance = elite_cross_entropy(points, mean, variance + 1j * step * unit).imag / step
        np.testing.assert_allclose([slope.mean[j], slope.variance[j]], [in_mean, in_variance], rtol=1e-13)


def test_it_moves_with_shifts_and_scales_of_the_axes_but_not_with_rotations():
    shift, scale = np.array([Fraction(5), Fraction(-1, 2)]), np.array([Fraction(-3), Fraction(1, 4)])
    before, after = cem_update(POINTS, FITNESS, 3), cem_update(POINTS * scale + shift, FITNESS, 3)
    assert after.mean.tolist() == (before.mean * scale + shift).tolist()
    assert after.variance.tolist() == (before.variance * scale**2).tolist()
    turn = np.array([[Fraction(3, 5), Fraction(4, 5)], [Fraction(-4, 5), Fraction(3, 5)]])
    turned = cem_update(POINTS @ turn.T, FITNESS, 3)
    assert turned.mean.tolist() == (turn @ before.mean).tolist()
    assert sum(turned.variance) == sum(before.variance)
    assert turned.variance.tolist() != (turn**2 @ before.variance).tolist()  # the correlation is lost


@pytest.mark.parametrize("rho", [0.01, 0.1, 0.2, 0.5, 0.9])
def test_truncated_gaussian(rho):
    mean, variance = truncnorm.stats(-ndtri(rho), np.inf, moments="mv")
    np.testing.assert_allclose(truncated_gaussian(rho), [mean, variance], rtol=1e-9)


def test_many_samples_on_a_slope_shrink_by_the_same_factor():
    """Quantiles of N(3, 4) in place of samples: the error of 20,000 midpoints is below 1e-3 (the outermost cell)."""
    grid = 3 + 2 * ndtri((np.arange(20000) + 0.5) / 20000)[:, None]
    fit, (shift, factor) = cem_update(grid, grid[:, 0], elite_count(20000, 0.2), noise=0.25), truncated_gaussian(0.2)
    np.testing.assert_allclose([fit.mean[0], fit.variance[0]], [3 + 2 * shift, 4 * factor + 0.25], atol=1e-3)


@pytest.mark.parametrize(
    ("n", "rho", "count"),
    [(100, 0.29, 29), (10, 0.3, 3), (25, 0.1, 2), (7, "1/7", 1), (50, Fraction(1, 5), 10), (3, 1, 3), (19, 0.1, 1)],
)
def test_elite_count(n, rho, count):
    assert elite_count(n, rho) == count


def test_averages_and_smoothing():
    rows = [[Fraction(1), Fraction(2)], [Fraction(-1), Fraction(4)]]
    assert average_score(rows).tolist() == [Fraction(3, 2), Fraction(3, 2)]
    old, new = np.array([Fraction(1), Fraction(3)]), np.array([Fraction(2), Fraction(-1)])
    assert smoothed(old, new, 0).tolist() == old.tolist()
    assert smoothed(old, new, 1).tolist() == new.tolist()
    assert (smoothed(old, new, Fraction(1, 3)) - old).tolist() == ((new - old) / 3).tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: elite_count(9, 0.1), "at least one elite"),
        (lambda: elite_count(9, 1.5), "rho = 1.5"),
        (lambda: elites([[1.0]], [1.0], 2), "count = 2"),
        (lambda: elites([[1.0], [2.0]], [1.0], 1), "one row for each fitness"),
        (lambda: elites([[1.0]], [np.nan], 1), "fitness"),
        (lambda: refit([[1.0]], -1.0), "noise = -1.0"),
        (lambda: refit(np.zeros((0, 2))), "give"),
        (lambda: diagonal_samples([0.0], -1.0, [[1.0]]), "variance = -1.0"),
        (lambda: diagonal_samples([0.0, 1.0, 2.0], 1.0, [[1.0, 2.0]]), "mean"),
        (lambda: average_score([1.0, 2.0]), "L episodes"),
        (lambda: smoothed([0.0], [1.0], 2.0), "share = 2.0"),
        (lambda: smoothed([0.0], [1.0, 2.0], 0.5), "shapes differ"),
        (lambda: elite_cross_entropy([[1.0]], [0.0], [0.0]), r"variance\[0\] = 0.0"),
        (lambda: truncated_gaussian(1.0), "rho = 1.0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
