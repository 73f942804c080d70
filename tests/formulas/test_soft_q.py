from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.bellman import backup
from rlexact.exact.soft_bellman import soft_bellman_optimal, soft_greedy
from rlexact.exact.soft_iteration import soft_value_iteration
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.soft_q import (
    boltzmann,
    boltzmann_log_probs,
    soft_q_target,
    soft_value,
    soft_value_gradient,
    soft_value_slope_in_temperature,
)
from rlexact.gallery import random_mdp
from rlexact.symbolic.notation import tau
from rlexact.symbolic.soft import q, soft_policy
from rlexact.symbolic.soft import soft_value as symbolic_value

STEP = 1e-30
TEMPERATURE = 0.7


@pytest.mark.parametrize("temperature", [0.05, 0.7, 20.0])
def test_value_and_policy_are_the_exact_room_s(temperature):
    mdp = random_mdp(3, terminal=1, exact=False)
    v = np.linspace(-1, 2, mdp.n_states) * ~mdp.terminal
    live, action_values = ~mdp.terminal, backup(mdp, v)
    exact = soft_bellman_optimal(mdp, v, temperature)
    np.testing.assert_allclose(soft_value(action_values, temperature)[live], exact[live], rtol=1e-13)
    greedy = soft_greedy(mdp, v, temperature)
    np.testing.assert_allclose(boltzmann(action_values, temperature)[live], greedy[live], rtol=1e-12)
    logs = boltzmann_log_probs(action_values, temperature)[live]
    np.testing.assert_allclose(np.exp(logs), greedy[live], rtol=1e-12)


def test_the_optimum_is_where_the_mean_target_stays():
    """Σ_s' P y = Q*, every successor enumerated."""
    mdp = random_mdp(5, terminal=1, exact=False)
    best = soft_value_iteration(mdp, TEMPERATURE, tol=1e-12)
    mean = np.zeros(mdp.r.shape)
    for s, a in np.argwhere(~mdp.terminal[:, None] & mdp.available):
        y = soft_q_target(mdp.R[s, a], best.q, mdp.terminal, mdp.gamma, TEMPERATURE)
        mean[s, a] = mdp.P[s, a] @ y
    live = ~mdp.terminal
    np.testing.assert_allclose(mean[live], best.q[live], atol=1e-11)  # tol, once through the backup and rounding


def test_derivatives_in_symbols():
    found = soft_value_gradient(q, tau)
    assert all(sympy.simplify(x - sympy.diff(symbolic_value, y)) == 0 for x, y in zip(found, q, strict=True))
    assert all(sympy.simplify(x - y) == 0 for x, y in zip(boltzmann(q, tau), soft_policy, strict=True))
    assert sympy.simplify(soft_value(q, tau)[()] - symbolic_value) == 0


def test_derivatives_by_complex_step():
    values = np.array([[0.3, -1.0, 2.0], [5.0, 5.0, 5.0]])
    steps = [soft_value(values + 1j * STEP * e, TEMPERATURE).imag / STEP for e in np.eye(3)]
    np.testing.assert_allclose(soft_value_gradient(values, TEMPERATURE), np.stack(steps, axis=-1), rtol=1e-13)
    slope = soft_value(values + 0j, TEMPERATURE + 1j * STEP).imag / STEP
    np.testing.assert_allclose(soft_value_slope_in_temperature(values, TEMPERATURE), slope, rtol=1e-12)


def test_extremes():
    assert soft_value([1e4, 1e4 - 1e-3], 1e-3) == pytest.approx(1e4 + 1e-3 * np.log(1 + np.exp(-1)), rel=1e-15)
    assert boltzmann([1e4, -1e4], 1e-3).tolist() == [1, 0]
    assert boltzmann([1.0, 1.0, 0.0], 1e-3).tolist() == [0.5, 0.5, 0]
    np.testing.assert_allclose(boltzmann([1.0, 0.0], 1e9), [0.5, 0.5], rtol=1e-9)
    assert boltzmann_log_probs([10.0, 0.0], 1e-3)[1] == -1e4


def test_refusals():
    for bad in (0.0, -1.0):
        with pytest.raises(InvalidBatch, match=r"temperature = .*above 0"):
            soft_value([1.0, 2.0], bad)
    with pytest.raises(InvalidBatch, match="temperature has shape"):
        soft_value([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InvalidBatch, match="shapes differ"):
        soft_q_target([1.0], [[1.0], [2.0]], [False], 0.5, 1.0)
    with pytest.raises(InvalidBatch, match="booleans"):
        soft_q_target([1.0], [[1.0]], [0.0], 0.5, 1.0)
    with pytest.raises(NotExact):
        soft_value([Fraction(1)], Fraction(1))
