"""Tabular PPO: its first step in law, the clip felt exactly, minibatches that use every sample once, convergence."""

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact import gradient_estimators as exact
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.formulas.batch import InvalidBatch
from rlexact.learning.actor_critic import critic_advantages, true_advantages
from rlexact.learning.episodes import Sampler
from rlexact.learning.ppo import Steps, ppo, ppo_gradient, taken_steps
from rlexact.mdp import MDP
from tests.learning.batches import WRONG, actor_at, arms, assert_mean, busy, endless, family


@pytest.mark.parametrize("episodes", [1, 3])
def test_the_first_step_has_the_exact_law(episodes):
    """ρ = 1: the mean over T steps of each episode of Â ∂ log π."""
    mdp, actor, T, lam = endless(), actor_at(endless(), v=WRONG[:2]), 3, 0.5
    sampler, credit = Sampler(mdp, np.random.default_rng(0), T), critic_advantages(lam)
    found = []
    for _ in range(450 // episodes):
        lived = sampler(actor.policy, episodes)
        found.append(T * ppo_gradient(taken_steps(lived, actor, credit(lived, actor)), actor, 0.2))
    estimator = exact.actor_critic(mdp, family(actor), WRONG[:2], lam, discount=1)
    assert_mean(np.array(found), estimator_law(mdp, actor.policy, T, estimator).averaged(episodes))


def test_the_gradient_by_hand():
    """π_old = (1/2, 1/2), π = (3/4, 1/4), ε = 1/5: Â > 0 is clipped where ρ = 3/2, not where ρ = 1/2; Â < 0 the other way."""
    actor = actor_at(arms(0, 0), np.array([[np.log(3), 0.0]]))
    for a, advantage, slope in ((0, 2.0, 0.0), (1, 2.0, 1.0), (0, -2.0, -3.0), (1, -2.0, 0.0)):
        some = Steps(np.array([0]), np.array([a]), np.log([0.5]), np.array([advantage]))
        score = np.array([1.0, 0.0]) - [0.75, 0.25] if a == 0 else np.array([0.0, 1.0]) - [0.75, 0.25]
        assert np.allclose(ppo_gradient(some, actor, 0.2)[0], slope * score, atol=1e-14)


@pytest.mark.parametrize("reward", [1, -1])
def test_a_long_step_is_not_repeated_and_a_short_one_is(reward):
    """One arm pulled, Â = ± 1: with α = 2 the ratio leaves [0.8, 1.2] at once, and later epochs add nothing."""
    mdp = arms(reward, reward)
    once, often = (ppo(mdp, 1, 0, alpha=2, episodes=1, epochs=n).tables["theta"] for n in (1, 5))
    assert (once == often).all()
    assert np.abs(once).tolist() == [[1, 1]]  # 2 · (1 - 1/2)
    theta = np.zeros(2)
    for _ in range(2):
        pi = np.exp(theta) / np.exp(theta).sum()
        theta = theta + 0.1 * reward * pi[0] / 0.5 * (np.array([1, 0]) - pi)
    short = ppo(mdp, 1, 0, alpha=0.1, episodes=1, epochs=2).tables["theta"][0]
    assert np.allclose(sorted(short), sorted(theta), atol=1e-14)


def test_minibatches_use_every_step_once():
    steps = Steps(np.arange(10), np.arange(10), np.zeros(10), np.zeros(10))
    parts = list(steps.minibatches(np.random.default_rng(0), 4))
    assert [len(part.states) for part in parts] == [3, 3, 2, 2]
    order = np.concatenate([part.states for part in parts])
    assert sorted(order) == list(range(10))
    assert (order != np.arange(10)).any()
    assert len(list(steps.minibatches(np.random.default_rng(0), 99))) == 10


def test_with_true_advantages_it_finds_the_optimum():
    mdp = endless()
    run = ppo(mdp, 60, 0, advantages=true_advantages, steps=10, episodes=4)
    assert run.error < 0.05 * run.curve.errors[0]
    assert (run.policy.argmax(axis=1) == policy_iteration(mdp).policy.argmax(axis=1)).all()


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_it_learns_in_every_world(convert):
    run = ppo(convert(gallery.corridor(2)), 25, 1)
    assert run.error < run.curve.errors[0] / 10
    assert (run.tables["theta"] == ppo(gallery.corridor(2), 25, 1).tables["theta"]).all()


def test_an_entropy_bonus_keeps_it_random():
    plain, bonus = (ppo(arms(1, 0), 60, 0, entropy=beta).policy[0, 0] for beta in (0, 0.5))
    assert bonus < 0.95 < plain


def test_a_batch_without_steps_changes_nothing():
    over = busy().replace(initial=[0.0, 0.0, 1.0])
    assert (ppo(over, 2, 0).tables["theta"] == 0).all()


def test_refusals():
    for bad in ({"epochs": 0}, {"minibatches": 0}, {"lam": -0.1}, {"entropy": -1}):
        with pytest.raises(ValueError, match=r"epochs|minibatches|lam|entropy"):
            ppo(busy(), 1, 0, **bad)
    with pytest.raises(InvalidBatch, match="clip_eps"):
        ppo(busy(), 1, 0, clip_eps=1.5)
