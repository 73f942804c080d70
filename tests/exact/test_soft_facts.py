"""Facts about soft operators: each holds over random models, and each has a case where it is tight."""

import numpy as np
import pytest
import sympy

from rlexact.door import InvalidPolicy
from rlexact.exact.soft_bellman import soft_greedy
from rlexact.exact.soft_facts import (
    contraction,
    free_energy,
    hard_limit,
    improvement,
    monotonicity,
    reference_limit,
    suboptimality,
)
from rlexact.gallery.generators import garnet
from rlexact.mdp import MDP
from rlexact.policy import deterministic, softmax, uniform

CASES = [(seed, tau, with_reference) for seed in range(3) for tau in (0.05, 1.0, 20.0) for with_reference in (0, 1)]
FLOATS = [MDP.to_float, MDP.to_sparse]


def case(seed, with_reference, convert=MDP.to_float):
    model, rng = garnet(6, 3, 2, seed), np.random.default_rng(seed)
    draw = lambda: softmax(model, rng.normal(size=(6, 3)))  # noqa: E731
    return convert(model), draw(), draw() if with_reference else None, rng


@pytest.mark.parametrize(("seed", "tau", "with_reference"), CASES)
@pytest.mark.parametrize("convert", FLOATS)
def test_every_fact_holds(convert, seed, tau, with_reference):
    model, pi, mu, rng = case(seed, with_reference, convert)
    v, w, slop = (
        rng.normal(size=6),
        rng.normal(size=6),
        1e-12 * (1 + tau),
    )  # rounding of values up to some 10 τ / (1 - γ)
    assert contraction(model, v, w, tau, mu).slack >= -slop
    assert monotonicity(model, np.minimum(v, w), w, tau, mu).slack.min() >= -slop
    assert improvement(model, pi, tau, mu).slack.min() >= -100 * slop
    assert free_energy(model, pi, v, tau, mu).slack == pytest.approx(np.zeros(6), abs=10 * slop)
    assert free_energy(model, pi, v, tau, mu).smaller.min() > 0
    best = free_energy(model, soft_greedy(model, v, tau, mu), v, tau, mu)
    assert best.smaller == pytest.approx(np.zeros(6), abs=10 * slop)
    assert suboptimality(model, pi, tau, mu).slack == pytest.approx(np.zeros(6), abs=3e-8)  # V* within 1e-8, twice
    for sides in (*hard_limit(model, tau, mu), *reference_limit(model, tau, mu)):
        assert sides.slack.min() >= -2e-8


def test_contraction_is_tight_for_a_constant_shift():
    model, v = garnet(5, 2, 2, 1), np.arange(5.0)
    sides = contraction(model, v, v + 3, 0.7)
    assert sides.smaller == pytest.approx(2.7, rel=1e-13)
    assert sides.slack == pytest.approx(0, abs=1e-13)


def test_monotonicity_asks_for_order():
    with pytest.raises(ValueError, match=r"v\[1\]"):
        monotonicity(garnet(2, 2, 2, 1), np.array([0.0, 1.0]), np.array([0.0, 0.5]), 1)


def test_cold_bound_is_tight_where_all_actions_tie():
    """τ log A / (1 - γ), both ways: equal rewards gain it all; a reference of mass 1/4 on the best action loses log 4."""
    equal = MDP([[[1.0]] * 4], [[2.0] * 4], 0.75)
    below, above = hard_limit(equal, 0.5)
    assert above.slack == pytest.approx([0], abs=2e-8)
    assert below.slack == pytest.approx([0.5 * np.log(4) / 0.25], abs=2e-8)
    one = MDP([[[1.0]] * 4], [[2.0, -1e6, -1e6, -1e6]], 0.75)
    below, above = hard_limit(one, 0.5, uniform(one))
    assert below.slack == pytest.approx([0], abs=2e-8)
    with pytest.raises(InvalidPolicy, match="best action"):
        hard_limit(one, 0.5, deterministic(one, [1]))


def test_hot_bound_is_tight_to_second_order():
    """Two equally likely rewards ±1: V - V^μ = τ log cosh(1/τ) / (1 - γ), and the bound is its first term 1 / (2 τ)."""
    model = MDP([[[1.0]] * 2], [[1.0, -1.0]], 0.5)
    low, high = reference_limit(model, 100.0, uniform(model), tol=1e-11)
    assert low.slack == pytest.approx([2 * 100 * np.log(np.cosh(0.01))], rel=1e-8)  # 1e-2 out of values near 1e-2
    assert high.slack == pytest.approx([2 * (1 / 200 - 100 * np.log(np.cosh(0.01)))], abs=1e-10)


def test_free_energy_in_symbols():
    p, tau = sympy.symbols("p tau", positive=True)
    a, b = sympy.symbols("a b", real=True)
    model = MDP([[[1], [1]]], [[a, b]], sympy.Rational(1, 2))
    sides = free_energy(model, np.array([[p, 1 - p]]), np.array([sympy.Integer(0)]), tau)
    at = {p: sympy.Rational(1, 5), tau: sympy.Rational(3, 2), a: 2, b: sympy.Rational(-1, 3)}
    assert abs(sides.slack[0].subs(at).evalf(40)) < 1e-38  # forty digits
    assert sides.smaller[0].subs(at).evalf() > 0.1
