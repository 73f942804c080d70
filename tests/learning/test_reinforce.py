"""REINFORCE: sample means against exact laws for every weighting and baseline, two arms by hand, convergence."""

from functools import partial

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact import baselines as exact_baselines
from rlexact.exact import gradient_estimators as exact
from rlexact.exact.estimator_law import estimator_law, law_of
from rlexact.exact.gradient import finite_horizon_gradient, policy_gradient
from rlexact.exact.paths import paths
from rlexact.learning import reinforce as rl
from rlexact.learning.episodes import Sampler, side_by_side
from rlexact.learning.reinforce import Credit, reinforce, reinforce_gradient
from rlexact.learning.replay import Transition
from rlexact.learning.schedule import InvalidSchedule
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from tests.learning.batches import WRONG, actor_at, arms, assert_mean, busy, family

T = 3
FORMS = {
    rl.whole_return: exact.reinforce,
    rl.reward_to_go: exact.reward_to_go,
    rl.undiscounted_states: partial(exact.reward_to_go, discount=1),
}


def gradients(weighting, baseline, episodes, n, steps=T):
    """n independent gradients, each of a batch of so many episodes."""
    mdp, actor = busy(), actor_at(busy())
    sampler = Sampler(mdp, np.random.default_rng(5), steps)
    found = []
    for _ in range(n):
        lived = sampler(actor.policy, episodes)
        w, c = weighting(lived, actor.gamma)
        found.append(reinforce_gradient(Credit(lived, actor.policy, w, c, WRONG), baseline))
    return np.array(found)


@pytest.mark.parametrize("weighting", FORMS)
@pytest.mark.parametrize("baseline", [rl.no_baseline, rl.constant(2), rl.state_value])
def test_one_episode_has_the_exact_law(weighting, baseline):
    mdp, actor = busy(), actor_at(busy())
    estimator = FORMS[weighting](mdp, family(actor))
    if baseline is rl.state_value:
        estimator = estimator.minus(exact_baselines.value_baseline(mdp, WRONG))
    elif baseline is not rl.no_baseline:
        estimator = estimator.minus(lambda t, s: 2.0)
    assert_mean(gradients(weighting, baseline, 1, 500), estimator_law(mdp, actor.policy, T, estimator))


@pytest.mark.parametrize("weighting", FORMS)
def test_baselines_of_a_batch_have_the_exact_law(weighting):
    mdp, n = busy(), 3
    estimator = FORMS[weighting](mdp, family(actor_at(mdp)))
    alone = exact_baselines.leave_one_out_law(mdp, estimator, T, n)
    assert_mean(gradients(weighting, rl.leave_one_out, n, 250), alone)
    assert_mean(gradients(weighting, rl.batch_mean, n, 250), exact_baselines.batch_mean_law(mdp, estimator, T, n))
    truth = finite_horizon_gradient(mdp, family(actor_at(mdp)), T)
    assert (np.abs(alone.mean - truth).max() < 1e-9) == (weighting is not rl.undiscounted_states)


def test_weightings_by_hand():
    """Rewards 1, 2, 4 and 8 at γ = 1/2: 1 + 1 + 1 = 3, and 8; what follows each step is 3, 4, 4."""
    row = [Transition(0, 0, 1.0, 0, False), Transition(0, 0, 2.0, 0, False), Transition(0, 0, 4.0, 0, False, True)]
    lived = side_by_side([row, [Transition(0, 0, 8.0, -1, True)]])
    to_go, discount = rl.reward_to_go(lived, 0.5)
    assert (to_go.tolist(), discount) == ([[3, 8], [4, 0], [4, 0]], 0.5)
    whole, once = rl.whole_return(lived, 0.5)
    assert (whole.tolist(), once) == ([[3, 8]] * 3, 1)
    plain, no_discount = rl.undiscounted_states(lived, 0.5)
    assert (plain.tolist(), no_discount) == (to_go.tolist(), 1)


def test_baselines_by_hand():
    """Three pulls of one of two arms, paid 1, 2 and 6: |score|² is 1/8, 9/8, 1/8 at π = (3/4, 1/4) for arms 0, 1, 0."""
    mdp = arms(0, 0)
    actor = actor_at(mdp, np.array([[np.log(3), 0.0]]))
    lived = side_by_side([[Transition(0, a, float(r), -1, True)] for a, r in ((0, 1), (1, 2), (0, 6))])
    credit = Credit(lived, actor.policy, *rl.reward_to_go(lived, 1.0), np.array([5.0]))
    assert rl.leave_one_out(credit).tolist() == [[4, 3.5, 1.5]]
    assert rl.batch_mean(credit).tolist() == [[3, 3, 3]]
    assert rl.state_value(credit).tolist() == [[5, 5, 5]]
    assert np.allclose(rl.optimal(credit), [[(9 * 2 + 6) / 10, (1 + 6) / 2, (1 + 9 * 2) / 10]], atol=1e-12)


