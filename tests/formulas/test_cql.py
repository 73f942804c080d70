import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import MixedNumbers, NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cql import (
    cql_h_loss,
    cql_h_loss_gradient,
    cql_loss,
    cql_loss_gradient,
    cql_regulariser,
    cql_rho_loss,
    cql_rho_loss_gradient,
)

STEP = 1e-30
RNG = np.random.default_rng(0)
Q = RNG.normal(size=(5, 4)) * 2
ACTIONS = np.array([0, 3, 1, 1, 2])
Y = RNG.normal(size=5)


def entropy(mu):
    return -sum(mu * np.log(mu))


def test_it_is_the_largest_regulariser_with_entropy():
    """max_μ E_μ Q + H(μ) - Q(data): met by the softmax, and by no other law tried."""
    data = np.eye(4)[ACTIONS]
    softmax = np.exp(Q) / np.exp(Q).sum(axis=1, keepdims=True)
    at_best = cql_regulariser(Q, softmax, data) + [entropy(row) for row in softmax]
    np.testing.assert_allclose(cql_h_loss(Q, ACTIONS), at_best, rtol=1e-13)
    for mu in RNG.dirichlet(np.ones(4), size=50):
        assert (cql_h_loss(Q, ACTIONS) >= cql_regulariser(Q, np.tile(mu, (5, 1)), data) + entropy(mu)).all()


def test_regulariser_by_hand():
    F = Fraction
    found = cql_regulariser([[F(4), F(1)]], [[F(3, 4), F(1, 4)]], [[F(1, 3), F(2, 3)]])
    assert found == F(13, 4) - 2


@pytest.mark.parametrize("temperature", [1, 0.1])
@pytest.mark.parametrize("how", ["none", "mean"])
def test_gradients_by_complex_step(temperature, how):
    share = 5 if how == "mean" else 1
    h = cql_h_loss_gradient(Q, ACTIONS, temperature, reduction=how)
    whole = cql_loss_gradient(Q, ACTIONS, Y, 3.0, temperature, reduction=how)
    for a in range(4):
        nudged = Q + 1j * STEP * (np.arange(4) == a)
        slope = cql_h_loss(nudged, ACTIONS, temperature).imag / STEP / share
        np.testing.assert_allclose(h[:, a], slope, rtol=1e-12, atol=1e-15)
        slope = cql_loss(nudged, ACTIONS, Y, 3.0, temperature).imag / STEP / share
        np.testing.assert_allclose(whole[:, a], slope, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(h.sum(axis=1), 0, atol=1e-15)  # four rounded shares


def test_sampled_gradient_by_complex_step():
    densities, data = RNG.normal(size=(5, 4)), RNG.normal(size=5)
    found = cql_rho_loss_gradient(Q, data, densities, reduction="mean")
    for i in range(4):
        nudged = Q + 1j * STEP * (np.arange(4) == i)
        slope = cql_rho_loss(nudged, data, densities).imag / STEP / 5
        np.testing.assert_allclose(found.sampled_q[:, i], slope, rtol=1e-12)
    slope = cql_rho_loss(Q, data + 1j * STEP, densities).imag / STEP / 5
    np.testing.assert_allclose(found.data_q, slope, rtol=1e-14)


def test_every_action_once_with_its_density_is_cql_h():
    data = Q[np.arange(5), ACTIONS]
    uniform = np.full((5, 4), math.log(1 / 4))
    np.testing.assert_allclose(cql_rho_loss(Q, data, uniform), cql_h_loss(Q, ACTIONS), rtol=1e-13)


def test_samples_estimate_from_below():
    """E over all pairs of samples from ρ, against log E_ρ e^Q: Jensen."""
    rho, q = np.array([0.2, 0.3, 0.5]), np.array([1.0, -1.0, 2.0])
    mean = sum(rho[i] * rho[j] * cql_rho_loss([[q[i], q[j]]], [0.0])[0] for i in range(3) for j in range(3))
    truth = math.log(sum(rho * np.exp(q)))
    assert mean < truth - 0.1
    inside = sum(rho[i] * rho[j] * math.exp(cql_rho_loss([[q[i], q[j]]], [0.0])[0]) for i in range(3) for j in range(3))
    assert math.isclose(inside, math.exp(truth), rel_tol=1e-14)  # the exponential is without bias


def test_extremes():
    assert cql_h_loss([[1e4, -1e4]], [1]) == 2e4
    assert cql_h_loss([[1e4, -1e4]], [0], 1e-3) == 0
    assert math.isclose(cql_h_loss([[2.0, 2.0]], [0], 1e-3)[0], 1e-3 * math.log(2), rel_tol=1e-9)  # 2000.69 less 2000
    assert cql_h_loss_gradient([[1e4, -1e4]], [1]).tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cql_h_loss([[1.0, 2.0]], [2]), r"in \[0, 1\]"),
        (lambda: cql_h_loss([[1.0, 2.0]], [0.0]), "give one integer"),
        (lambda: cql_h_loss([[1.0, 2.0]], [0], 0), "above 0"),
        (lambda: cql_loss([[1.0, 2.0]], [0], [1.0], -1), "at least 0"),
        (lambda: cql_loss([[1.0, 2.0]], [0], [1.0], [1.0]), "give one number"),
        (lambda: cql_rho_loss([[1.0, 2.0]], [0.0, 1.0]), "shapes differ"),
        (lambda: cql_rho_loss([[1.0, 2.0]], [0.0], [[1.0]]), "shapes differ"),
        (lambda: cql_regulariser([[1.0, 2.0]], [[0.5, 0.6]], [[0.5, 0.5]]), "sum to 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_worlds():
    with pytest.raises(NotExact):
        cql_h_loss([[Fraction(1), Fraction(2)]], [0])
    with pytest.raises(MixedNumbers):
        cql_loss([[1.0, 2.0]], [0], [1.0], Fraction(1, 2))
