"""The model: input forms, immutability, names, equality, copies."""

import copy
import pickle
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact.mdp import MDP, InvalidMDP
from tests.strategies import WORLDS, in_world, ingredients, law_model, model

F = Fraction
P = [[[0.5, 0.5], [1, 0]], [[0, 1], [0, 1]]]
R = [[1.0, 2.0], [0.0, 0.0]]


def arrays(mdp):
    """Every NumPy array that a model is made of."""
    found = [mdp.r, mdp.ends, mdp.terminal, mdp.available, *((mdp.initial,) if mdp.has_initial else ())]
    for x in (mdp.kernel, mdp.R):
        found += [x.data, x.indices, x.indptr] if scipy.sparse.issparse(x) else [x] if isinstance(x, np.ndarray) else []
    return found + list(mdp._parts.law or ())


def test_input_forms_make_the_same_model():
    flat = np.reshape(P, (4, 2))
    dense = MDP(P, R, 0.9)
    assert dense == MDP(np.array(P), np.array(R), np.float64(0.9))
    assert dense == MDP(np.array(P, dtype=object), tuple(map(tuple, R)), np.array(0.9))
    assert dense == MDP(P, np.array(R)[:, :, None] * np.ones(2), 0.9)  # the same law of rewards, of rank 3
    for form in ("csr", "csc", "coo", "lil", "dok"):
        for kind in (scipy.sparse.csr_matrix, scipy.sparse.csr_array):
            assert dense.to_sparse() == MDP(kind(flat).asformat(form), R, 0.9)
    assert MDP([[[0, 1]], [[0, 1]]], [1, 0], 1) == MDP(np.array([[[0, 1]], [[0, 1]]], dtype=np.int8), [1.0, 0], 1.0)


def test_which_world():
    assert MDP([[[1]]], [1], 0).world == "float64"
    assert MDP([[[1]]], [1], "0.5").world == "rational"
    assert MDP([[["1"]]], [1], 1).world == "rational"
    assert MDP([[[1]]], [F(1)], 1).world == "rational"
    assert MDP([[[1]]], [1], 1, [F(1)]).world == "rational"
    assert MDP([[[1]]], [1], sympy.Symbol("g")).world == "symbolic"
    assert MDP(scipy.sparse.eye_array(1), [1], 1).world == "sparse float64"


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("world", WORLDS)
def test_expected_rewards(rank, world):
    """r(s, a) by loops over the ingredients; every number is dyadic, so floats are exact too."""
    given = ingredients(5, rank=rank)
    mdp = in_world(MDP(**given), world)
    for s in range(4):
        for a in range(3):
            row, R = given["P"][s, a], given["R"]
            mean = sum(p * R[s, a, j] for j, p in enumerate(row)) if rank == 3 else R[s, a] if rank == 2 else R[s]
            live = given["available"][s, a] and not given["terminal"][s]
            assert mdp.r[s, a] == (mean if live else 0)
            assert (mdp.kernel @ np.array([1, 0, 0, 0]))[s * 3 + a] == (row[0] if live else 0)
    assert np.array_equal(mdp.available, given["available"] & ~given["terminal"][:, None])
    assert np.shape(mdp.R) == np.shape(given["R"])  # kept as given


def test_sparse_rewards():
    law = np.random.default_rng(0).integers(-3, 4, size=(4, 2)).astype(float)
    one = MDP(P, law.reshape(2, 2, 2), 0.9)
    assert one == MDP(P, scipy.sparse.coo_array(law), 0.9)
    two = MDP(scipy.sparse.csr_array(np.reshape(P, (4, 2))), scipy.sparse.csc_array(law), 0.9)
    assert two == one.to_sparse()
    assert [two.outcomes(0, a) for a in (0, 1)] == [one.outcomes(0, a) for a in (0, 1)]
    other = law.copy()
    other[0, 0] += 1
    assert MDP(P, other.reshape(2, 2, 2), 0.9) != one


@pytest.mark.parametrize("world", WORLDS)
def test_nothing_can_be_written(world):
    mdp = model(3, world, rank=3)
    for array in arrays(mdp):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError, match="frozen: use replace"):
        mdp.gamma = 0
    with pytest.raises(AttributeError):
        mdp.colour = "red"
    with pytest.raises(TypeError, match="unhashable"):
        hash(mdp)


