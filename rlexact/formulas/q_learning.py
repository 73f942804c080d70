"""Q-learning: action values of the greedy policy from any behaviour.

    y = r + γ max_a' Q(s', a')                                                     Q-learning
    y = r + γ Q₂(s', argmax_a' Q₁(s', a'))                                         double Q-learning: Q₁ selects, Q₂ judges
    y = r_t + γ r_{t+1} + ... + γ^{n-1} r_{t+n-1} + γ^n max_a Q(s_{t+n}, a)         n-step maximum
    Q(s, a) ← Q(s, a) + α (y - Q(s, a)) = (1 - α) Q(s, a) + α y                     the update of one entry

At a termination nothing follows. Ties go to the first maximiser. The n-step maximum is biased off-policy from n = 2 on: the
rewards between are those of the actions taken. `dqn` has the same targets from a frozen network. Watkins (1989); Sutton and
Barto (2018), (6.8), (6.10).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, beside, flags, read, taken, within
from rlexact.formulas.dqn import one_step_targets
from rlexact.formulas.returns import n_step_returns


def q_learning_targets(
    rewards: Any, next_q_values: Any, terminated: Any, gamma: Any, *, available: Any = None
) -> Array:
    """(N,), (N, A), (N,) -> (N,): the target for Q(s, a), of single transitions too: (), (A,) -> ().

        y = r + γ (1 - terminated) max_a' Q(s', a')

    `available` (N, A) says which actions there are at s'. Raises `InvalidBatch` as `td_errors`, and where a step that has not
    terminated leads to a state without actions.
    Source: Sutton and Barto (2018), (6.8).

    >>> q_learning_targets([1.0, 1.0], [[4.0, 7.0], [4.0, 7.0]], [False, True], 0.5)
    array([4.5, 1. ])
    """
    r, q = read(rewards=rewards, next_q_values=next_q_values)
    beside({"rewards": r}, next_q_values=q)
    return one_step_targets(r, greedy(q, terminated, available)[0], terminated, gamma)


def double_q_targets(
    rewards: Any, next_q_select: Any, next_q_judge: Any, terminated: Any, gamma: Any, *, available: Any = None
) -> Array:
    """(N,), (N, A), (N, A), (N,) -> (N,): the target for Q₁(s, a), with the other table's opinion of Q₁'s choice.

        y = r + γ (1 - terminated) Q₂(s', argmax_a' Q₁(s', a'))

    `next_q_select` is Q₁, the table that is updated; for Q₂'s update exchange them. Raises as `q_learning_targets`.
    Source: van Hasselt (2010), Algorithm 1; Sutton and Barto (2018), (6.10).

    >>> double_q_targets([0.0], [[7.0, 4.0]], [[4.0, 9.0]], [False], 0.5)
    array([2.])
    """
    r, select, judge = read(rewards=rewards, next_q_select=next_q_select, next_q_judge=next_q_judge)
    beside({"rewards": r}, next_q_select=select, next_q_judge=judge)
    return one_step_targets(r, taken(judge, greedy(select, terminated, available)[1]), terminated, gamma)


def n_step_max_targets(
    rewards: Any, next_q_values: Any, terminated: Any, truncated: Any, gamma: Any, n: int, *, available: Any = None
) -> Array:
    """(T, ...), (T, ..., A) -> (T, ...): n rewards as they came, then the maximum; row t of Q is that of s_{t+1}.

        y_t = Σ_{k<n} γ^k r_{t+k} + γ^n max_a Q(s_{t+n}, a)

    Raises as `q_learning_targets` and `n_step_returns`.
    Source: Mnih et al. (2016), Algorithm S2; Hessel et al. (2018), "Rainbow", on multi-step learning.

    >>> n_step_max_targets([1, 1], [[4, 0], [8, 9]], [False, False], None, gamma=0.5, n=2)
    array([3.75, 5.5 ])
    """
    r, q = read(rewards=rewards, next_q_values=next_q_values)
    beside({"rewards": r}, next_q_values=q)
    return n_step_returns(r, greedy(q, terminated, available)[0], terminated, truncated, gamma, n)


def td_update(table: Any, entry: int | tuple[int, ...], target: Any, alpha: Any) -> Array:
    """(S,) or (S, A), an index -> the same shape: a new table with one entry moved towards its target.

        Q(s, a) ← Q(s, a) + α (y - Q(s, a))

    Whatever the target: TD(0), Monte Carlo, SARSA, Q-learning. α above 1 is allowed, below 0 is not. Raises `InvalidBatch`
    for an entry that the table does not have.
    Source: Sutton and Barto (2018), (2.3), (6.2), (6.8).

    >>> td_update([[0.0, 4.0]], (0, 1), 6.0, 0.5)
    array([[0., 5.]])
    """
    held, y, a = read(table=table, target=target, alpha=alpha)
    within(0, None, alpha=a)
    place = tuple(np.atleast_1d(entry).tolist())
    if len(place) != held.ndim or any(not 0 <= i < size for i, size in zip(place, held.shape, strict=True)):
        raise InvalidBatch(f"entry {entry!r} of a table of shape {held.shape}: give one index for each axis")
    if y.ndim or a.ndim:
        raise InvalidBatch(f"target has shape {y.shape}, alpha {a.shape}: give one number each")
    moved = held.astype(np.result_type(held, y, a))
    moved[place] = held[place] + a * (y - held[place])
    return moved


def greedy(q: Array, terminated: Any, available: Any) -> tuple[Array, Array]:
    """(..., A) -> the maximum of each row over the available actions, and its first maximiser: (...) each."""
    (ended,) = flags(q.shape[:-1], terminated=terminated)
    (there,) = flags(q.shape, available=np.ones(q.shape, dtype=bool) if available is None else available)
    if np.any(stuck := ~ended & ~there.any(axis=-1)):
        where = tuple(np.argwhere(stuck)[0].tolist())
        raise InvalidBatch(f"no action is available after step {where}, which has not terminated: flag it, or give one")
    rows = (-1, q.shape[-1])
    top, ties = ar.best(q.reshape(rows), there.reshape(rows))
    return top.reshape(q.shape[:-1]), ties.argmax(axis=1).reshape(q.shape[:-1])
