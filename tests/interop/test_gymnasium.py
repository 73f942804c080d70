"""Gymnasium's tables against a naive value iteration on the dictionary itself, and against published values."""

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.interop.gymnasium import from_gymnasium, is_environment, outcome_table, recover
from rlexact.mdp import MDP, InvalidMDP
from rlexact.policy import uniform

GAMMA = 0.99

# one step right ends with 1 or goes on, each with probability 1/2; the successor 1 of the step that ends is live elsewhere
TINY = {
    0: {0: [(0.5, 1, 1.0, True), (0.5, 1, 0.0, False)], 1: [(1.0, 0, 0, False)]},
    1: {0: [(1.0, 0, 2.0, False)], 1: [(1.0, 1, -1.0, True)]},
}


def make(name):
    """The newest version of an environment that is registered, whatever its number is."""
    gym = pytest.importorskip("gymnasium")
    versions = [spec for spec in gym.registry.values() if spec.name == name and spec.namespace is None]
    if not versions:
        pytest.skip(f"this Gymnasium has no {name}")
    return gym.make(max(versions, key=lambda spec: spec.version or 0).id)


def naive(P, gamma, sweeps=4000):
    """In-place value iteration, one outcome at a time, as it is written in tutorials."""
    v = np.zeros(len(P))
    for _ in range(sweeps):
        before = v.copy()
        for s, row in P.items():
            v[s] = max(sum(p * (r + gamma * (not ended) * v[to]) for p, to, r, ended in row[a]) for a in row)
        if np.abs(v - before).max() == 0:
            break
    return v


def vectorised(P, gamma, sweeps=3000):
    """The same with arrays, for Taxi's 3,000 pairs."""
    kernel, r = np.zeros((len(P), len(P[0]), len(P))), np.zeros((len(P), len(P[0])))
    for s, row in P.items():
        for a, listed in row.items():
            for p, to, reward, ended in listed:
                kernel[s, a, to] += p * (not ended)
                r[s, a] += p * reward
    v = np.zeros(len(P))
    for _ in range(sweeps):
        before, v = v, (r + gamma * kernel @ v).max(axis=1)
        if np.array_equal(before, v):
            break
    return v


# -- the environments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FrozenLake", "FrozenLake8x8", "CliffWalking", "CliffWalkingSlippery"])
def test_optimal_values_agree_with_naive_value_iteration(name):
    env = make(name)
    best = policy_iteration(from_gymnasium(env, GAMMA))
    assert np.abs(best.v - naive(env.unwrapped.P, GAMMA)).max() < 1e-9 + best.error_bound  # sweeps run to a standstill


def test_taxi():
    env = make("Taxi")
    mdp = from_gymnasium(env, GAMMA)
    best = policy_iteration(mdp)
    v = vectorised(env.unwrapped.P, GAMMA)
    assert np.abs(best.v - v).max() < 1e-9 + best.error_bound  # sweeps run to a standstill
    assert not mdp.terminal.any()  # its goals are reached by steps that end and by steps that do not
    assert mdp.ends.sum() == 4
    assert mdp.initial.max() == pytest.approx(1 / 300)


def test_published_starts():
    start = {"FrozenLake": (0, 0.54203), "CliffWalking": (36, -12.248)}
    for name, (s, value) in start.items():
        mdp = from_gymnasium(make(name), GAMMA)
        assert mdp.initial[s] == 1
        assert abs(policy_iteration(mdp).v[s] - value) < 5e-4  # as printed


def test_the_flag_of_the_step_decides_and_not_the_state():
    mdp = from_gymnasium(make("CliffWalking"), GAMMA)
    assert mdp.ends[35].tolist() == [0, 0, 1, 0]  # down, onto the goal
    assert abs(policy_iteration(mdp).v[47] + 1) < 1e-9  # the goal has live rows: one step, -1
    assert policy_iteration(mdp).v[36] > -13  # a bootstrap from the goal would make it -100


@pytest.mark.parametrize("name", ["CliffWalking", "FrozenLake"])
def test_undiscounted(name):
    mdp = recover(make(name), Fraction(1)).mdp
    assert mdp.initial @ policy_iteration(mdp).v == {"CliffWalking": -13, "FrozenLake": Fraction(14, 17)}[name]


def test_repeated_successors_are_merged_and_their_rewards_averaged():
    env = make("CliffWalkingSlippery")
    P, mdp = env.unwrapped.P, from_gymnasium(env, GAMMA)
    two_rewards = 0
    for s, row in P.items():
        for a, listed in row.items():
            assert mdp.r[s, a] == pytest.approx(sum(p * r for p, _, r, _ in listed), abs=1e-12)
            assert len({(to, r, ended) for _, to, r, ended in listed}) == len(mdp.outcomes(s, a))
            two_rewards += len({to for _, to, _, _ in listed}) < len({(to, r) for _, to, r, _ in listed})
    assert two_rewards == 6  # counted by hand in the field's trials


def test_exact_frozen_lake_is_the_gallerys():
    for name, size in (("FrozenLake", 4), ("FrozenLake8x8", 8)):
        found, ours = recover(make(name), Fraction(99, 100)), gallery.frozen_lake(size)
        assert list(policy_iteration(found.mdp).v) == list(policy_iteration(ours).v)
        live = ~ours.terminal
        mine, theirs = (policy_value(m, uniform(m)) for m in (ours, found.mdp))
        assert list(mine) == list(theirs)
        assert (ours.r == found.mdp.r)[live].all()
        assert set(found.readings.values()) == {Fraction(1, 3)}
        assert 0 < found.largest_move < Fraction(1, 2**53)


