"""How far a new policy's return can be from what the surrogate says: the theory behind small steps.

With L = `surrogate`, Ā(s) = Σ_a π(a | s) A_μ(s, a) for π new and μ old, TV = ½ ‖π - μ‖₁, ε = max |A_μ|, ε̄ = max_s |Ā(s)|:

    |J(π_w) - L(π_w)| ≤ 2 w² γ ε̄ / ((1 - γ) (1 - γ (1 - w))),  π_w = (1 - w) μ + w π    [R1]  conservative_bound
    |J(π) - L(π)| ≤ 4 α² γ ε / (1 - γ)²,         α = max_s TV(s)                        [R2]  penalty_bound
    |J(π) - L(π)| ≤ 4 γ ε max_s KL(μ ‖ π)(s) / (1 - γ)²                                 [R3]  kl_penalty_bound
    |J(π) - L(π)| ≤ 2 γ ε̄ Σ_s d_μ(s) TV(s) / (1 - γ)²                                   [R4]  mean_penalty_bound
    |Ā(s)| ≤ 2 α ε                                                                      [R5]  coupling_bound
    |E_{s_t ~ π} Ā - E_{s_t ~ μ} Ā| ≤ 4 α (1 - (1 - α)^t) ε                             [R6]  coupled_steps_bound

Kakade and Langford (2002), Theorem 4.1, for [R1], ε̄ that of π itself; Schulman, Levine, Moritz, Jordan and Abbeel (2015),
Theorem 1 and (9) for [R2, R3], Lemmas 2 and 3 for [R5, R6]; Achiam, Held, Tamar and Abbeel (2017), Corollary 1, for [R4].
The papers print the lower half, J ≥ L - right, with an improvement guaranteed
wherever L - J(μ) exceeds the right side.

[R1] and [R6] are attained (`conservative_witness`, `penalty_witness`); [R2] and [R4] in the limit α → 0 on the latter, where
left / right = (1 - γ) / (1 - γ (1 - α)); [R5] there too. γ = 1 is refused: the right sides are infinite.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bound import Bound
from rlexact.exact.difference import mean_advantage, surrogate, weighed
from rlexact.exact.evaluation import advantage, expected_return, occupancy, refuse_undiscounted
from rlexact.exact.paths import checked_steps
from rlexact.exact.policy_distance import kl, total_variation
from rlexact.mdp import MDP
from rlexact.policy import mixture, number_in_unit_interval


def conservative_bound(mdp: MDP, target: Array, old: Array, weight: Any) -> Bound:
    """A conservative step, weight of the way from old to target [R1]: two (S, A) -> `Bound`, in rewards.

    Raises `InvalidPolicy` for a weight outside [0, 1], `InvalidMDP` at γ = 1.
    """
    w, gamma = number_in_unit_interval(mdp, weight, "weight"), discount(mdp)
    worst = ar.largest(np.abs(mean_advantage(mdp, target, old)))
    penalty = 2 * w * w * gamma * worst / ((1 - gamma) * (1 - gamma * (1 - w)))
    return surrogate_error(mdp, mixture(mdp, old, target, w), old, penalty)


def penalty_bound(mdp: MDP, new: Array, old: Array) -> Bound:
    """The bound behind TRPO [R2]: two (S, A) -> `Bound`, in rewards."""
    gamma, alpha = discount(mdp), ar.largest(total_variation(mdp, new, old))
    return surrogate_error(mdp, new, old, 4 * alpha * alpha * gamma * largest_advantage(mdp, old) / (1 - gamma) ** 2)


def kl_penalty_bound(mdp: MDP, new: Array, old: Array) -> Bound:
    """The same with the largest KL(old ‖ new) for the square of the total variation [R3]: two (S, A) -> `Bound`.

    Raises `NotExact` in rationals, `InvalidPolicy` where the divergence is infinite.
    """
    gamma, worst = discount(mdp), ar.largest(kl(mdp, old, new))
    return surrogate_error(mdp, new, old, 4 * gamma * largest_advantage(mdp, old) * worst / (1 - gamma) ** 2)


def mean_penalty_bound(mdp: MDP, new: Array, old: Array) -> Bound:
    """The bound by the mean total variation that the old policy meets [R4]: two (S, A) -> `Bound`, in rewards.

    Never above [R2], since ε̄ ≤ 2 α ε and the mean is at most α.
    """
    gamma, met = discount(mdp), weighed(occupancy(mdp, old), total_variation(mdp, new, old))
    worst = ar.largest(np.abs(mean_advantage(mdp, new, old)))
    return surrogate_error(mdp, new, old, 2 * gamma * worst * met / (1 - gamma) ** 2)


def coupling_bound(mdp: MDP, new: Array, old: Array) -> Bound:
    """Mean advantages of policies that can be coupled to differ with probability at most α [R5]: -> `Bound` of (S,).

    `maximal_coupling` is the coupling, which differs in state s with probability TV(s).
    """
    alpha, mean = ar.largest(total_variation(mdp, new, old)), mean_advantage(mdp, new, old)
    return Bound(np.abs(mean), 2 * alpha * largest_advantage(mdp, old) * ar.ones(mdp.r, mean.shape))


def coupled_steps_bound(mdp: MDP, new: Array, old: Array, steps: int) -> Bound:
    """What the new policy's states change of the mean advantage at time t = steps [R6]: two (S, A) -> `Bound`."""
    mean, alpha = mean_advantage(mdp, new, old), ar.largest(total_variation(mdp, new, old))
    moved = state_law(mdp, new, steps) - state_law(mdp, old, steps)
    parted = 1 - (1 - alpha) ** checked_steps(steps)
    return Bound(abs(weighed(moved, mean)), 4 * alpha * parted * largest_advantage(mdp, old))


