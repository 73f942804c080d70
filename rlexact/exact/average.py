"""Gain, bias and the rest of the Laurent expansion of V as the discount goes to 1, for any policy, multichain included.

    P* = lim_n (1/n) Σ_{t<n} P_π^t                                                       [A1]  limiting_matrix
    H = (I - P_π + P*)⁻¹ (I - P*)                                                        [A2]  deviation_matrix
    g = P* r_π,   h = H r_π                                                              [A3]  average_reward, bias
    V(γ) = (1 + ρ) Σ_{n≥-1} ρ^n y_n,   y_{-1} = g,  y_n = (-1)^n H^{n+1} r_π,   ρ = (1 - γ)/γ       [A4]  laurent
    V(γ) = g / (1 - γ) + h + O(1 - γ)                                                    [A5]  from [A4]

Puterman (1994), Appendix A.4 and A.5, Theorem 8.2.3 and Corollary 8.2.5. Row s of P* is Σ_C Pr_s(reach C) d_C over closed
classes C with stationary law d_C; mass that ends is lost, so rows of P* sum to the probability of never ending, and g counts
0 per step after the end. The expansion converges for ρ below the least non-zero |1 - λ| over eigenvalues λ of P_π; periodic
classes are no exception. h is what is gained in all beyond g per step, in the Cesàro sense, and P* h = 0.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.chain import closed_classes
from rlexact.exact.reach import reach_probability
from rlexact.exact.stationary import average_reward, stationary_laws
from rlexact.mdp import MDP


def limiting_matrix(mdp: MDP, policy: Array) -> Any:
    """P* [A1]: (S, A) -> (S, S) kernel, zero where every episode ends."""
    classes = closed_classes(mdp, policy)
    reached = np.array([reach_probability(mdp, policy, states) for states in classes]).reshape(-1, mdp.n_states)
    laws = stationary_laws(mdp, policy)
    P, _ = mdp.under(policy)
    return ar.assemble(P, *entries_of(reached, laws), P.shape)


def entries_of(reached: Array, laws: Array) -> tuple[Array, Array, Array]:
    """Rows, columns and values of Σ_C reached_C ⊗ law_C: (C, S), (C, S) -> three lists, in step."""
    classes, rows, cols = np.nonzero(ar.apart(reached, 0)[:, :, None] & ar.apart(laws, 0)[:, None, :])
    return rows, cols, reached[classes, rows] * laws[classes, cols]


def deviation_matrix(mdp: MDP, policy: Array) -> Array:
    """H [A2]: (S, A) -> (S, S)."""
    P, _ = mdp.under(policy)
    star = limiting_matrix(mdp, policy)
    return ar.solve(ar.eye(P) - P + star, ar.dense_array(ar.eye(P) - star))


def bias(mdp: MDP, policy: Array) -> Array:
    """The bias h of a policy [A3]: (S, A) -> (S,), in the units of the rewards.  Its gain is `average_reward`."""
    _, h = laurent(mdp, policy, 1)
    return np.asarray(h)


def laurent(mdp: MDP, policy: Array, order: int) -> Array:
    """The coefficients y_{-1}, y_0, ..., y_{order-1} of [A4]: (S, A) -> (order + 1, S): gain, bias, and on.

    Two policies that agree up to `order` = n are compared by n-discount optimality (Veinott 1969).
    """
    if order < 0:
        raise ValueError(f"order = {order}: give 0 (the gain alone) or more")
    P, r = mdp.under(policy)
    star = limiting_matrix(mdp, policy)
    terms, system = [average_reward(mdp, policy)], ar.eye(P) - P + star
    y = -r
    for _ in range(order):
        y = ar.tidy(-ar.solve(system, y - star @ y))
        terms.append(y)
    return np.array(terms)