def test_the_optimal_baseline_learned_from_the_other_episode():
    """Over every pair of paths: the mean is the gradient, the spread what two episodes have."""
    mdp, actor = busy(), actor_at(busy())
    estimator = exact.reward_to_go(mdp, family(actor))
    listed = list(paths(mdp, actor.policy, 2))
    p, X = np.array([path.probability for path in listed]), np.array([estimator(path).ravel() for path in listed])
    Z = np.array([sum(estimator.slopes(path), start=np.zeros((3, 2))).ravel() for path in listed])
    own = (Z * Z).sum(axis=1)
    b = (X * Z).sum(axis=1) / np.where(own > 0, own, 1)
    pairs = (X[:, None] - b[None, :, None] * Z[:, None] + X[None] - b[:, None, None] * Z[None]) / 2
    law = law_of(np.outer(p, p).ravel(), pairs.reshape(-1, 6))
    assert np.allclose(law.mean.reshape(3, 2), finite_horizon_gradient(mdp, family(actor), 2), atol=1e-12)
    found = gradients(rl.reward_to_go, rl.optimal, 2, 500, steps=2)
    assert_mean(found.reshape(-1, 6), law)


def test_with_many_episodes_the_optimal_constant_is_found():
    mdp, actor = busy(), actor_at(busy())
    best = exact_baselines.optimal_baseline(mdp, exact.reward_to_go(mdp, family(actor)), T).table[()]
    lived = Sampler(mdp, np.random.default_rng(0), T)(actor.policy, 4000)
    w, c = rl.reward_to_go(lived, actor.gamma)
    told = rl.optimal(Credit(lived, actor.policy, w, c, WRONG))
    assert abs(told[0] - best).max() < 0.1  # a ratio of means of 4000: their relative errors are 1 to 2 %, b is about 2
    assert abs(best) > 1


def test_whole_episodes_follow_the_gradient_of_the_return():
    mdp, actor = busy(), actor_at(busy())
    cut = estimator_law(mdp, actor.policy, 7, exact.reward_to_go(mdp, family(actor)))
    truth = policy_gradient(mdp, family(actor))
    found = gradients(rl.reward_to_go, rl.no_baseline, 1, 800, steps=None)
    error = 4.5 * np.sqrt(cut.variance / 800) + np.abs(cut.mean - truth)  # the law of 7 steps is nearly that of all
    assert (np.abs(found.mean(axis=0) - truth) <= error + 1e-9).all()
    assert np.abs(cut.mean - truth).max() < 0.1


def test_one_update_by_hand():
    """Two arms paying 3 and 1, from (1/2, 1/2), α = 1/10, b = 2: θ moves by ± 1/10 · 1 · (1/2, -1/2), whichever is pulled."""
    for seed in range(4):
        after = reinforce(arms(3, 1), 1, seed, alpha=0.1, episodes=1, baseline=rl.constant(2), value_alpha=0.5)
        assert after.tables["theta"][0].tolist() == pytest.approx([0.05, -0.05], abs=1e-15)
        assert after.v[0] in (1.5, 0.5)  # half way from 0 to the return


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_it_learns_in_every_world_and_a_seed_repeats(convert):
    mdp = convert(gallery.corridor(2))
    runs = [reinforce(mdp, 60, 3, alpha=0.3, baseline=rl.leave_one_out) for _ in range(2)]
    assert (runs[0].tables["theta"] == runs[1].tables["theta"]).all()
    assert runs[0].error < runs[0].curve.errors[0] / 20
    assert abs(runs[0].v[1] + 1) < 0.3  # the value of the last cell, where the policy by now goes right


@pytest.mark.parametrize("baseline", [rl.no_baseline, rl.constant(-2), rl.batch_mean, rl.state_value, rl.optimal])
def test_every_baseline_learns(baseline):
    run = reinforce(gallery.corridor(2), 100, 1, alpha=0.2, baseline=baseline)
    assert run.error < run.curve.errors[0] / 5


def test_refusals():
    with pytest.raises(ValueError, match="alone"):
        reinforce(busy(), 1, 0, episodes=1, baseline=rl.leave_one_out)
    with pytest.raises(InvalidSchedule, match="alpha"):
        reinforce(busy(), 1, 0, alpha=0)
    with pytest.raises(ValueError, match="seed"):
        reinforce(busy(), 1, None)
    with pytest.raises(ValueError, match="updates"):
        reinforce(busy(), 0, 0)
    with pytest.raises(InvalidPolicy, match="action values"):
        reinforce(busy(), 1, 0, theta=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="v = "):
        reinforce(busy(), 1, 0, v=np.zeros(2))
    with pytest.raises(InvalidPolicy, match="for ever"):
        reinforce(gallery.forest(), 1, 0)
    with pytest.raises(InvalidMDP, match="initial"):
        reinforce(MDP([[[1.0]]], [[1.0]], 0.5), 1, 0, steps=1)
