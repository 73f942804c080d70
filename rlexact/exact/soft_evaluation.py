"""What a policy is worth when it is also paid for its entropy, or charged for leaving a reference.

    r̃(s, a) = r(s, a) - τ log(π(a | s) / μ(a | s))                            `regularised`
    V^π = (I - γ P_π)⁻¹ r̃_π,   r̃_π = r_π + τ H(π), or r_π - τ KL(π ‖ μ)       [G1]  `soft_policy_value`

A soft value is the value of the same policy under r̃, so traps, ends and γ = 1 are those of `evaluation`. Texts write
Q^π in two ways, which differ by what the first action earns for being random:

    Q = r + γ P V^π                       V^π = Σ_a π Q + τ H(π)   [G2]  `soft_action_value_without_first`
    Q + τ H(π(· | s))                     V^π = Σ_a π Q            [G3]  `soft_action_value_with_first`

[G2] is Haarnoja et al. (2018), (2) and (3), Schulman, Chen and Abbeel (2017); the two agree where π is
deterministic, and for KL control -τ KL(π ‖ μ) stands for τ H(π). The soft advantage

    A^π = Q - τ log(π / μ) - V^π,   Σ_a π A^π = 0                  [G4]  `soft_advantage`

is 0 on every action of the support exactly for the soft-optimal policy (Nachum et al. 2017, path consistency).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.exact.certified import evaluate, still_running
from rlexact.exact.contraction import reward_slop, up
from rlexact.exact.evaluation import policy_value
from rlexact.exact.soft_bellman import SoftControl, rewarded, soft_control
from rlexact.mdp import MDP
from rlexact.solution import Evaluation

LIBRARY = 8  # roundings in one exp or log: four units in the last place


def regularised(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> MDP:
    """The model with rewards r - τ log(π / μ), in which the policy's value is its soft value."""
    return charged(soft_control(mdp, temperature, reference), policy)


def charged(control: SoftControl, policy: Array) -> MDP:
    return rewarded(control.mdp, control.mdp.r - control.price(policy), control.mdp.available)


def soft_policy_value(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> Array:
    """V^π with entropy or KL in it [G1]: (S, A) -> (S,), in the units of the rewards.

    Raises `InvalidPolicy` at γ = 1 where the policy is trapped and paid, entropy included, or where KL is infinite;
    `NotExact` in rationals, where `rlexact.exact.enclosure.soft_value_enclosure` answers.
    """
    return policy_value(regularised(mdp, policy, temperature, reference), policy)


def soft_evaluate(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> Evaluation:
    """V^π and Q [G2] with ‖v - V^π‖∞ ≤ error_bound, the rounding of the logarithms counted: (S, A) -> `Evaluation`."""
    control = soft_control(mdp, temperature, reference)
    answer = evaluate(charged(control, policy), policy)
    bound = answer.error_bound
    if not ar.is_exact(mdp.r):
        doubt = evaluate(rewarded(mdp, price_slop(control, policy), mdp.available), policy)
        bound = up(bound + ar.largest(doubt.v) + doubt.error_bound)
    return Evaluation(answer.v, backup(mdp, answer.v), bound)


def price_slop(control: SoftControl, policy: Array) -> Array:
    """A bound on the rounding of r - τ log(π / μ) in floats, 0 where nothing was rounded or the run is over: (S, A)."""
    mdp, pi = control.mdp, control.mdp.admit(policy)
    u, used = ar.unit_roundoff(mdp.r), ar.apart(pi, 0)
    p, w = np.where(used, pi, 1.0), np.where(used, control.weights, 1.0)
    size = np.abs(ar.log(p)) + np.abs(ar.log(w))
    priced = control.tau * size * (LIBRARY + 2) * u + 2 * u * (np.abs(mdp.r) + control.tau * size)
    slop = reward_slop(mdp) + np.where(p == w, 0.0, priced)
    return np.asarray(up(np.where(still_running(mdp, pi)[:, None] & mdp.available, slop, 0.0)))


def soft_action_value_without_first(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> Array:
    """Q = r + γ P V^π, the first action's own entropy left out [G2]: (S, A) -> (S, A)."""
    return backup(mdp, soft_policy_value(mdp, policy, temperature, reference))


def soft_action_value_with_first(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> Array:
    """Q + τ H(π(· | s)), so that V^π = Σ_a π Q [G3]: (S, A) -> (S, A)."""
    q = soft_action_value_without_first(mdp, policy, temperature, reference)
    return add_first_entropy(mdp, q, policy, temperature, reference)


def add_first_entropy(mdp: MDP, q: Array, policy: Array, temperature: Any, reference: Array | None = None) -> Array:
    """[G2] to [G3], on available actions: (S, A) -> (S, A)."""
    paid = -first_price(mdp, policy, temperature, reference)
    return ar.tidy(np.where(mdp.available, q + paid[:, None], q))


def remove_first_entropy(mdp: MDP, q: Array, policy: Array, temperature: Any, reference: Array | None = None) -> Array:
    """[G3] to [G2], on available actions: (S, A) -> (S, A)."""
    price = first_price(mdp, policy, temperature, reference)
    return ar.tidy(np.where(mdp.available, q + price[:, None], q))


def first_price(mdp: MDP, policy: Array, temperature: Any, reference: Array | None) -> Array:
    """τ KL(π ‖ μ), or -τ H(π): (S, A) -> (S,)."""
    control = soft_control(mdp, temperature, reference)
    return ar.average(mdp.admit(policy), control.price(policy))


def soft_advantage(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> Array:
    """Q - τ log(π / μ) - V^π where the policy acts, 0 elsewhere [G4]: (S, A) -> (S, A)."""
    control = soft_control(mdp, temperature, reference)
    v = policy_value(charged(control, policy), policy)
    gap = backup(mdp, v) - control.price(policy) - v[:, None]
    return ar.tidy(np.where(ar.apart(mdp.admit(policy), 0), gap, ar.zeros(mdp.r, gap.shape)))


def soft_expected_return(mdp: MDP, policy: Array, temperature: Any, reference: Array | None = None) -> Any:
    """J = Σ_s ρ(s) V^π(s), soft: (S, A) -> a number.  Needs `mdp.initial`."""
    return (mdp.initial * soft_policy_value(mdp, policy, temperature, reference)).sum()
