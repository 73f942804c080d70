"""Soft policy values against path sums, plain NumPy solves, SymPy and certified enclosures."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.enclosure import soft_value_enclosure
from rlexact.exact.evaluation import policy_value
from rlexact.exact.soft_evaluation import (
    add_first_entropy,
    remove_first_entropy,
    soft_action_value_with_first,
    soft_action_value_without_first,
    soft_advantage,
    soft_evaluate,
    soft_expected_return,
    soft_policy_value,
)
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.gallery.generators import garnet
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, softmax, uniform

FLOATS = [MDP.to_float, MDP.to_sparse]
TAU = 0.6


def random_policy(model, seed=0):
    return softmax(model, np.random.default_rng(seed).normal(size=(model.n_states, model.n_actions)))


def path_sum(model, policy, state, steps, paid, first):
    """Σ over all paths of probability × discounted (reward + paid), the first step's `paid` left out unless `first`."""
    if steps == 0 or model.terminal[state]:
        return 0.0
    total = 0.0
    for a in range(model.n_actions):
        if policy[state, a] == 0:
            continue
        after = sum(
            model.P[state, a, s] * path_sum(model, policy, s, steps - 1, paid, True)
            for s in range(model.n_states)
            if model.P[state, a, s]
        )
        total += policy[state, a] * (model.r[state, a] + first * paid(state, a) + model.gamma * after)
    return total


def test_value_is_the_sum_over_paths():
    model = garnet(3, 2, 2, 5, gamma=0.05)
    pi, mu = random_policy(model), random_policy(model, 1)
    for reference, paid in (
        (None, lambda s, a: -TAU * np.log(pi[s, a])),
        (mu, lambda s, a: -TAU * np.log(pi[s, a] / mu[s, a])),
    ):
        found = soft_policy_value(model, pi, TAU, reference)
        bare = (pi * soft_action_value_without_first(model, pi, TAU, reference)).sum(axis=1)
        for s in range(3):  # after 6 steps γ^6 / (1 - γ) times a few units is left: 1e-7
            assert found[s] == pytest.approx(path_sum(model, pi, s, 6, paid, True), abs=1e-6)
            assert bare[s] == pytest.approx(path_sum(model, pi, s, 6, paid, False), abs=1e-6)


@pytest.mark.parametrize("convert", FLOATS)
def test_plain_numpy_solve(convert):
    dense = garnet(7, 3, 3, 2)
    model, pi, mu = convert(dense), random_policy(dense), random_policy(dense, 1)
    P = np.einsum("sa,sat->st", pi, dense.P)
    for reference, paid in ((None, -np.log(pi)), (mu, np.log(mu / pi))):
        r = (pi * (dense.r + TAU * paid)).sum(axis=1)
        expected = np.linalg.solve(np.eye(7) - 0.9 * P, r)
        assert soft_policy_value(model, pi, TAU, reference) == pytest.approx(expected, rel=1e-12)  # two LU solves
        assert soft_expected_return(model, pi, TAU, reference) == pytest.approx(expected.mean(), rel=1e-12)


@pytest.mark.parametrize("convert", FLOATS)
def test_the_two_conventions(convert):
    model = convert(garnet(5, 3, 2, 4))
    pi = random_policy(model)
    v = soft_policy_value(model, pi, TAU)
    bare, full = (f(model, pi, TAU) for f in (soft_action_value_without_first, soft_action_value_with_first))
    h = -(pi * np.log(pi)).sum(axis=1)
    assert (pi * full).sum(axis=1) == pytest.approx(v, rel=1e-12)
    assert (pi * bare).sum(axis=1) + TAU * h == pytest.approx(v, rel=1e-12)
    assert full - bare == pytest.approx(np.repeat(TAU * h[:, None], 3, axis=1), rel=1e-9)
    assert add_first_entropy(model, bare, pi, TAU) == pytest.approx(full, rel=1e-14)
    assert remove_first_entropy(model, full, pi, TAU) == pytest.approx(bare, rel=1e-13)


