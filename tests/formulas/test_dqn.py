from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.bellman import bellman_optimal
from rlexact.exact.max_estimators import double_max_law, single_max_law
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dqn import (
    double_dqn_targets,
    dqn_targets,
    huber_td_loss,
    huber_td_loss_gradient,
    one_step_targets,
    squared_td_loss,
    squared_td_loss_gradient,
)
from rlexact.gallery import random_mdp

F = Fraction


def test_expected_target_is_the_bellman_backup():
    """E over successors of the DQN target, s by s and a by a, is r + γ P max Q."""
    mdp = random_mdp(1, 3, 2)
    q = np.array([[F(2), F(-1)], [F(0), F(5)], [F(1), F(1)]])
    v = q.max(axis=1)
    for s in range(3):
        best = []
        for a in range(2):
            y = dqn_targets(np.full(3, mdp.r[s, a]), q, np.zeros(3, dtype=bool), mdp.gamma)
            best.append(sum(mdp.P[s, a] * y))
        assert max(best) == bellman_optimal(mdp, v)[s]


def test_the_double_estimate_on_independent_networks():
    """Averaged over two independent noisy networks, both targets have the exact room's bias."""
    law = {F(-1): F(1, 2), F(1): F(1, 2)}
    single, double = F(0), F(0)
    noises = [np.array([x, y, z]) for x in law for y in law for z in law]
    for online in noises:
        for frozen in noises:
            single += dqn_targets(F(0), frozen, np.array(False), F(1)) / 64
            double += double_dqn_targets(F(0), online, frozen, np.array(False), F(1)) / 64
    assert single == single_max_law([law] * 3).mean == F(3, 4)
    assert double == double_max_law([law] * 3).mean == 0


def test_printed_example():
    online, frozen = [[7.0, 4.0, 6.0]], [[4.0, 7.0, 5.0]]
    assert dqn_targets([0.0], frozen, [False], 1) == 7
    assert double_dqn_targets([0.0], online, frozen, [False], 1) == 4


def test_termination_and_ties():
    q = np.array([[3.0, 3.0], [np.float64(1e308), 0.0]])
    assert list(dqn_targets([1.0, 1.0], q, [False, True], 0.5)) == [2.5, 1.0]
    assert double_dqn_targets([0.0], [[3.0, 3.0]], [[1.0, 2.0]], [False], 1) == 1


def test_symbols_where_nothing_is_compared():
    sympy = pytest.importorskip("sympy")
    r, g, v = sympy.symbols("r gamma v")
    assert sympy.expand(one_step_targets([r], [v], [False], g)[0] - r - g * v) == 0
    q = dqn_targets([r], [[v, v + 1]], [False], g)[0]
    assert sympy.expand(q - r - g * (v + 1)) == 0


@pytest.mark.parametrize("how", ["none", "mean", "sum"])
def test_gradients_by_complex_step(how):
    rng = np.random.default_rng(0)
    q, y = rng.normal(size=(2, 30)) * 3
    step = 1e-30
    share = 1 / 30 if how == "mean" else 1
    slope = squared_td_loss(q + 1j * step, y).imag / step * share
    np.testing.assert_allclose(squared_td_loss_gradient(q, y, reduction=how), slope, rtol=1e-13)
    slope = huber_td_loss(q + 1j * step, y, 1.0).imag / step * share
    np.testing.assert_allclose(huber_td_loss_gradient(q, y, 1.0, reduction=how), slope, rtol=1e-13)


def test_huber_is_half_the_square_where_errors_are_small():
    q, y = np.array([F(1), F(2)]), np.array([F(3, 2), F(9, 5)])
    assert (2 * huber_td_loss(q, y, F(1)) == squared_td_loss(q, y)).all()
    assert huber_td_loss(q, y, F(1), reduction="mean") == (F(1, 8) + F(1, 50)) / 2


def test_float32_stays():
    q = np.ones((4, 2), dtype=np.float32)
    assert dqn_targets(q[:, 0], q, np.zeros(4, dtype=bool), 0.9).dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [[1.0, 2.0]], [False], 0.5), "shapes differ"),
        (([1.0], 1.0, [False], 0.5), "is a scalar"),
        (([1.0], [[]], [False], 0.5), "empty batch"),
        (([1.0], [[1.0, np.inf]], [False], 0.5), r"next_q_target\[0, 1\] = inf"),
        (([1.0], [[1.0, 2.0]], [0], 0.5), "give booleans"),
        (([1.0], [[1.0, 2.0]], [False], 2.0), "gamma"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InvalidBatch, match=message):
        dqn_targets(*arguments)
