"""Gradients of a smoothed objective, as evolution strategies take them.

    J(μ, σ) = E f(μ + σ z)        ∇_μ J = E[f z] / σ        ∇_σ J = E[f (z² - 1)] / σ                        [V1]
    E[(f(μ + σ z) - f(μ - σ z)) z] / 2σ = ∇_μ J            E[(f - f(μ)) z] / σ = ∇_μ J                      [V2]
    F⁻¹ ∇J = (σ E[f z], σ E[f (z² - 1)] / 2)                                                               [V3]

Wierstra et al. (2014), §2; Salimans et al. (2017), §2; Nesterov and Spokoiny (2017) for the smoothing.
"""

from typing import Any

import sympy

from rlexact.symbolic.gaussian import L, expectation, m, mu, noise, s, z
from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import gradient, reals
from rlexact.symbolic.reparameterisation import CUBIC, GRADIENT, expected, f, sample
from rlexact.symbolic.small_model import inverse

NES = "Wierstra et al. (2014), §2"


@identity(r"\nabla_{\mu,\sigma}\,\mathbb{E}f = \tfrac1\sigma\mathbb{E}\left[f\,(z,\ z^2-1)\right]", NES, CUBIC)
def evolution_gradient() -> Any:
    return GRADIENT, [expected(f(sample) * z) / s, expected(f(sample) * (z**2 - 1)) / s]


@identity(
    r"\nabla_\mu\mathbb{E}f = \tfrac{1}{2\sigma}\mathbb{E}[(f(\mu+\sigma z)-f(\mu-\sigma z))\,z]",
    "Salimans et al. (2017), §2.1",
    CUBIC,
)
def antithetic_evolution_gradient() -> Any:
    return GRADIENT[0], expected((f(sample) - f(m - s * z)) * z) / (2 * s)


@identity(
    r"\nabla_\mu\mathbb{E}f = \tfrac{1}{\sigma}\mathbb{E}[(f(\mu+\sigma z)-b)\,z]",
    "Nesterov and Spokoiny (2017)",
    CUBIC,
)
def evolution_gradient_with_baseline() -> Any:
    """The baseline b = f(μ), or any other that does not depend on z, leaves it unbiased."""
    return GRADIENT[0], expected((f(sample) - f(m)) * z) / s


@identity(
    r"F^{-1}\nabla J = \left(\sigma\mathbb{E}[fz],\ \tfrac{\sigma}{2}\mathbb{E}[f(z^2-1)]\right)",
    "Wierstra et al. (2014), §3",
    CUBIC,
)
def natural_evolution_gradient() -> Any:
    natural = sympy.diag(s**2, s**2 / 2) * GRADIENT
    return natural, [s * expected(f(sample) * z), s / 2 * expected(f(sample) * (z**2 - 1))]


@identity(r"\nabla_\mu\mathbb{E}f = f'(\mu) + \tfrac{\sigma^2}{2} f'''(\mu)", "Taylor's expansion", CUBIC)
def smoothing_bias() -> Any:
    """What smoothing adds to the gradient at μ, exactly, for a cubic."""
    return GRADIENT[0], sympy.diff(f(m), m) + s**2 / 2 * sympy.diff(f(m), m, 3)


@identity(
    r"\nabla_\mu\mathbb{E}f(\mu + Lz) = L^{-\top}\,\mathbb{E}[f(\mu+Lz)\,z]",
    "Wierstra et al. (2014), §3",
    "n = 2, f any quadratic",
)
def full_evolution_gradient() -> Any:
    """With a full covariance Σ = L Lᵀ."""
    c = reals("c", 5)

    def quadratic(y: Any) -> Any:
        return c[0] * y[0] ** 2 + c[1] * y[0] * y[1] + c[2] * y[1] ** 2 + c[3] * y[0] + c[4] * y[1]

    def average(g: Any) -> Any:
        return expectation(sympy.expand(g), noise)

    value = quadratic(mu + L * sympy.Matrix(noise))
    return gradient(average(value), list(mu)), inverse(L).T * sympy.Matrix([average(value * w) for w in noise])
