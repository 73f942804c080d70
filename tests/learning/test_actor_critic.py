"""Actor-critic learners: sample means against exact laws, γ^t felt and left out, the entropy bonus, convergence."""

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact import gradient_estimators as exact
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import advantage, policy_value
from rlexact.exact.gradient import policy_gradient, undiscounted_direction
from rlexact.learning.actor_critic import a2c, a2c_gradient, actor_critic, critic_advantages, true_advantages
from rlexact.learning.episodes import Sampler
from rlexact.learning.schedule import InvalidSchedule
from rlexact.mdp import MDP
from rlexact.policy import softmax
from tests.learning.batches import THETA, WRONG, actor_at, arms, assert_mean, busy, endless, family

T = 3


def gradients(credit, discount, n, steps=T, episodes=1):
    mdp, actor = busy(), actor_at(busy(), v=WRONG)
    sampler = Sampler(mdp, np.random.default_rng(2), steps)
    batches = (sampler(actor.policy, episodes) for _ in range(n))
    return np.array([a2c_gradient(lived, actor, credit(lived, actor), discount) for lived in batches])


@pytest.mark.parametrize("lam", [0, 0.5, 1])
@pytest.mark.parametrize("discount", [0.75, 1])
def test_a_batch_has_the_exact_law(lam, discount):
    mdp, actor = busy(), actor_at(busy())
    estimator = exact.actor_critic(mdp, family(actor), WRONG, lam, discount=discount)
    law = estimator_law(mdp, actor.policy, T, estimator)
    assert_mean(gradients(critic_advantages(lam), discount, 500), law)
    assert_mean(gradients(critic_advantages(lam), discount, 100, episodes=4), law.averaged(4))


@pytest.mark.parametrize(("discount", "direction"), [(0.75, policy_gradient), (1, undiscounted_direction)])
def test_with_the_true_advantage_whole_episodes_follow_the_gradient_or_not(discount, direction):
    mdp, actor = busy(), actor_at(busy())
    truth, A = direction(mdp, family(actor)), advantage(mdp, actor.policy)

    def weight(path, t):
        return A[path.states[t], path.actions[t]]

    scores = exact.score_table(mdp, family(actor))
    cut = estimator_law(mdp, actor.policy, 7, exact.ScoreSum(actor.policy, scores, weight, discount))
    found = gradients(true_advantages, discount, 1000, steps=None).mean(axis=0)
    error = 4.5 * np.sqrt(cut.variance / 1000) + np.abs(cut.mean - truth)  # the law of 7 steps is nearly that of all
    assert np.abs(cut.mean - truth).max() < 0.05
    assert (np.abs(found - truth) <= error + 1e-9).all()
    other = undiscounted_direction if direction is policy_gradient else policy_gradient
    assert (np.abs(found - other(mdp, family(actor))) > error).any()


@pytest.mark.parametrize("lam", [0, 1])
def test_a_true_critic_leaves_no_bias(lam):
    mdp, actor = busy(), actor_at(busy())
    law = exact.actor_critic_mean(mdp, family(actor), policy_value(mdp, actor.policy), lam)
    assert np.abs(law.mean - policy_gradient(mdp, family(actor))).max() < 1e-12
    assert np.abs(exact.actor_critic_mean(mdp, family(actor), WRONG, 0).bias).max() > 0.1


def test_one_online_step_has_the_exact_law():
    mdp, actor = endless(), actor_at(endless())
    v = WRONG[:2]
    rng, alpha, n = np.random.default_rng(3), 0.125, 200
    moved = [
        actor_critic(mdp, 1, rng, alpha=alpha, theta=THETA[:2], v=v, checkpoints=[0]).tables["theta"] - THETA[:2]
        for _ in range(n)
    ]
    law = estimator_law(mdp, actor.policy, 1, exact.actor_critic(mdp, family(actor), v, 0))
    assert_mean(np.array(moved) / alpha, law)


