from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.expectile import expectile_condition, expectile_loss, expectile_loss_gradient, expectile_of
from rlexact.symbolic import expectile as symbolic

F = Fraction
PRINTED = np.array([F(2), F(5), F(3), F(8)])


def by_patterns(x, p, tau):
    """The mean under weights τ p above it and (1 - τ) p below: of all patterns, the one that holds."""
    for above in product([True, False], repeat=len(x)):
        w = [q * (tau if up else 1 - tau) for q, up in zip(p, above, strict=True)]
        m = sum(a * b for a, b in zip(w, x, strict=True)) / sum(w)
        if all((value > m) if up else (value <= m) for value, up in zip(x, above, strict=True)):
            return m
    raise AssertionError


@pytest.mark.parametrize("tau", [F(1, 100), F(3, 10), F(1, 2), F(9, 10), F(99, 100)])
@pytest.mark.parametrize("seed", range(4))
def test_sorting_against_all_patterns(seed, tau):
    rng = np.random.default_rng(seed)
    x = [F(int(k), 3) for k in rng.integers(-9, 9, 6)]
    p = [F(int(k)) for k in rng.integers(0, 4, 6)]
    p = [q / sum(p) for q in p]
    assert expectile_of(x, tau, p) == by_patterns(x, p, tau)
    assert expectile_of(x, tau) == by_patterns(x, [F(1, 6)] * 6, tau)


def test_two_outcomes_are_the_symbolic_room_s():
    s = symbolic
    for tau, a, d, q in [(F(9, 10), F(2), F(3), F(1, 4)), (F(1, 5), F(1), F(1, 2), F(2, 3))]:
        values = {s.kappa: tau, s.low: a, s.rise: d, s.chance: q, s.rest: 1 - q}
        expected = s.expectile.subs({k: sympy.Rational(*F(v).as_integer_ratio()) for k, v in values.items()})
        assert expectile_of([a, a + d], tau, [q, 1 - q]) == F(int(expected.p), int(expected.q))


def test_the_printed_sample():
    assert expectile_of(PRINTED, F(1, 2)) == F(9, 2)
    assert expectile_of(PRINTED, F(9, 10)) == F(41, 6)
    assert expectile_of(PRINTED, F(99, 100)) == F(401, 51)


def test_limits():
    p = [F(1, 2), F(1, 2), F(0)]
    assert expectile_of([F(1), F(3), F(9)], 1, p) == 3
    assert expectile_of([F(9), F(3), F(1)], 0, [F(1, 2), F(1, 2), F(0)]) == 3
    gaps = [8 - expectile_of(PRINTED, 1 - F(1, 10**k)) for k in (3, 6)]
    assert 0 < gaps[1] < gaps[0] / 900  # first order in 1 - τ
    assert expectile_of([5.0, 5.0, 5.0], 0.7) == 5


def test_condition_and_loss_agree():
    for tau in (F(1, 10), F(9, 10)):
        m = expectile_of(PRINTED, tau)
        assert expectile_condition(PRINTED, m, tau) == 0
        assert expectile_condition(PRINTED, m - 1, tau) > 0 > expectile_condition(PRINTED, m + 1, tau)
        here = expectile_loss(PRINTED - m, tau, reduction="mean")
        assert all(here < expectile_loss(PRINTED - m - e, tau, reduction="mean") for e in (F(1, 100), F(-1, 100)))


def test_gradient_is_the_difference_quotient():
    u, h = np.array([F(k, 10) + F(1, 100) for k in range(-20, 20)]), F(1, 1000)
    for tau in (F(1, 4), F(1)):
        quotient = (expectile_loss(u + h, tau) - expectile_loss(u - h, tau)) / (2 * h)
        assert (expectile_loss_gradient(u, tau) == quotient).all()
    assert (expectile_loss_gradient(u, F(1, 4), reduction="mean") * 40 == expectile_loss_gradient(u, F(1, 4))).all()


def test_floats_far_from_zero():
    rng = np.random.default_rng(0)
    x = rng.normal(size=10_000)
    m = expectile_of(x, 0.9)
    np.testing.assert_allclose(expectile_of(x + 1e8, 0.9) - 1e8, m, atol=1e-7)  # 1e8 has a spacing of 1.5e-8
    assert abs(expectile_condition(x, m, 0.9)) < 1e-12  # running sums of 10,000 rounded numbers


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: expectile_of([1.0], 1.5), r"expectile = 1.5"),
        (lambda: expectile_of([1.0, 2.0], 0.5, [0.5, 0.6]), "sum to 1"),
        (lambda: expectile_of([1.0, 2.0], 0.5, [1.0]), "shapes differ"),
        (lambda: expectile_of([], 0.5), "empty"),
        (lambda: expectile_loss([1.0], -0.1), r"in \[0, 1\]"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
