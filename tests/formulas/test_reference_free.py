import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.reference_free import orpo_loss, orpo_loss_gradient, simpo_loss, simpo_loss_gradient

WON, LOST = -np.random.default_rng(0).gamma(2, size=(2, 20))
KIN = [(simpo_loss, simpo_loss_gradient, (2.0, 0.5)), (orpo_loss, orpo_loss_gradient, (0.3,))]


def test_values_by_probabilities():
    gap = 2.0 * (WON - LOST) - 0.5
    np.testing.assert_allclose(simpo_loss(WON, LOST, 2.0, 0.5), np.log(1 + np.exp(-gap)), rtol=1e-12)
    odds = np.exp(WON) / (1 - np.exp(WON)) / (np.exp(LOST) / (1 - np.exp(LOST)))
    np.testing.assert_allclose(orpo_loss(WON, LOST, 0.3), -WON + 0.3 * np.log(1 + 1 / odds), rtol=1e-12)


@pytest.mark.parametrize(("loss", "gradient", "given"), KIN)
def test_gradients_by_complex_step(loss, gradient, given):
    found = gradient(WON, LOST, *given, reduction="mean")
    np.testing.assert_allclose(found.chosen, loss(WON + 1e-30j, LOST, *given).imag / 1e-30 / 20, rtol=1e-12)
    np.testing.assert_allclose(found.rejected, loss(WON, LOST + 1e-30j, *given).imag / 1e-30 / 20, rtol=1e-12)


def test_extremes():
    assert orpo_loss([-1e4], [-1e-4], 1.0) == pytest.approx(2e4 - np.log(-np.expm1(-1e-4)))
    assert simpo_loss([-1e4], [0.0], 1.0, 0.0) == 1e4


def test_refusals():
    with pytest.raises(InvalidBatch, match="odds of a certain answer"):
        orpo_loss([0.0], [-1.0], 1.0)
    with pytest.raises(InvalidBatch, match="odds_weight"):
        orpo_loss([-1.0], [-1.0], -1.0)
    with pytest.raises(InvalidBatch, match="beta"):
        simpo_loss([-1.0], [-1.0], 0.0, 0.0)
