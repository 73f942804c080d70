from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import MixedNumbers
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.huber import (
    clipped_error_loss,
    clipped_error_loss_gradient,
    huber_loss,
    huber_loss_gradient,
    smooth_l1_loss,
    smooth_l1_loss_gradient,
)

DELTA = Fraction(3, 2)
GRID = np.array([Fraction(k, 10) + Fraction(1, 100) for k in range(-40, 40)])


@pytest.mark.parametrize("x", [*GRID[::7], DELTA, -DELTA, Fraction(0)])
def test_two_cases(x):
    assert huber_loss(x, DELTA) == (x**2 / 2 if abs(x) <= DELTA else DELTA * abs(x) - DELTA**2 / 2)
    assert smooth_l1_loss(x, DELTA) * DELTA == huber_loss(x, DELTA)
    assert clipped_error_loss(x, DELTA) == min(abs(x), DELTA) ** 2 / 2


@pytest.mark.parametrize("x", GRID[::9])
def test_it_is_the_least_cost_of_a_square_and_a_jump(x):
    """min_z ½ (x - z)² + δ |z|, over a grid of z that holds the minimiser x - clip(x)."""
    jumps = [Fraction(k, 100) for k in range(-400, 400)]
    assert huber_loss(x, DELTA) == min((x - z) ** 2 / 2 + DELTA * abs(z) for z in jumps)


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        (huber_loss, huber_loss_gradient),
        (smooth_l1_loss, smooth_l1_loss_gradient),
        (clipped_error_loss, clipped_error_loss_gradient),
    ],
)
def test_gradients_are_difference_quotients(loss, gradient):
    """Quadratic between kinks: the central difference of Fractions is exact."""
    h = Fraction(1, 1000)
    quotient = (loss(GRID + h, DELTA) - loss(GRID - h, DELTA)) / (2 * h)
    assert (gradient(GRID, DELTA) == quotient).all()
    reduced = gradient(GRID, DELTA, reduction="mean")
    assert (reduced == quotient / len(GRID)).all()


def test_clipping_the_gradient_is_huber_and_clipping_the_error_is_not():
    assert huber_loss_gradient([5.0], 1.0) == 1
    assert clipped_error_loss_gradient([5.0], 1.0) == 0


def test_extremes():
    assert huber_loss([1e300, -1e300], 1.0)[0] == 1e300
    assert smooth_l1_loss([2.0], 1e-300) == 2
    assert huber_loss([2.0], 1e150) == 2


@pytest.mark.parametrize("delta", [0, -1.0])
def test_refusals(delta):
    with pytest.raises(InvalidBatch, match="above 0"):
        huber_loss([1.0], delta)


def test_worlds_do_not_mix():
    with pytest.raises(MixedNumbers):
        huber_loss([0.5], DELTA)
