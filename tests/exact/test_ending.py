"""Control at γ = 1: what loops are worth, and the collapsed model against brute force over deterministic policies."""

import random
from fractions import Fraction

import numpy as np
import pytest

from rlexact import arithmetic as ar
from rlexact.door import InvalidMDP
from rlexact.exact.chain import closed_classes
from rlexact.exact.ending import ending_model
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.policy import deterministic_policies
from rlexact.solution import Unbounded
from tests.strategies import WORLDS, in_world

ONE, THIRD = Fraction(1), Fraction(1, 3)


def certain(steps, n_states):
    """{(s, a): (next state or None at the end, reward)} -> a rational model at γ = 1."""
    table = {pair: [(ONE, following, reward, following is None)] for pair, (following, reward) in steps.items()}
    return MDP.from_outcomes(table, ONE, 0, states=range(n_states), actions=range(1 + max(a for _, a in steps)))


def two_state_loop(there, back, leave):
    """0 and 1 in turn, paying `there` and `back`; from 0 one may also end, paid `leave`."""
    return certain({(0, 0): (1, there), (1, 0): (0, back), (0, 1): (None, leave)}, 2)


@pytest.mark.parametrize("world", WORLDS)
def test_a_free_loop_beside_a_costly_exit_is_worth_nothing(world):
    mdp = in_world(two_state_loop(0, 0, -3), world)
    answer = policy_iteration(mdp)
    assert (answer.v == 0).all()
    assert (policy_value(mdp, answer.policy) == 0).all()
    assert (answer.optimal_actions == [[True, False], [True, False]]).all()


@pytest.mark.parametrize("world", WORLDS)
def test_a_free_loop_beside_a_gaining_exit_is_left(world):
    mdp = in_world(two_state_loop(0, 0, 5), world)
    answer = policy_iteration(mdp)
    assert (policy_value(mdp, answer.policy) == 5).all()
    assert (np.abs(ar.dense_array(answer.v - 5)) <= answer.error_bound).all()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(
    ("mdp", "words"),
    [
        (certain({(0, 0): (0, 1)}, 1), r"\{0.*gains there for ever: V\* = \+inf"),
        (certain({(0, 0): (1, 0), (1, 0): (1, -1)}, 2), r"\{1.*pays there for ever: V\* = -inf"),
        (certain({(0, 0): (1, 1), (1, 0): (0, -1)}, 2), r"\{0.*1.*both signs"),
        (certain({(0, 0): (0, 1), (0, 1): (None, 0)}, 1), r"gain for ever in \{0"),
        (two_state_loop(2, -1, 0), r"gain for ever in \{0.*1"),
        (two_state_loop(1, -1, -5), r"\{0.*1.*cancel out"),
    ],
)
def test_no_finite_value(mdp, words, world):
    with pytest.raises(Unbounded, match=words):
        policy_iteration(in_world(mdp, world))


@pytest.mark.parametrize("world", ["rational", "symbolic"])
def test_a_loop_that_cancels_out_changes_nothing_where_leaving_gains(world):
    # partial sums of the loop from 0 are 1, 0, 1, 0, ...: never above 5; from 1 they are -1, 0, ...: never above 4
    answer = policy_iteration(in_world(two_state_loop(1, -1, 5), world))
    assert list(answer.v) == [5, 4]
    assert (answer.policy[0] == [0, 1]).all()


@pytest.mark.parametrize("best", range(9))
@pytest.mark.parametrize("world", WORLDS)
def test_a_component_is_left_where_it_pays_most(best, world):
    """A ring of nine states that pays nothing; each has an exit, one of them worth more than the others."""
    steps = {(s, 0): ((s + 1) % 9, 0) for s in range(9)} | {(s, 1): (None, 7 if s == best else 2) for s in range(9)}
    mdp = in_world(certain(steps, 9), world)
    answer = policy_iteration(mdp)
    assert (policy_value(mdp, answer.policy) == 7).all()
    assert answer.policy[best, 1] == 1
    assert answer.policy[:, 1].sum() == 1


