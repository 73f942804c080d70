"""Shared choices against closed forms, grids of exact returns, SymPy's own roots, and the limits that are never attained."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.arithmetic.polynomial import value_at
from rlexact.exact.aliased import best_aliased_policy, shared_choice
from rlexact.exact.evaluation import expected_return, policy_value
from rlexact.gallery import random_mdp, short_corridor
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.solution import Unbounded

HALF = Fraction(1, 2)


def test_short_corridor():
    """Sutton and Barto (2018), Example 13.1: J(p) = (2p - 4) / (p (1 - p)), best at 2 - √2, worth -6 - 4√2 ≈ -11.66."""
    best = best_aliased_policy(short_corridor())
    assert best.probability.to_sympy() == sympy.CRootOf(sympy.Symbol("x") ** 2 - 4 * sympy.Symbol("x") + 2, 0)
    assert abs(float(best.probability) - (2 - 2**0.5)) < 1e-15
    assert best.value.minimal == (4, 12, 1)  # z² + 12 z + 4, whose roots are -6 ± 4√2
    assert abs(float(best.value) - (-6 - 4 * 2**0.5)) < 1e-14
    assert round(float(best.value), 2) == -11.66


def by_sympy(mdp):
    """max J over [0, 1] from J as a SymPy fraction in p: the model in symbols, and SymPy's root isolation."""
    p = sympy.Symbol("p")
    symbolic = mdp.to_symbolic()
    J = sympy.cancel(expected_return(symbolic, symbolic.beside("policy", [[1 - p, p]] * mdp.n_states)))
    turning = sympy.Poly(sympy.numer(sympy.cancel(sympy.diff(J, p))), p)
    roots = [x for x in sympy.real_roots(turning) if 0 < x < 1] if turning.degree() > 0 else []
    return max((J.subs(p, x).evalf(40), x.evalf(40)) for x in [sympy.Integer(0), sympy.Integer(1), *roots])


def aliased_chain(seed):
    """One action forward, one back, random rewards: often best at an inner p."""
    rng = np.random.default_rng(seed)
    n = 3
    P = np.full((n, 2, n), Fraction(0), dtype=object)
    flip = rng.integers(0, 2, n)
    for s in range(n):
        P[s, flip[s], min(s + 1, n - 1)] += 1
        P[s, 1 - flip[s], max(s - 1, 0)] += 1
    R = np.array([Fraction(int(x)) for x in rng.integers(-2, 3, n * 2)], dtype=object).reshape(n, 2)
    return MDP(P, R, Fraction(9, 10), [Fraction(1, n)] * n)


def test_inner_optima_against_sympy():
    inner = 0
    for seed in range(12):
        mdp = aliased_chain(seed)
        best, (value, p) = best_aliased_policy(mdp), by_sympy(mdp)
        assert abs(float(best.value) - float(value)) < 1e-13 * (1 + abs(float(value)))  # evalf rounds to a float
        assert abs(float(best.probability) - float(p)) < 1e-13 or best.value == best_at(mdp, p)
        inner += not best.probability.is_rational
    assert inner >= 2


def best_at(mdp, p):
    return expected_return(mdp, shared_choice(mdp, Fraction(int(p)))) if p in (0, 1) else None


@pytest.mark.parametrize("seed", range(6))
def test_the_curve_and_its_top(seed):
    mdp = random_mdp(seed, 4, 2, terminal=seed % 2)
    best = best_aliased_policy(mdp)
    for k in range(21):
        p = Fraction(k, 20)
        J = expected_return(mdp, shared_choice(mdp, p))
        assert value_at(best.numerator, p - HALF) == J * value_at(best.denominator, p - HALF)
        assert best.value >= J


def test_what_is_no_choice_is_left_alone():
    mdp = MDP(
        [[["1/2", "1/2"], [0, 0]], [[1, 0], [0, 1]]],
        R=[[1, 0], [2, 3]],
        gamma="1/2",
        initial=0,
        available=[[True, False], [True, True]],
    )
    assert shared_choice(mdp, "1/3").tolist() == [[1, 0], [Fraction(2, 3), Fraction(1, 3)]]
    best = best_aliased_policy(mdp)
    assert best.probability == 1
    assert best.value == policy_value(mdp, shared_choice(mdp, 1))[0]


