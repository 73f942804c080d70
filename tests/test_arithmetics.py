"""Every verb in every world, against routes that share no code with it: Gauss elimination written here, NumPy, SymPy."""

import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact import arithmetic as ar
from rlexact.arithmetic.rational import RationalMatrix
from rlexact.arithmetic.symbolic import SymbolicMatrix

F = Fraction
WORLDS = ("dense", "sparse", "rational", "symbolic")
A = [[F(3), F(-1, 2), F(0)], [F(1, 4), F(2), F(-1)], [F(0), F(1, 8), F(5, 4)]]
B = [[F(1), F(-2)], [F(1, 2), F(0)], [F(3), F(7, 4)]]


def objects(rows: Any) -> ar.Array:
    return np.array(rows, dtype=object)


def kernel(rows: Any, world: str) -> Any:
    if world == "dense":
        return ar.kernel_from(objects(rows).astype(float))
    if world == "sparse":
        return ar.kernel_from(scipy.sparse.csr_array(objects(rows).astype(float)))
    return ar.kernel_from(vector(rows, world))


def vector(entries: Any, world: str) -> ar.Array:
    """Fractions as an array of the world's numbers."""
    exact = objects(entries)
    if world in ("dense", "sparse"):
        return exact.astype(float)
    if world == "rational":
        return exact
    out = np.empty(exact.shape, dtype=object)
    out.flat = [sympy.Rational(x.numerator, x.denominator) for x in exact.flat]
    return out


def exactly(x: Any) -> Any:
    """Nested lists of Fractions, whatever the world (floats are read in binary)."""
    array = ar.dense_array(x) if not isinstance(x, np.ndarray) else x
    out = np.empty(array.shape, dtype=object)
    for index, entry in np.ndenumerate(array):
        out[index] = F(int(entry.p), int(entry.q)) if isinstance(entry, sympy.Rational) else F(entry)
    return out.tolist()


def close(x: Any, expected: Any, world: str) -> bool:
    """Equal in exact worlds; in floats to 1e-14, a few roundings of numbers of size one."""
    if world in ("rational", "symbolic"):
        return exactly(x) == objects(expected).tolist()
    array = ar.dense_array(x) if not isinstance(x, np.ndarray) else x
    return bool(np.allclose(array, objects(expected).astype(float), rtol=0, atol=1e-14))


def times(a: Any, b: Any) -> list[list[Fraction]]:
    return [[sum((x * b[k][j] for k, x in enumerate(row)), F(0)) for j in range(len(b[0]))] for row in a]


def gauss(a: Any, b: Any) -> list[list[Fraction]]:
    """The solution of a x = b by elimination with pivots, in Fractions."""
    n = len(a)
    rows = [[*a[i], *b[i]] for i in range(n)]
    for i in range(n):
        pivot = next(k for k in range(i, n) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(n):
            if k != i:
                rows[k] = [x - rows[k][i] * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[n:] for row in rows]


def transposed(rows: Any) -> list[list[Fraction]]:
    return [list(column) for column in zip(*rows, strict=True)]


# -- which world --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.eye(2), "float64"),
        (1.5, "float64"),
        (np.arange(3), "float64"),
        (scipy.sparse.eye_array(2, format="csr"), "sparse float64"),
        (F(1, 2), "rational"),
        (objects([F(1), 2]), "rational"),
        (sympy.Symbol("x"), "symbolic"),
        (objects([1, sympy.Integer(1)]), "symbolic"),
    ],
)
def test_of(x, name):
    assert name == ar.of(x).NAME
    assert ar.is_exact(x) == (name in ("rational", "symbolic"))


def test_a_kernel_knows_its_world():
    names = [ar.of(kernel(A, world)).NAME for world in WORLDS]
    assert names == ["float64", "sparse float64", "rational", "symbolic"]


