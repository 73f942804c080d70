"""Bad models and policies are refused with the place, what was found and what to do."""

import re
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import sympy

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import uniform
from tests.strategies import ingredients, model, policy

F = Fraction
P = [[[0.5, 0.5], [1, 0]], [[0, 1], [0, 1]]]
R = [[1.0, 2.0], [0.0, 0.0]]
EXACT = [[["1/2", "1/2"], [1, 0]], [[0, 1], [0, 1]]]


def refused(message, *arguments, **keywords):
    with pytest.raises(InvalidMDP, match=re.escape(message)):
        MDP(*arguments, **keywords)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, 0.49], "P[0, 1] sums to 0.99: each row must sum to 1"),
        ([0, 0], "P[0, 1] sums to 0.0: each row must sum to 1, or list the state in terminal="),
        ([-0.5, 1.5], "P[0, 1, 0] = -0.5 is negative: each entry is a probability"),
        ([0.5, np.nan], "P[0, 1, 1] = nan is not a finite number: each entry is a probability"),
        ([np.inf, 0], "P[0, 1, 0] = inf is not a finite number"),
    ],
)
def test_bad_rows(row, message):
    dense = [[[0.5, 0.5], row], [[0, 1], [0, 1]]]
    refused(message, dense, R, 0.9)
    refused(message, scipy.sparse.csr_array(np.reshape(dense, (4, 2))), R, 0.9)


@pytest.mark.parametrize("row", [["1/2", "1/3"], ["1/2", "0.500000001"]])
def test_exact_rows_have_no_tolerance(row):
    refused("P[0, 1] sums to", [[["1/2", "1/2"], row], [[0, 1], [0, 1]]], [1, 0], "0.9")


def test_symbolic_rows():
    p = sympy.Symbol("p")
    MDP([[[p, 1 - p]], [[0, 1]]], [1, 0], "0.9")
    refused("P[0, 0] sums to p + 1/2", [[[p, "1/2"]], [[0, 1]]], [1, 0], "0.9")
    refused("P[0, 0, 0] = -2 is negative", [[[sympy.Integer(-2), 3]], [[0, 1]]], [1, 0], "0.9")
    refused("P[0, 0, 0] = oo is not a finite", [[[sympy.oo, 3]], [[0, 1]]], [1, 0], "0.9")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "P has shape None"),
        ([], "P has shape (0,)"),
        ([[[]]], "P has shape (1, 1, 0): an MDP has at least one state and one action"),
        (np.zeros((0, 2, 0)), "an MDP has at least one state and one action"),
        ([[0.5, 0.5], [0, 1]], "a chain without actions is MDP.chain(P, R, gamma)"),
        ([P], "P has shape (1, 2, 2, 2): give (S, A, S)"),
        (np.ones((2, 1, 3)) / 3, "the first and last axes are both states and must agree"),
        ([[[1, 0], [1]], [[1, 0], [0, 1]]], "P is ragged"),
        (np.array(P, dtype=complex), "P has dtype complex128"),
        (np.array(P, dtype=bool), "P has dtype bool"),
        ("P", "P: 'P' is not a finite decimal"),
        (scipy.sparse.csr_array((3, 2)), "sparse P has shape (3, 2): give (S·A, S), row s·A + a"),
        (scipy.sparse.csr_array((0, 2)), "an MDP has at least one state and one action"),
        (scipy.sparse.csr_array(np.eye(2, dtype=complex)), "P is sparse with dtype complex128"),
    ],
)
def test_bad_shapes_and_dtypes(bad, message):
    refused(message, bad, R, 0.9)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "R has shape None: give (2,), (2, 2) or (2, 2, 2)"),
        ([1, 2, 3], "R has shape (3,): give (2,), (2, 2) or (2, 2, 2)"),
        ([[1, np.inf], [0, 0]], "R[0, 1] = inf is not a finite number: to forbid an action use available="),
        ([1, np.nan], "R[1] = nan is not a finite number"),
        (scipy.sparse.csr_array((2, 2)), "sparse R has shape (2, 2): give (4, 2), row s·A + a"),
        (scipy.sparse.csr_array(np.array([[0, 0], [0, np.nan], [0, 0], [0, 0]])), "R[0, 1, 1] = nan is not a finite"),
        ([["1", 0], [0, 0]], "R[0, 0] is exact and P is a float"),
    ],
)
def test_bad_rewards(bad, message):
    refused(message, P, bad, 0.9)


