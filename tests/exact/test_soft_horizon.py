"""Finite horizons against the log of a sum over all action sequences, plain recursion, symbols and enclosures."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.enclosure import soft_horizon_enclosure
from rlexact.exact.soft_horizon import soft_backward_induction, soft_horizon_value
from rlexact.gallery.generators import garnet
from rlexact.mdp import MDP
from rlexact.policy import softmax, uniform

FLOATS = [MDP.to_float, MDP.to_sparse]


def steps(seed=0, n=4, n_actions=3):
    """Deterministic steps at γ = 1: next state and reward of each pair."""
    rng = np.random.default_rng(seed)
    after, r = rng.integers(n, size=(n, n_actions)), rng.normal(size=(n, n_actions))
    return MDP(np.eye(n)[after], r, 1), after, r


@pytest.mark.parametrize("convert", FLOATS)
@pytest.mark.parametrize("tau", [0.1, 1.0, 50.0])
def test_sum_over_action_sequences(convert, tau):
    """Without a discount and without chance, V = τ log Σ over all sequences of exp(their reward / τ)."""
    model, after, r = steps()
    plan = soft_backward_induction(convert(model), 5, tau)
    for start in range(4):
        totals = []
        for actions in product(range(3), repeat=5):
            s, total = start, 0.0
            for a in actions:
                s, total = after[s, a], total + r[s, a]
            totals.append(total)
        top = max(totals)
        expected = top + tau * np.log(sum(np.exp((x - top) / tau) for x in totals))
        assert plan.v[0, start] == pytest.approx(expected, rel=1e-13)  # 243 terms


def test_weighted_by_a_reference():
    model, after, r = steps(1)
    mu = softmax(model, np.random.default_rng(2).normal(size=(4, 3)))
    total = 0.0
    for a, b in product(range(3), repeat=2):
        s = after[0, a]
        total += mu[0, a] * mu[s, b] * np.exp((r[0, a] + r[s, b]) / 0.4)
    assert soft_backward_induction(model, 2, 0.4, mu).v[0, 0] == pytest.approx(0.4 * np.log(total), rel=1e-13)


@pytest.mark.parametrize("convert", FLOATS)
@pytest.mark.parametrize("tau", [1e-3, 1.0, 1e3])
def test_bound_against_an_enclosure(convert, tau):
    exact = garnet(5, 3, 2, 4, exact=True, denominator=64, gamma=Fraction(29, 32))
    plan = soft_backward_induction(convert(exact.to_float()), 8, tau)
    truth = soft_horizon_enclosure(exact, 8, Fraction(tau))
    assert truth.width < Fraction(1, 10**25)
    error = max(abs(Fraction(x) - y) for x, y in zip(plan.v.flat, truth.middle.flat, strict=True))
    assert error <= plan.error_bound <= 1e-11 * max(1, tau)


def test_its_policies_attain_it_and_others_do_not():
    model = garnet(5, 3, 2, 4)
    plan = soft_backward_induction(model, 6, 0.5)
    attained = soft_horizon_value(model, plan.policy, 0.5)
    assert attained == pytest.approx(plan.v, abs=1e-13)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = np.stack([softmax(model, rng.normal(size=(5, 3))) for _ in range(6)])
        assert (soft_horizon_value(model, other, 0.5) < plan.v).all(axis=1)[:-1].all()
    assert plan.v.shape == (7, 5)
    assert plan.q.shape == plan.policy.shape == (6, 5, 3)


def test_value_of_given_policies_by_plain_recursion():
    model = garnet(4, 2, 2, 7)
    pi = np.stack([softmax(model, np.random.default_rng(t).normal(size=(4, 2))) for t in range(3)])
    v = end = np.array([1.0, -2.0, 0.5, 3.0])
    for policy in pi[::-1]:
        v = (policy * (model.r + 0.9 * model.P @ v - 0.3 * np.log(policy))).sum(axis=1)
    assert soft_horizon_value(model, pi, 0.3, v=end)[0] == pytest.approx(v, rel=1e-13)


def test_symbols():
    """Two steps of one state with rewards a and b: twice the soft maximum, discounted."""
    a, b = sympy.symbols("a b", real=True)
    tau, gamma = sympy.symbols("tau gamma", positive=True)
    model = MDP([[[1], [1]]], [[a, b]], gamma)
    plan = soft_backward_induction(model, 2, tau)
    once = tau * sympy.log(sympy.exp(a / tau) + sympy.exp(b / tau))
    at = {a: 1, b: sympy.Rational(-1, 2), tau: sympy.Rational(2, 3), gamma: sympy.Rational(3, 4)}
    assert abs((plan.v[0, 0] - (1 + gamma) * once).subs(at).evalf(40)) < 1e-38  # forty digits
    assert plan.error_bound == 0


def test_ends_of_the_horizon():
    model = garnet(3, 2, 2, 0)
    none = soft_backward_induction(model, 0, 1)
    assert none.v.tolist() == [[0, 0, 0]]
    assert none.policy.shape == (0, 3, 2)
    with pytest.raises(ValueError, match="horizon"):
        soft_backward_induction(model, -1, 1)
    ended = MDP([[[0.0, 1.0]] * 2, [[0.0, 0.0]] * 2], [[1.0, 1.0], [0, 0]], 1, terminal=[1])
    assert soft_backward_induction(ended, 3, 1, v=np.array([5.0, 5.0])).v[:, 1].tolist() == [0] * 4
    exact = garnet(3, 2, 2, 0, exact=True)
    with pytest.raises(NotExact, match="enclosure"):
        soft_backward_induction(exact, 2, 1)
    with pytest.raises(NotExact, match="enclosure"):
        soft_horizon_value(exact, np.stack([uniform(exact)]), 1)
