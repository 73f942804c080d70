"""The same statements by other hands: the solvers of exact arithmetic, quadrature, sampling-free references of SciPy."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
import sympy
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from rlexact.exact.evaluation import policy_value
from rlexact.mdp import MDP
from rlexact.symbolic import beta, concentration, convexity, expectile, gaussian, reparameterisation
from rlexact.symbolic.notation import gamma
from rlexact.symbolic.small_model import model, p, pi, reward


def at(expression, **values):
    symbols = {str(s): s for s in expression.free_symbols}
    return float(expression.subs({symbols[k]: v for k, v in values.items() if k in symbols}))


def test_the_small_model_is_the_model_of_the_exact_room():
    """V as a rational function, at a point, against policy_value in Fractions."""
    chance = [[Fraction(1, 3), Fraction(2, 5)], [Fraction(3, 4), Fraction(1, 7)]]
    rewards = [[Fraction(1), Fraction(-2)], [Fraction(5, 2), Fraction(1, 9)]]
    policy = np.array([[Fraction(1, 4), Fraction(3, 4)], [Fraction(2, 3), Fraction(1, 3)]])
    mdp = MDP([[[c, 1 - c] for c in row] for row in chance], rewards, Fraction(9, 10))
    point = {gamma: sympy.Rational(9, 10)}
    for s in range(2):
        point[pi[s, 0]] = sympy.Rational(policy[s, 0].numerator, policy[s, 0].denominator)
        for a in range(2):
            for symbols, numbers in ((p, chance), (reward, rewards)):
                point[symbols[s, a]] = sympy.Rational(numbers[s][a].numerator, numbers[s][a].denominator)
    symbolic = [sympy.cancel(x.xreplace(point)) for x in model.value(pi)]
    assert [Fraction(int(x.p), int(x.q)) for x in symbolic] == list(policy_value(mdp, policy))


def test_gaussian_kl_and_entropy_by_quadrature():
    one, two = scipy.stats.norm(0.3, 0.8), scipy.stats.norm(-0.5, 1.7)
    kl, _ = quad(lambda y: one.pdf(y) * (one.logpdf(y) - two.logpdf(y)), -12, 12)
    values = {"mu": 0.3, "sigma": 0.8, "mu_2": -0.5, "sigma_2": 1.7}
    # quadrature to 1e-8
    assert at(gaussian.gaussian_kl().right, **values) == pytest.approx(kl, abs=1e-7)
    assert at(gaussian.gaussian_entropy().right, **values) == pytest.approx(one.entropy(), abs=1e-12)


def test_full_gaussian_density_and_entropy():
    factor = np.array([[1.3, 0.0], [-0.4, 0.6]])
    law = scipy.stats.multivariate_normal([0.2, -1.0], factor @ factor.T)
    values = {"L_11": 1.3, "L_21": -0.4, "L_22": 0.6}
    assert at(gaussian.full_gaussian_entropy().right, **values) == pytest.approx(law.entropy(), abs=1e-12)
    point = sympy.Matrix([1, 2])
    density = gaussian.log_density_full(point, gaussian.mu, gaussian.L * gaussian.L.T)
    assert at(density, mu1=0.2, mu2=-1.0, **values) == pytest.approx(law.logpdf([1, 2]), abs=1e-12)


def test_beta_kl_and_entropy_by_quadrature():
    one, two = scipy.stats.beta(3, 2), scipy.stats.beta(2, 5)
    kl, _ = quad(lambda y: one.pdf(y) * (one.logpdf(y) - two.logpdf(y)), 0, 1)
    values = {"a": 3, "b": 2, "c": 2, "d": 5}
    assert at(beta.beta_kl().right, **values) == pytest.approx(kl, abs=1e-7)  # quadrature to 1e-8
    assert at(beta.beta_entropy().right, **values) == pytest.approx(one.entropy(), abs=1e-12)


def test_the_score_of_the_beta_has_mean_zero_by_quadrature():
    law = scipy.stats.beta(3, 2)
    for entry in beta.beta_score().right:
        f = sympy.lambdify(sympy.Symbol("w", positive=True), entry.subs({beta.a: 3, beta.b: 2}), "scipy")
        value, _ = quad(lambda y, f=f: law.pdf(y) * f(y / (1 - y)), 1e-12, 1 - 1e-12)
        assert value == pytest.approx(0, abs=1e-8)  # quadrature to 1e-8


def test_the_expectile_minimises_its_loss():
    values = {"kappa": 0.8, "a": 1.0, "d": 2.5, "w1": 0.7}
    chance = 0.7 / 1.7
    points, weights = np.array([1.0, 3.5]), np.array([chance, 1 - chance])

    def loss(m):
        return float(weights @ (np.where(points < m, 1 - 0.8, 0.8) * (points - m) ** 2))

    found = minimize_scalar(loss, bounds=(1.0, 3.5), method="bounded", options={"xatol": 1e-9}).x
    # a minimiser is found to the square root of machine precision
    assert at(expectile.expectile, **values) == pytest.approx(found, abs=1e-6)


def test_hoeffding_lemma_on_a_grid():
    for h in np.linspace(-20, 20, 81):
        assert at(concentration.phi, h=h, w1=0.37) <= h * h / 8 + 1e-12  # rounding of log and exp


def test_polynomial_expectations_by_quadrature():
    law = scipy.stats.norm()
    numbers = {f"c{k + 1}": c for k, c in enumerate((0.5, -1.0, 2.0, 0.7))}
    expected = reparameterisation.expected(reparameterisation.f(reparameterisation.sample))
    value, _ = quad(lambda z: law.pdf(z) * np.polyval([0.7, 2.0, -1.0, 0.5], 0.4 + 1.3 * z), -12, 12)
    assert at(expected, mu=0.4, sigma=1.3, **numbers) == pytest.approx(value, abs=1e-7)  # quadrature to 1e-8


@pytest.mark.parametrize("t", [sympy.Rational(1, 100), sympy.Rational(1, 2), sympy.Integer(1), sympy.Integer(50)])
def test_the_lemma_of_the_logarithm_below_one_too(t):
    """[C1] with the integral done numerically on both sides of t = 1."""
    u = sympy.Symbol("u")
    integral, _ = quad(sympy.lambdify(u, u / (1 + u * (t - 1))), 0, 1)
    gap = float(convexity.log_gap(t).doit())
    assert gap == pytest.approx(float((t - 1) ** 2) * integral, rel=1e-8, abs=1e-12)  # quadrature to 1e-8
    assert gap >= 0