def test_the_collapsed_model_is_a_model():
    steps = (
        {(s, 0): ((s + 1) % 5, 0) for s in range(5)}
        | {(s, 1): (5, s) for s in range(5)}
        | {(5, 0): (3, -9), (5, 1): (None, 0)}
    )
    mdp = certain(steps, 6).replace(initial=[Fraction(1, 6)] * 6)
    ending = ending_model(mdp)
    assert ending.inside.sum() == 5
    assert (ending.root == [0, 0, 0, 0, 0, 5]).all()
    rows = ending.mdp.kernel.sum(axis=1).reshape(ending.mdp.r.shape) + ending.mdp.ends
    assert (rows == ending.mdp.available).all()
    assert list(ending.mdp.initial) == [Fraction(5, 6), 0, 0, 0, 0, Fraction(1, 6)]
    stops = ending.mdp.ends[:5, 2:]
    assert stops.sum() == 10 - 4  # a binary heap of five nodes has four edges; the other slots stop


def test_only_without_discount():
    with pytest.raises(InvalidMDP, match="gamma = 1/2"):
        ending_model(MDP([[[1]]], [["1/2"]], "1/2"))


def test_nothing_to_collapse_leaves_the_model_alone():
    mdp = two_state_loop(-1, -1, 0)
    assert ending_model(mdp).mdp is mdp


# -- brute force ------------------------------------------------------------------------------------------------------


def random_model(seed):
    """Two to four states at γ = 1, with loops that pay nothing, gain or lose, missing actions, ends and terminal states."""
    draw = random.Random(seed)
    n_states, n_actions = draw.choice([2, 3, 4]), draw.choice([1, 2, 3])
    last = n_states - 1 if draw.random() < 0.6 else n_states
    table = {}
    for s in range(last):
        for a in range(n_actions):
            if a == 0 or draw.random() < 0.8:
                reward = draw.choice([0, 0, 0, -1, -1, 1, -2, Fraction(1, 2), Fraction(-3, 2)])
                masses = draw.choice([[ONE], [ONE], [THIRD, 1 - THIRD]])
                ended = [draw.random() < 0.12 for _ in masses]
                table[s, a] = [
                    (p, None if end else draw.randrange(n_states), reward, end)
                    for p, end in zip(masses, ended, strict=True)
                ]
    return MDP.from_outcomes(
        table, ONE, 0, terminal=range(last, n_states), states=range(n_states), actions=range(n_actions)
    )


def gain(mdp, policy, states):
    """Average reward per step of a closed class: d · r with d = dP, Σd = 1."""
    P, r = mdp.under(policy)
    inner = ar.dense_array(P)[np.ix_(states, states)].T - np.eye(len(states), dtype=int)
    inner[-1] = ONE
    right = np.array([Fraction(0)] * (len(states) - 1) + [ONE], dtype=object)
    return (ar.solve(ar.kernel_from(inner), right) * r[states]).sum()


def brute_force(mdp):
    """The best value of the policies that have one (None if none has), and the signs of what the others gain."""
    best, signs = None, set()
    for policy in deterministic_policies(mdp):
        paid = [c for c in closed_classes(mdp, policy) if (mdp.under(policy)[1][c] != 0).any()]
        signs |= {int(np.sign(gain(mdp, policy, c))) for c in paid}
        if not paid:
            v = policy_value(mdp, policy)
            best = v if best is None else np.maximum(best, v)
    return best, signs


SEEDS = range(90)


@pytest.mark.parametrize("seed", SEEDS)
def test_against_every_deterministic_policy(seed):
    mdp = random_model(seed)
    best, signs = brute_force(mdp)
    if best is None or 1 in signs:
        for world in WORLDS[:3]:
            with pytest.raises(Unbounded):
                policy_iteration(in_world(mdp, world))
    elif 0 not in signs:
        answer = policy_iteration(mdp)
        assert (answer.v == best).all()
        assert (policy_value(mdp, answer.policy) == best).all()
        for world in WORLDS[:2]:
            floats = policy_iteration(in_world(mdp, world))
            assert max(abs(Fraction(x) - y) for x, y in zip(floats.v, best, strict=True)) <= floats.error_bound
            assert floats.error_bound < 1e-9  # a few dozen steps, rewards of size 1: far below
            assert (floats.optimal_actions == answer.optimal_actions).all()


def test_the_seeds_cover_the_cases():
    cases = [brute_force(random_model(seed)) for seed in SEEDS]
    assert sum(best is None or 1 in signs for best, signs in cases) > 20
    assert sum(best is not None and not signs for best, signs in cases) > 10
    assert sum(best is not None and signs == {-1} for best, signs in cases) > 10
