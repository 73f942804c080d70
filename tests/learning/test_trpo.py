"""Tabular TRPO: the budget is kept, the step is the longest that passes, the exact form is below the exact optimum."""

from functools import partial

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.evaluation import visits
from rlexact.exact.line_search import line_search_step
from rlexact.exact.parameterisation import softmax
from rlexact.exact.policy_distance import kl
from rlexact.exact.trpo import InvalidBudget, trpo_step
from rlexact.learning.actor_critic import critic_advantages, true_advantages
from rlexact.learning.episodes import Sampler
from rlexact.learning.natural_gradient import natural_direction
from rlexact.learning.ppo import taken_steps
from rlexact.learning.trpo import divergence, exact_trpo, searched, surrogate_gain, trpo
from rlexact.mdp import MDP
from rlexact.policy import uniform
from tests.learning.batches import WRONG, actor_at, arms, busy, endless


def sampled(seed, mdp):
    actor = actor_at(mdp, v=WRONG[: mdp.n_states])
    lived = Sampler(mdp, np.random.default_rng(seed), 4)(actor.policy, 6)
    credit = critic_advantages(1)(lived, actor)
    shares = np.array([(lived.states[lived.taken] == s).mean() for s in range(mdp.n_states)])
    return actor, lived, credit, shares


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("budget", [1e-4, 0.01, 0.5])
def test_a_sampled_step_keeps_its_budget_and_gains(seed, budget):
    """KL and gain written out from both policies; the step before the accepted one fails."""
    actor, lived, credit, shares = sampled(seed, busy())
    x, data = natural_direction(lived, actor, credit), taken_steps(lived, actor, credit)
    gain = partial(surrogate_gain, data)
    factors = 0.5 ** np.arange(12)
    theta = searched(actor, gain, shares, x, budget, factors)
    new = actor_at(busy(), theta)
    p, q = actor.policy[:2], new.policy[:2]
    assert shares[:2] @ (p * np.log(p / q)).sum(axis=1) <= budget
    s, a = data.states, data.actions
    assert ((new.policy[s, a] / actor.policy[s, a] - 1) * data.advantages).mean() > 0
    taken = next(i for i, f in enumerate(factors) if (searched(actor, gain, shares, x, budget, [f]) is not None))
    assert (searched(actor, gain, shares, x, budget, factors[taken:]) == theta).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_small_budget_is_spent(seed):
    """The quadratic model is then right: a full step has mean KL δ, up to a relative error of order √δ."""
    actor, lived, credit, shares = sampled(seed, endless())
    x = natural_direction(lived, actor, credit)
    length = np.sqrt(
        2 * 1e-6 / (shares @ [(p * (row - p @ row) ** 2).sum() for p, row in zip(actor.policy, x, strict=True)])
    )
    there = actor_at(endless(), actor.theta + length * x)
    assert abs(shares @ divergence(actor, there) - 1e-6) < 1e-8
    assert surrogate_gain(taken_steps(lived, actor, credit), there) > 0


def test_one_update_by_hand():
    """Two arms at (1/2, 1/2), Â = ± 1 exactly: x = (1, -1), xᵀ F x = 1, so the logits move by √(2δ) (1, -1)."""
    mdp, delta = arms(3, 1), 1e-4
    run = trpo(mdp, 1, 0, budget=delta, advantages=true_advantages, episodes=4)
    theta = run.tables["theta"][0]
    q = np.exp(theta) / np.exp(theta).sum()
    lived = Sampler(mdp, np.random.default_rng(0))(uniform(mdp), 4)
    n = np.bincount(lived.actions[0], minlength=2)
    x = np.array([n[0], -n[1]]) / 4 / 0.5  # Â counts of each arm over π, before centring
    x = x - x.mean()
    length = np.sqrt(2 * delta / (0.5 * x @ x))
    steps = [0.5**j * length * x for j in range(3)]
    assert any(np.allclose(theta, step, rtol=1e-12) for step in steps)
    assert 0.5 * np.log(0.5 / q).sum() <= delta


def test_a_step_that_loses_is_taken_back():
    """The surrogate is asked too, not the budget alone: one that gains below half the length only is cut twice."""
    actor, lived, credit, shares = sampled(0, endless())
    x, factors = natural_direction(lived, actor, credit), [1, 0.5, 0.25]
    far = np.abs(searched(actor, lambda there: 1.0, shares, x, 1e-3, [1]) - actor.theta).max()
    near = searched(actor, lambda there: 0.3 * far - np.abs(there.theta - actor.theta).max(), shares, x, 1e-3, factors)
    assert np.isclose(np.abs(near - actor.theta).max(), far / 4)
    assert searched(actor, lambda there: 0.0, shares, x, 1e-3, factors) is None


def test_where_nothing_is_gained_the_parameters_stay():
    run = trpo(arms(1, 1), 3, 0, advantages=true_advantages)
    assert (run.tables["theta"] == 0).all()
    assert run.tables["rejected"] == 3


def test_the_exact_form_keeps_its_budget_and_stays_below_the_exact_optimum():
    mdp, delta = endless(), 0.02
    old, new = uniform(mdp), exact_trpo(mdp, 1, budget=delta).policy
    w = visits(mdp, old) / visits(mdp, old).sum()
    best = trpo_step(mdp, old, delta)
    spent = w @ kl(mdp, old, new)
    assert 0.5 * delta < spent <= delta
    assert np.abs(new - best.policy).max() < 0.05  # the same problem to second order in θ, and a step of √δ
    searched_for = line_search_step(mdp, lambda theta: softmax(mdp, theta), np.zeros((2, 2)), delta)
    assert np.allclose(new, searched_for.family.policy, atol=1e-12)  # conjugate gradients in place of the closed form


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_both_learn_in_every_world(convert):
    mdp = convert(gallery.corridor(2))
    curve = exact_trpo(mdp, 25, budget=0.05, checkpoints=range(26)).curve
    assert (np.diff(curve.errors) <= 1e-12).all()
    assert curve.errors[-1] < 0.01 * curve.errors[0]
    run = trpo(mdp, 30, 1, budget=0.05)
    assert run.error < run.curve.errors[0] / 10


def test_probabilities_below_the_smallest_float_are_no_trouble():
    """A budget in KL(old ‖ new) hardly sees a rare action: its logit falls without end."""
    run = trpo(gallery.corridor(2), 60, 0, budget=0.5)
    assert np.isfinite(run.tables["theta"]).all()
    assert exact_trpo(gallery.corridor(2), 40, budget=0.5).error < 1e-6


def test_refusals():
    for budget in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InvalidBudget):
            trpo(busy(), 1, 0, budget=budget)
        with pytest.raises(InvalidBudget):
            exact_trpo(busy(), 1, budget=budget)
    for bad in ({"shrink": 1}, {"backtracks": -1}):
        with pytest.raises(ValueError, match=r"shrink|backtracks"):
            trpo(busy(), 1, 0, **bad)
