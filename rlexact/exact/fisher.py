"""The curvature of a family of policies, the natural gradient, and the critic that is compatible with it.

    F = Σ_s w(s) Σ_a π(a | s) ψ(s, a) ψ(s, a)ᵀ,   ψ = ∂ log π                                [N1]  fisher
    F x = g of least norm, g = Σ_s w(s) Σ_a ∂π(a | s) Q(s, a)                                [N2]  natural_gradient
    w* = argmin_x Σ_s w(s) Σ_a π(a | s) (A(s, a) - x · ψ(s, a))²                             [N3]  compatible_critic

The state weights are `visits` unless given; then g = ∇J, and w* of [N3] is the natural gradient. With `occupancy` in F and ∇J
unnormalised, as in Kakade's and Agarwal's updates, the step is 1 / (1 - γ) times as long: `fisher` takes weights for that.
Kakade (2001); Sutton et al. (2000), Theorem 2; Amari (1998). F is singular wherever two parameters move the policy alike
(softmax: a constant added to the logits of a state) or a state has no weight. Where columns of N span that null space,

    x = (F + c N Nᵀ)⁻¹ g,   c > 0                                                            [N4]

solves [N2] and is orthogonal to N: F and N Nᵀ act on complementary spaces, and g has no part along N. It needs no square
root, so rational models have rational natural gradients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.evaluation import advantage, visits
from rlexact.exact.gradient import refuse_traps, state_weights
from rlexact.exact.parameterisation import ParameterisedPolicy, scaled_rows
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class NaturalGradient:
    """`direction` and `gradient` in the shape of θ; `fisher` (K, K); `null_space` (K, k), directions that F does not see.

    fisher @ direction = gradient, and direction is orthogonal to every column of the null space.
    """

    direction: Array
    gradient: Array
    fisher: Array
    null_space: Array


@dataclass(frozen=True, eq=False)
class CompatibleCritic:
    """`weights` in the shape of θ, `values` w · ψ (S, A), `error` Σ_s w(s) Σ_a π (A - w · ψ)² in squared rewards.

    With visits for state weights, Σ_s η(s) Σ_a ∂π values is ∇J exactly, however large the error.
    """

    weights: Array
    values: Array
    error: Any


def fisher(mdp: MDP, family: ParameterisedPolicy, weights: Array | None = None) -> Array:
    """The Fisher matrix [N1]: weights (S,) -> (K, K).  Weighted with `visits` unless given, e.g. `occupancy`.

    Raises `InvalidPolicy` where log π has no derivative.
    """
    return ar.dense_array(family.slopes.T @ scaled_rows(family.scores(), per_pair(mdp, family, weights)))


def fisher_product(mdp: MDP, family: ParameterisedPolicy, weights: Array | None = None) -> Callable[[Array], Array]:
    """x -> F x without the matrix: (K,) -> (K,)."""
    scores, w = family.scores(), per_pair(mdp, family, weights)
    return lambda x: ar.tidy(family.slopes.T @ (w * (scores @ x)))


def natural_gradient(mdp: MDP, family: ParameterisedPolicy, weights: Array | None = None) -> NaturalGradient:
    """The least x with F x = g [N2], and what F does not see: -> `NaturalGradient`.

    Both F and g carry the weights, so a common factor leaves x as it is. Dense in K: for some thousand parameters at most.
    Raises what `fisher` raises; `SingularSystem` where floats cannot tell a small slope from none.
    """
    w = state_shares(mdp, family, weights)
    F = fisher(mdp, family, w)
    g = family.pull(w[:, None] * advantage(mdp, family.policy))
    N = unseen(family, w)
    scale = F.diagonal().sum()
    c = scale if ar.apart(np.array(scale), 0) else ar.number(mdp.r, 1)
    x = ar.solve(ar.kernel_from(ar.tidy(F + c * (N @ N.T))), g.ravel())
    return NaturalGradient(x.reshape(family.shape), g, F, N)


def compatible_critic(mdp: MDP, family: ParameterisedPolicy, weights: Array | None = None) -> CompatibleCritic:
    """The advantage as best told by the scores [N3], of least norm: -> `CompatibleCritic`."""
    w, truth = state_shares(mdp, family, weights), advantage(mdp, family.policy)
    found = natural_gradient(mdp, family, w).direction
    values = ar.tidy((family.scores() @ found.ravel()).reshape(truth.shape))
    missed = ar.average(family.policy, (truth - values) * (truth - values))
    return CompatibleCritic(found, values, ar.average(w[None, :], missed[None, :])[0])


def unseen(family: ParameterisedPolicy, w: Array) -> Array:
    """The null space of F: parameters along which no score of a weighted state changes, (K, k).

    Read off the scores, not off F, whose small probabilities would hide a direction in floats.
    """
    return ar.null_space(ar.keep_rows(family.scores(), np.repeat(ar.apart(w, 0), family.policy.shape[1])))


def state_shares(mdp: MDP, family: ParameterisedPolicy, weights: Array | None) -> Array:
    refuse_traps(mdp, family.policy)
    w = visits(mdp, family.policy) if weights is None else state_weights(mdp, weights)
    if (bad := ar.negative(w)).any():
        s = int(np.flatnonzero(bad)[0])
        raise ValueError(f"weights[{s}] = {w[s]} is negative: F would be no measure of distance")
    return w


def per_pair(mdp: MDP, family: ParameterisedPolicy, weights: Array | None) -> Array:
    return np.repeat(state_shares(mdp, family, weights), mdp.n_actions)
