"""The log of a sum of exponentials: a soft maximum, and the conjugate of negative entropy.

    ∇ log Σ eᶻ = softmax(z)              log Σ e^(z+c) = c + log Σ eᶻ                                     [E1]
    Σ p z + H(p) = log Σ eᶻ - KL(p ‖ softmax(z))  ≤ log Σ eᶻ      for every distribution p                [E2]
    max z ≤ log Σ eᶻ ≤ max z + log n                                                                     [E3]

Boyd and Vandenberghe (2004), §3.1.5 and example 3.25.
"""

from typing import Any

import sympy

from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import entropy_of, gradient, kl_of, logsumexp_of, mean, reals, simplex, softmax_of

N = 3
z, p = reals("z", N), simplex("w", N)
BOYD = "Boyd and Vandenberghe (2004), "
SORTED = "the largest weight y = e^z is the first, the others are y / (1 + s) with s ≥ 0"


def sorted_weights() -> tuple[Any, Any]:
    """e^z of `SORTED`, and the s."""
    top, below = sympy.Symbol("y", positive=True), sympy.symbols("s1:3", nonnegative=True)
    return [top, *(top / (1 + s) for s in below)], below


@identity(r"\nabla \log\sum_i e^{z_i} = \mathrm{softmax}(z)", BOYD + "§3.1.5")
def log_sum_exp_gradient() -> Any:
    return gradient(logsumexp_of(z), z), softmax_of(z)


@identity(r"\nabla^2 \log\sum_i e^{z_i} = \mathrm{diag}(\pi) - \pi\pi^\top", BOYD + "§3.1.5")
def log_sum_exp_curvature() -> Any:
    pi = sympy.Matrix(softmax_of(z))
    return sympy.hessian(logsumexp_of(z), z), sympy.diag(*pi) - pi * pi.T


@inequality(r"0 \le v^\top \nabla^2 \log\sum_i e^{z_i}\, v", BOYD + "§3.1.5")
def log_sum_exp_is_convex() -> Any:
    """The slack is the variance of v under the softmax, as a sum over pairs."""
    pi, v = softmax_of(z), reals("v", N)
    bend = (sympy.Matrix(v).T * sympy.hessian(logsumexp_of(z), z) * sympy.Matrix(v))[0]
    return 0, bend, [pi[i] * pi[j] * (v[i] - v[j]) ** 2 for i in range(N) for j in range(i)]


@identity(r"\log\sum_i e^{z_i + c} = c + \log\sum_i e^{z_i}", "the stable form takes c = -max z")
def log_sum_exp_shift() -> Any:
    c = sympy.Symbol("c", real=True)
    return logsumexp_of([x + c for x in z]), c + logsumexp_of(z)


@identity(
    r"\langle p, z\rangle + H(p) = \log\sum_i e^{z_i} - \mathrm{KL}(p\|\mathrm{softmax}\,z)", BOYD + "example 3.25"
)
def log_sum_exp_conjugate() -> Any:
    """Donsker and Varadhan's variational form with its exact gap."""
    return mean(p, z) + entropy_of(p), logsumexp_of(z) - kl_of(p, softmax_of(z))


@inequality(r"\langle p, z\rangle + H(p) \le \log\sum_i e^{z_i}", BOYD + "example 3.25")
def log_sum_exp_is_the_supremum() -> Any:
    """The slack is Σ p ℓ(softmax(z) / p), zero at p = softmax(z)."""
    terms = [a * log_gap(b / a) for a, b in zip(p, softmax_of(z), strict=True)]
    return mean(p, z) + entropy_of(p), logsumexp_of(z), terms


@inequality(r"\max_i z_i \le \log\sum_i e^{z_i}", BOYD + "§3.1.5", SORTED)
def log_sum_exp_above_the_maximum() -> Any:
    y, _ = sorted_weights()
    return sympy.log(y[0]), sympy.log(sum(y)), [sympy.log(1 + sum(x / y[0] for x in y[1:]))]


@inequality(r"\log\sum_i e^{z_i} \le \max_i z_i + \log n", BOYD + "§3.1.5", SORTED)
def log_sum_exp_below_maximum_plus_log_n() -> Any:
    y, below = sorted_weights()
    short = [s / (1 + s) / N for s in below]
    return sympy.log(sum(y)), sympy.log(y[0]) + sympy.log(N), [log_gap(sum(y) / y[0] / N), *short]
