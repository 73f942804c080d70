"""Branched rollouts: short runs of a learned model from states that the real environment has shown (MBPO).

    G = Σ_{i<k} γⁱ r_i + γᵏ V(s_k)                                                   the return of one, k steps long

How far the model's promise can be from the truth, |η - η̂|, with ε_m a bound on the model's error, the largest over time of
the mean total variation (half the L1 distance), ε_π the largest total variation between the policy and the one that gathered
the data, |r| ≤ r_max:

    2 r_max (γ (ε_m + 2ε_π)/(1-γ)² + 2ε_π/(1-γ))                                      full rollouts, from the start
    2 r_max (γ^{k+1} ε_π/(1-γ)² + (γᵏ + 2) ε_π/(1-γ) + k (ε_m + 2ε_π)/(1-γ))          branched, ε_m on the data's own policy
    2 r_max (γ^{k+1} ε_π/(1-γ)² + γᵏ ε_π/(1-γ) + k ε'_m/(1-γ))                         branched, ε'_m on the current policy

Janner, Fu, Zhang and Levine (2019), "When to trust your model", Theorems 4.1 to 4.3. All of it runs on Fractions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, read, refuse_where, time_major, within


@dataclass(frozen=True, eq=False)
class BranchedGap:
    """The terms of a bound on |η - η̂|, each with its factor 2 r_max: policy shift before the branch, in it, and the model."""

    shift_before: Array
    shift_at_branch: Array
    model: Array

    @property
    def total(self) -> Array:
        return np.asarray(self.shift_before + self.shift_at_branch + self.model)


def branched_return(rewards: Any, terminated: Any, final_values: Any, gamma: Any) -> Array:
    """(K, ...), (K, ...) bool, (...) -> (...): the return of a rollout of K steps in the model, ended early where flagged.

        G = Σ_{i<k} γⁱ r_i + γᵏ V(s_k),   nothing after a termination

    Raises `InvalidBatch` for shapes that differ, flags that are not boolean, γ outside [0, 1].
    Source: Janner et al. (2019), §4.2; Feinberg et al. (2018), "MVE".

    >>> float(branched_return([1.0, 1.0], [False, False], 8.0, gamma=0.5))
    3.5
    """
    r, v, g = read(rewards=rewards, final_values=final_values, gamma=gamma)
    within(0, 1, gamma=g)
    shape = time_major(rewards=r)
    (ended,) = flags(shape, terminated=terminated)
    if v.shape != shape[1:]:
        raise InvalidBatch(f"final_values have shape {v.shape}, the rollouts {shape[1:]}: give one for each")
    total = v
    for r_i, stops in zip(r[::-1], ended[::-1], strict=True):
        total = r_i + np.where(stops, 0 * total, g * total)
    return np.asarray(total)


def model_return_gap(gamma: Any, reward_bound: Any, model_error: Any, policy_shift: Any) -> Array:
    """() each -> (): how far the return of full model rollouts can be from the truth.

        2 r_max (γ (ε_m + 2ε_π)/(1-γ)² + 2ε_π/(1-γ))

    Raises `InvalidBatch` for γ outside [0, 1), errors outside [0, 1] and r_max < 0.
    Source: Janner et al. (2019), Theorem 4.1.

    >>> float(model_return_gap(0.5, 1.0, 0.125, 0.0))
    0.5
    """
    g, top, eps_m, eps_pi = bounded(gamma, reward_bound, model_error, policy_shift)
    return np.asarray(2 * top * (g * (eps_m + 2 * eps_pi) / (1 - g) ** 2 + 2 * eps_pi / (1 - g)))


def branched_return_gap(steps: int, gamma: Any, reward_bound: Any, model_error: Any, policy_shift: Any) -> BranchedGap:
    """k, () each -> BranchedGap: how far the return of k-step branches can be from the truth, by terms.

        2 r_max (γ^{k+1} ε_π/(1-γ)² + (γᵏ + 2) ε_π/(1-γ) + k (ε_m + 2ε_π)/(1-γ))

    ε_m is measured on the policy that gathered the data. The bound grows with k: by it no rollout is best. Raises as
    `model_return_gap`, and for k < 0.
    Source: Janner et al. (2019), Theorem 4.2.

    >>> float(branched_return_gap(1, 0.5, 1.0, 0.125, 0.0).total)
    0.5
    """
    g, top, eps_m, eps_pi = bounded(gamma, reward_bound, model_error, policy_shift)
    before, at_branch = shifts(steps, g, top, eps_pi)
    rest = 2 * top / (1 - g)
    return BranchedGap(
        before, np.asarray(at_branch + rest * 2 * eps_pi), np.asarray(rest * steps * (eps_m + 2 * eps_pi))
    )


def branched_return_gap_on_policy(
    steps: int, gamma: Any, reward_bound: Any, model_error: Any, policy_shift: Any
) -> BranchedGap:
    """k, () each -> BranchedGap: the same with the model's error measured on the current policy.

        2 r_max (γ^{k+1} ε_π/(1-γ)² + γᵏ ε_π/(1-γ) + k ε'_m/(1-γ))

    Where ε'_m is small beside ε_π some k > 0 is best. Raises as `branched_return_gap`.
    Source: Janner et al. (2019), Theorem 4.3.

    >>> [float(branched_return_gap_on_policy(k, 0.5, 1.0, 0.0, 0.125).total) for k in (0, 1, 2)]
    [1.0, 0.5, 0.25]
    """
    g, top, eps_m, eps_pi = bounded(gamma, reward_bound, model_error, policy_shift)
    before, at_branch = shifts(steps, g, top, eps_pi)
    return BranchedGap(before, at_branch, np.asarray(2 * top / (1 - g) * steps * eps_m))


def shifts(steps: int, g: Array, top: Array, eps_pi: Array) -> tuple[Array, Array]:
    """2 r_max γ^{k+1} ε_π/(1-γ)² and 2 r_max γᵏ ε_π/(1-γ)."""
    if not isinstance(steps, int) or steps < 0:
        raise InvalidBatch(f"steps = {steps!r}: give a whole number of steps, at least 0")
    at_branch = np.asarray(2 * top * g**steps * eps_pi / (1 - g))
    return np.asarray(at_branch * g / (1 - g)), at_branch


def bounded(gamma: Any, reward_bound: Any, model_error: Any, policy_shift: Any) -> list[Array]:
    found = numbers(gamma=gamma, reward_bound=reward_bound, model_error=model_error, policy_shift=policy_shift)
    g, top, eps_m, eps_pi = found
    within(0, 1, gamma=g, model_error=eps_m, policy_shift=eps_pi)
    within(0, None, reward_bound=top)
    refuse_where(g == 1, "gamma", g, "below 1: the bound is infinite there")
    return found
