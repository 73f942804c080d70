from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from rlexact.exact.evaluation import policy_value
from rlexact.exact.soft_evaluation import regularised, soft_action_value_without_first, soft_policy_value
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.ddpg import deterministic_policy_gradient
from rlexact.formulas.gaussian import gaussian_log_density
from rlexact.formulas.sac import (
    entropy_augmented_rewards,
    gaussian_actor_gradient,
    sac_actor_loss,
    sac_actor_loss_gradient,
    sac_target,
    soft_value_sample,
    squashed_actor_gradient,
)
from rlexact.formulas.squashed_gaussian import squashed_gaussian_log_density, squashed_gaussian_sample
from rlexact.formulas.td3 import td3_target
from rlexact.gallery import random_mdp
from rlexact.mdp import MDP

F = Fraction
STEP = 1e-30
TAU = 0.3


def model_and_policy(seed=2):
    mdp = random_mdp(seed, terminal=1, exact=False)
    weights = np.random.default_rng(seed).uniform(0.2, 1, size=mdp.r.shape)
    return mdp, weights / weights.sum(axis=1, keepdims=True)


def test_the_mean_target_is_the_exact_soft_action_value():
    """Σ_s' P Σ_a' π y = Q^π, over every successor and next action; both critics right."""
    mdp, policy = model_and_policy()
    q, log_pi = soft_action_value_without_first(mdp, policy, TAU), np.log(policy)
    mean = np.zeros(q.shape)
    for s, a in np.argwhere(~mdp.terminal[:, None] & mdp.available):
        for s_next in range(mdp.n_states):
            same = np.full(mdp.n_actions, mdp.R[s, a, s_next]), np.full(mdp.n_actions, mdp.terminal[s_next])
            y = sac_target(same[0], q[s_next], q[s_next], log_pi[s_next], same[1], mdp.gamma, TAU)
            mean[s, a] += mdp.P[s, a, s_next] * (policy[s_next] @ y)
    np.testing.assert_allclose(mean[~mdp.terminal], q[~mdp.terminal], atol=1e-12)


def test_the_mean_sample_is_the_exact_soft_value():
    mdp, policy = model_and_policy()
    q, log_pi = soft_action_value_without_first(mdp, policy, TAU), np.log(policy)
    mean = (policy * soft_value_sample(q, log_pi, TAU)).sum(axis=1)
    np.testing.assert_allclose(mean[~mdp.terminal], soft_policy_value(mdp, policy, TAU)[~mdp.terminal], atol=1e-12)


def test_rewards_with_entropy_make_it_ordinary_control():
    mdp, policy = model_and_policy()
    paid = entropy_augmented_rewards(mdp.r, np.log(policy), TAU)
    live = ~mdp.terminal
    np.testing.assert_allclose(paid[live], regularised(mdp, policy, TAU).r[live], atol=1e-14)
    plain = MDP(mdp.P, np.where(live[:, None], paid, 0.0), mdp.gamma, terminal=np.flatnonzero(mdp.terminal))
    np.testing.assert_allclose(policy_value(plain, policy), soft_policy_value(mdp, policy, TAU), atol=1e-12)


def test_target_in_fractions():
    found = sac_target([F(1), F(1)], [F(4), F(4)], [F(2), F(6)], [F(-2), F(3)], [False, True], F(1, 2), F(1, 2))
    assert list(found) == [F(5, 2), 1]
    arguments = [F(1)], [F(4)], [F(2)]
    assert sac_target(*arguments, [F(-7)], [False], F(1, 2), 0) == td3_target(*arguments, [False], F(1, 2))


def test_actor_loss_gradient_is_the_difference_quotient():
    log_pi, q1, q2 = np.array([F(-2), F(1)]), np.array([F(1), F(5)]), np.array([F(3), F(4)])
    tau, h = F(1, 3), F(1, 100)  # piecewise linear, away from ties
    found = sac_actor_loss_gradient(log_pi, q1, q2, tau)

    def quotient(*move):
        moved = sac_actor_loss(log_pi + move[0], q1 + move[1], q2 + move[2], tau)
        return (moved - sac_actor_loss(log_pi, q1, q2, tau)) / h

    assert (found.log_probs == quotient(h, 0, 0)).all()
    assert (found.q1 == quotient(0, h, 0)).all()
    assert (found.q2 == quotient(0, 0, h)).all()
    assert (sac_actor_loss_gradient(log_pi, q1, q2, tau, reduction="mean").q1 == found.q1 / 2).all()


def critic(a):
    return np.sin(3 * a) + a**3, 3 * np.cos(3 * a) + 3 * a**2


def other_critic(a):
    return 0.4 - a**2, -2 * a