# -- kernels ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
class TestKernels:
    def test_products(self, world):
        k = kernel(A, world)
        assert close(k @ vector(B, world), times(A, B), world)
        assert close(k @ vector([row[0] for row in B], world), [row[0] for row in times(A, B)], world)
        assert close(k @ kernel(A, world), times(A, A), world)
        left = vector([F(1), F(-1, 2), F(3)], world)
        assert close(left @ k, times([[F(1), F(-1, 2), F(3)]], A)[0], world)
        assert close(vector(transposed(B), world) @ k, times(transposed(B), A), world)

    def test_sums_and_multiples(self, world):
        k, n = kernel(A, world), kernel([row[::-1] for row in A], world)
        half = ar.number(k, F(1, 2))
        assert close(k + n, [[x + y for x, y in zip(row, row[::-1], strict=True)] for row in A], world)
        assert close(k - n, [[x - y for x, y in zip(row, row[::-1], strict=True)] for row in A], world)
        assert close(half * k, [[x / 2 for x in row] for row in A], world)
        assert close(k * half, [[x / 2 for x in row] for row in A], world)
        assert close(-k, [[-x for x in row] for row in A], world)
        assert close(k.T, transposed(A), world)

    @pytest.mark.parametrize("axis", [0, 1, -1])
    def test_sum_along_an_axis(self, world, axis):
        wide = [row[:2] for row in A]
        rows = transposed(wide) if axis == 0 else wide
        assert close(np.asarray(kernel(wide, world).sum(axis=axis)), [sum(row, F(0)) for row in rows], world)

    def test_shapes_and_entries(self, world):
        k = kernel(A, world)
        assert k.shape == (3, 3)
        rows, cols, values = ar.entries(k)
        assert list(zip(rows, cols, exactly(values), strict=True)) == [
            (i, j, x) for i, row in enumerate(A) for j, x in enumerate(row) if x != 0
        ]
        where, line = ar.row(k, 1)
        assert (where.tolist(), exactly(line)) == ([0, 1, 2], A[1])
        where, line = ar.row(k, 0)
        assert (where.tolist(), exactly(line)) == ([0, 1], A[0][:2])
        assert (ar.support(k).toarray() == (objects(A) != 0)).all()
        assert exactly(ar.dense_array(k)) == A
        again = ar.assemble(k, rows, cols, values, k.shape)
        assert exactly(again) == A
        assert type(again) is type(k)

    def test_columns_and_rows(self, world):
        k, scale = kernel(A, world), [F(2), F(0), F(-1, 2)]
        assert exactly(ar.columns_from(k, vector(scale, world))) == times(A, np.diag(scale).astype(object) * F(1))
        kept = ar.keep_rows(k, np.array([True, False, True]))
        assert exactly(kept) == [A[0], [F(0)] * 3, A[2]]

    def test_mix(self, world):
        weights = [[F(1, 4), F(3, 4)], [F(1), F(0)]]
        lines = [[F(1), F(0)], [F(1, 2), F(1, 2)], [F(0), F(1)], [F(1), F(0)]]
        mixed = ar.mix(vector(weights, world), kernel(lines, world))
        assert exactly(mixed) == [[F(5, 8), F(3, 8)], [F(0), F(1)]]

    def test_a_pickled_kernel_is_the_same(self, world):
        assert exactly(pickle.loads(pickle.dumps(kernel(A, world)))) == A


# -- systems ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
class TestSystems:
    def test_against_elimination(self, world):
        x = ar.solve(kernel(A, world), vector(B, world))
        assert x.shape == (3, 2)
        assert close(x, gauss(A, B), world)
        one = ar.solve(kernel(A, world), vector([row[1] for row in B], world))
        assert one.shape == (3,)
        assert close(one, [row[1] for row in gauss(A, B)], world)

    def test_transposed(self, world):
        assert close(ar.solve(kernel(A, world).T, vector(B, world)), gauss(transposed(A), B), world)

    def test_identity(self, world):
        k = kernel(A, world)
        assert exactly(ar.eye(k)) == [[F(i == j) for j in range(3)] for i in range(3)]
        assert close(ar.eye(k) - k, [[F(i == j) - A[i][j] for j in range(3)] for i in range(3)], world)

    @pytest.mark.parametrize(
        "rows",
        [
            [[1, -1], [-1, 1]],
            [[0, 0], [0, 1]],
            [[F(1, 4), F(-1, 4), 0], [F(-1, 2), 1, F(-1, 2)], [F(1, 4), F(-3, 4), F(1, 2)]],
        ],
    )
    def test_singular(self, world, rows):
        rows = [[F(x) for x in row] for row in rows]
        with pytest.raises(ar.SingularSystem, match=rf"{len(rows)} x {len(rows)}"):
            ar.solve(kernel(rows, world), vector([F(1)] * len(rows), world))


