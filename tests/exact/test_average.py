"""The Laurent expansion against SymPy's series of V(γ), gain and bias against their equations, in every world."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.exact.average import bias, deviation_matrix, laurent, limiting_matrix
from rlexact.exact.evaluation import policy_value
from rlexact.exact.parametric import value_curve
from rlexact.exact.stationary import average_reward
from rlexact.gallery import puterman_two_state, random_mdp, random_walk
from rlexact.mdp import MDP
from rlexact.policy import uniform

WORLDS = [MDP.to_rational, MDP.to_symbolic, MDP.to_float, MDP.to_sparse]


def multichain():
    """A class {0}, a periodic class {1, 2}, and two transient states, one of which may also end the episode."""
    return MDP.from_outcomes(
        {
            (0, 0): [(1, 0, 2, False)],
            (1, 0): [(1, 2, 5, False)],
            (2, 0): [(1, 1, -1, False)],
            (3, 0): [("1/4", 0, 7, False), ("1/2", 4, 1, False), ("1/4", None, 3, True)],
            (4, 0): [("1/3", 3, 0, False), ("2/3", 1, 6, False)],
        },
        "1/2",
    )


MODELS = [multichain(), puterman_two_state(), random_walk(3), random_mdp(1, 4, 2, terminal=1), random_mdp(3, 3, 2)]


@pytest.mark.parametrize("mdp", MODELS)
def test_laurent_is_the_series_of_the_value_curve(mdp):
    rho = sympy.Symbol("rho")
    values = value_curve(mdp, uniform(mdp)).to_sympy(1 / (1 + rho)) / (1 + rho)
    for s, v in enumerate(values):
        cleared = sympy.series(sympy.cancel(v * rho), rho, 0, 4).removeO()  # the pole at rho = 0 is simple
        expected = [cleared.coeff(rho, k) for k in range(4)]
        assert [sympy.Rational(y.numerator, y.denominator) for y in laurent(mdp, uniform(mdp), 3)[:, s]] == expected


@pytest.mark.parametrize("mdp", MODELS)
def test_gain_and_bias_solve_the_evaluation_equations(mdp):
    """Puterman (1994), (8.2.11) and (8.2.12) with P* h = 0: P g = g where nothing ends, g + (I - P) h = r."""
    pi = uniform(mdp)
    P, r = mdp.under(pi)
    g, h, star = average_reward(mdp, pi), bias(mdp, pi), limiting_matrix(mdp, pi)
    assert np.array_equal(P @ g, g)
    assert np.array_equal(g + h - P @ h, r)
    assert not (star @ h).any()
    assert np.array_equal(laurent(mdp, pi, 0), [g])


@pytest.mark.parametrize("mdp", MODELS)
def test_limiting_and_deviation_matrices_have_their_defining_properties(mdp):
    pi = uniform(mdp)
    P, _ = mdp.under(pi)
    star, H = limiting_matrix(mdp, pi), ar.kernel_from(deviation_matrix(mdp, pi))
    identity = ar.eye(P)
    assert star @ P == star == P @ star == star @ star
    assert (identity - P) @ H == identity - star  # H is the group inverse of I - P: Puterman (1994), Theorem A.7
    assert H @ (identity - P) == identity - star
    assert star @ H == star - star


def test_multichain_by_hand():
    mdp = multichain()
    star = ar.dense_array(limiting_matrix(mdp, uniform(mdp)))
    to_zero, to_cycle = Fraction(3, 10), Fraction(2, 5)  # from 3: a = 1/4 + a/6, c = (2/3 + c/3) / 2
    assert star[3].tolist() == [to_zero, to_cycle / 2, to_cycle / 2, 0, 0]
    assert average_reward(mdp, uniform(mdp)).tolist()[:3] == [2, 2, 2]
    assert bias(mdp, uniform(mdp)).tolist()[:3] == [0, Fraction(3, 2), Fraction(-3, 2)]


def test_a_policy_that_ends_has_gain_zero_and_its_value_for_bias():
    walk = random_walk(5)
    assert not average_reward(walk, uniform(walk)).any()
    assert bias(walk, uniform(walk)).tolist() == [Fraction(k, 6) for k in range(1, 6)]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("mdp", MODELS)
def test_every_world_agrees(mdp, world):
    other, exact = world(mdp), laurent(mdp, uniform(mdp), 2)
    found = laurent(other, uniform(other), 2)
    if ar.is_exact(other.r):
        assert all(a == b for a, b in zip(found.flat, exact.flat, strict=True))
    else:
        assert found == pytest.approx(exact.astype(float), abs=1e-11)  # a few solves of well-conditioned 5 x 5 systems


def test_near_one_the_value_is_gain_over_one_minus_gamma_plus_bias():
    mdp, gamma = multichain(), 1 - Fraction(1, 10**9)
    v = policy_value(mdp.replace(gamma=gamma), uniform(mdp))
    gap = v - average_reward(mdp, uniform(mdp)) / (1 - gamma) - bias(mdp, uniform(mdp))
    assert 0 < np.abs(gap).max() < Fraction(1, 10**7)  # O(1 - γ), with a constant below 100
    with pytest.raises(ValueError, match="order = -1"):
        laurent(mdp, uniform(mdp), -1)
