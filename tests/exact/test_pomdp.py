"""α-vectors against every policy tree, against the walk over beliefs, and against the fully observed limits."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact.belief import InvalidObservation
from rlexact.exact.horizon import backward_induction
from rlexact.exact.pomdp import TooManyVectors, alpha_vectors, belief_value
from rlexact.gallery import random_mdp
from rlexact.mdp import MDP, InvalidMDP

LISTEN, LEFT, RIGHT = range(3)


def tiger(gamma="19/20"):
    """Kaelbling, Littman and Cassandra (1998), §5.1: listen (-1, right 85 times in 100), or open a door (10, or -100)."""
    half = Fraction(1, 2)
    stay, reset = [[1, 0], [0, 1]], [half, half]
    P = [[stay[s], reset, reset] for s in range(2)]
    hears = [["0.85", "0.15"], ["0.15", "0.85"]]
    nothing = [half, half]
    O = [[hears[s], nothing, nothing] for s in range(2)]  # noqa: E741
    return MDP(P, R=[[-1, -100, 10], [-1, 10, -100]], gamma=gamma, initial=[half, half]), O


def tree_vectors(steps):
    """The value (tiger left, tiger right) of every policy tree, times 20^(3 (steps - 1)), in 64-bit integers.

    α = r + 19/20 Σ_o M_o α_o; the entries of M are multiples of 1/20 and, for the doors, of 1/4. Trees that are worth the same
    in both states are told apart no further.
    """
    trees = np.array([[-1, -1], [-100, 10], [10, -100]], dtype=np.int64)
    scale = 1
    for _ in range(steps - 1):
        scale *= 8000
        ahead = trees
        first, second = ahead[:, None, :], ahead[None, :, :]
        hear, mishear = 17 * 19 * 20, 3 * 19 * 20
        listen = np.stack(
            [
                hear * first[..., 0] + mishear * second[..., 0],
                mishear * first[..., 1] + hear * second[..., 1],
            ],
            axis=-1,
        ).reshape(-1, 2)
        mean = (first.sum(axis=-1) + second.sum(axis=-1)).reshape(-1, 1) * (19 * 100)  # 8000 · 19/20 · 1/4
        trees = np.concatenate(
            [listen - scale, mean + scale * np.array([-100, 10]), mean + scale * np.array([10, -100])]
        )
        trees = np.unique(trees, axis=0)
    return trees, scale


def corners(vectors):
    """Where the upper envelope of lines over the belief [0, 1] may bend."""
    found = {Fraction(0), Fraction(1)}
    for (a, b), (c, d) in product(vectors, repeat=2):
        if a - c != b - d:
            x = (d - b) / ((a - c) - (b - d))  # x a + (1 - x) b = x c + (1 - x) d
            if 0 < x < 1:
                found.add(x)
    return found


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_tiger_equals_the_enumeration_of_all_policy_trees(steps):
    """A tree's line lies below a convex piecewise linear function if and only if it does so at the bends."""
    mdp, ears = tiger()
    claimed = alpha_vectors(mdp, ears, steps)[0]
    trees, scale = tree_vectors(steps)
    assert int(np.abs(trees).max()) < 2**50  # so that no integer overflowed, nor does the product below
    distinct = {tuple(row) for row in trees.tolist()}
    assert all(
        tuple(int(x * scale) for x in v) in distinct and (v * scale == (v * scale).astype(int)).all()
        for v in claimed.vectors
    )
    for x in corners(claimed.vectors):
        lines = trees[:, 0].astype(object) * x.numerator + trees[:, 1].astype(object) * (x.denominator - x.numerator)
        assert claimed.value_at(np.array([x, 1 - x])) == Fraction(int(lines.max()), x.denominator * scale)


def ending():
    """Three states that end now and then, two actions, and a sensor that depends on the action."""
    table = {
        (0, 0): [("1/2", 1, 1, False), ("1/2", 2, -1, False)],
        (0, 1): [("1/3", 0, 2, False), ("2/3", None, 0, True)],
        (1, 0): [(1, 2, -2, False)],
        (1, 1): [("1/4", 3, 5, False), ("3/4", 1, 0, False)],
        (2, 0): [("1/2", 0, 3, False), ("1/2", 1, 0, False)],
        (2, 1): [("1/5", None, 1, True), ("4/5", 2, "1/2", False)],
    }
    mdp = MDP.from_outcomes(table, "9/10", initial=["1/2", "1/4", "1/4", 0], terminal=[3])
    sees = [["2/3", "1/3"], ["1/5", "4/5"], ["1/2", "1/2"], [1, 0]]
    return mdp, [[row, row[::-1]] for row in sees]


