"""Experience and the replay buffer: what is held, how often each is drawn, and where an episode ends or is cut."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.door import InvalidMDP
from rlexact.learning.replay import EmptyReplay, Experience, Replay, Transition, transitions
from rlexact.learning.simulate import trajectory
from rlexact.policy import deterministic, uniform
from tests.learning.laws import HALF, small


def numbered(n):
    return [Transition(i, 0, float(i), i + 1, False) for i in range(n)]


def filled(capacity, n, seed=0, burn_in=1):
    replay = Replay(capacity, np.random.default_rng(seed), burn_in)
    for t in numbered(n):
        replay.store(t)
    return replay


@pytest.mark.parametrize("capacity", [1, 2, 3, 7])
def test_first_in_first_out(capacity):
    for n in range(1, 12):
        assert filled(capacity, n).oldest_first() == numbered(n)[-capacity:]
        assert len(filled(capacity, n)) == min(n, capacity)


def test_uniform_samples():
    n, size = 6, 6000
    counts = np.bincount([t.state for t in filled(6, 9).sample(size)], minlength=9)
    assert counts[:3].sum() == 0  # the first three were overwritten
    assert (np.abs(counts[3:] - size / n) < 4.5 * np.sqrt(size * 5 / 36)).all()  # binomial, p = 1/6


def test_prioritised_samples():
    """Priorities 1, 4, 9 and ω = 1/2: probabilities 1/6, 2/6, 3/6, weights (P_min / P)^β with β = 1 or 1/2."""
    replay, size = filled(3, 3), 6000
    replay.reprioritise(np.array([0, 1, 2]), np.array([1.0, 4.0, 9.0]))
    drawn, weights, places = replay.sample_prioritised(size, 0.5, 1)
    law = np.array([1, 2, 3]) / 6
    assert [t.state for t in drawn] == places.tolist()
    assert (np.abs(np.bincount(places) - size * law) < 4.5 * np.sqrt(size * law * (1 - law))).all()
    assert np.abs(weights - np.array([1, 1 / 2, 1 / 3])[places]).max() < 1e-15
    _, softer, where = replay.sample_prioritised(50, 0.5, 0.5)
    assert np.abs(softer - np.array([1, 1 / 2, 1 / 3])[where] ** 0.5).max() < 1e-15
    # w undoes the law: E w x = P_min Σ x over all, whatever the priorities
    mean = (weights * places).mean()
    spread = (law * (np.array([1, 1 / 2, 1 / 3]) * np.arange(3) - 0.5) ** 2).sum()
    assert abs(mean - 3 / 6) < 4.5 * (spread / size) ** 0.5
    replay.store(Transition(9, 0, 0.0, 0, False))  # in place of the first, with the highest priority so far
    assert replay.priorities.tolist() == [9, 4, 9]
    replay.reprioritise(np.array([0, 1, 2]), np.array([1.0, 2.0, 1.0]))
    replay.store(Transition(9, 0, 0.0, 0, False))
    assert replay.priorities.tolist() == [1, 9, 1]


def test_too_little_to_sample_from():
    with pytest.raises(EmptyReplay, match="0 of the 1"):
        Replay(3, np.random.default_rng(0)).sample(1)
    young = filled(9, 4, burn_in=5)
    assert not young.ready
    for ask in (lambda: young.sample(1), lambda: young.sample_prioritised(1, 1, 1)):
        with pytest.raises(EmptyReplay, match="4 of the 5"):
            ask()
    young.store(numbered(1)[0])
    assert len(young.sample(2)) == 2


def test_refusals():
    rng = np.random.default_rng(0)
    for bad in (0, -1, 1.5):
        with pytest.raises(ValueError, match="whole number"):
            Replay(bad, rng)
        with pytest.raises(ValueError, match="whole number"):
            filled(3, 3).sample(bad)
    with pytest.raises(ValueError, match="never fits"):
        Replay(3, rng, 4)
    for omega, beta in ((-1, 0), (1, 2), (1, -1), (float("nan"), 1), (1, float("nan"))):
        with pytest.raises(ValueError, match="omega"):
            filled(3, 3).sample_prioritised(1, omega, beta)
    for bad in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="positive"):
            filled(3, 3).reprioritise(np.array([0]), np.array([bad]))
    with pytest.raises(InvalidMDP, match="terminal"):
        Experience(small(), rng, start=2)


def test_ends_and_cuts():
    model = gallery.left_right_loop()
    life = Experience(model, np.random.default_rng(0), episode_steps=3)
    assert life.step(1) == (0, 1, 3.0, 1, False, False)
    assert life.step(1) == (1, 1, 10.0, -1, True, False)
    assert life.state == 0
    assert [life.step(0).truncated for _ in range(6)] == [False, False, True] * 2
    sudden = Experience(model, np.random.default_rng(0), episode_steps=2)
    assert [sudden.step(1)[4:] for _ in range(2)] == [(False, False), (True, False)]  # at an end there is no cut
    assert [life.step(a).terminated for a in (1, 0, 1)] == [False] * 3  # cut in B, whose successor is kept
    assert life.episode(lambda s: 1) == [(0, 1, 3.0, 1, False, False), (1, 1, 10.0, -1, True, False)]


def test_starts_in_a_terminal_state_are_passed_over():
    model = small().replace(initial=[HALF, 0, HALF])
    life = Experience(model, np.random.default_rng(0))
    for _ in range(50):
        t = life.step(1)
        assert not model.terminal[t.state]
        if t.terminated:
            assert life.state == 0


def test_starts_come_as_often_as_their_law_says():
    life, n = Experience(small(), np.random.default_rng(0), episode_steps=1), 2000
    ones = sum(life.step(0).state for _ in range(n))
    assert abs(ones - n / 4) < 4.5 * (n * 3 / 16) ** 0.5
    elsewhere = Experience(small(), np.random.default_rng(0), start=1, episode_steps=1)
    assert {elsewhere.step(0).state for _ in range(20)} == {1}


def test_transitions_of_a_trajectory():
    model = gallery.left_right_loop()
    right = deterministic(model, ["right", "right"])
    done = transitions(trajectory(model, right, np.random.default_rng(0)))
    assert done == [(0, 1, 3, 1, False, False), (1, 1, 10, -1, True, False)]
    assert isinstance(done[0].reward, Fraction)
    cut = transitions(trajectory(model, right, np.random.default_rng(0), steps=1))
    assert cut == [(0, 1, 3, 1, False, True)]
    entered = transitions(trajectory(small(), uniform(small()), np.random.default_rng(1)))
    assert entered[-1].terminated
    assert not any(t.terminated or t.truncated for t in entered[:-1])
    assert [t.following for t in entered[:-1]] == [t.state for t in entered[1:]]