@pytest.mark.filterwarnings("ignore:Changing the sparsity")
def test_a_sparse_model_cannot_grow_entries():
    mdp = MDP(scipy.sparse.csr_array(np.reshape(P, (4, 2))), scipy.sparse.csr_array(np.eye(4, 2)), 0.9)
    kernel, paid = mdp.kernel.toarray(), mdp.R.toarray()
    for matrix in (mdp.kernel, mdp.R):
        for place in ((0, 0), (3, 0)):  # with an entry, and without
            with suppress(ValueError):
                matrix[place] = 7
        matrix.data = np.zeros(matrix.nnz)
    assert (mdp.kernel.toarray() == kernel).all()
    assert (mdp.R.toarray() == paid).all()


def test_the_users_arrays_stay_his():
    """Neither aliased, nor changed, nor made read-only."""
    given = {
        "P": np.array(P),
        "R": np.array(R),
        "initial": np.array([0.25, 0.75]),
        "terminal": np.array([False, True]),
        "available": np.ones((2, 2), dtype=bool),
    }
    mdp = MDP(**given, gamma=0.9)
    twin = MDP(**{k: v.copy() for k, v in given.items()}, gamma=0.9)
    for array in given.values():
        array[...] = 1  # still writable
    assert mdp == twin


@pytest.mark.parametrize("masked", [False, True])
def test_the_users_sparse_arrays_stay_his(masked):
    kernel, law = scipy.sparse.csr_array(np.reshape(P, (4, 2))), scipy.sparse.csr_array(np.ones((4, 2)))
    mask = [[not masked, True], [True, True]]
    mdp = MDP(kernel, law, 0.9, available=mask)
    twin = MDP(kernel.copy(), law.copy(), 0.9, available=mask)
    for matrix in (kernel, law):
        for array in (matrix.data, matrix.indices, matrix.indptr):
            array[...] = 0
    assert mdp == twin


@pytest.mark.parametrize("world", WORLDS)
def test_copies_and_pickles(world):
    for mdp in (model(4, world, rank=3), in_world(law_model(4), world)):
        assert copy.copy(mdp) is mdp
        assert copy.deepcopy(mdp) is mdp  # nothing in it can change
        again = pickle.loads(pickle.dumps(mdp))
        assert again == mdp
        assert again.kernel is not mdp.kernel
        assert not any(array.flags.writeable for array in arrays(again))


@pytest.mark.parametrize("world", WORLDS)
def test_equality(world):
    mdp = model(6, world)
    assert mdp == model(6, world)
    assert mdp != model(7, world)
    assert mdp != "model"
    assert mdp != mdp.replace(initial=None)
    assert mdp != mdp.replace(initial=0)
    assert mdp != mdp.replace(states=None)
    assert mdp != mdp.replace(actions=[1, 2, 3])
    assert mdp != mdp.replace(gamma=1)
    assert mdp.replace(gamma=1) == model(6, world).replace(gamma=1)
    assert all(mdp != model(6, other) for other in WORLDS if other != world)


def test_equal_means_are_not_equal_laws():
    sure = MDP([[[0.5, 0.5]], [[0, 1]]], [[1], [0]], 0.9)
    wild = MDP([[[0.5, 0.5]], [[0, 1]]], [[[0, 2]], [[0, 0]]], 0.9)
    assert (sure.r == wild.r).all()
    assert sure != wild
    idle = MDP([[[0, 1]], [[0, 1]]], [[[7, 1]], [[7, 0]]], 0.9)  # the sevens are never paid
    assert idle == MDP([[[0, 1]], [[0, 1]]], [[1], [0]], 0.9)


def test_equality_of_symbols_is_that_of_functions():
    p = sympy.Symbol("p")
    one = MDP([[[p, 1 - p]], [[0, 1]]], [[(p + 1) ** 2], [0]], (p**2 - 1) / (p - 1) - p)
    two = MDP([[[p, -p + 1]], [[0, 1]]], [[p**2 + 2 * p + 1], [0]], 1)
    assert one == two
    assert one.gamma == 1