@pytest.mark.parametrize(
    ("gamma", "message"),
    [
        (-0.1, "gamma = -0.1 lies outside [0, 1]"),
        (1.0000001, "gamma = 1.0000001 lies outside [0, 1]"),
        (np.nan, "gamma = nan lies outside [0, 1]"),
        (np.inf, "gamma = inf lies outside [0, 1]"),
        (None, "gamma = None: give one number in [0, 1]"),
        ([0.9], "give one number in [0, 1]"),
        (True, "gamma has dtype bool"),
        (0.9j, "gamma has dtype complex128"),
        ("9/10", "gamma is exact and P is a float"),
        ("nine tenths", "gamma: 'nine tenths' is not a finite decimal or a fraction"),
        (scipy.sparse.eye_array(1), "give one number in [0, 1]"),
    ],
)
def test_bad_gamma(gamma, message):
    refused(message, P, R, gamma)


@pytest.mark.parametrize("gamma", ["-1/10", "11/10", F(3, 2), sympy.Rational(3, 2), -sympy.Symbol("g", positive=True)])
def test_bad_exact_gamma(gamma):
    refused("lies outside [0, 1]", EXACT, [1, 0], gamma)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ([0.5, 0.6], "initial sums to 1.1: it must sum to 1"),
        ([-0.5, 1.5], "initial[0] = -0.5 is not a probability"),
        ([np.nan, 1], "initial[0] = nan is not a probability"),
        ([1], "initial has shape (1,): give (2,) numbers, or one state"),
        (2, "initial names state 2: states are 0 to 1"),
        (-1, "initial names state -1: states are 0 to 1"),
        ("C", "initial names the state 'C': names are ('A', 'B')"),
        (True, "initial has dtype bool"),
        (1.0, "initial has shape ()"),
        (scipy.sparse.csr_array([[1.0, 0.0]]), "initial has shape (1, 2)"),
    ],
)
def test_bad_starts(initial, message):
    refused(message, P, R, 0.9, initial, states=["A", "B"])


@pytest.mark.parametrize(
    ("terminal", "message"),
    [
        (2, "terminal names state 2: states are 0 to 1"),
        ([1, -1], "terminal names state -1"),
        ("C", "terminal names the state 'C'"),
        ([1.0], "terminal names the state 1.0"),
        (1.0, "terminal = 1.0: give a list of states, or a boolean mask"),
        (np.array([True]), "terminal is a mask of shape (1,): give (2,)"),
        (np.array([[False, True]]), "terminal is a mask of shape (1, 2)"),
        ([True, False, True], "terminal is a mask of shape (3,)"),
    ],
)
def test_bad_terminals(terminal, message):
    refused(message, P, R, 0.9, terminal=terminal, states=["A", "B"])


def test_terminal_states_stay_and_pay_nothing():
    leaves = [[[0.5, 0.5], [1, 0]], [[0.5, 0.5], [0, 1]]]
    refused(
        "P[1, 0, 0] leaves the terminal state 1: its rows are zero or stay where they are", leaves, R, 0.9, terminal=1
    )
    half = [[[0.5, 0.5], [1, 0]], [[0, 1], [0, 0.5]]]
    refused("P[1, 1] sums to 0.5 in a terminal state", half, R, 0.9, terminal=1)
    refused("R[1, 1] pays 3.0 in terminal state 1 ('B')", P, [[1, 2], [0, 3]], 0.9, terminal=1, states="AB")
    refused("R[1, 0] pays 1/2 in terminal state 1", EXACT, [1, "1/2"], "0.9", terminal=1)


@pytest.mark.parametrize(
    ("available", "message"),
    [
        ([[1, 0], [1, 1]], "available has dtype int64 and shape (2, 2): give booleans of shape (2, 2)"),
        ([[True], [True]], "available has dtype bool and shape (2, 1)"),
        ([[True], [True, False]], "available is ragged"),
        ([[True, True], [False, False]], "state 1 ('B') has no available action: allow one, or list it in terminal="),
    ],
)
def test_bad_availability(available, message):
    refused(message, P, R, 0.9, available=available, states=["A", "B"])


def test_rows_of_unavailable_actions_are_dropped_but_never_nan():
    mask = [[True, False], [True, True]]
    loose = [[[0.5, 0.5], [0.3, 0.3]], [[0, 1], [0, 1]]]
    assert MDP(loose, R, 0.9, available=mask).P[0, 1].tolist() == [0, 0]
    assert MDP(loose, R, 0.9, available=mask).r[0, 1] == 0
    loose[0][1] = [np.nan, np.nan]
    refused("P[0, 1, 0] = nan", loose, R, 0.9, available=mask)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["A"], "states has 1 names for 2 states"),
        (["A", "A"], "states names 'A' more than once"),
        ([["A"], ["B"]], "states holds the name ['A'], which can change"),
        (7, "states = 7: give one name for each"),
    ],
)
def test_bad_names(names, message):
    refused(message, P, R, 0.9, states=names)
    refused(message.replace("state", "action"), P, R, 0.9, actions=names)


