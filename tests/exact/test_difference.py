"""Differences of returns: both sides by separate solves, worked numbers, attained bounds."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import MixedNumbers
from rlexact.exact.bound import Bound
from rlexact.exact.difference import (
    InvalidOccupancy,
    check_flow,
    occupancy_shift,
    performance_difference,
    simulation_lemma,
    surrogate,
    surrogate_gain,
)
from rlexact.exact.evaluation import advantage, expected_return, occupancy_pairs, policy_value, visits
from rlexact.gallery import left_right_loop, random_mdp
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic, deterministic_policies, uniform
from tests.exact.test_gradient import full_policy
from tests.strategies import as_floats, law_model

HALF = Fraction(1, 2)
FLOATS = [MDP.to_float, MDP.to_sparse]


def mixed(model):
    """Whether every state that is not terminal offers a choice."""
    return (model.available.sum(axis=1) > 1)[~model.terminal].all()


@pytest.mark.parametrize("seed", range(5))
def test_performance_difference_is_an_equality(seed):
    for model in (random_mdp(seed, terminal=1), law_model(seed), law_model(seed).replace(gamma=1)):
        one, other = full_policy(model, seed), full_policy(model, seed + 50)
        found = performance_difference(model, one, other)
        assert found.left == found.right == expected_return(model, one) - expected_return(model, other)
        assert found.gap == 0
        assert found.left != 0 or not mixed(model)
        assert performance_difference(model, other, one).right == -found.right
        for convert in FLOATS:
            floats = performance_difference(convert(model), as_floats(one), as_floats(other))
            # two solves on four states
            assert [floats.left, floats.right] == pytest.approx([float(found.left)] * 2, abs=1e-11)


def test_performance_difference_in_symbols():
    gamma = sympy.Symbol("gamma")
    model = left_right_loop().to_symbolic(gamma=gamma)
    one, other = deterministic(model, ["right", "right"]), uniform(model)
    found = performance_difference(model, one, other)
    assert sympy.cancel(found.left - found.right) == 0
    assert sympy.cancel(found.left - (3 + 10 * gamma - expected_return(model, other))) == 0


def test_surrogate_by_hand():
    """Old: always left from A (V(A) = 10 at γ = 9/10); right pays 3 and reaches B, where left returns to A: V(B) = 9."""
    model = left_right_loop()
    old, new = deterministic(model, ["left", "left"]), deterministic(model, ["right", "right"])
    # A(A, right) = 3 + 9/10 · 9 - 10 = 11/10, B is never visited, η(A) = 10
    assert surrogate_gain(model, new, old) == 11
    assert surrogate(model, new, old) == 21
    assert expected_return(model, new) == 12


@pytest.mark.parametrize("seed", range(4))
def test_the_surrogate_is_exact_to_first_order(seed):
    """L(π_t) - J(π_t) along the segment from μ to π has a double zero at μ: exactly, by polynomials in t."""
    model = law_model(seed, n_states=3)
    t = sympy.Symbol("t")
    symbolic = model.to_symbolic()
    old, new = (symbolic.beside("policy", full_policy(model, k)) for k in (seed, seed + 9))
    gap = surrogate(symbolic, old + t * (new - old), old) - expected_return(symbolic, old + t * (new - old))
    assert sympy.cancel(gap).subs(t, 0) == 0
    assert sympy.cancel(sympy.diff(gap, t)).subs(t, 0) == 0
    assert sympy.cancel(sympy.diff(gap, t, 2)).subs(t, 0) != 0


@pytest.mark.parametrize("seed", range(5))
def test_simulation_lemma(seed):
    first, second = (random_mdp(k, terminal=1) for k in (seed, seed + 100))
    pi = full_policy(first, seed)
    found = simulation_lemma(first, second, pi)
    truth = policy_value(first, pi) - policy_value(second, pi)
    assert found.identity.left.tolist() == found.identity.right.tolist() == truth.tolist()
    assert found.bound.left == max(abs(truth))
    assert found.bound.holds
    P = [
        [[sum(pi[s, a] * m.P[s, a, t] for a in range(3)) for t in range(4)] for s in range(4)] for m in (first, second)
    ]
    rows = max(sum(abs(x - y) for x, y in zip(*pair, strict=True)) for pair in zip(*P, strict=True))
    r = max(abs(((first.r - second.r) * pi).sum(axis=1)))
    v = max(abs(policy_value(second, pi)))
    assert found.bound.right == (r + Fraction(9, 10) * rows * v) * 10
    for convert in FLOATS:
        floats = simulation_lemma(convert(first), convert(second), as_floats(pi))
        np.testing.assert_allclose(floats.identity.right, as_floats(truth), atol=1e-10)  # values near 20, two solves
        assert floats.bound.right == pytest.approx(float(found.bound.right), rel=1e-12)


def test_simulation_bound_is_attained():
    one = Fraction(1)
    paid, better = (MDP.chain([[one]], [r], "9/10") for r in (one, 2 * one))
    assert simulation_lemma(better, paid, uniform(paid)).bound.slack == 0
    even = MDP.chain([[HALF, HALF]] * 2, [1, -1], "9/10")
    tilted = MDP.chain([[HALF + one / 8, HALF - one / 8]] * 2, [1, -1], "9/10")
    found = simulation_lemma(tilted, even, uniform(even)).bound
    assert found.left == found.right == Fraction(9, 4)
    assert not Bound(found.left, found.right * Fraction(999, 1000)).holds


def test_simulation_refusals():
    model = random_mdp(0)
    with pytest.raises(ValueError, match="one shape and one discount"):
        simulation_lemma(model, model.replace(gamma="1/2"), uniform(model))
    with pytest.raises(ValueError, match="shapes"):
        simulation_lemma(model, random_mdp(0, 3), uniform(model))
    with pytest.raises(MixedNumbers):
        simulation_lemma(model, model.to_float(), uniform(model))
    with pytest.raises(InvalidMDP, match="gamma = 1"):
        simulation_lemma(law_model(0).replace(gamma=1), law_model(1).replace(gamma=1), uniform(law_model(0)))


@pytest.mark.parametrize("seed", range(6))
def test_occupancy_shift_holds(seed):
    model = random_mdp(seed, terminal=1)
    for new in deterministic_policies(model)[:10]:
        found = occupancy_shift(model, new, full_policy(model))
        assert found.holds
        floats = occupancy_shift(model.to_sparse(), as_floats(new), as_floats(full_policy(model)))
        assert [floats.left, floats.right] == pytest.approx([float(found.left), float(found.right)], rel=1e-12)


def test_occupancy_shift_is_attained():
    """State 0 chooses, once, which of two loops is entered."""
    zero, one = Fraction(0), Fraction(1)
    P = [[[zero, one, zero], [zero, zero, one]], [[zero, one, zero]] * 2, [[zero, zero, one]] * 2]
    model = MDP(P, [[zero] * 2] * 3, "3/4", 0)
    old = deterministic(model, [0, 0, 0])
    new = old.copy()
    new[0] = [Fraction(2, 3), Fraction(1, 3)]
    found = occupancy_shift(model, new, old)
    assert found.left == found.right == 2 * Fraction(3, 4) / 3
    assert not Bound(found.left, found.right * Fraction(999, 1000)).holds
    assert occupancy_shift(model.to_float(), as_floats(new), as_floats(old)).holds


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_symbolic, *FLOATS])
def test_flows(convert):
    model = convert(random_mdp(3, terminal=1, masked=True))
    pi = as_floats(full_policy(random_mdp(3, terminal=1, masked=True)))
    pi = pi if "float" in model.world else model.beside("policy", full_policy(random_mdp(3, terminal=1, masked=True)))
    d = occupancy_pairs(model, pi)
    np.testing.assert_array_equal(check_flow(model, d), d)
    moved = d.copy()
    s, t = np.flatnonzero((d != 0).any(axis=1))[:2]
    a, b = np.argmax(d[s] != 0), np.argmax(d[t] != 0)
    moved[s, a], moved[t, b] = d[s, a] - d[s, a] / 2, d[t, b] + d[s, a] / 2
    with pytest.raises(InvalidOccupancy, match=f"flow of state {s}"):
        check_flow(model, moved)
    with pytest.raises(InvalidOccupancy, match="these are visits"):
        check_flow(model, visits(model, pi)[:, None] * model.admit(pi))


def test_flow_refusals():
    loop = left_right_loop()
    with pytest.raises(InvalidOccupancy, match=r"state 0 \('A'\) fails: mass 1/2, inflow 1/10"):
        check_flow(loop, [[0, "1/2"], [0, 0]])
    with pytest.raises(InvalidOccupancy, match=r"\[0, 1\] = -1 is negative"):
        check_flow(loop, [[1, -1], [0, 0]])
    with pytest.raises(InvalidOccupancy, match="shape"):
        check_flow(loop, [1, 0])
    with pytest.raises(InvalidOccupancy, match="finite"):
        check_flow(loop.to_float(), [[np.nan, 0], [0, 0]])
    with pytest.raises(MixedNumbers):
        check_flow(loop, [[0.5, 0.5], [0, 0]])
    with pytest.raises(InvalidMDP, match="gamma = 1"):
        check_flow(loop.replace(gamma=1), [[0, 1], [0, 0]])
    masked = random_mdp(1, masked=True)
    d = np.zeros((4, 3), dtype=int)
    d[tuple(np.argwhere(~masked.available)[0])] = 1
    with pytest.raises(InvalidOccupancy, match="not available"):
        check_flow(masked, d)


def test_policies_are_checked():
    model = random_mdp(0)
    with pytest.raises(InvalidPolicy, match="sums to"):
        performance_difference(model, np.ones((4, 3), dtype=int), uniform(model))
    with pytest.raises(InvalidPolicy, match="rational"):
        surrogate(model, as_floats(uniform(model)), uniform(model))
    with pytest.raises(InvalidPolicy, match="for ever"):
        performance_difference(MDP.chain([["1"]], [0], 1, 0), [[1]], [[1]])


def test_bounds_are_decided():
    assert Bound(Fraction(1, 3), Fraction(1, 3)).holds
    assert not Bound(Fraction(1, 3) + Fraction(1, 10**30), Fraction(1, 3)).holds
    assert Bound(0.1 + 0.2, 0.3).holds  # one rounding apart
    assert not Bound(0.3 + 1e-11, 0.3).holds
    assert Bound(1e-13, 0.0, size=1.0).holds
    assert not Bound(np.array([0.0, 1.0]), np.array([1.0, 0.5])).holds
    assert Bound(sympy.log(2), sympy.Rational(7, 10)).holds
    assert Bound(Fraction(1), Fraction(3)).slack == 2


def test_advantages_of_the_old_policy_average_to_zero():
    model = random_mdp(7, masked=True)
    pi = full_policy(model)
    assert not (pi * advantage(model, pi)).sum(axis=1).any()
    assert surrogate_gain(model, pi, pi) == 0
