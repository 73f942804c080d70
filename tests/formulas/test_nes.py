from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.arithmetic import MixedNumbers
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cma_es import covariance_update, weighted_mean_update
from rlexact.formulas.full_gaussian import full_gaussian_fisher_covariance
from rlexact.formulas.gaussian import gaussian_fisher, gaussian_score
from rlexact.formulas.gaussian_smoothing import (
    antithetic_covariance,
    es_covariance,
    expected_quadratic,
    expected_quadratic_gradient,
)
from rlexact.formulas.nes import (
    SearchGradient,
    antithetic_gradient,
    es_gradient,
    es_update,
    full_natural_gradient,
    full_search_gradient,
    natural_gradient,
    search_gradient,
)
from rlexact.symbolic.reparameterisation import GRADIENT, coefficients
from rlexact.symbolic.reparameterisation import m as mu_symbol
from rlexact.symbolic.reparameterisation import s as sigma_symbol

# twelve draws whose means of z, z², ..., z⁵ are those of N(0, 1): averages over them are expectations, exactly
RULE = [Fraction(x) for x in (0, 0, 0, 0, 0, 0, 1, 1, -1, -1, 2, -2)]
LINE, PLANE = np.array([[x] for x in RULE]), np.array([[x, y] for x in RULE for y in RULE])
THIRD = Fraction(1, 3)

CONSTANT, SLOPE = Fraction(7, 2), np.array([Fraction(2), Fraction(-1, 3)])
CURVATURE = np.array([[Fraction(-3), Fraction(1, 2)], [Fraction(1, 2), Fraction(-5, 4)]])
MEAN, ROOT = (
    np.array([Fraction(1, 2), Fraction(-2)]),
    np.array([[Fraction(2), Fraction(0)], [Fraction(1), Fraction(3)]]),
)
COVARIANCE = ROOT @ ROOT.T


def quadratic(theta):
    return CONSTANT + theta @ SLOPE + ((theta @ CURVATURE) * theta).sum(axis=-1) / 2


def random_fractions(*shape, seed=0):
    found = np.empty(shape, dtype=object)
    found.flat = [Fraction(int(x), 4) for x in np.random.default_rng(seed).integers(-20, 20, found.size)]
    return found


@pytest.fixture
def cubic():
    """A cubic, and the gradient of its mean in μ and σ as the symbolic room has it."""
    c, mean, sigma = [Fraction(x) for x in (5, -2, 3, 4)], Fraction(2, 3), Fraction(1, 2)
    values = dict(zip(coefficients, map(sympy.Rational, c), strict=True))
    values |= {mu_symbol: sympy.Rational(mean), sigma_symbol: sympy.Rational(sigma)}
    slopes = [Fraction(int(g.p), int(g.q)) for g in sympy.Matrix(GRADIENT).subs(values)]
    return lambda x: sum(a * x**k for k, a in enumerate(c)), mean, sigma, slopes


def test_expectation_of_the_estimates_is_the_gradient_of_a_cubic(cubic):
    f, mean, sigma, slopes = cubic
    fitness = f(mean + sigma * LINE[:, 0])
    assert es_gradient(fitness, LINE, sigma).tolist() == slopes[:1]
    found = search_gradient(fitness, LINE, sigma)
    assert [found.mean[0], found.spread[0]] == slopes
    back = f(mean - sigma * LINE[:, 0])
    assert antithetic_gradient(fitness, back, LINE, sigma).tolist() == slopes[:1]
    # smoothing has moved the gradient: 3 c₃ σ² beside f'(μ)
    assert slopes[0] - (-2 + 6 * mean + 12 * mean**2) == 3 * 4 * sigma**2


def test_natural_gradient_is_the_fisher_matrix_solved(cubic):
    f, mean, sigma, slopes = cubic
    found = natural_gradient(search_gradient(f(mean + sigma * LINE[:, 0]), LINE, sigma), sigma)
    fisher = gaussian_fisher(sigma)
    assert ar.solve(ar.kernel_from(fisher), np.array(slopes)).tolist() == [found.mean[0], found.spread[0]]


def test_on_a_quadratic_every_form_gives_the_closed_form():
    theta = MEAN + PLANE @ ROOT.T
    fitness, closed = quadratic(theta), expected_quadratic_gradient(CONSTANT, SLOPE, CURVATURE, MEAN, COVARIANCE)
    assert sum(fitness) / 144 == expected_quadratic(CONSTANT, SLOPE, CURVATURE, MEAN, COVARIANCE)
    found = full_search_gradient(fitness, theta, MEAN, COVARIANCE)
    assert found.mean.tolist() == closed.mean.tolist() == (SLOPE + CURVATURE @ MEAN).tolist()
    assert found.spread.tolist() == closed.spread.tolist()
    sigma = np.array([Fraction(1, 2), Fraction(3)])
    found = search_gradient(quadratic(MEAN + PLANE * sigma), PLANE, sigma)
    assert found.mean.tolist() == closed.mean.tolist()  # whatever the spread is
    assert found.spread.tolist() == (sigma * np.diag(CURVATURE)).tolist()


def test_at_the_optimum_of_a_quadratic_it_stands_still():
    best = -ar.solve(ar.kernel_from(CURVATURE), SLOPE)
    fitness = quadratic(best + PLANE * THIRD)
    assert es_update(best, fitness, PLANE, THIRD, Fraction(9)).tolist() == best.tolist()


