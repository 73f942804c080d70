from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest

from rlexact.exact.gradient import finite_horizon_gradient
from rlexact.exact.gradient_estimators import score_table
from rlexact.exact.parameterisation import softmax_at
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.reinforce import batch_mean_factor
from rlexact.formulas.rloo import leave_one_out_advantages, rloo_loss, rloo_loss_gradient
from rlexact.gallery import fork

REWARDS = np.array(
    [[Fraction(1), Fraction(2), Fraction(6), Fraction(-3, 2)], [Fraction(0), Fraction(0), Fraction(1), 1]]
)


def test_n_over_n_minus_1_times_the_mean_baseline():
    centred = REWARDS - REWARDS.sum(axis=1)[:, None] / 4
    assert (leave_one_out_advantages(REWARDS) * batch_mean_factor(4) == centred).all()
    assert not leave_one_out_advantages(REWARDS).sum(axis=1).any()


@pytest.mark.parametrize("n", [2, 3])
def test_expected_gradient_over_every_group_is_the_policy_gradient(n):
    model = fork()
    family = softmax_at(model, np.array([[Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]]))
    scores, p = score_table(model, family)[0].reshape(3, 3), family.policy[0]
    total = 0
    for group in map(list, product(range(3), repeat=n)):
        slope = -rloo_loss_gradient([Fraction(-1)] * n, model.r[0][group], reduction="mean")
        total = total + prod(p[group]) * (slope @ scores[group])
    assert (total == finite_horizon_gradient(model, family, 1).ravel()).all()


def test_gradient_by_exact_difference():
    log_p, h = np.full((2, 4), Fraction(-1)), Fraction(1, 3)
    quotient = (rloo_loss(log_p + h, REWARDS) - rloo_loss(log_p, REWARDS)) / h
    assert (rloo_loss_gradient(log_p, REWARDS) == quotient).all()


def test_extremes_and_refusals():
    assert list(rloo_loss([-1e4, -1e4], [1.0, 1.0])) == [0, 0]
    with pytest.raises(InvalidBatch, match="alone"):
        leave_one_out_advantages([1.0])
    with pytest.raises(InvalidBatch, match="shapes differ"):
        rloo_loss([[0.0, 0.0]], [1.0, 2.0])
