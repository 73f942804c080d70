"""Batches of episodes and the softmax actor: padding, cuts, scores against a family's own, logits without overflow."""

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.gradient_estimators import score_table
from rlexact.learning.episodes import Sampler, side_by_side
from rlexact.learning.replay import Transition
from rlexact.learning.softmax_actor import SoftmaxActor, entropy_gradient, log_softmax
from rlexact.mdp import InvalidPolicy
from rlexact.policy import softmax, uniform
from tests.learning.batches import THETA, actor_at, busy, endless, family


def test_shorter_episodes_are_filled_up_with_nothing():
    runs = [
        [Transition(0, 1, 2.0, 1, False), Transition(1, 0, 3.0, 0, False, True)],
        [],
        [Transition(1, 1, 4.0, -1, True)],
    ]
    lived = side_by_side(runs)
    assert lived.shape == (2, 3)
    assert lived.taken.tolist() == [[True, False, True], [True, False, False]]
    assert lived.rewards.tolist() == [[2, 0, 4], [3, 0, 0]]
    assert lived.terminated.tolist() == [[False, True, True], [False, True, True]]
    assert lived.truncated.tolist() == [[False] * 3, [True, False, False]]
    now, then = lived.values(np.array([10.0, 20.0]))
    assert now.tolist() == [[10, 0, 20], [20, 0, 0]]
    assert then.tolist() == [[20, 0, 0], [10, 0, 0]]
    weights = np.array([[1.0, 9.0, 5.0], [7.0, 9.0, 9.0]])
    assert lived.table(weights, 2, 2).tolist() == [[[0, 1], [7, 0]], [[0, 0], [0, 0]], [[0, 0], [0, 5]]]


def test_scores_are_those_of_the_family():
    mdp, actor = busy(), actor_at(busy())
    lived = Sampler(mdp, np.random.default_rng(0), 5)(actor.policy, 20)
    psi, weights = score_table(mdp, family(actor)), np.random.default_rng(1).normal(size=lived.shape)
    for b in range(20):
        steps = np.flatnonzero(lived.taken[:, b])
        sums = sum(
            (weights[t, b] * psi[lived.states[t, b], lived.actions[t, b]] for t in steps), start=np.zeros((3, 2))
        )
        assert np.allclose(lived.scores(actor.policy, weights)[b], sums, atol=1e-13)
    assert (lived.taken.sum(axis=0) == 0).any()  # some begin in the terminal state


def test_cuts_and_ends():
    rng = np.random.default_rng(0)
    lived = Sampler(busy(), rng, 2)(uniform(busy()), 200)
    last = lived.taken.sum(axis=0) - 1
    for b in np.flatnonzero(last >= 0):
        assert lived.terminated[last[b], b] != lived.truncated[last[b], b]
        assert not lived.truncated[: last[b], b].any()
        assert last[b] == 1 or lived.terminated[last[b], b]
    whole = Sampler(busy(), rng)(uniform(busy()), 50)
    assert not whole.truncated.any()
    with pytest.raises(InvalidPolicy, match="for ever"):
        Sampler(endless(), rng)
    with pytest.raises(ValueError, match="episodes"):
        Sampler(endless(), rng, 2)(uniform(endless()), 0)


def test_the_actor_is_the_softmax_policy():
    actor = actor_at(busy())
    assert np.allclose(actor.policy[:2], softmax(busy(), THETA)[:2], atol=1e-15)
    assert (actor.policy[2] == 0).all()
    assert np.allclose(actor.law(1), actor.policy[1], atol=1e-15)
    far = log_softmax(np.array([[0.0, -1e4], [5.0, 1e4]]), np.array([[True, True], [True, False]]))
    assert far.tolist() == [[0, -1e4], [0, 0]]
    assert entropy_gradient(np.exp(far[:1]), far[:1]).tolist() == [[0, 0]]


def test_what_the_actor_is_given_is_not_changed():
    theta, v = np.zeros((3, 2)), np.array([1.0, 2.0, 7.0])
    actor = SoftmaxActor(busy(), theta, v)
    actor.theta += 1
    actor.v += 1
    assert (theta == 0).all()
    assert v.tolist() == [1, 2, 7]
    assert actor.v.tolist() == [2, 3, 1]  # nothing is worth anything in a terminal state
    for bad in (np.full((3, 2), np.nan), np.zeros((2, 3))):
        with pytest.raises(InvalidPolicy, match="action value"):
            SoftmaxActor(busy(), bad)


def test_one_generator_serves_the_whole_batch():
    mdp = gallery.corridor(3).to_float()
    lengths = Sampler(mdp, np.random.default_rng(0))(uniform(mdp), 30).taken.sum(axis=0)
    assert lengths.min() >= 3
    assert len(set(lengths)) > 5
