"""Soft operators against arbitrary precision, SymPy's own maximisation and the closed forms of two actions."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.bellman import backup
from rlexact.exact.soft_bellman import (
    as_entropy_control,
    as_kl_control,
    divergence,
    entropy,
    soft_bellman_optimal,
    soft_bellman_policy,
    soft_greedy,
)
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.gallery.generators import garnet
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, softmax, uniform

FLOATS = [MDP.to_float, MDP.to_sparse]


def masked():
    """Two live states and a terminal one; an action that is missing, one that ends on the step with mass 1/4."""
    return MDP.from_outcomes(
        {
            (0, 0): [("1/2", 1, 3, False), ("1/2", 0, -1, False)],
            (0, 1): [("3/4", 2, 2, False), ("1/4", None, 6, True)],
            (0, 2): [(1, 1, "1/3", False)],
            (1, 0): [(1, 0, -2, False)],
            (1, 2): [(1, 2, 5, False)],
        },
        "9/10",
        terminal=[2],
    )


def precise(q, weights, tau):
    """τ log Σ w exp(q / τ) in 60 digits."""
    with mpmath.workdps(60):
        q, tau = [mpmath.mpf(x) for x in q], mpmath.mpf(tau)
        top = max(x for x, w in zip(q, weights, strict=True) if w)
        return top + tau * mpmath.log(
            sum(w * mpmath.exp((x - top) / tau) for x, w in zip(q, weights, strict=True) if w)
        )


@pytest.mark.parametrize("convert", FLOATS)
@pytest.mark.parametrize("tau", [1e-3, 0.7, 1e3])
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e12])
def test_optimal_backup_in_sixty_digits(convert, tau, scale):
    rng = np.random.default_rng(3)
    model = convert(MDP(rng.dirichlet(np.ones(4), (4, 3)), scale * rng.normal(size=(4, 3)), 0.9))
    v, mu = scale * rng.normal(size=4), softmax(model, rng.normal(size=(4, 3)))
    q = backup(model, v)
    for reference, weights in ((None, np.ones((4, 3))), (mu, mu)):
        found = soft_bellman_optimal(model, v, tau, reference)
        expected = [float(precise(q[s], weights[s], tau)) for s in range(4)]
        assert np.isfinite(found).all()
        assert found == pytest.approx(
            expected, rel=1e-15, abs=1e-15 * (scale + tau)
        )  # a few roundings of q and of τ log A


@pytest.mark.parametrize("convert", FLOATS)
def test_missing_actions_ends_and_terminal_states(convert):
    """State 1 has two actions: one to state 0 (-2 + 0.9 · 1), one that ends with 5. The closed form by hand."""
    model, tau = convert(masked()), 2.0
    v = np.array([1.0, -1.0, 7.0])  # the value of a terminal state is not read as 0 by the operator itself
    found = soft_bellman_optimal(model, v, tau)
    first, second = -2 + 0.9 * 1, 5 + 0.9 * 7
    assert found[1] == pytest.approx(tau * np.log(np.exp(first / tau) + np.exp(second / tau)), rel=1e-14)
    assert found[2] == 0
    policy = soft_greedy(model, v, tau)
    assert policy[1, 1] == 0
    assert policy[1, 0] == pytest.approx(1 / (1 + np.exp((second - first) / tau)), rel=1e-13)
    assert policy[2].tolist() == [1, 0, 0]
    model.admit(policy)


def test_two_actions_in_symbols():
    """max over p of p a + (1 - p) b + τ H(p), by calculus, is the soft maximum, and the maximiser is the logistic."""
    a, b = sympy.symbols("a b", real=True)
    tau, p = sympy.symbols("tau p", positive=True)
    model = MDP([[[1], [1]]], [[a, b]], sympy.Symbol("gamma", positive=True))
    v = np.array([sympy.Integer(0)])
    objective = p * a + (1 - p) * b - tau * (p * sympy.log(p) + (1 - p) * sympy.log(1 - p))
    logistic = 1 / (1 + sympy.exp((b - a) / tau))
    found = soft_greedy(model, v, tau)[0, 0]
    assert sympy.simplify(found - logistic) == 0
    at = {a: sympy.Rational(1, 3), b: -2, tau: sympy.Rational(3, 7)}
    top = soft_bellman_optimal(model, v, tau)[0]
    for zero in (top - objective.subs(p, logistic), sympy.diff(objective, p).subs(p, logistic)):
        assert abs(zero.subs(at).evalf(50)) < 1e-48  # fifty digits of closed forms near 1
    pi = np.array([[p, 1 - p]])
    assert sympy.simplify(soft_bellman_policy(model, pi, v, tau)[0] - objective) == 0


def test_reference_in_symbols():
    a, b = sympy.symbols("a b", real=True)
    tau = sympy.Symbol("tau", positive=True)
    third = sympy.Rational(1, 3)
    model = MDP([[[1], [1]]], [[a, b]], sympy.Rational(1, 2))
    mu = np.array([[third, 1 - third]])
    top = soft_bellman_optimal(model, np.array([sympy.Integer(0)]), tau, mu)[0]
    assert sympy.simplify(sympy.exp(top / tau) - (sympy.exp(a / tau) + 2 * sympy.exp(b / tau)) / 3) == 0


def test_rationals_refuse_by_name():
    model = masked()
    v = np.array([Fraction(0)] * 3)
    for call in (
        lambda: soft_bellman_optimal(model, v, 1),
        lambda: soft_greedy(model, v, 1),
        lambda: soft_bellman_policy(model, uniform(model), v, 1),
        lambda: entropy(model, uniform(model)),
    ):
        with pytest.raises(NotExact, match="enclosure"):
            call()


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf")])
def test_temperature_is_positive(temperature):
    with pytest.raises(ValueError, match="positive"):
        soft_bellman_optimal(masked().to_float(), np.zeros(3), temperature)


@pytest.mark.parametrize("convert", FLOATS)
def test_entropy_and_divergence(convert):
    model = convert(masked())
    assert entropy(model, uniform(model)) == pytest.approx([np.log(3), np.log(2), 0])
    assert divergence(model, deterministic(model, [1, 2, 0]), uniform(model)) == pytest.approx(
        [np.log(3), np.log(2), 0]
    )
    assert divergence(model, uniform(model), uniform(model)).tolist() == [0, 0, 0]
    with pytest.raises(InvalidPolicy, match="infinite"):
        divergence(model, uniform(model), deterministic(model, [1, 2, 0]))


@pytest.mark.parametrize("convert", FLOATS)
def test_one_problem_as_the_other(convert):
    model, tau = convert(masked()), 0.8
    mu = np.array([[0.5, 0.5, 0.0], [0.9, 0.0, 0.1], [1, 0, 0]])
    kl = soft_policy_iteration(model, tau, mu)
    as_entropy = as_entropy_control(model, tau, mu)
    assert as_entropy.available.tolist() == [[True, True, False], [True, False, True], [False] * 3]
    same = soft_policy_iteration(as_entropy, tau)
    assert kl.v == pytest.approx(same.v, abs=2e-8)  # both within 1e-8
    assert kl.policy == pytest.approx(same.policy, abs=1e-8)
    plain = soft_policy_iteration(model, tau)
    back = soft_policy_iteration(as_kl_control(model, tau), tau, uniform(model))
    assert plain.v == pytest.approx(back.v, abs=2e-8)
    with pytest.raises(InvalidPolicy, match="needs reference mass"):
        as_kl_control(model, tau, mu)


def test_uniform_reference_costs_log_a_per_step():
    """V_KL = V_entropy - τ log A / (1 - γ) where every state has A actions and nothing ends."""
    model = garnet(6, 4, 2, 1)
    gap = soft_policy_iteration(model, 0.3).v - soft_policy_iteration(model, 0.3, uniform(model)).v
    assert gap == pytest.approx(np.full(6, 0.3 * np.log(4) / (1 - 0.9)), abs=1e-8)
