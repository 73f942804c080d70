"""Sampled trajectories: frequencies within the exact standard error, printed runs reproduced, ends and cuts told apart."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.paths import paths
from rlexact.learning.simulate import trajectory
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic, uniform

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)


def busy():
    """Random rewards, two actions, a terminal state, and a step that may end by itself."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 1, 1, False), (QUARTER, 1, -2, False), (QUARTER, 0, 0, False)],
            (0, 1): [(THIRD, None, 7, True), (2 * THIRD, 2, 3, False)],
            (1, 0): [(1, 0, "1/2", False)],
            (1, 1): [(HALF, 2, 4, False), (HALF, None, 4, True)],
        },
        "9/10",
        initial=["2/3", "1/3", 0],
        terminal=[2],
    )


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_every_path_comes_as_often_as_it_should(convert):
    exact, n = busy(), 2500
    model = convert(exact)
    lopsided = np.array([[THIRD, 2 * THIRD], [3 * QUARTER, QUARTER], [1, 0]])
    pi, rng = lopsided if model.world in ("rational", "symbolic") else lopsided.astype(float), np.random.default_rng(7)
    counted = Counter()
    for _ in range(n):
        t = trajectory(model, pi, rng, steps=3)
        rewards = tuple(float(x) for x in t.rewards)
        counted[tuple(t.states.tolist()), tuple(t.actions.tolist()), rewards, t.terminated] += 1
    law = {
        (path.states, path.actions, tuple(float(x) for x in path.rewards), path.terminated): float(path.probability)
        for path in paths(exact, lopsided, 3)
    }
    assert set(counted) <= set(law)
    for path, p in law.items():
        # 4.5 standard errors: 1 in 150,000 per path, and the seed is fixed
        assert abs(counted[path] / n - p) < 4.5 * (p * (1 - p) / n) ** 0.5, path
    chi_square = sum((counted[path] - n * p) ** 2 / (n * p) for path, p in law.items())
    cells = len(law) - 1
    assert abs(chi_square - cells) < 4.5 * (2 * cells) ** 0.5  # mean and standard deviation of χ² with that many cells


def printed_process():
    """foundations, lines 46-66: uniform rows and a uniform start law, normalised, from NumPy's legacy generator."""
    draw = np.random.RandomState(0)
    rows = [draw.rand(5) for _ in range(5)]
    start = draw.rand(5)
    return MDP.chain(np.vstack([p / p.sum() for p in rows]), initial=start / start.sum()), draw


def test_the_printed_run_of_a_markov_process():
    process, draw = printed_process()
    assert process.P[3, 0].round(8).tolist() == [0.03366488, 0.00781195, 0.32170632, 0.30066296, 0.3361539]
    t = trajectory(process, None, draw, steps=10)
    assert t.states.tolist() == [1, 3, 3, 3, 0, 2, 2, 2, 3, 4, 1]  # foundations, line 104
    assert (t.terminated, t.truncated) == (False, True)


def test_the_printed_run_of_a_reward_process():
    process, draw = printed_process()
    trajectory(process, None, draw, steps=10)
    rows = [draw.rand(5) for _ in range(5)]
    start = draw.rand(5)
    R = np.tile(draw.randn(5), (5, 1))
    rewarded = MDP.chain(np.vstack([p / p.sum() for p in rows]), R, 0.99, start / start.sum())
    t = trajectory(rewarded, None, draw, steps=10)
    assert t.states.tolist() == [0, 1, 3, 0, 3, 2, 1, 3, 0, 3, 4]  # foundations, lines 181-199
    assert t.rewards[:3].tolist() == [-0.027971183469780222, 0.6467800971387857, 0.42539339846964996]


def test_how_it_stopped():
    model = busy()
    to_the_end, half_way = deterministic(model, [1, 1, 0]), deterministic(model, [0, 0, 0])
    for seed in range(20):
        t = trajectory(model, to_the_end, np.random.default_rng(seed), start=0)
        assert (t.terminated, t.truncated, t.actions.tolist()) == (True, False, [1])
        assert (t.states.tolist(), t.rewards.tolist()) in (([0], [7]), ([0, 2], [3]))
        t = trajectory(model, half_way, np.random.default_rng(seed), steps=6)
        assert (t.terminated, t.truncated, t.states.shape, t.rewards.shape) == (False, True, (7,), (6,))
    still = trajectory(model, to_the_end, np.random.default_rng(0), start=2)
    assert (still.states.tolist(), still.actions.shape, still.terminated, still.truncated) == ([2], (0,), True, False)
    cut = trajectory(model, to_the_end, np.random.default_rng(0), steps=0, start=1)
    assert (cut.states.tolist(), cut.terminated, cut.truncated) == ([1], False, True)


def test_rewards_keep_the_models_numbers():
    t = trajectory(busy(), uniform(busy()), np.random.default_rng(1), steps=5)
    assert all(isinstance(x, Fraction) for x in t.rewards)
    assert (
        trajectory(busy().to_float(), uniform(busy().to_float()), np.random.default_rng(1), steps=5).rewards.dtype
        == float
    )


def test_a_seed_repeats_and_the_world_does_not_matter():
    model = busy()
    runs = [
        trajectory(m, uniform(m), np.random.default_rng(5), steps=50).states.tolist()
        for m in (model, model, model.to_float(), model.to_sparse(), model.to_symbolic())
    ]
    assert all(run == runs[0] for run in runs)


def test_an_episode_without_end_is_refused_unless_steps_are_given():
    model = busy()
    for_ever = deterministic(model, [0, 0, 0])
    with pytest.raises(InvalidPolicy, match="for ever"):
        trajectory(model, for_ever, np.random.default_rng(0))
    assert trajectory(model, for_ever, np.random.default_rng(0), start=2).terminated
    assert trajectory(model, uniform(model), np.random.default_rng(0)).terminated


def test_refusals():
    model = busy()
    p = sympy.Symbol("p")
    open_chain = MDP.chain([[p, 1 - p], [0, 1]], initial=0)
    with pytest.raises(NotExact, match="symbols"):
        trajectory(open_chain, None, np.random.default_rng(0), steps=1)
    with pytest.raises(InvalidPolicy, match="policy"):
        trajectory(model, None, np.random.default_rng(0), steps=1)
    with pytest.raises(ValueError, match="whole number"):
        trajectory(model, uniform(model), np.random.default_rng(0), steps=1.5)
    with pytest.raises(InvalidMDP, match="initial"):
        trajectory(MDP.chain([[1.0]]), None, np.random.default_rng(0), steps=1)
