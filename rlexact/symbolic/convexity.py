"""Non-negative by form: the gap between the logarithm and its tangent, and the inequalities that it carries.

    ℓ(t) = t - 1 - log t ≥ 0  for t > 0,  since  ℓ(t) = (t - 1)² ∫_0^1 u / (1 + u (t - 1)) du                [C1]

With t = eˣ it is eˣ ≥ 1 + x; averaged over t = q/p it is KL(p‖q) ≥ 0; over t = x/E x it is Jensen's inequality for log. The
square carries the rest: Σ p x² - (Σ p x)² = ½ Σ p_i p_j (x_i - x_j)², and Lagrange's identity for Cauchy-Schwarz.

Hardy, Littlewood and Pólya (1934), chapters II and III.
"""

from itertools import combinations
from typing import Any

import sympy

from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import kl_of, mean, positives, reals, simplex


class log_gap(sympy.Function):  # type: ignore[misc]  # noqa: N801
    """ℓ(t) = t - 1 - log t [C1]: non-negative for positive t, by `tangent_of_the_logarithm`."""

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_positive else None

    def doit(self, **hints: Any) -> Any:
        t = self.args[0].doit(**hints)
        return t - 1 - sympy.log(t)


@identity(r"t - 1 - \log t = (t-1)^2 \int_0^1 \frac{u}{1 + u(t-1)}\,du", "Hardy, Littlewood and Pólya (1934), §2.5")
def tangent_of_the_logarithm() -> Any:
    """The lemma behind every `log_gap`, t = 1 + x for x > 0: the integrand is non-negative.

    For 0 < t < 1 the integral has the same closed form: both sides are analytic on t > 0.
    """
    x, u = sympy.symbols("x u", positive=True)
    return log_gap(1 + x), x**2 * sympy.Integral(u / (1 + u * x), (u, 0, 1))


@identity(r"\ell'(t) = (t-1)/t,\quad \ell(1) = 0", "Hardy, Littlewood and Pólya (1934), §2.5", "t > 0")
def slope_of_the_log_gap() -> Any:
    """The same by its slope: ℓ falls to 0 at t = 1 and rises after it, so ℓ ≥ 0 on all of t > 0."""
    t = sympy.Symbol("t", positive=True)
    gap = log_gap(t).doit()
    return [sympy.diff(gap, t), gap.subs(t, 1)], [(t - 1) / t, 0]


@inequality(r"\sum_i p_i \log x_i \le \log \sum_i p_i x_i", "Jensen (1906)", "x_i > 0")
def jensen_for_the_logarithm() -> Any:
    """The slack is Σ p_i ℓ(x_i / x̄)."""
    p, x = simplex("w", 3), positives("x", 3)
    average = mean(p, x)
    return mean(p, map(sympy.log, x)), sympy.log(average), [a * log_gap(b / average) for a, b in zip(p, x, strict=True)]


@inequality(r"\exp\sum_i p_i x_i \le \sum_i p_i \exp x_i", "Jensen (1906)")
def jensen_for_the_exponential() -> Any:
    """The slack is e^x̄ Σ p_i ℓ(e^(x_i - x̄)), for two outcomes."""
    p, x = simplex("w", 2), reals("x", 2)
    top = sympy.exp(mean(p, x))
    return top, mean(p, map(sympy.exp, x)), [a * top * log_gap(sympy.exp(b) / top) for a, b in zip(p, x, strict=True)]


@inequality(r"\left(\sum_i p_i x_i\right)^2 \le \sum_i p_i x_i^2", "Jensen (1906)")
def jensen_for_the_square() -> Any:
    """The slack is the variance, as a sum over pairs."""
    p, x = simplex("w", 3), reals("x", 3)
    pairs = [p[i] * p[j] * (x[i] - x[j]) ** 2 for i, j in combinations(range(3), 2)]
    return mean(p, x) ** 2, mean(p, [b**2 for b in x]), pairs


@inequality(r"\langle x, y \rangle^2 \le \|x\|^2 \|y\|^2", "Cauchy (1821); Lagrange's identity")
def cauchy_schwarz() -> Any:
    """The slack is Σ_{i<j} (x_i y_j - x_j y_i)²."""
    x, y = reals("x", 3), reals("y", 3)
    pairs = [(x[i] * y[j] - x[j] * y[i]) ** 2 for i, j in combinations(range(3), 2)]
    return mean(x, y) ** 2, mean(x, x) * mean(y, y), pairs


@inequality(r"(\mathbb{E}\,xy)^2 \le \mathbb{E}\,x^2\;\mathbb{E}\,y^2", "Schwarz (1888)")
def cauchy_schwarz_for_expectations() -> Any:
    """The same under a distribution; with y = 1 it is `jensen_for_the_square`."""
    p, x, y = simplex("w", 3), reals("x", 3), reals("y", 3)
    pairs = [p[i] * p[j] * (x[i] * y[j] - x[j] * y[i]) ** 2 for i, j in combinations(range(3), 2)]
    square = [mean(p, [b * b for b in z]) for z in (x, y)]
    return mean(p, [a * b for a, b in zip(x, y, strict=True)]) ** 2, square[0] * square[1], pairs


@inequality(r"0 \le \mathrm{KL}(p \| q)", "Gibbs (1902); Kullback and Leibler (1951), Lemma 3.1")
def gibbs() -> Any:
    """KL(p‖q) = Σ p_i ℓ(q_i / p_i)."""
    p, q = simplex("v", 3), simplex("w", 3)
    return 0, kl_of(p, q), [a * log_gap(b / a) for a, b in zip(p, q, strict=True)]
