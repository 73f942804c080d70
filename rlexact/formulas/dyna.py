"""Dyna: plan by replaying what a table remembers.

    Model(s, a) ← (r, s')                                                        the last transition seen
    Q(s, a) ← Q(s, a) + α (r + γ (1 - ended) max_a' Q(s', a') - Q(s, a))           one planning step, (s, a) seen before
    E Q' = Q + (α/n) 1[seen] (r + γ (1 - ended) max Q(s') - Q)                     its mean, (s, a) uniform over n seen pairs

The model is deterministic: of a random world it remembers one draw. Planning without end finds Q* of the remembered model.
Sutton (1990); Sutton and Barto (2018), §8.2. It runs on Fractions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, read, within


@dataclass(frozen=True, eq=False)
class DynaModel:
    """What is remembered of each pair: reward, next state, whether the episode ended; (S, A) each. Only `seen` pairs count."""

    rewards: Array
    next_states: Array
    terminated: Array
    seen: Array


def dyna_model(
    states: Any, actions: Any, rewards: Any, next_states: Any, terminated: Any, n_states: int, n_actions: int
) -> DynaModel:
    """(N,) each -> DynaModel of (S, A): the last transition of each pair, in the order given.

        Model(s, a) ← (r, s')

    Raises `InvalidBatch` for lengths that differ and for states or actions out of range.
    Source: Sutton and Barto (2018), §8.2, Tabular Dyna-Q, step (e).

    >>> dyna_model([0, 0], [1, 1], [5.0, 7.0], [0, 1], [False, False], 2, 2).rewards
    array([[0., 7.],
           [0., 0.]])
    """
    (r,) = numbers(rewards=rewards)
    (ended,) = flags(r.shape, terminated=terminated)
    s, a, s_next = (
        indices(name, x, top, r.shape)
        for name, x, top in (
            ("states", states, n_states),
            ("actions", actions, n_actions),
            ("next_states", next_states, n_states),
        )
    )
    shape = (n_states, n_actions)
    model = DynaModel(np.full(shape, 0 * r[0]), np.zeros(shape, int), np.zeros(shape, bool), np.zeros(shape, bool))
    for t in range(len(r)):  # in order: a later transition overwrites an earlier one
        at = s[t], a[t]
        model.rewards[at], model.next_states[at], model.terminated[at], model.seen[at] = r[t], s_next[t], ended[t], True
    return model


def dyna_planning(q: Any, model: DynaModel, states: Any, actions: Any, step_size: Any, gamma: Any) -> Array:
    """(S, A), DynaModel, (K,), (K,) -> (S, A): Q after K planning steps, one after the other.

        Q(s, a) ← Q(s, a) + α (r + γ (1 - ended) max_a' Q(s', a') - Q(s, a))

    Raises `InvalidBatch` for a pair that was never seen, and α or γ outside [0, 1].
    Source: Sutton and Barto (2018), §8.2, Tabular Dyna-Q, step (f).

    >>> model = dyna_model([0], [0], [1.0], [1], [False], 2, 1)
    >>> dyna_planning([[0.0], [10.0]], model, [0, 0], [0, 0], 0.5, 0.5)
    array([[ 4.5],
           [10. ]])
    """
    table, alpha, g = admitted(q, model, step_size, gamma)
    k = np.shape(states)
    s, a = indices("states", states, table.shape[0], k), indices("actions", actions, table.shape[1], k)
    if not model.seen[s, a].all():
        i = int(np.argmin(model.seen[s, a]))
        raise InvalidBatch(f"pair {i}, (s, a) = ({s[i]}, {a[i]}), was never seen: the model knows nothing of it")
    out = table.copy()
    for pair in zip(s, a, strict=True):
        out[pair] = out[pair] + alpha * planning_errors(out, model, g)[pair]
    return out


def dyna_mean_step(q: Any, model: DynaModel, step_size: Any, gamma: Any) -> Array:
    """(S, A), DynaModel -> (S, A): the mean of Q after one planning step, the pair drawn uniformly from those seen.

        E Q' = Q + (α/n) 1[seen] (r + γ (1 - ended) max_a' Q(s', a') - Q)

    Raises as `dyna_planning`, and where nothing was seen.
    Source: Sutton and Barto (2018), §8.2, in expectation over the pair.

    >>> model = dyna_model([0, 1], [0, 0], [1.0, 0.0], [1, 1], [False, True], 2, 1)
    >>> dyna_mean_step([[0.0], [10.0]], model, 0.5, 0.5)
    array([[1.5],
           [7.5]])
    """
    table, alpha, g = admitted(q, model, step_size, gamma)
    if not (n := int(model.seen.sum())):
        raise InvalidBatch("no pair was seen: there is nothing to plan with")
    return np.asarray(table + np.where(model.seen, alpha * planning_errors(table, model, g) / n, 0 * table))


def planning_errors(q: Array, model: DynaModel, gamma: Array) -> Array:
    """r + γ (1 - ended) max Q(s') - Q for every pair: (S, A)."""
    ahead = q.max(axis=1)[model.next_states]
    return np.asarray(model.rewards + gamma * np.where(model.terminated, 0 * ahead, ahead) - q)


def admitted(q: Any, model: DynaModel, step_size: Any, gamma: Any) -> tuple[Array, Array, Array]:
    table, alpha, g, _ = read(q=q, step_size=step_size, gamma=gamma, rewards=model.rewards)
    within(0, 1, step_size=alpha, gamma=g)
    if table.shape != model.seen.shape:
        raise InvalidBatch(f"q has shape {table.shape}, the model {model.seen.shape}: give (S, A)")
    return table, alpha, g


def indices(name: str, x: Any, top: int, shape: tuple[int, ...]) -> Array:
    """Whole numbers in [0, top), of this shape of one axis."""
    array = np.asarray(x)
    if array.dtype.kind not in "iu" or array.shape != shape or array.ndim != 1:
        raise InvalidBatch(f"{name} have dtype {array.dtype} and shape {array.shape}: give integers of one shape (N,)")
    if ((array < 0) | (array >= top)).any():
        raise InvalidBatch(f"{name} reach from {array.min()} to {array.max()}: give indices in [0, {top})")
    return array