def smaller(a):
    (q1, d1), (q2, d2) = critic(a), other_critic(a)
    return q1, q2, np.where(np.real(q1) <= np.real(q2), d1, d2)


@pytest.mark.parametrize("bounds", [(-1, 1), (-3, 2)])
def test_squashed_actor_gradient_by_complex_step_through_the_sample(bounds):
    rng = np.random.default_rng(0)
    mean, z, std = rng.normal(size=8), rng.normal(size=8), rng.uniform(0.2, 2, size=8)

    def loss(mu, sigma):
        a = squashed_gaussian_sample(mu, sigma, z, *bounds)
        log_pi = squashed_gaussian_log_density(*[x[:, None] for x in (mu + sigma * z, mu, sigma)], *bounds)
        return sac_actor_loss(log_pi, *smaller(a)[:2], TAU)

    slope = smaller(squashed_gaussian_sample(mean, std, z, *bounds))[2]
    found = squashed_actor_gradient(mean, std, z, slope, TAU, *bounds)
    for name, d_mean, d_std in (("mean", 1, 0), ("std", 0, 1), ("log_std", 0, std)):
        by_step = loss(mean + 1j * STEP * d_mean, std + 1j * STEP * d_std).imag / STEP
        np.testing.assert_allclose(getattr(found, name), by_step, rtol=1e-10, atol=1e-12)


def test_gaussian_actor_gradient_by_complex_step_through_the_sample():
    mean, std, z = np.array([0.3, -1.0]), np.array([0.5, 2.0]), np.array([1.5, -0.2])

    def loss(mu, sigma):
        x = mu + sigma * z
        return sac_actor_loss(gaussian_log_density(x, mu, sigma), *smaller(x)[:2], TAU)

    found = gaussian_actor_gradient(std, z, smaller(mean + std * z)[2], TAU)
    np.testing.assert_allclose(found.mean, loss(mean + 1j * STEP, std).imag / STEP, rtol=1e-12)
    np.testing.assert_allclose(found.std, loss(mean, std + 1j * STEP).imag / STEP, rtol=1e-12)
    np.testing.assert_allclose(found.log_std, std * found.std, rtol=1e-15)


def test_mean_actor_gradient_is_the_slope_of_the_mean_loss():
    """d/dμ ∫ N(u; μ, σ) L du by the score on one side, by the sample on the other: two integrals with stated errors."""
    mu, sigma = 0.4, 0.6

    def loss_at(u):
        q1, _ = critic(np.tanh(u))
        return TAU * float(squashed_gaussian_log_density([u], [mu], [sigma])) - q1

    def by_score(u):  # the mean of the score itself is 0: no further term
        return scipy.stats.norm.pdf(u, mu, sigma) * (u - mu) / sigma**2 * loss_at(u)

    def by_sample(z):
        slope = critic(np.tanh(mu + sigma * z))[1]
        return scipy.stats.norm.pdf(z) * float(squashed_actor_gradient(mu, sigma, z, slope, TAU).mean)

    left, slack = scipy.integrate.quad(by_score, mu - 8 * sigma, mu + 8 * sigma)
    right, error = scipy.integrate.quad(by_sample, -8, 8)
    assert abs(left - right) <= slack + error + 1e-11  # the tails beyond 8σ


def test_without_temperature_and_noise_it_is_the_deterministic_policy_gradient():
    mean = np.array([0.3, -0.8])
    slope = critic(np.tanh(mean))[1]
    found = squashed_actor_gradient(mean, [1.0, 1.0], [0.0, 0.0], slope, 0.0)
    chain = deterministic_policy_gradient(slope, np.diag(1 / np.cosh(mean) ** 2))
    np.testing.assert_allclose(-found.mean, chain, rtol=1e-14)


def test_extremes():
    assert sac_target([0.0], [1.0], [1.0], [-1e4], [False], 1.0, 1e-3) == 11
    found = squashed_actor_gradient([1e4], [1.0], [0.0], [1e300], 1e-3)
    assert found.mean == 2e-3
    assert sac_target([1.0], [1e4], [1e4], [-1e4], [True], 1.0, 1.0) == 1


def test_refusals():
    with pytest.raises(InvalidBatch, match="temperature"):
        soft_value_sample([1.0], [1.0], -1.0)
    with pytest.raises(InvalidBatch, match=r"log_probs.*finite"):
        soft_value_sample([1.0], [np.nan], 1.0)
    with pytest.raises(InvalidBatch, match="std"):
        gaussian_actor_gradient([0.0], [0.0], [0.0], 1.0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        sac_target([1.0], [1.0], [1.0], [[1.0]], [False], 0.5, 1.0)
