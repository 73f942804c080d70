"""Dueling networks: action values put together from a state value and advantages.

    naive    Q = V + A
    mean     Q = V + A - mean_a A          V = mean_a Q
    max      Q = V + A - max_a A           V = max_a Q

The naive sum cannot be taken apart: (V + c, A - c) has the same Q for every c, so V is not identified. Each of the others
fixes V; A is fixed up to a constant, which no longer matters. Wang et al. (2016), (7) to (9). Gradients are pulled back: from
d loss / dQ, of any loss, to d loss / dV and d loss / dA.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import beside, numbers, read
from rlexact.formulas.dqn import highest


@dataclass(frozen=True, eq=False)
class Streams:
    """The two streams, or the gradients in them: values (...), advantages (..., A)."""

    values: Array
    advantages: Array


def dueling_naive(values: Any, advantages: Any) -> Array:
    """(N,), (N, A) -> (N, A): the plain sum.

        Q(s, a) = V(s) + A(s, a)

    V is not identified by Q. Raises `InvalidBatch` for shapes that differ.
    Source: Wang et al. (2016), (7).

    >>> dueling_naive([1.0], [[2.0, 4.0]])
    array([[3., 5.]])
    """
    v, adv = streams(values, advantages)
    return np.asarray(v[..., None] + adv)


def dueling_mean(values: Any, advantages: Any) -> Array:
    """(N,), (N, A) -> (N, A): advantages centred at their mean.

        Q(s, a) = V(s) + A(s, a) - Σ_b A(s, b) / |A|

    V is then the mean of Q, not its maximum. Raises as `dueling_naive`.
    Source: Wang et al. (2016), (9).

    >>> dueling_mean([1.0], [[2.0, 4.0]])
    array([[0., 2.]])
    """
    v, adv = streams(values, advantages)
    return np.asarray(v[..., None] + centred(adv))


def dueling_max(values: Any, advantages: Any) -> Array:
    """(N,), (N, A) -> (N, A): advantages measured from their maximum.

        Q(s, a) = V(s) + A(s, a) - max_b A(s, b)

    V is then the maximum of Q. Raises as `dueling_naive`.
    Source: Wang et al. (2016), (8).

    >>> dueling_max([1.0], [[2.0, 4.0]])
    array([[-1.,  1.]])
    """
    v, adv = streams(values, advantages)
    return np.asarray(v[..., None] + adv - highest(adv)[0][..., None])


def dueling_naive_gradient(q_gradient: Any) -> Streams:
    """(N, A) -> Streams of (N,), (N, A): d loss / dQ pulled back through the plain sum.

        dV = Σ_a g_a,   dA_a = g_a

    Source: differentiated from Wang et al. (2016), (7).

    >>> dueling_naive_gradient([[3.0, 1.0]])
    Streams(values=array([4.]), advantages=array([[3., 1.]]))
    """
    g = checked_rows(q_gradient)
    return Streams(g.sum(axis=-1), g)


def dueling_mean_gradient(q_gradient: Any) -> Streams:
    """(N, A) -> Streams of (N,), (N, A): d loss / dQ pulled back through the centring; advantages get no common push.

        dV = Σ_a g_a,   dA_a = g_a - Σ_b g_b / |A|

    Source: differentiated from Wang et al. (2016), (9).

    >>> dueling_mean_gradient([[3.0, 1.0]])
    Streams(values=array([4.]), advantages=array([[ 1., -1.]]))
    """
    g = checked_rows(q_gradient)
    return Streams(g.sum(axis=-1), centred(g))


def dueling_max_gradient(q_gradient: Any, advantages: Any) -> Streams:
    """(N, A), (N, A) -> Streams of (N,), (N, A): d loss / dQ pulled back through the maximum; ties give to the first.

        dV = Σ_a g_a,   dA_a = g_a - 1[a = argmax A] Σ_b g_b

    Source: differentiated from Wang et al. (2016), (8).

    >>> dueling_max_gradient([[3.0, 1.0]], [[2.0, 4.0]])
    Streams(values=array([4.]), advantages=array([[ 3., -3.]]))
    """
    g, adv = numbers(q_gradient=q_gradient, advantages=advantages)
    beside({}, q_gradient=g, advantages=adv)
    first = np.arange(adv.shape[-1]) == highest(adv)[1][..., None]
    total = g.sum(axis=-1)
    return Streams(total, g - np.where(first, total[..., None], 0 * g))


def mean_streams(q: Any) -> Streams:
    """(N, A) -> Streams of (N,), (N, A): the streams with advantages of mean 0 that `dueling_mean` makes this Q of.

        V = Σ_a Q(s, a) / |A|,   A = Q - V

    Source: Wang et al. (2016), (9), solved.

    >>> mean_streams([[3.0, 5.0]])
    Streams(values=array([4.]), advantages=array([[-1.,  1.]]))
    """
    rows = checked_rows(q)
    return Streams(rows.sum(axis=-1) / rows.shape[-1], centred(rows))


def max_streams(q: Any) -> Streams:
    """(N, A) -> Streams of (N,), (N, A): the streams with advantages of maximum 0 that `dueling_max` makes this Q of.

        V = max_a Q(s, a),   A = Q - V

    Source: Wang et al. (2016), (8), solved.

    >>> max_streams([[3.0, 5.0]])
    Streams(values=array([5.]), advantages=array([[-2.,  0.]]))
    """
    rows = checked_rows(q)
    top = highest(rows)[0]
    return Streams(top, rows - top[..., None])


def streams(values: Any, advantages: Any) -> tuple[Array, Array]:
    v, adv = read(values=values, advantages=advantages)
    beside({"values": v}, advantages=adv)
    return v, adv


def checked_rows(rows: Any) -> Array:
    (x,) = read(q=rows)
    beside({}, q=x)
    return x


def centred(x: Array) -> Array:
    """Each row less its mean."""
    return np.asarray(x - x.sum(axis=-1, keepdims=True) / x.shape[-1])
