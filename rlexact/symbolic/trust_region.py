"""The geometry of a step: natural gradients and quadratic trust regions.

    φ = φ(θ), J = ∂θ/∂φ:  F_φ = Jᵀ F J,  g_φ = Jᵀ g,  so  J F_φ⁻¹ g_φ = F⁻¹ g                               [N1]
    max gᵀx  s.t. ½ xᵀFx = δ:   g = ν F x,   x = F⁻¹ g / ν,   ν² = gᵀF⁻¹g / 2δ                              [N2]
    gᵀx ≤ √(2δ gᵀF⁻¹g): (gᵀx)² ≤ (gᵀF⁻¹g)(xᵀFx)                                                           [N3]

F = L Lᵀ, any positive definite matrix, n = 2.  Amari (1998), Theorem 1; Kakade (2002); Schulman et al. (2015), appendix C.
"""

from typing import Any

import sympy

from rlexact.symbolic.gaussian import L
from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import reals, simplex
from rlexact.symbolic.sensitivity import square
from rlexact.symbolic.small_model import inverse

fisher = L * L.T
g, x = sympy.Matrix(reals("g", 2)), sympy.Matrix(reals("x", 2))
multiplier = sympy.Symbol("nu", positive=True)
step = inverse(fisher) * g / multiplier
AMARI, TRPO = "Amari (1998), Theorem 1", "Schulman et al. (2015), appendix C"


@identity(r"J (J^\top F J)^{-1} J^\top g = F^{-1} g", AMARI, "J invertible")
def natural_gradient_invariance() -> Any:
    """The step in θ is the same whatever the coordinates φ it is computed in."""
    j = square("J")
    return j * inverse(j.T * fisher * j) * j.T * g, inverse(fisher) * g


@identity(r"\frac{d\pi}{dz}F_z^{-1}\frac{dJ}{dz} = F_\pi^{-1}\frac{dJ}{d\pi}", AMARI)
def natural_gradient_of_a_coin() -> Any:
    """Two actions with values q: by the logit z with F = π(1-π), and by the chance π with F = 1/π(1-π)."""
    p, rest = simplex("w", 2)
    q, slope = reals("q", 2), p * rest  # dπ/dz
    by_logit = slope / (p * rest) * slope * (q[0] - q[1])
    return by_logit, (q[0] - q[1]) / (1 / p + 1 / rest)


@identity(r"\nabla\left(g^\top x - \nu(\tfrac12 x^\top F x - \delta)\right) = 0 \text{ at } x = F^{-1}g/\nu", TRPO)
def trust_region_stationarity() -> Any:
    return multiplier * fisher * step, g


@identity(r"\tfrac12 x^\top F x = \delta,\quad g^\top x = 2\delta\nu,\quad \nu^2 = g^\top F^{-1}g / 2\delta", TRPO)
def trust_region_multiplier() -> Any:
    """The budget that ν spends, and the gain per unit of it."""
    budget = (g.T * inverse(fisher) * g)[0] / (2 * multiplier**2)
    return [(step.T * fisher * step)[0] / 2, (g.T * step)[0]], [budget, 2 * budget * multiplier]


@inequality(r"(g^\top x)^2 \le (g^\top F^{-1}g)(x^\top F x)", TRPO)
def trust_region_step_is_best() -> Any:
    """Cauchy-Schwarz in the metric: the slack is the square of the 2 × 2 determinant of L⁻¹g and Lᵀx."""
    whitened = sympy.Matrix.hstack(inverse(L) * g, L.T * x)
    return (g.T * x)[0] ** 2, (g.T * inverse(fisher) * g)[0] * (x.T * fisher * x)[0], [whitened.det() ** 2]


@identity(
    r"g^\top x - \tfrac{\nu}{2}x^\top Fx = \tfrac{1}{2\nu}g^\top F^{-1}g - \tfrac{\nu}{2}\|x - F^{-1}g/\nu\|_F^2", TRPO
)
def penalised_step_with_its_gap() -> Any:
    """The penalty form, by completing the square."""
    away = x - step
    left = (g.T * x)[0] - multiplier / 2 * (x.T * fisher * x)[0]
    return left, (g.T * step)[0] / 2 - multiplier / 2 * (away.T * fisher * away)[0]


@inequality(r"0 \le g^\top F^{-1} g", AMARI)
def natural_gradient_ascends() -> Any:
    """|L⁻¹ g|²."""
    return 0, (g.T * inverse(fisher) * g)[0], [y**2 for y in inverse(L) * g]
