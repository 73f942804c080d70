from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.fitness_shaping import (
    centred_ranks,
    nes_utilities,
    rank_utilities,
    ranks,
    truncation_utilities,
)

TIED = [Fraction(x) for x in (5, 2, 5, 9, 2, 5)]
SHAPES = [centred_ranks, nes_utilities, ranks, lambda f: truncation_utilities(f, 3)]


def over_all_orders(fitness, table):
    """The mean over every order, best first, that agrees with the fitness: a fair lottery among ties."""
    total, orders = [Fraction(0)] * len(fitness), 0
    for order in permutations(range(len(fitness))):
        if all(fitness[i] >= fitness[j] for i, j in pairwise(order)):
            orders += 1
            for k, i in enumerate(order):
                total[i] += table[k]
    return [x / orders for x in total]


def test_ties_get_the_mean_of_a_fair_lottery():
    table = [Fraction(x) for x in (13, 8, 5, 3, 2, 1)]
    assert rank_utilities(TIED, table).tolist() == over_all_orders(TIED, table)
    assert truncation_utilities(TIED, 3).tolist() == over_all_orders(TIED, [Fraction(1, 3)] * 3 + [Fraction(0)] * 3)


def test_ranks_count_the_worse():
    worse = [sum(x < y for x in TIED) + Fraction(sum(x == y for x in TIED) - 1, 2) for y in TIED]
    assert ranks(TIED).tolist() == worse
    assert centred_ranks(TIED).tolist() == [r / 5 - Fraction(1, 2) for r in worse]
    assert sum(centred_ranks(TIED)) == 0


def test_nes_utilities_of_four():
    """log 3, log 3/2, 0, 0 over their sum log 9/2, less 1/4."""
    top, second = np.log(3) / np.log(4.5) - 0.25, np.log(1.5) / np.log(4.5) - 0.25
    np.testing.assert_allclose(nes_utilities([1.0, 7.0, 5.0, -2.0]), [-0.25, top, second, -0.25], rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
def test_only_order_counts(shape):
    f = np.random.default_rng(0).normal(size=9).round(1)
    f[3] = f[5]
    for increasing in (np.exp, lambda x: x**3, lambda x: 1e6 * x - 7):
        assert shape(increasing(f)).tolist() == shape(f).tolist()
    turned = np.random.default_rng(1).permutation(9)
    assert shape(f[turned]).tolist() == shape(f)[turned].tolist()
    assert shape(f)[3] == shape(f)[5]


@pytest.mark.parametrize("shape", SHAPES)
def test_fitter_is_never_less(shape):
    f = np.random.default_rng(2).normal(size=12)
    assert (np.diff(shape(f)[np.argsort(f)]) >= 0).all()


def test_where_all_are_equal_nothing_moves():
    assert centred_ranks([Fraction(4)] * 5).tolist() == [0] * 5
    np.testing.assert_allclose(nes_utilities([4.0] * 5), 0, atol=1e-16)  # rounding of a sum of 5 terms below 1
    assert truncation_utilities([Fraction(4)] * 5, 2).tolist() == [Fraction(1, 5)] * 5


def test_sums():
    f = np.random.default_rng(3).normal(size=11)
    assert abs(nes_utilities(f).sum()) < 1e-15  # 11 roundings of numbers below 1
    assert sum(truncation_utilities(TIED, 4)) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: centred_ranks([1.0]), "at least two"),
        (lambda: ranks([]), "one number for each sample"),
        (lambda: nes_utilities([1.0, np.nan]), r"fitness\[1\] = nan"),
        (lambda: ranks([[1.0, 2.0]]), r"fitness has shape \(1, 2\)"),
        (lambda: truncation_utilities([1.0, 2.0], 3), "count = 3: give from 1 to 2"),
        (lambda: rank_utilities([1.0, 2.0], [1.0]), "one utility for each place"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
