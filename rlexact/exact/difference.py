"""Two policies of one model, or two models under one policy: what their returns differ by.

    J(π) - J(μ) = Σ_s η_π(s) Σ_a π(a | s) A_μ(s, a)                              [D1]  performance_difference
    L_μ(π) = J(μ) + Σ_s η_μ(s) Σ_a π(a | s) A_μ(s, a)                            [D2]  surrogate
    V₁ - V₂ = (I - γ P₁)⁻¹ (r₁ - r₂ + γ (P₁ - P₂) V₂)                            [D3]  simulation_lemma
        ‖V₁ - V₂‖∞ ≤ (‖r₁ - r₂‖∞ + γ max_s ‖P₁(s) - P₂(s)‖₁ ‖V₂‖∞) / (1 - γ)
    ‖d_π - d_μ‖₁ ≤ 2γ / (1 - γ) · Σ_s d_μ(s) TV(π, μ)(s)                         [D4]  occupancy_shift
    Σ_a μ_d(s, a) = (1 - γ) ρ(s) + γ Σ_{s',a} μ_d(s', a) p(s | s', a)            [D5]  check_flow

Kakade and Langford (2002), Lemma 6.1 for [D1], with unnormalised returns; Kearns and Singh (2002), Lemma 4, in the form of a
resolvent identity for [D3]; Achiam, Held, Tamar and Abbeel (2017), Lemma 3 for [D4]; Puterman (1994), §6.9 for [D5]. Identities
hold for any two policies in any arithmetic, at γ = 1 too where both end. P and r in [D3] are those of the policy's chain.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import ROW_SUM_TOLERANCE
from rlexact.exact.bound import Bound
from rlexact.exact.evaluation import (
    advantage,
    ending_chain,
    expected_return,
    occupancy,
    policy_value,
    refuse_undiscounted,
    visits,
)
from rlexact.exact.policy_distance import total_variation
from rlexact.mdp import MDP


class InvalidOccupancy(ValueError):
    """Numbers that are the occupancy of no policy: the message names the state whose flow fails."""


@dataclass(frozen=True, eq=False)
class Difference:
    """Both sides of an identity, two numbers or two (S,) arrays in rewards: equal in exact worlds."""

    left: Any
    right: Any

    @property
    def gap(self) -> Any:
        """left - right: 0, but for rounding in floats."""
        return ar.tidy(np.asarray(self.left - self.right))[()]


@dataclass(frozen=True, eq=False)
class Simulation:
    """[D3]: the identity, state by state, and the norm bound that follows from it."""

    identity: Difference
    bound: Bound


def performance_difference(mdp: MDP, new: Array, old: Array) -> Difference:
    """J(new) - J(old), and the new policy's visits times the old one's advantages [D1]: two (S, A) -> `Difference`."""
    left = expected_return(mdp, new) - expected_return(mdp, old)
    return Difference(ar.tidy(np.asarray(left))[()], weighed(visits(mdp, new), mean_advantage(mdp, new, old)))


def surrogate(mdp: MDP, new: Array, old: Array) -> Any:
    """L_old(new) [D2], the return if the states stayed those of the old policy: two (S, A) -> a number."""
    gain = surrogate_gain(mdp, new, old)
    return ar.tidy(np.asarray(expected_return(mdp, old) + gain))[()]


def surrogate_gain(mdp: MDP, new: Array, old: Array) -> Any:
    """L_old(new) - J(old) = Σ_s η_old(s) Σ_a new(a | s) A_old(s, a), free of cancellation: two (S, A) -> a number."""
    return weighed(visits(mdp, old), mean_advantage(mdp, new, old))


def mean_advantage(mdp: MDP, new: Array, old: Array) -> Array:
    """Ā(s) = Σ_a new(a | s) A_old(s, a): two (S, A) -> (S,)."""
    return ar.average(mdp.admit(new), advantage(mdp, old))


def simulation_lemma(first: MDP, second: MDP, policy: Array) -> Simulation:
    """What a wrong model costs one policy [D3]: two models of one shape and γ < 1 -> `Simulation`.

    Attained where rewards differ by the same amount everywhere; the transition part by a two-state chain whose rows do not
    depend on the state. Raises `InvalidMDP` at γ = 1, `ValueError` where the models are not alike, `MixedNumbers`.
    """
    refuse_undiscounted(first, "the simulation bound")
    refuse_unlike(first, second)
    (P1, r1), (P2, r2) = (ending_chain(mdp, policy) for mdp in (first, second))
    v1, v2 = policy_value(first, policy), policy_value(second, policy)
    moved = P1 - P2
    right = ar.solve(ar.eye(P1) - first.gamma * P1, ar.tidy(r1 - r2 + first.gamma * (moved @ v2)))
    rewards, rows = ar.largest(np.abs(r1 - r2)), ar.largest(row_norms(moved))
    worst = (rewards + first.gamma * rows * ar.largest(np.abs(v2))) / (1 - first.gamma)
    gap = Difference(ar.tidy(v1 - v2), right)
    return Simulation(gap, Bound(ar.largest(np.abs(gap.left)), worst, size=ar.largest(np.abs(v1))))


def occupancy_shift(mdp: MDP, new: Array, old: Array) -> Bound:
    """‖d_new - d_old‖₁ and its bound by the total variation that the old policy meets [D4]: two (S, A) -> `Bound`.

    Attained where one choice decides which of two absorbing states is entered. Raises `InvalidMDP` at γ = 1.
    """
    d_new, d_old = occupancy(mdp, new), occupancy(mdp, old)
    met = weighed(d_old, total_variation(mdp, new, old))
    return Bound(np.abs(d_new - d_old).sum(), 2 * mdp.gamma * met / (1 - mdp.gamma), size=1)


def check_flow(mdp: MDP, occupancy: Array) -> Array:
    """The occupancy of pairs, admitted [D5]: (S, A) -> (S, A), in the model's numbers.

    Raises `InvalidOccupancy` where an entry is negative or belongs to no available action, or a state's flow fails: it says
    which, by how much, and whether `visits` or a distribution over pairs of another model were meant. `InvalidMDP` at γ = 1.
    """
    refuse_undiscounted(mdp, "an occupancy")
    d = mdp.beside("occupancy", occupancy)
    if d.shape != mdp.r.shape:
        raise InvalidOccupancy(f"occupancy has shape {d.shape}: give {mdp.r.shape}, mass of pairs")
    for bad, what in (
        (~ar.finite(d), "is not a finite number"),
        (ar.negative(d), "is negative"),
        (~mdp.available & ar.apart(d, 0), "is mass on an action that is not available"),
    ):
        if bad.any():
            s, a = np.argwhere(bad)[0]
            raise InvalidOccupancy(f"occupancy[{s}, {a}] = {d[s, a]} {what}")
    if (fails := flow_fails(mdp, d, 1 - mdp.gamma)).any():
        s = int(np.flatnonzero(fails)[0])
        out, into = d[s].sum(), ar.tidy(inflow(mdp, d, 1 - mdp.gamma))[s]
        unscaled = not flow_fails(mdp, d, ar.number(mdp.r, 1)).any()
        advice = "these are visits: multiply by 1 - gamma" if unscaled else "it must be (1 - gamma) ρ + γ Σ d p"
        name = "" if mdp.states is None else f" ({mdp.states[s]!r})"
        raise InvalidOccupancy(f"the flow of state {s}{name} fails: mass {out}, inflow {into}; {advice}")
    return d


def inflow(mdp: MDP, d: Array, scale: Any) -> Array:
    """scale · ρ + γ Σ d p: (S, A) -> (S,)."""
    return np.asarray(scale * mdp.initial + mdp.gamma * (mdp.kernel.T @ d.ravel()))


def flow_fails(mdp: MDP, d: Array, scale: Any) -> Array:
    """Live states whose mass is not what flows in.  Nobody acts at a terminal state, so nothing is known of its mass."""
    wanted = inflow(mdp, d, scale)
    size = 1 + ar.largest(np.abs(d)) if ar.unit_roundoff(d) else 1
    return ~mdp.terminal & ar.apart(d.sum(axis=1), wanted, ROW_SUM_TOLERANCE * size)


def weighed(weights: Array, values: Array) -> Any:
    """Σ_s w(s) x(s): two (S,) -> a number."""
    return ar.average(weights[None, :], values[None, :])[0]


def row_norms(kernel: Any) -> Array:
    """Σ_j |k_ij|: (n, m) -> (n,)."""
    rows, _, values = ar.entries(kernel)
    norms = ar.zeros(kernel, kernel.shape[0])
    np.add.at(norms, rows, np.abs(values))
    return norms


def refuse_unlike(first: MDP, second: MDP) -> None:
    second_r = first.beside("the second model", second.r)
    if second_r.shape != first.r.shape or second.gamma != first.gamma:
        raise ValueError(
            f"the models have shapes {first.r.shape} and {second_r.shape} and discounts {first.gamma} and {second.gamma}: "
            "give two models of one shape and one discount"
        )