def test_the_gradient_is_fitness_times_score():
    draws, fitness, sigma = random_fractions(5, 2), random_fractions(5, seed=1), np.array([Fraction(1, 2), Fraction(3)])
    scores = [gaussian_score(MEAN + sigma * z, MEAN, sigma) for z in draws]
    found = search_gradient(fitness, draws, sigma)
    assert found.mean.tolist() == (sum(f * s.mean for f, s in zip(fitness, scores, strict=True)) / 5).tolist()
    assert found.spread.tolist() == (sum(f * s.std for f, s in zip(fitness, scores, strict=True)) / 5).tolist()
    full = full_search_gradient(fitness, MEAN + sigma * draws, MEAN, np.diag(sigma) ** 2)
    assert full.mean.tolist() == found.mean.tolist()
    assert (2 * sigma * np.diag(full.spread)).tolist() == found.spread.tolist()  # dΣ = 2 σ dσ


def test_full_natural_gradient_is_the_fisher_matrix_solved():
    """On symmetric matrices; and the inverse drops out: E[F (d dᵀ - Σ)]."""
    theta, fitness = MEAN + random_fractions(6, 2), random_fractions(6, seed=1)
    gradient = full_search_gradient(fitness, theta, MEAN, COVARIANCE)
    natural = full_natural_gradient(gradient, COVARIANCE)
    d = theta - MEAN
    assert natural.mean.tolist() == (fitness @ d / 6).tolist()
    assert natural.spread.tolist() == ((fitness * d.T @ d - fitness.sum() * COVARIANCE) / 6).tolist()
    fisher = full_gaussian_fisher_covariance(COVARIANCE)
    assert (fisher @ natural.spread.ravel()).tolist() == gradient.spread.ravel().tolist()


def test_cma_es_takes_a_natural_gradient_step():
    """With weights for fitness, times N: mean and rank-μ update with rate 1 (Akimoto et al. 2010)."""
    steps, weights = random_fractions(3, 2), np.array([Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)])
    natural = full_natural_gradient(full_search_gradient(3 * weights, MEAN + steps, MEAN, COVARIANCE), COVARIANCE)
    assert (MEAN + natural.mean).tolist() == weighted_mean_update(MEAN, MEAN + steps, weights).tolist()
    rates = Fraction(0), Fraction(1, 4), Fraction(0)
    moved = covariance_update(COVARIANCE, 0 * MEAN, steps, weights, *rates)
    assert moved.tolist() == (COVARIANCE + natural.spread / 4).tolist()


def test_pairs_are_two_plain_samples_and_hide_what_is_even():
    draws, up, down = random_fractions(4, 3), random_fractions(4, seed=1), random_fractions(4, seed=2)
    both = es_gradient(np.concatenate([up, down]), np.concatenate([draws, -draws]), THIRD)
    assert antithetic_gradient(up, down, draws, THIRD).tolist() == both.tolist()
    assert antithetic_gradient(up + 1000, down + 1000, draws, THIRD).tolist() == both.tolist()


def test_update_follows_the_printed_sum():
    draws, fitness = random_fractions(4, 3), random_fractions(4, seed=1)
    alpha, total = Fraction(2, 5), [Fraction(0)] * 3
    for f, z in zip(fitness, draws, strict=True):
        total = [t + f * x for t, x in zip(total, z, strict=True)]
    found = es_update([Fraction(1)] * 3, fitness, draws, THIRD, alpha)
    assert found.tolist() == [1 + alpha / (4 * THIRD) * t for t in total]


def covariance_of(estimates):
    mean = estimates.sum(axis=0) / len(estimates)
    return (estimates - mean).T @ (estimates - mean) / len(estimates)


def test_covariances_by_enumeration():
    """Each of the 144 draws alone; linear fitness, so that products have degree 4."""
    sigma, value = Fraction(1, 2), Fraction(3)
    up, down = value + sigma * PLANE @ SLOPE, value - sigma * PLANE @ SLOPE
    plain = np.array([es_gradient([f], [z], sigma) for f, z in zip(up, PLANE, strict=True)])
    assert es_covariance(value, SLOPE, sigma).tolist() == covariance_of(plain).tolist()
    pairs = np.array([antithetic_gradient([f], [b], [z], sigma) for f, b, z in zip(up, down, PLANE, strict=True)])
    assert antithetic_covariance(SLOPE).tolist() == covariance_of(pairs).tolist()
    baselined = np.array([es_gradient([f - value], [z], sigma) for f, z in zip(up, PLANE, strict=True)])
    assert antithetic_covariance(SLOPE, 4).tolist() == (covariance_of(baselined) / 4).tolist()


def test_symbols_stay_symbols():
    f, z, s = sympy.symbols("f z s", positive=True)
    assert sympy.simplify(es_gradient([f, -f], [[z], [-z]], s)[0] - f * z / s) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: es_gradient([1.0], [[1.0]], 0.0), "sigma = 0.0"),
        (lambda: es_gradient([1.0], [[1.0, 2.0]], [1.0, 1.0, 1.0]), "sigma has shape"),
        (lambda: es_gradient([1.0, 2.0], [[1.0]], 1.0), "one row for each fitness"),
        (lambda: es_gradient([1.0], [1.0], 1.0), "draws has shape"),
        (lambda: es_gradient([np.inf], [[1.0]], 1.0), r"fitness\[0\] = inf"),
        (lambda: es_update([0.0, 0.0], [1.0], [[1.0]], 1.0, 1.0), "mean has shape"),
        (lambda: full_search_gradient([1.0], [[1.0]], [0.0], [[0.0]]), "pivot of covariance"),
        (lambda: full_search_gradient([1.0], [[1.0]], [0.0, 0.0], [[1.0]]), "mean"),
        (lambda: natural_gradient(SearchGradient(np.zeros(1), np.zeros(1)), -1.0), "sigma = -1.0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_exact_beside_float_is_refused():
    with pytest.raises(MixedNumbers):
        es_gradient([THIRD], [[0.5]], 1)
