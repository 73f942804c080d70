"""Certified rational bounds on what is not rational: `Fraction` in, two arrays of `Fraction` out.

    lower ≤ log(p / w) ≤ upper                         `surprise_enclosure`
    lower ≤ τ log Σ_a w exp(q / τ) ≤ upper             `soft_best_enclosure`

The numbers are evaluated in FLINT's ball arithmetic (Johansson 2017): a ball is a midpoint of `bits` bits and a radius that
bounds every rounding so far. FLINT numbers never leave this file.
"""

from fractions import Fraction
from typing import Any

from flint import arb, ctx

from rlexact.arithmetic.rational import filled, to_flint, to_fraction
from rlexact.arithmetic.reading import Array

Bounds = tuple[Array, Array]


def soft_best_enclosure(q: Array, weights: Array, temperature: Fraction, bits: int) -> Bounds:
    """Bounds on τ log Σ_a w exp(q / τ) in Fractions: (S, A), (S, A) ≥ 0 -> (S,), (S,).  A row without weight gives 0."""
    with ctx.workprec(bits):
        return bounds([soft_best(line, w, temperature) for line, w in zip(q, weights, strict=True)], q.shape[:1])


def soft_best(q: Array, weights: Array, temperature: Fraction) -> arb:
    """One row's ball. The largest q is taken out exactly, so that no exponent is above 0."""
    live = [(x, w) for x, w in zip(q, weights, strict=True) if w > 0]
    if not live:
        return arb(0)
    top = max(x for x, _ in live)
    total = sum((ball(w) * ball((x - top) / temperature).exp() for x, w in live), arb(0))
    return ball(top) + ball(temperature) * total.log()


def surprise_enclosure(p: Array, weights: Array, bits: int) -> Bounds:
    """Bounds on log(p / w), 0 where p is 0, in Fractions: (S, A), (S, A) -> (S, A), (S, A).  Exact where p = w."""
    with ctx.workprec(bits):
        return bounds([ball(x / w if x else 1).log() for x, w in zip(p.flat, weights.flat, strict=True)], p.shape)


def rounded(x: Array, bits: int) -> Array:
    """Each number rounded to a dyadic one of `bits` bits, by no more than its last bit."""
    with ctx.workprec(bits):
        return fractions([ball(e).mid() for e in x.flat], x.shape)


def ball(x: Any) -> arb:
    return arb(to_flint(x))


def bounds(balls: list[arb], shape: tuple[int, ...]) -> Bounds:
    return fractions([x.lower() for x in balls], shape), fractions([x.upper() for x in balls], shape)


def fractions(ends: list[arb], shape: tuple[int, ...]) -> Array:
    out = filled(shape, 0)
    out.flat[:] = [to_fraction(x.fmpq()) for x in ends]
    return out
