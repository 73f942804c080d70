"""The letters: symbols with their assumptions, distributions with every number free, and expectations under them.

A distribution over n outcomes is written by positive odds, p_i = w_i / (w_1 + … + w_{n-1} + 1): it sums to 1 by form, each
entry is positive by form, and nothing else is assumed. A chance is one symbol p with 0 < p < 1, which keeps fractions short.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sympy

gamma, lam, tau, beta = sympy.symbols("gamma lambda tau beta", positive=True)  # discount, trace, temperature, KL weight
eps = sympy.Symbol("epsilon", real=True)  # the length of a step along a direction


def reals(name: str, n: int) -> list[Any]:
    """x_1 … x_n, real."""
    return list(sympy.symbols(f"{name}1:{n + 1}", real=True))


def positives(name: str, n: int) -> list[Any]:
    """w_1 … w_n, positive."""
    return list(sympy.symbols(f"{name}1:{n + 1}", positive=True))


def simplex(name: str, n: int) -> list[Any]:
    """n probabilities, by n - 1 free odds."""
    return normalised([*positives(name, n - 1), sympy.Integer(1)])


def normalised(weights: Sequence[Any]) -> list[Any]:
    """w_i / Σ w."""
    return [w / sum(weights) for w in weights]


def below_one(*symbols: Any) -> tuple[Any, ...]:
    """The conditions x < 1, for `given`."""
    return tuple(x < 1 for x in symbols)


def mean(p: Iterable[Any], f: Iterable[Any]) -> Any:
    """Σ_i p_i f_i."""
    return sum((x * y for x, y in zip(p, f, strict=True)), sympy.Integer(0))


def logs(p: Iterable[Any]) -> list[Any]:
    return [sympy.log(x) for x in p]


def gradient(f: Any, variables: Sequence[Any]) -> Any:
    """(∂f/∂x_1, …) as a column."""
    return sympy.Matrix([sympy.diff(f, x) for x in variables])


def along(f: Any) -> Any:
    """df/dε at ε = 0: the derivative along the direction that `f` takes with ε."""
    return sympy.diff(f, eps).subs(eps, 0)


def entropy_of(p: Sequence[Any]) -> Any:
    """H(p) = -Σ p log p."""
    return -mean(p, logs(p))


def kl_of(p: Sequence[Any], q: Sequence[Any]) -> Any:
    """KL(p‖q) = Σ p (log p - log q)."""
    return mean(p, [sympy.log(x) - sympy.log(y) for x, y in zip(p, q, strict=True)])


def softmax_of(z: Sequence[Any], temperature: Any = 1) -> list[Any]:
    """exp(z_i / τ) / Σ exp(z_j / τ)."""
    return normalised([sympy.exp(x / temperature) for x in z])


def logsumexp_of(z: Sequence[Any]) -> Any:
    return sympy.log(sum(map(sympy.exp, z)))


def sigmoid_of(x: Any) -> Any:
    return 1 / (1 + sympy.exp(-x))
