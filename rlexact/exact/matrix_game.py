"""Zero-sum matrix games: the rows earn what the columns lose.

    v = max_x min_j Σ_i x_i M_ij = min_y max_i Σ_j M_ij y_j                                              [G1]
    min_j (xM)_j ≤ v ≤ max_i (My)_i   for any mixed strategies x and y, with equality at optimal ones    [G2]

von Neumann (1928); the linear program is Dantzig's (1951). Floats are solved by HiGHS and [G2] bounds their error. For
exact payoffs HiGHS solves their rounding and proposes which rows and columns are in use; v, x and y then follow from

    (xM)_j = v on the columns that bind,  (My)_i = v on the rows that bind,  Σ x = Σ y = 1               [G3]

exactly, and [G2] decides whether they are optimal. Where rounding misled HiGHS, the simplex method in exact numbers, with
the pivots of Bland (1977) that cannot cycle, solves the game afresh.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.solution import NotConverged

BINDS = 1e-7  # HiGHS's own tolerance, on payoffs scaled to [1, 2]


@dataclass(frozen=True, eq=False)
class MatrixGame:
    """Optimal mixed strategies `row` (m,) and `column` (n,), with `lower` ≤ v ≤ `upper` by [G2].

    The two bounds are what each strategy guarantees by itself; in exact numbers they are equal, and v itself.
    """

    row: Array
    column: Array
    lower: Any
    upper: Any

    @property
    def value(self) -> Any:
        """v [G1]; in floats the middle of its bounds."""
        return (self.lower + self.upper) / 2

    @property
    def gap(self) -> Any:
        """upper - lower: 0 in exact numbers."""
        return self.upper - self.lower


def matrix_game(payoffs: Any) -> MatrixGame:
    """The value of a game and how to play it: (m, n) payoffs to the row player -> `MatrixGame`, in their units.

    Raises `ValueError` for payoffs that are no finite matrix, `NotExact` for symbols, `NotConverged` where HiGHS gives up.
    """
    M = checked_payoffs(payoffs)
    if not ar.is_exact(M):
        return judged(M, *proposed(M))
    game = pointed_to(M)
    return game if game is not None and game.lower == game.upper else judged(M, *simplex(M))


def checked_payoffs(payoffs: Any) -> Array:
    M = np.asarray(ar.read({"payoffs": payoffs})["payoffs"])
    if M.ndim != 2 or 0 in M.shape or not ar.finite(M).all():
        raise ValueError(
            f"payoffs have shape {M.shape}: give a matrix of finite numbers, one row and one column at least"
        )
    if ar.of(M).NAME == "symbolic":
        raise NotExact("which symbolic payoff is larger is undecided: give the symbols numbers")
    return M


def judged(M: Array, x: Array, y: Array) -> MatrixGame:
    """Both strategies with what they guarantee [G2]."""
    return MatrixGame(x, y, -ar.largest(-(x @ M)), ar.largest(M @ y))


def proposed(M: Array) -> tuple[Array, Array]:
    """x and y in floats, from one program and its dual: minimise Σ u subject to uM ≥ 1, with u = x / v on scaled payoffs."""
    scaled = scaled_to_floats(M)
    answer = scipy.optimize.linprog(np.ones(M.shape[0]), -scaled.T, -np.ones(M.shape[1]), method="highs-ds")
    if answer.status != 0:
        raise NotConverged(f"HiGHS gave no optimum: {answer.message}", answer)
    return normalised(answer.x), normalised(-answer.ineqlin.marginals)


def scaled_to_floats(M: Array) -> Array:
    """An affine image of the payoffs in [1, 2], which has the same optimal strategies."""
    low, high = -ar.largest(-M), ar.largest(M)
    width = high - low if high > low else high - low + ar.number(M, 1)
    return np.asarray(1 + (M - low) / width, dtype=float)


def normalised(x: Array) -> Array:
    x = np.maximum(x, 0.0)
    return np.asarray(x / x.sum())


def pointed_to(M: Array) -> MatrixGame | None:
    """The strategies that the rounded game points to, in the payoffs' own numbers [G3], if they are unique and ≥ 0."""
    x, y = proposed(M)
    scaled = scaled_to_floats(M)
    v = (x @ scaled).min()
    rows, columns = x > 0, y > 0
    exact_x = equalising(M, rows, columns | (x @ scaled - v <= BINDS))
    exact_y = equalising(M.T, columns, rows | (v - scaled @ y <= BINDS))
    return None if exact_x is None or exact_y is None else judged(M, exact_x, exact_y)


def equalising(M: Array, used: Array, binding: Array) -> Array | None:
    """The one strategy on the rows in use that earns the same on the binding columns, if there is one: -> (m,)."""
    system = np.column_stack([M[used][:, binding].T, -ar.ones(M, binding.sum())])
    basis = ar.null_space(ar.kernel_from(system))
    if basis.shape[1] != 1 or not ar.apart(total := basis[:-1, 0].sum(), 0).all():
        return None
    x = ar.zeros(M, M.shape[0])
    x[used] = basis[:-1, 0] / total
    return None if ar.negative(x).any() else x


def simplex(M: Array) -> tuple[Array, Array]:
    """x and y exactly: maximise Σ w subject to Bw ≤ 1, w ≥ 0, where B > 0 is M shifted; w = y / v, and the dual is x / v."""
    m, n = M.shape
    shifted = M + ar.largest(-M) + ar.number(M, 1)
    slacks = np.where(np.eye(m, dtype=bool), ar.ones(M, (m, m)), ar.zeros(M, (m, m)))
    top = np.column_stack([shifted, slacks, ar.ones(M, m)])
    tableau = np.vstack([top, np.concatenate([-ar.ones(M, n), ar.zeros(M, m + 1)])])
    basis = np.arange(n, n + m)
    while (worse := ar.negative(tableau[-1, :-1])).any():
        enter = int(worse.argmax())
        leave = blocking(tableau, basis, enter)
        tableau = pivoted(tableau, leave, enter)
        basis[leave] = enter
    w = ar.zeros(M, n + m)
    w[basis] = tableau[:-1, -1]
    total = tableau[-1, -1]
    return tableau[-1, n : n + m] / total, w[:n] / total


def blocking(tableau: Array, basis: Array, enter: int) -> int:
    """The row that limits the entering variable; among ties that of the first variable (Bland)."""
    column = tableau[:-1, enter]
    rows = np.flatnonzero(ar.negative(-column))
    return int(min(rows, key=lambda i: (tableau[i, -1] / column[i], basis[i])))


def pivoted(tableau: Array, leave: int, enter: int) -> Array:
    line = tableau[leave] / tableau[leave, enter]
    out = tableau - tableau[:, enter, None] * line[None, :]
    out[leave] = line
    return np.asarray(out)
