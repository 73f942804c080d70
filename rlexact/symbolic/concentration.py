"""Hoeffding's lemma and bound, step by step.

X in [0, 1] with mean p: e^{hX} ≤ 1 - X + X eʰ, so log E e^{h(X - p)} ≤ φ(h) = -p h + log(1 - p + p eʰ), and
    φ(0) = φ'(0) = 0,    ¼ - φ''(h) = (½ - v)²,  v = p eʰ / (1 - p + p eʰ),    so φ(h) ≤ h²/8                [H1]
    -s t + s² c²/8 = -2 t²/c² + (s c - 4 t/c)²/8,  so the best exponent is -2 t²/c²,  c² = Σ (b_i - a_i)²     [H2]

Hoeffding (1963), Theorem 2 and §4; Boucheron, Lugosi and Massart (2013), Lemma 2.2.
"""

from typing import Any

import sympy

from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import simplex

h, s, t = sympy.symbols("h s t", real=True)
c = sympy.Symbol("c", positive=True)
p, rest = simplex("w", 2)
phi = -p * h + sympy.log(rest + p * sympy.exp(h))
tilted = p * sympy.exp(h) / (rest + p * sympy.exp(h))
SOURCE = "Hoeffding (1963), Theorem 2"


@identity(r"\varphi(0) = \varphi'(0) = 0,\quad \varphi' = v - p", SOURCE)
def hoeffding_start() -> Any:
    slope = sympy.diff(phi, h)
    return [phi.subs(h, 0), slope.subs(h, 0), slope], [0, 0, tilted - p]


@inequality(r"\varphi''(h) \le \tfrac14", SOURCE)
def hoeffding_curvature() -> Any:
    """φ'' = v (1 - v) is the variance of a coin: the slack is (½ - v)²."""
    return sympy.diff(phi, h, 2), sympy.Rational(1, 4), [(sympy.Rational(1, 2) - tilted) ** 2]


@identity(
    r"\tfrac{h^2}{8} - \varphi(h) = \int_0^h (h-x)\left(\tfrac12 - v(x)\right)^2 dx",
    SOURCE,
    "as twice differentiated in h",
)
def hoeffding_remainder() -> Any:
    """Both sides vanish at 0 with their slopes (`hoeffding_start`), and have this second derivative: Taylor's remainder."""
    return sympy.diff(h**2 / 8 - phi, h, 2), (sympy.Rational(1, 2) - tilted) ** 2


@identity(
    r"-st + \tfrac{s^2c^2}{8} = -\tfrac{2t^2}{c^2} + \tfrac18\left(sc - \tfrac{4t}{c}\right)^2",
    "Hoeffding (1963), Theorem 2",
)
def hoeffding_exponent() -> Any:
    """The exponent of Chernoff's bound, minimised by completing the square: s = 4 t / c²."""
    return -s * t + s**2 * c**2 / 8, -2 * t**2 / c**2 + (s * c - 4 * t / c) ** 2 / 8


@inequality(r"e^{hx} \le 1 - x + x e^h,\quad 0 \le x \le 1", "convexity of the exponential", "x = w / (1 + w)")
def chord_of_the_exponential() -> Any:
    """A chord lies above: the slack is (1 - x) e^{hx} ℓ(e^{-hx}) + x e^{hx} ℓ(e^{h - hx})."""
    top = sympy.exp(h * p)
    gaps = [rest * top * log_gap(1 / top), p * top * log_gap(sympy.exp(h) / top)]
    return top, rest + p * sympy.exp(h), gaps
