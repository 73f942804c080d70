"""A reward for each of n answers, out of comparisons of pairs: Bradley-Terry by maximum likelihood.

    W_ij how often i was preferred to j,   N = W + Wᵀ                                    comparisons of a pair        [W1]
    E W_ij = N_ij p_ij,   p_ij = ε + (1 - 2ε) σ(r_i - r_j)                               a label is flipped with chance ε   [W2]
    r̂ = argmax Σ_ij W_ij log σ(r_i - r_j):   Σ_j W_ij = Σ_j N_ij σ(r̂_i - r̂_j) for each i                         [W3]
    L_ij = -N_ij σ(r_i - r_j) σ(r_j - r_i),  rows of L sum to 0                          Fisher's information: a Laplacian  [W4]
    Cov r̂ = L⁺ C L⁺,  C_ij = -N_ij p_ij p_ji                                             L⁺ where ε = 0               [W5]
    σ⁻¹(ε + (1 - 2ε) σ(Δ)) = log ((1 - ε) e^Δ + ε) / ((1 - ε) + ε e^Δ)                    what a fit makes of a gap Δ   [W6]

[W3] has one finite solution up to a constant in each set of answers that comparisons connect, where no part of a set wins
against the rest without ever losing to it (Ford 1957): the fit has mean 0 in each set. Between sets nothing is determined:
shifting one of them leaves the likelihood as it is. [W6] lies between 0 and Δ (for ε < 1/2), at most log((1 - ε)/ε): flipped
labels shrink a fit of two answers, or of comparisons without a cycle, gap by gap; on a cycle the shrunken gaps do not add
up, and [W3] settles between them. [W5] is the limit of many comparisons, L at the solution of [W3] for the means (White 1982).
Bradley and Terry (1952); Hunter (2004), §2 for [W3].
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers
from rlexact.formulas.preference import bradley_terry_probability, reward_model_loss
from rlexact.learning.curve import seeded
from rlexact.learning.simulate import Rng


class NoFiniteFit(ArithmeticError):
    """No finite reward is the most likely: the message names answers that never lost to the others they were compared with."""


@dataclass(frozen=True, eq=False)
class RewardFit:
    """`rewards` (n,) of mean 0 in each set, `sets` (n,) which set an answer belongs to, `information` (n, n) [W4] there.

    A difference of rewards means something within a set only.
    """

    rewards: Array
    sets: Array
    information: Array

    @property
    def determined(self) -> Array:
        """Whether the comparisons say anything of r_i - r_j: (n, n) booleans."""
        return np.asarray(self.sets[:, None] == self.sets)

    @property
    def covariance(self) -> Array:
        """L⁺ [W5] for clean labels: (n, n), of rewards with mean 0 in each set."""
        return np.linalg.pinv(self.information, hermitian=True)


# -- preferences --------------------------------------------------------------------------------------------------------


def preference_probabilities(rewards: Any, flip: float = 0.0) -> Array:
    """p_ij, the chance that i is said to be preferred to j [W2]: (n,) -> (n, n).  Raises `InvalidBatch` for ε outside [0, 1]."""
    (r,) = numbers(rewards=rewards)
    first, second = np.broadcast_arrays(r[:, None], r)
    return np.asarray(flip_rate(flip) + (1 - 2 * flip) * bradley_terry_probability(first, second))


def expected_preferences(rewards: Any, comparisons: Any = None, flip: float = 0.0) -> Array:
    """E W [W2]: (n,), N (n, n) -> (n, n).  By default every pair is compared once.

    Raises `InvalidBatch` where N is not symmetric, has a negative entry or compares an answer with itself.
    """
    p = preference_probabilities(rewards, flip)
    return admitted(1 - np.eye(len(p)) if comparisons is None else comparisons, len(p)) * p


def sample_preferences(rewards: Any, comparisons: Any, rng: Rng | int, flip: float = 0.0) -> Array:
    """W, sampled by [W2], pairs independent of each other: (n,), whole N (n, n) -> (n, n) whole numbers.

    Raises `InvalidBatch` as `expected_preferences`, and where a number of comparisons is not whole.
    """
    p = preference_probabilities(rewards, flip)
    N = admitted(comparisons, len(p))
    if (np.round(N) != N).any():
        raise InvalidBatch(f"comparisons hold {N[np.round(N) != N][0]:.6g}: give a whole number for each pair")
    first = np.triu(seeded(rng).binomial(np.triu(N).astype(int), p))
    return np.asarray(first + np.triu(N).astype(int).T - first.T)


def flipped_gap(gap: Any, flip: float) -> Array:
    """What a fit makes of a difference of rewards when labels are flipped with chance ε [W6]: (...) -> (...).

    Raises `InvalidBatch` for ε outside [0, 1]; above 1/2 the sign turns.
    """
    (delta,) = numbers(gap=gap)
    with np.errstate(divide="ignore"):
        kept, turned = np.log1p(-flip_rate(flip)), np.log(flip)
    return np.asarray(np.logaddexp(kept + delta, turned) - np.logaddexp(kept, turned + delta))


def without_flips(wins: Any, flip: float) -> Array:
    """An unbiased estimate of clean labels from flipped ones, ((1 - ε) W - ε Wᵀ) / (1 - 2ε): (n, n) -> (n, n).

    A few comparisons may give negative numbers, which no fit accepts. Raises `InvalidBatch` for ε = 1/2, which tells nothing.
    """
    if flip_rate(flip) == 0.5:
        raise InvalidBatch("flip = 0.5: such labels are independent of the answers")
    W = np.asarray(wins, dtype=float)
    return np.asarray(((1 - flip) * W - flip * W.T) / (1 - 2 * flip))


# -- the fit ------------------------------------------------------------------------------------------------------------


def fit_reward(wins: Any) -> RewardFit:
    """The most likely rewards [W3], by Newton's method: W (n, n), whole or not, such as means -> RewardFit.

    Raises `InvalidBatch` for a negative entry or a comparison of an answer with itself, `NoFiniteFit`.
    """
    W = np.asarray(wins, dtype=float)
    N = admitted(W + W.T, len(W))
    if (W < 0).any():
        raise InvalidBatch(f"wins hold {W.min():.6g}: give numbers of preferences, 0 or more")
    sets = compared_sets(W)
    r = most_likely(W, N)
    slope = W.sum(axis=1) - expected_preferences(r, N).sum(axis=1)
    if (np.abs(slope) > 1e-6 * np.minimum(W.sum(axis=1), W.sum(axis=0))).any():
        raise NoFiniteFit(
            f"the fit is lost to rounding at {r}: preferences are too one-sided. Compare more, or drop answers"
        )
    return RewardFit(r, sets, information(r, N))


def most_likely(W: Array, N: Array) -> Array:
    """Newton's method, steps halved while they are long, until they shrink no more: -> (n,); L⁺ keeps the mean of each set 0."""
    r, last = np.zeros(len(W)), np.inf
    while True:
        slope = W.sum(axis=1) - expected_preferences(r, N).sum(axis=1)
        step = np.linalg.pinv(information(r, N), hermitian=True) @ slope
        size = float(np.abs(step).max())
        if size < 0.1:  # |(log σ)'''| ≤ |(log σ)''|: from here each step is about the square of the last one
            if size >= last / 2:
                return r
            last = size
        elif disagreement(W, r + step) > disagreement(W, r):
            step = halved(W, r, step)
            if not step.any():
                return r
        r = r + step


