"""Schedules: their values by hand, and the two conditions on their sums against the sums of p-series."""

from fractions import Fraction
from math import inf

import pytest

from rlexact.learning.schedule import (
    InvalidSchedule,
    Schedule,
    constant,
    exploration,
    exponential,
    glie,
    harmonic,
    linear,
    polynomial,
    robbins_monro,
    step_sizes,
)


def values(schedule, n):
    return [Fraction(schedule.at(k)) for k in range(1, n + 1)]


def test_values_by_hand():
    assert values(constant(0.25), 3) == [Fraction(1, 4)] * 3
    assert values(linear(1, 0.5, 4), 6) == [
        1,
        Fraction(7, 8),
        Fraction(3, 4),
        Fraction(5, 8),
        Fraction(1, 2),
        Fraction(1, 2),
    ]
    assert values(linear(0, 1, 2), 4) == [0, Fraction(1, 2), 1, 1]
    assert values(exponential(1, 0.5, 0.25), 3) == [1, Fraction(5, 8), Fraction(7, 16)]
    assert values(harmonic(), 4) == [1, Fraction(1, 2), Fraction(1 / 3), Fraction(1, 4)]
    assert values(polynomial(0.5, 3), 4)[::3] == [3, Fraction(3, 2)]


def test_limits():
    assert [s.limit for s in (constant(0.5), linear(1, 0.1, 5), exponential(1, 0.9, 0.2), harmonic())] == [
        0.5,
        0.1,
        0.2,
        0,
    ]
    assert abs(exponential(1, 0.9, 0.2).at(1000) - 0.2) < 1e-12  # 0.9^999 < 1e-45
    assert linear(1, 0.1, 5).at(6) == pytest.approx(0.1, abs=1e-15)


def test_each_clock_reads_its_own_count():
    assert harmonic()(2, 50) == 0.5
    assert harmonic().counting("steps")(2, 50) == 0.02
    assert linear(1, 0, 10)(9, 6) == 0.5
    with pytest.raises(InvalidSchedule, match="clock"):
        harmonic().counting("seconds")


@pytest.mark.parametrize("power", [0.25, 0.5, 0.51, 0.75, 1, 1.01, 2])
def test_conditions_of_a_power_by_its_partial_sums(power):
    """Between n and 2n a p-series gains about n^(1-p) (2^(1-p) - 1)/(1 - p): growing sums against vanishing ones."""

    def diverges(p):
        gain = [sum(1 / k**p for k in range(n, 2 * n)) for n in (100, 10_000)]
        return gain[1] > 0.995 * gain[0]  # equal at p = 1 up to 1/400, smaller by 100^(1 - p) <= 0.955 above

    assert robbins_monro(polynomial(power)) == (diverges(power) and not diverges(2 * power))
    assert glie(polynomial(power)) == diverges(power)


def test_conditions_of_the_others():
    for never in (constant(0.1), linear(1, 0, 10), linear(1, 0.1, 10), exponential(1, 0.9), exponential(1, 0.9, 0.1)):
        assert not robbins_monro(never)
        assert not glie(never)
    assert robbins_monro(harmonic(5))
    assert glie(harmonic(0.5))
    assert not robbins_monro(harmonic(0))
    with pytest.raises(InvalidSchedule, match="order"):
        robbins_monro(Schedule(lambda n: 1 / n, 0.0))
    assert robbins_monro(Schedule(lambda n: 1 / (n + 5), 0.0, order=1))


def test_refusals():
    for bad in (0, -0.1, 1.5, inf, float("nan"), "much", None):
        with pytest.raises(InvalidSchedule, match="alpha"):
            step_sizes(bad)
    for bad in (-0.1, 1.5, float("nan")):
        with pytest.raises(InvalidSchedule, match="epsilon"):
            exploration(bad)
    assert exploration(0)(1, 1) == 0
    assert exploration(1)(1, 1) == 1
    later = step_sizes(linear(1, 0, 3))
    assert later(1, 3) == pytest.approx(1 / 3)
    with pytest.raises(InvalidSchedule, match="n = 4"):
        later(1, 4)
    for make in (lambda: polynomial(0), lambda: polynomial(-1), lambda: exponential(1, 1), lambda: constant(-1)):
        with pytest.raises(InvalidSchedule):
            make()
    with pytest.raises(ValueError, match="steps"):
        linear(1, 0, 0)
