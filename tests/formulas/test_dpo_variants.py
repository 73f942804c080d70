from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dpo import dpo_loss, dpo_margin
from rlexact.formulas.dpo_variants import (
    conservative_dpo_loss,
    conservative_dpo_loss_gradient,
    hinge_dpo_loss,
    hinge_dpo_loss_gradient,
    ipo_loss,
    ipo_loss_gradient,
    robust_dpo_loss,
    robust_dpo_loss_gradient,
)

STEP, BETA, EPS = 1e-30, 0.3, 0.1
NAMES = ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")
BATCH = list(np.random.default_rng(1).normal(-3, 2, size=(4, 20)))
FLIPPED = [BATCH[1], BATCH[0], BATCH[3], BATCH[2]]
KIN = [
    (conservative_dpo_loss, conservative_dpo_loss_gradient, (BETA, EPS)),
    (robust_dpo_loss, robust_dpo_loss_gradient, (BETA, EPS)),
    (ipo_loss, ipo_loss_gradient, (BETA,)),
    (hinge_dpo_loss, hinge_dpo_loss_gradient, (BETA,)),
]


@pytest.mark.parametrize(("loss", "gradient", "given"), KIN)
@pytest.mark.parametrize("k", range(4))
def test_gradients_by_complex_step(loss, gradient, given, k):
    moved = [x + 1j * STEP if i == k else x for i, x in enumerate(BATCH)]
    slope = loss(*moved, *given).imag / STEP / 20
    found = getattr(gradient(*BATCH, *given, reduction="mean"), NAMES[k])
    np.testing.assert_allclose(found, slope, rtol=1e-12, atol=1e-17)


def test_conservative_is_the_mean_over_flipped_labels():
    mixed = (1 - EPS) * dpo_loss(*BATCH, BETA) + EPS * dpo_loss(*FLIPPED, BETA)
    np.testing.assert_allclose(conservative_dpo_loss(*BATCH, BETA, EPS), mixed, rtol=1e-13)


def test_conservative_is_least_where_the_margin_says_the_noise():
    settled = np.log((1 - EPS) / EPS)
    slope = conservative_dpo_loss_gradient([settled], [0.0], [0.0], [0.0], 1.0, EPS).policy_chosen
    assert abs(slope[0]) < 1e-16  # one rounding of 0.1


def test_robust_is_unbiased_over_flipped_labels():
    mean = (1 - EPS) * robust_dpo_loss(*BATCH, BETA, EPS) + EPS * robust_dpo_loss(*FLIPPED, BETA, EPS)
    np.testing.assert_allclose(mean, dpo_loss(*BATCH, BETA), rtol=1e-12)


def test_ipo_and_hinge_in_fractions():
    h = [Fraction(k, 3) for k in range(-3, 9)]
    zero = [Fraction(0)] * len(h)
    half = Fraction(1, 2)
    assert list(ipo_loss(h, zero, zero, zero, half / 2)) == [(x - 2) ** 2 for x in h]
    assert list(hinge_dpo_loss(h, zero, zero, zero, half)) == [max(0, 1 - x / 2) for x in h]
    shift = Fraction(1, 1000)
    moved = [x + shift / 2 for x in h], [x - shift / 2 for x in h]
    for loss, gradient in ((ipo_loss, ipo_loss_gradient), (hinge_dpo_loss, hinge_dpo_loss_gradient)):
        quotient = (loss(moved[0], zero, zero, zero, half) - loss(moved[1], zero, zero, zero, half)) / shift
        found = gradient(h, zero, zero, zero, half).policy_chosen
        smooth = np.array([x != 2 for x in h])  # the hinge has its kink at h = 1/β
        assert (found[smooth] == quotient[smooth]).all()  # a symmetric quotient of a parabola is exact


def test_hinge_has_no_slope_at_its_kink():
    assert dpo_margin([2.0], [0.0], [0.0], [0.0], 0.5) == 1
    assert hinge_dpo_loss_gradient([2.0], [0.0], [0.0], [0.0], 0.5).policy_chosen == 0


def test_extremes():
    far = ([-1e4], [0.0], [0.0], [-1e4], 1.0)
    assert conservative_dpo_loss(*far, 0.25) == 1.5e4
    assert robust_dpo_loss(*far, 0.25) == 3e4
    assert hinge_dpo_loss(*far) == 20001
    assert conservative_dpo_loss(*far, 0.0) == dpo_loss(*far)


def test_refusals():
    zero = ([0.0],) * 4
    with pytest.raises(InvalidBatch, match=r"label_smoothing = 1.5: give numbers in \[0, 1\]"):
        conservative_dpo_loss(*zero, 1.0, 1.5)
    with pytest.raises(InvalidBatch, match="below 1/2"):
        robust_dpo_loss(*zero, 1.0, 0.5)
    with pytest.raises(InvalidBatch, match="beta"):
        ipo_loss(*zero, 0.0)
    sympy = pytest.importorskip("sympy")
    with pytest.raises(TypeError):  # which side of the hinge a symbol lies on is not known
        hinge_dpo_loss([sympy.Symbol("x")], [0], [0], [0], 1)
