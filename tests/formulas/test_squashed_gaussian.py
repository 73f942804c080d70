import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.squashed_gaussian import (
    squash,
    squashed_gaussian_log_density,
    squashed_gaussian_mode,
    squashed_gaussian_sample,
    squashed_gaussian_sample_gradient,
    squashed_gaussian_sample_log_density_gradient,
    squashed_gaussian_score,
    tanh_log_slope,
    unsquash,
)

STEP = 1e-30


@pytest.mark.parametrize("u", [0.0, 1e-9, -0.3, 2.0, -19.0, 25.0, 400.0, -1e4])
def test_log_slope_to_fifty_digits(u):
    with mpmath.workdps(50 + int(abs(u))):
        exact = mpmath.log(1 - mpmath.tanh(mpmath.mpf(u)) ** 2)
    assert tanh_log_slope(u) == pytest.approx(float(exact), rel=2e-15, abs=1e-15)


def test_the_naive_form_fails_where_this_one_does_not():
    """1 - tanh² is 0 from u = 19.07 on."""
    assert 1 - np.tanh(20.0) ** 2 == 0
    assert squashed_gaussian_log_density([20.0], [0.0], [1.0]) == pytest.approx(
        scipy.stats.norm.logpdf(20.0) - 2 * np.log(2) + 40, rel=1e-14
    )


@pytest.mark.parametrize(("mean", "std", "low", "high"), [(0.4, 0.5, -1, 1), (0.0, 1.5, -1, 1), (-0.3, 0.8, 2, 6)])
def test_density_integrates_to_one_and_has_the_sample_s_moments(mean, std, low, high):
    def density(a):
        return np.exp(squashed_gaussian_log_density([unsquash(a, low, high)], [mean], [std], low, high))

    total, error = scipy.integrate.quad(density, low, high, limit=200)
    assert abs(total - 1) <= error + 1e-9
    first, error = scipy.integrate.quad(lambda a: a * density(a), low, high, limit=200)
    by_sample, slack = scipy.integrate.quad(
        lambda z: squashed_gaussian_sample(mean, std, z, low, high) * scipy.stats.norm.pdf(z), -9, 9
    )
    assert abs(first - by_sample) <= error + slack + 1e-9


def test_dimensions_add():
    rng = np.random.default_rng(0)
    u, mean, std = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.uniform(0.2, 2, size=(4, 3))
    by_hand = (scipy.stats.norm.logpdf(u, mean, std) - np.log(5 * (1 - np.tanh(u) ** 2))).sum(axis=1)
    np.testing.assert_allclose(squashed_gaussian_log_density(u, mean, std, -2, 8), by_hand, rtol=1e-12)


def test_squash_and_back():
    u = np.array([-3.0, 0.0, 1e-12, 2.0])
    np.testing.assert_allclose(unsquash(squash(u, -2, 8), -2, 8), u, atol=1e-13)
    assert squash(1e4, -2, 8) == 8
    assert squash(-1e4, -2, 8) == -2


def test_gradients_along_the_sample_by_complex_step():
    rng = np.random.default_rng(1)
    mean, z, std = rng.normal(size=6), rng.normal(size=6), rng.uniform(0.2, 2, size=6)

    def log_density(mu, sigma):
        rows = [x[:, None] for x in (mu + sigma * z, mu, sigma)]
        return squashed_gaussian_log_density(*rows, -3, 1)

    action = squashed_gaussian_sample_gradient(mean, std, z, -3, 1)
    log_pi = squashed_gaussian_sample_log_density_gradient(mean, std, z)
    for name, d_mean, d_std in (("mean", 1, 0), ("std", 0, 1), ("log_std", 0, std)):
        mu, sigma = mean + 1j * STEP * d_mean, std + 1j * STEP * d_std
        slope = squashed_gaussian_sample(mu, sigma, z, -3, 1).imag / STEP
        np.testing.assert_allclose(getattr(action, name), slope, rtol=1e-12)
        slope = log_density(mu, sigma).imag / STEP
        np.testing.assert_allclose(getattr(log_pi, name), slope, rtol=1e-11, atol=1e-13)


def test_score_at_a_fixed_action_by_complex_step():
    a, mean, std = np.array([-0.9, 0.2]), np.array([0.1, -1.0]), np.array([0.5, 2.0])
    found = squashed_gaussian_score(a, mean, std)

    def log_density(mu, sigma):
        return squashed_gaussian_log_density(unsquash(a)[:, None], mu[:, None], sigma[:, None])

    np.testing.assert_allclose(found.mean, log_density(mean + 1j * STEP, std).imag / STEP, rtol=1e-13)
    np.testing.assert_allclose(found.std, log_density(mean, std + 1j * STEP).imag / STEP, rtol=1e-13)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.5), (0.0, 0.75), (0.5, 2.0), (-1.5, 0.3), (-1e-3, 1.0), (8.0, 3.0)])
def test_mode_is_the_highest_point_of_a_grid(mean, std):
    grid = np.linspace(-40, 40, 80_001)
    heights = squashed_gaussian_log_density(grid[:, None], 0 * grid[:, None] + mean, 0 * grid[:, None] + std)
    found = squashed_gaussian_mode(mean, std)
    height = squashed_gaussian_log_density([found], [mean], [std])
    assert height >= heights.max() - 1e-12 * abs(heights.max())
    assert abs(abs(found) - abs(grid[np.argmax(heights)])) < 2e-3  # the grid's spacing, and the mirror image at μ = 0


def test_bistable_at_large_spread():
    """At μ = 0 and σ² > ½ tanh(μ) = 0 is a valley, not the mode."""
    mode = squashed_gaussian_mode(0.0, 1.0)
    assert mode == pytest.approx(2 * np.tanh(mode), rel=1e-12)
    assert squashed_gaussian_log_density([0.0], [0.0], [1.0]) < squashed_gaussian_log_density([mode], [0.0], [1.0])
    assert squashed_gaussian_mode(0.0, 0.7) == pytest.approx(0, abs=1e-6)  # σ² = 0.49: the steps only halve near 0


def test_refusals():
    for a in (1.0, -1.0, 3.0):
        with pytest.raises(InvalidBatch, match="strictly between"):
            unsquash([0.0, a])
    with pytest.raises(InvalidBatch, match="above 0"):
        squashed_gaussian_log_density([0.0], [0.0], [1.0], 1, 1)
    with pytest.raises(InvalidBatch, match="scalar"):
        squashed_gaussian_log_density(0.0, 0.0, 1.0)
    with pytest.raises(NotExact):
        squash("1/2", "-1", "1")
