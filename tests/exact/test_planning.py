"""Short plans and wrong models against path sums, brute force over policies, and the cases that attain the bounds."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact.exact.difference import simulation_lemma
from rlexact.exact.evaluation import policy_value
from rlexact.exact.paths import expect
from rlexact.exact.planning import (
    branched_gap,
    branched_shift,
    branched_states,
    branched_value,
    mpc_bound,
    mpc_policy,
    regret,
)
from rlexact.gallery import random_mdp, two_streams
from rlexact.mdp import MDP, InvalidMDP
from rlexact.policy import deterministic, deterministic_policies, uniform
from tests.strategies import as_floats, in_world, policy

WORLDS = ["float64", "sparse float64", "rational", "symbolic"]


def best_first_action(mdp, s, steps):
    """The first of the first actions of the best policy tree, found by trying each tree: recursion over outcomes."""

    def worth(s, steps):
        return max((returned(s, a, steps) for a in np.flatnonzero(mdp.available[s])), default=0) if steps else 0

    def returned(s, a, steps):
        return mdp.r[s, a] + mdp.gamma * sum(p * worth(z, steps - 1) for z, p in enumerate(mdp.P[s, a]) if p)

    scores = [returned(s, a, steps) for a in range(mdp.n_actions)]
    return scores.index(max(scores))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_mpc_takes_the_first_step_of_the_best_plan(seed, horizon):
    mdp = random_mdp(seed, 3, 2)
    chosen = [best_first_action(mdp, s, horizon) for s in range(3)]
    assert (mpc_policy(mdp, horizon) == deterministic(mdp, chosen)).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("world", ["float64", "sparse float64", "rational"])
def test_regret_by_brute_force(seed, world):
    mdp = random_mdp(seed, 3, 2, terminal=seed % 2)
    acting = mpc_policy(in_world(mdp, world), 1)
    found = regret(in_world(mdp, world), acting)
    exact = deterministic(mdp, [int(row.argmax()) for row in acting])
    best = np.max([policy_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)
    wanted = best - policy_value(mdp, exact)
    # values of size 30 and solves of three states
    assert np.abs(as_floats(found.regret) - as_floats(wanted)).max() <= (0 if world == "rational" else 1e-12)


def test_how_far_to_look_in_two_streams():
    """+1 for ever, or +4 from the eleventh step on: the plan sees it once 4 (γ¹⁰ - γ^H) > 1 - γ^H, and loses the rest before."""
    mdp = two_streams(late=4)
    gamma = mdp.gamma
    for horizon in (1, 10, 11, 14, 15, 16, 30):
        seen = 4 * (gamma**10 - gamma**horizon) > 1 - gamma**horizon
        loss = regret(mdp, mpc_policy(mdp, horizon)).regret[0]
        assert loss == (0 if seen else (4 * gamma**10 - 1) / (1 - gamma))
    assert loss == 0
    assert not 4 * (gamma**10 - gamma**14) > 1 - gamma**14


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_on_a_short_plan_holds(seed):
    mdp = random_mdp(seed, 4, 3, terminal=seed % 2)
    for horizon in (1, 2, 5):
        assert mpc_bound(mdp, horizon).holds
        assert mpc_bound(mdp.to_float(), horizon).holds


def test_the_bound_on_a_short_plan_is_attained():
    """Stay for -2γε a step, or go to where nothing is paid: g errs by ε, up at home and down there, and ties the two."""
    eps, gamma = Fraction(3, 7), Fraction(4, 5)
    mdp = MDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], R=[[-2 * gamma * eps, 0], [0, 0]], gamma=gamma)
    bound = mpc_bound(mdp, 1, terminal_values=[eps, -eps])
    assert bound.left == 2 * gamma * eps / (1 - gamma)
    assert bound.slack == 0


def test_planning_for_the_plain_sum():
    """Another discount is another model: without discounting, a larger reward two steps away beats a smaller one now."""
    table = {
        (0, 0): [("1", None, 3, True)],
        (0, 1): [(1, 1, 0, False)],
        (1, 0): [(1, None, 4, True)],
        (1, 1): [(1, None, 4, True)],
    }
    mdp = MDP.from_outcomes(table, "1/2", 0)
    assert mpc_policy(mdp, 2)[0].tolist() == [1, 0]
    plain = mpc_policy(mdp.replace(gamma=1), 2)
    assert plain[0].tolist() == [0, 1]
    assert list(regret(mdp, plain).regret) == [1, 0]


def pair(seed, world="rational"):
    """A model and a wrong one of it, in any world, with a policy."""
    truth, wrong = random_mdp(seed, 3, 2), random_mdp(seed + 100, 3, 2)
    mdp, model = in_world(truth, world), in_world(wrong, world)
    return mdp, model, policy(seed, mdp)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_branched_value_by_paths(steps):
    mdp, model, pi = pair(1)
    v = policy_value(mdp, pi)
    for s in range(3):

        def paid(path):
            return sum(model.gamma**t * r for t, r in enumerate(path.rewards)) + model.gamma**steps * v[path.states[-1]]

        assert branched_value(mdp, model, pi, steps)[s] == expect(model, pi, steps, paid, start=s)


@pytest.mark.parametrize("world", WORLDS)
def test_branched_gap(world):
    mdp, model, pi = pair(2, world)
    for steps in (0, 1, 4):
        found = branched_gap(mdp, model, pi, steps)
        residual = as_floats(found.identity.gap)
        assert np.abs(residual).max() <= (1e-12 if "float" in world else 0)  # values of size 30, a few dozen roundings
        assert found.bound.holds


def test_a_long_branch_is_the_simulation_lemma():
    mdp, model, pi = pair(3, "float64")
    whole = simulation_lemma(model, mdp, pi).identity.left
    assert np.allclose(branched_gap(mdp, model, pi, 400).identity.left, whole, rtol=0, atol=1e-12)  # 0.9⁴⁰⁰ < 10⁻¹⁸


def test_the_bound_on_a_branch_is_attained():
    mdp, _, pi = pair(4)
    model = MDP(mdp.P, mdp.r + Fraction(1, 3), mdp.gamma, mdp.initial)
    found = branched_gap(mdp, model, pi, 3)
    assert found.bound.slack == 0
    assert set(found.identity.left) == {Fraction(1, 3) * (1 + mdp.gamma + mdp.gamma**2)}


@pytest.mark.parametrize("seed", range(3))
def test_branched_states_by_paths(seed):
    mdp, model, pi = pair(seed)
    laws = branched_states(model, pi, 3, mdp.initial)
    for k, s in product(range(4), range(3)):
        assert laws[k, s] == expect(model, pi, k, lambda path, s=s: int(path.states[-1] == s), start=mdp.initial)
    shift = branched_shift(mdp, model, pi, 3, mdp.initial)
    assert shift.holds
    assert shift.left[0] == 0 == shift.right[0]


def test_the_drift_is_attained_at_the_first_step():
    mdp = MDP([[["1", 0]], [[0, 1]]], R=[0, 0], gamma="1/2")
    model = MDP([[["3/4", "1/4"]], [[0, 1]]], R=[0, 0], gamma="1/2")
    shift = branched_shift(mdp, model, uniform(mdp), 2, 0)
    assert list(shift.left) == [0, Fraction(1, 2), Fraction(7, 8)]
    assert list(shift.right) == [0, Fraction(1, 2), 1]


def test_refusals():
    mdp, _, pi = pair(0)
    with pytest.raises(ValueError, match="without steps"):
        mpc_policy(mdp, 0)
    with pytest.raises(InvalidMDP, match="gamma = 1"):
        mpc_bound(mdp.replace(gamma=1), 2)
    with pytest.raises(ValueError, match="shapes"):
        branched_gap(mdp, random_mdp(0, 4, 2), pi, 1)
    with pytest.raises(ValueError, match="discounts"):
        branched_shift(mdp, mdp.replace(gamma="1/2"), pi, 1, 0)
