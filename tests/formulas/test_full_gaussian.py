from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
import sympy

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.full_gaussian import (
    cholesky,
    full_gaussian_entropy,
    full_gaussian_entropy_gradient,
    full_gaussian_fisher_covariance,
    full_gaussian_fisher_mean,
    full_gaussian_kl,
    full_gaussian_kl_gradient,
    full_gaussian_log_density,
    full_gaussian_sample,
    full_gaussian_sample_jacobian,
    full_gaussian_score_covariance,
    full_gaussian_score_mean,
)
from rlexact.formulas.gaussian import diagonal_gaussian_kl, diagonal_gaussian_log_density
from rlexact.symbolic import gaussian as symbols
from rlexact.symbolic.notation import reals

F = Fraction
COV = [[F(2), F(1, 2)], [F(1, 2), F(3)]]
OTHER = [[F(1), F(-1, 3)], [F(-1, 3), F(2)]]
POINT, MEAN = [F(1), F(-2)], [F(1, 3), F(4)]
STEP = 1e-30


def covariance(n, seed=0):
    root = np.random.default_rng(seed).normal(size=(n, n))
    return root @ root.T + 0.1 * np.eye(n)


def fractions(matrix):
    return [[F(int(x.p), int(x.q)) for x in row] for row in sympy.Matrix(matrix).tolist()]


def rational(rows):
    return sympy.Matrix([[sympy.Rational(x.numerator, x.denominator) for x in row] for row in rows])


def test_log_density_and_entropy_are_scipy_s():
    cov, rng = covariance(4), np.random.default_rng(1)
    x, mean = rng.normal(size=(2, 5, 4))
    by_scipy = [scipy.stats.multivariate_normal(m, cov).logpdf(row) for row, m in zip(x, mean, strict=True)]
    np.testing.assert_allclose(full_gaussian_log_density(x, mean, cov), by_scipy, rtol=1e-11)
    np.testing.assert_allclose(
        full_gaussian_entropy(cov), scipy.stats.multivariate_normal(cov=cov).entropy(), rtol=1e-12
    )


def test_a_diagonal_covariance_is_the_diagonal_gaussian():
    std, mean, other = np.array([0.5, 2.0]), np.array([1.0, -1.0]), np.array([0.0, 3.0])
    cov, wide = np.diag(std**2), np.diag([9.0, 4.0])
    assert full_gaussian_log_density(other, mean, cov) == pytest.approx(diagonal_gaussian_log_density(other, mean, std))
    by_coordinates = diagonal_gaussian_kl(mean, std, other, [3.0, 2.0])
    assert full_gaussian_kl(mean, cov, other, wide) == pytest.approx(by_coordinates, rel=1e-13)


def test_scores_are_the_symbolic_derivatives_in_fractions():
    point, mean = sympy.Matrix(reals("x", 2)), sympy.Matrix(reals("mu", 2))
    a, b, c = sympy.symbols("a b c", real=True)
    log_p = symbols.log_density_full(point, mean, sympy.Matrix([[a, b], [b, c]]))
    at = {a: 2, b: sympy.Rational(1, 2), c: 3}
    at |= dict(zip([*point, *mean], rational([POINT, MEAN]), strict=True))
    slope = {v: fractions([sympy.nsimplify(sympy.diff(log_p, v).subs(at))])[0][0] for v in (*mean, a, b, c)}
    assert list(full_gaussian_score_mean(POINT, MEAN, COV)) == [slope[v] for v in mean]
    found = full_gaussian_score_covariance(POINT, MEAN, COV)
    assert [found[0, 0], found[0, 1] + found[1, 0], found[1, 1]] == [slope[v] for v in (a, b, c)]
    assert all(isinstance(x, Fraction) for x in found.flat)


