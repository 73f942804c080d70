from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.soft_bellman import entropy
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.sac_temperature import (
    discrete_target_entropy,
    exponential_temperature_loss,
    exponential_temperature_loss_gradient,
    log_temperature_loss,
    log_temperature_loss_gradient,
    target_entropy,
    temperature_loss,
    temperature_loss_gradient,
)
from rlexact.gallery import random_mdp
from rlexact.policy import uniform

F = Fraction
STEP = 1e-30
LOG_PROBS = np.array([0.3, -2.0, 5.0])


def test_mean_gradient_is_the_entropy_above_its_target():
    mdp = random_mdp(2, exact=False)
    policy = np.array([0.7, 0.2, 0.1]) * np.ones((mdp.n_states, 1))
    exact = entropy(mdp, policy) - 0.5
    found = temperature_loss_gradient(2.0, np.log(policy), 0.5)
    np.testing.assert_allclose((policy * found).sum(axis=1), exact, rtol=1e-13)
    mean_loss = (policy * temperature_loss(2.0, np.log(policy), 0.5)).sum(axis=1)
    np.testing.assert_allclose(mean_loss, 2 * exact, rtol=1e-13)


@pytest.mark.parametrize(("log_prob", "falls"), [(F(5), True), (F(10), False)])
def test_a_descent_step_moves_the_temperature_towards_the_target(log_prob, falls):
    """Entropies of -5 and -10 beside a target of -7: above it τ falls, though the loss is 2τ > 0; below it τ rises."""
    tau, rate, target = F(1, 2), F(1, 100), F(target_entropy(7))
    step = rate * temperature_loss_gradient(tau, log_prob, target)
    assert (tau - step < tau) == falls
    assert (temperature_loss(tau, log_prob, target) > 0) == falls
    assert temperature_loss(tau, log_prob, target) == tau * (-log_prob - target)
    in_log = rate * log_temperature_loss_gradient(F(-1), log_prob, target)
    assert (F(-1) - in_log < -1) == falls


def test_the_two_losses_in_the_logarithm():
    """The same sign of slope everywhere, e^ρ times one another; as values they differ in sign where τ < 1."""
    rho = -1.3
    slow = exponential_temperature_loss_gradient(rho, LOG_PROBS, -1.0)
    fast = log_temperature_loss_gradient(rho, LOG_PROBS, -1.0)
    np.testing.assert_allclose(slow, np.exp(rho) * fast, rtol=1e-14)
    values = log_temperature_loss(rho, LOG_PROBS, -1.0)
    assert (np.sign(values) == -np.sign(exponential_temperature_loss(rho, LOG_PROBS, -1.0))).all()


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize(
    ("loss", "gradient", "at"),
    [
        (temperature_loss, temperature_loss_gradient, 0.2),
        (exponential_temperature_loss, exponential_temperature_loss_gradient, -1.6),
        (log_temperature_loss, log_temperature_loss_gradient, -1.6),
    ],
)
def test_gradients_by_complex_step(loss, gradient, at, reduction):
    slope = np.imag(loss(at + 1j * STEP, LOG_PROBS + 0j, -1.5, reduction=reduction)) / STEP
    found = gradient(at, LOG_PROBS, -1.5, reduction=reduction)
    np.testing.assert_allclose(found if reduction == "none" else found.sum(), slope, rtol=1e-13)


def test_target_entropies():
    assert target_entropy(7) == -7
    mdp = random_mdp(2, exact=False)
    np.testing.assert_allclose(entropy(mdp, uniform(mdp)), discrete_target_entropy(mdp.n_actions, 1.0), rtol=1e-14)
    assert discrete_target_entropy(4, 0.98) == pytest.approx(0.98 * 2 * np.log(2), rel=1e-15)


def test_extremes():
    assert temperature_loss(1e-3, -1e4, -7.0) == pytest.approx(10.007, rel=1e-15)
    assert exponential_temperature_loss(np.log(1e-3), -1e4, -7.0) == pytest.approx(10.007, rel=1e-14)


def test_refusals():
    for bad in (0.0, -1.0):
        with pytest.raises(InvalidBatch, match="temperature"):
            temperature_loss(bad, [1.0], -1.0)
    with pytest.raises(InvalidBatch, match="temperature has shape"):
        temperature_loss([1.0], [1.0], -1.0)
    with pytest.raises(InvalidBatch, match="finite"):
        log_temperature_loss(0.0, [np.nan], -1.0)
    with pytest.raises(InvalidBatch, match="dimensions"):
        target_entropy(0)
    with pytest.raises(InvalidBatch, match=r"in \[0, 1\]"):
        discrete_target_entropy(4, 1.5)
    with pytest.raises(NotExact):
        exponential_temperature_loss(F(1), F(1), F(1))
    with pytest.raises(NotExact):
        discrete_target_entropy(4, F(1, 2))
