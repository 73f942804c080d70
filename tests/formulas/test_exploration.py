from fractions import Fraction

import numpy as np
import pytest

from rlexact import policy
from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.exploration import boltzmann, epsilon_greedy
from rlexact.gallery import bandit

F = Fraction
Q = np.array([[F(1), F(3), F(3), F(0)], [F(2), F(2), F(2), F(2)], [F(0), F(-1), F(5), F(1)]])
EPS = F(1, 10)


@pytest.mark.parametrize("ties", ["first", "shared"])
def test_by_counting(ties):
    found = epsilon_greedy(Q, EPS, ties=ties)
    for row, q in zip(found, Q, strict=True):
        best = [a for a in range(4) if q[a] == max(q)]
        takers = best if ties == "shared" else best[:1]
        for a in range(4):
            assert row[a] == EPS / 4 + (F(1) - EPS) * (F(a in takers, len(takers)))
        assert sum(row) == 1


def test_the_greedy_action_is_left_less_often_than_epsilon():
    row = epsilon_greedy([F(1), F(0), F(0), F(0)], EPS)
    assert row[0] == 1 - EPS + EPS / 4
    assert 1 - row[0] == EPS * F(3, 4)


def test_it_is_the_policy_of_the_mdp_floor():
    model = bandit([F(1), F(0), F(0), F(2)])
    q = np.array([[F(1), F(2), F(2), F(0)]] * model.n_states)
    assert (epsilon_greedy(q, EPS)[0] == policy.epsilon_greedy(model, q, EPS)[0]).all()
    model, q = model.to_float(), q.astype(float)
    np.testing.assert_allclose(boltzmann(q, 0.3)[0], policy.softmax(model, q, 0.3)[0], rtol=1e-14)


def test_available_actions_alone():
    mask = np.array([True, False, True, True])
    assert list(epsilon_greedy([F(0), F(9), F(1), F(0)], F(3, 10), mask)) == [F(1, 10), 0, F(8, 10), F(1, 10)]
    found = boltzmann([0.0, 1e4, 0.0, -np.log(2)], 1.0, mask)
    np.testing.assert_allclose(found, [0.4, 0, 0.4, 0.2], rtol=1e-15)


def test_temperatures():
    q = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_allclose(boltzmann(q, 0.5), np.exp(2 * q) / np.exp(2 * q).sum(-1, keepdims=True), rtol=1e-13)
    assert list(boltzmann([1e4, 1e4 - 0.01, -1e4], 1e-3)) == [
        pytest.approx(1 / (1 + np.exp(-10))),
        pytest.approx(np.exp(-10) / (1 + np.exp(-10))),
        0,
    ]
    np.testing.assert_allclose(boltzmann(q, 1e12), 0.25 + 0 * q, rtol=1e-11)  # q / τ
    assert boltzmann(q.astype(np.float32), 1.0).dtype == epsilon_greedy(q.astype(np.float32), 0.5).dtype == np.float32


def test_slope_by_complex_step_is_the_softmax_s():
    from rlexact.formulas.jacobian import jacobian, softmax_jacobian

    q = np.array([0.3, -1.0, 2.0])
    found = jacobian(lambda x: boltzmann(x, 0.5), q)
    np.testing.assert_allclose(found, softmax_jacobian(boltzmann(q, 0.5)) / 0.5, rtol=1e-12)


def test_refusals():
    with pytest.raises(InvalidBatch, match=r"epsilon = 1.5: give numbers in \[0, 1\]"):
        epsilon_greedy([1.0, 2.0], 1.5)
    with pytest.raises(InvalidBatch, match=r"temperature = 0\.0"):
        boltzmann([1.0, 2.0], 0.0)
    with pytest.raises(InvalidBatch, match="no available action"):
        boltzmann([1.0, 2.0], 1.0, [False, False])
    with pytest.raises(InvalidBatch, match="scalar"):
        epsilon_greedy(1.0, 0.5)
    with pytest.raises(InvalidBatch, match="ties = 'random'"):
        epsilon_greedy([1.0], 0.5, ties="random")
    with pytest.raises(NotExact):
        boltzmann([F(1), F(2)], F(1))
