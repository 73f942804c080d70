"""Single and double estimates of a maximum against lists of every outcome."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import MixedNumbers, NotExact
from rlexact.exact.distribution import TooManyAtoms
from rlexact.exact.max_estimators import chosen_first, double_max_law, sample_mean, single_max_law

HALF = Fraction(1, 2)
COIN = {0: HALF, 1: HALF}
SEEDS = range(6)


def random_laws(seed, n=3):
    rng = np.random.default_rng(seed)
    laws = []
    for _ in range(n):
        values = rng.choice(6, size=3, replace=False) - 2
        weights = rng.integers(1, 5, size=3)
        laws.append({int(x): Fraction(int(w), int(weights.sum())) for x, w in zip(values, weights, strict=True)})
    return laws


def mean(law):
    return sum(p * x for x, p in law.items())


def outcomes(laws):
    for draw in product(*(law.items() for law in laws)):
        yield np.prod([p for _, p in draw]), [x for x, _ in draw]


def moments(weighted):
    listed = list(weighted)
    m = sum(p * x for p, x in listed)
    return m, sum(p * (x - m) ** 2 for p, x in listed)


@pytest.mark.parametrize("seed", SEEDS)
def test_single_by_listing(seed):
    laws = random_laws(seed)
    found = single_max_law(laws)
    assert (found.mean, found.variance) == moments((p, max(x)) for p, x in outcomes(laws))
    assert found.target == max(map(mean, laws))
    assert found.bias >= 0


@pytest.mark.parametrize("seed", SEEDS)
def test_double_by_listing(seed):
    laws, second = random_laws(seed), random_laws(seed + 100)
    for given, other in ((laws, None), (laws, second)):
        found = double_max_law(given, other)
        listed = ((p * q, y[int(np.argmax(x))]) for p, x in outcomes(given) for q, y in outcomes(other or given))
        assert (found.mean, found.variance) == moments(listed)
        assert found.target == max(map(mean, other or given))
        assert found.bias <= 0
    first = [sum(p for p, x in outcomes(laws) if int(np.argmax(x)) == a) for a in range(3)]
    assert chosen_first(laws).tolist() == first


def test_fair_coins():
    """m coins: the best of them is 1 - 2^-m on average, ½ too high for many; the double estimate is right on average."""
    for m in (1, 2, 5):
        assert single_max_law([COIN] * m).bias == HALF - Fraction(1, 2**m)
        assert double_max_law([COIN] * m).bias == 0
    assert chosen_first([COIN, COIN]).tolist() == [Fraction(3, 4), Fraction(1, 4)]


def test_means_of_draws_are_binomial_and_help():
    law = sample_mean({"0": "3/4", "1": "1/4"}, 4)
    assert law == {Fraction(k, 4): comb(4, k) * Fraction(3) ** (4 - k) / 4**4 for k in range(5)}
    assert list(law) == sorted(law)
    biases = [single_max_law([sample_mean(COIN, n)] * 3).bias for n in (1, 2, 4)]
    assert biases == sorted(biases, reverse=True)
    with pytest.raises(TooManyAtoms):
        sample_mean(COIN, 8, limit=5)


def test_floats_and_symbols():
    laws = random_laws(0)
    floats = [{float(x): float(p) for x, p in law.items()} for law in laws]
    for estimator in (single_max_law, double_max_law):
        # nine terms below 10
        assert estimator(floats).bias == pytest.approx(float(estimator(laws).bias), abs=1e-14)
    p = sympy.Symbol("p", positive=True)
    assert sympy.cancel(single_max_law([{0: 1 - p, 1: p}] * 2).bias - p * (1 - p)) == 0
    assert sympy.cancel(double_max_law([{0: 1 - p, 1: p}] * 2).variance - p * (1 - p)) == 0


def test_refusals():
    x = sympy.Symbol("x")
    for unknown in ({0: HALF, x: HALF}, {0: x, 1: 1 - x}):
        with pytest.raises(NotExact, match="depends on the symbols"):
            single_max_law([unknown, COIN])
    with pytest.raises(ValueError, match="no laws"):
        single_max_law([])
    with pytest.raises(ValueError, match="sum to 3/4"):
        single_max_law([{0: HALF, 1: Fraction(1, 4)}])
    with pytest.raises(ValueError, match="is no law"):
        single_max_law([{0: Fraction(3, 2), 1: Fraction(-1, 2)}])
    with pytest.raises(ValueError, match="one of each for every action"):
        double_max_law([COIN, COIN], [COIN])
    with pytest.raises(MixedNumbers):
        single_max_law([COIN, {0.0: 0.5, 1.0: 0.5}])
