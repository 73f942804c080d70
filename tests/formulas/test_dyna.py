from fractions import Fraction

import numpy as np
import pytest

from rlexact import MDP
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dyna import dyna_mean_step, dyna_model, dyna_planning

F = Fraction
GAMMA, ALPHA = F(4, 5), F(1, 3)
STATES, ACTIONS, NEXT = [0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [1, 2, 0, 2, 2, 0]
PAID = [F(1), F(0), F(2), F(-1), F(3), F(1)]
ENDED = [False, False, False, False, True, False]


def whole_model():
    return dyna_model(STATES, ACTIONS, PAID, NEXT, ENDED, 3, 2)


def as_mdp():
    return MDP.from_outcomes(
        [
            [
                [(F(1), None if ENDED[2 * s + a] else NEXT[2 * s + a], PAID[2 * s + a], ENDED[2 * s + a])]
                for a in range(2)
            ]
            for s in range(3)
        ],
        GAMMA,
        0,
    )


def test_optimal_values_stay_where_they_are():
    mdp = as_mdp()
    q = policy_iteration(mdp).q
    assert (dyna_planning(q, whole_model(), STATES, ACTIONS, ALPHA, GAMMA) == q).all()
    assert (dyna_mean_step(q, whole_model(), ALPHA, GAMMA) == q).all()


def test_planning_without_end_finds_the_optimum():
    q = np.zeros((3, 2))
    model = dyna_model(STATES, ACTIONS, [float(x) for x in PAID], NEXT, ENDED, 3, 2)
    q = dyna_planning(q, model, STATES * 150, ACTIONS * 150, 1.0, 0.8)
    np.testing.assert_allclose(q, policy_iteration(as_mdp()).q.astype(float), rtol=1e-12)  # 0.8^150 < 1e-14


def test_mean_over_every_draw():
    q = np.array([[F(1), F(-2)], [F(3), F(0)], [F(1, 2), F(5)]])
    draws = [dyna_planning(q, whole_model(), [s], [a], ALPHA, GAMMA) for s, a in zip(STATES, ACTIONS, strict=True)]
    assert (dyna_mean_step(q, whole_model(), ALPHA, GAMMA) == sum(draws) / 6).all()


def test_steps_follow_each_other():
    """By hand: the second step sees what the first has written."""
    model = dyna_model([0, 1], [0, 0], [F(1), F(2)], [1, 0], [False, False], 2, 1)
    q = dyna_planning([[F(0)], [F(0)]], model, [0, 1], [0, 0], F(1, 2), F(1, 2))
    assert q.ravel().tolist() == [F(1, 2), F(9, 8)]


def test_the_last_transition_is_remembered():
    model = dyna_model([0, 0], [0, 0], [F(1), F(2)], [0, 1], [False, True], 2, 1)
    assert (model.rewards[0, 0], model.next_states[0, 0], model.terminated[0, 0]) == (2, 1, True)
    assert model.seen.tolist() == [[True], [False]]
    with pytest.raises(InvalidBatch, match=r"pair 1, \(s, a\) = \(1, 0\), was never seen"):
        dyna_planning([[F(0)], [F(0)]], model, [0, 1], [0, 0], F(1), F(1))
    assert dyna_mean_step([[F(0)], [F(7)]], model, F(1), F(1)).ravel().tolist() == [2, 7]


def test_refusals():
    with pytest.raises(InvalidBatch, match="states"):
        dyna_model([5], [0], [1.0], [0], [False], 2, 1)
    with pytest.raises(InvalidBatch, match="booleans"):
        dyna_model([0], [0], [1.0], [0], [0.0], 2, 1)
    with pytest.raises(InvalidBatch, match="actions have dtype float64"):
        dyna_model([0], [0.0], [1.0], [0], [False], 2, 1)
    with pytest.raises(InvalidBatch, match="q has shape"):
        dyna_mean_step([[0.0]], dyna_model([0], [0], [1.0], [0], [False], 2, 1), 0.5, 0.5)
    with pytest.raises(InvalidBatch, match="step_size"):
        dyna_mean_step([[0.0], [0.0]], dyna_model([0], [0], [1.0], [0], [False], 2, 1), 1.5, 0.5)
