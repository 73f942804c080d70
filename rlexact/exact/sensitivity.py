"""How V* answers to a small change of the model, with one value for each side where optimal actions tie.

    V*'(δ) = max over policies π of optimal actions of (I - γ P_π)⁻¹ c_π                                   [S1]
    c(s, a) = δr(s, a) + δγ Σ_s' p(s' | s, a) V*(s') + γ Σ_s' δp(s' | s, a) V*(s')

is the change of V* per unit along δ = (δγ, δr, δP): the right-hand derivative, and -V*'(-δ) is the left-hand one. [S1] is
the optimal value of the model that has the optimal actions only and c for its reward, so one policy attains every state's
maximum. It is the envelope theorem (Danskin 1967; Milgrom and Segal 2002) for V* = max_π V^π, where for one policy

    ∂V^π/∂γ = (I - γ P_π)⁻¹ P_π V^π
    ∂V^π(s₀)/∂r(s, a) = η_{s₀}(s) π(a | s)
    ∂V^π(s₀)/∂p(s' | s, a) = γ η_{s₀}(s) π(a | s) V^π(s').

Where ties leave both sides equal, V* is smooth along δ. Partial derivatives in single entries of r and P add up only where
they are smooth: at a kink ask for the direction itself. An entry of P changes alone, so directions that keep rows
stochastic are differences of partial derivatives. In floats, every action within the bound of the best counts as a tie.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.solution import Solution


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """One-sided derivatives of V*: `left` and `right`, arrays of one shape, equal where V* is smooth.

    left ≤ right in every direction, since V* is a maximum of smooth functions.
    """

    left: Array
    right: Array

    @property
    def smooth(self) -> Array:
        """Where both sides agree, booleans."""
        return ~ar.apart(self.left, self.right)


def along(mdp: MDP, *, gamma: Any = 0, r: Any = None, P: Any = None) -> Sensitivity:
    """dV* along a change of the discount, of r (S, A) and of P (S, A, S), together [S1]: -> two (S,).

    Each is read in the model's own numbers; changes at actions that are not available have no effect.
    Raises `InvalidMDP` at γ = 1, where a small change can make V* infinite, and what `policy_iteration` raises.
    """
    best = optimum(mdp)
    c = ar.zeros(mdp.r, mdp.r.shape) if r is None else read(mdp, "r", r, mdp.r.shape)
    c = c + ar.number(mdp.r, gamma) * (mdp.kernel @ best.v).reshape(mdp.r.shape)
    if P is not None:
        c = c + mdp.gamma * (read(mdp, "P", P, (*mdp.r.shape, mdp.n_states)) * best.v).sum(axis=2)
    return both_sides(mdp, best, np.where(mdp.available, ar.tidy(c), ar.zeros(mdp.r, c.shape)))


def by_discount(mdp: MDP) -> Sensitivity:
    """dV*/dγ, one-sided: -> two (S,)."""
    return along(mdp, gamma=1)


def by_reward(mdp: MDP) -> Sensitivity:
    """∂V*(s₀)/∂r(s, a), one-sided: -> two (S, S, A), indexed [s₀, s, a].

    One small problem for each pair that is optimal: for models of at most some hundred pairs.
    """
    return reward_partials(mdp, optimum(mdp))


def by_transition(mdp: MDP) -> Sensitivity:
    """∂V*(s₀)/∂p(s' | s, a), one-sided, each entry moving alone: -> two (S, S, A, S), indexed [s₀, s, a, s']."""
    best = optimum(mdp)
    paid = reward_partials(mdp, best)
    weight, turned = mdp.gamma * best.v, ar.negative(best.v)
    left, right = (x[..., None] * weight for x in (paid.left, paid.right))
    return Sensitivity(ar.tidy(np.where(turned, right, left)), ar.tidy(np.where(turned, left, right)))


def optimum(mdp: MDP) -> Solution:
    if mdp.gamma == 1:
        raise InvalidMDP("sensitivities need gamma below 1: at gamma = 1 a small change can make V* infinite")
    return policy_iteration(mdp)


def read(mdp: MDP, name: str, given: Any, shape: tuple[int, ...]) -> Array:
    array = mdp.beside(name, given)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: a change of this model's {name} has shape {shape}")
    return array


def reward_partials(mdp: MDP, best: Solution) -> Sensitivity:
    left, right = (ar.zeros(mdp.r, (mdp.n_states, *mdp.r.shape)) for _ in range(2))
    for s, a in np.argwhere(best.optimal_actions):
        one = ar.zeros(mdp.r, mdp.r.shape)
        one[s, a] = ar.number(mdp.r, 1)
        sides = both_sides(mdp, best, one)
        left[:, s, a], right[:, s, a] = sides.left, sides.right
    return Sensitivity(left, right)


def both_sides(mdp: MDP, best: Solution, c: Array) -> Sensitivity:
    return Sensitivity(-restricted_optimum(mdp, best, -c), restricted_optimum(mdp, best, c))


def restricted_optimum(mdp: MDP, best: Solution, c: Array) -> Array:
    """The optimal value of the model with optimal actions only and reward c: (S, A) -> (S,)."""
    kept = mdp.available & best.optimal_actions
    nothing = ar.zeros(mdp.r, c.shape)
    paid = np.where(kept, c, nothing)
    kernel, ends = ar.kernel_from(ar.keep_rows(mdp.kernel, kept.ravel())), np.where(kept, mdp.ends, nothing)
    parts = replace(mdp._parts, kernel=kernel, R=paid, r=paid, ends=ends, available=kept, law=None)
    return policy_iteration(MDP.of_parts(door.freeze(parts))).v
