"""Policies made in the numbers of their model."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.arithmetic import MixedNumbers, NotExact
from rlexact.mdp import MDP
from rlexact.policy import (
    InvalidPolicy,
    deterministic,
    deterministic_policies,
    epsilon_greedy,
    first_best,
    mixture,
    softmax,
    uniform,
)
from tests.strategies import WORLDS, as_floats, model, policy

F = Fraction
EXACT = MDP(
    [[["1/2", "1/2"], [1, 0], [0, 1]], [[0, 1]] * 3],
    [[1, 2, 3], [0, 0, 0]],
    "0.9",
    available=[[True, False, True], [True] * 3],
    actions=["l", "m", "r"],
)
ENDING = MDP([[[0, 1], [0, 1]], [[0, 0], [0, 0]]], [[1, 2], [0, 0]], "0.9", terminal=1)
FLOATS = EXACT.to_float()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(4))
def test_makers_give_policies_of_their_model(seed, world):
    mdp = model(seed, world)
    q = np.arange(12).reshape(4, 3)
    made = [
        uniform(mdp),
        first_best(mdp, q),
        epsilon_greedy(mdp, q, "1/8"),
        mixture(mdp, uniform(mdp), policy(seed, mdp), "1/4"),
    ]
    for pi in made:
        assert ar.of(pi) is ar.of(mdp.r)
        assert (mdp.admit(pi)[~mdp.terminal] == pi[~mdp.terminal]).all()
        assert (as_floats(pi).sum(axis=1) == 1).all()  # dyadic numbers, or thirds that add up; terminal rows included
        assert not (as_floats(pi)[~mdp.available & ~mdp.terminal[:, None]] != 0).any()


def test_uniform():
    assert uniform(EXACT).tolist() == [[F(1, 2), 0, F(1, 2)], [F(1, 3)] * 3]
    assert uniform(FLOATS).tolist() == [[0.5, 0, 0.5], [1 / 3] * 3]
    assert uniform(ENDING).tolist() == [[F(1, 2), F(1, 2)], [1, 0]]


def test_deterministic():
    expected = [[0, 0, 1], [1, 0, 0]]
    for actions in ([2, 0], ["r", "l"], "rl", np.array([2, 0]), (np.int64(2), "l")):
        assert deterministic(EXACT, actions).tolist() == expected
    assert type(deterministic(EXACT, [2, 0])[0, 0]) is Fraction
    for wrong, message in (
        ([1, 0], r"policy\[0, 1\] = 1 puts mass on an action that is not available"),
        ([0], "1 actions for 2 states: give one per state"),
        ([0, 3], r"actions\[1\]: action names action 3: actions are 0 to 2"),
        ([0, 1.0], r"actions\[1\]: action names the action 1\.0"),
        ([True, 0], r"actions\[0\]: action names the action True"),
        ([[1, 0, 0], [1, 0, 0]], r"actions\[0\]: action names the action \[1, 0, 0\]"),
        (2, "1 actions for 2 states"),
        ("rx", r"actions\[1\]: action names the action 'x': names are"),
    ):
        with pytest.raises(InvalidPolicy, match=message):
            deterministic(EXACT, wrong)


def test_integers_as_names_of_actions():
    """Stakes 1, 2, 3: the action 1 is the first."""
    stakes = EXACT.replace(actions=[1, 2, 3])
    assert deterministic(stakes, [3, 1]).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(InvalidPolicy, match="names the action 0"):
        deterministic(stakes, [0, 1])
    assert [pi.tolist() for pi in deterministic_policies(stakes)] == [
        pi.tolist() for pi in deterministic_policies(EXACT)
    ]


def test_every_deterministic_policy():
    every = deterministic_policies(EXACT)
    assert len(every) == 2 * 3
    assert len({str(pi.tolist()) for pi in every}) == 6
    assert all((EXACT.admit(pi) == pi).all() for pi in every)
    assert len(deterministic_policies(ENDING)) == 2  # a terminal state has nothing to choose


def test_first_best_and_ties():
    assert first_best(EXACT, [[1, 9, 1], [0, "1/2", "1/2"]]).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert first_best(FLOATS, [[1, np.nan, 2], [-3, -2, -1]]).tolist() == [
        [0, 0, 1],
        [0, 0, 1],
    ]  # NaN where nobody may go
    assert first_best(ENDING.to_float(), [[0.0, 1.0], [np.nan, np.nan]]).tolist() == [[0, 1], [1, 0]]


def test_epsilon_greedy():
    assert epsilon_greedy(EXACT, [[1, 9, 1], [0, 1, 0]], "0.1").tolist() == [
        [F(19, 20), 0, F(1, 20)],
        [F(1, 30), F(28, 30), F(1, 30)],
    ]
    e = sympy.Symbol("e")
    symbolic = epsilon_greedy(EXACT.to_symbolic(), [[1, 9, 1], [0, 1, 0]], e)
    assert symbolic[0].tolist() == [1 - e / 2, 0, e / 2]
    for wrong in ("-0.1", "1.1", 2):
        with pytest.raises(InvalidPolicy, match=r"epsilon = .* lies outside \[0, 1\]"):
            epsilon_greedy(EXACT, np.zeros((2, 3), dtype=int), wrong)
    with pytest.raises(InvalidPolicy, match="epsilon = nan"):
        epsilon_greedy(FLOATS, np.zeros((2, 3)), np.nan)
    with pytest.raises(NotExact, match=r"float 0\.1"):
        epsilon_greedy(EXACT, np.zeros((2, 3), dtype=int), 0.1)


def test_softmax():
    """π(a) / π(b) = exp((q_a - q_b) / τ), and nothing for actions that are not available."""
    q = np.array([[1.0, np.inf, 3.0], [0.0, 1.0, 2.0]])
    pi = softmax(FLOATS, q, 0.5)
    assert pi[0, 1] == 0
    assert np.allclose(pi[0, 2] / pi[0, 0], np.exp(4.0), rtol=1e-14)
    assert np.allclose(pi[1, 1:] / pi[1, :-1], np.exp(2.0), rtol=1e-14)
    assert np.allclose(pi.sum(axis=1), 1, rtol=1e-15)
    assert softmax(FLOATS, q * 1e4, 1e-4)[0].tolist() == [0, 0, 1]
    assert softmax(FLOATS, np.where(np.isinf(q), 0, q), 1e-300)[0].tolist() == [0, 0, 1]
    assert softmax(ENDING.to_float(), [[0.0, 0.0], [np.nan, 0.0]]).tolist() == [[0.5, 0.5], [1, 0]]
    x = sympy.Symbol("x", real=True)
    symbolic = softmax(EXACT.to_symbolic(), np.array([[x, 0, 0], [0, 0, 0]], dtype=object))
    assert sympy.simplify(symbolic[0, 0] - 1 / (1 + sympy.exp(-x))) == 0
    with pytest.raises(NotExact, match="exp"):
        softmax(EXACT, [[0, 0, 1], [0, 0, 0]])
    for wrong in (0, -1, np.nan, np.inf):
        with pytest.raises(InvalidPolicy, match="temperature"):
            softmax(FLOATS, np.zeros((2, 3)), wrong)


def test_mixture():
    first, second = deterministic(EXACT, "ll"), deterministic(EXACT, "rm")
    assert mixture(EXACT, first, second, "1/4").tolist() == [[F(3, 4), 0, F(1, 4)], [F(3, 4), F(1, 4), 0]]
    assert mixture(EXACT, [["1/2", 0, "1/2"], [1, 0, 0]], second, 0).tolist() == [[F(1, 2), 0, F(1, 2)], [1, 0, 0]]
    with pytest.raises(InvalidPolicy, match="weight = 5/4 lies outside"):
        mixture(EXACT, first, second, "5/4")
    with pytest.raises(InvalidPolicy, match=r"policy\[0, 1\]"):
        mixture(EXACT, first, [[0, 1, 0], [1, 0, 0]], "1/4")


def test_bad_action_values():
    with pytest.raises(InvalidPolicy, match=r"action values have shape \(2,\), the model has \(2, 3\)"):
        first_best(EXACT, [1, 2])
    with pytest.raises(InvalidPolicy, match=r"action value \[0, 2\] = nan is not a finite number"):
        first_best(FLOATS, [[0, 0, np.nan], [0, 0, 0]])
    with pytest.raises(MixedNumbers, match="action values is float64, the model is rational"):
        first_best(EXACT, np.zeros((2, 3)))
    p = sympy.Symbol("p")
    with pytest.raises(NotExact, match="larger depends on the symbols"):
        first_best(EXACT.to_symbolic(), np.array([[p, 0, 0], [0, 0, 0]], dtype=object))
