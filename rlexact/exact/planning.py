"""Planning that stops short, and planning in a model that is wrong: what each costs, exactly.

    π(s) = argmax_a Q_0(s, a) of H steps in the model, from every state afresh                     [N1]  mpc_policy
    V* - V^π                                                                                       [N2]  regret
        ≤ 2 γ^H ‖g - V*‖∞ / (1 - γ),   g valued after the last step                                [N3]  mpc_bound
    B_k = T̂_π^k V_π: k steps in the model, then the truth                                          [N4]  branched_value
    B_k - V_π = Σ_{i<k} (γ P̂)^i (r̂ - r + γ (P̂ - P) V_π)                                            [N5]  branched_gap
        ≤ (‖r̂ - r‖∞ + γ max_s ‖P̂(s) - P(s)‖₁ ‖V_π‖∞) Σ_{i<k} γ^i
    ‖ρ P̂^k - ρ P^k‖₁ ≤ k max_s ‖P̂(s) - P(s)‖₁                                                      [N6]  branched_shift

A hat marks the model, P and r are those of the policy's chain. [N3] is the loss of a greedy step (Singh and Yee 1994) at
distance γ^(H-1) ‖g - V*‖; [N4] is the rollout of Janner, Fu, Zhang and Levine (2019), §4.2, valued as by Feinberg et al.
(2018); at k = ∞ [N5] is the simulation lemma. [N6] goes on in the model from wherever the truth had come.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import bellman_policy
from rlexact.exact.bound import Bound
from rlexact.exact.difference import Difference, Simulation, refuse_unlike, row_norms
from rlexact.exact.evaluation import policy_value, refuse_undiscounted
from rlexact.exact.horizon import backward_induction, counted, final_values, visits_over_horizon
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class Regret:
    """V* `best` (S,), V^π `value` (S,), and their difference `regret` (S,) ≥ 0 [N2]."""

    best: Array
    value: Array

    @property
    def regret(self) -> Array:
        return ar.tidy(self.best - self.value)


def mpc_policy(model: MDP, horizon: int, *, terminal_values: Array | None = None) -> Array:
    """Plan `horizon` steps in the model, take the first, plan again [N1]: -> (S, A), first maximisers.

    `terminal_values` g (S,) are what a state is worth after the plan (0 if not given). The model may be another than the one
    in which the policy then acts, or have another discount: `model.replace(gamma=1)` plans for the plain sum.
    Raises `ValueError` for a horizon below 1, or values at terminal states.
    """
    if counted(horizon) == 0:
        raise ValueError("horizon = 0: a plan without steps does not say what to do")
    return np.asarray(backward_induction(model, horizon, terminal_values=terminal_values).policy[0])


def regret(mdp: MDP, policy: Array) -> Regret:
    """What a policy gives away in the true model [N2]: (S, A) -> `Regret`.

    Exact in rationals. Raises `InvalidPolicy` at γ = 1 where the policy never ends and is paid, `Unbounded`, `NotConverged`.
    """
    return Regret(policy_iteration(mdp).v, policy_value(mdp, policy))


def mpc_bound(mdp: MDP, horizon: int, *, terminal_values: Array | None = None) -> Bound:
    """The largest regret of planning `horizon` steps in the true model, and its bound [N3]: -> `Bound`, in rewards.

    Attained at H = 1 by a state that pays 2γε to stay where g is ε too high, and one that g holds ε too low.
    Raises `InvalidMDP` at γ = 1.
    """
    refuse_undiscounted(mdp, "the bound on a short plan")
    found = regret(mdp, mpc_policy(mdp, horizon, terminal_values=terminal_values))
    off = ar.largest(np.abs(final_values(mdp, terminal_values) - found.best))
    worst = 2 * mdp.gamma**horizon * off / (1 - mdp.gamma)
    return Bound(ar.largest(found.regret), worst, size=ar.largest(np.abs(found.best)))


def branched_value(mdp: MDP, model: MDP, policy: Array, steps: int, *, values: Array | None = None) -> Array:
    """`steps` steps of the policy in the model, then `values` (S,), V_π of `mdp` if not given [N4]: (S, A) -> (S,)."""
    refuse_unlike(mdp, model)
    v = policy_value(mdp, policy) if values is None else final_values(mdp, values)
    for _ in range(counted(steps)):
        v = bellman_policy(model, policy, v)
    return v


def branched_gap(mdp: MDP, model: MDP, policy: Array, steps: int) -> Simulation:
    """What a wrong model does to a branched value, state by state [N5]: (S, A) -> `Simulation`.

    The bound is attained where rewards differ by the same amount everywhere. Raises `ValueError` where the models are not
    alike in shape and discount, `MixedNumbers`; γ = 1 will do for a policy that has a value.
    """
    refuse_unlike(mdp, model)
    (P, r), (P_hat, r_hat) = mdp.under(policy), model.under(policy)
    v, moved = policy_value(mdp, policy), P_hat - P
    term = ar.tidy(r_hat - r + mdp.gamma * (moved @ v))
    worst = ar.largest(np.abs(r_hat - r)) + mdp.gamma * ar.largest(row_norms(moved)) * ar.largest(np.abs(v))
    right, total = 0 * v, 0 * worst
    for i in range(counted(steps)):
        right, total = ar.tidy(right + term), total + mdp.gamma**i * worst
        term = ar.tidy(mdp.gamma * (P_hat @ term))
    gap = Difference(ar.tidy(branched_value(mdp, model, policy, steps) - v), right)
    return Simulation(gap, Bound(ar.largest(np.abs(gap.left)), total, size=ar.largest(np.abs(v))))


def branched_states(model: MDP, policy: Array, steps: int, start: Any) -> Array:
    """Pr(s_k) for k = 0, ..., K after branching into the model: (S, A), start law (S,) or a state -> (K + 1, S).

    What has ended is missing from its row. `start` is where the true episodes were left, such as their `occupancy`.
    """
    return visits_over_horizon(model.replace(gamma=1, initial=start), policy, steps)


def branched_shift(mdp: MDP, model: MDP, policy: Array, steps: int, start: Any) -> Bound:
    """How far the states of branched rollouts drift from the true ones, step by step [N6]: -> `Bound` of (K + 1,)."""
    refuse_unlike(mdp, model)
    apart = branched_states(model, policy, steps, start) - branched_states(mdp, policy, steps, start)
    worst = ar.largest(row_norms(model.under(policy)[0] - mdp.under(policy)[0]))
    return Bound(np.abs(apart).sum(axis=1), worst * np.arange(counted(steps) + 1), size=1)
