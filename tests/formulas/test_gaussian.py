from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import sympy

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.gaussian import (
    diagonal_gaussian_entropy,
    diagonal_gaussian_kl,
    diagonal_gaussian_log_density,
    gaussian_entropy,
    gaussian_entropy_gradient,
    gaussian_fisher,
    gaussian_kl,
    gaussian_kl_gradient,
    gaussian_log_density,
    gaussian_sample,
    gaussian_sample_gradient,
    gaussian_score,
)
from rlexact.symbolic import gaussian as symbols

X, M, S = Fraction(7, 3), Fraction(-1, 2), Fraction(3, 4)
AT = {symbols.x: X, symbols.m: M, symbols.s: S}
STEP = 1e-30  # a complex step has no subtraction: exact to rounding


def exactly(expression, at):
    value = sympy.nsimplify(expression.subs({k: sympy.Rational(v.numerator, v.denominator) for k, v in at.items()}))
    return Fraction(int(value.p), int(value.q))


def batch(rows, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=rows), rng.normal(size=rows), rng.uniform(0.1, 3, size=rows)


def test_log_density_is_scipy_s():
    x, mean, std = batch((5, 3))
    by_scipy = scipy.stats.norm.logpdf(x, mean, std)
    np.testing.assert_allclose(gaussian_log_density(x, mean, std), by_scipy, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(diagonal_gaussian_log_density(x, mean, std), by_scipy.sum(axis=1), rtol=1e-13)
    assert gaussian_log_density(1e150, 0.0, 1e-3) == -0.5e306  # the rest is rounded away


def test_score_is_the_symbolic_derivative_in_fractions():
    log_p, found = symbols.log_density(symbols.x, symbols.m, symbols.s), gaussian_score(X, M, S)
    assert found.mean == exactly(sympy.diff(log_p, symbols.m), AT)
    assert found.std == exactly(sympy.diff(log_p, symbols.s), AT)
    assert found.log_std == exactly(symbols.s * sympy.diff(log_p, symbols.s), AT)


def test_entropy_is_scipy_s_and_its_slope_a_complex_step():
    std = batch(6)[2]
    np.testing.assert_allclose(gaussian_entropy(std), scipy.stats.norm.entropy(scale=std), rtol=1e-13)
    np.testing.assert_allclose(diagonal_gaussian_entropy(std), scipy.stats.norm.entropy(scale=std).sum(), rtol=1e-13)
    slope = gaussian_entropy(std + 1j * STEP).imag / STEP
    np.testing.assert_allclose(gaussian_entropy_gradient(std), slope, rtol=1e-14)


def test_seven_dimensions_of_a_robot_arm():
    """½ log(2πe · 0.09) is 0.2150, above 0: the entropy falls below 0 only under σ = 0.242."""
    assert diagonal_gaussian_entropy([0.3] * 7) == pytest.approx(7 * 0.21496574, abs=1e-6)  # the printed digits
    assert gaussian_entropy(0.2419707) < 0 < gaussian_entropy(0.2419708)


def test_kl_is_the_integral():
    def integrand(x):
        p, q = scipy.stats.norm(0.5, 0.7), scipy.stats.norm(-1.0, 1.3)
        return p.pdf(x) * (p.logpdf(x) - q.logpdf(x))

    value, error = scipy.integrate.quad(integrand, -12, 12, epsabs=1e-13)
    assert abs(gaussian_kl(0.5, 0.7, -1.0, 1.3) - value) <= error + 1e-13


def test_kl_gradient_is_the_symbolic_derivative_in_fractions():
    m, s, m2, s2, z = symbols.m, symbols.s, symbols.m2, symbols.s2, symbols.z
    y = m + s * z
    kl = symbols.expectation(symbols.log_density(y, m, s) - symbols.log_density(y, m2, s2), [z])
    at = {m: M, s: S, m2: Fraction(2, 3), s2: Fraction(5, 4)}
    found = gaussian_kl_gradient(M, S, Fraction(2, 3), Fraction(5, 4))
    parts = (found.mean, found.std, found.other_mean, found.other_std)
    assert list(parts) == [exactly(sympy.simplify(sympy.diff(kl, v)), at) for v in (m, s, m2, s2)]


def test_kl_adds_over_coordinates_and_is_not_symmetric():
    _, mean, std = batch((4, 3))
    _, other, other_std = batch((4, 3), seed=1)
    by_hand = [
        sum(gaussian_kl(*row) for row in zip(*rows, strict=True))
        for rows in zip(mean, std, other, other_std, strict=True)
    ]
    np.testing.assert_allclose(diagonal_gaussian_kl(mean, std, other, other_std), by_hand, rtol=1e-13)
    assert gaussian_kl(0.0, 1.0, 0.0, 2.0) != gaussian_kl(0.0, 2.0, 0.0, 1.0)


def test_sample_and_its_derivatives():
    z = Fraction(5, 7)
    assert gaussian_sample(M, S, z) == M + S * z
    h, found = Fraction(1, 9), gaussian_sample_gradient(M, S, z)  # linear: any step is exact
    assert found.mean == (gaussian_sample(M + h, S, z) - gaussian_sample(M, S, z)) / h == 1
    assert found.std == (gaussian_sample(M, S + h, z) - gaussian_sample(M, S, z)) / h
    assert found.log_std == S * found.std


def test_pathwise_and_score_gradients_agree():
    """E of a cubic under both, by Gauss-Hermite quadrature, which is exact for polynomials of this degree."""
    z, w = np.polynomial.hermite_e.hermegauss(12)
    w, mean, std = w / w.sum(), 0.3 + 0 * z, 0.8 + 0 * z
    x = gaussian_sample(mean, std, z)
    path, score = gaussian_sample_gradient(mean, std, z), gaussian_score(x, mean, std)
    for name in ("mean", "std", "log_std"):
        by_path = (w * 3 * x**2 * getattr(path, name)).sum()
        assert by_path == pytest.approx((w * x**3 * getattr(score, name)).sum(), rel=1e-12)


def test_fisher_is_the_mean_square_of_the_score():
    z, w = np.polynomial.hermite_e.hermegauss(8)
    found = gaussian_score(0.3 + 0.8 * z, 0.3 + 0 * z, 0.8 + 0 * z)
    rows = np.stack([found.mean, found.std])
    np.testing.assert_allclose((rows * w / w.sum()) @ rows.T, gaussian_fisher(0.8), rtol=1e-12, atol=1e-12)
    assert gaussian_fisher([S])[0, 1, 1] == 2 / S**2


def test_refusals():
    for bad in (0.0, -1.0):
        with pytest.raises(InvalidBatch, match=r"std = .*: give numbers above 0"):
            gaussian_log_density(0.0, 0.0, bad)
    with pytest.raises(InvalidBatch, match="std is a scalar"):
        diagonal_gaussian_log_density([1.0, 2.0], [0.0, 0.0], 1.0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        gaussian_kl([0.0], [1.0], [[0.0]], [1.0])
    for exact in (lambda: gaussian_log_density(X, M, S), lambda: gaussian_entropy(S), lambda: gaussian_kl(M, S, M, S)):
        with pytest.raises(NotExact):
            exact()
