"""Random rational points that respect the assumptions: where an equality is checked, and where a false one is caught.

Symbols are drawn by the assumptions they carry (positive, nonnegative, integer, real), then redrawn until the conditions hold.
Polynomials that differ agree at such points with small chance only (Schwartz 1980), and never by rounding: the
values are rationals, or rigorous enclosures of exp and log of rationals.
"""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import sympy

LARGEST = 9  # numerators and denominators: small, so that a witness can be read
TRIES = 10_000


def points(symbols: Iterable[Any], conditions: Iterable[Any], seed: int) -> Iterator[dict[Any, Any]]:
    """An endless stream of {symbol: rational}, the same for the same seed."""
    rng, asked = Random(seed), list(conditions)
    joint = [c for c in asked if len(c.free_symbols) != 1]
    ordered = sorted(set(symbols).union(*(c.free_symbols for c in joint)), key=str)
    own = {x: [c for c in asked if c.free_symbols == {x}] for x in ordered}
    while True:
        yield first(({x: drawn(x, own[x], rng) for x in ordered} for _ in range(TRIES)), joint)


def first(candidates: Iterable[dict[Any, Any]], conditions: list[Any]) -> dict[Any, Any]:
    for point in candidates:
        if all(c.xreplace(point) == sympy.true for c in conditions):
            return point
    raise ValueError(
        f"none of {TRIES} random rational points meets {conditions}: the conditions may contradict each other"
    )


def drawn(symbol: Any, conditions: list[Any], rng: Random) -> Any:
    """One rational that `symbol` may be."""
    return first(({symbol: rational(symbol, rng)} for _ in range(TRIES)), conditions)[symbol]


def rational(symbol: Any, rng: Random) -> Any:
    sign = 1 if symbol.is_nonnegative else rng.choice((-1, 1))
    return sign * sympy.Rational(rng.randint(1, LARGEST), 1 if symbol.is_integer else rng.randint(1, LARGEST))
