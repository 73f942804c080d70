"""CQL in a table: its minimiser against the slope of its loss and the exact fixed point, its bound against models with the
worst error allowed."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.offline import cql_action_value
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cql_bound import (
    cql_gap,
    cql_lower_bound,
    cql_lower_bound_alpha,
    cql_minimiser,
    cql_pointwise_alpha,
    cql_pointwise_minimiser,
    cql_sampling_error,
)
from rlexact.mdp import MDP

F = Fraction
BETA = np.array([[F(1, 4), F(3, 4)], [F(1, 2), F(1, 2)], [F(1, 3), F(2, 3)]])
PI = np.array([[F(1, 2), F(1, 2)], [F(1), F(0)], [F(1, 5), F(4, 5)]])
ROWS = [
    [["1/2", "1/2", 0], [0, "1/3", "2/3"]],
    [[0, 0, 1], ["1/4", "1/4", "1/2"]],
    [["3/4", 0, "1/4"], [0, 0, 1]],
]
REWARDS = np.array([[F(1), F(-2)], [F(5), F(1, 2)], [F(-1), F(4)]])
ALPHA = F(3, 2)
ERRORS = np.array([F(1, 2), F(2), F(1, 10)])


def model(rewards=REWARDS):
    return MDP(ROWS, rewards, "9/10")


def loss(q, y, mu, with_data):
    return (ALPHA * (mu * q - (BETA * q if with_data else 0)) + BETA * (q - y) ** 2 / 2).sum()


@pytest.mark.parametrize(("minimiser", "with_data"), [(cql_minimiser, True), (cql_pointwise_minimiser, False)])
def test_the_slope_of_the_loss_vanishes(minimiser, with_data):
    y, h = np.array([[F(1), F(4)], [F(2), F(-3)], [F(0), F(7)]]), F(1, 10)
    q = minimiser(y, PI, BETA, ALPHA)
    for entry in range(6):
        nudge = h * (np.arange(6) == entry).reshape(3, 2)
        assert loss(q + nudge, y, PI, with_data) == loss(q - nudge, y, PI, with_data) > loss(q, y, PI, with_data)


def test_the_exact_room_s_fixed_point_is_its_own_minimiser():
    mdp = model()
    q = cql_action_value(mdp, PI, BETA, ALPHA)
    assert (cql_minimiser(backup(mdp, (PI * q).sum(axis=1)), PI, BETA, ALPHA) == q).all()
    short = MDP(ROWS, REWARDS, "1/10")
    assert (cql_action_value(short, PI, BETA, ALPHA) > action_value(short, PI)).any()  # Q itself is no lower bound


def test_gap_is_the_fall_of_the_value_in_one_backup():
    y = np.zeros((3, 2), dtype=int) * F(0)
    fall = -(PI * cql_minimiser(y, PI, BETA, F(1))).sum(axis=1)
    assert list(cql_gap(PI, BETA)) == list(fall)
    assert list(cql_gap(BETA, BETA)) == [0, 0, 0]
    assert cql_gap([[F(1), F(0)]], [[F(1), F(0)]]) == 0


def conservative_value(errors, alpha):
    """Σ π Q of CQL in a model whose every backup is too high by the error allowed in its state."""
    q = cql_action_value(model(REWARDS + errors[:, None]), PI, BETA, alpha)
    return (PI * q).sum(axis=1)


def test_the_threshold_covers_the_worst_error():
    truth = policy_value(model(), PI)
    alpha = cql_lower_bound_alpha(PI, BETA, ERRORS)
    assert cql_lower_bound(PI, BETA, alpha, ERRORS).all()
    assert not cql_lower_bound(PI, BETA, alpha * F(999, 1000), ERRORS).all()
    assert (conservative_value(ERRORS, alpha) <= truth).all()
    assert (conservative_value(ERRORS, F(0)) > truth).all()


def test_the_threshold_is_tight_where_all_states_meet_it_at_once():
    gap = cql_gap(PI, BETA)
    assert cql_lower_bound_alpha(PI, BETA, ALPHA * gap) == ALPHA
    truth = policy_value(model(), PI)
    assert list(conservative_value(ALPHA * gap, ALPHA)) == list(truth)
    assert (conservative_value(ALPHA * gap, ALPHA * F(999, 1000)) > truth).all()


def test_it_is_sufficient_and_not_necessary():
    """A state with slack pays for another: below the threshold V can still be a lower bound."""
    errors = np.array([F(0), F(2), F(0)])
    alpha = cql_lower_bound_alpha(PI, BETA, errors) * F(9, 10)
    assert not cql_lower_bound(PI, BETA, alpha, errors).all()
    assert (conservative_value(errors, alpha) <= policy_value(model(), PI)).all()


def test_pointwise_threshold():
    """Q = y - α μ/β at its fixed point, with every pair too high by the error allowed: below Q^π from the threshold on."""
    mu = np.array([[F(1, 2), F(1, 2)], [F(2, 3), F(1, 3)], [F(1, 5), F(4, 5)]])
    errors = np.array([[F(1), F(1, 2)], [F(3), F(1, 5)], [F(1, 7), F(2)]])
    alpha = cql_pointwise_alpha(mu, BETA, errors)
    assert alpha == max((errors * BETA / mu).flat)
    shifted = action_value(model(REWARDS + errors - alpha * mu / BETA), PI)
    assert (shifted <= action_value(model(), PI)).all()
    exact = ALPHA * mu / BETA
    assert cql_pointwise_alpha(mu, BETA, exact) == ALPHA
    assert (
        action_value(model(REWARDS + exact - ALPHA * F(999, 1000) * mu / BETA), PI) > action_value(model(), PI)
    ).all()


def test_sampling_error():
    assert list(cql_sampling_error([F(4), F(9)], F(2), F(1, 2), F(3))) == [6, 4]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cql_minimiser([[1.0, 1.0]], [[1.0, 0.0]], [[1.0, 0.0]], 1.0), "above 0"),
        (lambda: cql_minimiser([[1.0, 1.0]], [[1.0, 0.0]], [[0.5, 0.5]], -1.0), "at least 0"),
        (lambda: cql_gap([[0.5, 0.5]], [[1.0, 0.0]]), "above 0 where the policy is"),
        (lambda: cql_lower_bound_alpha(BETA, BETA, ERRORS), "no penalty covers"),
        (lambda: cql_lower_bound(PI, BETA, F(1), -ERRORS), "at least 0"),
        (lambda: cql_pointwise_alpha([[1.0, 0.0]], [[0.5, 0.5]], [[1.0, 1.0]]), "no penalty covers"),
        (lambda: cql_sampling_error([0], 1, 0.5, 1), "above 0"),
        (lambda: cql_sampling_error([1], 1, 1.0, 1), "below 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_without_errors_any_alpha_will_do():
    assert cql_lower_bound_alpha(BETA, BETA, ERRORS * 0) == 0
    assert cql_lower_bound(PI, BETA, F(0), ERRORS * 0).all()
