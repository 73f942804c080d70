"""Natural policy gradient: its guarantee, its limit in policy iteration, and the sampled direction against its equation."""

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import action_value, advantage
from rlexact.exact.fisher import natural_gradient
from rlexact.learning.actor_critic import critic_advantages, true_advantages
from rlexact.learning.episodes import Sampler
from rlexact.learning.natural_gradient import (
    exact_direction,
    exact_natural_policy_gradient,
    fisher_norm,
    natural_direction,
    natural_policy_gradient,
)
from rlexact.mdp import MDP
from rlexact.policy import first_best, uniform
from tests.learning.batches import WRONG, actor_at, arms, assert_mean, busy, endless, family


def test_the_exact_step_multiplies_by_exponentials_of_advantages():
    mdp = endless()
    after = exact_natural_policy_gradient(mdp, 1, alpha=0.7).policy
    weights = uniform(mdp) * np.exp(0.7 * advantage(mdp, uniform(mdp)))
    assert np.allclose(after, weights / weights.sum(axis=1, keepdims=True), atol=1e-13)


@pytest.mark.parametrize("model", [busy, endless])
def test_the_exact_direction_solves_the_fisher_system(model):
    actor = actor_at(model())
    truth = natural_gradient(actor.model, family(actor)).direction
    assert np.allclose(exact_direction(actor), truth, atol=1e-12)


@pytest.mark.parametrize("eta", [0.1, 1.0])
def test_the_guarantee_of_the_exact_form(eta):
    """[N4]: rewards in [0, 1], uniform start."""
    mdp = endless()
    gamma, n = mdp.gamma, 40
    curve = exact_natural_policy_gradient(mdp, n, alpha=eta / (1 - gamma), checkpoints=range(n + 1)).curve
    bound = (np.log(2) / eta + 1 / (1 - gamma) ** 2) / curve.steps[1:]
    assert (curve.errors[1:] <= bound).all()
    assert (np.diff(curve.errors) <= 1e-13).all()  # every exact step improves


def test_a_long_step_is_policy_iteration():
    mdp = gallery.racing().to_float()
    after = exact_natural_policy_gradient(mdp, 1, alpha=1e4).policy
    assert np.allclose(after, first_best(mdp, action_value(mdp, uniform(mdp))), atol=1e-12)


@pytest.mark.parametrize("model", [busy, endless])
def test_the_sampled_direction_solves_its_equation(model):
    """F̂ x = ĝ with F̂ = Σ ŵ Σ_a π ψψᵀ and ĝ written out from scores, x without a constant per state."""
    mdp = model()
    actor = actor_at(mdp, v=WRONG[: mdp.n_states])
    lived = Sampler(mdp, np.random.default_rng(0), 4)(actor.policy, 5)
    credit = critic_advantages(0.5)(lived, actor)
    x = natural_direction(lived, actor, credit)
    psi = np.zeros((*actor.policy.shape, actor.policy.size))
    for s, a in np.ndindex(actor.policy.shape):
        row = -np.eye(mdp.n_states)[s][:, None] * actor.policy[s]
        row[s, a] += 1
        psi[s, a] = row.ravel()
    where = [(lived.states[i], lived.actions[i], credit[i]) for i in np.ndindex(lived.shape) if lived.taken[i]]
    F = sum((actor.policy[s, a] * np.outer(psi[s, a], psi[s, a]) for s, _, _ in where for a in range(2))) / len(where)
    g = sum(A * psi[s, a] for s, a, A in where) / len(where)
    assert np.allclose(F @ x.ravel(), g, atol=1e-13)
    assert np.allclose(x.sum(axis=1), 0, atol=1e-13)
    assert np.isclose(
        fisher_norm(x, actor, np.bincount([s for s, _, _ in where], minlength=len(x)) / len(where)),
        x.ravel() @ F @ x.ravel(),
    )


def test_with_one_state_the_sampled_direction_has_the_exact_law():
    """x = Â (1{a} / π(a) - mean): its mean is the natural gradient itself."""
    mdp, n = arms(2, 1, 0), 4
    actor = actor_at(mdp, np.array([[0.5, 0.0, -0.5]]))
    pi, A = actor.policy, advantage(mdp, actor.policy)

    def one(path):
        x = np.zeros((1, 3))
        x[0, path.actions[0]] = A[0, path.actions[0]] / pi[0, path.actions[0]]
        return x - x.mean()

    law = estimator_law(mdp, pi, 1, one)
    assert np.allclose(law.mean, natural_gradient(mdp, family(actor)).direction, atol=1e-14)
    sampler = Sampler(mdp, np.random.default_rng(2))
    batches = (sampler(pi, n) for _ in range(400))
    found = [natural_direction(lived, actor, true_advantages(lived, actor)) for lived in batches]
    assert_mean(np.array(found), law.averaged(n))


def test_one_update_by_hand():
    """Arms 3 and 1 at (1/2, 1/2), critic 2, one episode: x = ± (1 / ½) (1, 0) less its mean = (1, -1) either way."""
    for seed in range(4):
        after = natural_policy_gradient(arms(3, 1), 1, seed, alpha=0.25, episodes=1, v=np.array([2.0]))
        assert after.tables["theta"][0].tolist() == pytest.approx([0.25, -0.25], abs=1e-15)


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_both_learn_in_every_world(convert):
    mdp = convert(gallery.corridor(2))
    assert exact_natural_policy_gradient(mdp, 15).error < 1e-4
    run = natural_policy_gradient(mdp, 40, 1)
    assert run.error < run.curve.errors[0] / 20


def test_actions_that_are_not_available_stay_out():
    mdp = MDP.from_outcomes(
        {(0, 0): [(1.0, 1, 0.0, False)], (1, 0): [(1.0, None, 1.0, True)], (1, 1): [(1.0, None, 0.0, True)]}, 1.0, 0
    )
    for run in (natural_policy_gradient(mdp, 20, 0), exact_natural_policy_gradient(mdp, 20)):
        assert run.policy[0].tolist() == [1, 0]
        assert run.policy[1, 0] > 0.9
        assert run.tables["theta"][0].tolist() == [0, 0]


def test_refusals():
    with pytest.raises(ValueError, match="alpha"):
        natural_policy_gradient(busy(), 1, 0, alpha=-1)
    with pytest.raises(ValueError, match="lam"):
        natural_policy_gradient(busy(), 1, 0, lam=1.5)
    with pytest.raises(ValueError, match="updates"):
        exact_natural_policy_gradient(busy(), 0)
