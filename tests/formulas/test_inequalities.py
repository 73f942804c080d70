from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.inequalities import cauchy_schwarz_gap, jensen_gap


def exact(rng, n):
    weights = [int(x) for x in rng.integers(1, 9, n)]
    p = [Fraction(w, sum(weights)) for w in weights]
    return p, *([Fraction(int(x), 4) for x in rng.integers(-9, 9, n)] for _ in range(2))


@pytest.mark.parametrize("seed", range(5))
def test_gaps_are_sums_of_squares_over_pairs(seed):
    p, x, y = exact(np.random.default_rng(seed), 5)
    pairs = list(combinations(range(5), 2))
    assert jensen_gap(p, x, lambda t: t * t) == sum(p[i] * p[j] * (x[i] - x[j]) ** 2 for i, j in pairs)
    lagrange = sum(p[i] * p[j] * (x[i] * y[j] - x[j] * y[i]) ** 2 for i, j in pairs)
    assert cauchy_schwarz_gap(p, x, y) == lagrange


def test_equality():
    p, x, _ = exact(np.random.default_rng(9), 4)
    assert jensen_gap(p, x, lambda t: 3 * t - 1) == 0
    assert cauchy_schwarz_gap(p, x, [2 * t for t in x]) == 0


def test_signs_for_convex_and_concave():
    p, x = np.random.default_rng(0).dirichlet(np.ones(6), size=9), np.random.default_rng(1).gamma(2, size=(9, 6))
    assert (jensen_gap(p, x, np.exp) > 0).all()
    assert (jensen_gap(p, x, np.log) < 0).all()


def test_refusals():
    with pytest.raises(InvalidBatch, match="sum of p"):
        jensen_gap([0.5, 0.6], [1.0, 1.0], np.exp)
    with pytest.raises(InvalidBatch, match="one value for each"):
        cauchy_schwarz_gap([0.5, 0.5], 1.0, [1.0, 1.0])
