from fractions import Fraction

import numpy as np
import pytest

from rlexact.arithmetic import SingularSystem
from rlexact.exact.bellman import backup
from rlexact.exact.linear_td import linear_td
from rlexact.exact.target_network import fitted
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.fitted_q import (
    average_bellman_error,
    average_bellman_error_loss,
    average_bellman_error_loss_gradient,
    bellman_error_loss,
    bellman_error_loss_gradient,
    bellman_error_semigradient,
    fitted_q_step,
    fitted_q_targets,
)
from rlexact.gallery.counterexamples import tsitsiklis_van_roy
from rlexact.mdp import MDP

F = Fraction
GAMMA = F(9, 10)
ROWS = [[[F(1, 2), F(1, 2)], [F(0), F(1)]], [[F(1, 4), F(3, 4)], [F(1), F(0)]]]
REWARDS = [[F(1), F(-2)], [F(5), F(1, 2)]]
THETA = np.array([F(1), F(3), F(-2), F(4)])
TABLE = np.array([[F(int(i == j)) for j in range(4)] for i in range(4)]).reshape(2, 2, 4)


def every_outcome():
    """Each pair four times, its successors in the proportions of its row: an average over them is an expectation."""
    for s in range(2):
        for a in range(2):
            for following, p in enumerate(ROWS[s][a]):
                yield from [(s, a, following)] * int(4 * p)


def batch(features=TABLE):
    s, a, following = np.array(list(every_outcome())).T
    rewards = np.array([REWARDS[i][j] for i, j in zip(s, a, strict=True)])
    return features[s, a], rewards, features[following], np.zeros(16, dtype=bool), GAMMA


def test_a_step_on_all_outcomes_with_a_table_is_value_iteration():
    phi, r, following, ended, g = batch()
    mdp = MDP(ROWS, REWARDS, GAMMA)
    found = fitted_q_step(phi, fitted_q_targets(THETA, r, following, ended, g))
    assert (found.reshape(2, 2) == backup(mdp, THETA.reshape(2, 2).max(axis=1))).all()


def test_a_step_diverges_where_the_exact_room_says():
    """Tsitsiklis and Van Roy, ε = 0: w ← 6γ/5 · w."""
    example = tsitsiklis_van_roy(0)
    td = linear_td(example.mdp, example.policy, example.features, example.weights)
    phi = np.array([[F(1)], [F(2)]])
    y = fitted_q_targets([F(3)], [F(0), F(0)], [[[F(2)]], [[F(2)]]], [False, False], example.mdp.gamma)
    found = fitted_q_step(phi, y)
    assert list(found) == list(fitted(td)(np.array([F(3)]))) == [F(6, 5) * example.mdp.gamma * 3]


def test_ridge_by_hand():
    assert fitted_q_step([[F(1)], [F(1)]], [F(1), F(3)], F(2)) == F(4) / (2 + 2)
    with pytest.raises(SingularSystem):
        fitted_q_step([[F(1), F(1)]], [F(1)])


def test_the_mean_square_holds_the_variance_of_the_target():
    """E (Q - y)² = (Q - T Q)² + Var y, pair by pair; the average error has no variance in it."""
    phi, r, following, ended, g = batch()
    mdp, q = MDP(ROWS, REWARDS, GAMMA), THETA.reshape(2, 2)
    v = q.max(axis=1)
    bellman = q - backup(mdp, v)
    variance = np.array([[GAMMA**2 * (sum(p * v**2) - sum(p * v) ** 2) for p in map(np.array, row)] for row in ROWS])
    losses = bellman_error_loss(THETA, phi, r, following, ended, g)
    assert list(losses.reshape(4, 4).mean(axis=1)) == list((bellman**2 + variance).ravel())
    y, test = fitted_q_targets(THETA, r, following, ended, g), phi[:, 2]
    assert average_bellman_error(phi @ THETA, y, test) == bellman[1, 0] / 4
    assert average_bellman_error_loss(phi @ THETA, y, test) == bellman[1, 0] ** 2 / 16


def test_gradients_are_difference_quotients():
    """Quadratic in θ, and no maximum changes within h: exact in Fractions."""
    rng = np.random.default_rng(0)
    features = np.array([F(int(k), 3) for k in rng.integers(-6, 7, 12)]).reshape(2, 2, 3)
    phi, r, following, _, g = batch(features)
    ended, theta, h = np.arange(16) % 5 == 0, np.array([F(1), F(-3), F(2)]), F(1, 10**6)
    found = bellman_error_loss_gradient(theta, phi, r, following, ended, g)
    held = bellman_error_semigradient(theta, phi, r, following, ended, g)
    y = fitted_q_targets(theta, r, following, ended, g)
    for k in range(3):
        nudge = h * (np.arange(3) == k)
        up, down = (bellman_error_loss(t, phi, r, following, ended, g) for t in (theta + nudge, theta - nudge))
        assert list(found[:, k]) == list((up - down) / (2 * h))
        up, down = ((phi @ t - y) ** 2 for t in (theta + nudge, theta - nudge))
        assert list(held[:, k]) == list((up - down) / (2 * h))
    mean = bellman_error_loss_gradient(theta, phi, r, following, ended, g, reduction="mean")
    assert list(mean.sum(axis=0)) == list(found.sum(axis=0) / 16)


def test_average_error_gradient():
    q, y, w, h = np.array([F(1), F(2)]), np.array([F(4), F(1)]), np.array([F(3), F(5)]), F(1, 10)
    found = average_bellman_error_loss_gradient(q, y, w)
    for n in range(2):
        nudge = h * (np.arange(2) == n)
        up, down = (average_bellman_error_loss(x, y, w) for x in (q + nudge, q - nudge))
        assert found[n] == (up - down) / (2 * h)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fitted_q_targets([1.0], [1.0], [[[1.0, 2.0]]], [False], 0.5), "next_features has shape"),
        (lambda: fitted_q_step([[1.0]], [1.0, 2.0]), r"give \(N, K\)"),
        (lambda: fitted_q_step([[1.0]], [1.0], -1.0), "at least 0"),
        (lambda: bellman_error_loss([1.0], [1.0], [1.0], [[[1.0]]], [False], 0.5), "features has shape"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
