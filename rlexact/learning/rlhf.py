"""RLHF where the n answers to a prompt can be listed: a reward from comparisons, then KL-regularised RL; beside it DPO.

    r̂ = fit of Bradley-Terry to W                                             `reward_model`                            [H1]
    π* = argmax_π Σ π r - β KL(π ‖ π_ref) = π_ref e^{r / β} / Z                β → 0 the best of π_ref, β → ∞ π_ref      [H2]
    θ += α ∂J/∂θ,   ∂J/∂θ(y) = π(y) (r(y) - β log π(y)/π_ref(y) - J(π))         π = softmax θ, from θ = log π_ref         [H3]
         or the mean over m answers y_i ~ π of Â_i (1{y = y_i} - π(y)),  r_i = r(y_i) - β log π(y_i)/π_ref(y_i)             [H4]
    θ -= α ∂/∂θ Σ_ij W_ij / ΣW · (-log σ(β (h_i - h_j))),   h = log π/π_ref                                            [H5]

In [H5] β h takes the place of r in [H1], so that where comparisons connect all answers DPO ends at π* of r̂. Where they do
not, r̂ and π* are determined within each connected set only, and the shares of the sets are whatever a convention makes them.
Here both take the same one: [H5] moves θ_i up by as much as θ_j down, so that the mean of θ - log π_ref stays 0 in each set,
as that of r̂ / β is. Flipped labels shrink r̂, as a larger β would.
Rafailov et al. (2023), (3) to (7); Ziegler et al. (2019), (2), for [H4] with leave-one-out advantages (Ahmadian et al. 2024).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.formulas.batch import InvalidBatch, distributions, numbers, positive
from rlexact.formulas.dpo import dpo_loss_gradient
from rlexact.formulas.kl_optimum import kl_regularised_policy
from rlexact.formulas.kl_shaping import kl_shaped_rewards
from rlexact.formulas.rlhf import greedy_limit, regularised_objective_logit_gradient
from rlexact.formulas.rloo import leave_one_out_advantages
from rlexact.learning.curve import Checkpoints, Learned, Run, Yardstick, seeded
from rlexact.learning.reward_model import RewardFit, fit_reward
from rlexact.learning.schedule import Schedule
from rlexact.learning.simulate import Rng
from rlexact.learning.softmax_actor import log_softmax, logit_steps


@dataclass(frozen=True, eq=False)
class Alignment:
    """What comparisons make of a reference: the `fit` [H1], the `policy` (n,) [H2] of it, the law `within` (n,) each set.

    `within` sums to 1 in each set of `fit.sets` that the reference reaches. It is all that the comparisons determine.
    """

    fit: RewardFit
    policy: Array
    within: Array


def rlhf(wins: Any, reference: Any, beta: float) -> Alignment:
    """[H1], then [H2] in closed form: W (n, n), (n,), β in [0, ∞] -> Alignment.

    Expected preferences in place of counted ones give the population's answer. Raises as `fit_reward` and `kl_optimum`.
    """
    fit = fit_reward(wins)
    policy = kl_optimum(fit.rewards, reference, beta)
    ref, within = np.asarray(reference, dtype=float), np.zeros(len(policy))
    for k in range(fit.sets.max() + 1):
        inside = fit.sets == k
        if mass := ref[inside].sum():
            within[inside] = kl_optimum(fit.rewards[inside], ref[inside] / mass, beta)
    return Alignment(fit, policy, within)


def kl_optimum(rewards: Any, reference: Any, beta: float) -> Array:
    """[H2] with its limits: (n,), (n,), β in [0, ∞] -> (n,).

    At β = 0 the reference among the best answers it can give, at β = ∞ the reference. Raises `InvalidBatch` for β < 0, NaN, a
    reference that is no distribution, and shapes that differ.
    """
    if beta == 0:
        return greedy_limit(reference, rewards)
    if beta == np.inf:
        return kl_regularised_policy(reference, 0 * np.asarray(rewards, dtype=float), 1.0)
    return kl_regularised_policy(reference, rewards, beta)


# -- by gradient --------------------------------------------------------------------------------------------------------


class Responder:
    """A softmax policy over n answers, logits `theta` (n,) changed in place; it starts at the reference.

    Raises `InvalidBatch` for β not above 0 and a reference that is no distribution or gives an answer no mass.
    """

    def __init__(self, reference: Any, beta: float) -> None:
        ref, b = numbers(reference=reference, beta=beta)
        positive(beta=b, reference=ref)
        distributions(reference=ref)
        self.reference, self.beta = np.asarray(ref, dtype=float), float(b)
        self.log_reference = np.log(self.reference)
        self.theta = self.log_reference.copy()

    @property
    def log_policy(self) -> Array:
        return normal(self.theta)

    @property
    def policy(self) -> Array:
        return np.exp(self.log_policy)

    def run(self, updates: int, rewards: Array, checkpoints: Checkpoints) -> Run:
        """Measures J(π*) - J(π) = β KL(π ‖ π*) under these rewards."""
        if rewards.shape != self.reference.shape:
            raise InvalidBatch(f"rewards have shape {rewards.shape}, the reference {self.reference.shape}")
        log_best = normal(self.log_reference + rewards / self.beta)

        def read() -> float:
            return self.beta * float(self.policy @ (self.log_policy - log_best))

        return Run(updates, Yardstick(read, "J* - J, KL included", np.exp(log_best)), checkpoints, "updates")

    def learned(self, run: Run) -> Learned:
        return Learned(run.curve, policy=self.policy, tables={"theta": self.theta})


def kl_regularised_rl(
    rewards: Any,
    reference: Any,
    beta: float,
    updates: int,
    *,
    alpha: Schedule | float = 1.0,
    samples: int | None = None,
    rng: Rng | int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[H3], or [H4] from `samples` answers (at least 2) per update: (n,), (n,), β -> policy (n,), against π* of these rewards.

    Step sizes are positive and count updates; near π* steps below 2 / (β max π*) are stable. Raises `InvalidBatch` as
    `Responder`, `InvalidSchedule`, `ValueError` for samples without rng.
    """
    (r,), kept, step = numbers(rewards=rewards), Responder(reference, beta), logit_steps("alpha", alpha)
    run, slope = kept.run(updates, r, checkpoints), ascent(kept, r, samples, rng)
    for k in run:
        kept.theta += step(k, k) * slope()
    return kept.learned(run)


