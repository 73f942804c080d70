"""A policy's values as functions of the discount: fractions of polynomials with rational coefficients.

    V(γ) = (I - γ P_π)⁻¹ r_π = N(γ) / D(γ),   D(γ) = det(I - γ P_π)                    [F1]  value_curve
    Q(γ) = r + γ P V(γ)                                                                [F2]  action_value_curve
    A(γ) = Q(γ) - V(γ)                                                                 [F3]  advantage_curve
    J(γ) = ρ · V(γ)                                                                    [F4]  return_curve

N and D come from the characteristic polynomial of P_π and the first powers of P_π on r_π, and are in lowest terms: one
common denominator with D(0) = 1, positive on [0, 1) since P_π has no eigenvalue outside the unit disc. A pole at γ = 1 that
cancels is gone, so a policy that ends has its undiscounted value there. The model's own discount plays no part.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, SingularSystem
from rlexact.arithmetic.polynomial import product, resolvent, slope, value_at
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class Curve:
    """Functions of the discount with one denominator: `numerators` (..., d) over `denominator` (d',), in `Fraction`.

    Coefficients ascend: numerators[s, k] belongs to γ^k. Call it with an exact discount to evaluate.
    """

    numerators: Array
    denominator: Array

    def __call__(self, gamma: Any) -> Any:
        """The values at an integer, Fraction or decimal string -> (...).  Raises `SingularSystem` at a pole."""
        x = ar.number(self.denominator, gamma)
        below = value_at(self.denominator, x)
        if below == 0:
            raise SingularSystem(f"gamma = {x} is a pole: the value is not finite there")
        return value_at(self.numerators, x) / below

    def derivative(self) -> "Curve":
        """d/dγ, by the quotient rule."""
        N, D = self.numerators, self.denominator
        return Curve(added(product(slope(N), D), -product(N, slope(D))), product(D, D))

    def to_sympy(self, gamma: Any = None) -> Any:
        """The functions as SymPy expressions in `gamma` (a symbol γ unless given): an object array, or one expression."""
        import sympy

        x = sympy.Symbol("gamma") if gamma is None else gamma
        top, below = (value_at(rationals(c), x) for c in (self.numerators, self.denominator))
        return np.vectorize(lambda n: sympy.cancel(n / below), otypes=[object])(top)[()]


def value_curve(mdp: MDP, policy: Array) -> Curve:
    """V^π as a function of the discount [F1]: (S, A) -> curves (S,).  Raises `NotExact` unless the model is rational."""
    return Curve(*resolvent(*mdp.under(policy)))


def action_value_curve(mdp: MDP, policy: Array) -> Curve:
    """Q^π as a function of the discount [F2]: (S, A) -> curves (S, A), 0 where nothing can be done."""
    return backed_up(mdp, value_curve(mdp, policy))


def advantage_curve(mdp: MDP, policy: Array) -> Curve:
    """A^π as a function of the discount over available actions, 0 elsewhere [F3]: (S, A) -> curves (S, A)."""
    return advantage_of(mdp, value_curve(mdp, policy))


def return_curve(mdp: MDP, policy: Array) -> Curve:
    """J as a function of the discount, from `mdp.initial` [F4]: (S, A) -> one curve, in lowest terms over all states."""
    v = value_curve(mdp, policy)
    return Curve(mdp.initial @ v.numerators, v.denominator)


def backed_up(mdp: MDP, v: Curve) -> Curve:
    """r + γ P v: curves (S,) -> curves (S, A)."""
    paid = product(mdp.r[:, :, None], v.denominator)
    later = (mdp.kernel @ v.numerators).reshape(*mdp.r.shape, -1)
    return Curve(added(paid, np.concatenate([ar.zeros(mdp.r, (*mdp.r.shape, 1)), later], axis=-1)), v.denominator)


def advantage_of(mdp: MDP, v: Curve) -> Curve:
    q = backed_up(mdp, v)
    gap = added(q.numerators, -v.numerators[:, None, :])
    return Curve(np.where(mdp.available[:, :, None], gap, ar.zeros(mdp.r, gap.shape)), v.denominator)


def added(one: Array, other: Array) -> Array:
    """Sums of polynomials of different degrees along the last axis."""
    width = max(one.shape[-1], other.shape[-1])
    return padded(one, width) + padded(other, width)


def padded(ascending: Array, width: int) -> Array:
    missing = (*ascending.shape[:-1], width - ascending.shape[-1])
    return np.concatenate([ascending, ar.zeros(ascending, missing)], axis=-1)


def rationals(x: Array) -> Array:
    import sympy

    return np.asarray(np.vectorize(lambda f: sympy.Rational(f.numerator, f.denominator), otypes=[object])(x))