def test_constant_return():
    mdp = MDP([[[1], ["1"]]], R=[[1, 1]], gamma="1/2", initial=0)
    assert best_aliased_policy(mdp).value == 2


def test_limits_that_no_probability_attains():
    """Every step before the end pays: ever rarer ends pay ever more."""
    stay = MDP.from_outcomes({(0, 0): [(Fraction(1), 0, 1, False)], (0, 1): [(1, None, 0, True)]}, 1, 0)
    with pytest.raises(Unbounded, match="tends to 0"):
        best_aliased_policy(stay)
    wait = MDP.from_outcomes({(0, 0): [(Fraction(1), 0, 0, False)], (0, 1): [(1, None, 5, True)]}, 1, 0)
    assert best_aliased_policy(wait).value == 5  # J is 5 for every p > 0, and 0 at p = 0
    late = MDP.from_outcomes(
        {
            (0, 0): [(Fraction(1), 0, 0, False)],
            (0, 1): [(1, 1, 0, False)],
            (1, 0): [(1, None, 1, True)],
            (1, 1): [(1, None, 0, True)],
        },
        1,
        0,
    )
    with pytest.raises(Unbounded, match="tends to 0"):  # J(p) = 1 - p for p > 0, and 0 at p = 0
        best_aliased_policy(late)


def test_a_limit_below_the_best_is_no_obstacle():
    """Once away from the start, 2 for taking the first action twice, 5 for the second twice: J(p) = 2 (1 - p)² + 5 p², p > 0.

    At p = 0 the start is never left, and its limit 2 is approached from below: less than the 5 at p = 1.
    """
    one = Fraction(1)
    table = {
        (0, 0): [(one, 0, 0, False)],
        (0, 1): [(one, 1, 0, False)],
        (1, 0): [(one, 2, 0, False)],
        (1, 1): [(one, 3, 0, False)],
        (2, 0): [(one, None, 2, True)],
        (2, 1): [(one, None, 0, True)],
        (3, 0): [(one, None, 0, True)],
        (3, 1): [(one, None, 5, True)],
    }
    best = best_aliased_policy(MDP.from_outcomes(table, 1, 0))
    assert best.probability == 1
    assert best.value == 5


def test_a_trap_that_is_never_entered():
    """Where nothing leads, p = 0 would pay -1 for ever: J(p) = 2 - p from the start all the same, with its top at p = 0."""
    one = Fraction(1)
    table = {
        (0, 0): [(one, None, 2, True)],
        (0, 1): [(one, None, 1, True)],
        (1, 0): [(one, 1, -1, False)],
        (1, 1): [(one, None, 0, True)],
    }
    best = best_aliased_policy(MDP.from_outcomes(table, 1, 0))
    assert best.probability == 0
    assert best.value == 2


def test_a_trap_that_pays_nothing():
    """Two states that lead to each other or stay, for nothing: only what the first step pays counts."""
    P = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1]], [[0, 0, 1], [0, "1", 0]]]
    best = best_aliased_policy(MDP(P, R=[[1, 3], [0, 0], [0, 0]], gamma=1, initial=0))
    assert best.probability == 1
    assert best.value == 3


def test_refusals():
    with pytest.raises(NotExact, match="to_rational"):
        best_aliased_policy(short_corridor().to_float())
    with pytest.raises(InvalidMDP, match="same two actions"):
        best_aliased_policy(random_mdp(0, 3, 3))
    with pytest.raises(InvalidPolicy, match="outside"):
        shared_choice(short_corridor(), "3/2")
    paid = MDP([[[1], ["1"]]], R=[[1, 1]], gamma=1, initial=0)
    with pytest.raises(InvalidPolicy, match="never leaves"):
        best_aliased_policy(paid)
    balanced = MDP([[[1], ["1"]]], R=[[1, -1]], gamma=1, initial=0)
    with pytest.raises(Unbounded, match="paid for ever"):
        best_aliased_policy(balanced)
