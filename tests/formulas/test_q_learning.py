"""Second route: the targets averaged over the outcomes of a model are the exact room's expected updates."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.evaluation import action_value
from rlexact.exact.expected_updates import expected_double_q_learning, expected_q_learning, expected_sarsa
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.q_learning import double_q_targets, n_step_max_targets, q_learning_targets, td_update
from rlexact.formulas.sarsa import (
    expected_sarsa_targets,
    expected_values,
    n_step_expected_sarsa_targets,
    n_step_sarsa_targets,
    sarsa_targets,
)
from rlexact.gallery import random_mdp
from rlexact.outcomes import outcomes_of
from rlexact.policy import uniform

ALPHA = Fraction(1, 3)
MODEL = random_mdp(8, 4, 3, terminal=1, masked=True)


def table(seed):
    rng = np.random.default_rng(seed)
    q = np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, MODEL.r.size)]).reshape(MODEL.r.shape)
    return np.where(MODEL.available, q, Fraction(0))


def expected(target):
    """(S, A) of E[target(s, a, reward, next state or 0, ended)] over the outcomes of every available pair."""
    out = np.full(MODEL.r.shape, Fraction(0))
    for s, a in np.argwhere(MODEL.available):
        for p, following, reward, _ in outcomes_of(MODEL, int(s), int(a)):
            over = following is None or bool(MODEL.terminal[following])
            out[s, a] += p * target(s, a, reward, 0 if following is None else following, np.array(over))
    return out


def moved(q, target):
    return np.where(MODEL.available, q + ALPHA * (expected(target) - q), Fraction(0))


@pytest.mark.parametrize("seed", range(3))
def test_expected_q_learning_and_double_q(seed):
    q, judge, all_pairs = table(seed), table(seed + 10), np.full(MODEL.r.shape, Fraction(1))

    def single(s, a, reward, following, over):
        there = MODEL.available[following]
        return q_learning_targets(reward, q[following], over, MODEL.gamma, available=there)

    def double(s, a, reward, following, over):
        there = MODEL.available[following]
        return double_q_targets(reward, q[following], judge[following], over, MODEL.gamma, available=there)

    assert (moved(q, single) == expected_q_learning(MODEL, q, ALPHA, all_pairs)).all()
    first, _ = expected_double_q_learning(MODEL, q, judge, ALPHA, all_pairs)
    assert ((moved(q, double) + q) / 2 == first).all()  # a coin says which table moves


@pytest.mark.parametrize("seed", range(3))
def test_expected_sarsa_is_sarsa_averaged_over_the_next_action(seed):
    q, pi, all_pairs = table(seed), uniform(MODEL), np.full(MODEL.r.shape, Fraction(1))

    def averaged(s, a, reward, following, over):
        return expected_sarsa_targets(reward, q[following], pi[following], over, MODEL.gamma)

    def sampled(s, a, reward, following, over):
        if over:
            return sarsa_targets([reward], [Fraction(5)], [True], MODEL.gamma)[0]
        actions = np.flatnonzero(pi[following])
        return sum(
            pi[following, b] * sarsa_targets([reward], q[following, [b]], [False], MODEL.gamma)[0] for b in actions
        )

    truth = expected_sarsa(MODEL, pi, q, ALPHA, all_pairs)
    assert (moved(q, averaged) == truth).all()
    assert (moved(q, sampled) == truth).all()


def test_fixed_points():
    q = action_value(MODEL, uniform(MODEL))
    found = expected(
        lambda s, a, r, nxt, over: expected_sarsa_targets(r, q[nxt], uniform(MODEL)[nxt], over, MODEL.gamma)
    )
    assert (found[MODEL.available] == q[MODEL.available]).all()


def n_steps(r, ends_with, ended, cut, gamma, t, n):
    total, weight = Fraction(0), Fraction(1)
    for k in range(t, len(r)):
        total, weight = total + weight * r[k], weight * gamma
        if ended[k]:
            return total
        if cut[k] or k + 1 in (t + n, len(r)):
            return total + weight * ends_with[k]
    return None


@pytest.mark.parametrize("n", [1, 3, 30])
@pytest.mark.parametrize("seed", range(3))
def test_n_step_targets_by_definition(seed, n):
    rng = np.random.default_rng(seed)
    r = np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, 9)])
    q = np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, 27)]).reshape(9, 3)
    ended, cut, gamma = rng.random(9) < 0.2, rng.random(9) < 0.2, Fraction(9, 10)
    p = np.array([[Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]] * 9)
    for found, values in [
        (n_step_max_targets(r, q, ended, cut, gamma, n), [max(row) for row in q]),
        (n_step_sarsa_targets(r, q[:, 1], ended, cut, gamma, n), q[:, 1]),
        (n_step_expected_sarsa_targets(r, q, p, ended, cut, gamma, n), [row @ p[0] for row in q]),
    ]:
        assert list(found) == [n_steps(r, values, ended, cut, gamma, t, n) for t in range(9)]
    if n == 1:
        assert (n_step_max_targets(r, q, ended, cut, gamma, n) == q_learning_targets(r, q, ended, gamma)).all()
        assert (
            n_step_expected_sarsa_targets(r, q, p, ended, cut, gamma, 1)
            == expected_sarsa_targets(r, q, p, ended, gamma)
        ).all()


def test_a_greedy_policy_makes_expected_sarsa_q_learning():
    q, gamma = table(3)[:3], Fraction(1, 2)
    greedy = np.eye(3, dtype=int)[q.argmax(axis=1)] * Fraction(1)
    r, no = np.array([Fraction(1), Fraction(2), Fraction(3)]), np.zeros(3, dtype=bool)
    assert (expected_sarsa_targets(r, q, greedy, no, gamma) == q_learning_targets(r, q, no, gamma)).all()
    assert (expected_values(q, greedy) == q.max(axis=1)).all()


def test_q_learning_sweeps_with_step_1_on_a_deterministic_model_are_value_iteration():
    """Two states that lead to each other: Q is iterated by hand and ends at Q* = γ-sums of the rewards."""
    q, r, nxt, gamma = np.zeros((2, 2)), np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[0, 1], [0, 1]]), 0.5
    for _ in range(60):
        for s in range(2):
            for a in range(2):
                y = q_learning_targets(r[s, a], q[nxt[s, a]], np.array(False), gamma)
                q = td_update(q, (s, a), y, 1)
    np.testing.assert_allclose(q, [[2.0, 2.0], [1.0, 4.0]], rtol=1e-15)  # 0.5^60 is below the last digit


def test_td_update_moves_one_entry_and_leaves_the_table():
    q = table(0)
    before = q.copy()
    found = td_update(q, (1, 2), Fraction(5), ALPHA)
    assert (q == before).all()
    assert found[1, 2] == (1 - ALPHA) * q[1, 2] + ALPHA * 5
    assert (found != q).sum() == 1
    v = td_update([Fraction(1), Fraction(2)], 1, Fraction(4), Fraction(1, 2))
    assert list(v) == [1, 3]
    assert td_update([1.0], 0, 1j, 0.5)[0] == 0.5 + 0.5j


def test_rows_of_terminated_steps_are_not_looked_at():
    ended = np.array([True, False])
    q = [[9.0, 9.0], [1.0, 2.0]]
    there = [[False, False], [True, False]]
    assert list(q_learning_targets([1.0, 1.0], q, ended, 0.5, available=there)) == [1, 1.5]
    assert list(expected_sarsa_targets([1.0, 1.0], q, [[0.0, 0.0], [0.5, 0.5]], ended, 0.5)) == [1, 1.75]
    assert list(double_q_targets([0.0], [[3.0, 3.0]], [[1.0, 2.0]], [False], 1)) == [1]  # a tie: the first


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: q_learning_targets([1.0], [[1.0]], [False], 0.5, available=[[False]]), "no action is available"),
        (lambda: q_learning_targets([1.0, 1.0], [[1.0, 2.0]], [False], 0.5), "shapes differ"),
        (lambda: q_learning_targets([1.0], [[np.inf]], [False], 0.5), "finite"),
        (lambda: q_learning_targets([1.0], [[1.0]], [0], 0.5), "give booleans"),
        (lambda: q_learning_targets([1.0], [[1.0]], [False], 1.5), "gamma = 1.5"),
        (lambda: double_q_targets([1.0], [[1.0, 2.0]], [[1.0]], [False], 0.5), "shapes differ"),
        (lambda: n_step_max_targets([1.0], [[1.0]], None, None, 0.5, 0), "n = 0"),
        (lambda: expected_sarsa_targets([1.0], [[1.0]], [[0.5]], [False], 0.5), "sum to 1"),
        (lambda: expected_sarsa_targets([1.0], [[1.0, 2.0]], [[1.5, -0.5]], [False], 0.5), "at least 0"),
        (lambda: td_update([[1.0]], 0, 1.0, 0.5), "one index for each axis"),
        (lambda: td_update([1.0], 1, 1.0, 0.5), "entry 1"),
        (lambda: td_update([1.0], -1, 1.0, 0.5), "entry -1"),
        (lambda: td_update([1.0], 0, 1.0, -0.5), "alpha = -0.5"),
        (lambda: td_update([1.0], 0, [1.0], 0.5), "one number each"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
