"""Policy iteration against brute force, published values and the rational world."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact import gallery
from rlexact.arithmetic import NotExact
from rlexact.door import InvalidPolicy
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.policy import deterministic, deterministic_policies, uniform
from rlexact.solution import NotConverged
from tests.strategies import WORLDS, as_floats, in_world, law_model, model, policy

ONE = Fraction(1)


def best_by_brute_force(mdp):
    """Entry by entry the largest value of all deterministic policies: one policy attains it everywhere."""
    return np.max([policy_value(mdp, pi) for pi in deterministic_policies(mdp)], axis=0)


def stored_optimum(mdp):
    """V* of a float model's stored numbers read as exact: the best of all deterministic policies, by Fractions."""
    exact = np.vectorize(Fraction, otypes=[object])
    P, r, gamma = exact(mdp.to_dense().P), exact(mdp.r), Fraction(mdp.gamma)
    states, values = np.arange(mdp.n_states), []
    for actions in itertools.product(range(mdp.n_actions), repeat=mdp.n_states):
        kernel = ar.kernel_from(np.eye(mdp.n_states, dtype=int) - gamma * P[states, actions])
        values.append(ar.solve(kernel, r[states, actions]))
    return np.max(values, axis=0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("world", WORLDS)
def test_against_every_deterministic_policy(seed, world):
    exact = model(seed) if seed % 2 else law_model(seed)
    best = best_by_brute_force(exact)
    answer = policy_iteration(in_world(exact, world))
    errors = [abs(Fraction(float(x)) - y) for x, y in zip(answer.v, best, strict=True)]
    if world in ("rational", "symbolic"):
        assert all(
            x == sympy.Rational(y.numerator, y.denominator) or x == y for x, y in zip(answer.v, best, strict=True)
        )
        assert answer.error_bound == 0
    assert max(errors) <= Fraction(float(answer.error_bound)) + (0 if "float" in world else Fraction(1, 10**12))
    assert answer.error_bound < 1e-10  # γ ≤ 15/16, rewards up to 2: 16 steps' worth of rounding
    attained = as_floats(policy_value(in_world(exact, world), answer.policy))
    assert np.allclose(attained, as_floats(best), atol=1e-12)  # double rounding of values below 64


@pytest.mark.parametrize("seed", range(6))
def test_optimal_actions_are_all_that_attain_the_optimum(seed):
    mdp = model(seed)
    best = best_by_brute_force(mdp)
    attaining = np.zeros(mdp.available.shape, dtype=bool)
    for pi in deterministic_policies(mdp):
        if (policy_value(mdp, pi) == best).all():
            attaining |= (pi == 1) & mdp.available
    assert (policy_iteration(mdp).optimal_actions == attaining).all()
    assert (policy_iteration(mdp.to_float()).optimal_actions >= attaining).all()


@pytest.mark.parametrize("world", WORLDS)
def test_ties_are_all_marked_and_the_first_is_played(world):
    mdp = in_world(MDP([[[1, 0]] * 3, [[0, 1]] * 3], [["1/3", "1/3", 0], [0, 0, 0]], "1/2"), world)
    answer = policy_iteration(mdp)
    assert (answer.optimal_actions == [[True, True, False], [True, True, True]]).all()
    assert (answer.policy == [[1, 0, 0], [1, 0, 0]]).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("world", ["float64", "rational"])
def test_the_first_policy_does_not_matter(seed, world):
    mdp = model(seed, world)
    answers = [policy_iteration(mdp, policy=first) for first in (None, uniform(mdp), policy(seed, mdp))]
    for answer in answers[1:]:
        assert (np.abs(answer.v - answers[0].v) <= answer.error_bound + answers[0].error_bound).all()
        assert (answer.policy == answers[0].policy).all()


def test_from_an_optimal_policy_one_evaluation_is_enough():
    mdp = gallery.sutton_barto_grid()
    assert policy_iteration(mdp, policy=policy_iteration(mdp).policy).iterations == 1


# -- published values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS[:3])
def test_sutton_and_barto_example_3_8(world):
    answer = policy_iteration(in_world(gallery.sutton_barto_grid(), world))
    printed = [
        [22.0, 24.4, 22.0, 19.4, 17.5],
        [19.8, 22.0, 19.8, 17.8, 16.0],
        [17.8, 19.8, 17.8, 16.0, 14.4],
        [16.0, 17.8, 16.0, 14.4, 13.0],
        [14.4, 16.0, 14.4, 13.0, 11.7],
    ]
    assert np.abs(as_floats(answer.v).reshape(5, 5) - printed).max() <= 0.05  # printed to one decimal


@pytest.mark.parametrize("world", WORLDS[:3])
def test_russell_and_norvig_4x3(world):
    mdp = in_world(gallery.aima_grid(), world)
    answer = policy_iteration(mdp)
    printed = {
        (1, 3): 0.812, (2, 3): 0.868, (3, 3): 0.918, (4, 3): 1, (1, 2): 0.762, (3, 2): 0.660, (4, 2): -1,
        (1, 1): 0.705, (2, 1): 0.655, (3, 1): 0.611, (4, 1): 0.388,
    }  # fmt: skip
    for square, value in printed.items():
        assert abs(float(answer.v[mdp.state(square)]) - value) <= 0.0005  # printed to three decimals


@pytest.mark.parametrize("world", WORLDS[:3])
def test_frozen_lake_without_discount(world):
    lake = gallery.frozen_lake(gamma=ONE)
    answer = policy_iteration(in_world(lake, world))
    assert abs(Fraction(answer.v[0]) - Fraction(14, 17)) <= answer.error_bound
    assert answer.error_bound < 1e-11
    assert policy_value(lake, policy_iteration(lake).policy)[0] == Fraction(14, 17)


@pytest.mark.parametrize("world", WORLDS[:3])
@pytest.mark.parametrize(("grid", "start"), [(gallery.cliff_walk, -13), (gallery.windy_grid, -15)])
def test_shortest_ways(grid, start, world):
    mdp = in_world(grid(), world)
    answer = policy_iteration(mdp)
    assert (mdp.initial * answer.v).sum() == start  # sums of integers: exact in floats as well


def test_the_gambler_with_a_coin_against_him():
    """Bold play is optimal below 1/2 (Dubins and Savage 1965): V(50) = p, V(25) = p², V(75) = p + (1 - p) p."""
    p = Fraction(2, 5)
    small = gallery.gambler(p, goal=20)
    exact, floats = policy_iteration(small), policy_iteration(small.to_sparse())
    assert (exact.v[[5, 10, 15]] == [p * p, p, p + (1 - p) * p]).all()
    assert (floats.optimal_actions == exact.optimal_actions).all()
    answer = policy_iteration(gallery.gambler(0.4, gamma=1.0).to_sparse())
    assert (
        np.abs(answer.v[[25, 50, 75]] - [0.16, 0.4, 0.64]).max() <= answer.error_bound + 1e-16
    )  # the decimals, rounded
    assert list(np.flatnonzero(answer.optimal_actions[50])) == [50]  # all of it
    assert list(np.flatnonzero(answer.optimal_actions[51])) == [1, 49]  # Sutton and Barto (2018), Figure 4.3 shows 1


def test_the_gambler_with_a_fair_coin_may_stake_anything():
    answer = policy_iteration(gallery.gambler(Fraction(1, 2), goal=16))
    assert (answer.v == [Fraction(s, 16) if s < 16 else 0 for s in range(17)]).all()
    assert (answer.optimal_actions == gallery.gambler(Fraction(1, 2), goal=16).available).all()


# -- floats -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.5, 0.99, 0.9999])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_bound_holds_for_the_stored_numbers(gamma, sparse):
    mdp = gallery.garnet(5, 2, 3, seed=1, gamma=gamma, sparse=sparse)
    answer = policy_iteration(mdp)
    errors = [abs(Fraction(x) - y) for x, y in zip(answer.v, stored_optimum(mdp), strict=True)]
    assert max(errors) <= answer.error_bound
    assert answer.error_bound < 1e-14 / (1 - gamma) ** 2  # rounding times steps, of values that grow with the steps


@pytest.mark.parametrize("world", WORLDS[:2])
def test_small_values_far_from_the_reward_are_told_apart(world):
    """70 states in a row, paid 1 in the last: V(s) = 2^(s - 68), 3e-21 at the far end, where right is still right."""
    n = 70
    P = np.zeros((n, 2, n))
    P[np.arange(n), 0, np.maximum(np.arange(n) - 1, 0)] = 1
    P[np.arange(n), 1, np.minimum(np.arange(n) + 1, n - 1)] = 1
    R = np.zeros((n, 2))
    R[n - 1, 1] = 1.0
    answer = policy_iteration(in_world(MDP(P, R, 0.5), world))
    assert (answer.policy[:, 1] == 1).all()
    assert (answer.v == 2.0 ** (np.arange(n) - 68)).all()  # powers of two: nothing is rounded


def test_floats_that_cannot_tell_a_cancelling_loop_say_so():
    table = {(0, 0): [(1.0, 1, 1.0, False)], (1, 0): [(1.0, 0, -1.0, False)], (0, 1): [(1.0, None, 5.0, True)]}
    with pytest.raises(NotConverged, match="to_rational") as caught:
        policy_iteration(MDP.from_outcomes(table, 1.0))
    assert caught.value.best.v[0] == 5


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_without_discount_the_first_policy_must_end():
    mdp = gallery.corridor(3)
    assert policy_iteration(mdp, policy=deterministic(mdp, ["right"] * 3)).v[0] == -3
    with pytest.raises(InvalidPolicy, match="never leaves"):
        policy_iteration(mdp, policy=deterministic(mdp, ["left", "left", "right"]))


def test_a_first_policy_that_goes_round_for_nothing_is_taken():
    lake = gallery.frozen_lake(gamma=ONE)
    left = deterministic(lake, ["left"] * 16)
    assert policy_iteration(lake, policy=left).v[0] == Fraction(14, 17)


def test_undecided_symbols_are_refused_and_decided_ones_are_not():
    r = sympy.Symbol("r")
    with pytest.raises(NotExact):
        policy_iteration(MDP([[[1], [1]]], [[0, r]], sympy.Rational(1, 2)))
    g = sympy.Symbol("g", positive=True)
    mdp = MDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[g, 0], [0, 0]], "1/2", terminal=[1])
    answer = policy_iteration(mdp)
    assert sympy.simplify(answer.v[0] - 2 * g) == 0
    assert (answer.optimal_actions == [[True, False], [False, False]]).all()
