"""Paths: their probabilities sum to 1, their number is right, and their expectations are those of backward recursions."""

import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import gallery
from rlexact.arithmetic import MixedNumbers
from rlexact.exact.paths import TooManyPaths, expect, path_count, path_probability, paths
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic, uniform

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)


def busy(gamma="9/10"):
    """Random rewards, two actions, a terminal state and a step that may end by itself."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 1, 1, False), (QUARTER, 1, -2, False), (QUARTER, 0, 0, False)],
            (0, 1): [(THIRD, None, 7, True), (2 * THIRD, 2, 3, False)],
            (1, 0): [(1, 0, "1/2", False)],
            (1, 1): [(HALF, 2, 4, False), (HALF, None, 4, True)],
        },
        gamma,
        initial=["2/3", "1/3", 0],
        terminal=[2],
    )


def lopsided(model):
    return np.array([[THIRD, 2 * THIRD], [QUARTER, 3 * QUARTER], [Fraction(1), Fraction(0)]])


def by_recursion(model, pi, steps):
    """(E[return], E[return²]) of a finite horizon by hand: G = r + γ G' with G' independent of r given the successor."""
    m1, m2, g = [Fraction(0)] * 3, [Fraction(0)] * 3, model.gamma
    for _ in range(steps):
        n1, n2 = [Fraction(0)] * 3, [Fraction(0)] * 3
        for s in range(2):
            for a in range(2):
                for p, j, r, _ in model.outcomes(s, a):
                    x1, x2 = (0, 0) if j is None else (m1[j], m2[j])
                    n1[s] += pi[s, a] * p * (r + g * x1)
                    n2[s] += pi[s, a] * p * (r**2 + 2 * r * g * x1 + g**2 * x2)
        m1, m2 = n1, n2
    return [sum(p * x for p, x in zip(model.initial, m, strict=True)) for m in (m1, m2)]


def discounted(gamma):
    return lambda path: sum(gamma**t * r for t, r in enumerate(path.rewards))


@pytest.mark.parametrize("steps", range(6))
def test_probabilities_sum_to_one_and_the_count_is_right(steps):
    model = busy()
    listed = list(paths(model, lopsided(model), steps))
    assert sum(path.probability for path in listed) == 1
    assert len(listed) == path_count(model, lopsided(model), steps) == len(set(listed))
    assert all(path.probability > 0 for path in listed)


def test_what_a_path_says():
    model = busy()
    listed = list(paths(model, lopsided(model), 2, start=0))
    ended = next(path for path in listed if path.actions == (1,) and path.rewards == (7,))
    assert (ended.states, ended.terminated, ended.probability) == ((0,), True, 2 * THIRD * THIRD)
    arrived = next(path for path in listed if path.states == (0, 2))
    assert (arrived.actions, arrived.rewards, arrived.terminated) == ((1,), (3,), True)
    cut = next(path for path in listed if path.states == (0, 1, 0) and path.rewards[0] == -2)
    assert (cut.actions, cut.rewards, cut.terminated) == ((0, 0), (-2, HALF), False)
    assert cut.probability == THIRD * QUARTER * QUARTER
    (still,) = paths(model, uniform(model), 5, start=2)
    assert (still.states, still.actions, still.terminated, still.probability) == ((2,), (), True, 1)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_expected_return_and_its_square(steps):
    model = busy()
    ret = discounted(model.gamma)
    first, second = by_recursion(model, lopsided(model), steps)
    assert expect(model, lopsided(model), steps, ret) == first
    assert expect(model, lopsided(model), steps, lambda path: ret(path) ** 2) == second
    both = expect(model, lopsided(model), steps, lambda path: np.array([ret(path), ret(path) ** 2]))
    assert list(both) == [first, second]


@pytest.mark.parametrize("convert", [MDP.to_float, lambda m: m.to_float().to_sparse()])
def test_floats_agree(convert):
    exact = busy()
    model = convert(exact)
    truth = expect(exact, lopsided(exact), 5, discounted(exact.gamma))
    found = expect(model, lopsided(exact).astype(float), 5, discounted(model.gamma))
    assert found == pytest.approx(float(truth), rel=1e-13)  # sums of a few hundred products


def test_symbols_prove_the_recursion():
    gamma = sympy.Symbol("gamma")
    model, exact = busy().to_symbolic(gamma=gamma), busy()
    found = expect(model, uniform(model), 3, discounted(gamma))
    for value in (0, Fraction(1, 2), 1):
        truth, _ = by_recursion(exact.replace(gamma=str(value)), uniform(exact), 3)
        assert found.subs(gamma, sympy.Rational(str(value))) == sympy.Rational(str(truth))


def test_a_symbolic_function_of_exact_paths():
    x = sympy.Symbol("x")
    model = MDP.chain([["1/2", "1/2"], [0, 1]], initial=0)
    assert expect(model, None, 2, lambda path: x ** sum(path.states)) == sympy.cancel(QUARTER * (1 + x) + HALF * x**2)


def test_probability_of_a_path():
    model = busy()
    pi = lopsided(model)
    by_states, by_both = {}, {}
    for path in paths(model, pi, 3):
        by_states[path.states, path.terminated] = by_states.get((path.states, path.terminated), 0) + path.probability
        key = (path.states, path.actions, path.terminated)
        by_both[key] = by_both.get(key, 0) + path.probability
    for (states, actions, _), p in by_both.items():
        if len(states) == len(actions) + 1:
            assert path_probability(model, pi, states, actions) == p
    full = {states: p for (states, _), p in by_states.items() if len(states) == 4}
    assert full
    for states, p in full.items():
        assert path_probability(model, pi, states) == p
    assert path_probability(model, pi, [0, 0, 2, 2]) == 0  # a terminal state is not left, not even for itself
    assert path_probability(model, pi, [1]) == THIRD


def test_probability_of_a_chains_trajectory_is_a_product():
    P, start = [["1/5", "4/5"], ["2/3", "1/3"]], ["1/7", "6/7"]
    chain = MDP.chain(P, initial=start, states=["sun", "rain"])
    assert path_probability(chain, None, ["rain", "sun", "sun", "rain"]) == Fraction(6, 7) * Fraction(2, 3) / 5 * 4 / 5
    assert path_probability(chain.to_float(), None, [1, 0]) == pytest.approx(4 / 7, rel=1e-15)
    a = sympy.Symbol("a")
    symbolic = MDP.chain([[1 - a, a], [a, 1 - a]], initial=0)
    assert sympy.expand(path_probability(symbolic, None, [0, 1, 1]) - a * (1 - a)) == 0


def test_starts():
    model = busy()
    assert {path.states[0] for path in paths(model, uniform(model), 1)} == {0, 1}
    assert {path.states[0] for path in paths(model, uniform(model), 1, start=[0, "1/4", "3/4"])} == {1, 2}
    no_start = MDP.chain([["1/2", "1/2"], [0, 1]])
    with pytest.raises(InvalidMDP, match="initial"):
        paths(no_start, None, 1)
    with pytest.raises(InvalidPolicy, match="policy"):
        paths(model, None, 1)


def test_the_number_of_paths_is_said_before_any_is_made():
    draw = random.Random(0)
    rows = [[Fraction(1, 4)] * 4 for _ in range(4)]
    chain = MDP.chain(rows, initial=draw.randrange(4))
    assert path_count(chain, None, 40) == 4**40
    with pytest.raises(TooManyPaths, match=r"1,048,576 .*1,000,000"):
        paths(chain, None, 10)
    with pytest.raises(TooManyPaths, match="64"):
        expect(chain, None, 3, lambda path: 1, limit=63)
    assert expect(chain, None, 3, lambda path: 1, limit=64) == 1


def test_refusals():
    model = busy()
    with pytest.raises(ValueError, match="whole number"):
        paths(model, uniform(model), -1)
    with pytest.raises(ValueError, match="one state more"):
        path_probability(model, uniform(model), [0, 1], [0, 1])
    with pytest.raises(ValueError, match="one state more"):
        path_probability(model, uniform(model), [])
    with pytest.raises(MixedNumbers, match="floats"):
        expect(model, uniform(model), 2, lambda path: 0.5)


def test_a_deterministic_policy_in_a_deterministic_model_has_one_path():
    model = MDP([[[0, 1], [1, 0]], [[1, 0], [0, 1]]], R=[["1", 0], [2, 0]], gamma=1, initial=0)
    (path,) = paths(model, deterministic(model, [0, 0]), 50)
    assert path.states == (0, 1) * 25 + (0,)
    assert sum(path.rewards) == 75


def test_float_arrays_from_f_are_refused_in_an_exact_model():
    """Fraction × float is a float inside an object array: it must not pass for an exact expectation."""
    with pytest.raises(MixedNumbers, match="f gave floats"):
        expect(gallery.random_walk(), None, 2, lambda path: np.array([0.5, 1.0]))
