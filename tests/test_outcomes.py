"""Models from lists of outcomes: merged, with the law of the rewards kept."""

import re
from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.mdp import MDP, InvalidMDP
from rlexact.outcomes import outcomes_of
from tests.strategies import law_model

F = Fraction


def refused(message, outcomes, gamma=0.9, *arguments, **names):
    with pytest.raises(InvalidMDP, match=re.escape(message)):
        MDP.from_outcomes(outcomes, gamma, *arguments, **names)


COIN = [(0.25, 0, 1.0, False), (0.25, 1, 1.0, False), (0.5, 1, 3.0, True)]


def test_kernel_ends_rewards_and_law():
    mdp = MDP.from_outcomes([[COIN], [[(1, 1, 0.0, False)]]], 0.9)
    assert mdp.P.tolist() == [[[0.25, 0.25]], [[0, 1]]]
    assert mdp.ends.tolist() == [[0.5], [0]]
    assert mdp.r.tolist() == [[2.0], [0]]
    assert sorted(mdp.outcomes(0, 0), key=str) == sorted(
        [(0.25, 0, 1.0, False), (0.25, 1, 1.0, False), (0.5, None, 3.0, True)], key=str
    )


def test_forms_of_the_table():
    stay = [(1, 1, 0.0, False)]
    forms = [
        [[COIN], [stay]],
        {0: {0: COIN}, 1: {0: stay}},
        {(0, 0): COIN, (1, 0): stay},
        [{0: COIN}, {0: stay}],
        {0: [COIN], 1: [stay]},
    ]
    models = [MDP.from_outcomes(form, 0.9) for form in forms]
    assert all(mdp == models[0] for mdp in models)


def test_the_order_of_outcomes_does_not_matter():
    twins = [(F(1, 2), 0, 1, False), (F(1, 4), 0, 2, False), (F(1, 4), 0, -3, True)]
    one = MDP.from_outcomes([[twins]], "0.9")
    assert one == MDP.from_outcomes([[twins[::-1]]], "0.9")
    assert len(one.outcomes(0, 0)) == 3


def test_equal_outcomes_merge_and_empty_ones_vanish():
    parts = [("1/3", 0, 1, False), ("1/3", 0, 1, False), ("1/3", 0, 2, False), (0, 0, 99, True)]
    assert MDP.from_outcomes([[parts]], "0.9").outcomes(0, 0) == [(F(2, 3), 0, 1, False), (F(1, 3), 0, 2, False)]


def test_a_missing_pair_is_an_unavailable_action():
    mdp = MDP.from_outcomes(
        {(0, 0): [(1, 1, 1.0, False)], (0, 1): [(1, 0, 0.0, False)], (1, 1): [(1, 0, 0.0, True)]}, 0.9
    )
    assert mdp.available.tolist() == [[True, True], [False, True]]
    assert mdp.outcomes(1, 0) == []


def test_terminal_states_may_be_absent_or_loop():
    step = {(0, 0): [(1, 1, 5.0, False)]}
    absent = MDP.from_outcomes(step, 0.9, terminal=[1])
    for loop in ([(1, 1, 0.0, False)], [(1, 1, 0.0, True)], [(1.0, 0, 0.0, True)]):
        assert MDP.from_outcomes({**step, (1, 0): loop}, 0.9, terminal=[1]) == absent
    refused("pays 2.0 in terminal state 1", {**step, (1, 0): [(1, 1, 2.0, True)]}, terminal=[1])
    refused("P[1, 0, 0] leaves the terminal state 1", {**step, (1, 0): [(1, 0, 0.0, False)]}, terminal=[1])
    refused("P[1, 0] sums to 0.5 in a terminal state", {**step, (1, 0): [(0.5, 1, 0.0, False)]}, terminal=[1])
    refused("state 1 has no outcomes: give some, or list it in terminal=", step)


def test_names():
    table = {"up": {"go": [(1, "down", "1/2", False)]}, "down": {"go": [(1, "up", 0, False)]}}
    mdp = MDP.from_outcomes(table, 1, "down", states=["down", "up"], actions=["go"])
    assert (mdp.outcomes("up", "go"), mdp.initial.tolist()) == ([(1, 0, F(1, 2), False)], [1, 0])
    refused("states are named in the outcomes: give states=[...] to order them", table)
    refused(
        "outcomes names the state 'up': names are ('down', 'side')", table, 1, states=["down", "side"], actions=["go"]
    )


