import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.concentration import (
    hoeffding_bound,
    hoeffding_one_sided_bound,
    hoeffding_radius,
    hoeffding_sample_size,
)


def tail(n, p, eps):
    """P(|X̄ - p| ≥ ε) and P(X̄ - p ≥ ε) of n coins, counted; p and ε exact, so the border is counted where it belongs."""
    chance = [math.comb(n, k) * float(p) ** k * float(1 - p) ** (n - k) for k in range(n + 1)]
    above = [Fraction(k, n) - p >= eps for k in range(n + 1)]
    below = [p - Fraction(k, n) >= eps for k in range(n + 1)]
    return sum(c for c, a, b in zip(chance, above, below, strict=True) if a or b), sum(
        c for c, a in zip(chance, above, strict=True) if a
    )


@pytest.mark.parametrize("n", [1, 5, 40])
@pytest.mark.parametrize("p", [Fraction(1, 2), Fraction(1, 5)])
def test_coins_stay_within_the_bounds(n, p):
    for eps in [Fraction(k, 10) for k in range(1, 8)]:
        both, one = tail(n, p, eps)
        assert both <= hoeffding_bound(n, float(eps), 0, 1)
        assert one <= hoeffding_one_sided_bound(n, float(eps), 0, 1)


def test_the_exponent_is_the_best_constant():
    """For a fair coin and small ε log P / log bound tends to 1: an exponent of 2.2 n ε² would be broken."""
    n, eps = 4000, Fraction(1, 20)
    _, one = tail_of_fair_coin(n, eps)
    assert one <= hoeffding_one_sided_bound(n, float(eps), 0, 1)
    assert one > hoeffding_one_sided_bound(n, float(eps), 0, 1) ** 1.2


def tail_of_fair_coin(n, eps):
    counted = sum(math.comb(n, k) for k in range(n + 1) if Fraction(k, n) - Fraction(1, 2) >= eps)
    one = float(Fraction(counted, 2**n))
    return 2 * one, one


def test_radius_and_sample_size_solve_the_bound():
    for delta in (0.5, 0.05, 1e-9):
        radius = hoeffding_radius(37, delta, -2.0, 3.0)
        assert hoeffding_bound(37, radius, -2.0, 3.0) == pytest.approx(delta, rel=1e-12)
        n = hoeffding_sample_size(0.3, delta, -2.0, 3.0)
        assert hoeffding_bound(n, 0.3, -2.0, 3.0) <= delta < hoeffding_bound(n - 1, 0.3, -2.0, 3.0)


def test_scale_of_the_range():
    assert hoeffding_bound(10, 0.2, 0, 1) == pytest.approx(hoeffding_bound(10, 0.6, -1, 2))
    assert hoeffding_bound(10**6, 1.0, 0, 1) == 0  # e^-2e6 is no float above 0
    np.testing.assert_allclose(hoeffding_bound([1, 2], [0.5, 0.5], 0, 1), 2 * np.exp([-0.5, -1]))


@pytest.mark.parametrize(
    ("given", "message"),
    [((0, 0.1, 0, 1), "samples"), ((5, -0.1, 0, 1), "deviation"), ((5, 0.1, 1, 1), "high - low")],
)
def test_refusals(given, message):
    with pytest.raises(InvalidBatch, match=message):
        hoeffding_bound(*given)


def test_more_refusals():
    for failure in (0.0, 1.5):
        with pytest.raises(InvalidBatch, match="failure"):
            hoeffding_radius(5, failure, 0, 1)
    with pytest.raises(InvalidBatch, match="deviation"):
        hoeffding_sample_size(0.0, 0.5, 0, 1)
    with pytest.raises(NotExact):
        hoeffding_bound(5, Fraction(1, 2), 0, 1)
