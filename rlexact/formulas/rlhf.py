"""Reinforcement learning from human feedback where the answers can be listed: the optimum in closed form.

    max_π  Σ π r - β KL(π‖π_ref)                                                  the objective, maximised
    π*(y) = π_ref(y) e^{r(y)/β} / Z,    Z = Σ π_ref e^{r/β},    value β log Z
    r(y) = β log(π*(y)/π_ref(y)) + β log Z                                         the reward back from the policy

    β → 0: π* takes the best of what π_ref can say, value max r;    β → ∞: π* → π_ref, value E_ref r

    best of n: draw n answers from π_ref, keep the best;  F(y) = P_ref(r ≤ r(y)),  F⁻(y) = P_ref(r < r(y))
    π_n(y) = π_ref(y) (F(y)ⁿ - F⁻(y)ⁿ) / (F(y) - F⁻(y)),     KL(π_n‖π_ref) ≤ log n - (n - 1)/n

Answers lie on the last axis. π*, Z and the value themselves are in `kl_optimum`: AWR has the same optimum, with advantages for r.
Rafailov et al. (2023), (3) to (5). Best of n: Beirami et al. (2024), "Theoretical guarantees on the best-of-n alignment policy".
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, distributions, numbers, positive, read
from rlexact.formulas.divergence import kl, log_ratio


def regularised_objective(policy: Any, rewards: Any, reference: Any, beta: Any) -> Array:
    """(..., N) three times -> (...): mean reward less β times KL to the reference; -∞ where π_ref = 0 < π.

        J(π) = Σ π r - β KL(π‖π_ref) = β log Z - β KL(π‖π*)

    An objective, maximised. Raises `InvalidBatch` for β ≤ 0, rows that are no distribution and shapes that differ; `NotExact`
    for Fractions.
    Source: Rafailov et al. (2023), (3).

    >>> float(regularised_objective([1.0, 0.0], [2.0, 0.0], [0.5, 0.5], 1.0) + np.log(2))
    2.0
    """
    pi, r, ref, b = compared(policy, rewards, reference, beta)
    return np.asarray((pi * r).sum(axis=-1) - b * kl(pi, ref))


def regularised_objective_gradient(policy: Any, rewards: Any, reference: Any, beta: Any) -> Array:
    """(..., N) three times -> (..., N): ∂J/∂π, each entry moved freely; equal entries at the optimum, +∞ where π = 0.

        ∂J/∂π(y) = r(y) - β log(π(y)/π_ref(y)) - β

    At π* it is β log Z - β, the multiplier of Σ π = 1: it is 0 only where Z = e.
    Source: Rafailov et al. (2023), §A.1.

    >>> regularised_objective_gradient([0.5, 0.5], [2.0, 0.0], [0.5, 0.5], 1.0)
    array([ 1., -1.])
    """
    pi, r, ref, b = compared(policy, rewards, reference, beta)
    log_pi = np.where(ar.apart(pi, 0), log_ratio(pi, ref), np.where(ar.apart(ref, 0), -np.inf, np.inf))
    return np.asarray(r - b * log_pi - b)


def regularised_objective_logit_gradient(policy: Any, rewards: Any, reference: Any, beta: Any) -> Array:
    """(..., N) three times -> (..., N): ∂J/∂z where π = softmax(z); zero at the optimum.

        ∂J/∂z(y) = π(y) (r(y) - β log(π(y)/π_ref(y)) - J(π))

    Raises as `regularised_objective`, and where KL is infinite.
    Source: Rafailov et al. (2023), (3), with the Jacobian of the softmax.

    >>> regularised_objective_logit_gradient([0.75, 0.25], [1.0, 1.0], [0.75, 0.25], 2.0)
    array([0., 0.])
    """
    pi, r, ref, b = compared(policy, rewards, reference, beta)
    (total,) = read(objective=regularised_objective(pi, r, ref, b))
    return np.asarray(pi * (r - b * ar.surprise(pi, ref) - total[..., None]))


def reward_of_policy(policy: Any, reference: Any, beta: Any) -> Array:
    """(..., N), (..., N) -> (..., N): the reward for which the policy is optimal, less the constant β log Z; -∞ where π = 0.

        r(y) - β log Z = β log(π(y)/π_ref(y))

    Raises `InvalidBatch` for β ≤ 0, and where π_ref = 0: no reward shows there.
    Source: Rafailov et al. (2023), (5).

    >>> reward_of_policy([0.5, 0.5], [0.5, 0.5], 3.0)
    array([0., 0.])
    """
    pi, ref, b = numbers(policy=policy, reference=reference, beta=beta)
    distributions(policy=pi, reference=ref)
    positive(beta=b, reference=ref)
    log_pi = np.where(ar.apart(pi, 0), ar.surprise(pi, ref), -np.inf)
    return np.asarray(b * log_pi)


def greedy_limit(reference: Any, rewards: Any) -> Array:
    """(..., N), (..., N) -> (..., N): where the optimum goes as β → 0. It runs on Fractions.

        lim π*(y) = π_ref(y) 1[y is best] / π_ref(the best),   the best among answers with π_ref > 0

    Raises `InvalidBatch` as `regularised_objective`. As β → ∞ the limit is the reference.
    Source: Rafailov et al. (2023), (4), in the limit.

    >>> greedy_limit([0.25, 0.25, 0.5], [1.0, 1.0, 0.0])
    array([0.5, 0.5, 0. ])
    """
    ref, r = distribution_and(reference, rewards)
    _, ties = ar.best(r.reshape(-1, r.shape[-1]), ar.apart(ref, 0).reshape(-1, r.shape[-1]))
    kept = np.where(ties.reshape(ref.shape), ref, 0 * ref)
    return np.asarray(kept / kept.sum(axis=-1, keepdims=True))


def best_of_n(reference: Any, rewards: Any, n: int) -> Array:
    """(..., N), (..., N) -> (..., N): the law of the best of n answers drawn from the reference. It runs on Fractions.

        π_n(y) = π_ref(y) (F(y)ⁿ - F⁻(y)ⁿ) / (F(y) - F⁻(y))

    Among equally good answers the first drawn is kept. Raises `InvalidBatch` for n < 1.
    Source: Beirami et al. (2024), Lemma 1, with ties.

    >>> best_of_n([0.5, 0.5], [1.0, 0.0], 2)
    array([0.75, 0.25])
    """
    ref, r = distribution_and(reference, rewards)
    counted(n)
    gap = np.real(r[..., None, :] - r[..., :, None])  # [y, other]
    weight = np.broadcast_to(ref[..., None, :], gap.shape)
    up_to, below = (np.where(held, weight, 0 * weight).sum(axis=-1) for held in (gap <= 0, gap < 0))
    level = np.where(ar.apart(ref, 0), up_to - below, 0 * ref + 1)
    return np.asarray(ref * (up_to**n - below**n) / level)


def best_of_n_kl_bound(n: int) -> float:
    """() -> (): what KL(best of n ‖ reference) cannot exceed, and reaches where all answers are rare and differ in reward.

        KL(π_n‖π_ref) ≤ log n - (n - 1)/n

    Raises `InvalidBatch` for n < 1.
    Source: Beirami et al. (2024), Theorem 1; Stiennon et al. (2020), §G.3, as an equality.

    >>> best_of_n_kl_bound(1)
    0.0
    """
    counted(n)
    return float(np.log(n) - (n - 1) / n)


def distribution_and(reference: Any, rewards: Any) -> tuple[Array, Array]:
    """The reference as a distribution, and a reward for each of its answers."""
    ref, r = numbers(reference=reference, rewards=rewards)
    distributions(reference=ref)
    if r.shape != ref.shape:
        raise InvalidBatch(f"rewards have shape {r.shape}, the reference {ref.shape}: give one for each answer")
    return ref, r


def compared(policy: Any, rewards: Any, reference: Any, beta: Any) -> tuple[Array, ...]:
    pi, r, ref, b = numbers(policy=policy, rewards=rewards, reference=reference, beta=beta)
    positive(beta=b)
    distributions(policy=pi)
    distribution_and(ref, r)
    return pi, r, ref, b


def counted(n: int) -> None:
    if not isinstance(n, int) or n < 1:
        raise InvalidBatch(f"n = {n!r}: give a whole number of draws, at least 1")
