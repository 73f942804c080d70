"""Derivatives of the resolvent R = (I - γ P)⁻¹, and what V inherits from them.

    dR = R (dγ P + γ dP) R        dV/dγ = R P V        dV = R (dr + γ dP V)                               [D1]
    X⁻¹ - Y⁻¹ = X⁻¹ (Y - X) Y⁻¹                                                                           [D2]
    (X + u vᵀ)⁻¹ = X⁻¹ - X⁻¹ u vᵀ X⁻¹ / (1 + vᵀ X⁻¹ u)                                                     [D3]

Sherman and Morrison (1950) for [D3]; Kato (1966), §I.5 for [D2]; Kearns and Singh (2002) for the simulation lemma.
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import along, eps, gamma, reals
from rlexact.symbolic.small_model import Model, both, chances, inverse, model, p, pi, proper, reward

direction = sympy.Matrix(2, 2, lambda s, a: sympy.Symbol(f"h_{s}{a}", real=True))


def square(name: str) -> Any:
    return sympy.Matrix(2, 2, reals(name, 4))


@identity(r"\frac{dV}{d\gamma} = (I-\gamma P)^{-1} P V", "the derivative of the resolvent", *proper)
def derivative_in_the_discount() -> Any:
    v = model.value(pi)
    return v.diff(gamma), model.resolvent(pi) * model.kernel(pi) * v


@identity(r"\frac{dV}{dr} = (I-\gamma P)^{-1} \Pi", "the derivative of the resolvent", *proper)
def derivative_in_the_rewards() -> Any:
    """Along any change h of r(s, a)."""
    moved = Model(p, reward + eps * direction)
    return along(moved.value(pi)), model.resolvent(pi) * Model(p, direction).rewards(pi)


@identity(r"dV = \gamma (I-\gamma P)^{-1}\, dP\, V", "the derivative of the resolvent", *proper)
def derivative_in_the_kernel() -> Any:
    """Along any change of p(· | s, a) that keeps its sum: h(s, a) moves from state 2 to state 1."""
    v, moved = model.value(pi), Model(p + eps * direction, reward)
    return along(moved.value(pi)), gamma * model.resolvent(pi) * along(moved.kernel(pi)) * v


@identity(r"X^{-1} - Y^{-1} = X^{-1}(Y - X)Y^{-1}", "Kato (1966), §I.5", "X and Y invertible")
def second_resolvent_identity() -> Any:
    x, y = square("x"), square("y")
    return inverse(x) - inverse(y), inverse(x) * (y - x) * inverse(y)


@identity(
    r"(X + uv^\top)^{-1} = X^{-1} - \frac{X^{-1}uv^\top X^{-1}}{1 + v^\top X^{-1}u}",
    "Sherman and Morrison (1950)",
    "X and X + u vᵀ invertible",
)
def sherman_morrison() -> Any:
    x, u, v = square("x"), sympy.Matrix(reals("u", 2)), sympy.Matrix(reals("v", 2))
    y = inverse(x)
    return inverse(x + u * v.T), y - y * u * v.T * y / (1 + (v.T * y * u)[0])


@identity(r"\det(X + uv^\top) = (1 + v^\top X^{-1} u)\det X", "the matrix determinant lemma", "X invertible")
def matrix_determinant_lemma() -> Any:
    x, u, v = square("x"), sympy.Matrix(reals("u", 2)), sympy.Matrix(reals("v", 2))
    return (x + u * v.T).det(), (1 + (v.T * inverse(x) * u)[0]) * x.det()


@identity(
    r"V_M - V_{\hat M} = (I-\gamma P)^{-1}\left(r - \hat r + \gamma (P - \hat P) V_{\hat M}\right)",
    "Kearns and Singh (2002); one policy, two models",
    "state chains with free rewards",
    gamma < 1,
)
def simulation_lemma() -> Any:
    """As an equality, on two-state chains: the bound is its norm."""
    chain, other = both(chances("p")[:, 0]), both(chances("q")[:, 0])
    r, r_other = sympy.Matrix(reals("r", 2)), sympy.Matrix(reals("s", 2))
    inv, v_other = inverse(sympy.eye(2) - gamma * chain), inverse(sympy.eye(2) - gamma * other) * r_other
    return inv * r - v_other, inv * (r - r_other + gamma * (chain - other) * v_other)