@pytest.mark.parametrize("world", ["dense", "sparse"])
def test_singular_to_working_precision(world):
    """A chain that leaves its two states with probability 1e-17 is closed as far as floats can tell."""
    rows = np.array([[1.0 - (1.0 - 0.3), -0.3], [-0.1, 1.0 - 0.9]])
    k = ar.kernel_from(scipy.sparse.csr_array(rows) if world == "sparse" else rows)
    with pytest.raises(ar.SingularSystem, match="singular"):
        ar.solve(k, np.array([1.0, 0.0]))


def test_a_badly_conditioned_system_that_floats_can_solve():
    """1 - γ = 1e-12: the values are near 1e12 and keep four digits, so it is no singular system."""
    P = np.array([[0.5, 0.5], [0.25, 0.75]])
    v = ar.solve(np.eye(2) - (1 - 1e-12) * P, np.ones(2))
    assert np.allclose(v, 1e12, rtol=1e-3)


def test_symbols_are_solved_as_rational_functions():
    g, p = sympy.symbols("gamma p")
    P = ar.kernel_from(objects([[p, 1 - p], [sympy.Integer(0), sympy.Integer(1)]]))
    v = ar.solve(ar.eye(P) - g * P, objects([sympy.Integer(1), sympy.Integer(2)]))
    by_sympy = (sympy.eye(2) - g * sympy.Matrix([[p, 1 - p], [0, 1]])).inv() * sympy.Matrix([1, 2])
    assert all(sympy.simplify(x - y) == 0 for x, y in zip(v, by_sympy, strict=True))
    with pytest.raises(ar.SingularSystem):
        ar.solve(ar.kernel_from(objects([[p, p], [p, p]])), objects([p, p]))


def test_a_float_system_refuses_exact_right_hand_sides():
    for k in (np.eye(2), scipy.sparse.eye_array(2, format="csr")):
        with pytest.raises(ar.MixedNumbers, match="right-hand side"):
            ar.solve(k, objects([F(1, 3), F(0)]))


# -- the sparse solver's three ways -------------------------------------------------------------------------------------


def sparse_chain(n: int, seed: int, successors: int = 4) -> Any:
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(n), successors)
    P = scipy.sparse.csr_array((rng.random(rows.size), (rows, rng.integers(n, size=rows.size))), shape=(n, n))
    return scipy.sparse.csr_array(P / P.sum(axis=1)[:, None])


def way_taken(monkeypatch, a, b):
    from rlexact.arithmetic import sparse

    seen = []
    krylov, splu = sparse.by_krylov, scipy.sparse.linalg.splu
    monkeypatch.setattr(sparse, "by_krylov", lambda *x: seen.append("krylov") or krylov(*x))
    monkeypatch.setattr(scipy.sparse.linalg, "splu", lambda *x: seen.append("direct") or splu(*x))
    return ar.solve(a, b), seen


@pytest.mark.parametrize(("n", "way"), [(300, ["direct"]), (2500, ["krylov"])])
def test_random_graphs(monkeypatch, n, way):
    P = sparse_chain(n, seed=1)
    a, b = ar.eye(P) - 0.95 * P, np.random.default_rng(2).normal(size=(n, 2))
    x, seen = way_taken(monkeypatch, a, b)
    assert seen == way
    # the residual bounds the error by ‖(I - γP)⁻¹‖∞ = 20, whichever way it was found
    assert np.abs(a @ x - b).max() < 1e-12


def test_banded_systems_go_to_the_direct_solver(monkeypatch):
    n = 3000
    P = scipy.sparse.diags_array([np.full(n - 1, 0.5), np.full(n - 1, 0.5)], offsets=[-1, 1], format="csr")
    a, b = ar.eye(P) - P, np.ones(n)
    x, seen = way_taken(monkeypatch, a, b)
    assert seen == ["direct"]
    k = np.arange(1, n + 1)
    assert np.allclose(x, k * (n + 1 - k), rtol=1e-8)  # the gambler's duration; the condition number is about n²


