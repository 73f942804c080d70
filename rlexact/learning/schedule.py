"""Step sizes and exploration rates as functions of a count n = 1, 2, ...

    constant       x                                            limit x
    linear         from x to y in N equal steps, then y         limit y
    exponential    y + (x - y) ρ^(n-1)                          limit y
    harmonic       c / n                                        limit 0     sample means: c = 1
    polynomial     c / n^p                                      limit 0
    Robbins-Monro  Σ α_n = ∞ and Σ α_n² < ∞                     c / n^p: 1/2 < p ≤ 1          `robbins_monro`
    GLIE           ε_n → 0 and Σ ε_n = ∞                        c / n^p:   0 < p ≤ 1          `glie`

Robbins and Monro (1951), (6) and (26); Singh, Jaakkola, Littman and Szepesvári (2000), §2.2. The count is that of the visits
to the place that is updated, or to the state that is acted in (`clock="visits"`), which is what the theorems speak of; or that
of all steps so far (`clock="steps"`), as deep-RL code counts. With Σ ε_n = ∞ over a state's visits, each action is taken there
infinitely often (Borel and Cantelli). Over steps neither predicate says so, since a state may be visited too seldom.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Any, Literal

from rlexact.exact.estimator_law import counted

Clock = Literal["visits", "steps"]


class InvalidSchedule(ValueError):
    """A step size, exploration rate or schedule outside its range: the message names it and says what is allowed."""


@dataclass(frozen=True)
class Schedule:
    """`at(n)` for n = 1, 2, ..., which tends to `limit`, counted by `clock`.

    `order` p says that at(n) falls like n^-p to its limit 0 (inf: faster, with a finite sum; 0: the limit is positive;
    None: not known, as for a function of your own).
    """

    at: Callable[[int], float]
    limit: float
    order: float | None = None
    clock: Clock = "steps"

    def counting(self, clock: Clock) -> "Schedule":
        """The same numbers by the other clock.  Raises `InvalidSchedule` for an unknown one."""
        if clock not in ("visits", "steps"):
            raise InvalidSchedule(f'clock = {clock!r}: give "visits" or "steps"')
        return replace(self, clock=clock)

    def __call__(self, visits: int, steps: int) -> float:
        """The number of now, both counts being 1 at the first time."""
        return self.at(visits if self.clock == "visits" else steps)


def constant(x: float) -> Schedule:
    """x for ever."""
    x = not_negative("constant", x)
    return Schedule(lambda n: x, x, 0 if x else inf)


def linear(start: float, end: float, steps: int) -> Schedule:
    """`start` at n = 1, `end` from n = steps + 1 on, a straight line between."""
    x, y, last = not_negative("start", start), not_negative("end", end), counted(steps, "steps")
    return Schedule(lambda n: x + (y - x) * min(n - 1, last) / last, y, 0 if y else inf)


def exponential(start: float, rate: float, end: float = 0) -> Schedule:
    """`start` at n = 1; the distance to `end` is multiplied by `rate`, 0 < rate < 1, from one n to the next."""
    x, y = not_negative("start", start), not_negative("end", end)
    if not 0 < rate < 1:
        raise InvalidSchedule(f"rate = {rate!r}: give a factor between 0 and 1")
    return Schedule(lambda n: y + (x - y) * rate ** (n - 1), y, 0 if y else inf)


def harmonic(c: float = 1) -> Schedule:
    """c / n by visits.  With c = 1 a table of step sizes 1/n holds the mean of its targets."""
    return polynomial(1, c)


def polynomial(power: float, c: float = 1) -> Schedule:
    """c / n^power by visits, power > 0."""
    scale = not_negative("c", c)
    if not 0 < power < inf:
        raise InvalidSchedule(f"power = {power!r}: give a positive number")
    return Schedule(lambda n: scale / n**power, 0.0, power if scale else inf, "visits")


def robbins_monro(schedule: Schedule) -> bool:
    """Whether Σ α_n = ∞ and Σ α_n² < ∞.  Raises `InvalidSchedule` where the order of a schedule is not known."""
    return 0.5 < known_order(schedule) <= 1


def glie(schedule: Schedule) -> bool:
    """Greedy in the limit with infinite exploration: ε_n → 0 and Σ ε_n = ∞.  Raises as `robbins_monro`."""
    return 0 < known_order(schedule) <= 1


def known_order(schedule: Schedule) -> float:
    if schedule.order is None:
        raise InvalidSchedule("no finite number of values decides an infinite sum: give Schedule(..., order=p)")
    return schedule.order


# -- at the door of a learner -----------------------------------------------------------------------------------------


def step_sizes(alpha: Schedule | float) -> Schedule:
    """A schedule whose every value is checked to lie in (0, 1].  Raises `InvalidSchedule`, here or when it leaves it."""
    return within("alpha", alpha, lambda x: 0 < x <= 1, "(0, 1]")


def exploration(epsilon: Schedule | float) -> Schedule:
    """A schedule whose every value is checked to lie in [0, 1].  Raises `InvalidSchedule`, here or when it leaves it."""
    return within("epsilon", epsilon, lambda x: 0 <= x <= 1, "[0, 1]")


def within(name: str, given: Schedule | float, good: Callable[[float], bool], interval: str) -> Schedule:
    schedule = given if isinstance(given, Schedule) else constant(not_negative(name, given))

    def checked(n: int) -> float:
        x = schedule.at(n)
        if not good(x):
            raise InvalidSchedule(f"{name} = {x!r} at n = {n}: give step values in {interval}")
        return x

    checked(1)
    return replace(schedule, at=checked)


def not_negative(name: str, x: Any) -> float:
    try:
        value = float(x)
    except (TypeError, ValueError):
        raise InvalidSchedule(f"{name} = {x!r}: give a number or a Schedule") from None
    if not isfinite(value) or value < 0:
        raise InvalidSchedule(f"{name} = {x!r}: give a finite number, 0 or more")
    return value
