"""The same model in other numbers."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.mdp import MDP, InvalidMDP
from tests.strategies import as_floats, law_model, model

F = Fraction


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_dyadic_models_survive_every_round_trip(seed, rank):
    exact = model(seed, "rational", rank=rank)
    floats, sparse = exact.to_float(), exact.to_sparse()
    assert floats.to_rational() == exact
    assert floats.to_rational("binary") == exact
    assert floats.to_rational("decimal") == exact
    assert sparse.to_rational() == exact
    assert sparse.to_dense() == floats
    assert floats.to_sparse() == sparse
    assert exact.to_symbolic().to_rational() == exact
    assert exact.to_symbolic().to_float() == floats
    assert floats.to_symbolic() == exact.to_symbolic()
    assert exact.to_rational() is exact
    assert floats.to_float() is floats
    assert floats.to_dense() is floats
    assert sparse.to_sparse() is sparse
    assert sparse.to_float() is sparse


def test_round_trips_by_hypothesis():
    hypothesis = pytest.importorskip("hypothesis")

    @hypothesis.settings(deadline=None, max_examples=30, derandomize=True)
    @hypothesis.given(seed=hypothesis.strategies.integers(0, 2**32 - 1), rank=hypothesis.strategies.integers(1, 3))
    def round_trip(seed, rank):
        exact = model(seed, "rational", rank=rank)
        assert exact.to_float().to_sparse().to_dense().to_rational("binary") == exact

    round_trip()


@pytest.mark.parametrize("seed", range(4))
def test_laws_survive_too(seed):
    exact = law_model(seed)
    for again in (
        exact.to_float().to_rational(),
        exact.to_sparse().to_dense().to_rational(),
        exact.to_symbolic().to_rational(),
    ):
        assert again == exact
        assert all(again.outcomes(s, a) == exact.outcomes(s, a) for s in range(4) for a in range(2))


def test_how_a_float_is_read():
    mdp = MDP([[[0.5, 0.5]], [[0, 1]]], [[0.1], [0]], 0.5)
    with pytest.raises(
        NotExact, match=r"the float 0\.1 is 1/10 as a decimal and 3602879701896397/36028797018963968 in binary"
    ):
        mdp.to_rational()
    assert mdp.to_rational("decimal").r[0, 0] == F(1, 10)
    assert mdp.to_rational("binary").r[0, 0] == F(0.1)
    assert mdp.to_rational(lambda x: F(x).limit_denominator(3)).r[0, 0] == 0
    assert mdp.to_rational(lambda x: round(2 * x) * F(1, 2)).gamma == F(1, 2)
    with pytest.raises(ValueError, match="floats='octal'"):
        mdp.to_rational("octal")
    with pytest.raises(NotExact, match=r"gave 0\.\d+: the function returns a Fraction"):
        mdp.to_rational(lambda x: x)


def test_rows_that_do_not_sum_exactly():
    thirds = MDP([[[0.1, 0.2, 0.7]]] + [[[1, 0, 0]]] * 2, [0, 0, 0], 0.5)
    assert thirds.to_rational("decimal").P[0, 0].tolist() == [F(1, 10), F(1, 5), F(7, 10)]
    with pytest.raises(InvalidMDP, match=r"P\[0, 0\] sums to \d+/\d+: each row must sum to 1"):
        thirds.to_rational("binary")


def test_a_float_law_is_read_outcome_by_outcome():
    """0.1 + 0.2 is not 0.3 in floats; read as decimals, the transitions are the sums of what was written."""
    mdp = MDP.from_outcomes([[[(0.1, 0, 1.0, False), (0.2, 0, 2.0, False), (0.7, 0, 0.0, True)]]], 0.5)
    exact = mdp.to_rational("decimal")
    assert (exact.P[0, 0, 0], exact.ends[0, 0], exact.r[0, 0]) == (F(3, 10), F(7, 10), F(1, 2))


def test_rationals_round_to_nearest():
    exact = MDP([[["1/3", "2/3"]], [[0, 1]]], [["1/7"], [0]], "0.9", ["1/3", "2/3"])
    floats = exact.to_float()
    assert (floats.P[0, 0].tolist(), floats.gamma, type(floats.gamma)) == ([1 / 3, 2 / 3], 0.9, float)
    assert (floats.r[0, 0], floats.initial.tolist()) == (1 / 7, [1 / 3, 2 / 3])


def test_what_has_no_float():
    p = sympy.Symbol("p")
    with pytest.raises(NotExact, match="replace its symbols first"):
        MDP([[[p, 1 - p]], [[0, 1]]], [1, 0], "0.9").to_float()
    with pytest.raises(NotExact, match="replace its symbols first"):
        MDP([[[1]]], [1], p).to_rational()
    with pytest.raises(NotExact, match="beyond the largest float"):
        MDP([[[1]]], [F(10**400)], "0.9").to_float()
    assert MDP([[[1]]], [sympy.sqrt(2)], "0.5").to_float().r[0, 0] == np.sqrt(2)


def test_symbols_for_the_discount():
    g = sympy.Symbol("gamma")
    symbolic = model(1).to_symbolic(gamma=g)
    assert (symbolic.gamma, symbolic.world) == (g, "symbolic")
    assert symbolic.to_symbolic() is symbolic
    assert symbolic.replace(gamma=model(1).gamma).to_rational() == model(1)
    with pytest.raises(NotExact, match=r"0\.9"):
        MDP([[[1.0]]], [1.0], 0.9).to_symbolic()


def test_names_masks_and_starts_are_carried():
    exact = model(2)
    for other in (exact.to_float(), exact.to_sparse(), exact.to_symbolic()):
        assert (other.states, other.actions) == (exact.states, exact.actions)
        assert (other.available == exact.available).all()
        assert (other.terminal == exact.terminal).all()
        assert (as_floats(other.initial) == as_floats(exact.initial)).all()
        assert not other.r.flags.writeable
