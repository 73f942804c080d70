from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dual_clip import (
    dual_clip_loss,
    dual_clip_loss_gradient,
    dual_clip_surrogate,
    dual_clip_surrogate_gradient,
)

EPS, HIGH, C = Fraction(1, 5), Fraction(1, 2), Fraction(3)
RATIOS = np.array([Fraction(k, 10) + Fraction(1, 100) for k in range(0, 50)])


def by_cases(rho, adv):
    """By the sign of the advantage, without min and max."""
    return adv * min(rho, 1 + HIGH) if adv >= 0 else adv * min(max(rho, 1 - EPS), C)


@pytest.mark.parametrize("adv", [Fraction(-2), Fraction(0), Fraction(3)])
def test_cases_by_sign(adv):
    found = dual_clip_surrogate(RATIOS, adv, EPS, C, HIGH)
    assert list(found) == [by_cases(rho, adv) for rho in RATIOS]


@pytest.mark.parametrize("adv", [Fraction(-2), Fraction(3)])
def test_gradient_is_the_difference_quotient(adv):
    """Piecewise linear: between kinks a difference quotient of Fractions is exact."""
    h = Fraction(1, 1000)
    there, here = (dual_clip_surrogate(RATIOS + d, adv, EPS, C, HIGH) for d in (h, -h))
    assert (dual_clip_surrogate_gradient(RATIOS, adv, EPS, C, HIGH) == (there - here) / (2 * h)).all()


def test_gradient_in_log_probabilities_by_complex_step():
    log_p, log_old, adv = np.random.default_rng(0).normal(size=(3, 40))
    step = 1e-30  # no subtraction: exact to rounding
    slope = dual_clip_loss(log_p + 1j * step, log_old, adv, 0.2, 3.0).imag / step
    np.testing.assert_allclose(dual_clip_loss_gradient(log_p, log_old, adv, 0.2, 3.0), slope, rtol=1e-13)


def test_the_loss_is_bounded_where_ppo_s_is_not():
    assert dual_clip_loss([0.0], [-1e4], [-2.0], 0.2, 3.0) == 6
    assert dual_clip_loss_gradient([0.0], [-1e4], [-2.0], 0.2, 3.0) == 0
    assert dual_clip_loss([-1e4], [0.0], [-2.0], 0.2, 3.0) == 1.6


def test_refusals():
    with pytest.raises(InvalidBatch, match=r"dual_clip = 1.0: give numbers above 1"):
        dual_clip_surrogate([1.0], [1.0], 0.2, 1.0)
    with pytest.raises(NotExact):
        dual_clip_loss([Fraction(-1)], [Fraction(-1)], [Fraction(1)], EPS, C)
