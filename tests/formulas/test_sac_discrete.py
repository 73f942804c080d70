import numpy as np
import pytest

from rlexact.exact.soft_evaluation import soft_action_value_without_first, soft_policy_value
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.sac import sac_target
from rlexact.formulas.sac_discrete import (
    sac_discrete_actor_loss,
    sac_discrete_actor_loss_gradient,
    sac_discrete_target,
    soft_state_value,
)
from rlexact.formulas.soft_q import soft_value
from rlexact.gallery import random_mdp

STEP = 1e-30
TAU = 0.3


def batch(rows=4, actions=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, rows, actions))


def test_state_value_is_the_exact_room_s():
    mdp = random_mdp(2, terminal=1, exact=False)
    weights = np.random.default_rng(2).uniform(0.2, 1, size=mdp.r.shape)
    policy = weights / weights.sum(axis=1, keepdims=True)
    q = soft_action_value_without_first(mdp, policy, TAU)
    found = soft_state_value(q, np.log(policy), TAU)
    np.testing.assert_allclose(found[~mdp.terminal], soft_policy_value(mdp, policy, TAU)[~mdp.terminal], atol=1e-12)
    for s, a in np.argwhere(~mdp.terminal[:, None] & mdp.available):
        y = sac_discrete_target(mdp.R[s, a], q, q, np.log(policy), mdp.terminal, mdp.gamma, TAU)
        assert mdp.P[s, a] @ y == pytest.approx(q[s, a], abs=1e-12)


def test_target_is_the_mean_of_the_sampled_target():
    q1, q2, logits = batch()
    pi = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rewards, ended = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, False])
    sampled = [sac_target(rewards, q1[:, a], q2[:, a], np.log(pi[:, a]), ended, 0.9, TAU) * pi[:, a] for a in range(3)]
    found = sac_discrete_target(rewards, q1, q2, np.log(pi), ended, 0.9, TAU)
    np.testing.assert_allclose(found, sum(sampled), rtol=1e-13)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_actor_gradient_by_complex_step(reduction):
    q1, q2, logits = batch()
    found = sac_discrete_actor_loss_gradient(logits, q1, q2, TAU, reduction=reduction)
    for a, e in enumerate(np.eye(3)):
        moved = sac_discrete_actor_loss(logits + 1j * STEP * e, q1, q2, TAU, reduction=reduction)
        np.testing.assert_allclose(np.sum(found[:, a]), np.sum(np.imag(moved)) / STEP, rtol=1e-12)
    one = sac_discrete_actor_loss_gradient(logits, q1, q2, TAU)
    np.testing.assert_allclose(found, one / (1 if reduction == "none" else len(logits)), rtol=1e-15)


def test_the_boltzmann_policy_is_where_the_loss_is_smallest():
    q1, q2, _ = batch()
    lower = np.minimum(q1, q2)
    at_best = sac_discrete_actor_loss(lower / TAU, q1, q2, TAU)
    np.testing.assert_allclose(at_best, -soft_value(lower, TAU), rtol=1e-13)
    np.testing.assert_allclose(sac_discrete_actor_loss_gradient(lower / TAU, q1, q2, TAU), 0, atol=1e-15)
    elsewhere = sac_discrete_actor_loss(lower / TAU + batch(seed=1)[0], q1, q2, TAU)
    assert (elsewhere > at_best).all()


def test_extremes():
    assert soft_state_value([5.0, 1.0], [0.0, -1e4], 1e-3) == 5
    assert sac_discrete_actor_loss([1e4, -1e4], [1.0, 2.0], [1.0, 2.0], 1e-3) == -1
    assert np.isfinite(sac_discrete_actor_loss_gradient([1e4, -1e4], [1.0, 2.0], [1.0, 2.0], 1e-3)).all()


def test_refusals():
    with pytest.raises(InvalidBatch, match="sums to"):
        soft_state_value([1.0, 2.0], [-1.0, -2.0], 1.0)
    with pytest.raises(InvalidBatch, match="sums to"):
        soft_state_value([[1.0, 2.0], [1.0, 2.0]], np.log([[0.5, 0.5], [0.5, 0.25]]), 1.0)
    with pytest.raises(InvalidBatch, match="temperature has shape"):
        sac_discrete_actor_loss([[0.0, 1.0]], [[0.0, 1.0]], [[0.0, 1.0]], [1.0])
    with pytest.raises(InvalidBatch, match="temperature"):
        sac_discrete_actor_loss([0.0, 1.0], [0.0, 1.0], [0.0, 1.0], -1.0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        sac_discrete_actor_loss([0.0, 1.0], [[0.0, 1.0]], [[0.0, 1.0]], 1.0)
