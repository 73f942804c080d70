"""Belief updates against the law of hidden paths given what was seen, and the tiger problem's printed numbers."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact.exact.belief import InvalidObservation, belief_update, observation_probability
from rlexact.exact.paths import paths
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)


def hidden():
    """Two actions; from state 2 action 1 ends half of the time; state 3 is terminal."""
    return MDP.from_outcomes(
        {
            (0, 0): [(HALF, 0, 0, False), (HALF, 1, 0, False)],
            (0, 1): [(THIRD, 2, 0, False), (2 * THIRD, 0, 0, False)],
            (1, 0): [(1, 2, 0, False)],
            (1, 1): [(QUARTER, 3, 0, False), (3 * QUARTER, 1, 0, False)],
            (2, 0): [(HALF, 0, 0, False), (HALF, 2, 0, False)],
            (2, 1): [(HALF, None, 0, True), (HALF, 1, 0, False)],
        },
        "9/10",
        initial=["1/2", "1/4", "1/4", 0],
        terminal=[3],
    )


BY_STATE = [["1/2", "1/2", 0], ["1/5", "3/5", "1/5"], [0, "1/3", "2/3"], ["1/6", "1/6", "2/3"]]
BY_ACTION = [[row, row[::-1]] for row in BY_STATE]


def sensor(observation, a):
    return [[Fraction(x) for x in (row[a] if isinstance(row[0], list) else row)] for row in observation]


@pytest.mark.parametrize("observation", [BY_STATE, BY_ACTION])
@pytest.mark.parametrize("actions", [(0, 0), (0, 1), (1, 0), (1, 1), (1, 0, 1)])
def test_filter_against_hidden_paths(observation, actions):
    """Pr(s_T | a, o) = Σ over hidden paths that took these actions of Π p · Π O, normalised."""
    mdp = hidden()
    both = np.full((4, 2), HALF)
    seen = [2, 1, 2][: len(actions)]
    weight = [Fraction(0)] * 4
    for path in paths(mdp, both, len(actions)):
        if path.actions == actions and len(path.states) == len(actions) + 1:
            p = path.probability * 2 ** len(actions)
            for a, s, o in zip(actions, path.states[1:], seen, strict=True):
                p *= sensor(observation, a)[s][o]
            weight[path.states[-1]] += p
    belief, chance = mdp.initial, Fraction(1)
    for a, o in zip(actions, seen, strict=True):
        chance = chance * observation_probability(mdp, observation, belief, a)[o]
        belief = belief_update(mdp, observation, belief, a, o)
    assert chance == sum(weight) != 0
    assert list(belief) == [w / sum(weight) for w in weight]


def tiger(world=MDP.to_rational):
    """Listening leaves the tiger where it is and hears it right 85 times in 100."""
    return world(MDP([[[1, 0]], [[0, "1"]]], R=[0, 0], gamma="19/20")), [["0.85", "0.15"], ["0.15", "0.85"]]


@pytest.mark.parametrize("world", [MDP.to_rational, MDP.to_float, MDP.to_sparse, MDP.to_symbolic])
def test_tiger(world):
    """Kaelbling, Littman and Cassandra (1998), §5.1: after k growls on the same side the odds are (17/3)^k."""
    mdp, ears = tiger(world)
    belief = ["1/2", "1/2"] if mdp.world in ("rational", "symbolic") else [0.5, 0.5]
    ears = ears if mdp.world in ("rational", "symbolic") else [[0.85, 0.15], [0.15, 0.85]]
    for k in (1, 2, 3):
        belief = belief_update(mdp, ears, belief, 0, 0)
        odds = Fraction(17, 3) ** k
        assert float(belief[0]) == pytest.approx(float(odds / (1 + odds)), rel=1e-15)
    exact, ears = tiger()
    assert list(belief_update(exact, ears, ["17/20", "3/20"], 0, 1)) == [HALF, HALF]


def test_symbols():
    p, b = sympy.symbols("p b")
    mdp, _ = tiger(MDP.to_symbolic)
    ears = [[p, 1 - p], [1 - p, p]]
    found = belief_update(mdp, ears, [b, 1 - b], 0, 0)
    assert sympy.cancel(found[0] - p * b / (p * b + (1 - p) * (1 - b))) == 0
    assert sympy.cancel(sum(observation_probability(mdp, ears, [b, 1 - b], 0)) - 1) == 0


def test_perfect_and_useless_sensors():
    mdp = hidden()
    assert list(belief_update(mdp, np.eye(4, dtype=int), mdp.initial, 0, 1)) == [0, 1, 0, 0]
    blind = belief_update(mdp, [[1]] * 4, mdp.initial, 0, 0)
    assert list(blind) == list(mdp.initial @ mdp.P[:, 0])


def test_mass_that_is_over_sees_nothing():
    mdp = hidden()
    assert sum(observation_probability(mdp, BY_STATE, 2, 1)) == HALF
    assert list(belief_update(mdp, BY_STATE, 2, 1, 0)) == [0, 1, 0, 0]
    assert sum(observation_probability(mdp, BY_STATE, 3, 1)) == 0


def test_an_impossible_observation_is_refused():
    mdp = hidden()
    assert observation_probability(mdp, BY_STATE, 1, 0)[0] == 0
    with pytest.raises(InvalidObservation, match="observation 0 has probability 0"):
        belief_update(mdp, BY_STATE, 1, 0, 0)


@pytest.mark.parametrize(
    ("observation", "says"),
    [
        ([["1/2", "1/2"]] * 3, "shape"),
        ([["1/2", "1/3"]] * 4, "sum to 5/6"),
        ([["3/2", "-1/2"]] * 4, "probability -1/2"),
        ([[0.5, 0.5]] * 4, "convert"),
        ([["x"]] * 4, "not a finite decimal"),
    ],
)
def test_a_bad_sensor_is_refused(observation, says):
    with pytest.raises(InvalidObservation, match=says):
        observation_probability(hidden(), observation, 0, 0)


def test_other_refusals():
    mdp = hidden()
    for observed in (3, -1, True, 0.0):
        with pytest.raises(InvalidObservation, match="observations are 0 to 2"):
            belief_update(mdp, BY_STATE, mdp.initial, 0, observed)
    with pytest.raises(InvalidMDP, match="sums to"):
        observation_probability(mdp, BY_STATE, ["1/2", "1/4", 0, 0], 0)
    narrow = MDP(
        [[[1, 0], [1, 0]], [[0, "1"], [0, 1]]], R=[0, 0], gamma=1, available=np.array([[True, False], [True, True]])
    )
    with pytest.raises(InvalidPolicy, match="not available in state 0"):
        observation_probability(narrow, [[1], [1]], ["1/3", "2/3"], 1)
    assert list(observation_probability(narrow, [[1], [1]], 1, 1)) == [1]
