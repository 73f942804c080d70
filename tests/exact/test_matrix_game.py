"""Games against the enumeration of all kernels (Shapley and Snow 1950), against closed forms, and against their own duals."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import MixedNumbers, NotExact
from rlexact.exact import matrix_game as module
from rlexact.exact.matrix_game import judged, matrix_game, pointed_to, simplex


def kernel_value(M):
    """The value as that of a square submatrix whose equalising strategies hold against every row and column."""
    rows, columns = len(M), len(M[0])
    for k in range(1, min(rows, columns) + 1):
        for I in combinations(range(rows), k):  # noqa: E741
            for J in combinations(range(columns), k):
                square = sympy.Matrix(k, k, lambda i, j, up=I, on=J: M[up[i]][on[j]])
                border = sympy.Matrix(
                    k + 1, k + 1, lambda i, j, B=square, k=k: B[i, j] if max(i, j) < k else int(i != j)
                )
                if border.det() == 0:  # Σ x = 1 and xB - v 1 = 0, without its sign
                    continue
                right = sympy.Matrix([0] * k + [1])
                x, y = border.T.solve(right), border.solve(right)
                v = -x[k]
                if min(x[:k]) < 0 or min(y[:k]) < 0:
                    continue
                mixed = [sum(x[i] * M[I[i]][j] for i in range(k)) for j in range(columns)]
                met = [sum(y[j] * M[i][J[j]] for j in range(k)) for i in range(rows)]
                if min(mixed) >= v >= max(met):
                    return Fraction(int(v.p), int(v.q))
    raise AssertionError("every game has a kernel")


@pytest.mark.parametrize("seed", range(25))
def test_exact_value_by_kernels(seed):
    rng = np.random.default_rng(seed)
    whole = rng.integers(-3, 4, size=(int(rng.integers(1, 4)), int(rng.integers(1, 5))))
    M = [[Fraction(int(x), 3) for x in row] for row in whole]
    game = matrix_game(M)
    assert game.value == kernel_value([[sympy.Rational(int(x), 3) for x in row] for row in whole])
    assert game.gap == 0
    assert game.row.sum() == 1 == game.column.sum()
    assert min(*game.row, *game.column, 1) >= 0
    close = matrix_game((whole / 3).tolist())
    assert close.lower - 1e-12 <= game.value <= close.upper + 1e-12  # rounding of one product
    assert close.gap <= 1e-6  # HiGHS's tolerance on payoffs of size one


def test_rock_paper_scissors():
    game = matrix_game([[0, "-1", 1], [1, 0, -1], [-1, 1, 0]])
    assert list(game.row) == list(game.column) == [Fraction(1, 3)] * 3
    assert game.value == 0
    skewed = matrix_game(
        [["0", -2, 1], [2, 0, -1], [-1, 1, 0]]
    )  # a symmetric game: x ∝ (c, b, a) of its entries a, b, c
    assert list(skewed.row) == [Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)]


def test_two_by_two_closed_form():
    a, b, c, d = Fraction(3), Fraction(-1), Fraction(-2), Fraction(7, 3)
    game = matrix_game([[a, b], [c, d]])
    assert game.value == (a * d - b * c) / (a + d - b - c)
    assert game.row[0] == (d - c) / (a + d - b - c)
    assert game.column[0] == (d - b) / (a + d - b - c)


@pytest.mark.parametrize(
    ("M", "value"),
    [
        ([["2"]], 2),
        ([["1", 2, 3]], 1),
        ([["1"], [5], [2]], 5),
        ([["4", 4], [4, 4]], 4),
        ([["3", 3, 5], [3, 3, 4], [1, 3, 3]], 3),  # many optimal strategies
        ([["0", 0], [0, 0]], 0),
    ],
)
def test_degenerate_games(M, value):
    game = matrix_game(M)
    assert game.value == value
    assert game.gap == 0


def test_payoffs_that_floats_cannot_tell_apart():
    """The diagonal is better by 10⁻³⁰, which rounding hides; then a payoff that hides all others."""
    e = Fraction(1, 10**30)
    assert matrix_game([[1 + e, 1], [1, 1 + e]]).value == 1 + e / 2
    assert matrix_game([[1, 1 + e, 1 + 2 * e]]).value == 1
    assert matrix_game([[1 - e, 1 - e], [1, 1 + e], [1 - 2 * e, 2]]).value == 1
    big = Fraction(10) ** 20
    assert matrix_game([[big, 1], [1, 2]]).value == (2 * big - 1) / (big + 2 - 2)


@pytest.mark.parametrize("seed", range(10))
def test_simplex_and_the_proposal_agree(seed):
    rng = np.random.default_rng(100 + seed)
    M = rng.integers(-9, 10, size=(4, 5)).astype(object) * Fraction(1, 7)
    x, y = simplex(M)
    found = pointed_to(M)
    assert found is not None
    assert found.gap == 0
    assert min(x @ M) == max(M @ y) == found.value


def test_a_wrong_proposal_is_not_believed(monkeypatch):
    pure = np.array([Fraction(1), Fraction(0)], dtype=object)
    with monkeypatch.context() as patched:
        patched.setattr(module, "pointed_to", lambda M: judged(M, pure, pure))
        assert matrix_game([["3", -1], [-2, 5]]).value == Fraction(13, 11)
    monkeypatch.setattr(module, "proposed", lambda M: (np.array([1.0, 0.0]), np.array([1.0, 0.0])))
    assert matrix_game([["3", -1], [-2, 5]]).value == Fraction(13, 11)


def test_refusals():
    for bad in ([], [[]], [1, 2], [[float("nan")]], [[float("inf"), 1.0]]):
        with pytest.raises(ValueError, match=r"payoffs|finite"):
            matrix_game(bad)
    with pytest.raises(NotExact, match="undecided"):
        matrix_game([[sympy.Symbol("x"), 1]])
    with pytest.raises(MixedNumbers):
        matrix_game([["1/3", 0.5]])
