"""Values as functions of the discount against solves at single discounts, SymPy's own solve, and closed forms."""

import time
from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.arithmetic import NotExact, SingularSystem
from rlexact.exact.evaluation import action_value, advantage, expected_return, policy_value
from rlexact.exact.parametric import action_value_curve, advantage_curve, return_curve, value_curve
from rlexact.gallery import garnet, random_mdp, random_walk, three_state_chain
from rlexact.mdp import MDP
from rlexact.policy import uniform

DISCOUNTS = [Fraction(0), Fraction(1, 3), Fraction(9, 10), Fraction(9999, 10000)]
MODELS = [random_mdp(seed, 4, 3, terminal=seed % 2, masked=True) for seed in range(6)]


@pytest.mark.parametrize("mdp", MODELS)
def test_every_curve_agrees_with_the_solve_at_each_discount(mdp):
    pi = uniform(mdp)
    curves = [value_curve, action_value_curve, advantage_curve, return_curve]
    solved = [policy_value, action_value, advantage, expected_return]
    for curve, solve in zip(curves, solved, strict=True):
        f = curve(mdp, pi)
        for gamma in DISCOUNTS:
            assert np.array_equal(f(gamma), solve(mdp.replace(gamma=gamma), pi)), (curve, gamma)


@pytest.mark.parametrize("mdp", MODELS[:3])
def test_it_is_the_answer_of_the_symbolic_world(mdp):
    gamma = sympy.Symbol("gamma", positive=True)
    by_elimination = policy_value(mdp.to_symbolic(gamma=gamma), uniform(mdp.to_symbolic()))
    for found, solved in zip(value_curve(mdp, uniform(mdp)).to_sympy(gamma), by_elimination, strict=True):
        assert sympy.cancel(found - solved) == 0


def test_one_curve_becomes_one_expression():
    mdp = MDP.chain([["1/2", "1/2"], [0, 1]], R=[1, 0], gamma="1/2", initial=0)
    gamma = sympy.Symbol("gamma")
    assert sympy.cancel(return_curve(mdp, uniform(mdp)).to_sympy() - 1 / (1 - gamma / 2)) == 0


def test_fifty_states_take_seconds():
    mdp = garnet(50, 2, 3, 0, exact=True)
    began = time.perf_counter()
    f = value_curve(mdp, uniform(mdp))
    assert time.perf_counter() - began < 10  # 0.1 s on an idle core
    assert np.array_equal(f("9/10"), policy_value(mdp, uniform(mdp)))
    assert f.denominator.size <= 51


def test_poles_that_cancel_are_gone():
    walk = random_walk(5)
    assert value_curve(walk, uniform(walk))(1).tolist() == [Fraction(k, 6) for k in range(1, 6)]
    loop = MDP.chain([[1]], R=["1"])
    f = value_curve(loop, uniform(loop))
    assert (f.numerators.tolist(), f.denominator.tolist()) == ([[1, 0]], [1, -1])
    with pytest.raises(SingularSystem, match="gamma = 1 is a pole"):
        f(1)


@pytest.mark.parametrize("mdp", MODELS[:3])
def test_the_derivative_is_that_of_the_resolvent(mdp):
    pi = uniform(mdp)
    slope = value_curve(mdp, pi).derivative()
    P, _ = mdp.under(pi)
    by_resolvent = ar.solve(ar.eye(P) - mdp.gamma * P, P @ policy_value(mdp, pi))  # dV/dγ = (I - γP)⁻¹ P V
    assert np.array_equal(slope(mdp.gamma), by_resolvent)


def test_other_numbers_are_refused_by_name():
    mdp = three_state_chain()
    for other in (mdp.to_float(), mdp.to_sparse(), mdp.to_symbolic()):
        with pytest.raises(NotExact, match="to_rational"):
            value_curve(other, uniform(other))
    with pytest.raises(NotExact, match="float"):
        value_curve(mdp, uniform(mdp))(0.9)
