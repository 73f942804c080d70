from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.a2c import a2c_loss, a2c_loss_gradient
from rlexact.formulas.batch import InvalidBatch

STEP = 1e-30  # a complex step subtracts nothing: exact to rounding


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_gradients_by_complex_step(reduction):
    batch = list(np.random.default_rng(0).normal(size=(5, 6)))
    mask = np.array([True, True, False, True, True, True])
    found = a2c_loss_gradient(*batch, 0.5, 0.01, reduction=reduction, mask=mask)
    for place, gradient in ((0, found.log_probs), (2, found.values), (4, found.entropies)):
        for i in range(6):
            moved = [x + 0j for x in batch]
            moved[place][i] += 1j * STEP
            slope = np.sum(a2c_loss(*moved, 0.5, 0.01, reduction=reduction, mask=mask).total).imag / STEP
            assert gradient[i] == pytest.approx(slope, rel=1e-13, abs=1e-300)


def test_by_hand_in_fractions():
    third = Fraction(1, 3)
    found = a2c_loss(
        [-third, -2], [6, 1], [1, 2], [4, 2], [third, 1], Fraction(1, 2), Fraction(1, 100), reduction="sum"
    )
    assert (found.policy, found.value, found.entropy) == (4, 9, Fraction(4, 3))
    assert found.total == 4 + Fraction(9, 2) - Fraction(4, 300)


def test_the_exact_minimum_of_one_state():
    """Advantages held at Q - V, entropy off: at a softmax optimum of the tilted problem the logit gradient is 0.

    With c_2 the mean loss over actions drawn from π has logit gradient -π (A - c_2 log π - mean): 0 iff π ∝ exp(A / c_2).
    """
    q, c_2 = np.array([1.0, 2.0, 0.5]), 0.7
    pi = np.exp(q / c_2) / np.exp(q / c_2).sum()
    score = np.eye(3) - pi
    entropy_slope = -pi * (np.log(pi) - pi @ np.log(pi))
    zero, entropy = np.zeros(3), np.full(3, -(pi @ np.log(pi)))
    found = a2c_loss_gradient(np.log(pi), q - pi @ q, zero, zero, entropy, 0.0, c_2)
    logits = (pi * found.log_probs) @ score + (pi @ found.entropies) * entropy_slope
    np.testing.assert_allclose(logits, 0, atol=1e-15)  # three sums of numbers below 1


def test_refusals():
    with pytest.raises(InvalidBatch, match="entropy_coef = -1"):
        a2c_loss([0.0], [0.0], [0.0], [0.0], [0.0], 0.5, -1.0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        a2c_loss([[0.0], [0.0]], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], 0.5, 0.0)
    with pytest.raises(InvalidBatch, match="value_coef"):
        a2c_loss_gradient([0.0], [0.0], [0.0], [0.0], [0.0], -0.5, 0.0)
