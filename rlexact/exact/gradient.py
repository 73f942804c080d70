"""The gradient of J(θ) = ρ · V^{π_θ}, and what is taken for it.

    ∇J = Σ_s η(s) Σ_a ∂π(a | s) Q(s, a)                                       [G1]  policy_gradient
    ∇J_T = E[Σ_{t<T} γ^t r_t · Σ_{t<T} ∂ log π(a_t | s_t)]                    [G2]  trajectory_gradient
         = Σ_{t<T} γ^t Σ_s Pr(s_t = s) Σ_a ∂π(a | s) Q_{T-t}(s, a)            [G3]  finite_horizon_gradient
    ∇²J = Σ_s [∂η(s) ∂ξ(s)ᵀ + ∂ξ(s) ∂η(s)ᵀ] + Σ_{s,a} η(s) Q(s, a) ∂²π(a | s) [G4]  hessian

with η(s) = Σ_t γ^t Pr(s_t = s), the discounted `visits`. J is not normalised: with d = (1 - γ) η in place of η it is
(1 - γ) J whose gradient is found. [G4] in terms of ∂ξ(s) = Σ_a ∂π(a | s) Q(s, a) and ∂η, the derivative of the visits.
Sutton, McAllester, Singh and Mansour (2000), Theorem 1; Williams (1992) for [G2].

Code that samples states as they come and drops γ^t from the sum follows another direction,

    g = Σ_s η₁(s) Σ_a ∂π(a | s) Q(s, a),   η₁(s) = Σ_t Pr(s_t = s),  Q discounted      [G5]  undiscounted_direction

For any weights w in place of η₁, (I - γ P_π)ᵀ w is the start measure from which g *is* the gradient of the value, held
fixed: c = γ ρ + (1 - γ) η₁ for [G5]. But c moves with θ: ∂g/∂θ is not symmetric [G6], so g is the gradient of no
function. Thomas (2014); Nota and Thomas (2020).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import ROW_SUM_TOLERANCE, InvalidPolicy
from rlexact.exact.bellman import backup
from rlexact.exact.chain import closed_classes, named
from rlexact.exact.evaluation import action_value, visits
from rlexact.exact.parameterisation import ParameterisedPolicy, scaled_rows
from rlexact.exact.paths import Path, checked_steps, expect
from rlexact.mdp import MDP


def policy_gradient(mdp: MDP, family: ParameterisedPolicy) -> Array:
    """∇J [G1]: -> an array of the shape of θ, in rewards per unit of θ.  Needs `mdp.initial`.

    Raises `InvalidPolicy` at γ = 1 if the policy can be trapped: there J need not be differentiable.
    """
    refuse_traps(mdp, family.policy)
    return weighted_gradient(mdp, family, visits(mdp, family.policy))


def weighted_gradient(mdp: MDP, family: ParameterisedPolicy, weights: Array) -> Array:
    """Σ_s w(s) Σ_a ∂π(a | s) Q(s, a) for any state weights: (S,) -> the shape of θ.  [G1] is the case of w = visits."""
    return family.pull(state_weights(mdp, weights)[:, None] * action_value(mdp, family.policy))


def finite_horizon_gradient(mdp: MDP, family: ParameterisedPolicy, steps: int) -> Array:
    """The gradient of the expected discounted reward of the first `steps` steps [G3]: -> the shape of θ."""
    P, _ = mdp.under(family.policy)
    v, later = ar.zeros(mdp.r, mdp.n_states), []
    for _ in range(checked_steps(steps)):
        later.append(backup(mdp, v))
        v = ar.average(family.policy, later[-1])
    w, law = ar.zeros(mdp.r, mdp.r.shape), mdp.initial
    for q in reversed(later):
        w, law = w + law[:, None] * q, mdp.gamma * (P.T @ law)
    return family.pull(ar.tidy(w))


def trajectory_gradient(mdp: MDP, family: ParameterisedPolicy, steps: int, *, limit: int = 1_000_000) -> Array:
    """The same gradient as an expectation over every path, return times summed scores [G2]: -> the shape of θ.

    Raises `TooManyPaths` above `limit`, `InvalidPolicy` where log π has no derivative, or where probabilities do not keep
    their sum (`direct`): rewards before an action then meet its score, and [G2] is not [G3].
    """
    refuse_unbalanced(mdp, family)
    scores = ar.dense_array(family.scores()).reshape(*family.policy.shape, *family.shape)
    nothing = ar.zeros(mdp.r, family.shape)

    def estimate(path: Path) -> Array:
        earned = sum((mdp.gamma**t * r for t, r in enumerate(path.rewards)), start=0 * mdp.gamma)
        return np.asarray(
            earned * sum((scores[s, a] for s, a in zip(path.states, path.actions, strict=False)), start=nothing)
        )

    return np.asarray(expect(mdp, family.policy, steps, estimate, limit=limit))


def hessian(mdp: MDP, family: ParameterisedPolicy) -> Array:
    """∇²J [G4]: -> (K, K), symmetric, parameters in row-major order.

    Raises `InvalidPolicy` as `policy_gradient` does, and where the family came without second derivatives.
    """
    return direction_jacobian(mdp, family, mdp.gamma)


def undiscounted_direction(mdp: MDP, family: ParameterisedPolicy) -> Array:
    """What γ^t left out of the state sum makes of the gradient [G5]: -> the shape of θ.  Equals ∇J at γ = 1 only.

    Raises `InvalidPolicy` where episodes do not end with probability 1, since η₁ is then infinite.
    """
    return weighted_gradient(mdp, family, visits(mdp.replace(gamma=1), family.policy))


def start_behind(mdp: MDP, policy: Array, weights: Array) -> Array:
    """(I - γ P_π)ᵀ w, the start measure whose visits are the weights: (S,) -> (S,).

    Held fixed, it makes `weighted_gradient` a gradient of Σ_s c(s) V(s). A negative entry means that no start has these
    visits.
    """
    P, _ = mdp.under(policy)
    return ar.tidy(state_weights(mdp, weights) - mdp.gamma * (P.T @ state_weights(mdp, weights)))


def curl(mdp: MDP, family: ParameterisedPolicy, discount: Any = 1) -> Array:
    """∂g/∂θ - (∂g/∂θ)ᵀ for states weighted with `discount` [G6]: -> (K, K), zero throughout iff g is locally a gradient.

    `discount=mdp.gamma` is the true gradient, and gives 0.
    """
    D = direction_jacobian(mdp, family, discount)
    return ar.tidy(D - D.T)


def direction_jacobian(mdp: MDP, family: ParameterisedPolicy, discount: Any) -> Array:
    """∂g/∂θ where g = Σ_s η_d(s) Σ_a ∂π Q and η_d discounts the visits with `discount`, Q with γ: -> (K, K).

    [j, k] is the derivative of component j by parameter k. Three terms: ∂η_d by the flow that slopes add, ∂Q = γ P ∂V
    with ∂V = (I - γ P_π)⁻¹ ∂ξ, and ∂²π.
    """
    if family.curvature is None:
        raise InvalidPolicy("this family has no second derivatives: give with_jacobian(..., hessian=)")
    other = mdp.replace(gamma=discount)
    refuse_traps(mdp, family.policy)
    refuse_traps(other, family.policy)
    pi, slopes, (P, _) = family.policy, family.slopes, mdp.under(family.policy)
    q, eta = action_value(mdp, pi), visits(other, pi)
    per_pair = np.repeat(eta, mdp.n_actions)
    xi = ar.mix(q, slopes)
    d_v = ar.solve(ar.eye(P) - mdp.gamma * P, ar.dense_array(xi))
    d_q = mdp.gamma * (mdp.kernel @ d_v)
    flow = other.gamma * (mdp.kernel.T @ ar.dense_array(scaled_rows(slopes, per_pair)))
    d_eta = ar.solve((ar.eye(P) - other.gamma * P).T, flow)
    return ar.tidy(xi.T @ d_eta + slopes.T @ (per_pair[:, None] * d_q) + family.curvature(eta[:, None] * q))


def state_weights(mdp: MDP, weights: Array) -> Array:
    array = mdp.beside("weights", weights)
    if array.shape != (mdp.n_states,):
        raise ValueError(f"weights have shape {array.shape}: give one for each of {mdp.n_states} states")
    if not (good := ar.finite(array)).all():
        s = int(np.flatnonzero(~good)[0])
        raise ValueError(f"weights[{s}] = {array[s]} is not a finite number")
    return array


def refuse_unbalanced(mdp: MDP, family: ParameterisedPolicy) -> None:
    sums = ar.dense_array(ar.mix(ar.ones(mdp.r, mdp.r.shape), family.slopes))
    if (bad := ar.apart(sums, 0, ROW_SUM_TOLERANCE)).any():
        s, k = np.argwhere(bad)[0]
        raise InvalidPolicy(
            f"parameter {k} changes the sum of policy[{s}]: the trajectory form needs a family that keeps it at 1. Use "
            "finite_horizon_gradient, or a family on the simplex"
        )


def refuse_traps(mdp: MDP, policy: Array) -> None:
    if mdp.gamma == 1 and (traps := closed_classes(mdp, policy)):
        raise InvalidPolicy(
            f"at gamma = 1 the policy never leaves {named(mdp, traps[0])}: J need not have a derivative. List states that "
            "end the episode in terminal=, or give a gamma below 1"
        )
