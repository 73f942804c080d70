"""Finite horizons against every plan of decisions, sums along paths, closed forms and the infinite horizon."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from rlexact import arithmetic as ar
from rlexact import gallery
from rlexact.door import InvalidPolicy
from rlexact.exact.evaluation import policy_value, visits
from rlexact.exact.horizon import backward_induction, policy_values_over_horizon, visits_over_horizon
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies, uniform
from tests.strategies import WORLDS, as_floats, in_world, law_model, model, policy


def final(mdp, seed=0):
    """Final values, 0 at terminal states, in quarters: exact in every world."""
    rng = np.random.default_rng(seed)
    g = np.array([Fraction(int(n), 4) for n in rng.integers(-8, 9, mdp.n_states)], dtype=object)
    g[mdp.terminal] = Fraction(0)
    return g.astype(float) if "float" in mdp.world else mdp.beside("g", g)


def by_paths(mdp, plan, s, t, g):
    """Expected return from s at time t under plan[t][s] = action, written as a sum over what can happen."""
    if t == len(plan) or mdp.terminal[s]:
        return g[s]
    return sum(
        p * (reward + (0 if ended else mdp.gamma * by_paths(mdp, plan, following, t + 1, g)))
        for p, following, reward, ended in mdp.outcomes(s, plan[t][s])
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("world", WORLDS)
def test_against_every_plan(seed, world):
    exact = law_model(seed, n_states=2)
    g = final(exact, seed)
    choices = [tuple(pi.argmax(axis=1)) for pi in deterministic_policies(exact)]
    plans = list(itertools.product(choices, repeat=2))
    best = [max(by_paths(exact, plan, s, 0, g) for plan in plans) for s in range(2)]
    mdp = in_world(exact, world)
    answer = backward_induction(mdp, 2, terminal_values=final(mdp, seed))
    assert answer.v.shape == (3, 2)
    assert answer.q.shape == answer.policy.shape == answer.optimal_actions.shape == (2, *mdp.r.shape)
    assert (
        as_floats(answer.v[0]) == [float(x) for x in best]
    ).all()  # multiples of 2^-22 below 8: floats hold them all
    attained = policy_values_over_horizon(mdp, answer.policy, 2, terminal_values=final(mdp, seed))
    assert (attained.v == answer.v).all()
    assert answer.error_bound == 0 if ar.is_exact(mdp.r) else 0 < answer.error_bound < 1e-13


def test_the_best_decision_depends_on_the_time_left():
    """Invest (pays 0 now, and 3 a step once invested) or take 1 now: investing needs two steps to pay."""
    table = {
        ("poor", "take"): [(Fraction(1), "poor", 1, False)],
        ("poor", "invest"): [(Fraction(1), "rich", 0, False)],
        ("rich", "take"): [(Fraction(1), "rich", 3, False)],
    }
    mdp = MDP.from_outcomes(table, Fraction(1), "poor", states=["poor", "rich"], actions=["take", "invest"])
    answer = backward_induction(mdp, 4)
    assert list(answer.v[:, 0]) == [9, 6, 3, 1, 0]
    assert list(answer.v[:, 1]) == [12, 9, 6, 3, 0]
    assert [mdp.actions[a] for a in answer.policy[:, 0].argmax(axis=1)] == ["invest", "invest", "invest", "take"]


def test_ties_are_marked_at_every_step():
    answer = backward_induction(MDP([[[1], [1], [1]]], [["1/3", "1/3", 0]], 1), 3)
    assert (answer.optimal_actions == [[[True, True, False]]] * 3).all()
    assert (answer.policy == [[[1, 0, 0]]] * 3).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("world", WORLDS[:3])
def test_values_are_visits_times_rewards(seed, world):
    """V_0 · ρ = Σ_t d_t · r_t + d_H · g, with a policy for each step."""
    mdp = in_world(model(seed), world)
    plan = [policy(seed + t, mdp) for t in range(4)]
    g = final(mdp, seed)
    v = policy_values_over_horizon(mdp, plan, 4, terminal_values=g)
    d = visits_over_horizon(mdp, plan, 4)
    earned = sum((d[t] * mdp.under(pi)[1]).sum() for t, pi in enumerate(plan)) + (d[4] * g).sum()
    error = abs(earned - (mdp.initial * v.v[0]).sum())
    assert error <= (0 if world == "rational" else 1e-13)  # some fifty roundings of numbers below 16
    assert v.q.shape == (4, *mdp.r.shape)


@pytest.mark.parametrize("seed", range(4))
def test_many_steps_come_near_the_infinite_horizon(seed):
    """‖V_0 - V*‖ ≤ γ^H ‖V*‖, and the visits add up to η."""
    mdp = model(seed)
    steps, v = 40, policy_iteration(mdp).v
    assert max(abs(backward_induction(mdp, steps).v[0] - v)) <= mdp.gamma**steps * max(abs(v))
    pi = uniform(mdp)
    short, whole = visits_over_horizon(mdp, pi, steps).sum(axis=0), visits(mdp, pi)
    assert (short <= whole).all()
    assert sum(whole - short) <= mdp.gamma ** (steps + 1) / (1 - mdp.gamma)
    rest = abs(policy_values_over_horizon(mdp, pi, steps).v[0] - policy_value(mdp, pi))
    assert max(rest) <= mdp.gamma**steps * max(abs(policy_value(mdp, pi)))


@pytest.mark.parametrize("world", WORLDS[:3])
def test_no_discount_needs_no_end(world):
    """A loop that pays 1 and never ends is worth H over H steps."""
    answer = backward_induction(in_world(MDP([[["1"]]], [[1]], 1), world), 7)
    assert list(answer.v[:, 0]) == [7, 6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize("sparse", [False, True])
def test_the_bound_counts_rounding(sparse):
    mdp = gallery.garnet(6, 3, 3, seed=2, gamma=0.9, sparse=sparse)
    answer = backward_induction(mdp, 30)
    exact = np.vectorize(Fraction, otypes=[object])
    P, r, gamma, v = exact(mdp.to_dense().P), exact(mdp.r), Fraction(mdp.gamma), exact(np.zeros(6))
    for computed in answer.v[-2::-1]:
        v = (r + gamma * (P * v).sum(axis=2)).max(axis=1)
        v = exact([x.limit_denominator(10**40) for x in v])  # 40 digits are enough and keep the test quick
        assert max(abs(exact(computed) - v)) <= answer.error_bound
    assert answer.error_bound < 1e-13


def test_rounding_adds_up_over_the_steps():
    """0.1 added to itself a thousand times: float64 goes wrong by far more than one addition does."""
    answer = backward_induction(MDP([[[1.0]]], [[0.1]], 1.0), 1000)
    error = abs(Fraction(answer.v[0, 0]) - 1000 * Fraction(0.1))
    assert 10 * Fraction(2.0**-53 * 100) < error <= answer.error_bound


@pytest.mark.parametrize("world", WORLDS[:2])
def test_a_tie_that_rounding_breaks_is_still_marked(world):
    """0.1, 0.2, 0.3 or 0.3, 0.2, 0.1: the same sum, but 0.1 + (0.2 + 0.3) < 0.3 + (0.2 + 0.1) in float64."""
    pays = [[0.1, 0.3], [0.2, 0.2], [0.3, 0.3], [0.2, 0.2], [0.1, 0.1]]
    goes = [[1, 3], [2, 2], [5, 5], [4, 4], [5, 5], [5, 5]]
    mdp = in_world(MDP(np.eye(6)[goes], [*pays, [0.0, 0.0]], 1.0, terminal=[5]), world)
    answer = backward_induction(mdp, 3)
    assert answer.q[0, 0, 0] < answer.q[0, 0, 1]
    assert answer.optimal_actions[0, 0].all()
    assert policy_iteration(mdp).optimal_actions[0].all()


def test_no_steps_leave_the_final_values():
    mdp = model(1)
    answer = backward_induction(mdp, 0, terminal_values=final(mdp))
    assert (answer.v == [final(mdp)]).all()
    assert answer.q.shape == (0, 4, 3)
    assert (visits_over_horizon(mdp, uniform(mdp), 0) == [mdp.initial]).all()


@pytest.mark.parametrize("steps", [-1, 2.0, True, "3", None])
def test_a_number_of_steps_is_asked_for(steps):
    with pytest.raises(ValueError, match="how many steps"):
        backward_induction(model(1), steps)


def test_final_values_where_it_is_over_are_refused():
    mdp = gallery.cliff_walk()
    with pytest.raises(ValueError, match="terminal_values"):
        backward_induction(mdp, 2, terminal_values=np.ones(mdp.n_states, dtype=int))


def test_one_policy_or_one_for_each_step():
    mdp = model(3)
    pi = uniform(mdp)
    assert (policy_values_over_horizon(mdp, [pi] * 3, 3).v == policy_values_over_horizon(mdp, pi, 3).v).all()
    with pytest.raises(InvalidPolicy, match="2 policies for 3 steps"):
        policy_values_over_horizon(mdp, [pi, pi], 3)
