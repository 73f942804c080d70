from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.regularised import near_kl
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.kl_optimum import kl_regularised_policy, kl_regularised_value, log_partition, partition

MU = np.array([[0.5, 0.3, 0.2], [0.6, 0.0, 0.4]])
F = np.array([[0.4, -1.0, 1.5], [2.0, 9.0, 0.0]])


def objective(pi, mu, f, alpha):
    live = pi > 0
    return pi @ f - alpha * (pi[live] @ np.log(pi[live] / mu[live]))


@pytest.mark.parametrize("alpha", [0.1, 1.0, 30.0])
def test_no_policy_of_a_grid_is_better(alpha):
    """Every mixture on a grid of the simplex, against the closed form."""
    pi, value = kl_regularised_policy(MU[0], F[0], alpha), kl_regularised_value(MU[0], F[0], alpha)
    assert objective(pi, MU[0], F[0], alpha) == pytest.approx(value, rel=1e-12)
    grid = [np.array([i, j, 40 - i - j]) / 40 for i in range(41) for j in range(41 - i)]
    best = max(objective(p, MU[0], F[0], alpha) for p in grid)
    assert value - 0.1 * (alpha + 1) < best <= value + 1e-12  # the grid is 1/40 wide


def test_by_its_sums_and_by_the_exact_room():
    Z = (MU * np.exp(F / 0.7)).sum(axis=1)
    np.testing.assert_allclose(partition(MU, F, 0.7), Z, rtol=1e-13)
    np.testing.assert_allclose(log_partition(MU, F, 0.7), np.log(Z), rtol=1e-13)
    found = kl_regularised_policy(MU, F, 0.7)
    np.testing.assert_allclose(found, MU * np.exp(F / 0.7) / Z[:, None], rtol=1e-13)
    np.testing.assert_allclose(found[1], near_kl(F[1], MU[1], multiplier=0.7).policy, rtol=1e-13)


def test_limits_of_the_temperature():
    np.testing.assert_allclose(kl_regularised_policy(MU, F, 1e-3), [[0, 0, 1], [1, 0, 0]], atol=1e-200)
    np.testing.assert_allclose(kl_regularised_policy(MU, F, 1e12), MU, rtol=1e-11)
    np.testing.assert_allclose(kl_regularised_value(MU, F, 1e6), (MU * F).sum(axis=1), rtol=1e-5)
    assert log_partition(MU[0], 1e4 * F[0], 1e-3) == pytest.approx(1.5e7 + np.log(0.2), rel=1e-14)
    with pytest.raises(InvalidBatch, match="largest float"):
        partition(MU[0], 1e4 * F[0], 1e-3)


def test_symbols_stay_symbols():
    sympy = pytest.importorskip("sympy")
    alpha, r = sympy.symbols("alpha r", positive=True)
    found = kl_regularised_policy([sympy.Rational(1, 3), sympy.Rational(2, 3)], [r, 0], alpha)
    assert sympy.simplify(found[0] - sympy.exp(r / alpha) / (sympy.exp(r / alpha) + 2)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl_regularised_policy([0.5, 0.6], [1.0, 1.0], 1.0), "sum"),
        (lambda: kl_regularised_policy([0.5, 0.5], [1.0, 1.0], 0.0), "temperature = 0"),
        (lambda: kl_regularised_value([0.5, 0.5], [1.0], 1.0), "shapes differ"),
        (lambda: kl_regularised_value([0.5, 0.5], 1.0, 1.0), "one temperature"),
        (lambda: log_partition([0.5, 0.5], [np.nan, 2.0], 1.0), "values"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_rationals_are_refused():
    with pytest.raises(NotExact):
        kl_regularised_policy([Fraction(1, 2)] * 2, [Fraction(1)] * 2, Fraction(1))
