"""Fitness shaping: fitness replaced by utilities that depend on its order alone, so that f and g(f), g increasing, move alike.

    u_i = U_k,   k the place of sample i from the best down, ties sharing the mean of their places' utilities
    ranks        U_k = N - k                                                     0 the worst, N - 1 the best
    centred      U_k = (N - k)/(N - 1) - 1/2                                     from -1/2 to 1/2
    NES          U_k = max(0, log(N/2 + 1) - log k) / Σ_j max(0, log(N/2 + 1) - log j) - 1/N
    truncation   U_k = 1/m for k ≤ m, 0 after                                    the elites of the cross-entropy method

Fitness is maximised. Equal fitness has equal utility, and the sum stays that of the table: no order is made up for ties, and
where all are equal, centred and NES utilities are 0 and nothing moves. Wierstra, Schaul, Glasmachers, Sun, Peters and
Schmidhuber (2014), §3.1; Salimans, Ho, Chen, Sidor and Sutskever (2017), §2.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, read


def population(fitness: Any, **rows: Any) -> list[Array]:
    """(N,) fitness and (N, d) rows that belong to it, in one world.  Raises `InvalidBatch`."""
    f, *arrays = read(fitness=fitness, **rows)
    if f.ndim != 1 or f.size == 0:
        raise InvalidBatch(f"fitness has shape {f.shape}: give one number for each sample, (N,)")
    for name, x in zip(rows, arrays, strict=True):
        if x.ndim != 2 or len(x) != len(f):
            raise InvalidBatch(f"{name} has shape {x.shape}: give ({len(f)}, d), one row for each fitness")
    return [f, *arrays]


def rank_utilities(fitness: Any, table: Any) -> Array:
    """(N,), (N,) best first -> (N,): the table's entries handed out by the order of fitness, ties sharing theirs.

        u_i = mean of U_k over the places k that samples as fit as i fill

    The answer is in the table's numbers; fitness is only compared. Raises `InvalidBatch` for lengths that differ.
    Source: Wierstra et al. (2014), §3.1.

    >>> rank_utilities([5.0, 9.0, 5.0, 7.0], [3, 2, 1, 0])
    array([0.5, 3. , 0.5, 2. ])
    """
    (f,), (u,) = population(fitness), read(table=table)
    if u.shape != f.shape:
        raise InvalidBatch(f"table has shape {u.shape}, fitness {f.shape}: give one utility for each place")
    _, place, counts = np.unique(-f, return_inverse=True, return_counts=True)
    return np.asarray((np.add.reduceat(u, counts.cumsum() - counts) / counts)[place])


def ranks(fitness: Any) -> Array:
    """(N,) -> (N,): 0 for the least fit to N - 1 for the fittest, ties in the middle of their places.

        r_i = #{j : F_j < F_i} + (#{j : F_j = F_i} - 1)/2

    Source: Kendall (1945), "The treatment of ties in ranking problems", §2.

    >>> ranks([0.1, -3.0, 0.1])
    array([1.5, 0. , 1.5])
    """
    (f,) = population(fitness)
    return rank_utilities(f, ar.ones(f, f.shape) * np.arange(len(f))[::-1])


def centred_ranks(fitness: Any) -> Array:
    """(N,) -> (N,): ranks moved and scaled to [-1/2, 1/2]; their sum is 0.

        u_i = r_i / (N - 1) - 1/2

    Raises `InvalidBatch` for a single sample.
    Source: Salimans et al. (2017), §2, and the code published with it.

    >>> centred_ranks([10.0, 1e9, -4.0])
    array([ 0. ,  0.5, -0.5])
    """
    r = ranks(fitness)
    if len(r) == 1:
        raise InvalidBatch("one sample has no rank among others: give at least two")
    return np.asarray((2 * r - (len(r) - 1)) / (2 * (len(r) - 1)))


def nes_utilities(fitness: Any) -> Array:
    """(N,) -> (N,): the utilities of natural evolution strategies; their sum is 0, about half of them are -1/N.

        U_k = max(0, log(N/2 + 1) - log k) / Σ_j max(0, log(N/2 + 1) - log j) - 1/N

    In floats whatever the fitness is: they are logarithms of places.
    Source: Wierstra et al. (2014), §3.1.

    >>> nes_utilities([3.0, 8.0]).tolist()
    [-0.5, 0.5]
    """
    (f,) = population(fitness)
    n = len(f)
    raw = np.maximum(0, np.log(n / 2 + 1) - np.log(np.arange(1, n + 1)))
    return rank_utilities(f, raw / raw.sum() - 1 / n)


def truncation_utilities(fitness: Any, count: int) -> Array:
    """(N,) -> (N,): the same weight for each of the `count` fittest, none for the rest; their sum is 1.

        U_k = 1/m for k ≤ m, 0 after

    Where a tie straddles the border, all of it shares what is left. Raises `InvalidBatch` for a count outside 1 ... N.
    Source: de Boer et al. (2005), §3, as weights.

    >>> truncation_utilities([1.0, 4.0, 4.0, 9.0], 2)
    array([0.  , 0.25, 0.25, 0.5 ])
    """
    (f,) = population(fitness)
    if not 1 <= count <= len(f):
        raise InvalidBatch(f"count = {count}: give from 1 to {len(f)}, the number of samples")
    return rank_utilities(f, ar.ones(f, f.shape) * (np.arange(len(f)) < count).astype(int) / count)
