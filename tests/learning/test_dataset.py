"""Datasets against counts by hand, the model itself, and the best policy in support by brute force."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.evaluation import expected_return
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.dataset import collect, recorded, restricted, unlimited
from rlexact.learning.replay import Transition
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies, uniform
from tests.learning.laws import HALF, THIRD, assert_frequent, small

ONE = Fraction(1)
DATA = [
    Transition(0, 0, ONE, 1, False),
    Transition(0, 0, -2 * ONE, 0, False),
    Transition(0, 1, 6 * ONE, -1, True),
    Transition(1, 1, 4 * ONE, 2, True),
]


def test_counts_by_hand():
    data = recorded(small(), DATA)
    assert data.behaviour.tolist() == [[2 * THIRD, THIRD], [0, 1], [0, 0]]
    assert data.seen.tolist() == [[True, True], [False, True], [False, False]]
    assert data.left.tolist() == [True, True, False]
    found = sorted(zip(*(x.tolist() for x in data.rows), strict=True))
    assert found == [
        (0, 0, -2.0, 0, False, 0.25),
        (0, 0, 1.0, 1, False, 0.25),
        (0, 1, 6.0, -1, True, 0.25),
        (1, 1, 4.0, 2, True, 0.25),
    ]


def test_acting_is_even_where_nothing_is_known():
    data = recorded(small(), DATA[:3])
    pi = data.acting(np.array([[0.2, 0.8], [7.0, 7.0], [7.0, 7.0]]))
    assert pi[:2].tolist() == [[0.2, 0.8], [0.5, 0.5]]


def test_unlimited_data_are_the_model():
    data = unlimited(small(), uniform(small()))
    assert (data.model == small(), data.rows.shares.sum()) == (True, 1)
    model = data.model
    for s, a in np.argwhere(model.available).tolist():
        rows = [i for i in range(len(data.rows.shares)) if (data.rows.states[i], data.rows.actions[i]) == (s, a)]
        paid = sum(data.rows.shares[i] * data.rows.rewards[i] for i in rows)
        assert paid == float(model.r[s, a]) / 4


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse])
def test_collected_pairs_come_as_often_as_they_should(convert):
    """Steps that begin anew each time: state 0 or 1 by the start, then the behaviour."""
    model = convert(small())
    data = collect(model, uniform(model), 2000, 0, episode_steps=1)
    shares = np.zeros((3, 2))
    np.add.at(shares, (data.rows.states, data.rows.actions), data.rows.shares)
    assert_frequent(2000 * shares[:2].ravel(), 2000 * np.array([0.375, 0.375, 0.125, 0.125]))
    assert abs(data.rows.shares.sum() - 1) < 1e-12  # nine terms


def test_minibatches_have_the_law_of_the_rows():
    data = recorded(small(), [*DATA, DATA[0]])
    drawn = data.batches(3000, 0)()
    assert (drawn.shares == 1 / 3000).all()
    counts = [(drawn.rewards == r).sum() for r in (1, -2, 6, 4)]
    assert_frequent(np.array(counts), 600 * np.array([2, 1, 1, 1]))
    assert data.batches(None, None)() is data.rows
    with pytest.raises(ValueError, match="rng"):
        data.batches(3, None)


def test_the_best_in_support_is_the_best_of_all_that_stay_in_it():
    model = small()
    for data in (recorded(model, DATA), recorded(model, DATA[:1])):
        values = []
        for pi in deterministic_policies(model):
            if not (pi[data.left] * ~data.seen[data.left]).any():
                pi = np.where(data.left[:, None], pi, uniform(model))
                values.append(expected_return(model, pi))
        inside = restricted(model, data.seen)
        assert policy_iteration(inside).v @ inside.initial == max(values)
        assert inside.gamma == HALF
    assert max(values) < policy_iteration(model).v @ model.initial
