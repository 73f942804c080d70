import math
from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.bellman import backup
from rlexact.exact.offline import iql_value
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.expectile import expectile_of
from rlexact.formulas.iql import (
    iql_policy_loss,
    iql_policy_loss_gradient,
    iql_q_loss,
    iql_q_loss_gradient,
    iql_value_loss,
    iql_value_loss_gradient,
    iql_weights,
)
from rlexact.gallery import random_mdp
from rlexact.policy import uniform

F = Fraction


@pytest.mark.parametrize("tau", [F(1, 2), F(7, 10), F(9, 10)])
def test_the_exact_fixed_point_is_stationary_for_both_losses(tau):
    """V of the exact room, with Q = r + γ P V: slopes of L_V over the data's actions, and of L_Q over successors, vanish."""
    mdp = random_mdp(2, 3, 2)
    beta = uniform(mdp)
    v = iql_value(mdp, beta, tau)
    q = backup(mdp, v)
    for s in range(3):
        slope = iql_value_loss_gradient(np.full(2, v[s]), q[s], tau)
        assert sum(beta[s] * slope) == 0
        assert expectile_of(q[s], tau, beta[s]) == v[s]
        for a in range(2):
            slope = iql_q_loss_gradient(np.full(3, q[s, a]), np.full(3, mdp.r[s, a]), v, [False] * 3, mdp.gamma)
            assert sum(mdp.P[s, a] * slope) == 0


def test_gradients_are_difference_quotients():
    v, q, h, tau = np.array([F(1), F(2), F(-1)]), np.array([F(3), F(-1), F(-2)]), F(1, 1000), F(4, 5)
    up, down = (iql_value_loss(x, q, tau) for x in (v + h, v - h))
    assert (iql_value_loss_gradient(v, q, tau) == (up - down) / (2 * h)).all()
    rest = (q, v, [False, True, False], F(9, 10))
    up, down = (iql_q_loss(x, *rest, reduction="mean") for x in (v + h, v - h))
    assert sum(iql_q_loss_gradient(v, *rest, reduction="mean")) == (up - down) / (2 * h)


def test_policy_gradient_by_complex_step():
    rng = np.random.default_rng(0)
    log_p, q, v = rng.normal(size=(3, 20))
    step = 1e-30
    slope = iql_policy_loss(log_p + 1j * step, q, v, 3.0, 5.0).imag / step
    np.testing.assert_allclose(iql_policy_loss_gradient(log_p, q, v, 3.0, 5.0), slope, rtol=1e-14)
    np.testing.assert_allclose(iql_policy_loss_gradient(log_p, q, v, 3.0, 5.0, reduction="sum"), slope, rtol=1e-14)


def test_weights():
    assert iql_weights([3.0], [1.0], 0.5) == math.e
    assert list(iql_weights([1e4, -1e4, 2.0], [0.0, 0.0, 2.0], 1e3, 100.0)) == [100.0, 0.0, 1.0]
    assert iql_weights([1e4], [0.0], 0.0) == 1  # behavioural cloning


def test_weighted_regression_has_the_tilted_policy_as_its_optimum():
    """Σ_a β w (1 - ...) : with π ∝ β e^{βA}, the slope in every logit vanishes."""
    behaviour, q, v = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 2.0]), np.full(3, 0.7)
    w = iql_weights(q, v, 1.5)
    pi = behaviour * w / sum(behaviour * w)
    slope = behaviour * iql_policy_loss_gradient(np.log(pi), q, v, 1.5)  # in log π(a), for actions drawn from the data
    np.testing.assert_allclose(slope - pi * slope.sum(), 0, atol=1e-15)  # in the logits


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: iql_weights([1e4], [0.0], 1.0), "largest float"),
        (lambda: iql_weights([1.0], [0.0], -1.0), "at least 0"),
        (lambda: iql_weights([1.0], [0.0], 1.0, 0.0), "above 0"),
        (lambda: iql_value_loss([1.0], [1.0, 2.0], 0.5), "shapes differ"),
        (lambda: iql_value_loss([1.0], [1.0], 2.0), r"in \[0, 1\]"),
        (lambda: iql_policy_loss([np.nan], [0.0], [0.0], 1.0), "finite"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_exponentials_of_exact_numbers_are_refused():
    with pytest.raises(NotExact):
        iql_weights([F(1)], [F(0)], 1)