def test_what_recovery_did_is_said():
    text = repr(recover(make("CliffWalkingSlippery"), "0.99"))
    assert "denominator up to 1000" in text
    assert "0.3333333333333333 -> 1/3" in text
    assert "moved: none" in repr(recover(make("CliffWalking"), "0.99"))


# -- bare tables ------------------------------------------------------------------------------------------------------


def test_a_bare_table_in_each_reading():
    mdp = from_gymnasium(TINY, 0.5, initial=0)
    assert mdp.world == "float64"
    assert mdp.ends.tolist() == [[0.5, 0], [0, 1]]
    assert mdp.P[0, 0].tolist() == [0, 0.5]
    exact = from_gymnasium(TINY, "0.5", floats="decimal")
    assert exact.world == "rational"
    # V(0) = 1/2 + 1/4 V(1) and V(1) = 2 + 1/2 V(0): V(0) = 8/7, V(1) = 18/7
    assert list(policy_iteration(exact).v) == [Fraction(8, 7), Fraction(18, 7)]
    tenth = {0: {0: [(1.0, 0, 0.1, False)]}}
    assert from_gymnasium(tenth, "1/2", floats="decimal").r[0, 0] == Fraction(1, 10)
    assert from_gymnasium(tenth, "1/2", floats="binary").r[0, 0] == Fraction(0.1)
    assert from_gymnasium(tenth, "1/2", floats=lambda x: Fraction(round(30 * x), 30)).r[0, 0] == Fraction(1, 10)


def test_lists_and_numpy_numbers():
    listed = [[[(np.float64(1.0), np.int64(1), np.int64(3), np.bool_(False))]], [[(1.0, 0, 0.0, True)]]]
    mdp = from_gymnasium(listed, 0.5, states=["here", "there"], actions=["go"])
    assert mdp.r.tolist() == [[3], [0]]
    assert mdp.state("there") == 1
    assert outcome_table(listed)[0, 0] == [(1.0, 1, 3, False)]
    assert recover(listed, Fraction(1, 2)).mdp.world == "rational"


def test_thirds_are_recovered_and_others_refused():
    third = 1 / 3
    rows = [(third, 0, 0.0, False), (third, 0, 1.0, False), (1 - third - third, 0, 2.0, False)]
    found = recover({0: {0: rows}}, "1/2")
    assert found.mdp.r[0, 0] == 1
    assert set(found.readings.values()) == {Fraction(1, 3)}
    with pytest.raises(InvalidMDP, match="within 4 ulp of a fraction"):
        recover({0: {0: [(1.0, 0, np.pi, False)]}}, "1/2")
    with pytest.raises(InvalidMDP, match="sums to"):
        recover({0: {0: [(0.333, 0, 0.0, False), (0.666, 0, 1.0, False)]}}, "1/2")
    with pytest.raises(InvalidMDP, match="max_denominator"):
        recover({0: {0: rows}}, "1/2", max_denominator=2)


def test_decimal_reading_of_thirds_is_no_model():
    env = make("FrozenLake")
    with pytest.raises(InvalidMDP, match="sums to"):
        from_gymnasium(env, "0.99", floats="decimal")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (3, "has no table P"),
        (object(), "has no table P"),
        ({}, "has no table P"),
        ({0: 5}, r"P\[0\] is 5"),
        ({0: {0: [(1.0, 0, 0.0)]}}, r"P\[0\]\[0\] holds"),
        ({0: {0: [(1.0, "a", 0.0, False)]}}, "names 'a'"),
        ({"a": {0: [(1.0, 0, 0.0, False)]}}, "names 'a'"),
        ({0: {0: [(0.7, 0, 0.0, False)]}}, "sums to 0.7"),
        ({0: {0: [(1.0, 0, float("nan"), False)]}}, "reward"),
        ({0: {0: [(1.0, 0, 0.0, "no")]}}, "terminated"),
    ],
)
def test_bad_tables_are_refused_by_name(table, message):
    with pytest.raises(InvalidMDP, match=message):
        from_gymnasium(table, 0.9)


def test_other_refusals():
    with pytest.raises(ValueError, match="floats='ternary'"):
        from_gymnasium(TINY, 0.5, floats="ternary")
    with pytest.raises(InvalidMDP, match="exact"):
        from_gymnasium(TINY, Fraction(1, 2))  # floats in the table, an exact discount beside them
    for x in (float("nan"), float("inf")):
        with pytest.raises(InvalidMDP, match="finite"):
            recover({0: {0: [(1.0, 0, x, False)]}}, "1/2")


def test_an_environment_is_told_from_a_model():
    assert is_environment(TINY)
    assert not is_environment(MDP([[[1.0]]], [[0.0]], 0.5))
    assert is_environment(make("FrozenLake"))


def test_gymnasium_is_not_imported():
    code = (
        "import sys, rlexact.interop, rlexact.interop.gymnasium as g\n"
        "g.from_gymnasium({0: {0: [(1.0, 0, 1.0, True)]}}, 0.9)\n"
        "sys.exit('gymnasium' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
