"""Random models from a seed: NumPy's `default_rng(seed)`, so that a seed names a model for good."""

from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse

from rlexact.arithmetic import Array
from rlexact.mdp import MDP


def subsets(rng: np.random.Generator, rows: int, n: int, k: int) -> Array:
    """`rows` subsets of {0, …, n - 1} of size k, every one equally likely, each sorted: (rows, k).

    Floyd's method (Bentley and Floyd 1987), all rows at once.
    """
    chosen = np.empty((rows, k), dtype=np.int64)
    for column, j in enumerate(range(n - k, n)):
        drawn = rng.integers(0, j + 1, rows)
        taken = (chosen[:, :column] == drawn[:, None]).any(axis=1)
        chosen[:, column] = np.where(taken, j, drawn)
    return np.sort(chosen, axis=1)


def garnet(
    n_states: int,
    n_actions: int,
    branching: int,
    seed: int,
    *,
    gamma: Any = None,
    exact: bool = False,
    sparse: bool = False,
    denominator: int = 60,
) -> MDP:
    """Garnet(S, A, b): every action leads to b distinct states, drawn evenly; Archibald, McKinnon and Thomas (1995).

    The probabilities are the b pieces into which b - 1 even cuts divide [0, 1]; rewards r(s, a) are standard normal.
    In an exact model the cuts are multiples of 1/denominator, and so are the rewards, even on [-1, 1]. The start law
    is even, and γ is 9/10 unless given. Raises `ValueError` where b successors do not exist, or the denominator is
    too small for b pieces.
    """
    if not 1 <= branching <= n_states or (exact and branching > denominator):
        limit = min(n_states, denominator) if exact else n_states
        raise ValueError(f"branching = {branching}: give 1 to {limit}")
    rng, pairs = np.random.default_rng(seed), n_states * n_actions
    following = subsets(rng, pairs, n_states, branching)
    rows = np.repeat(np.arange(pairs), branching)
    if exact:
        p, r, discount = small_rationals(rng, pairs, branching, denominator)
    else:
        p = np.diff(np.sort(rng.random((pairs, branching - 1)), axis=1), axis=1, prepend=0.0, append=1.0)
        r, discount = rng.standard_normal(pairs), 0.9
    start = [Fraction(1, n_states)] * n_states if exact else np.full(n_states, 1 / n_states)
    discount = discount if gamma is None else gamma
    if sparse:
        if exact:
            raise ValueError("scipy.sparse holds floats: an exact model is dense, so give exact=False or sparse=False")
        kernel = scipy.sparse.csr_array((p.ravel(), (rows, following.ravel())), shape=(pairs, n_states))
        return MDP(kernel, r.reshape(n_states, n_actions), discount, start)
    P = np.zeros((pairs, n_states), dtype=p.dtype)
    P[rows, following.ravel()] = p.ravel()
    return MDP(P.reshape(n_states, n_actions, n_states), r.reshape(n_states, n_actions), discount, start)


def small_rationals(rng: np.random.Generator, pairs: int, branching: int, denominator: int) -> tuple[Array, Array, Any]:
    """Probabilities (pairs, branching) and rewards (pairs,) as multiples of 1/denominator, and the discount 9/10."""
    cuts = 1 + subsets(rng, pairs, denominator - 1, branching - 1)
    pieces = np.diff(cuts, axis=1, prepend=0, append=denominator)
    return (
        over(pieces, denominator),
        over(rng.integers(-denominator, denominator + 1, pairs), denominator),
        Fraction(9, 10),
    )


def over(numerators: Array, denominator: int) -> Array:
    out = np.empty(numerators.shape, dtype=object)
    out.flat[:] = [Fraction(int(k), denominator) for k in numerators.flat]
    return out


def random_mdp(
    seed: int,
    n_states: int = 4,
    n_actions: int = 3,
    *,
    gamma: Any = Fraction(9, 10),
    terminal: int = 0,
    masked: bool = False,
    exact: bool = True,
) -> MDP:
    """A small rational model with everything a solver must survive, for sweeps over seeds.

    Rows are weights 0 to 5 divided by their sum, rewards R(s, a, s') halves of -6 to 6, the start law like a row. The
    last `terminal` states are terminal, and `masked` forbids about a third of the actions (never all). `exact=False`
    rounds the finished model to floats. Raises `ValueError` where no state is left to act in.
    """
    if not 0 <= terminal < n_states:
        raise ValueError(f"terminal = {terminal}: give 0 to {n_states - 1}, so that a state is left to act in")
    rng = np.random.default_rng(seed)
    P = even_rows(rng, n_states * n_actions + 1, n_states)
    R = over(rng.integers(-6, 7, (n_states, n_actions, n_states)), 2)
    live = n_states - terminal
    P[live * n_actions : -1], R[live:] = Fraction(0), Fraction(0)
    allowed = rng.random((n_states, n_actions)) < 2 / 3 if masked else np.ones((n_states, n_actions), dtype=bool)
    allowed[np.arange(n_states), rng.integers(0, n_actions, n_states)] = True
    mdp = MDP(
        P[:-1].reshape(n_states, n_actions, n_states),
        R,
        gamma,
        P[-1],
        terminal=range(live, n_states),
        available=allowed,
    )
    return mdp if exact else mdp.to_float()


def even_rows(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Rows of small rationals that sum to 1: (rows, columns)."""
    weights = rng.integers(0, 6, (rows, columns))
    weights[np.arange(rows), rng.integers(0, columns, rows)] += 1
    return np.array([over(row, int(row.sum())) for row in weights])
