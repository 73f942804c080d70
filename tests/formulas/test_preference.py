from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.preference import (
    bradley_terry_probability,
    plackett_luce_loss,
    plackett_luce_loss_gradient,
    preference_accuracy,
    reward_model_loss,
    reward_model_loss_gradient,
)
from rlexact.symbolic.preference import bradley_terry_gradient

STEP = 1e-30
RNG = np.random.default_rng(0)
WON, LOST = RNG.normal(size=(2, 12))


def test_probability_is_the_share_of_exponentials():
    np.testing.assert_allclose(
        bradley_terry_probability(WON, LOST), np.exp(WON) / (np.exp(WON) + np.exp(LOST)), rtol=1e-14
    )


def test_the_documents_example():
    """Rewards 2.3 and 1.8: σ = 0.622 and the loss 0.474, printed as 0.475 from the rounded σ."""
    assert bradley_terry_probability([2.3], [1.8])[0] == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert round(float(reward_model_loss([2.3], [1.8])[0]), 3) == 0.474


@pytest.mark.parametrize("how", ["none", "mean", "sum"])
def test_gradient_by_complex_step(how):
    found = reward_model_loss_gradient(WON, LOST, 0.5, reduction=how)
    share = 1 / 12 if how == "mean" else 1
    slopes = reward_model_loss(WON + 1j * STEP, LOST, 0.5).imag / STEP * share
    np.testing.assert_allclose(found.chosen, slopes, rtol=1e-13)
    np.testing.assert_allclose(
        found.rejected, reward_model_loss(WON, LOST + 1j * STEP, 0.5).imag / STEP * share, rtol=1e-13
    )


def test_gradient_is_the_symbolic_room_s():
    sympy = pytest.importorskip("sympy")
    r = sympy.symbols("r1:3", real=True)
    found = reward_model_loss_gradient([r[0]], [r[1]])
    proved = bradley_terry_gradient().right
    assert sympy.simplify(found.chosen[0] - proved[0]) == 0
    assert sympy.simplify(found.rejected[0] - proved[1]) == 0


def test_extremes():
    assert reward_model_loss([-1e4, 1e4], [0.0, 0.0]) == pytest.approx([1e4, 0])
    assert list(reward_model_loss_gradient([-1e4, 1e4], [0.0, 0.0]).chosen) == [-1, 0]


def test_accuracy_counts():
    half, one = Fraction(1, 2), Fraction(1)
    assert preference_accuracy([one, one, half], [half, one, one]) == Fraction(1, 3)
    assert preference_accuracy([one, one, half], [half, one, one], half) == half


def test_plackett_luce_sums_to_one_over_rankings_and_is_drawn_without_replacement():
    r = np.array([0.3, -1.0, 2.0])
    e = np.exp(r)
    chances = {order: np.exp(-plackett_luce_loss(r[list(order)])) for order in permutations(range(3))}
    assert sum(chances.values()) == pytest.approx(1)
    for (i, j, k), chance in chances.items():
        assert chance == pytest.approx(e[i] / e.sum() * e[j] / (e[j] + e[k]))


def test_two_ranked_answers_are_a_pair():
    np.testing.assert_allclose(plackett_luce_loss(np.stack([WON, LOST], -1)), reward_model_loss(WON, LOST), rtol=1e-12)


def test_plackett_luce_gradient_by_complex_step():
    r = RNG.normal(size=(3, 4))
    found = plackett_luce_loss_gradient(r, reduction="mean")
    for k in range(4):
        moved = r.astype(complex)
        moved[:, k] += 1j * STEP
        np.testing.assert_allclose(found[:, k], plackett_luce_loss(moved).imag / STEP / 3, rtol=1e-12, atol=1e-16)


def test_plackett_luce_extremes():
    assert plackett_luce_loss([-1e4, 0.0, 1e4]) == pytest.approx(2e4 + 1e4)
    assert list(plackett_luce_loss_gradient([-1e4, 0.0])) == [-1, 1]


def test_refusals():
    with pytest.raises(InvalidBatch, match="shapes differ"):
        reward_model_loss([[1.0]], [1.0])
    with pytest.raises(InvalidBatch, match="finite"):
        bradley_terry_probability([np.nan], [1.0])
    with pytest.raises(InvalidBatch, match="ranking"):
        plackett_luce_loss(1.0)
    with pytest.raises(NotExact):
        reward_model_loss([Fraction(1)], [Fraction(0)])