def test_names():
    mdp = MDP(P, R, 0.9, "B", terminal=["B"], states=["A", "B"], actions=np.array(["go", "stay"]))
    assert (mdp.states, mdp.actions) == (("A", "B"), ("go", "stay"))
    assert type(mdp.actions[0]) is str
    assert (mdp.state("B"), mdp.state(0), mdp.action("stay"), mdp.action(np.int64(0))) == (1, 0, 1, 0)
    assert mdp.initial.tolist() == [0, 1]
    assert mdp.terminal.tolist() == [False, True]
    for wrong, message in (
        ("C", "names are"),
        (2, "states are 0 to 1"),
        (True, "names the state True"),
        ([0], "names the state"),
    ):
        with pytest.raises(InvalidMDP, match=message):
            mdp.state(wrong)
    with pytest.raises(InvalidMDP, match="action names action 9: actions are 0 to 1"):
        mdp.action(9)


def test_tuples_are_names():
    grid = MDP(P, R, 0.9, (0, 1), terminal=(0, 1), states=[(0, 0), (0, 1)])
    assert grid.initial.tolist() == [0, 1]
    assert grid == MDP(P, R, 0.9, [0, 1], terminal=[(0, 1)], states=[(0, 0), (0, 1)])
    assert grid.replace(initial=(0, 0)).initial.tolist() == [1, 0]
    assert grid.state((0, 0)) == 0


def test_where_names_are_integers_every_integer_is_a_name():
    mdp = MDP(P, R, 0.9, 2, states=[2, 1], terminal=[1])
    assert mdp.initial.tolist() == [1, 0]
    assert mdp.terminal.tolist() == [False, True]
    assert (mdp.state(1), mdp.state(np.int64(2))) == (1, 0)
    for stranger in (0, True):
        with pytest.raises(InvalidMDP, match=f"names the state {stranger}"):
            mdp.state(stranger)
    assert mdp == MDP(P, R, 0.9, [1, 0], states=[2, 1], terminal=[False, True])
    assert MDP(P, R, 0.9, states=[False, True]).state(np.True_) == 1


@pytest.mark.parametrize(
    "terminal",
    [1, np.int64(1), [1], (1,), {1}, range(1, 2), np.array([1]), [False, True], np.array([False, True]), "B", ["B"]],
)
def test_ways_to_name_terminal_states(terminal):
    assert MDP(P, R, 0.9, terminal=terminal, states=["A", "B"]).terminal.tolist() == [False, True]


def test_no_terminal_states():
    assert all(
        not MDP(P, R, 0.9, terminal=none).terminal.any() for none in ((), [], None, np.array([]), [False, False])
    )


@pytest.mark.parametrize("world", ["float64", "sparse float64", "rational"])
def test_loops_and_zero_rows_are_the_same_terminal_state(world):
    zero = in_world(MDP([[["1/2", "1/2"]], [[0, 0]]], [[1], [0]], "0.9", terminal=1), world)
    loop = in_world(MDP([[["1/2", "1/2"]], [[0, 1]]], [[1], [0]], "0.9", terminal=1), world)
    assert zero == loop
    assert not loop.available[1].any()


def test_initial_is_missed_only_where_it_is_needed():
    mdp = MDP(P, R, 0.9)
    assert not mdp.has_initial
    with pytest.raises(InvalidMDP, match=r"no initial distribution.*replace\(initial"):
        _ = mdp.initial


def test_a_sparse_model_has_no_dense_form_by_accident():
    with pytest.raises(InvalidMDP, match=r"use mdp\.kernel"):
        _ = MDP(P, R, 0.9).to_sparse().P
    dense = MDP(P, R, 0.9).P
    assert dense.tolist() == P
    assert not dense.flags.writeable
    assert MDP(P, R, 0.5).to_rational().P.shape == (2, 2, 2)


