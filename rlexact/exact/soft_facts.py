"""What is always true of soft control, with both sides computed.

    ‖T v - T w‖ ≤ m ‖v - w‖                                                           `contraction`             [X1]
    v ≤ w implies T v ≤ T w                                                           `monotonicity`            [X2]
    V^π ≤ V^π', π' soft-greedy for V^π                                                `improvement`             [X3]
    T v - T^π v = τ KL(π ‖ soft-greedy(v))                                            `free_energy`             [X4]
    V* - V^π = (I - γ P_π)⁻¹ τ KL(π ‖ π*)                                             `suboptimality`           [X5]
    V* - c₁ ≤ V_τ ≤ V* + c₂                                                           `hard_limit`, τ → 0       [X6]
        c₁ = τ max_s min_{a best} log(1 / μ(a | s)) / (1 - m),   c₂ = τ max_s log Σ_a μ(a | s) / (1 - m), both at least 0
    V^μ ≤ V_τ ≤ V^μ + max_s (max_a Q - min_a Q)² / (8 τ (1 - m))                      `reference_limit`, τ → ∞  [X7]

[X1]: Geist, Scherrer and Pietquin (2019), Proposition 2. [X3]: Haarnoja et al. (2018), Lemma 2. [X4] is the conjugacy of
log-sum-exp and entropy (Donsker and Varadhan); with π = the maximiser it proves optimality. [X5] is [X4] at v = V*, summed
along π (Mei et al. 2020, Lemma 26). [X6]: max_a q + τ log μ(a) ≤ soft maximum ≤ max_a q + τ log Σ μ; without a reference
c₁ = 0 and c₂ = τ log A / (1 - γ). [X7] is Hoeffding's lemma; V^μ is the soft value of μ / Σ μ, Q = r + γ P V_τ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.bellman import backup, optimal_actions
from rlexact.exact.chain import named
from rlexact.exact.contraction import contracting, moduli, settled
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.soft_bellman import SoftControl, soft_control
from rlexact.exact.soft_evaluation import charged
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class Sides:
    """A statement smaller ≤ larger (or smaller = larger), both computed: numbers or (S,) arrays."""

    smaller: Any
    larger: Any

    @property
    def slack(self) -> Any:
        """larger - smaller: at least 0 up to rounding, and 0 where the statement is an equation."""
        return ar.tidy(self.larger - self.smaller)


def contraction(mdp: MDP, v: Array, w: Array, temperature: Any, reference: Array | None = None) -> Sides:
    """[X1]: (S,), (S,) -> two numbers."""
    control = soft_control(mdp, temperature, reference)
    apart = ar.largest(np.abs(v - w)[~mdp.terminal])
    return Sides(ar.largest(np.abs(control.optimal(v) - control.optimal(w))), moduli(mdp).most * apart)


def monotonicity(mdp: MDP, v: Array, w: Array, temperature: Any, reference: Array | None = None) -> Sides:
    """[X2]: (S,) ≤ (S,) -> two of (S,).  Raises `ValueError` unless v ≤ w."""
    if ar.negative(np.asarray(w - v)).any():
        s = int(np.flatnonzero(ar.negative(np.asarray(w - v)))[0])
        raise ValueError(f"v[{s}] = {v[s]} is above w[{s}] = {w[s]}: give v ≤ w")
    control = soft_control(mdp, temperature, reference)
    return Sides(control.optimal(v), control.optimal(w))


def improvement(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> Sides:
    """[X3], the soft values of the policy and of its improvement: (S, A) -> two of (S,)."""
    control = soft_control(mdp, temperature, reference)
    v = value(control, policy)
    return Sides(v, value(control, control.greedy(v)))


def free_energy(mdp: MDP, policy: Array, v: Array, temperature: Any, reference: Array | None = None) -> Sides:
    """[X4], an equation: (S, A), (S,) -> two of (S,).  Both are 0 exactly where the policy is soft-greedy for v."""
    control = soft_control(mdp, temperature, reference)
    gap = control.optimal(v) - ar.average(mdp.admit(policy), backup(mdp, v) - control.price(policy))
    return Sides(ar.tidy(gap), distance(control, policy, v))


def suboptimality(
    mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None, *, tol: Any = 1e-8
) -> Sides:
    """[X5], an equation: (S, A) -> two of (S,).  V* comes from `soft_policy_iteration`, within `tol`."""
    control = soft_control(mdp, temperature, reference)
    best = soft_policy_iteration(mdp, temperature, reference, tol=tol).v
    P, _ = mdp.under(policy)
    along = ar.solve(ar.eye(P) - mdp.gamma * P, distance(control, policy, best))
    return Sides(best - value(control, policy), along)


def hard_limit(mdp: MDP, temperature: Any, reference: Array | None = None, *, tol: Any = 1e-8) -> tuple[Sides, Sides]:
    """[X6] V* - c₁ ≤ V_τ, and V_τ ≤ V* + c₂: four of (S,), 0 at terminal states.

    Raises `InvalidMDP` unless the modulus is below 1, and `InvalidPolicy` where the reference leaves out every best action
    of a state: V_τ then tends to less than V*.
    """
    control, reach = soft_control(mdp, temperature, reference), contracting(mdp)
    hard, per_step = policy_iteration(mdp).v, control.tau / (1 - reach.most)
    c1, c2 = per_step * ar.largest(-log_best_mass(control, hard)), per_step * ar.largest(log_mass(control))
    soft = soft_policy_iteration(mdp, temperature, reference, tol=tol).v
    return Sides(settled(mdp, hard - c1), soft), Sides(soft, settled(mdp, hard + c2))


def reference_limit(
    mdp: MDP, temperature: Any, reference: Array | None = None, *, tol: Any = 1e-8
) -> tuple[Sides, Sides]:
    """[X7] V^μ ≤ V_τ, and V_τ ≤ V^μ + range² / (8 τ (1 - m)): four of (S,), 0 at terminal states.

    Raises `InvalidMDP` unless the modulus is below 1.
    """
    control, m = soft_control(mdp, temperature, reference), contracting(mdp).most
    best = soft_policy_iteration(mdp, temperature, reference, tol=tol)
    top, bottom = ar.best(best.q, control.support)[0], -ar.best(-best.q, control.support)[0]
    base = value(control, control.base())
    reach = ar.largest((top - bottom) ** 2) / (8 * control.tau * (1 - m))
    return Sides(base, best.v), Sides(best.v, settled(mdp, base + reach))


# -- the pieces -------------------------------------------------------------------------------------------------------


def value(control: SoftControl, policy: Array) -> Array:
    return policy_value(charged(control, policy), policy)


def distance(control: SoftControl, policy: Array, v: Array) -> Array:
    """τ KL(π ‖ soft-greedy(v)) = τ KL(π ‖ μ) - Σ_a π Q + τ log Σ μ exp(Q / τ), by its logarithms: (S, A), (S,) -> (S,)."""
    pi, best = control.mdp.admit(policy), control.greedy(v)
    used = ar.apart(pi, 0)
    control.price(policy)
    ratio = ar.surprise(pi, np.where(used, best, ar.ones(pi, pi.shape)))
    return ar.tidy(control.tau * ar.average(pi, ratio))


def log_mass(control: SoftControl) -> Array:
    """log Σ_a μ(a | s), 0 at terminal states: (S,)."""
    return ar.soft_best(0 * control.mdp.r, control.weights, ar.number(control.tau, 1))[0]


def log_best_mass(control: SoftControl, v: Array) -> Array:
    """log of the largest μ(a | s) on a best action of v, 0 at terminal states: (S,)."""
    mass, _ = ar.best(np.where(optimal_actions(control.mdp, v), control.weights, 0 * control.weights), control.support)
    if (missing := ~control.mdp.terminal & ~ar.apart(mass, 0)).any():
        raise InvalidPolicy(
            f"the reference leaves out every best action of {named(control.mdp, [int(missing.argmax())])}"
        )
    return ar.log(np.where(control.mdp.terminal, 1 + 0 * mass, mass))