@pytest.mark.parametrize("direction", [[[1, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 2, 1], [2, 0, 0], [1, 0, -1]]])
def test_gradients_along_symmetric_directions_by_complex_step(direction):
    h = np.array(direction, dtype=float)
    cov, other, mean, wide = covariance(3), covariance(3, seed=2), np.array([1.0, 0.0, -1.0]), np.zeros(3)
    moved = cov + 1j * STEP * h
    slope = full_gaussian_log_density(mean, wide, moved).imag / STEP
    assert slope == pytest.approx((full_gaussian_score_covariance(mean, wide, cov) * h).sum(), rel=1e-10)
    slope = full_gaussian_entropy(moved).imag / STEP
    assert slope == pytest.approx((full_gaussian_entropy_gradient(cov) * h).sum(), rel=1e-10)
    found = full_gaussian_kl_gradient(mean, cov, wide, other)
    slope = full_gaussian_kl(mean, moved, wide, other).imag / STEP
    assert slope == pytest.approx((found.covariance * h).sum(), rel=1e-10)
    slope = full_gaussian_kl(mean, cov, wide, other + 1j * STEP * h).imag / STEP
    assert slope == pytest.approx((found.other_covariance * h).sum(), rel=1e-10)
    slope = full_gaussian_kl(mean + 1j * STEP * h[0], cov, wide, other).imag / STEP
    assert slope == pytest.approx((found.mean * h[0]).sum(), rel=1e-10)
    assert (found.other_mean == -found.mean).all()


def test_kl_is_the_mean_log_ratio():
    """Under x = μ + C z the log ratio is a quadratic in z: a product of three-point Hermite rules is exact."""
    cov, other, mean, away = covariance(2), covariance(2, seed=3), np.array([0.3, 1.0]), np.array([-1.0, 0.0])
    z, w = np.polynomial.hermite_e.hermegauss(3)
    w = w / w.sum()
    total = 0.0
    for z_0, w_0 in zip(z, w, strict=True):
        for z_1, w_1 in zip(z, w, strict=True):
            x = full_gaussian_sample(mean, cholesky(cov), np.array([z_0, z_1]))
            gap = full_gaussian_log_density(x, mean, cov) - full_gaussian_log_density(x, away, other)
            total += w_0 * w_1 * gap
    assert full_gaussian_kl(mean, cov, away, other) == pytest.approx(total, rel=1e-11)


def test_cholesky_and_the_sample():
    cov = covariance(4)
    np.testing.assert_allclose(cholesky(cov), np.linalg.cholesky(cov), rtol=1e-10, atol=1e-12)
    root = cholesky([[F(4), F(2)], [F(2), F(10)]])
    assert root.tolist() == [[2, 0], [1, 3]]
    z, h = [F(3), F(5)], F(1, 7)
    found = full_gaussian_sample_jacobian(z)
    for k in range(2):
        for j in range(2):
            moved = root.copy()
            moved[k, j] += h
            slope = (full_gaussian_sample(MEAN, moved, z) - full_gaussian_sample(MEAN, root, z)) / h
            assert list(found[:, k, j]) == list(slope)
    with pytest.raises(NotExact, match="square root"):
        cholesky(COV)


def test_fisher_matrices():
    """Σ⁻¹ by SymPy; the covariance block from fourth moments of the score along two directions, by Hermite rules."""
    inverse = fractions(rational(COV).inv())
    assert full_gaussian_fisher_mean(COV).tolist() == inverse
    cov = np.array(COV, dtype=float)
    z, w = np.polynomial.hermite_e.hermegauss(5)
    grid = np.array([[a, b] for a in z for b in z])
    weight = np.array([a * b for a in w for b in w]) / w.sum() ** 2
    mean = np.zeros_like(grid)
    scores = full_gaussian_score_covariance(grid @ np.linalg.cholesky(cov).T, mean, cov)
    h, k = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 2.0], [2.0, -1.0]])
    by_moments = (weight * (scores * h).sum(axis=(1, 2)) * (scores * k).sum(axis=(1, 2))).sum()
    assert h.ravel() @ full_gaussian_fisher_covariance(cov) @ k.ravel() == pytest.approx(by_moments, rel=1e-11)


@pytest.mark.parametrize(
    ("cov", "message"),
    [
        ([[1.0, 0.5], [0.4, 1.0]], "symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "pivot of covariance = -3.0: give numbers above 0"),
        ([[0.0]], "pivot"),
        ([[1.0, 0.0]], "square"),
        ([[1.0, np.nan], [np.nan, 1.0]], "finite"),
    ],
)
def test_no_covariance(cov, message):
    with pytest.raises(InvalidBatch, match=message):
        full_gaussian_entropy(cov)


def test_refusals():
    with pytest.raises(InvalidBatch, match="shapes differ"):
        full_gaussian_score_mean([[1.0, 2.0]], [0.0, 0.0], np.eye(2))
    with pytest.raises(InvalidBatch, match=r"give \(2, 2\)"):
        full_gaussian_log_density([1.0, 2.0], [0.0, 0.0], np.eye(3))
    with pytest.raises(NotExact):
        full_gaussian_kl(MEAN, COV, MEAN, OTHER)