BELIEFS = [["1/2", "1/4", "1/4", 0], [1, 0, 0, 0], ["1/7", "2/7", "3/7", "1/7"], [0, "1/3", "2/3", 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("belief", BELIEFS)
def test_vectors_against_the_walk_over_beliefs(belief):
    mdp, sensor = ending()
    b = mdp.beside("belief", belief)
    for steps, stage in enumerate(alpha_vectors(mdp, sensor, 3)[::-1]):
        assert stage.value_at(b) == belief_value(mdp, sensor, belief, steps)


def test_the_trees_of_the_vectors_are_worth_what_the_vectors_say():
    """Each row followed by hand through `after`, from every state."""
    mdp, sensor = ending()
    stages = alpha_vectors(mdp, sensor, 3)
    law = np.array([[[Fraction(x) for x in row] for row in rows] for rows in sensor], dtype=object)

    def worth(t, i, s):
        if t == 3 or mdp.terminal[s]:
            return 0
        a = stages[t].actions[i]
        return mdp.r[s, a] + mdp.gamma * sum(
            mdp.P[s, a, z] * law[z, a, o] * worth(t + 1, stages[t].after[i, o], z)
            for z in range(4)
            for o in range(2)
            if mdp.P[s, a, z]
        )

    for i, v in enumerate(stages[0].vectors):
        assert [worth(0, i, s) for s in range(4)] == list(v)


@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_sensor_is_full_observation(seed):
    mdp = random_mdp(seed, 3, 2, terminal=1)
    best = backward_induction(mdp, 3).v[0]
    stage = alpha_vectors(mdp, np.eye(3, dtype=int), 3)[0]
    assert [stage.value_at(e) for e in np.eye(3, dtype=int)] == list(best)


@pytest.mark.parametrize("seed", range(3))
def test_a_useless_sensor_is_the_best_fixed_plan(seed):
    """With nothing to see, a policy is a sequence of actions: all of them tried."""
    mdp = random_mdp(seed, 3, 2)
    plans = []
    for plan in product(range(2), repeat=4):
        d, total = mdp.initial, 0
        for t, a in enumerate(plan):
            total += mdp.gamma**t * (d @ mdp.r[:, a])
            d = d @ mdp.P[:, a]
        plans.append(total)
    assert alpha_vectors(mdp, [[1]] * 3, 4)[0].value_at(mdp.initial) == max(plans)


def test_every_vector_is_needed():
    """Some belief, of a fine grid, prefers each vector strictly to all others."""
    mdp, ears = tiger()
    for stage in alpha_vectors(mdp, ears, 5):
        grid = [Fraction(k, 2000) for k in range(2001)]
        scores = np.array([[x * a + (1 - x) * b for a, b in stage.vectors] for x in grid])
        alone = [row.argmax() for row in scores if sum(row == row.max()) == 1]
        assert set(alone) == set(range(len(stage.vectors)))


@pytest.mark.parametrize("world", [MDP.to_float, MDP.to_sparse])
def test_floats_stay_close(world):
    mdp, sensor = ending()
    floats = [[[float(Fraction(x)) for x in row] for row in rows] for rows in sensor]
    stage = alpha_vectors(world(mdp), floats, 4)[0]
    exact = alpha_vectors(mdp, sensor, 4)[0]
    assert 0 <= stage.pruned < 1e-9
    for belief in BELIEFS:
        b = mdp.beside("belief", belief)
        # a value is a sum of some hundred products of size one; what was pruned is counted apart
        assert abs(stage.value_at(b.astype(float)) - exact.value_at(b)) <= 1e-13 + stage.pruned


def test_final_values_and_no_steps():
    mdp, sensor = ending()
    g = [1, "-1/2", 3, 0]
    (last,) = alpha_vectors(mdp, sensor, 0, terminal_values=g)
    assert list(last.vectors[0]) == [1, Fraction(-1, 2), 3, 0]
    best = backward_induction(mdp, 2, terminal_values=g).v[0]
    seen = alpha_vectors(mdp, np.eye(4, dtype=int), 2, terminal_values=g)[0]
    assert [seen.value_at(e) for e in np.eye(4, dtype=int)] == list(best)


def test_symbols_where_nothing_is_to_choose():
    import sympy

    b = sympy.Symbol("b")
    chain = MDP.chain([["1/2", "1/2"], [0, 1]], R=[1, 3], gamma="1/2").to_symbolic()
    found = belief_value(chain, [["1/3", "2/3"], ["1/4", "3/4"]], [b, 1 - b], 2)
    assert sympy.expand(found - (b * (1 + sympy.Rational(1, 2) * 2) + (1 - b) * sympy.Rational(9, 2))) == 0


def test_refusals():
    mdp, sensor = ending()
    with pytest.raises(NotExact, match="undecided"):
        alpha_vectors(mdp.to_symbolic(), sensor, 1)
    with pytest.raises(TooManyVectors, match="above the limit of 3"):
        alpha_vectors(mdp, sensor, 4, limit=3)
    with pytest.raises(InvalidObservation, match="sum to"):
        alpha_vectors(mdp, [["1/2", 0]] * 4, 1)
    with pytest.raises(ValueError, match="steps"):
        alpha_vectors(mdp, sensor, -1)
    masked = MDP([[[1, 0], [1, 0]], [["0", 1], [0, 1]]], R=[0, 0], gamma=1, available=[[True, False], [True, True]])
    with pytest.raises(InvalidMDP, match="state 1 offers other actions"):
        alpha_vectors(masked, [[1], [1]], 1)