def test_floats_are_accepted_within_the_printed_digits():
    for row in ([0.33333333, 0.33333333, 0.33333334], [0.5, 0.5 - 9e-9, 0.0], [0.5, 0.5 + 9e-9, 0.0]):
        MDP([[row]] * 3, [0, 0, 0], 0.9, row)
    for row in ([0.3333333] * 3, [0.5, 0.5 - 1.1e-8, 0.0], [0.5, 0.5 + 1.1e-8, 0.0]):
        refused("P[0, 0] sums to", [[row]] * 3, [0, 0, 0], 0.9)
        refused("initial sums to", np.ones((3, 1, 3)) / 3, [0, 0, 0], 0.9, row)


# -- one corruption of a valid model --------------------------------------------------------------------------------------


def as_floats(parts):
    floats = {name: parts[name].astype(float) for name in ("P", "R", "initial")}
    return {**parts, **floats, "gamma": float(parts["gamma"])}


def corruptions(given, rng):
    """(what it is, the place its message names, a corrupted copy)."""
    available = given["available"] & ~given["terminal"][:, None]
    s, a = (int(i) for i in rng.choice(np.argwhere(available)))
    j = int(rng.integers(given["P"].shape[2]))

    def changed(name, index, value):
        array = given[name].copy()
        array[index] = value
        return {**given, name: array}

    step = type(given["gamma"])(1) / 1024
    yield "negative", f"P[{s}, {a}, {j}]", changed("P", (s, a, j), -step)
    yield "off", f"P[{s}, {a}] sums to", changed("P", (s, a, j), given["P"][s, a, j] + step)
    yield "start", "initial sums to", changed("initial", j, given["initial"][j] + step)
    yield "gamma", "gamma", {**given, "gamma": 1 + step}
    yield "shape of P", "P has shape", {**given, "P": given["P"][:, :, :-1]}
    yield "shape of R", "R has shape", {**given, "R": given["R"][:-1]}
    yield "names", "states has", {**given, "states": given["states"][:-1]}
    yield "stuck", f"state {s}", changed("available", s, False)
    if given["P"].dtype != object:
        yield "nan", f"P[{s}, {a}, {j}]", changed("P", (s, a, j), np.nan)
        yield "inf", "R[", changed("R", (s, a), np.inf)
        yield "nan start", f"initial[{j}]", changed("initial", j, np.nan)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_any_single_corruption_is_refused_with_its_place(seed, exact):
    given = ingredients(seed) if exact else as_floats(ingredients(seed))
    MDP(**given)
    for what, place, broken in corruptions(given, np.random.default_rng(seed)):
        with pytest.raises(InvalidMDP) as refusal:
            MDP(**broken)
        assert place in str(refusal.value), what


def test_any_corruption_by_hypothesis():
    hypothesis = pytest.importorskip("hypothesis")
    st = hypothesis.strategies

    @hypothesis.settings(deadline=None, max_examples=40, derandomize=True)
    @hypothesis.given(
        seed=st.integers(0, 2**32 - 1), off=st.floats(1e-6, 1e6) | st.just(float("nan")), sign=st.sampled_from([-1, 1])
    )
    def corrupted(seed, off, sign):
        given = as_floats(ingredients(seed, 3, 2))
        s, a = np.argwhere(given["available"] & ~given["terminal"][:, None])[0]
        given["P"][s, a, 1] += sign * off
        with pytest.raises(InvalidMDP, match=rf"P\[{s}, {a}"):
            MDP(**given)

    corrupted()


# -- policies -----------------------------------------------------------------------------------------------------------


def bad_policy(message, pi, mdp):
    with pytest.raises(InvalidPolicy, match=re.escape(message)):
        mdp.admit(pi)
    with pytest.raises(InvalidPolicy, match=re.escape(message)):
        mdp.under(pi)


@pytest.mark.parametrize(
    ("pi", "message"),
    [
        ([[0.5, 0.6], [1, 0]], "policy[0] sums to 1.1: each row must sum to 1"),
        ([[1, 0], [-1, 2]], "policy[1, 0] = -1.0 is negative"),
        ([[2, -1], [1, 0]], "policy[0, 1] = -1.0 is negative"),
        ([[np.nan, 1], [1, 0]], "policy[0, 0] = nan is not a finite number"),
        ([1, 0], "becomes a policy by deterministic(mdp, actions)"),
        ([[1], [1]], "policy has shape (2, 1), the model has (2, 2)"),
        ([[1], [1, 0]], "policy is ragged"),
        (None, "policy has shape ()"),
        ([["a", "b"], ["c", "d"]], "policy[0, 0]: 'a' is not a finite decimal"),
        ([[True, False], [True, False]], "policy has dtype bool"),
        (np.eye(2) * 1j, "policy has dtype complex128"),
        ([[F(1, 2), F(1, 2)], [1, 0]], "policy is rational, the model is float64"),
        (scipy.sparse.eye_array(2), "policy is sparse float64"),
    ],
)
def test_bad_policies(pi, message):
    bad_policy(message, pi, MDP(P, R, 0.9))
    bad_policy(message, pi, MDP(P, R, 0.9).to_sparse())


