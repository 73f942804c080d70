"""The linear program against brute force, policy iteration, visits and its own constraints."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact import gallery
from rlexact.arithmetic import NotExact
from rlexact.exact.evaluation import policy_value, visits
from rlexact.exact.linear_program import linear_program
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies
from rlexact.solution import Unbounded
from tests.strategies import WORLDS, as_floats, in_world, law_model, model


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("world", WORLDS)
def test_against_every_deterministic_policy(seed, world):
    exact = model(seed) if seed % 2 else law_model(seed)
    best = np.max([policy_value(exact, pi) for pi in deterministic_policies(exact)], axis=0)
    answer = linear_program(in_world(exact, world))
    if world in ("rational", "symbolic"):
        assert (as_floats(answer.v) == as_floats(best)).all()
        assert (answer.gap, answer.error_bound) == (0, 0)
    else:
        assert max(abs(Fraction(x) - y) for x, y in zip(answer.v, best, strict=True)) <= answer.error_bound
        assert answer.error_bound < 1e-6  # HiGHS holds its constraints within 1e-7; γ ≤ 15/16
        assert abs(answer.gap) < 1e-9
    assert np.allclose(as_floats(policy_value(in_world(exact, world), answer.policy)), as_floats(best), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("world", WORLDS[:3])
def test_the_dual_is_how_often_its_policy_comes_by(seed, world):
    mdp = in_world(model(seed), world)
    weights = ar.ones(mdp.r, 4) * np.array([1, 2, 3, 2]) / ar.number(mdp.r, 8)
    answer = linear_program(mdp, weights=weights)
    eta = visits(mdp.replace(initial=weights), answer.policy)
    live = ~mdp.terminal
    assert np.allclose(as_floats(answer.x.sum(axis=1)[live]), as_floats(eta[live]), atol=1e-9)  # HiGHS's own tolerance
    assert (answer.x >= 0).all()
    assert (answer.x[~mdp.available] == 0).all()
    if world == "rational":
        assert (answer.x.sum(axis=1)[live] == eta[live]).all()
        flow = weights + mdp.gamma * (mdp.kernel.T @ answer.x.ravel())
        assert (answer.x.sum(axis=1) == flow)[live].all()
        assert (answer.x * mdp.r).sum() == (weights * answer.v).sum()


@pytest.mark.parametrize("world", WORLDS[:3])
@pytest.mark.parametrize(
    "exact",
    [gallery.aima_grid(), gallery.frozen_lake(gamma=Fraction(1)), gallery.cliff_walk(), gallery.sutton_barto_grid()],
    ids=["4x3", "lake", "cliff", "3.8"],
)
def test_against_policy_iteration(exact, world):
    mdp = in_world(exact, world)
    one, other = linear_program(mdp), policy_iteration(mdp)
    assert (np.abs(one.v - other.v) <= one.error_bound + other.error_bound).all()
    assert one.error_bound < 1e-9  # a basis solution: rounding times a few dozen steps
    value = policy_value(mdp, one.policy)
    assert np.abs(as_floats(value - other.v)).max() < 1e-9


def test_a_longer_model_than_brute_force_can_do():
    mdp = gallery.garnet(300, 4, 5, seed=3, gamma=0.95, sparse=True)
    one, other = linear_program(mdp), policy_iteration(mdp)
    assert np.abs(one.v - other.v).max() <= one.error_bound + other.error_bound
    assert (one.policy == other.policy).all()
    assert abs(one.x.sum() - 20) < 1e-6  # 1 / (1 - γ) visits in all


@pytest.mark.parametrize("world", WORLDS[:3])
def test_a_component_is_left_by_all_who_start_in_it(world):
    """A free ring of five states, each with an exit that pays 2, but 7 from state 3: everybody leaves there, once."""
    table = {(s, 0): [(Fraction(1), (s + 1) % 5, 0, False)] for s in range(5)}
    table |= {(s, 1): [(Fraction(1), None, 7 if s == 3 else 2, True)] for s in range(5)}
    answer = linear_program(in_world(MDP.from_outcomes(table, Fraction(1)), world))
    assert np.allclose(
        as_floats(answer.x), [[0, 0], [0, 0], [0, 0], [0, 1], [0, 0]], atol=1e-9
    )  # HiGHS's own tolerance
    assert np.allclose(as_floats(answer.v), 7, atol=1e-9)


def test_the_weights_do_not_change_the_value():
    mdp = gallery.sutton_barto_grid()
    n = mdp.n_states
    uneven = np.array([Fraction(2 * s + 1, n * n) for s in range(n)], dtype=object)
    assert (linear_program(mdp, weights=uneven).v == linear_program(mdp).v).all()
    assert (linear_program(mdp, weights=uneven).x != linear_program(mdp).x).any()


def test_a_weight_of_zero_is_refused():
    mdp = gallery.sutton_barto_grid()
    with pytest.raises(ValueError, match=r"weights\[0\] is 0"):
        linear_program(mdp, weights=np.eye(25, dtype=int)[1])


@pytest.mark.parametrize("world", WORLDS[:3])
def test_a_gaining_loop_is_refused(world):
    outcomes = {(0, 0): [(Fraction(1), 0, 1, False)], (0, 1): [(Fraction(1), None, 0, True)]}
    with pytest.raises(Unbounded):
        linear_program(in_world(MDP.from_outcomes(outcomes, Fraction(1)), world))


def test_symbols_without_a_value_are_refused():
    with pytest.raises(NotExact):
        linear_program(MDP([[[1]]], [[sympy.Symbol("r")]], "1/2"))


def test_rounding_that_misleads_the_program_is_made_good():
    """Two actions that floats cannot tell apart: 1/3 and 1/3 + 1e-30.  The exact answer takes the larger."""
    more = Fraction(1, 3) + Fraction(1, 10**30)
    mdp = MDP([[[1], [1], [1]]], [[Fraction(1, 3), more, Fraction(1, 3)]], "1/2")
    answer = linear_program(mdp)
    assert answer.v[0] == 2 * more
    assert (answer.policy == [[0, 1, 0]]).all()
    assert (answer.x == [[0, 2, 0]]).all()
