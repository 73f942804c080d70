"""Derivatives of V* against exact difference quotients, V* as a curve of the discount, and closed forms at a kink."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from rlexact import arithmetic as ar
from rlexact.door import InvalidMDP
from rlexact.exact.blackwell import optimal_pieces
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.sensitivity import along, by_discount, by_reward, by_transition
from rlexact.gallery import puterman_two_state, random_mdp, random_walk
from rlexact.mdp import MDP

SMALL = Fraction(1, 10**9)
WORLDS = [MDP.to_symbolic, MDP.to_float, MDP.to_sparse]
MODELS = [random_mdp(seed, 3, 2, terminal=seed % 2, masked=seed > 2) for seed in range(5)]


def tied():
    """State 0 chooses between two roads of equal worth at γ = 1/2; state 1 is worth -2, state 2 is worth 4."""
    P = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]]
    return MDP(P, [["3", 0], [-1, -1], [2, 2]], "1/2")


def changed(mdp, r=0, P=0, gamma=0):
    R = np.where(mdp.available, mdp.r + r, Fraction(0))
    return MDP(mdp.P + P, R, mdp.gamma + gamma, terminal=mdp.terminal, available=mdp.available)


def unit(shape, *where):
    out = np.full(shape, Fraction(0), dtype=object)
    out[where] = Fraction(1)
    return out


@pytest.mark.parametrize("mdp", MODELS)
def test_by_discount_is_the_slope_of_the_curve(mdp):
    found = by_discount(mdp)
    (piece,) = [p for p in optimal_pieces(mdp) if p.low < mdp.gamma < p.high]
    assert np.array_equal(found.right, piece.value.derivative()(mdp.gamma))
    assert found.smooth.all()


def test_the_kink_of_putermans_two_states():
    g, there = sympy.Symbol("g"), sympy.Rational(10, 11)
    move, stay = (10 - 11 * g) / (1 - g), (5 - sympy.Rational(11, 2) * g) / ((1 - g / 2) * (1 - g))
    found = by_discount(puterman_two_state(Fraction(10, 11)))
    assert found.left[0] == sympy.diff(move, g).subs(g, there) == -121
    assert found.right[0] == sympy.diff(stay, g).subs(g, there) == sympy.Rational(-1331, 12)
    assert found.smooth.tolist() == [False, True]


@pytest.mark.parametrize("mdp", [*MODELS, tied(), puterman_two_state(Fraction(10, 11))])
def test_by_reward_is_the_difference_quotient_on_each_side(mdp):
    """V* is convex and piecewise linear in r, so a small enough step gives the one-sided slope exactly."""
    found, v = by_reward(mdp), policy_iteration(mdp).v
    for s, a in np.argwhere(mdp.available):
        step = SMALL * unit(mdp.r.shape, s, a)
        assert np.array_equal(found.right[:, s, a], (policy_iteration(changed(mdp, step)).v - v) / SMALL)
        assert np.array_equal(found.left[:, s, a], (v - policy_iteration(changed(mdp, -step)).v) / SMALL)
    assert not found.right[:, ~mdp.available].any()


def test_a_tie_makes_two_slopes():
    found = by_reward(tied())
    assert (found.left[0, 0].tolist(), found.right[0, 0].tolist()) == ([0, 0], [1, 1])
    both = along(tied(), r=[[1, 1], [0, 0], [0, 0]])
    assert both.smooth.all()
    assert both.right[0] == 1  # not 2: partial derivatives do not add up at a kink


@pytest.mark.parametrize("mdp", [*MODELS[:3], tied()])
def test_along_is_the_difference_quotient_when_everything_moves(mdp):
    live = np.flatnonzero(~mdp.terminal)
    direction = np.full(mdp.P.shape, Fraction(0), dtype=object)
    for s, a in np.argwhere(mdp.available):
        direction[s, a, mdp.P[s, a].argmax()] -= 1
        direction[s, a, live[0]] += 1
    r, v = unit(mdp.r.shape, 0, 0) * 2, policy_iteration(mdp).v
    found = along(mdp, gamma=3, r=r, P=direction)
    after = policy_iteration(changed(mdp, SMALL * r, SMALL * direction, 3 * SMALL)).v
    error = np.abs((after - v) / SMALL - found.right).max()
    assert error < Fraction(1, 10**3)  # the curvature times SMALL: V* and 1/(1-γ) are at most some hundreds


@pytest.mark.parametrize("mdp", MODELS[:3])
def test_transition_partials_add_up_to_directions_where_smooth(mdp):
    partial, (s, a) = by_transition(mdp), np.argwhere(policy_iteration(mdp).optimal_actions)[0]
    for to in range(mdp.n_states):
        direction = unit(mdp.P.shape, s, a, to) - unit(mdp.P.shape, s, a, 0)
        whole = along(mdp, P=direction)
        assert np.array_equal(whole.right, partial.right[:, s, a, to] - partial.right[:, s, a, 0])


def test_transition_partials_at_a_tie_are_those_of_the_direction():
    mdp = tied()
    partial = by_transition(mdp)
    assert (partial.left <= partial.right).all()
    for where in ((0, 0, 1), (0, 1, 2), (0, 1, 1)):
        alone = along(mdp, P=unit(mdp.P.shape, *where))
        assert np.array_equal(partial.left[(slice(None), *where)], alone.left)
        assert np.array_equal(partial.right[(slice(None), *where)], alone.right)
    assert partial.left[0, 0, 0, 1] == -1  # γ V*(1) = -1 while that road is taken
    assert partial.right[0, 0, 0, 1] == 0  # and nothing once the other road is


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("mdp", [MODELS[1], tied()])
def test_every_world_agrees(mdp, world):
    other = world(mdp)
    for question in (by_discount, by_reward, by_transition):
        exact, found = question(mdp), question(other)
        for mine, theirs in ((exact.left, found.left), (exact.right, found.right)):
            if ar.is_exact(other.r):
                assert all(a == b for a, b in zip(mine.flat, theirs.flat, strict=True))
            else:
                assert theirs == pytest.approx(mine.astype(float), abs=1e-9)  # solves of 3 x 3 systems, values < 100


def test_what_is_refused():
    with pytest.raises(InvalidMDP, match="gamma below 1"):
        by_discount(random_walk(3))
    with pytest.raises(ValueError, match="shape"):
        along(tied(), r=[1, 2, 3])
