"""C51: the law of the return on fixed atoms, its Bellman backup projected onto them.

    z_i = v_min + i Δ,   Δ = (v_max - v_min) / (n - 1),   i = 0, ..., n - 1
    b_j = (clip(r + γ (1 - terminated) z_j, v_min, v_max) - v_min) / Δ                where the j-th atom goes
    m_i = Σ_j p_j max(0, 1 - |b_j - i|)                                                shared by the two atoms around it
    loss = -Σ_i m_i log softmax(logits)_i

An atom that lands on an atom (b_j whole) keeps all its mass: the two-index form, with (u - b) and (b - l) for l = ⌊b⌋ and
u = ⌈b⌉, loses it there. The mean is kept as long as nothing is clipped. Bellemare, Dabney and Munos (2017), (7).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, beside, flags, numbers, read, sum_to_one, within
from rlexact.formulas.dqn import highest
from rlexact.formulas.reduction import Reduction, reduce, weights


def atoms(v_min: Any, v_max: Any, n_atoms: int) -> Array:
    """v_min, v_max, n -> (n,): the returns that carry the mass, evenly spaced, both ends among them.

        z_i = v_min + i (v_max - v_min) / (n - 1)

    Raises `InvalidBatch` for n below 2 and for v_min ≥ v_max.
    Source: Bellemare et al. (2017), §4.

    >>> atoms(-10, 10, 5)
    array([-10.,  -5.,   0.,   5.,  10.])
    """
    low, high = numbers(v_min=v_min, v_max=v_max)
    return np.asarray(low + places(low, n_atoms) * spacing(low, high, n_atoms))


def categorical_mean(probabilities: Any, v_min: Any, v_max: Any) -> Array:
    """(..., n) -> (...): the expected return, what actions are compared by.

        Q = Σ_i p_i z_i

    Raises `InvalidBatch` where a row does not sum to 1.
    Source: Bellemare et al. (2017), Algorithm 1.

    >>> categorical_mean([[0.25, 0.75]], 0, 4)
    array([3.])
    """
    p, low, high, *_ = laws(probabilities, v_min, v_max)
    return np.asarray((p * atoms(low, high, p.shape[-1])).sum(axis=-1))


def categorical_projection(
    probabilities: Any, rewards: Any, terminated: Any, gamma: Any, v_min: Any, v_max: Any
) -> Array:
    """(N, n), (N,), (N,) -> (N, n): the law of r + γ Z on the atoms again, Z having the given law; r alone if terminated.

        m_i = Σ_j p_j max(0, 1 - |b_j - i|),   b_j = (clip(r + γ (1 - terminated) z_j, v_min, v_max) - v_min) / Δ

    Every row sums to 1. Exact for Fractions. Raises `InvalidBatch`, as `one_step_targets` and `atoms` do.
    Source: Bellemare et al. (2017), (7).

    >>> categorical_projection([[0.5, 0.0, 0.5]], [0.5], [False], 1, 0, 2)
    array([[0.25, 0.25, 0.5 ]])
    """
    p, low, high, r, g = laws(probabilities, v_min, v_max, rewards, gamma)
    within(0, 1, gamma=g)
    (ended,) = flags(beside({"rewards": r, "gamma": g}, probabilities=p), terminated=terminated)
    n = p.shape[-1]
    z = np.where(ended[..., None], 0 * p, atoms(low, high, n))
    b = np.clip((r[..., None] + g[..., None] * z - low) / spacing(low, high, n), 0, n - 1)
    hats = np.maximum(0, 1 - np.abs(b[..., :, None] - places(low, n)))
    return np.asarray((p[..., :, None] * hats).sum(axis=-2).astype(p.dtype))


def categorical_dqn_targets(
    rewards: Any, next_probabilities: Any, terminated: Any, gamma: Any, v_min: Any, v_max: Any
) -> Array:
    """(N,), (N, A, n), (N,) -> (N, n): the projected law of the action of the highest mean at s'.

        m = Φ(r + γ Z⁻(s', a*)),   a* = argmax_a Σ_i z_i p_i(s', a)

    Raises as `categorical_projection`.
    Source: Bellemare et al. (2017), Algorithm 1.

    >>> categorical_dqn_targets([0.0], [[[0.9, 0.1], [0.2, 0.8]]], [False], 0.5, 0, 1)
    array([[0.6, 0.4]])
    """
    (p,) = read(next_probabilities=next_probabilities)
    if p.ndim < 2:
        raise InvalidBatch(f"next_probabilities has shape {p.shape}: give (..., actions, atoms)")
    best = highest(categorical_mean(p, v_min, v_max))[1]
    chosen = np.take_along_axis(p, best[..., None, None], axis=-2)[..., 0, :]
    return categorical_projection(chosen, rewards, terminated, gamma, v_min, v_max)


def categorical_dqn_loss(logits: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N, n), (N, n) -> (N,), or one number: the cross-entropy of the projected law and the softmax of the logits.

        loss = -Σ_i m_i log softmax(logits)_i = log Σ_i exp(logits_i) - Σ_i m_i logits_i

    In nats; the KL divergence up to the entropy of the target. Raises `InvalidBatch` where a target does not sum to 1.
    Source: Bellemare et al. (2017), Algorithm 1.

    >>> categorical_dqn_loss([[-1e4, 0.0]], [[0.25, 0.75]])
    array([2500.])
    """
    x, m = logits_and_targets(logits, targets)
    return reduce(ar.logsumexp(x) - (m * x).sum(axis=-1), reduction, mask)


def categorical_dqn_loss_gradient(
    logits: Any, targets: Any, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N, n), (N, n) -> (N, n): d loss / d logits.

        d loss / d logits_i = softmax(logits)_i - m_i

    Source: differentiated from Bellemare et al. (2017), Algorithm 1.

    >>> categorical_dqn_loss_gradient([[0.0, 0.0]], [[0.25, 0.75]])
    array([[ 0.25, -0.25]])
    """
    x, m = logits_and_targets(logits, targets)
    top = ar.logsumexp(x)
    return np.asarray((ar.exp(x - top[..., None]) - m) * weights(top, reduction, mask)[..., None])


def logits_and_targets(logits: Any, targets: Any) -> tuple[Array, Array]:
    x, m = numbers(logits=logits, targets=targets)
    beside({}, logits=x, targets=m)
    sum_to_one("targets", m, -1)
    return x, m


def laws(probabilities: Any, v_min: Any, v_max: Any, rewards: Any = 0, gamma: Any = 1) -> list[Array]:
    """Everything in one world, the rows being probabilities."""
    given = read(probabilities=probabilities, v_min=v_min, v_max=v_max, rewards=rewards, gamma=gamma)
    beside({}, probabilities=given[0])
    sum_to_one("probabilities", given[0], -1)
    return given


def spacing(low: Array, high: Array, n: int) -> Array:
    """Δ, above 0.  Raises `InvalidBatch`."""
    if n < 2 or low.ndim or high.ndim or not ar.negative(low - high):
        raise InvalidBatch(f"{n} atoms from {low} to {high}: give 2 or more, and v_min below v_max")
    return np.asarray((high - low) / (n - 1))


def places(like: Array, n: int) -> Array:
    """0, ..., n - 1 in the numbers of `like`."""
    return np.cumsum(ar.ones(like, n)) - 1
