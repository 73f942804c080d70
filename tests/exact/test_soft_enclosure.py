"""Enclosures against arithmetic of many digits, closed forms, each other, and the bounds of ball arithmetic themselves."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.arithmetic.intervals import rounded, soft_best_enclosure, surprise_enclosure
from rlexact.door import InvalidPolicy
from rlexact.exact.enclosure import (
    contradicts_neither,
    soft_bellman_enclosure,
    soft_horizon_enclosure,
    soft_value_enclosure,
)
from rlexact.exact.evaluation import policy_value
from rlexact.exact.soft_bellman import soft_control
from rlexact.gallery.generators import garnet
from rlexact.mdp import MDP
from rlexact.policy import deterministic, uniform

HALF = Fraction(1, 2)


def high(x):
    return mpmath.mpf(x.numerator) / x.denominator


def between(low, truth, top):
    return all(high(x) <= y <= high(z) for x, y, z in zip(low, truth, top, strict=True))


@pytest.mark.parametrize("digits", [5, 40])
@pytest.mark.parametrize("tau", ["1/1000", "1", "1000"])
@pytest.mark.parametrize("scale", [1, 10**12])
def test_bandit(digits, tau, scale):
    """V = τ log Σ exp(r / τ) / (1 - γ)."""
    rewards = [Fraction(scale), Fraction(scale) - HALF, Fraction(-scale, 3)]
    found = soft_value_enclosure(MDP([[[1]] * 3], [rewards], "3/4"), tau, digits=digits)
    with mpmath.workdps(90):
        t = high(Fraction(tau))
        truth = 4 * (high(rewards[0]) + t * mpmath.log(sum(mpmath.exp(high(x - rewards[0]) / t) for x in rewards)))
        assert between(found.lower, [truth], found.upper)
    assert found.width <= Fraction(1, 10**digits)


def test_exact_where_nothing_is_transcendental():
    """A deterministic policy has no entropy, and a policy no divergence from itself."""
    model = garnet(4, 3, 2, 1, exact=True)
    policy, mu = deterministic(model, [0, 1, 2, 0]), uniform(model)
    for found, plain in (
        (soft_value_enclosure(model, 1, policy=policy), policy_value(model, policy)),
        (soft_value_enclosure(model, 1, mu, policy=mu), policy_value(model, mu)),
    ):
        assert found.lower.tolist() == found.upper.tolist() == plain.tolist()


def test_one_action_has_no_soft_maximum():
    chain = MDP([[[0, 1]], [["1/2", "1/2"]]], [[1], ["1/3"]], "9/10")
    assert policy_value(chain, uniform(chain)) in soft_value_enclosure(chain, 1, digits=50)


def test_policy_value_in_a_hundred_digits():
    model = garnet(4, 3, 2, 2, exact=True)
    found = soft_value_enclosure(model, "7/5", policy=uniform(model), digits=45)
    with mpmath.workdps(110):
        A, b = mpmath.eye(4), mpmath.zeros(4, 1)
        for s in range(4):
            b[s] = sum(high(x) for x in model.r[s]) / 3 + mpmath.mpf(7) / 5 * mpmath.log(3)
            for t in range(4):
                A[s, t] -= high(model.gamma * sum(model.P[s, :, t]) / 3)
        assert between(found.lower, mpmath.lu_solve(A, b), found.upper)
    assert found.width <= Fraction(1, 10**45)


@pytest.mark.parametrize("seed", range(4))
def test_optimum_by_sweeps_in_a_hundred_digits(seed):
    """Plain value iteration in mpmath, 2^-300 away from the truth."""
    model = garnet(3, 3, 2, seed, exact=True, gamma=HALF)
    mu = np.array([[Fraction(k, 6) for k in (1, 2, 3)]] * 3)
    for reference, weights in ((None, [1, 1, 1]), (mu, [1, 2, 3])):
        found = soft_value_enclosure(model, "1/3", reference, digits=40)
        with mpmath.workdps(110):
            P, r = model.P, model.r
            v = [mpmath.mpf(0)] * 3
            for _ in range(300):
                after = [
                    [mpmath.fsum(high(p) * x for p, x in zip(row, v, strict=True)) for row in block] for block in P
                ]
                mass = [
                    [weights[a] * mpmath.exp(3 * high(r[s, a]) + after[s][a] * 3 / 2) for a in range(3)]
                    for s in range(3)
                ]
                v = [mpmath.log(mpmath.fsum(line) / (1 if reference is None else 6)) / 3 for line in mass]
            assert between(found.lower, v, found.upper)
        assert found.width <= Fraction(1, 10**40)


def test_ordering_of_the_enclosures():
    """V^uniform < V*, finite horizons converge to V*, and T V* = V*."""
    model = garnet(4, 2, 2, 3, exact=True, gamma=HALF)
    best = soft_value_enclosure(model, 1, digits=30)
    base = soft_value_enclosure(model, 1, policy=uniform(model), digits=30)
    assert (base.upper < best.lower).all()
    fixed = soft_bellman_enclosure(model, best.middle, 1, digits=40)
    assert max(abs(fixed.middle - best.middle)) <= 2 * best.width
    far = soft_horizon_enclosure(model, 40, 1, digits=30)
    assert max(abs(far.middle[0] - best.middle)) < Fraction(4, 2**40)  # values below 4 and γ^40
    assert best.middle in best
    assert best.upper + 1 not in best


def test_no_discount_and_a_free_trap():
    """State 1 goes round for nothing under the reference; state 0 ends with 1 or goes there with 2."""
    model = MDP.from_outcomes(
        {
            (0, 0): [(1, None, 1, True)],
            (0, 1): [(1, 1, 2, False)],
            (1, 0): [(1, 1, 0, False)],
            (1, 1): [(1, 1, 0, False)],
        },
        Fraction(1),
    )
    found = soft_value_enclosure(model, 1, uniform(model))
    with mpmath.workdps(50):
        assert between(found.lower, [mpmath.log((mpmath.e + mpmath.e**2) / 2), mpmath.mpf(0)], found.upper)


def test_horizon_of_a_bandit():
    """V with two steps left is (1 + γ) τ log Σ exp(r / τ)."""
    model = MDP([[[1]] * 2], [[Fraction(1), Fraction(1, 3)]], HALF)
    found = soft_horizon_enclosure(model, 2, "1/5", digits=6)
    with mpmath.workdps(60):
        once = mpmath.log(mpmath.exp(5) + mpmath.exp(mpmath.mpf(5) / 3)) / 5
        assert between(found.lower[:, 0], [1.5 * once, once, mpmath.mpf(0)], found.upper[:, 0])
    assert 0 < found.width < Fraction(1, 10**6)


def test_a_certificate_is_asked_for_and_can_fail():
    model = garnet(4, 2, 2, 3, exact=True, gamma=HALF)
    control, best = soft_control(model, 1), soft_value_enclosure(model, 1)
    assert contradicts_neither(control, best.lower, best.upper, 200)
    far = Fraction(1, 100)
    assert contradicts_neither(control, best.lower - far, best.upper + far, 200)
    assert not contradicts_neither(control, best.lower + far, best.upper, 200)
    assert not contradicts_neither(control, best.lower, best.upper - far, 200)


def test_bounds_of_the_pieces():
    q = np.array([[Fraction(1), Fraction(2)], [Fraction(0), Fraction(0)]])
    w = np.array([[Fraction(1), Fraction(3)], [Fraction(0), Fraction(0)]])
    low, top = soft_best_enclosure(q, w, HALF, 100)
    with mpmath.workdps(50):
        assert between(low[:1], [mpmath.log(mpmath.e**2 + 3 * mpmath.e**4) / 2], top[:1])
        assert low[1] == top[1] == 0
        low, top = surprise_enclosure(w[:1], q[:1], 100)
        assert low[0, 0] == top[0, 0] == 0
        assert between(low[0, 1:], [mpmath.log(mpmath.mpf(3) / 2)], top[0, 1:])
    third = np.array([Fraction(1, 3)])
    assert 0 < abs(rounded(third, 30)[0] - third[0]) < Fraction(1, 2**30)


def test_refusals():
    model = garnet(3, 2, 2, 0, exact=True)
    for other in (model.to_float(), model.to_symbolic(), model.to_sparse()):
        with pytest.raises(NotExact, match="rational"):
            soft_value_enclosure(other, 1)
    with pytest.raises(NotExact, match=r"0\.5"):
        soft_value_enclosure(model, 0.5)
    with pytest.raises(ValueError, match="digits"):
        soft_value_enclosure(model, 1, digits=0)
    with pytest.raises(InvalidPolicy, match="infinite"):
        soft_value_enclosure(model, 1, deterministic(model, [0, 0, 0]), policy=uniform(model))