def halved(W: Array, r: Array, step: Array) -> Array:
    """The longest half, quarter, ... of a step after which the likelihood is no smaller; 0 where none is left."""
    shares = (step / 2**i for i in range(1, 53))
    return next((x for x in shares if disagreement(W, r + x) <= disagreement(W, r)), 0 * step)


def disagreement(W: Array, r: Array) -> float:
    """-Σ W_ij log σ(r_i - r_j)."""
    first, second = np.broadcast_arrays(r[:, None], r)
    return float((W * reward_model_loss(first, second)).sum())


def information(rewards: Any, comparisons: Any) -> Array:
    """Fisher's information of the rewards [W4]: (n,), N (n, n) -> (n, n)."""
    p = preference_probabilities(rewards)
    return laplacian(admitted(comparisons, len(p)) * p * p.T)


def fit_covariance(rewards: Any, comparisons: Any, flip: float = 0.0) -> Array:
    """The covariance of `fit_reward` for many comparisons [W5], at the true rewards: (n,), N (n, n) -> (n, n).

    With flipped labels it is that of the shrunken fit around `fit_reward(expected_preferences(...))`. Raises as these.
    """
    p, mean = preference_probabilities(rewards, flip), expected_preferences(rewards, comparisons, flip)
    bread = np.linalg.pinv(information(fit_reward(mean).rewards, comparisons), hermitian=True)
    return np.asarray(bread @ laplacian(mean * p.T) @ bread)


def laplacian(weights: Array) -> Array:
    return np.asarray(np.diag(weights.sum(axis=1)) - weights)


def compared_sets(W: Array) -> Array:
    """Which set of compared answers each belongs to: -> (n,).  Raises `NoFiniteFit` where a part of one never lost."""
    sets = connected_components(W + W.T, directed=False)[1]
    parts = connected_components(W, directed=True, connection="strong")[1]
    for part in range(parts.max() + 1):
        inside = parts == part
        if W[inside][:, ~inside].any() and not W[~inside][:, inside].any():
            best = np.flatnonzero(inside).tolist()
            raise NoFiniteFit(
                f"answers {best} won against others and never lost: their rewards would be infinite. Compare more, or drop them"
            )
    return np.asarray(sets)


def admitted(comparisons: Any, n: int) -> Array:
    """N, checked: (n, n)."""
    N = np.asarray(comparisons, dtype=float)
    if N.shape != (n, n) or n < 2:
        raise InvalidBatch(
            f"comparisons have shape {N.shape}: give one row and column for each of {n} answers, at least 2"
        )
    if not np.isfinite(N).all() or (N < 0).any() or (N != N.T).any() or N.diagonal().any():
        raise InvalidBatch("comparisons must be finite, 0 or more, symmetric, and 0 on the diagonal")
    return N


def flip_rate(flip: float) -> float:
    if not 0 <= flip <= 1:
        raise InvalidBatch(f"flip = {flip!r}: give a probability, in [0, 1]")
    return float(flip)