def test_a_stalled_iteration_falls_back(monkeypatch):
    """A long ring, reordered at random: wide band, but information travels one step per product, so GMRES stalls."""
    n = 2100
    order = np.random.default_rng(3).permutation(n)
    P = scipy.sparse.csr_array((np.ones(n), (order, np.roll(order, -1))), shape=(n, n))
    a, b = ar.eye(P) - 0.9999 * P, np.zeros(n)
    b[order[0]] = 1.0
    x, seen = way_taken(monkeypatch, a, b)
    assert seen == ["krylov", "direct"]
    distance = np.empty(n)  # steps to the state that pays, along the ring
    distance[order] = (n - np.arange(n)) % n
    assert np.allclose(x, 0.9999**distance / (1 - 0.9999**n), rtol=1e-9)


# -- functions and maxima -----------------------------------------------------------------------------------------------


def test_exp_log_logsumexp():
    x = np.array([[1.0, 2.0], [-3.0, 1000.0]])
    assert np.array_equal(ar.exp(x[0]), [np.exp(1.0), np.exp(2.0)])
    assert np.array_equal(ar.log(x[0]), [0.0, np.log(2.0)])
    assert np.allclose(ar.logsumexp(x), [np.log(np.e + np.e**2), 1000.0], rtol=1e-15)
    assert ar.logsumexp(x, axis=0)[1] == 1000.0
    assert ar.logsumexp(np.array([-1000.0, -1000.0])) == -1000.0 + np.log(2.0)
    assert ar.logsumexp(np.array([[-np.inf, -np.inf], [-np.inf, 3.0], [np.inf, 0.0]])).tolist() == [
        -np.inf,
        3.0,
        np.inf,
    ]
    p, q = sympy.symbols("p q", real=True)
    found = ar.logsumexp(objects([[p, q]]))
    assert sympy.simplify(sympy.exp(found[0]) - sympy.exp(p) - sympy.exp(q)) == 0
    assert list(ar.exp(ar.log(objects([sympy.Integer(3), p])))) == [3, p]


def test_log_softmax():
    shifted = np.array([[5000.0, 5000.0], [0.0, -1e4], [1.0, 2.0]])
    by_hand = [[-np.log(2.0)] * 2, [0.0, -1e4], [-np.log1p(np.e), -np.log1p(1 / np.e)]]
    np.testing.assert_allclose(ar.log_softmax(shifted), by_hand, rtol=4e-16)
    assert np.array_equal(ar.log_softmax(shifted.T, axis=0), ar.log_softmax(shifted).T)
    p, q = sympy.symbols("p q", real=True)
    found = ar.log_softmax(objects([[p, q]]))
    assert sympy.simplify(sympy.exp(found[0, 0]) - 1 / (1 + sympy.exp(q - p))) == 0


@pytest.mark.parametrize("verb", [ar.exp, ar.log, ar.logsumexp, ar.log_softmax])
def test_rationals_have_no_exponentials(verb):
    with pytest.raises(ar.NotExact, match="rational"):
        verb(objects([F(1, 2)]))


@pytest.mark.parametrize("world", ["dense", "rational", "symbolic"])
def test_square_root(world):
    assert list(ar.square_root(vector([F(0), F(1), F(9, 4), F(10**40)], world))) == [0, 1, F(3, 2), 10**20]


def test_square_roots_that_are_not_rational():
    for x in (F(2), F(1, 2), F(-1), F(10**40 + 1)):
        with pytest.raises(ar.NotExact, match=f"square root of {x}"):
            ar.square_root(objects([x]))
    assert ar.square_root(objects([sympy.Integer(8)]))[0] == 2 * sympy.sqrt(2)


@pytest.mark.parametrize("world", ["dense", "rational", "symbolic"])
def test_best(world):
    q = vector([[F(1), F(3), F(3)], [F(-5), F(-7), F(0)], [F(1), F(1), F(1)]], world)
    available = np.array([[True, True, True], [True, True, False], [False, False, False]])
    top, ties = ar.best(q, available)
    assert exactly(top) == [F(3), F(-5), F(0)]
    assert ties.dtype == bool
    assert ties.tolist() == [[False, True, True], [True, False, False], [False, False, False]]


