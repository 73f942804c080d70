from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import sympy

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.beta import (
    beta_entropy,
    beta_entropy_gradient,
    beta_fisher,
    beta_kl,
    beta_kl_gradient,
    beta_log_density,
    beta_mean,
    beta_score,
    beta_variance,
)
from rlexact.symbolic.beta import log_beta, log_density_mean

A, B, C, D = sympy.symbols("a b c d", positive=True)
AT = {A: sympy.Rational(5, 2), B: sympy.Rational(7, 3), C: sympy.Rational(1, 2), D: sympy.Integer(4)}
HERE = [float(AT[v]) for v in (A, B, C, D)]


def slope(expression, variable):
    return float(sympy.diff(expression, variable).subs(AT).evalf(30))


def test_density_is_scipy_s():
    x, a, b = np.array([0.1, 0.5, 0.9]), np.array([0.5, 2.0, 30.0]), np.array([3.0, 1.0, 0.7])
    np.testing.assert_allclose(beta_log_density(x, a, b), scipy.stats.beta.logpdf(x, a, b), rtol=1e-12)
    np.testing.assert_allclose(beta_entropy(a, b), scipy.stats.beta.entropy(a, b), rtol=1e-10)  # cancellation at 30


def test_bounds():
    found = beta_log_density([0.0, 0.0, 1.0, 1.0], [0.5, 2.0, 3.0, 3.0], [1.0, 1.0, 0.5, 1.0])
    assert found.tolist() == [np.inf, -np.inf, np.inf, pytest.approx(np.log(3))]


def test_mean_and_variance_by_integration_in_fractions():
    """p(x) = 12 x² (1 - x) is Beta(3, 2)."""
    x = sympy.Symbol("x")
    moments = [sympy.integrate(12 * x**2 * (1 - x) * x**k, (x, 0, 1)) for k in (1, 2)]
    mean, second = (Fraction(int(m.p), int(m.q)) for m in moments)
    assert beta_mean(Fraction(3), Fraction(2)) == mean
    assert beta_variance(Fraction(3), Fraction(2)) == second - mean**2


def test_scores_and_entropy_gradient_are_symbolic_derivatives():
    x = sympy.Rational(1, 5)
    log_p = (A - 1) * sympy.log(x) + (B - 1) * sympy.log(1 - x) - log_beta(A, B)
    found = beta_score(0.2, *HERE[:2])
    assert (found.a, found.b) == pytest.approx((slope(log_p, A), slope(log_p, B)), rel=1e-12)
    entropy = -log_density_mean((A, B), (A, B))
    found = beta_entropy_gradient(*HERE[:2])
    assert (found.a, found.b) == pytest.approx((slope(entropy, A), slope(entropy, B)), rel=1e-12)


def test_kl_gradient_is_the_symbolic_derivative():
    kl = log_density_mean((A, B), (A, B)) - log_density_mean((A, B), (C, D))
    found = beta_kl_gradient(*HERE)
    parts = (found.a, found.b, found.other_a, found.other_b)
    assert parts == pytest.approx([slope(kl, v) for v in (A, B, C, D)], rel=1e-12)
    assert beta_kl(*HERE) == pytest.approx(float(kl.subs(AT).evalf(30)), rel=1e-13)


def test_kl_is_the_integral():
    p, q = scipy.stats.beta(2.5, 1.5), scipy.stats.beta(1.2, 3.0)
    value, error = scipy.integrate.quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), 0, 1)
    assert abs(beta_kl(2.5, 1.5, 1.2, 3.0) - value) <= error + 1e-12
    assert beta_kl(2.5, 1.5, 2.5, 1.5) == 0


def test_fisher_is_the_mean_square_of_the_score():
    a, b = 2.5, 1.5

    def product(x, i, j):
        score = beta_score(x, a, b)
        return [score.a, score.b][i] * [score.a, score.b][j] * scipy.stats.beta.pdf(x, a, b)

    for i, j in ((0, 0), (0, 1), (1, 1)):
        value, error = scipy.integrate.quad(product, 0, 1, args=(i, j))
        assert abs(beta_fisher(a, b)[i, j] - value) <= error + 1e-10


def test_refusals():
    with pytest.raises(InvalidBatch, match=r"a = 0.0: give numbers above 0"):
        beta_log_density(0.5, 0.0, 1.0)
    with pytest.raises(InvalidBatch, match=r"in \[0, 1\]"):
        beta_log_density(1.5, 1.0, 1.0)
    with pytest.raises(InvalidBatch, match="strictly between 0 and 1"):
        beta_score(0.0, 1.0, 1.0)
    with pytest.raises(NotExact):
        beta_entropy(Fraction(1), Fraction(2))
