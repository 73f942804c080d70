from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.gradient import finite_horizon_gradient, policy_gradient
from rlexact.exact.gradient_estimators import score_table
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.off_policy import (
    importance_weighted_loss,
    importance_weighted_loss_gradient,
    importance_weighted_surrogate,
    importance_weighted_surrogate_gradient,
    trajectory_ratios,
    trajectory_weighted_surrogate,
    trajectory_weighted_surrogate_gradient,
    weighted_variance,
)
from rlexact.gallery import random_mdp, two_armed_bandit
from rlexact.policy import uniform

PI = np.array([Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)])
MU = np.array([Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)])
A = np.array([Fraction(3), Fraction(-1), Fraction(1, 2)])
STEP = 1e-30  # a complex step subtracts nothing: exact to rounding


def test_mean_under_the_behaviour_is_the_mean_under_the_target():
    assert (MU * importance_weighted_surrogate(PI / MU, A)).sum() == (PI * A).sum()


def test_variance_by_its_definition():
    rho = PI / MU
    mean = (MU * rho * A).sum()
    assert weighted_variance(PI, MU, A) == (MU * (rho * A - mean) ** 2).sum()
    assert weighted_variance(PI, MU) == (PI**2 / MU).sum() - 1
    assert weighted_variance(PI, PI) == 0


def test_variance_grows_as_a_power_along_a_trajectory():
    """Two independent steps: 1 + χ² multiplies."""
    joint = [np.outer(p, p).ravel() for p in (PI, MU)]
    assert 1 + weighted_variance(*joint) == (1 + weighted_variance(PI, MU)) ** 2


def test_gradient_in_the_ratio_by_exact_difference():
    rho, h = PI / MU, Fraction(1, 9)
    quotient = (importance_weighted_surrogate(rho + h, A) - importance_weighted_surrogate(rho, A)) / h
    assert (importance_weighted_surrogate_gradient(rho, A) == quotient).all()


def test_gradient_in_log_probabilities_by_complex_step():
    log_p, log_mu, adv = np.random.default_rng(0).normal(size=(3, 20))
    slope = importance_weighted_loss(log_p + 1j * STEP, log_mu, adv).imag / STEP
    np.testing.assert_allclose(importance_weighted_loss_gradient(log_p, log_mu, adv), slope, rtol=1e-13)


def test_at_equal_policies_the_gradient_is_the_policy_gradient():
    bandit = two_armed_bandit().to_float()
    family = softmax_at(bandit, np.array([[0.3, 0.7]]))
    pi, scores = family.policy[0], score_table(bandit, family)[0].reshape(2, 2)
    slope = -importance_weighted_loss_gradient(np.log(pi), np.log(pi), bandit.r[0])
    np.testing.assert_allclose((pi * slope) @ scores, policy_gradient(bandit, family).ravel(), rtol=1e-14)


def test_whole_trajectories_of_another_policy_give_the_policy_gradient():
    mdp = random_mdp(7, 2, 2, exact=False)
    target = softmax_at(mdp, np.array([[0.7, 0.3], [0.4, 0.6]]))
    behaviour, scores = uniform(mdp), score_table(mdp, target)

    def estimate(path):
        where = (list(path.states[:2]), list(path.actions))
        returns = [sum(mdp.gamma**u * path.rewards[u] for u in range(t, 2)) for t in range(2)]
        slope = trajectory_weighted_surrogate_gradient(
            np.log(target.policy[where]), np.log(behaviour[where]), np.array(returns)
        )
        return (slope[:, None, None] * scores[where]).sum(axis=0)

    found = expect(mdp, behaviour, 2, estimate)
    np.testing.assert_allclose(found, finite_horizon_gradient(mdp, target, 2), rtol=1e-12, atol=1e-14)


def test_the_trajectory_weight_is_held_fixed():
    log_p, log_mu, g = np.random.default_rng(1).normal(size=(3, 4))
    held = np.exp((log_p - log_mu).sum())
    found = trajectory_weighted_surrogate(log_p, log_mu, g)
    np.testing.assert_allclose(found, held * log_p * g, rtol=1e-14)
    np.testing.assert_allclose(trajectory_weighted_surrogate_gradient(log_p, log_mu, g), held * g, rtol=1e-14)


def test_extremes():
    assert importance_weighted_loss([700.0], [0.0], [1.0]) == -np.exp(700)
    assert importance_weighted_loss([-700.0], [0.0], [1.0]) == -np.exp(-700)
    assert importance_weighted_loss([0.0], [-1e4], [0.0]) == 0
    assert importance_weighted_loss_gradient([-1e4], [-1e4], [3.0]) == -3
    assert trajectory_ratios([-1e4, -1e4], [-1e4, -1e4]) == 1
    with pytest.raises(InvalidBatch, match="largest float"):
        importance_weighted_loss([0.0], [-1e4], [1.0])
    with pytest.raises(InvalidBatch, match="whose product is a float"):
        importance_weighted_loss([700.0], [0.0], [1e10])


def test_refusals():
    with pytest.raises(NotExact):
        importance_weighted_loss([Fraction(-1)], [Fraction(-1)], [Fraction(1)])
    with pytest.raises(InvalidBatch, match="ratios"):
        importance_weighted_surrogate([-1.0], [1.0])
    with pytest.raises(InvalidBatch, match="behaviour_probs"):
        weighted_variance([0.5, 0.5], [1.0, 0.0])
    assert weighted_variance([1.0, 0.0], [1.0, 0.0]) == 0
    with pytest.raises(InvalidBatch, match="time axis"):
        trajectory_ratios(0.0, 0.0)