def state_law(mdp: MDP, policy: Array, steps: int) -> Array:
    """Pr(s_t = s) at t = steps, mass that has ended left out: (S, A) -> (S,)."""
    P, _ = mdp.under(policy)
    law = mdp.initial
    for _ in range(checked_steps(steps)):
        law = P.T @ law
    return law


def conservative_witness(weight: Any, gamma: Any) -> tuple[MDP, Array, Array]:
    """(model, target, old) on which [R1] is attained for every weight and discount, in the numbers given.

    Staying pays 0. Leaving state 0 for good pays 1; leaving, tried again in state 1, costs 1.
    """
    one = 1 + 0 * weight
    zero = 0 * one
    stay_or_leave = [[[one, zero], [zero, one]], [[zero, one], [zero, one]]]
    model = MDP(stay_or_leave, [[zero, one], [zero, -one]], gamma, [one, zero])
    return model, np.array([[zero, one]] * 2), np.array([[one, zero]] * 2)


def penalty_witness(alpha: Any, gamma: Any) -> tuple[MDP, Array, Array]:
    """(model, new, old) on which [R6] is attained, and [R2] up to the factor (1 - γ) / (1 - γ (1 - α)); α ≤ ½.

    Actions pay 1, -1 and, to leave state 0 for good, 1 (-1 in state 1); the old policy is even on the first two. The new
    one moves α from the second to the third in state 0, and from the first to the third in state 1: Ā is 2α, then -2α.
    """
    one = 1 + 0 * alpha
    zero, half = 0 * one, one / 2
    rows = [[[one, zero], [one, zero], [zero, one]], [[zero, one]] * 3]
    model = MDP(rows, [[one, -one, one], [one, -one, -one]], gamma, [one, zero])
    new = np.array([[half, half - alpha, alpha], [half - alpha, half, alpha]])
    return model, new, np.array([[half, half, zero]] * 2)


def surrogate_error(mdp: MDP, new: Array, old: Array, penalty: Any) -> Bound:
    reached, promised = expected_return(mdp, new), surrogate(mdp, new, old)
    return Bound(abs(ar.tidy(np.asarray(reached - promised))[()]), penalty, size=abs(reached) + abs(promised))


def largest_advantage(mdp: MDP, policy: Array) -> Any:
    """ε = max |A| over available actions: (S, A) -> a number."""
    return ar.largest(np.abs(advantage(mdp, policy)))


def discount(mdp: MDP) -> Any:
    refuse_undiscounted(mdp, "a bound on the surrogate's error")
    return mdp.gamma