def test_tuples_as_states():
    """A mapping of mappings is nested, although its keys are pairs."""
    table = {(0, 0): {0: [(1, (0, 1), 1.0, False)]}, (0, 1): {0: [(1, (0, 0), 2.0, False)]}}
    mdp = MDP.from_outcomes(table, 0.9, (0, 1), states=[(0, 0), (0, 1)])
    assert (mdp.r.tolist(), mdp.initial.tolist()) == ([[1.0], [2.0]], [0, 1])


def test_lists_are_in_the_order_of_the_names():
    """With integers as names, a list's positions are no names."""
    mdp = MDP.from_outcomes([[[(1, 2, 1.0, False)]], [[(1, 1, 5.0, False)]]], 0.9, states=[2, 1], actions=[7])
    assert mdp.r.tolist() == [[1.0], [5.0]]
    assert mdp.P.tolist() == [[[1, 0]], [[0, 1]]]
    assert outcomes_of(mdp, 0, 0) == mdp.outcomes(2, 7) == [(1.0, 0, 1.0, False)]
    refused("outcomes list 2 states for 1 names", [[[(1, "a", 1.0, False)]]] * 2, states=["a"])


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ((1, 0), "outcomes[0, 0] holds (1, 0): give (probability, next state, reward, terminated)"),
        (5, "outcomes[0, 0] holds 5"),
        ((1, 0, 1.0, 1), "outcomes[0, 0]: terminated is 1, give True or False"),
        ((1, 0, 1.0, None), "terminated is None"),
        ((np.nan, 0, 1.0, False), "outcomes[0, 0] has probability nan: each is a probability"),
        ((-1, 0, 1.0, False), "outcomes[0, 0] has probability -1.0"),
        ((1, 0, np.inf, False), "outcomes[0, 0] has reward inf: each is a finite number"),
        ((0.5, 0, 1.0, False), "P[0, 0] sums to 0.5: each row must sum to 1"),
        (("half", 0, 1.0, False), "outcomes[0, 0] probability: 'half' is not a finite decimal"),
        ((0.5, 0, F(1, 2), False), "outcomes[0, 0] reward is exact and outcomes[0, 0] probability is a float"),
        ((1, -1, 1.0, False), "outcomes name one of the states -1: indices start at 0"),
        ((1, "x", 1.0, False), "states are named in the outcomes"),
        ((1, None, 1.0, False), "outcomes names the state None"),
        ((1, [0], 1.0, False), "outcomes[0, 0] leads to [0]"),
        (([1], 0, 1.0, False), "give one number each"),
    ],
)
def test_bad_outcomes(outcome, message):
    refused(message, [[[outcome]]])


@pytest.mark.parametrize("table", [[], {}, [[]], {0: {}}, 5, [3], None])
def test_empty_tables(table):
    refused("outcomes", table)


def test_truth_values_are_no_states():
    refused(
        "outcomes names the state True",
        {(0, 0): [(0.5, 1, 1.0, False), (0.5, True, 1.0, False)], (1, 0): [(1, 1, 0.0, False)]},
    )


def test_symbols():
    p = sympy.Symbol("p")
    mdp = MDP.from_outcomes([[[(p, 0, 1, False), (1 - p, 0, -1, True)]]], "0.9")
    assert (mdp.r[0, 0], mdp.ends[0, 0], mdp.world) == (2 * p - 1, 1 - p, "symbolic")
    twice = MDP.from_outcomes([[[(p / 2, 0, 1, False), (p / 2, 0, 1, False), (1 - p, 0, -1, True)]]], "0.9")
    assert twice == mdp
    split = [(p * (1 + p), 0, 1, False), (-(p**2), 0, 1, False), (1 - p, 0, -1, True)]
    assert MDP.from_outcomes([[split]], "0.9").outcomes(0, 0) == mdp.outcomes(0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_law_adds_up(seed):
    """Kernel, ends and mean reward from the law that `outcomes` tells, by loops."""
    mdp = law_model(seed)
    for s, a in np.argwhere(mdp.available):
        law = outcomes_of(mdp, s, a)
        assert sum(p for p, *_ in law) == 1
        assert mdp.r[s, a] == sum(p * x for p, _, x, _ in law)
        assert mdp.ends[s, a] == sum(p for p, *_, ended in law if ended)
        for j in range(mdp.n_states):
            assert mdp.P[s, a, j] == sum(p for p, following, *_ in law if following == j)
        assert len({(following, x) for _, following, x, _ in law}) == len(law)