def test_a_deterministic_policy_has_no_entropy():
    model = garnet(5, 3, 2, 4)
    policy = deterministic(model, [0, 1, 2, 0, 1])
    assert soft_policy_value(model, policy, 50.0).tolist() == policy_value(model, policy).tolist()


def test_advantage_vanishes_just_for_the_optimum():
    model = garnet(6, 3, 2, 9)
    best = soft_policy_iteration(model, TAU, tol=1e-11).policy
    assert np.abs(soft_advantage(model, best, TAU)).max() < 1e-9  # the policy is within 1e-11 / τ of the optimum
    other = soft_advantage(model, uniform(model), TAU)
    assert np.abs(other).max() > 0.1
    assert (other / 3).sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-13)  # rounding of values near 10


def test_symbols():
    """One state, two actions, self-loop: V = (p a + (1 - p) b + τ H(p)) / (1 - γ)."""
    p, tau, gamma = sympy.symbols("p tau gamma", positive=True)
    model = MDP([[[1], [1]]], [[sympy.Integer(3), sympy.Integer(-1)]], gamma)
    pi = np.array([[p, 1 - p]])
    expected = (3 * p - (1 - p) - tau * (p * sympy.log(p) + (1 - p) * sympy.log(1 - p))) / (1 - gamma)
    assert sympy.simplify(soft_policy_value(model, pi, tau)[0] - expected) == 0
    assert sympy.simplify(soft_policy_value(model, pi, tau, pi)[0] - (4 * p - 1) / (1 - gamma)) == 0


def test_no_discount():
    """A coin decides each step between going on (-1) and ending: V = 2 (-1/2 + τ log 2)."""
    model = MDP.from_outcomes({(0, 0): [(1.0, 0, -1.0, False)], (0, 1): [(1.0, None, 0.0, True)]}, 1)
    assert soft_policy_value(model, uniform(model), TAU) == pytest.approx([-1 + 2 * TAU * np.log(2)], rel=1e-14)
    loop = MDP([[[1.0], [1.0]]], [[0.0, 0.0]], 1)
    with pytest.raises(InvalidPolicy, match="never leaves"):
        soft_policy_value(loop, uniform(loop), TAU)
    assert soft_policy_value(loop, uniform(loop), TAU, uniform(loop)).tolist() == [0]
    assert soft_evaluate(loop, uniform(loop), TAU, uniform(loop)).error_bound < 1e-300


@pytest.mark.parametrize("convert", FLOATS)
@pytest.mark.parametrize("tau", [1e-3, 1.0, 1e3])
def test_bound_holds_for_the_stored_numbers(convert, tau):
    """The truth is what the stored binary numbers, policies included, say: enclosed to 30 digits."""
    exact = garnet(5, 3, 2, 6, exact=True, denominator=64, gamma=Fraction(29, 32))  # binary fractions throughout
    model = convert(exact.to_float())
    cuts = np.random.default_rng(1).integers(1, 2**20, (5, 3))
    pi = np.array([[k / 2**22 for k in row[:2]] + [1 - (row[0] + row[1]) / 2**22] for row in cuts])
    answer = soft_evaluate(model, pi, tau)
    truth = soft_value_enclosure(exact, Fraction(tau), policy=as_fractions(pi))
    error = max(abs(Fraction(x) - y) for x, y in zip(answer.v, truth.middle, strict=True))
    assert error <= answer.error_bound <= 1e-9 * max(1, tau)


def as_fractions(x):
    out = np.empty(x.shape, dtype=object)
    out.flat = [Fraction(float(e)) for e in x.flat]
    return out


def test_refusals():
    exact = garnet(3, 2, 2, 0, exact=True)
    with pytest.raises(NotExact, match="enclosure"):
        soft_policy_value(exact, uniform(exact), 1)
    model = exact.to_float()
    with pytest.raises(InvalidPolicy, match=r"policy\[0, 1\].*reference has no mass"):
        soft_policy_value(model, uniform(model), 1, deterministic(model, [0, 0, 0]))
