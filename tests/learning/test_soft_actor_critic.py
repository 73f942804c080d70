"""Tabular SAC: one update by hand and in law, the actor's gradient, the temperature's fixed point, exact soft optima."""

import numpy as np
import pytest
from scipy.optimize import brentq

from rlexact import gallery
from rlexact.exact.bellman import backup
from rlexact.exact.estimator_law import EstimatorLaw
from rlexact.exact.soft_evaluation import soft_action_value_without_first
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.learning.replay import Transition
from rlexact.learning.schedule import polynomial
from rlexact.learning.soft_actor_critic import SoftTables, sampled_soft_policy_iteration, soft_actor_critic
from rlexact.mdp import MDP
from rlexact.policy import softmax
from tests.learning.batches import THETA, arms, assert_mean, busy, endless

TAU = 0.5


def test_one_critic_update_by_hand():
    """π even at s' = 1, Q̄(1, ·) = (3, 1): y = 1 + 3/4 (2 + τ log 2) from state 0, 5 where it ends."""
    kept = SoftTables(busy(), TAU, np.array([[0.0, 0.0], [3.0, 1.0], [0.0, 0.0]]))
    kept.regress(
        [Transition(0, 0, 1.0, 1, False), Transition(0, 1, 4.0, -1, True), Transition(0, 1, 6.0, 2, True)], 0.5
    )
    assert np.allclose(kept.q, [[0.5 * (1 + 0.75 * (2 + TAU * np.log(2))), 2.5], [3, 1], [0, 0]], atol=1e-15)
    kept.regress([Transition(1, 0, 1.0, 0, False)], 1)  # the bootstrap is the target's, still 0 in state 0
    assert np.isclose(kept.q[1, 0], 1 + 0.75 * TAU * np.log(2))


def test_the_actor_climbs_its_objective():
    """∂ Σ π (Q - τ log π) by complex step, in the states of the minibatch only."""
    q = np.array([[1.0, -2.0], [3.0, 1.0], [0.0, 0.0]])
    kept = SoftTables(busy(), TAU, q, THETA)
    kept.improve(0.25, [0])

    def objective(x):
        p = np.exp(x) / np.exp(x).sum()
        return (p * (q[0] - TAU * np.log(p))).sum()

    slopes = [objective(THETA[0] + 1e-30j * e).imag / 1e-30 for e in np.eye(2)]
    assert np.allclose(kept.actor.theta[0] - THETA[0], 0.25 * np.array(slopes), atol=1e-14)
    assert (kept.actor.theta[1:] == THETA[1:]).all()


def test_at_once_it_is_the_boltzmann_policy_where_the_gradient_vanishes():
    q = np.array([[1.0, -2.0], [3.0, 1.0], [0.0, 0.0]])
    kept = SoftTables(busy(), TAU, q)
    kept.improve(None)
    assert np.allclose(kept.actor.policy[:2], softmax(busy(), q, TAU)[:2], atol=1e-15)
    before = kept.actor.theta.copy()
    kept.improve(1)
    assert np.allclose(kept.actor.theta, before, atol=1e-14)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_sampled_sweep_has_the_exact_law(samples):
    """Q' = r + γ v(s'), one pair independent of the next: the backup in the mean, the variance of a step over the samples."""
    mdp = endless()
    q = np.array([[1.0, 2.0], [-1.0, 0.5]])
    v = TAU * np.log(np.exp(q / TAU).sum(axis=1))
    mean = backup(mdp, v)
    spread = np.zeros((2, 2))
    for s, a in np.ndindex(2, 2):
        spread[s, a] = sum(p * (r + mdp.gamma * v[nxt] - mean[s, a]) ** 2 for p, nxt, r, _ in mdp.outcomes(s, a))
    rng = np.random.default_rng(0)
    runs = [
        sampled_soft_policy_iteration(mdp, 1, rng, TAU, sweeps=1, samples=samples, q=q, checkpoints=[0]).q
        for _ in range(80)
    ]
    assert_mean(np.array(runs), EstimatorLaw(mean, None, covariance=np.diag(spread.ravel() / samples)))


def test_without_chance_it_is_modified_soft_policy_iteration():
    mdp = gallery.corridor(3, gamma="9/10").to_float()
    run = sampled_soft_policy_iteration(mdp, 2, 0, TAU, sweeps=500, samples=1)
    pi = softmax(mdp, np.zeros((3, 2)), TAU)
    for _ in range(2):  # evaluated to the end, then improved
        q = soft_action_value_without_first(mdp, pi, TAU)
        pi = softmax(mdp, q, TAU)
    assert np.allclose(run.q, q, atol=1e-12)
    assert np.allclose(run.policy, pi, atol=1e-12)


@pytest.mark.parametrize("policy_alpha", [1.0, None])
def test_without_chance_sac_reaches_the_soft_optimum_itself(policy_alpha):
    mdp = gallery.corridor(3, gamma="9/10")
    run = soft_actor_critic(mdp, 2500, 1, TAU, policy_alpha=policy_alpha)
    truth = soft_policy_iteration(mdp.to_float(), TAU)
    assert run.error < 1e-6
    assert np.allclose(run.q, truth.q, atol=1e-6)
    assert np.allclose(run.v, truth.v, atol=1e-6)
    assert np.allclose(run.policy, truth.policy, atol=1e-4)
    assert np.allclose(run.tables["target"], truth.q, atol=1e-5)


def test_with_chance_falling_steps_come_close():
    run = soft_actor_critic(
        endless(), 2500, 0, TAU, alpha=polynomial(0.7).counting("steps"), rho=1, batch=8, capacity=2500
    )
    assert run.error < run.curve.errors[0] / 15
    model = sampled_soft_policy_iteration(endless(), 30, 0, TAU, alpha=polynomial(0.8), sweeps=20)
    assert model.error < model.curve.errors[0] / 20


@pytest.mark.parametrize("goal", [0.3, 0.6])
def test_the_temperature_is_the_one_with_the_wanted_entropy(goal):
    """Two arms, 1 and 0: Q is settled, so log τ goes straight to H(softmax(r / τ)) = H̄."""

    def entropy(tau):
        p = 1 / (1 + np.exp(-1 / tau))
        return -p * np.log(p) - (1 - p) * np.log(1 - p)

    run = soft_actor_critic(
        arms(1, 0), 1500, 0, 1.0, target_entropy=goal, alpha=0.5, policy_alpha=None, temperature_alpha=0.05
    )
    assert abs(run.tables["temperature"] - brentq(lambda tau: entropy(tau) - goal, 0.05, 20)) < 1e-6
    assert run.error < 1e-12
    assert run.curve.truth is None


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_every_world(convert):
    mdp = convert(gallery.corridor(2, gamma="3/4"))
    run = soft_actor_critic(mdp, 300, 2, TAU)
    assert (run.q == soft_actor_critic(gallery.corridor(2, gamma="3/4").to_float(), 300, 2, TAU).q).all()
    assert run.error < run.curve.errors[0] / 20


def test_refusals():
    for bad in (
        {"rho": 0},
        {"target_entropy": 0.7},
        {"target_entropy": 0},
        {"batch": 0},
        {"capacity": 3, "burn_in": 4},
    ):
        with pytest.raises(ValueError, match=r"rho|target_entropy|samples|burn-in"):
            soft_actor_critic(endless(), 1, 0, TAU, **bad)
    for tau in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="temperature"):
            soft_actor_critic(endless(), 1, 0, tau)
    with pytest.raises(ValueError, match="sweeps"):
        sampled_soft_policy_iteration(endless(), 1, 0, TAU, sweeps=0)
