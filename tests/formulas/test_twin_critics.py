from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.twin_critics import (
    twin_critic_loss,
    twin_critic_loss_gradient,
    twin_minimum,
    twin_minimum_gradient,
)

F = Fraction
ONE, TWO, Y = np.array([F(1), F(5, 2), F(-3)]), np.array([F(2), F(1, 2), F(-3)]), np.array([F(0), F(4), F(1)])


def test_minimum_entry_by_entry():
    assert list(twin_minimum(ONE, TWO)) == [min(x, y) for x, y in zip(ONE, TWO, strict=True)]


def test_minimum_of_unbiased_estimates_is_biased_downwards():
    """Two fair coins of ±1, all four outcomes: the mean is 0, the minimum's mean -1/2."""
    first, second = np.array([1, 1, -1, -1], dtype=object), np.array([1, -1, 1, -1], dtype=object)
    assert sum(map(F, first)) == sum(map(F, second)) == 0
    assert sum(map(F, twin_minimum(first, second))) / 4 == F(-1, 2)


def test_gradient_of_the_minimum_is_the_difference_quotient():
    h, found = F(1, 1000), twin_minimum_gradient(ONE[:2], TWO[:2])  # away from ties
    assert (found.q1 == (twin_minimum(ONE[:2] + h, TWO[:2]) - twin_minimum(ONE[:2], TWO[:2])) / h).all()
    assert (found.q2 == (twin_minimum(ONE[:2], TWO[:2] + h) - twin_minimum(ONE[:2], TWO[:2])) / h).all()
    tie = twin_minimum_gradient(ONE[2:], TWO[2:])
    assert (tie.q1[0], tie.q2[0]) == (1, 0)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_loss_gradient_is_the_central_difference(reduction):
    """Quadratic: a central difference of Fractions is exact."""
    h, found = F(1, 7), twin_critic_loss_gradient(ONE, TWO, Y, reduction=reduction)
    for i in range(3):
        move = np.array([h if j == i else F(0) for j in range(3)])

        def total(q1, q2):
            return np.sum(twin_critic_loss(q1, q2, Y, reduction=reduction))

        assert found.q1[i] == (total(ONE + move, TWO) - total(ONE - move, TWO)) / (2 * h)
        assert found.q2[i] == (total(ONE, TWO + move) - total(ONE, TWO - move)) / (2 * h)


def test_loss_by_hand_and_where_it_is_smallest():
    assert list(twin_critic_loss(ONE, TWO, Y)) == [5, F(9, 4) + F(49, 4), 32]
    assert (twin_critic_loss(Y, Y, Y) == 0).all()


def test_refusals():
    with pytest.raises(InvalidBatch, match="shapes differ"):
        twin_minimum([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(InvalidBatch, match="finite"):
        twin_critic_loss([1.0], [np.nan], [0.0])
