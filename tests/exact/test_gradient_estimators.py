"""Policy-gradient estimators: means are gradients, laws without paths are sums over paths, and two-armed cases by hand."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.exact import parameterisation as pm
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import policy_value
from rlexact.exact.gradient import finite_horizon_gradient
from rlexact.exact.gradient_estimators import (
    actor_critic,
    actor_critic_mean,
    reinforce,
    reward_to_go,
    reward_to_go_law,
)
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import mixture, uniform
from tests.strategies import WORLDS, as_floats, in_world, law_model, policy

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
WRONG = np.array([Fraction(3), Fraction(-1, 2), Fraction(2, 3)], dtype=object)
STEPS = 3


def model(seed, world="rational"):
    start = [HALF, Fraction(1, 4), Fraction(1, 4)]
    return in_world(law_model(seed, n_states=3).replace(initial=start), world)


def at(mdp, seed):
    half = "1/2" if "float" not in mdp.world else 0.5
    return pm.softmax_at(mdp, mixture(mdp, uniform(mdp), policy(seed, mdp), half))


def law_by_paths(mdp, family, estimator, steps=STEPS):
    return estimator_law(mdp, family.policy, steps, estimator)


def arms(first, second, p=HALF):
    """One step, two arms; softmax at probabilities p and 1 - p."""
    mdp = MDP.from_outcomes([[[(1, None, first, True)], [(1, None, second, True)]]], Fraction(1), 0)
    return mdp, pm.softmax_at(mdp, np.array([[p, 1 - p]], dtype=object))


@pytest.mark.parametrize("seed", range(2))
def test_every_unbiased_form_has_the_gradient_as_its_mean(seed):
    mdp = model(seed)
    family = at(mdp, seed)
    truth = finite_horizon_gradient(mdp, family, STEPS)
    for estimator in (
        reinforce(mdp, family),
        reward_to_go(mdp, family),
        reinforce(mdp, family).minus(lambda t, s: 7),
        reward_to_go(mdp, family).minus(lambda t, s: WRONG[s] * (t + 1)),
    ):
        assert (law_by_paths(mdp, family, estimator).mean == truth).all()


def test_leaving_out_the_discount_follows_another_direction():
    """Σ_t Pr(s_t = s) ∂π Q_{T-t} by hand, against γ^t Pr(s_t = s)."""
    mdp = model(0)
    family = at(mdp, 0)
    P, pi = (family.policy[:, :, None] * mdp.P).sum(axis=1), family.policy
    q, v = [], np.zeros(3, dtype=int)
    for _ in range(STEPS):
        q.append(mdp.r + mdp.gamma * (mdp.P @ v))
        v = (pi * q[-1]).sum(axis=1)
    direction, law = 0, mdp.initial
    for q_t in reversed(q):
        direction = direction + np.einsum("s,sa,saij->ij", law, q_t, family.jacobian)
        law = law @ P
    found = law_by_paths(mdp, family, reward_to_go(mdp, family, discount=1)).mean
    assert (found == direction).all()
    assert (found != finite_horizon_gradient(mdp, family, STEPS)).any()


@pytest.mark.parametrize("baseline", [None, WRONG])
@pytest.mark.parametrize("seed", range(2))
def test_the_law_without_paths_is_the_sum_over_paths(seed, baseline):
    mdp = model(seed)
    family = at(mdp, seed)
    estimator = reward_to_go(mdp, family)
    if baseline is not None:
        estimator = estimator.minus(lambda t, s: baseline[s])
    listed, found = law_by_paths(mdp, family, estimator), reward_to_go_law(mdp, family, STEPS, baseline)
    assert (found.mean == listed.mean).all()
    assert (found.covariance == listed.covariance).all()
    assert (found.variance == listed.variance).all()
    assert (found.bias == 0).all()


@pytest.mark.parametrize("lam", [0, THIRD, 1])
def test_mean_of_the_actor_critic_with_a_wrong_critic(lam):
    mdp = model(1)
    family = at(mdp, 1)
    listed = law_by_paths(mdp, family, actor_critic(mdp, family, WRONG, lam))
    found = actor_critic_mean(mdp, family, WRONG, lam, STEPS)
    assert (found.mean == listed.mean).all()
    assert (found.bias == listed.mean - finite_horizon_gradient(mdp, family, STEPS)).all()
    assert (found.bias != 0).any()


def test_bias_of_the_actor_critic_as_a_polynomial_in_lambda():
    lam = sympy.Symbol("lam", nonnegative=True)
    exact = model(1)
    mdp = exact.to_symbolic()
    found = actor_critic_mean(mdp, pm.softmax_at(mdp, at(exact, 1).policy), WRONG, lam, STEPS).bias
    assert max(sympy.Poly(x, lam).degree() for x in found.flat) == STEPS - 1
    for value in (Fraction(0), Fraction(2, 7)):
        number = actor_critic_mean(exact, at(exact, 1), WRONG, value, STEPS).bias
        assert [x.subs(lam, sympy.Rational(str(value))) for x in found.flat] == list(number.flat)


def test_bias_of_the_actor_critic_without_a_horizon():
    mdp = model(0)
    family = at(mdp, 0)
    v = policy_value(mdp, family.policy)
    for lam in (0, HALF, 1):
        assert (actor_critic_mean(mdp, family, v, lam).bias == 0).all()
    assert (actor_critic_mean(mdp, family, WRONG, 1).bias == 0).all()
    # λ = 0 follows Q̂ = r + γ P v for Q: the bias is linear in v - V, and 0 for no factor but 0
    once, twice = (actor_critic_mean(mdp, family, v + k * (WRONG - v), 0).bias for k in (1, 2))
    assert (twice == 2 * once).all()
    assert (once != 0).any()


def test_rewards_100_and_102():
    """Two arms at ½: scores are ±½. Without baseline the estimate is 50 or 51 apart in sign; with 101 it never varies."""
    mdp, family = arms(102, 100)
    plain = law_by_paths(mdp, family, reinforce(mdp, family), 1)
    assert plain.mean.tolist() == [[HALF, -HALF]]
    assert plain.variance.tolist() == [[Fraction(101, 2) ** 2] * 2]
    centred = law_by_paths(mdp, family, reinforce(mdp, family).minus(lambda t, s: 101), 1)
    assert centred.mean.tolist() == plain.mean.tolist()
    assert not centred.covariance.any()


def test_two_arms_with_symbols():
    """∂J = p (1 - p) (x - y), Var = p (1 - p) [(1 - p) x + p y]²."""
    p, x, y = sympy.symbols("p x y", positive=True)
    mdp, family = arms(x, y, p)
    law = reward_to_go_law(mdp, family, 1)
    assert sympy.cancel(law.mean[0, 0] - p * (1 - p) * (x - y)) == 0
    assert sympy.cancel(law.variance[0, 0] - p * (1 - p) * ((1 - p) * x + p * y) ** 2) == 0


@pytest.mark.parametrize("world", WORLDS)
def test_worlds_agree(world):
    exact, mdp = model(0), model(0, world)
    family, truth = at(mdp, 0), reward_to_go_law(exact, at(exact, 0), 2, WRONG)
    v = as_floats(WRONG) if "float" in world else WRONG
    for law in (
        reward_to_go_law(mdp, family, 2, v),
        law_by_paths(mdp, family, reward_to_go(mdp, family).minus(lambda t, s: v[s]), 2),
    ):
        # a few hundred terms of size below 100
        np.testing.assert_allclose(as_floats(law.mean), as_floats(truth.mean), atol=1e-11)
        np.testing.assert_allclose(as_floats(law.covariance), as_floats(truth.covariance), atol=1e-11)
    found = actor_critic_mean(mdp, family, v, 0, 2)
    by_hand = actor_critic_mean(exact, at(exact, 0), WRONG, 0, 2)
    np.testing.assert_allclose(as_floats(found.bias), as_floats(by_hand.bias), atol=1e-11)


def test_refusals():
    mdp = model(0)
    with pytest.raises(InvalidPolicy, match="changes the sum"):
        reinforce(mdp, pm.direct(mdp, at(mdp, 0).policy))
    loop = MDP([[[1], [1]]], [[Fraction(1), Fraction(0)]], 1, 0)
    family = pm.softmax_at(loop, uniform(loop))
    with pytest.raises(InvalidPolicy, match="never leaves"):
        actor_critic_mean(loop, family, [0], 0)
