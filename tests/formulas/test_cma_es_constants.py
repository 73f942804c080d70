import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cma_es_constants import (
    covariance_cumulation,
    default_constants,
    default_population,
    effective_mass,
    mean_norm,
    mean_norm_approximation,
    rank_mu_rate,
    rank_one_rate,
    raw_weights,
    step_size_cumulation,
    step_size_damping,
)


@pytest.mark.parametrize(
    ("n", "population", "parents", "mass", "first"),
    [(2, 6, 3, 2.0, 63), (5, 8, 4, 2.6, 52), (10, 10, 5, 3.2, 45)],
)
def test_what_the_author_s_own_program_prints(n, population, parents, mass, first):
    """pycma opens with `(3_w,6)-aCMA-ES (mu_w=2.0,w_1=63%) in dimension 2`, and so on; w_1 is cut, not rounded."""
    k = default_constants(n)
    assert default_population(n) == population == len(k.weights)
    assert (k.weights > 0).sum() == parents
    assert round(k.mu_eff, 1) == mass
    assert int(100 * k.weights[0]) == first


@pytest.mark.parametrize(("n", "top"), [(2, Fraction(7, 2)), (5, Fraction(9, 2)), (10, Fraction(11, 2))])
def test_weights_and_rates_by_products(n, top):
    """Sums of logarithms as logarithms of products: Σ w' = log(top^μ / μ!)."""
    mu, k = int(top), default_constants(n)
    logs = [math.log(top / i) for i in range(1, mu + 1)]
    total = math.log(top**mu / math.factorial(mu))
    np.testing.assert_allclose(k.weights[:mu], np.array(logs) / total, rtol=1e-13)
    m = total**2 / sum(x * x for x in logs)
    np.testing.assert_allclose(k.mu_eff, m, rtol=1e-13)
    expected = {
        "c_sigma": 1 - (n + 3) / (n + m + 5),
        "d_sigma": 1 + (m + 2) / (n + m + 5),  # μ_eff < n + 2: no maximum
        "c_c": (4 * n + m) / (n * n + 4 * n + 2 * m),
        "c_1": 2 / (n * n + 2.6 * n + 1.69 + m),
        "c_mu": 2 * (m - 1) ** 2 / m / ((n + 2) ** 2 + m),
        "c_m": 1,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(k, name), value, rtol=1e-13, err_msg=name)


@pytest.mark.parametrize(
    ("n", "values"),
    [  # Table 1 evaluated apart from this code, in mpmath with 30 digits
        (2, (2.0286115, 0.44620499, 1.446205, 0.62455454, 0.1548154, 0.057859085)),
        (5, (2.6001788, 0.36508838, 1.3650884, 0.45019956, 0.047292304, 0.038169161)),
        (10, (3.1672993, 0.28442859, 1.2844286, 0.29499038, 0.015283825, 0.020154283)),
    ],
)
def test_the_values_in_digits(n, values):
    k = default_constants(n)
    found = [k.mu_eff, k.c_sigma, k.d_sigma, k.c_c, k.c_1, k.c_mu]
    np.testing.assert_allclose(found, values, rtol=1e-7)  # eight digits are given


@pytest.mark.parametrize("n", [1, 2, 5, 10, 40])
@pytest.mark.parametrize("population", [2, 3, 6, 25, 400, 10**4])
def test_the_covariance_stays_positive(n, population):
    """What C keeps outweighs all that negative weights can take: 1 - c_1 - c_μ Σ w ≥ n c_μ Σ |w⁻|."""
    k = default_constants(n, population)
    taken = -k.weights[k.weights < 0].sum()
    # the bound is attained up to rounding where α_pos is the least of the three
    assert 1 - k.c_1 - k.c_mu * k.weights.sum() >= n * k.c_mu * taken - 1e-12
    assert 0 <= k.c_mu <= 1 - k.c_1
    assert 0 < k.c_sigma < 1
    assert 0 < k.c_c <= 1
    np.testing.assert_allclose(k.weights[k.weights > 0].sum(), 1, rtol=1e-12)
    bounds = (1 + k.c_1 / k.c_mu, (1 - k.c_1 - k.c_mu) / (n * k.c_mu)) if k.c_mu > 0 else ()
    raw = raw_weights(population)
    mass = 1 + 2 * effective_mass(raw[raw < 0]) / (k.mu_eff + 2)
    np.testing.assert_allclose(taken, min(mass, *bounds, math.inf), rtol=1e-9)


def test_without_negative_weights_the_rest_stays():
    with_, without = default_constants(5), default_constants(5, negative=False)
    assert (without.weights == np.maximum(with_.weights, 0)).all()
    assert without.c_mu == with_.c_mu


def test_mean_norm():
    """E‖N_n‖ E‖N_{n+1}‖ = n, from E‖N_1‖ = √(2/π)."""
    np.testing.assert_allclose(mean_norm(1), math.sqrt(2 / math.pi), rtol=1e-14)
    for n in range(1, 60):
        np.testing.assert_allclose(mean_norm(n) * mean_norm(n + 1), n, rtol=1e-13)
    for n, error in ((2, 8e-4), (5, 4e-4), (10, 1.4e-4), (100, 2e-6)):
        assert 0 < mean_norm_approximation(n) / mean_norm(n) - 1 < error


def test_rates_by_hand():
    assert effective_mass([0.25] * 4) == 4
    assert effective_mass([3.0, 1.0]) == 1.6
    assert step_size_cumulation(3, 2.0) == 0.4
    assert step_size_damping(3, 17.0) == 1 + 2 * (2 - 1) + 19 / 25
    assert covariance_cumulation(1, 1.0) == 5 / 7
    assert round(rank_one_rate(1, 1.0), 12) == round(2 / 6.29, 12)
    assert rank_mu_rate(1, 1.0) == 0
    assert rank_mu_rate(1, 1.0, offset=0.25) == 0.05
    assert rank_mu_rate(1, 1e6) == 1 - rank_one_rate(1, 1e6)


def test_refusals():
    with pytest.raises(InvalidBatch, match="dimension = 0"):
        default_population(0)
    with pytest.raises(InvalidBatch, match="population = 1"):
        raw_weights(1)
    with pytest.raises(InvalidBatch, match="nothing to average"):
        effective_mass([0.0, 0.0])
