from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.regularised import near_kl
from rlexact.formulas.awr import (
    advantage_weights,
    awr_loss,
    awr_loss_gradient,
    normalised_advantage_weights,
    weighted_regression_loss,
    weighted_regression_loss_gradient,
)
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.kl_optimum import partition

MU = np.array([0.5, 0.3, 0.2])
A = np.array([0.4, -1.0, 1.5])
STEP = 1e-30  # a complex step subtracts nothing: exact to rounding


def logit_gradient(policy, alpha):
    """Of the mean loss over actions drawn from μ, through log π = z - logsumexp z."""
    return (MU * awr_loss_gradient(np.log(policy), A, alpha)) @ (np.eye(3) - policy)


def test_the_regression_s_optimum_is_the_oracle():
    """The exact room's best policy for KL(π ‖ μ) at price α has no logit gradient; μ itself has."""
    oracle = near_kl(A, MU, multiplier=0.8).policy
    np.testing.assert_allclose(logit_gradient(oracle, 0.8), 0, atol=1e-15)  # a sum of three numbers of size one
    assert abs(logit_gradient(MU, 0.8)).max() > 0.1


def test_the_mean_weight_is_the_partition_function():
    assert MU @ advantage_weights(A, 0.8) == pytest.approx(partition(MU, A, 0.8), rel=1e-14)


def test_gradients_by_complex_step():
    log_p = np.log(MU)
    for clip in (None, 2.0):
        slope = awr_loss(log_p + 1j * STEP, A, 0.8, clip).imag / STEP
        np.testing.assert_allclose(awr_loss_gradient(log_p, A, 0.8, clip), slope, rtol=1e-14)
    slope = weighted_regression_loss(log_p + 1j * STEP, MU, reduction="mean").imag / STEP
    found = weighted_regression_loss_gradient(log_p, MU, reduction="mean")
    assert found.sum() == pytest.approx(slope, rel=1e-14)


def test_weighted_regression_in_fractions():
    w, log_p = [Fraction(1, 3), Fraction(2)], [Fraction(-3), Fraction(-1, 2)]
    assert weighted_regression_loss(log_p, w, reduction="sum") == 2
    assert list(weighted_regression_loss_gradient(log_p, w)) == [Fraction(-1, 3), -2]


def test_weights_by_definition():
    np.testing.assert_allclose(advantage_weights(A, 0.5), np.exp(A / 0.5), rtol=1e-15)
    np.testing.assert_allclose(advantage_weights(A, 0.5, clip=2.0), np.minimum(np.exp(A / 0.5), 2), rtol=1e-15)
    shares = np.exp(A / 0.5) / np.exp(A / 0.5).sum()
    np.testing.assert_allclose(normalised_advantage_weights(A, 0.5), shares, rtol=1e-14)
    np.testing.assert_allclose(normalised_advantage_weights(A + 7, 0.5), shares, rtol=1e-13)


def test_extremes():
    assert list(advantage_weights([1e4, -1e4], 1e-3, clip=20.0)) == [20, 0]
    assert list(normalised_advantage_weights([1e4, 0.0], 1e-3)) == [1, 0]
    assert awr_loss([-1e4], [0.7], 1e-3) == pytest.approx(1e4 * np.exp(700), rel=1e-12)
    with pytest.raises(InvalidBatch, match="or a clip"):
        advantage_weights([1.0], 1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: advantage_weights([1.0], 0.0), "temperature = 0"),
        (lambda: advantage_weights([1.0], -1.0), "temperature = -1"),
        (lambda: advantage_weights([1.0], 1.0, clip=0.0), "clip = 0"),
        (lambda: normalised_advantage_weights(1.0, 1.0), "scalar"),
        (lambda: awr_loss([0.0, 0.0], [1.0], 1.0), "shapes differ"),
        (lambda: weighted_regression_loss([0.0], [-1.0]), "sample_weights"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_exact_weights_are_refused():
    with pytest.raises(NotExact):
        advantage_weights([Fraction(1)], Fraction(1))
