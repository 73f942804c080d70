import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.kto import kto_loss, kto_loss_gradient

RNG = np.random.default_rng(0)
LOG_P, LOG_REF = RNG.normal(-3, 1, size=(2, 30))
LIKED = RNG.random(30) < 0.5
GIVEN = (LOG_REF, LIKED, 0.2, 0.4, 1.0, 1.5)


def test_value_sample_by_sample():
    for p, ref, liked, loss in zip(LOG_P, LOG_REF, LIKED, kto_loss(LOG_P, *GIVEN), strict=True):
        u = 0.4 * (p - ref - 0.2)
        value = 1.0 / (1 + np.exp(-u)) if liked else 1.5 / (1 + np.exp(u))
        assert loss == pytest.approx((1.0 if liked else 1.5) - value, rel=1e-12)


def test_gradient_by_complex_step():
    slope = kto_loss(LOG_P + 1e-30j, *GIVEN).imag / 1e-30 / 30
    np.testing.assert_allclose(kto_loss_gradient(LOG_P, *GIVEN, reduction="mean"), slope, rtol=1e-13)


def test_desirable_answers_are_pushed_up_and_extremes_are_flat():
    slope = kto_loss_gradient([0.0, 0.0, -1e4], [0.0, 0.0, 0.0], [True, False, True], 0.0, 1.0)
    assert list(slope) == [-0.25, 0.25, 0]
    assert kto_loss([-1e4], [0.0], [True], 0.0, 1.0) == 1


def test_refusals():
    with pytest.raises(InvalidBatch, match="give booleans"):
        kto_loss([0.0], [0.0], [1.0], 0.0, 1.0)
    with pytest.raises(InvalidBatch, match="reference_point"):
        kto_loss([0.0], [0.0], [True], -0.5, 1.0)
    with pytest.raises(InvalidBatch, match="beta"):
        kto_loss([0.0], [0.0], [True], 0.0, 0.0)
