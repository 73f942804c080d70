"""The λ-return in expectation, over an endless stretch.

    T^λ v = (1 - λ) Σ_{n ≥ 1} λ^{n-1} T^n v = v + (I - γ λ P)⁻¹ (T v - v),      T v = r + γ P v             [O1]
    T^λ V = V                                                                                              [O2]

The series X = Σ (γ λ P)^k solves X = I + γ λ P X; [O1]'s left side solves the equation below, whose solution is unique.
Bertsekas and Tsitsiklis (1996), §5.3; Sutton and Barto (2018), §12.1.
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import below_one, gamma, lam, reals
from rlexact.symbolic.small_model import both, inverse

chance = sympy.symbols("p_0 p_1", positive=True)
P, r, v = both(chance), sympy.Matrix(reals("r", 2)), sympy.Matrix(reals("v", 2))
LIMITS = below_one(gamma, lam, *chance)
SOURCE = "Bertsekas and Tsitsiklis (1996), §5.3"


def backup(v: Any) -> Any:
    """T v."""
    return r + gamma * P * v


def lambda_backup(v: Any) -> Any:
    """v + (I - γ λ P)⁻¹ (T v - v)."""
    return v + inverse(sympy.eye(2) - gamma * lam * P) * (backup(v) - v)


@identity(r"T^\lambda v = r + \gamma P\left((1-\lambda)v + \lambda T^\lambda v\right)", SOURCE, *LIMITS)
def lambda_operator_recursion() -> Any:
    """The equation that (1 - λ) Σ λ^{n-1} T^n v solves, by shifting its index."""
    return lambda_backup(v), backup((1 - lam) * v + lam * lambda_backup(v))


@identity(r"T^\lambda V = V", SOURCE, *LIMITS)
def lambda_operator_fixed_point() -> Any:
    value = inverse(sympy.eye(2) - gamma * P) * r
    return lambda_backup(value), value


@identity(r"T^{\lambda=0} v = Tv,\quad T^{\lambda=1} v = (I-\gamma P)^{-1}r", SOURCE, *LIMITS)
def lambda_operator_limits() -> Any:
    ends = sympy.Matrix.vstack(lambda_backup(v).subs(lam, 0), lambda_backup(v).subs(lam, 1))
    return ends, sympy.Matrix.vstack(backup(v), inverse(sympy.eye(2) - gamma * P) * r)


@identity(r"T^\lambda v - V = (1-\lambda)\,\gamma P (I-\gamma\lambda P)^{-1}(v - V)", SOURCE, *LIMITS)
def lambda_operator_contracts() -> Any:
    """The matrix has row sums γ (1 - λ) / (1 - γ λ): the modulus."""
    value = inverse(sympy.eye(2) - gamma * P) * r
    return lambda_backup(v) - value, (1 - lam) * gamma * P * inverse(sympy.eye(2) - gamma * lam * P) * (v - value)