def test_the_factor_by_hand():
    """Three cells in a row, both actions alike, pay 1, 2, 4, γ = 1/2: δ_t = r_t, and the factor is 1, 1/2, 1/4."""
    row = MDP.from_outcomes([[[(1.0, s + 1, 2.0**s, s == 2)]] * 2 for s in range(3)] + [[[]] * 2], 0.5, 0, terminal=[3])
    kept, left_out = (
        actor_critic(row, 3, 7, alpha=1, value_alpha=0.5, discounted=flag).tables["theta"] for flag in (True, False)
    )
    assert np.abs(kept[:3]).tolist() == [[0.5] * 2, [0.5] * 2, [0.5] * 2]
    assert np.abs(left_out[:3]).tolist() == [[0.5] * 2, [1.0] * 2, [2.0] * 2]
    again = actor_critic(row, 4, 7, alpha=1, value_alpha=0.5)
    assert again.v.tolist() == [0.5 + 0.5 * (1 + 0.5 * 1 - 0.5), 1, 2, 0]  # the fourth step starts anew, with factor 1
    p = 1 / (1 + np.exp(-1))  # of the action taken first; δ = 1 + 1/2 - 1/2, times 1 less its probability
    moved = np.abs(again.tables["theta"][0] - kept[0])
    assert np.allclose(moved, p) or np.allclose(moved, 1 - p)


def test_the_entropy_bonus():
    """β times the state shares times the derivative of the entropy, by complex step; no reward, so nothing else."""
    mdp, actor = endless(), actor_at(endless())
    lived = Sampler(mdp, np.random.default_rng(0), 5)(actor.policy, 2)
    found = a2c_gradient(lived, actor, np.zeros(lived.shape), 1, entropy=0.5)

    def entropy(x):
        p = np.exp(x) / np.exp(x).sum()
        return -(p * np.log(p)).sum()

    for s in range(2):
        slopes = [entropy(THETA[s] + 1e-30j * e).imag / 1e-30 for e in np.eye(2)]
        assert np.allclose(found[s], 0.5 * (lived.states == s).mean() * np.array(slopes), atol=1e-14)


def test_with_a_bonus_it_tends_to_the_soft_optimum():
    """Two arms, β = 1/2: the maximum of Σ π r + β H is the softmax of r / β."""
    run = a2c(arms(1, 0), 600, 0, alpha=0.2, entropy=0.5, advantages=true_advantages, episodes=4)
    best = softmax(arms(1, 0), np.array([[1.0, 0.0]]), 0.5)
    # √α-sized noise around it: α Var / (2 · slope) with slopes of order β π₀π₁; three standard deviations are below 0.1
    assert abs(run.policy[0, 0] - best[0, 0]) < 0.1


def test_one_batch_update_by_hand():
    """Arms 3 and 1, critic 2, one episode: Â = ± 1, θ moves by 1/10 (1/2, -1/2), v by 1/2 towards what was paid."""
    for seed in range(4):
        after = a2c(arms(3, 1), 1, seed, alpha=0.1, value_alpha=0.5, episodes=1, v=np.array([2.0]))
        assert after.tables["theta"][0].tolist() == pytest.approx([0.05, -0.05], abs=1e-15)
        assert after.v[0] in (2.5, 1.5)


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_both_learn_in_every_world(convert):
    mdp = convert(gallery.corridor(2))
    batch = a2c(mdp, 60, 1, lam=0.9)
    online = actor_critic(mdp, 1500, 1)
    for run in (batch, online):
        assert run.error < run.curve.errors[0] / 20
    assert (a2c(mdp, 60, 1, lam=0.9).tables["theta"] == batch.tables["theta"]).all()
    assert abs(online.v - policy_value(gallery.corridor(2).to_float(), online.policy)).max() < 0.3


def test_refusals():
    for bad in ({"lam": 2}, {"discount": -1}, {"episodes": 0}, {"entropy": -1}):
        with pytest.raises(ValueError, match=r"lam|discount|episodes|entropy"):
            a2c(busy(), 1, 0, **bad)
    with pytest.raises(InvalidSchedule, match="alpha"):
        actor_critic(busy(), 1, 0, value_alpha=2)