def test_chains():
    half = MDP.chain([["1/2", "1/2"], [0, 1]], [[4, 2], [0, 0]], "0.9", states="AB")
    assert (half.n_actions, half.r.tolist(), half.outcomes("A", 0)) == (
        1,
        [[F(3)], [F(0)]],
        [(F(1, 2), 0, F(4), False), (F(1, 2), 1, F(2), False)],
    )
    process = MDP.chain(np.array([[0.5, 0.5], [0, 1]]))
    assert (process.gamma, process.r.tolist()) == (1, [[0], [0]])
    assert MDP.chain(scipy.sparse.eye_array(3), [1, 2, 3], 0.5).world == "sparse float64"
    assert MDP.chain([[1.0]], [[2.0]], 0.5).r.tolist() == [[2.0]]
    for wrong in ([[0.5, 0.5]], [[1], [0, 1]], [1], 1, scipy.sparse.csr_array((2, 3))):
        with pytest.raises(InvalidMDP, match="a chain has one row and one column per state"):
            MDP.chain(wrong)
    with pytest.raises(InvalidMDP, match="P has dtype bool"):
        MDP.chain(np.eye(2, dtype=bool))
    with pytest.raises(InvalidMDP, match=r"R\[0\] is a list"):
        MDP.chain(np.eye(2), [[1], [1, 2]])


def test_a_large_sparse_chain_stays_sparse():
    """The dense form would take 80 GB."""
    n = 100_000
    ring = scipy.sparse.csr_array((np.ones(n), (np.arange(n), np.roll(np.arange(n), -1))), shape=(n, n))
    assert MDP.chain(ring, np.zeros(n), 0.9).kernel.nnz == n


def test_replace():
    g, mdp = sympy.Symbol("g"), MDP([[["1/2", "1/2"]], [[0, 1]]], [1, 0], "0.9")
    assert mdp.replace(gamma="1/3").gamma == F(1, 3)
    assert mdp.replace(gamma=1).world == "rational"
    assert type(mdp.replace(gamma=1).gamma) is Fraction
    assert (mdp.replace(gamma=g).world, mdp.replace(gamma=g).gamma) == ("symbolic", g)
    assert mdp.replace(gamma=g).replace(gamma="1/2").gamma == sympy.Rational(1, 2)
    assert mdp.replace(gamma=g).replace(gamma="1/2") == mdp.replace(gamma="1/2").to_symbolic()
    assert mdp.replace(initial=[1, 0], states="AB").replace(initial="B").initial.tolist() == [0, 1]
    assert mdp.replace(states="AB", initial="B").initial.tolist() == [0, 1]
    assert mdp.replace(initial=0).replace(initial=None) == mdp
    with pytest.raises(InvalidMDP, match="the model is exact and gamma is a float"):
        mdp.replace(gamma=0.5)
    with pytest.raises(InvalidMDP, match="exact"):
        MDP(P, R, 0.9).replace(gamma="1/2")
    with pytest.raises(InvalidMDP, match="outside"):
        mdp.replace(gamma=2)
    with pytest.raises(InvalidMDP, match="sums to 3/2"):
        mdp.replace(initial=["1/2", 1])
    with pytest.raises(TypeError, match="not terminal"):
        mdp.replace(terminal=[0])


def test_beside():
    exact = MDP([[["1/2", "1/2"]], [[0, 1]]], [1, 0], "0.9")
    assert exact.beside("v", [1, "1/2"]).tolist() == [1, F(1, 2)]
    from rlexact.arithmetic import MixedNumbers, NotANumber

    with pytest.raises(MixedNumbers, match="v is float64, the model is rational"):
        exact.beside("v", [0.5, 0.5])
    with pytest.raises(MixedNumbers, match="v is rational, the model is float64"):
        exact.to_float().beside("v", [F(1, 2), 0])
    with pytest.raises(NotANumber, match=r"v\[0\]"):
        exact.beside("v", ["x", 0])


def test_names_change_no_number():
    """Names that are a permutation of the indices: a room that looked a state up by its index would find another one."""
    from rlexact.exact.distribution import return_laws
    from rlexact.exact.expected_updates import expected_td
    from rlexact.exact.paths import paths
    from rlexact.learning.simulate import trajectory
    from rlexact.policy import uniform

    plain = law_model(3, n_states=3).replace(states=None, actions=None)
    named = plain.replace(states=[2, 0, 1], actions=[1, 0])
    pi, v = uniform(plain), [F(1), F(2), F(3)]
    one, other = (
        (
            return_laws(mdp, pi, 2),
            expected_td(mdp, pi, v, "1/2", np.array(["1/3"] * 3)).tolist(),
            [repr(path) for path in paths(mdp, pi, 2)],
            repr(trajectory(mdp, pi, np.random.default_rng(0), 5)),
        )
        for mdp in (plain, named)
    )
    assert one == other
