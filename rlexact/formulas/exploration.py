"""Exploration by chance: ε-greedy and Boltzmann policies of action values.

    π(a) = (1 - ε) 1[a = a*] + ε/|A|                  so the greedy action has 1 - ε + ε/|A|, and 1 - π(a*) = ε (1 - 1/|A|)
    π(a) = e^{q(a)/τ} / Σ_b e^{q(b)/τ}                 τ → 0 greedy, ties shared; τ → ∞ uniform

ε is the chance to draw uniformly, the greedy action among the rest, not the chance to leave it. Actions lie on the last axis;
`available` masks them. Watkins (1989); Sutton and Barto (2018), §2.2 and (2.11).
"""

from typing import Any, Literal

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, positive, within


def epsilon_greedy(
    q_values: Any, epsilon: Any, available: Any = None, ties: Literal["first", "shared"] = "first"
) -> Array:
    """(..., A) -> (..., A): the probabilities of ε-greedy. It runs on Fractions.

        π(a) = (1 - ε) 1[a = a*] + ε/|A|

    |A| counts available actions. Of several best actions the first has all of 1 - ε, or they share it. Raises
    `InvalidBatch` for ε outside [0, 1] and a row without an available action.
    Source: Sutton and Barto (2018), §2.2 and §5.4.

    >>> epsilon_greedy([1.0, 3.0, 3.0, 0.0], 0.5)
    array([0.125, 0.625, 0.125, 0.125])
    >>> epsilon_greedy([1.0, 3.0, 3.0, 0.0], 0.5, ties="shared")
    array([0.125, 0.375, 0.375, 0.125])
    """
    if ties not in ("first", "shared"):
        raise InvalidBatch(f"ties = {ties!r}: give 'first' or 'shared'")
    q, eps = numbers(q_values=q_values, epsilon=epsilon)
    within(0, 1, epsilon=eps)
    rows, mask = rows_of(q, available)
    _, best = ar.best(rows, mask)
    if ties == "first":
        best &= best.cumsum(axis=1) == 1
    return np.asarray((1 - eps) * shares(q, best) + eps * shares(q, mask)).reshape(q.shape)


def boltzmann(q_values: Any, temperature: Any, available: Any = None) -> Array:
    """(..., A) -> (..., A): the softmax of action values at a temperature; no temperature overflows.

        π(a) = exp(q(a)/τ) / Σ_b exp(q(b)/τ)

    Raises `InvalidBatch` for τ ≤ 0 and a row without an available action, `NotExact` for Fractions.
    Source: Sutton and Barto (2018), (2.11), with a temperature.

    >>> boltzmann([1.0, 2.0], 0.001), boltzmann([1e4, 1e4], 0.001)
    (array([0., 1.]), array([0.5, 0.5]))
    """
    q, tau = numbers(q_values=q_values, temperature=temperature)
    positive(temperature=tau)
    rows, mask = rows_of(q, available)
    weights = np.where(mask, ar.ones(q, mask.shape), ar.zeros(q, mask.shape))
    return np.asarray(ar.soft_best(rows, weights, tau[()])[1]).reshape(q.shape).astype(q.dtype)


def rows_of(q: Array, available: Any) -> tuple[Array, Array]:
    """Action values as (S, A), and what is available in each row."""
    if q.ndim == 0:
        raise InvalidBatch("q_values is a scalar: give a value for each action on the last axis, shape (..., A)")
    (mask,) = flags(q.shape, available=np.ones(q.shape, dtype=bool) if available is None else available)
    if not mask.any(axis=-1).all():
        raise InvalidBatch("a row has no available action: a policy needs one to choose")
    return q.reshape(-1, q.shape[-1]), mask.reshape(-1, q.shape[-1])


def shares(like: Array, mask: Array) -> Array:
    """1 over the number of marked actions on each of them, in the numbers of `like`."""
    ones = ar.ones(like, mask.shape) * mask.astype(int)
    return np.asarray((ones / mask.sum(axis=1, keepdims=True)).astype(like.dtype))