def ascent(kept: Responder, r: Array, samples: int | None, rng: Rng | int | None) -> Callable[[], Array]:
    """∂J/∂θ [H3], or its estimate [H4]."""
    if samples is None:
        return lambda: regularised_objective_logit_gradient(kept.policy, r, kept.reference, kept.beta)
    draws, m = given(rng), counted(samples, "samples")

    def estimate() -> Array:
        y = draws.choice(len(r), m, p=kept.policy)
        shaped = kl_shaped_rewards(r[y], kept.log_policy[y], kept.log_reference[y], kept.beta)
        return np.bincount(y, leave_one_out_advantages(shaped), len(r)) / m  # advantages sum to 0, and π drops out

    return estimate


def dpo(
    wins: Any,
    reference: Any,
    beta: float,
    updates: int,
    *,
    alpha: Schedule | float = 1.0,
    batch: int | None = None,
    rng: Rng | int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[H5] on all comparisons at once, or on `batch` of them drawn per update: W (n, n), (n,), β -> policy (n,).

    Measured against [H2] of the reward that the same W gives. Step sizes are positive and count updates; those below 4 / β² are
    stable. Raises as `fit_reward` and `kl_regularised_rl`.
    """
    kept, step, W = Responder(reference, beta), logit_steps("alpha", alpha), np.asarray(wins, dtype=float)
    run = kept.run(updates, fit_reward(W).rewards, checkpoints)
    chosen, rejected = np.nonzero(W)
    shares = W[chosen, rejected] / W.sum()
    draws, size = (None, 0) if batch is None else (given(rng), counted(batch, "samples"))
    for k in run:
        weights = shares if draws is None else draws.multinomial(size, shares) / size
        log_p, log_ref = kept.log_policy, kept.log_reference
        slope = dpo_loss_gradient(log_p[chosen], log_p[rejected], log_ref[chosen], log_ref[rejected], kept.beta)
        for place, part in ((chosen, slope.policy_chosen), (rejected, slope.policy_rejected)):
            kept.theta -= step(k, k) * np.bincount(place, weights * part, len(W))  # the two parts of -π Σ cancel
    return kept.learned(run)


def normal(logits: Array) -> Array:
    """log softmax: (n,) -> (n,)."""
    return np.asarray(log_softmax(logits[None], np.ones((1, len(logits)), dtype=bool))[0])


def given(rng: Rng | int | None) -> Rng:
    if rng is None:
        raise ValueError("samples are drawn: give rng=, a seed or a seeded generator")
    return seeded(rng)
