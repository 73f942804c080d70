from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact import MDP
from rlexact.exact.horizon import backward_induction
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.model_predictive import (
    delta_model,
    delta_model_loss,
    delta_model_loss_gradient,
    planning_objective,
    predicted_states,
    random_shooting,
)

F = Fraction
NEXT = np.array([[1, 2], [0, 2], [1, 1]])
PAID = np.array([[F(1), F(0)], [F(0), F(2)], [F(-1), F(5)]])
GAMMA = F(9, 10)
EVERY = np.array(list(product(range(2), repeat=4))).T  # (T, N): all sequences of four actions


def deterministic_model():
    P = np.zeros((3, 2, 3), dtype=object)
    for (s, a), s_next in np.ndenumerate(NEXT):
        P[s, a, s_next] = F(1)
    return MDP(P, PAID, GAMMA)


@pytest.mark.parametrize("start", range(3))
def test_shooting_with_all_sequences_is_backward_induction(start):
    plan = random_shooting(lambda s, a: NEXT[s, a], lambda s, a: PAID[s, a], start, EVERY, GAMMA)
    best = backward_induction(deterministic_model(), 4)
    assert plan.objective == best.v[0][start]
    assert plan.objective == max(plan.objectives)
    assert plan.first == plan.actions[0]


def test_final_values_are_bootstrapped():
    ahead = np.array([F(7), F(0), F(3)])
    plan = random_shooting(lambda s, a: NEXT[s, a], lambda s, a: PAID[s, a], 0, EVERY, GAMMA, lambda s: ahead[s])
    assert plan.objective == backward_induction(deterministic_model(), 4, terminal_values=ahead).v[0][0]


def test_objective_by_its_sum():
    r = np.array([F(k, 3) for k in (1, -4, 2, 7)])
    assert planning_objective(r, GAMMA, F(5)) == sum(GAMMA**k * x for k, x in enumerate(r)) + GAMMA**4 * 5
    assert planning_objective(r) == sum(r)


def test_states_of_a_delta_model():
    """A linear system s' = s + A s + B a, unrolled by matrix powers."""
    A, B = np.array([[0.0, 0.1], [-0.2, 0.0]]), np.array([0.0, 0.5])
    actions = np.random.default_rng(0).normal(size=6)
    states = predicted_states(delta_model(lambda s, a: s @ A.T + B * a), np.array([1.0, 0.0]), actions)
    step = np.eye(2) + A
    last = np.linalg.matrix_power(step, 6) @ [1.0, 0.0]
    last = last + sum(np.linalg.matrix_power(step, 5 - k) @ B * a for k, a in enumerate(actions))
    assert states.shape == (7, 2)
    np.testing.assert_allclose(states[-1], last, rtol=1e-13)


def test_loss_of_the_change_is_the_loss_of_the_state():
    delta, s, s_next = np.random.default_rng(0).normal(size=(3, 5, 2))
    np.testing.assert_allclose(delta_model_loss(delta, s, s_next), ((s + delta - s_next) ** 2).sum(-1) / 2, rtol=1e-13)
    for k in range(2):
        slope = delta_model_loss(delta + 1e-30j * np.eye(2)[k], s, s_next).imag / 1e-30 / 5
        found = delta_model_loss_gradient(delta, s, s_next, reduction="mean")[:, k]
        np.testing.assert_allclose(found, slope, rtol=1e-13)


def test_refusals():
    with pytest.raises(InvalidBatch, match="gamma"):
        planning_objective([1.0], 1.5)
    with pytest.raises(InvalidBatch, match="final_values"):
        planning_objective([1.0], 1.0, [1.0])
    with pytest.raises(InvalidBatch, match="time first"):
        random_shooting(lambda s, a: s, lambda s, a: s, 0.0, [1.0])
    with pytest.raises(InvalidBatch, match="coordinates"):
        delta_model_loss(1.0, 1.0, 1.0)
