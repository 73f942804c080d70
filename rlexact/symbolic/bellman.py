"""Bellman's equations, unrolled and summed.

    V = r_π + γ P_π V            Q = r + γ P V            V = Σ_a π Q                                       [B1]
    V = Σ_{k<n} (γ P_π)^k r_π + (γ P_π)^n V                                                               [B2]
    d = μ + γ P_πᵀ d             J = μᵀ V = dᵀ r_π        1ᵀ d = 1 / (1 - γ)                                [B3]

Sutton and Barto (2018), (3.14); Puterman (1994), §6.1 and §6.9. `small_model` holds P, r, π and μ, all free.
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import gamma
from rlexact.symbolic.small_model import S, mixed, model, mu, pi, proper

TWO = "two states, two actions"


@identity(r"V^\pi = r_\pi + \gamma P_\pi V^\pi", "Puterman (1994), Theorem 6.1.1", TWO, *proper)
def bellman_equation() -> Any:
    v = model.value(pi)
    return v, model.rewards(pi) + gamma * model.kernel(pi) * v


@identity(r"V^\pi(s) = \sum_a \pi(a|s) Q^\pi(s,a)", "Sutton and Barto (2018), exercise 3.18", TWO, *proper)
def value_from_action_values() -> Any:
    q = model.action_value(pi)
    return model.value(pi), [mixed(pi, q, s) for s in S]


@identity(r"Q = r + \gamma P \textstyle\sum_a \pi Q", "Sutton and Barto (2018), exercise 3.17", TWO, *proper)
def action_value_expansion() -> Any:
    """Bellman's equation for action values: V does not appear."""
    q = model.action_value(pi)
    return q, model.backup([mixed(pi, q, s) for s in S])


@identity(r"V = r_\pi + \gamma P_\pi r_\pi + \gamma^2 P_\pi^2 V", "Puterman (1994), §6.1", TWO, *proper)
def two_step_expansion() -> Any:
    k, r, v = gamma * model.kernel(pi), model.rewards(pi), model.value(pi)
    return v, r + k * r + k * k * v


@identity(r"\sum_a \pi(a|s) A^\pi(s,a) = 0,\quad A = Q - V", "Baird (1993)", TWO, *proper)
def advantages_average_to_zero() -> Any:
    """Written for two actions as π(1|s) A(s,1) = -π(2|s) A(s,2)."""
    a = model.advantage(pi)
    return [pi[s, 0] * a[s, 0] for s in S], [-pi[s, 1] * a[s, 1] for s in S]


@identity(r"\mu^\top V^\pi = \sum_{s,a} d^\pi(s) \pi(a|s) r(s,a)", "Puterman (1994), Theorem 6.9.1", TWO, *proper)
def occupancy_identity() -> Any:
    """J by values and J by visits."""
    return model.objective(pi), (model.visits(pi).T * model.rewards(pi))[0]


@identity(r"d^\pi = \mu + \gamma P_\pi^\top d^\pi", "Puterman (1994), §6.9.1", TWO, *proper)
def flow_of_visits() -> Any:
    d = model.visits(pi)
    return d, mu + gamma * model.kernel(pi).T * d


@identity(r"\sum_s d^\pi(s) = \frac{1}{1-\gamma}", "Puterman (1994), §6.9.1", TWO, *proper)
def total_of_visits() -> Any:
    return sum(model.visits(pi)), 1 / (1 - gamma)


@identity(
    r"\sum_{k<3} (\gamma P)^k + (\gamma P)^3 (I-\gamma P)^{-1} = (I-\gamma P)^{-1}", "Neumann (1877)", TWO, *proper
)
def neumann_series() -> Any:
    k = gamma * model.kernel(pi)
    return sympy.eye(2) + k + k**2 + k**3 * model.resolvent(pi), model.resolvent(pi)
