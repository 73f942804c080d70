"""What a policy is worth: against truncated sums with exact tails, enumerated paths and closed forms."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.exact.evaluation import (
    absorbing_occupancy,
    action_value,
    advantage,
    expected_return,
    occupancy,
    occupancy_pairs,
    policy_value,
    successor_representation,
    visits,
)
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic, uniform
from tests.strategies import WORLDS, as_floats, in_world, law_model, model, policy

F = Fraction
EVERY = (policy_value, action_value, advantage, visits, occupancy, occupancy_pairs, successor_representation)


def agree(x, expected, world, tail=0):
    """Within the tail; in floats also within 1e-12, a few hundred roundings of values below 32."""
    slack = float(tail) + (1e-12 if "float" in world else 0)
    if slack == 0:
        return bool((np.asarray(x) == np.asarray(expected)).all())
    return bool((np.abs(as_floats(x) - as_floats(expected)) <= slack).all())


def chain_of(mdp, pi):
    """P_π and r_π in Fractions by loops: lists of lists, from the rational twin of the model."""
    exact, n = mdp.to_rational(), mdp.n_states
    rows = [[F(float(x)) for x in row] for row in mdp.admit(pi)]  # dyadic
    P = [[sum(rows[s][a] * exact.P[s, a, j] for a in range(exact.n_actions)) for j in range(n)] for s in range(n)]
    return P, [sum(rows[s][a] * exact.r[s, a] for a in range(exact.n_actions)) for s in range(n)], exact


def times(P, v):
    return [sum((p * x for p, x in zip(row, v, strict=True)), F(0)) for row in P]


def summed(P, v, gamma, steps):
    """Σ_{t < steps} (γ P)^t v."""
    total, term = [F(0)] * len(v), v
    for _ in range(steps):
        total = [x + y for x, y in zip(total, term, strict=True)]
        term = [gamma * x for x in times(P, term)]
    return total


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(4))
class TestPowerSeries:
    STEPS = 40

    def test_values(self, seed, world):
        """|V - Σ_{t<T} γ^t P^t r| ≤ γ^T max|r| / (1 - γ)."""
        mdp = model(seed, world)
        pi = policy(seed, mdp)
        P, r, exact = chain_of(mdp, pi)
        tail = exact.gamma**self.STEPS * max(map(abs, r)) / (1 - exact.gamma)
        series = summed(P, r, exact.gamma, self.STEPS)
        v = policy_value(mdp, pi)
        assert ar.of(v) is ar.of(mdp.r)
        assert agree(v, series, world, tail)
        start = as_floats(exact.initial) @ as_floats(np.array(series))
        assert abs(float(expected_return(mdp, pi)) - start) <= float(tail) + 1e-12

    def test_visits(self, seed, world):
        """η = Σ_t γ^t ρ P^t, entries of the tail at most γ^T / (1 - γ)."""
        mdp = model(seed, world)
        pi = policy(seed, mdp)
        P, _, exact = chain_of(mdp, pi)
        tail = exact.gamma**self.STEPS / (1 - exact.gamma)
        turned = [list(column) for column in zip(*P, strict=True)]
        series = summed(turned, list(exact.initial), exact.gamma, self.STEPS)
        assert agree(visits(mdp, pi), series, world, tail)
        identity = [[F(i == j) for j in range(4)] for i in range(4)]
        columns = [summed(P, [row[j] for row in identity], exact.gamma, self.STEPS) for j in range(4)]
        assert agree(successor_representation(mdp, pi).T, columns, world, tail)

    def test_identities(self, seed, world):
        """V = r_π + γ P_π V by loops, Q and A from V by loops, and J = ρ·V = η·r: exact but for rounding."""
        mdp = model(seed, world)
        pi = policy(seed, mdp)
        P, r, exact = chain_of(mdp, pi)
        v = policy_value(exact, policy(seed, exact))
        assert [x + exact.gamma * y for x, y in zip(r, times(P, v), strict=True)] == list(v)
        q = [[exact.r[s, a] + exact.gamma * times([exact.P[s, a]], v)[0] for a in range(3)] for s in range(4)]
        assert agree(action_value(mdp, pi), q, world)
        gaps = [[q[s][a] - v[s] if mdp.available[s, a] else F(0) for a in range(3)] for s in range(4)]
        assert agree(advantage(mdp, pi), gaps, world)
        eta = visits(exact, policy(seed, exact))
        assert sum(exact.initial * v) == sum(eta * r) == expected_return(exact, policy(seed, exact))
        assert agree(occupancy(mdp, pi), (1 - exact.gamma) * eta, world)
        weights = exact.admit(policy(seed, exact))
        assert agree(occupancy_pairs(mdp, pi), (1 - exact.gamma) * eta[:, None] * weights, world)


def by_paths(mdp, pi, steps, s):
    """Σ over all paths of probability times discounted reward, following every outcome."""
    if steps == 0 or mdp.terminal[s]:
        return F(0)
    total = F(0)
    for a in np.flatnonzero(mdp.available[s]):
        for p, following, reward, ended in mdp.outcomes(s, int(a)):
            later = F(0) if ended else by_paths(mdp, pi, steps - 1, following)
            total += pi[s, a] * p * (reward + mdp.gamma * later)
    return total


@pytest.mark.parametrize("seed", range(3))
def test_every_path(seed):
    """Two states and actions, all paths of five steps, against five powers of the exact tail."""
    mdp = law_model(seed, n_states=2)
    pi = policy(seed, mdp)
    v, steps = policy_value(mdp, pi), 5
    P, _, _ = chain_of(mdp, pi)
    remains = list(v)
    for _ in range(steps):
        remains = [mdp.gamma * x for x in times(P, remains)]
    assert [by_paths(mdp, pi, steps, s) + remains[s] for s in range(2)] == list(v)


# -- closed forms -------------------------------------------------------------------------------------------------------

G = sympy.Symbol("gamma")
PROBABILITY = sympy.Symbol("p")


def test_a_loop_that_pays_one():
    """V = 1 / (1 - γ)."""
    assert policy_value(MDP([[[1]]], [1], "9/10"), [[1]]).tolist() == [10]
    assert sympy.simplify(policy_value(MDP([[[1]]], [1], G), [[1]])[0] - 1 / (1 - G)) == 0
    assert np.allclose(policy_value(MDP([[[1.0]]], [1.0], 0.9), [[1.0]]), 10, rtol=1e-14)


def test_a_geometric_end():
    """Stay with probability p: V = 1 / (1 - γp), η = 1 / (1 - γp) and then γ(1 - p) / (1 - γp) at the end."""
    mdp = MDP([[[PROBABILITY, 1 - PROBABILITY]], [[0, 0]]], [1, 0], G, 0, terminal=1)
    expected = 1 / (1 - G * PROBABILITY)
    eta = visits(mdp, [[1], [1]])
    assert sympy.simplify(policy_value(mdp, [[1], [1]])[0] - expected) == 0
    assert sympy.simplify(eta[0] - expected) == 0
    assert sympy.simplify(eta[1] - G * (1 - PROBABILITY) * expected) == 0
    assert sympy.simplify(expected_return(mdp, [[1], [1]]) - expected) == 0
    assert sympy.simplify(sum(absorbing_occupancy(mdp, [[1], [1]])) - 1) == 0
    once = MDP([[["3/4", "1/4"]], [[0, 0]]], [1, 0], 1, 0, terminal=1)
    assert visits(once, [[1], [1]]).tolist() == [4, 1]
    assert policy_value(once, [[1], [1]]).tolist() == [4, 0]


def test_the_discount_zero():
    mdp = model(3).replace(gamma=0)
    pi = policy(3, mdp)
    assert policy_value(mdp, pi).tolist() == mdp.under(pi)[1].tolist()
    assert visits(mdp, pi).tolist() == occupancy(mdp, pi).tolist() == mdp.initial.tolist()
    assert successor_representation(mdp, pi).tolist() == np.eye(4).tolist()


def test_symbolic_answers_are_cancelled():
    mdp = MDP([[["1/2", "1/2"]], [[0, 1]]], [1, 2], G, ["1/3", "2/3"])
    for quantity in EVERY:
        answer = quantity(mdp, [[1], [1]])
        assert all(x == sympy.cancel(x) for x in answer.flat), quantity.__name__
    assert expected_return(mdp, [[1], [1]]) == sympy.cancel(expected_return(mdp, [[1], [1]]))
    assert occupancy(mdp, [[1], [1]]).sum().simplify() == 1


# -- where episodes end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_a_step_that_ends_is_a_terminal_state_left_out(world):
    """The same episode, once with `ends`, once with a terminal state drawn."""
    short = in_world(MDP.from_outcomes([[[("1/4", 0, 1, False), ("3/4", 0, 5, True)]]], "1/2", 0), world)
    drawn = in_world(MDP([[["1/4", "3/4"]], [[0, 0]]], [[[1, 5]], [[0, 0]]], "1/2", 0, terminal=1), world)
    one, both = np.ones((1, 1), dtype=int), np.ones((2, 1), dtype=int)
    assert agree(policy_value(short, one), [F(32, 7)], world)  # V = 4 + V / 8
    assert agree(policy_value(drawn, both), [F(32, 7), 0], world)
    assert agree(visits(short, one), [F(8, 7)], world)
    assert agree(visits(drawn, both), [F(8, 7), F(3, 7)], world)
    assert agree(occupancy(drawn, both), [F(4, 7), F(3, 14)], world)
    assert agree(absorbing_occupancy(drawn, both), [F(4, 7), F(3, 7)], world)
    with pytest.raises(InvalidMDP, match="some steps end without a successor"):
        absorbing_occupancy(short, one)


@pytest.mark.parametrize("seed", range(4))
def test_absorbing_occupancy_is_that_of_the_loops(seed):
    """The terminal states drawn as loops that are not declared terminal: then nothing ends, and nothing is converted."""
    mdp = model(seed + 10)
    pi = policy(seed, mdp)
    P, R = mdp.P.copy(), mdp.r
    P[mdp.terminal] = np.eye(4, dtype=int)[mdp.terminal][:, None, :] * F(1)
    loops = MDP(P, R, mdp.gamma, mdp.initial, available=mdp.available | mdp.terminal[:, None])
    full = np.where(mdp.terminal[:, None], uniform(loops), pi)
    assert absorbing_occupancy(mdp, pi).tolist() == occupancy(loops, full).tolist()
    assert sum(absorbing_occupancy(mdp, pi)) == 1


# -- no discount ----------------------------------------------------------------------------------------------------------


def walk(n, gamma=1, initial=None, pay=1):
    """A fair walk on 0..n that ends at either side and pays for every step."""
    P = np.zeros((n + 1, 1, n + 1), dtype=object)
    for s in range(1, n):
        P[s, 0, [s - 1, s + 1]] = F(1, 2)
    R = np.full(n + 1, F(pay))
    R[[0, n]] = 0
    return MDP(P, R, gamma, initial, terminal=[0, n])


@pytest.mark.parametrize("world", WORLDS)
def test_the_fair_walk_takes_k_times_n_minus_k_steps(world):
    mdp = in_world(walk(6, initial=2), world)
    assert agree(policy_value(mdp, uniform(mdp)), [k * (6 - k) for k in range(7)], world)
    # visits to j from 2: 2 min(2, j) (6 - max(2, j)) / 6, and the chances 2/3 and 1/3 of either end
    assert agree(visits(mdp, uniform(mdp)), [F(2, 3), F(4, 3), F(8, 3), 2, F(4, 3), F(2, 3), F(1, 3)], world)
    assert agree(successor_representation(mdp, uniform(mdp))[2], visits(mdp, uniform(mdp)), world)
    for refused in (occupancy, occupancy_pairs, absorbing_occupancy):
        with pytest.raises(InvalidMDP, match="vanishes at gamma = 1: use visits"):
            refused(mdp, uniform(mdp))


@pytest.mark.parametrize("world", WORLDS)
class TestTraps:
    def room(self, world, pay):
        """From 0: to the end, or into the ring {2, 3}, which pays."""
        P = [[[0, 1, 0, 0], [0, 0, 1, 0]], [[0] * 4] * 2, [[0, 0, 0, 1]] * 2, [[0, 0, 1, 0]] * 2]
        R = [[1, 5], [0, 0], [pay, pay], [0, 0]]
        return in_world(MDP(P, R, F(1), 0, terminal=1, states=["start", "end", "x", "y"]), world)

    def test_a_trap_that_pays_nothing_is_worth_nothing(self, world):
        mdp = self.room(world, 0)
        assert agree(policy_value(mdp, deterministic(mdp, [1, 0, 0, 0])), [5, 0, 0, 0], world)
        assert agree(policy_value(mdp, deterministic(mdp, [0, 0, 0, 0])), [1, 0, 0, 0], world)
        assert agree(action_value(mdp, deterministic(mdp, [0, 0, 0, 0])), [[1, 5], [0, 0], [0, 0], [0, 0]], world)

    def test_a_trap_that_pays_is_named(self, world):
        mdp = self.room(world, 2)
        for quantity in (policy_value, action_value, advantage, expected_return):
            with pytest.raises(InvalidPolicy, match=r"never leaves \{2 \('x'\), 3 \('y'\)\} and is paid there"):
                quantity(mdp, deterministic(mdp, [0, 0, 0, 0]))

    def test_visits_need_an_end_only_where_the_policy_goes(self, world):
        mdp = self.room(world, 2)
        assert agree(visits(mdp, deterministic(mdp, [0, 0, 0, 0])), [1, 1, 0, 0], world)
        with pytest.raises(InvalidPolicy, match=r"visits \{2 \('x'\), 3 \('y'\)\} for ever"):
            visits(mdp, deterministic(mdp, [1, 0, 0, 0]))
        with pytest.raises(InvalidPolicy, match=r"visits \{2 \('x'\), 3 \('y'\)\} for ever"):
            successor_representation(mdp, deterministic(mdp, [0, 0, 0, 0]))


def test_a_start_is_asked_for_only_where_it_matters():
    mdp = walk(3)
    policy_value(mdp, uniform(mdp))
    for quantity in (visits, expected_return):
        with pytest.raises(InvalidMDP, match="no initial distribution"):
            quantity(mdp, uniform(mdp))


def test_policies_are_checked():
    mdp = walk(2, F(1, 2), 1)
    for quantity in (*EVERY, expected_return, absorbing_occupancy):
        with pytest.raises(InvalidPolicy, match=r"policy\[1\] sums to 3/2"):
            quantity(mdp, [[1], ["3/2"], [1]])
