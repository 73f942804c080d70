"""The Beta distribution: normaliser, mean logarithms, entropy, divergence.

    p(x) = x^(a-1) (1-x)^(b-1) / B(a, b)         log B = log Γ(a) + log Γ(b) - log Γ(a + b)
    E log x = ∂_a log B = ψ(a) - ψ(a + b)         E log(1-x) = ψ(b) - ψ(a + b)                              [B1]
    KL = log B(c, d)/B(a, b) + (a-c) ψ(a) + (b-d) ψ(b) + (c-a+d-b) ψ(a + b)                                [B2]

[B1] differentiates ∫ x^(a-1) (1-x)^(b-1) dx = B(a, b) under the integral; `beta_by_integration` does the integrals of one
polynomial density outright.  Johnson, Kotz and Balakrishnan (1995), chapter 25; Chou, Maturana and Scherer (2017).
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity

a, b, c, d = sympy.symbols("a b c d", positive=True, integer=True)
SOURCE = "Johnson, Kotz and Balakrishnan (1995), chapter 25"
FREE = "a, b, c, d > 0; points are drawn at whole numbers, where ψ is rational up to Euler's constant"


def log_beta(a: Any, b: Any) -> Any:
    return sympy.loggamma(a) + sympy.loggamma(b) - sympy.loggamma(a + b)


def mean_logs(a: Any, b: Any) -> tuple[Any, Any]:
    """(E log x, E log(1-x)) as derivatives of the normaliser, by symbols that may be any positive real."""
    u, v = sympy.symbols("u v", positive=True)
    return tuple(sympy.diff(log_beta(u, v), w).subs({u: a, v: b}) for w in (u, v))


def log_density_mean(under: tuple[Any, Any], of: tuple[Any, Any]) -> Any:
    """E log p(x; of) for x ~ Beta(under)."""
    first, second = mean_logs(*under)
    return (of[0] - 1) * first + (of[1] - 1) * second - log_beta(*of)


@identity(r"\int_0^1 \log x\ p(x)\,dx = \psi(a)-\psi(a+b)", SOURCE, "a = 3, b = 2")
def beta_by_integration() -> Any:
    """The integrals of p, log x · p and x · p for a polynomial density."""
    x = sympy.Symbol("x", positive=True)
    density = sympy.expand(12 * x**2 * (1 - x))
    left = [sympy.integrate(sympy.expand(density * g), (x, 0, 1)) for g in (sympy.Integer(1), sympy.log(x), x)]
    return left, [1, sympy.digamma(3) - sympy.digamma(5), sympy.Rational(3, 5)]


@identity(r"H = \log B(a,b) - (a-1)\psi(a) - (b-1)\psi(b) + (a+b-2)\psi(a+b)", SOURCE, FREE)
def beta_entropy() -> Any:
    psi = sympy.digamma
    right = log_beta(a, b) - (a - 1) * psi(a) - (b - 1) * psi(b) + (a + b - 2) * psi(a + b)
    return -log_density_mean((a, b), (a, b)), right


@identity(r"\mathrm{KL} = \log\tfrac{B(c,d)}{B(a,b)} + (a-c)\psi(a) + (b-d)\psi(b) + (c-a+d-b)\psi(a+b)", SOURCE, FREE)
def beta_kl() -> Any:
    psi = sympy.digamma
    left = log_density_mean((a, b), (a, b)) - log_density_mean((a, b), (c, d))
    right = log_beta(c, d) - log_beta(a, b) + (a - c) * psi(a) + (b - d) * psi(b) + (c - a + d - b) * psi(a + b)
    return left, right


@identity(
    r"\nabla_{a,b}\log p = (\log x - \psi(a) + \psi(a+b),\ \log(1-x) - \psi(b) + \psi(a+b))", "Chou et al. (2017)"
)
def beta_score() -> Any:
    """x = w / (1 + w)."""
    w, u, v = sympy.symbols("w u v", positive=True)
    x = w / (1 + w)
    log_p = (u - 1) * sympy.log(x) + (v - 1) * sympy.log(1 / (1 + w)) - log_beta(u, v)
    psi, at = sympy.digamma, {u: a, v: b}
    left = [sympy.diff(log_p, t).subs(at) for t in (u, v)]
    return left, [sympy.log(x) - psi(a) + psi(a + b), sympy.log(1 / (1 + w)) - psi(b) + psi(a + b)]