def test_undecided_symbols():
    p = sympy.Symbol("p")
    everything = np.ones((1, 2), dtype=bool)
    with pytest.raises(ar.NotExact, match="larger depends on the symbols"):
        ar.best(objects([[p, sympy.Integer(1)]]), everything)
    with pytest.raises(ar.NotExact):
        ar.largest(objects([p, -p]))
    top, ties = ar.best(objects([[p, p + 1]]), everything)  # decided, although p is not
    assert (top[0], ties.tolist()) == (p + 1, [[False, True]])
    _, ties = ar.best(objects([[(p**2 - 1) / (p - 1), p + 1]]), everything)
    assert ties.tolist() == [[True, True]]


@pytest.mark.parametrize("world", ["dense", "rational", "symbolic"])
def test_numbers(world):
    like = vector([F(0)], world)
    assert exactly(np.array([ar.number(like, x) for x in (3, "1/4", "0.5", F(1, 8))], dtype=object)) == [
        3,
        F(1, 4),
        F(1, 2),
        F(1, 8),
    ]
    assert exactly(ar.zeros(like, (2, 1))) == [[0], [0]]
    assert exactly(ar.ones(like, 2)) == [1, 1]
    assert ar.largest(vector([F(-2), F(-1, 2)], world)) == F(-1, 2)
    assert ar.largest(like[:0]) == 0
    assert exactly(ar.average(vector([[F(1, 4), F(3, 4)]], world), vector([[F(4), F(-4)]], world))) == [-2]
    assert ar.unit_roundoff(like) == (2.0**-53 if world == "dense" else 0)
    assert ar.negative(vector([F(-1, 9), F(0), F(1)], world)).tolist() == [True, False, False]
    assert ar.apart(vector([F(1, 2), F(1, 2)], world), vector([F(1, 2), F(1, 4)], world)).tolist() == [False, True]
    assert ar.finite(vector([F(1)], world)).tolist() == [True]
    for verb in (ar.negative, ar.finite):
        assert verb(like[0]).shape == ()  # a single number is judged as well
    assert not ar.apart(like[0], 0)


def test_finite():
    assert ar.finite(np.array([1.0, np.nan, np.inf, -np.inf])).tolist() == [True, False, False, False]
    assert ar.finite(objects([sympy.oo, sympy.nan, sympy.zoo, sympy.Symbol("x")])).tolist() == [
        False,
        False,
        False,
        True,
    ]
    assert ar.apart(np.array([np.nan]), 0.0, 1e9).all()  # NaN is apart from everything


def test_wrong_numbers_for_a_world():
    p = sympy.Symbol("p")
    with pytest.raises(ar.NotExact, match="float"):
        ar.number(F(0), 0.1)
    with pytest.raises(ar.NotExact, match="float"):
        ar.number(F(0), np.float32(0.5))
    with pytest.raises(ar.NotExact, match="float"):
        ar.number(p, 0.1)
    with pytest.raises(ar.NotExact, match="float"):
        ar.number(p, sympy.Float("0.1"))
    with pytest.raises(ar.MixedNumbers, match="symbol p"):
        ar.number(0.0, p)
    with pytest.raises(ar.NotANumber, match="'x'"):
        ar.number(0.0, "x")


# -- the coats ----------------------------------------------------------------------------------------------------------


def of_type(x: Any, kind: type) -> bool:
    return all(type(entry) is kind for entry in np.asarray(x, dtype=object).flat)


def test_flint_numbers_never_leave():
    k = kernel(A, "rational")
    b = vector(B, "rational")
    answers = [k @ b, b.T @ k, k.sum(axis=0), k.to_array(), ar.solve(k, b), ar.row(k, 0)[1], ar.entries(k)[2]]
    answers += [ar.best(b, np.ones((3, 2), dtype=bool))[0], ar.largest(b), ar.rounding(k, b), ar.average(b, b)]
    answers += [ar.dense_array(x) for x in (ar.mix(b[:, :1], k), ar.eye(k), ar.columns_from(k, b[:, 0]), k.T, 2 * k)]
    assert all(of_type(x, Fraction) for x in answers)
    numerators = [n for x in answers for e in np.asarray(x, dtype=object).flat for n in (e.numerator, e.denominator)]
    assert of_type(numerators, int)


