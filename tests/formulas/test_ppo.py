import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.ppo import (
    active_set,
    clip_fraction,
    clip_only_surrogate,
    clip_only_surrogate_gradient,
    clipped_surrogate,
    clipped_surrogate_gradient,
    ppo_clip_loss,
    ppo_clip_loss_gradient,
)

HALF, EPS = Fraction(1, 2), Fraction(1, 5)


def by_cases(rho, adv, eps, high):
    """The surrogate by the sign of the advantage, without min and clip."""
    return adv * (min(rho, 1 + high) if adv > 0 else max(rho, 1 - eps))


@pytest.mark.parametrize("adv", [Fraction(-3), Fraction(0), Fraction(2)])
@pytest.mark.parametrize("rho", [Fraction(k, 10) for k in range(0, 25, 3)])
def test_cases_by_sign(rho, adv):
    assert clipped_surrogate(rho, adv, EPS, HALF) == by_cases(rho, adv, EPS, HALF)


@pytest.mark.parametrize("adv", [-3, 2])
def test_gradient_is_the_difference_quotient(adv):
    """Piecewise linear: between kinks a difference quotient of Fractions is exact."""
    rho, h = np.array([Fraction(k, 10) + Fraction(1, 100) for k in range(1, 25)]), Fraction(1, 1000)
    quotient = (clipped_surrogate(rho + h, adv, EPS) - clipped_surrogate(rho - h, adv, EPS)) / (2 * h)
    assert (clipped_surrogate_gradient(rho, adv, EPS) == quotient).all()


def test_gradient_in_log_probabilities_by_complex_step():
    rng = np.random.default_rng(0)
    log_p, log_old, adv = rng.normal(size=(3, 40))
    step = 1e-30  # no subtraction: exact to rounding
    slope = ppo_clip_loss(log_p + 1j * step, log_old, adv, 0.2).imag / step
    np.testing.assert_allclose(ppo_clip_loss_gradient(log_p, log_old, adv, 0.2), slope, rtol=1e-13)


def test_extremes():
    assert ppo_clip_loss([0.0], [-1e4], [1.0], 0.2) == -1.2
    assert ppo_clip_loss_gradient([0.0], [-1e4], [1.0], 0.2) == 0
    assert ppo_clip_loss([-1e4], [0.0], [-1.0], 0.2) == 0.8
    assert importance_ratios([700.0], [0.0]) == math.exp(700)
    with pytest.raises(InvalidBatch, match="largest float"):
        ppo_clip_loss([0.0], [-1e4], [-1.0], 0.2)


def test_refusals():
    with pytest.raises(InvalidBatch, match="give numbers at least 0"):
        clipped_surrogate([-1.0], [1.0], 0.2)
    with pytest.raises(InvalidBatch, match=r"clip_eps = 1.5: give numbers in \[0, 1\]"):
        clipped_surrogate([1.0], [1.0], 1.5)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        ppo_clip_loss([[0.0], [0.0]], [0.0, 0.0], [1.0, 1.0], 0.2)
    with pytest.raises(NotExact):
        ppo_clip_loss([HALF], [HALF], [HALF], EPS)


RATIOS = np.array([Fraction(k, 10) + Fraction(1, 100) for k in range(0, 25)])


@pytest.mark.parametrize("adv", [Fraction(-3), Fraction(2)])
def test_active_set_is_where_the_surrogate_moves(adv):
    """The four cases by the sides of the range and the sign: bad and rarer, good and likelier have no gradient."""
    idle = (RATIOS > 1 + HALF) if adv > 0 else (RATIOS < 1 - EPS)
    assert (active_set(RATIOS, adv, EPS, HALF) == ~idle).all()
    assert (active_set(RATIOS, adv, EPS, HALF) == (clipped_surrogate_gradient(RATIOS, adv, EPS, HALF) != 0)).all()


def test_clip_fraction_counts_both_sides():
    outside = [rho for rho in RATIOS if not 1 - EPS <= rho <= 1 + HALF]
    assert clip_fraction(RATIOS, EPS, HALF) == Fraction(len(outside), len(RATIOS))
    assert clip_fraction([1.0, 0.8, 1.2], 0.2) == 0  # the ends belong to the range


@pytest.mark.parametrize("adv", [-3, 2])
def test_clip_without_minimum(adv):
    """It is above the pessimistic bound, and loses its gradient on both sides."""
    assert (clip_only_surrogate(RATIOS, adv, EPS) >= clipped_surrogate(RATIOS, adv, EPS)).all()
    h = Fraction(1, 1000)
    quotient = (clip_only_surrogate(RATIOS + h, adv, EPS) - clip_only_surrogate(RATIOS - h, adv, EPS)) / (2 * h)
    assert (clip_only_surrogate_gradient(RATIOS, adv, EPS) == quotient).all()
    assert (clip_only_surrogate_gradient(RATIOS, adv, EPS) == 0).sum() > (~active_set(RATIOS, adv, EPS)).sum()


def test_the_documents_numbers():
    """theory: 0.72 / 0.4 = 1.8, Â = 3, ε = 0.2: min(5.4, 3.6)."""
    rho = Fraction(72, 40)
    assert clipped_surrogate(rho, 3, EPS) == Fraction(18, 5)
    assert not active_set(rho, 3, EPS)


def test_a_ratio_needs_its_old_probabilities():
    with pytest.raises(InvalidBatch, match="old_log_probs is missing"):
        ppo_clip_loss([0.0], None, [1.0], 0.2)
    with pytest.raises(InvalidBatch, match="behaviour_log_probs is missing"):
        importance_ratios([0.0], None)
