from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dqn import dqn_targets
from rlexact.formulas.quantile import (
    quantile_huber_loss,
    quantile_huber_loss_gradient,
    quantile_loss,
    quantile_loss_gradient,
    quantile_midpoints,
    quantile_targets,
)

F = Fraction
THETA = np.array([[F(1, 2), F(3), F(-1)], [F(0), F(1), F(2)]])
Y = np.array([[F(1), F(2), F(5), F(-3)], [F(1, 3), F(1, 3), F(7), F(2, 5)]])
KAPPA = F(3, 4)


def written_out(theta, y, kappa):
    """Σ_i mean_j, one pair at a time; κ None for the pinball loss."""
    total = F(0)
    for i, q in enumerate(theta):
        tau = F(2 * i + 1, 2 * len(theta))
        for sample in y:
            u = sample - q
            size = abs(u)
            if kappa is not None:
                size = size**2 / (2 * kappa) if size <= kappa else size - kappa / 2
            total += (tau if u >= 0 else 1 - tau) * size / len(y)
    return total


def test_every_target_with_every_quantile():
    assert list(quantile_loss(THETA, Y)) == [written_out(t, y, None) for t, y in zip(THETA, Y, strict=True)]
    found = quantile_huber_loss(THETA, Y, KAPPA)
    assert list(found) == [written_out(t, y, KAPPA) for t, y in zip(THETA, Y, strict=True)]
    assert quantile_huber_loss(THETA, Y, KAPPA, reduction="mean") == sum(found) / 2


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        (quantile_loss, quantile_loss_gradient),
        (lambda t, y: quantile_huber_loss(t, y, KAPPA), lambda t, y: quantile_huber_loss_gradient(t, y, KAPPA)),
    ],
)
def test_gradients_are_difference_quotients(loss, gradient):
    """Quadratic between kinks, and no kink is within h of THETA: exact in Fractions."""
    h, theta = F(1, 1000), THETA + F(1, 97)
    for i in range(3):
        nudge = h * (np.arange(3) == i)
        quotient = (loss(theta + nudge, Y) - loss(theta - nudge, Y)) / (2 * h)
        assert list(gradient(theta, Y)[:, i]) == list(quotient)


def test_the_pinball_loss_is_least_at_the_quantile():
    """Of 4 samples, level 3/8 is met by the second smallest: no grid point is better."""
    samples, tau = np.array([F(1), F(2), F(5), F(-3)]), [F(3, 8)]
    losses = {q: quantile_loss([[q]], [samples], tau)[0] for q in [F(k, 4) for k in range(-20, 30)]}
    assert min(losses, key=losses.get) == 1
    left = quantile_loss_gradient([[F(99, 100)]], [samples], tau)[0, 0]
    right = quantile_loss_gradient([[F(101, 100)]], [samples], tau)[0, 0]
    assert (left, right) == (F(1, 4) - F(3, 8), F(2, 4) - F(3, 8))


def test_midpoints_halve_the_mass_of_their_stretch():
    """Wasserstein: the median of each of n equal stretches, 1/4 and 3/4 for two."""
    assert list(quantile_midpoints(2, F(1))) == [F(1, 4), F(3, 4)]
    assert list(quantile_midpoints(2)) == [0.25, 0.75]


def test_small_kappa_is_the_pinball_loss():
    theta, y = THETA + F(1, 97), Y
    tiny = F(1, 10**9)
    gap = quantile_loss(theta, y) - quantile_huber_loss(theta, y, tiny)
    assert all(0 <= g <= 3 * tiny / 2 for g in gap)


def test_targets_of_single_quantiles_are_dqn_s():
    q, r, ended = np.array([[F(1), F(4)], [F(2), F(0)]]), [F(1), F(2)], [False, True]
    found = quantile_targets(r, q[..., None], ended, F(1, 2))
    assert list(found[:, 0]) == list(dqn_targets(r, q, ended, F(1, 2)))
    two = quantile_targets([F(1)], [[[F(0), F(9)], [F(4), F(6)]]], [False], F(1, 2))
    assert list(two[0]) == [3, 4]


def test_complex_step_and_float32():
    rng = np.random.default_rng(0)
    theta, y = rng.normal(size=(2, 5, 4))
    step = 1e-30
    nudged = theta + 1j * step * (np.arange(4) == 2)
    slope = quantile_huber_loss(nudged, y, 1.0, reduction="sum").imag / step
    np.testing.assert_allclose(quantile_huber_loss_gradient(theta, y, 1.0)[:, 2].sum(), slope, rtol=1e-13)
    assert quantile_loss(theta.astype(np.float32), y.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantile_loss([[1.0]], [[1.0], [2.0]]), "beside targets"),
        (lambda: quantile_loss([[1.0]], [[1.0]], [0.2, 0.8]), "one level for each"),
        (lambda: quantile_loss([[1.0]], [[1.0]], [1.2]), r"in \[0, 1\]"),
        (lambda: quantile_huber_loss([[1.0]], [[1.0]], 0), "above 0"),
        (lambda: quantile_targets([1.0], [1.0], [False], 0.5), "shape"),
        (lambda: quantile_midpoints(0), "1 or more"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