def test_a_rational_matrix_refuses_floats():
    k = kernel(A, "rational")
    for wrong in (np.ones(3), objects([0.5, 0.5, 0.5]), objects([np.float64(0.5)] * 3)):
        with pytest.raises(ar.NotExact, match=r"float|Fraction"):
            k @ wrong
        with pytest.raises(ar.NotExact, match=r"float|Fraction"):
            wrong @ k
    with pytest.raises(ar.NotExact, match=r"0\.5"):
        k * 0.5
    with pytest.raises(ValueError, match="multiply"):
        k @ objects([F(1), F(2)])


def test_integers_join_rationals():
    k = kernel(A, "rational")
    assert (k @ np.array([1, 0, 0])).tolist() == [row[0] for row in A]
    assert (np.int64(2) * k) == k + k
    assert (k @ objects([np.int64(1), 0, 0])).tolist() == [row[0] for row in A]


@pytest.mark.parametrize("world", ["rational", "symbolic"])
def test_equality_of_kernels(world):
    k = kernel(A, world)
    assert k == kernel(A, world)
    assert k != k + k
    assert k != kernel([row[:2] for row in A], world)
    assert k != "kernel"
    assert repr(k) == f"{'Rational' if world == 'rational' else 'Symbolic'}Matrix(3, 3)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(k)


def test_symbolic_kernels_stay_cancelled():
    p = sympy.Symbol("p")
    k = SymbolicMatrix.from_array(objects([[(p**2 - p) / p, sympy.Integer(1)]]))
    assert k.to_array()[0, 0] == p - 1
    assert (k @ objects([1 / (p - 1), sympy.Integer(0)]))[0] == 1
    assert SymbolicMatrix.from_array(objects([[(p + 1) ** 2]])) == SymbolicMatrix.from_array(
        objects([[p**2 + 2 * p + 1]])
    )
    assert isinstance(kernel(A, "rational"), RationalMatrix)


# -- rounding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e-160, 1e-305])
@pytest.mark.parametrize("world", ["dense", "sparse"])
def test_the_rounding_bound_bounds(world, scale):
    """The products done again in exact dyadic arithmetic; the smaller scales underflow."""
    rng = np.random.default_rng(11)
    for trial in range(20):
        rows = rng.random((5, 40)) * (rng.random((5, 40)) < 0.5) * scale
        x = rng.normal(size=(40, 2)) * 10.0 ** rng.integers(-8, 9, size=(40, 2)) * scale
        k = ar.kernel_from(scipy.sparse.csr_array(rows) if world == "sparse" else rows)
        exact = times(exactly(rows), exactly(x))
        for y, shape in ((x, (5, 2)), (x[:, 0], (5,))):
            got, bound = k @ y, ar.rounding(k, y)
            assert got.shape == bound.shape == shape
            truth = objects(exact) if y.ndim == 2 else objects(exact)[:, 0]
            gaps = [abs(F(g) - t) <= F(b) for g, t, b in zip(got.flat, truth.flat, bound.flat, strict=True)]
            assert all(gaps), trial
    assert (ar.rounding(k, x)[rows.sum(axis=1) == 0] == 0).all()


def test_the_rounding_bound_is_not_idle():
    """One product can lose 2⁻⁵³ of itself, and some lose nearly that; three products and sums no more than a few times it."""
    rng, u = np.random.default_rng(4), 2.0**-53
    k, x = 1 + rng.random((2000, 1)) / 50, np.array([1 + 1 / 128 + 2.0**-52])
    lost = np.array([abs(F(float(p)) - F(float(q)) * F(float(x[0]))) for p, q in zip(k @ x, k[:, 0], strict=True)])
    bound = ar.rounding(k, x)
    assert (lost <= bound).all()
    assert max(lost) > 0.95 * u
    assert (bound < 4 * u).all()  # the factor is at most n = non-zeros + 2
    assert (bound >= 3 * u).all()
    assert 0 < ar.rounding(np.full((1, 3), 1 / 3), np.ones(3))[0] < 6 * u


@pytest.mark.parametrize("world", ["rational", "symbolic"])
def test_exact_worlds_do_not_round(world):
    assert exactly(ar.rounding(kernel(A, world), vector(B, world))) == [[0, 0]] * 3
