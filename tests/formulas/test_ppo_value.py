from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.ppo_value import ppo_loss, ppo_loss_gradient, value_clip_loss, value_clip_loss_gradient

STEP = 1e-30  # a complex step subtracts nothing: exact to rounding


OLD = Fraction(2, 7)


def test_value_clipping_by_cases():
    """From an old value, ε = 1, returns on either side: the clip acts where V has come nearer than ε allows."""
    for v in (OLD + Fraction(k, 4) for k in range(-20, 21)):
        kept = min(max(v, OLD - 1), OLD + 1)
        for g in (Fraction(3), Fraction(-1, 2)):
            expected = max(abs(v - g), abs(kept - g)) ** 2
            assert value_clip_loss(v, OLD, g, Fraction(1)) == expected
            assert value_clip_loss(v, OLD, g, Fraction(1)) >= (v - g) ** 2


def test_value_gradient_is_the_difference_quotient():
    """Piecewise quadratic: between kinks a central difference of Fractions is exact."""
    v, h = OLD + np.array([Fraction(k, 4) + Fraction(1, 100) for k in range(-20, 21)]), Fraction(1, 1000)
    for g in (3, Fraction(-1, 2)):
        there, here = (value_clip_loss(v + d, OLD, g, Fraction(1)) for d in (h, -h))
        assert (value_clip_loss_gradient(v, OLD, g, Fraction(1)) == (there - here) / (2 * h)).all()


@pytest.mark.parametrize("clipping", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_combined_gradient_by_complex_step(clipping, reduction):
    rng = np.random.default_rng(2)
    batch = list(rng.normal(size=(6, 12)))  # log π, log π_old, Â, V, G, H
    options = {"old_values": rng.normal(size=12), "value_clip_eps": 0.3} if clipping else {}
    found = ppo_loss_gradient(*batch, 0.2, 0.5, 0.01, 0.3, reduction=reduction, **options)
    for place, gradient in ((0, found.log_probs), (3, found.values), (5, found.entropies)):
        for i in range(12):
            moved = [x + 0j for x in batch]
            moved[place][i] += 1j * STEP
            loss = ppo_loss(*moved, 0.2, 0.5, 0.01, 0.3, reduction=reduction, **options)
            assert gradient[i] == pytest.approx(np.sum(loss.total).imag / STEP, rel=1e-12, abs=1e-300)


def test_parts_by_hand():
    """Ratio 1.5 clipped to 1.2, the value clipped to 1 away from its target 3: (1 - 3)² = 4."""
    log_old = np.log([2 / 3])
    found = ppo_loss([0.0], log_old, [2.0], [3.0], [3.0], [0.5], 0.2, 0.5, 0.1, old_values=[0.0], value_clip_eps=1.0)
    assert (found.policy, found.value, found.entropy) == (-2.4, 4, 0.5)
    assert found.total == -2.4 + 2 - 0.05


def test_refusals():
    good = ([0.0], [0.0], [1.0], [0.0], [0.0], [0.0], 0.2, 0.5, 0.01)
    with pytest.raises(InvalidBatch, match="give both, or neither"):
        ppo_loss(*good, old_values=[0.0])
    with pytest.raises(InvalidBatch, match="give both, or neither"):
        ppo_loss_gradient(*good, value_clip_eps=0.1)
    with pytest.raises(InvalidBatch, match="clip_eps = -1"):
        value_clip_loss([0.0], [0.0], [0.0], -1.0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        ppo_loss([0.0], [0.0], [1.0], [[0.0]], [[0.0]], [0.0], 0.2, 0.5, 0.01)
    with pytest.raises(InvalidBatch, match="entropy_coef"):
        ppo_loss(*good[:-1], -0.1)
