from fractions import Fraction

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.td3 import delayed_updates, smoothed_target_actions, td3_target

F = Fraction


def between(x, low, high):
    return sorted([low, x, high])[1]


def test_smoothing_entry_by_entry():
    rng = np.random.default_rng(0)
    actions, noise = ([F(int(k), 10) for k in rng.integers(-12, 13, 50)] for _ in range(2))
    found = smoothed_target_actions(actions, F(3, 2), noise, F(1, 2), -1, 1)
    by_hand = [between(a + between(F(3, 2) * z, -F(1, 2), F(1, 2)), -1, 1) for a, z in zip(actions, noise, strict=True)]
    assert list(found) == by_hand
    assert list(smoothed_target_actions(actions, F(0), noise)) == actions


def test_target_is_the_smaller_critic_s():
    rewards, q1, q2 = [F(1), F(1), F(1)], [F(5), F(2), F(7)], [F(4), F(3), F(0)]
    ended = [False, False, True]
    by_hand = [r + (0 if d else F(9, 10) * min(x, y)) for r, x, y, d in zip(rewards, q1, q2, ended, strict=True)]
    assert list(td3_target(rewards, q1, q2, ended, F(9, 10))) == by_hand


@pytest.mark.parametrize("delay", [1, 2, 3, 7])
def test_schedule_counts_like_the_algorithm(delay):
    """A counter that is raised after every critic step and acts when it is full."""
    counter, acts = 0, []
    for _ in range(20):
        counter += 1
        acts.append(counter == delay)
        counter %= delay
    assert delayed_updates(20, delay).tolist() == acts
    assert delayed_updates(20, delay).sum() == 20 // delay
    assert delayed_updates(0, delay).size == 0


def test_refusals():
    with pytest.raises(InvalidBatch, match="noise_clip"):
        smoothed_target_actions([0.0], 1.0, [0.0], -0.5)
    with pytest.raises(InvalidBatch, match="delay"):
        delayed_updates(5, 0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        td3_target([1.0], [1.0, 2.0], [1.0], [False], 0.5)
    with pytest.raises(InvalidBatch, match="booleans"):
        td3_target([1.0], [1.0], [1.0], [1.0], 0.5)
