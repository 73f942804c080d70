"""Preferences between answers: Bradley-Terry, the reward model's loss, Plackett-Luce for rankings.

    P(w ≻ l) = e^{r_w} / (e^{r_w} + e^{r_l}) = σ(r_w - r_l)                          Bradley-Terry
    L = -log σ(r_w - r_l - m)                                                       a loss, m a margin (0 for none)
    P(1 ≻ 2 ≻ ... ≻ n) = Π_i e^{r_i} / Σ_{j ≥ i} e^{r_j}                              Plackett-Luce, n = 2 is Bradley-Terry

Only differences of rewards count: adding a constant to all changes nothing. The answer that people chose comes first.
Bradley and Terry (1952); Plackett (1975); Ouyang et al. (2022), "InstructGPT", (1).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers
from rlexact.formulas.reduction import Reduction, reduce, weights
from rlexact.formulas.sigmoid import log_sigmoid, sigmoid


@dataclass(frozen=True, eq=False)
class PairGradient:
    """The slope in what stands for the chosen answer and for the rejected one: (N,) each."""

    chosen: Array
    rejected: Array


def bradley_terry_probability(chosen_rewards: Any, rejected_rewards: Any) -> Array:
    """(N,), (N,) -> (N,): the probability that the first answer is preferred to the second.

        P(w ≻ l) = σ(r_w - r_l)

    Raises `InvalidBatch` for shapes that differ and NaN, `NotExact` for Fractions.
    Source: Bradley and Terry (1952); Christiano et al. (2017), §2.2.3.

    >>> bradley_terry_probability([2.0, 1e4], [2.0, 0.0])
    array([0.5, 1. ])
    """
    r_w, r_l = numbers(chosen_rewards=chosen_rewards, rejected_rewards=rejected_rewards)
    return sigmoid(r_w - r_l)


def reward_model_loss(
    chosen_rewards: Any,
    rejected_rewards: Any,
    margin: Any = 0,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N,), (N,) -> (N,), or one number: minus the log-likelihood of the choices.

        L = -log σ(r_w - r_l - m)

    A loss. m asks the rewards to differ by more than 0 where the preference is clear. Raises as `bradley_terry_probability`.
    Source: Ouyang et al. (2022), "InstructGPT", (1); the margin: Touvron et al. (2023), "Llama 2", (2).

    >>> reward_model_loss([2.3], [1.8]).round(3)
    array([0.474])
    """
    return reduce(-log_sigmoid(reward_gap(chosen_rewards, rejected_rewards, margin)), reduction, mask)


def reward_model_loss_gradient(
    chosen_rewards: Any,
    rejected_rewards: Any,
    margin: Any = 0,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> PairGradient:
    """(N,), (N,) -> (N,) twice: ∂L/∂r_w and ∂L/∂r_l, weighted as the reduction weighs them.

        ∂L/∂r_w = -σ(-(r_w - r_l - m)),    ∂L/∂r_l = -∂L/∂r_w

    Source: differentiated from Ouyang et al. (2022), (1).

    >>> reward_model_loss_gradient([1.0], [1.0]).chosen
    array([-0.5])
    """
    slope = -sigmoid(-reward_gap(chosen_rewards, rejected_rewards, margin))
    slope = slope * weights(slope, reduction, mask)
    return PairGradient(slope, -slope)


def reward_gap(chosen_rewards: Any, rejected_rewards: Any, margin: Any) -> Array:
    """r_w - r_l - m."""
    r_w, r_l, m = numbers(chosen_rewards=chosen_rewards, rejected_rewards=rejected_rewards, margin=margin)
    return np.asarray(r_w - r_l - m)


def preference_accuracy(chosen_rewards: Any, rejected_rewards: Any, ties: Any = 0) -> Any:
    """(N,), (N,) -> (): how often the chosen answer has the larger reward, or implicit reward, or margin against 0.

        (1/N) Σ 1[r_w > r_l] + ties · 1[r_w = r_l]

    `ties` is what an equality counts, 0 unless given; it runs on Fractions.
    Source: Stiennon et al. (2020), §4.3, agreement with labellers.

    >>> float(preference_accuracy([1.0, 2.0], [0.0, 2.0], ties=0.5))
    0.75
    """
    r_w, r_l, tie = numbers(chosen_rewards=chosen_rewards, rejected_rewards=rejected_rewards, ties=ties)
    gap = np.asarray(np.real(r_w - r_l))
    counted = np.where(gap > 0, 0 * gap + 1, np.where(gap < 0, 0 * gap, 0 * gap + tie))
    return counted.mean()


def plackett_luce_loss(rewards: Any, *, reduction: Reduction = "none") -> Any:
    """(..., N) -> (...), or one number: minus the log-probability of the ranking in which the rewards are listed.

        L = Σ_i (log Σ_{j ≥ i} e^{r_j} - r_i)

    The best answer comes first on the last axis. A loss; N = 2 is `reward_model_loss`.
    Source: Plackett (1975); Rafailov et al. (2023), "DPO", §A.3.

    >>> float(plackett_luce_loss([0.0, 0.0, 0.0]) - np.log(6))
    0.0
    """
    r, log_rest = ranked(rewards)
    return reduce((log_rest - r).sum(axis=-1), reduction)


def plackett_luce_loss_gradient(rewards: Any, *, reduction: Reduction = "none") -> Array:
    """(..., N) -> (..., N): ∂L/∂r, weighted as the reduction weighs the rankings.

        ∂L/∂r_k = Σ_{i ≤ k} e^{r_k} / Σ_{j ≥ i} e^{r_j} - 1

    Source: differentiated from Plackett (1975).

    >>> plackett_luce_loss_gradient([0.0, 0.0])
    array([-0.5,  0.5])
    """
    r, log_rest = ranked(rewards)
    among = np.tri(r.shape[-1], dtype=bool).T  # [i, k]: answer k still stands when place i is given
    share = ar.exp(np.where(among, r[..., None, :] - log_rest[..., :, None], 0 * r[..., None, :]))
    gradient = np.where(among, share, 0 * share).sum(axis=-2) - 1
    return np.asarray(gradient * weights(gradient[..., 0], reduction)[..., None])


def ranked(rewards: Any) -> tuple[Array, Array]:
    """r, and log Σ_{j ≥ i} e^{r_j} at each place i."""
    (r,) = numbers(rewards=rewards)
    if r.ndim == 0:
        raise InvalidBatch("rewards is a scalar: a ranking lists them on the last axis, best first")
    return r, np.stack([ar.logsumexp(r[..., i:]) for i in range(r.shape[-1])], axis=-1)