def test_policies_of_another_world():
    exact = MDP(EXACT, [1, 0], "0.9")
    bad_policy("policy is float64, the model is rational", [[0.5, 0.5], [1, 0]], exact)
    bad_policy("policy is float64, the model is rational", np.array([[0.5, 0.5], [1.0, 0.0]], dtype=object), exact)
    bad_policy("policy is float64, the model is symbolic", [[0.5, 0.5], [1, 0]], exact.to_symbolic())
    p = sympy.Symbol("p")
    bad_policy("policy is symbolic, the model is rational", [[p, 1 - p], [1, 0]], exact)
    bad_policy("policy[0] sums to 5/6", [[F(1, 2), F(1, 3)], [1, 0]], exact)
    bad_policy("policy[0, 1] = 1 puts mass", [[0, 1], [1, 0]], MDP(EXACT, [1, 0], "0.9", available=[[True, False]] * 2))
    assert exact.to_symbolic().admit([[p, 1 - p], ["1/2", F(1, 2)]]).tolist()[0] == [p, 1 - p]


def test_integers_are_policies_of_every_world():
    for mdp in (
        MDP(P, R, 0.9),
        MDP(P, R, 0.9).to_sparse(),
        MDP(EXACT, [1, 0], "0.9"),
        MDP(EXACT, [1, 0], "0.9").to_symbolic(),
    ):
        admitted = mdp.admit(np.array([[0, 1], [1, 0]]))
        assert admitted.tolist() == [[0, 1], [1, 0]]
        assert ar.of(admitted) is ar.of(mdp.r)


@pytest.mark.parametrize("world", ["float64", "sparse float64", "rational", "symbolic"])
@pytest.mark.parametrize("seed", range(6))
def test_any_single_corruption_of_a_policy_is_refused(seed, world):
    mdp = model(seed, world)
    pi = policy(seed, mdp)
    assert (mdp.admit(pi)[~mdp.terminal] == pi[~mdp.terminal]).all()
    s, a = np.argwhere(mdp.available)[-1]
    one = mdp.admit(pi)[s].sum()
    for index, value, place in (
        ((s, a), pi[s, a] + one / 1024, rf"policy\[{s}\] sums to"),
        ((s, a), -one, rf"policy\[{s}, {a}\] = -1"),
        ((s, a), 0 * one + 7, rf"policy\[{s}\] sums to"),
    ):
        broken = pi.copy()
        broken[index] = value
        with pytest.raises(InvalidPolicy, match=place):
            mdp.admit(broken)
    for s, a in np.argwhere(~mdp.available & ~mdp.terminal[:, None])[:1]:
        broken = pi.copy()
        broken[s, a] = one
        with pytest.raises(
            InvalidPolicy, match=rf"policy\[{s}, {a}\] = 1.* puts mass on an action that is not available"
        ):
            mdp.admit(broken)


def test_a_terminal_row_of_a_policy_is_ignored():
    mdp = MDP(P, R, 0.9, terminal=1)
    assert mdp.admit([[0.25, 0.75], [np.nan, -3.0]]).tolist() == [[0.25, 0.75], [0, 0]]


def test_the_doors_names_stay_together():
    """What other rooms import from the door, wherever it is written."""
    assert door.InvalidMDP is InvalidMDP
    assert all(hasattr(door, name) for name in door.__all__)


def test_any_policy_corruption_by_hypothesis():
    """One entry of a valid policy moved: refused by name where it can be reached, ignored at terminal states."""
    hypothesis = pytest.importorskip("hypothesis")
    st = hypothesis.strategies

    @hypothesis.settings(deadline=None, max_examples=60, derandomize=True)
    @hypothesis.given(
        seed=st.integers(0, 2**32 - 1),
        off=st.floats(1e-6, 1e6) | st.sampled_from([float("nan"), float("inf")]),
        sign=st.sampled_from([-1, 1]),
        place=st.integers(0, 5),
    )
    def corrupted(seed, off, sign, place):
        mdp = MDP(**as_floats(ingredients(seed, 3, 2)))
        pi = uniform(mdp)
        s, a = divmod(place, 2)
        pi[s, a] += sign * off
        if mdp.terminal[s]:
            assert not mdp.admit(pi)[s].any()
            return
        with pytest.raises(InvalidPolicy, match=rf"policy\[{s}"):
            mdp.admit(pi)

    corrupted()
