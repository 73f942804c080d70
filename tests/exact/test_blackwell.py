"""Switches of the optimal policy against published ones, closed forms, and every deterministic policy at many discounts."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy

from rlexact.arithmetic import NotExact
from rlexact.exact.blackwell import blackwell, optimal_pieces, switch_discounts
from rlexact.exact.evaluation import policy_value
from rlexact.exact.stationary import average_reward
from rlexact.gallery import garnet, puterman_two_state, random_mdp
from rlexact.mdp import MDP
from rlexact.policy import deterministic, deterministic_policies

GRID = [Fraction(k, 23) for k in range(1, 23)] + [Fraction(99, 100), Fraction(999, 1000)]


def pays(*streams):
    """One choice between streams of rewards, each paid in order; then the episode ends."""
    longest = max(map(len, streams))
    outcomes = {("choose", a): [(Fraction(1), (a, 1), stream[0], False)] for a, stream in enumerate(streams)}
    for a, stream in enumerate(streams):
        padded = [*stream, *[0] * (longest - len(stream))]
        for t in range(1, longest):
            last = t + 1 == longest
            outcomes[(a, t), 0] = [(Fraction(1), None if last else (a, t + 1), padded[t], last)]
    states = ["choose", *((a, t) for a in range(len(streams)) for t in range(1, longest))]
    return MDP.from_outcomes(outcomes, "1/2", states=states, actions=range(len(streams)))


def best_of_all(mdp, gamma):
    """V* by brute force."""
    there = mdp.replace(gamma=gamma)
    return np.max([policy_value(there, pi) for pi in deterministic_policies(there)], axis=0)


def test_putermans_two_states_switch_at_ten_elevenths():
    """Puterman (1994), Figure 3.1.1, and the closed form of V* on both sides of 10/11 that follows from it."""
    mdp, g = puterman_two_state(), sympy.Symbol("g")
    before, after = optimal_pieces(mdp)
    assert switch_discounts(mdp) == (Fraction(10, 11),)
    assert (before.low, before.high, after.low, after.high) == (0, Fraction(10, 11), Fraction(10, 11), 1)
    move, stay = (10 - 11 * g) / (1 - g), (5 - sympy.Rational(11, 2) * g) / ((1 - g / 2) * (1 - g))
    assert [sympy.cancel(x) for x in before.value.to_sympy(g) - [move, -1 / (1 - g)]] == [0, 0]
    assert [sympy.cancel(x) for x in after.value.to_sympy(g) - [stay, -1 / (1 - g)]] == [0, 0]
    assert before.optimal_actions.tolist() == [[False, True], [True, False]]
    assert after.optimal_actions.tolist() == [[True, False], [True, False]]
    assert np.array_equal(blackwell(mdp).policy, deterministic(mdp, ["stay", "stay"]))
    assert blackwell(mdp).low == Fraction(10, 11)


@pytest.mark.parametrize("seed", range(8))
def test_each_piece_is_the_best_of_all_policies(seed):
    mdp = random_mdp(seed, 3, 3, terminal=seed % 2, masked=seed % 3 == 0)
    pieces = optimal_pieces(mdp)
    assert [p.low for p in pieces] == [0, *(p.high for p in pieces[:-1])]
    assert pieces[-1].high == 1
    for gamma in [*GRID, *(p.sample for p in pieces)]:
        best = best_of_all(mdp, gamma)
        there = mdp.replace(gamma=gamma)
        for piece in (p for p in pieces if p.low <= gamma <= p.high):
            assert np.array_equal(piece.value(gamma), best)
            assert np.array_equal(policy_value(there, piece.policy), best)
            q = there.r + gamma * (there.kernel @ best).reshape(there.r.shape)
            attained = there.available & (q == best[:, None]).astype(bool)
            assert (piece.optimal_actions <= attained).all()
            if gamma == piece.sample:
                assert np.array_equal(piece.optimal_actions, attained)


def as_polynomial(ascending):
    return sympy.Poly(
        [sympy.Rational(int(c.numerator), int(c.denominator)) for c in reversed(ascending)], sympy.Symbol("g")
    )


@pytest.mark.parametrize("mdp", [garnet(6, 3, 3, seed, exact=True) for seed in range(3)])
def test_neighbouring_curves_meet_at_the_switch_and_part_there(mdp):
    pieces = optimal_pieces(mdp)
    for before, after in pairwise(pieces):
        minimal = as_polynomial([Fraction(c) for c in after.low.minimal])
        below = as_polynomial(before.value.denominator), as_polynomial(after.value.denominator)
        curves = zip(before.value.numerators, after.value.numerators, strict=True)
        gaps = [as_polynomial(n) * below[1] - as_polynomial(m) * below[0] for n, m in curves]
        assert any(not gap.is_zero for gap in gaps)
        assert all(gap.rem(minimal).is_zero for gap in gaps)
    assert np.array_equal(blackwell(mdp).value.numerators, pieces[-1].value.numerators)
    assert blackwell(mdp).low == pieces[-1].low


def test_an_irrational_switch_comes_with_its_minimal_polynomial():
    mdp = pays([1], [0, 0, 2])  # 1 against 2γ²: √2/2
    (switch,) = switch_discounts(mdp)
    assert switch.minimal == (-1, 0, 2)
    assert switch.low**2 < Fraction(1, 2) < switch.high**2
    assert float(switch) == 0.5**0.5


def test_a_choice_can_come_back():
    mdp = pays([0, 1], ["6/25", 0, 1])  # γ against 6/25 + γ²: equal at 2/5 and 3/5, and waiting wins between them
    first, middle, last = optimal_pieces(mdp)
    assert switch_discounts(mdp) == (Fraction(2, 5), Fraction(3, 5))
    chosen = [int(p.policy[0].argmax()) for p in (first, middle, last)]
    assert chosen == [1, 0, 1]
    assert np.array_equal(first.value.numerators, last.value.numerators)


def test_a_tie_at_one_discount_is_no_switch():
    mdp = pays([0], ["-1/4", 1, -1])  # 0 against -(γ - 1/2)²
    (only,) = optimal_pieces(mdp)
    assert only.optimal_actions[0].tolist() == [True, False]
    assert (only.low, only.high) == (0, 1)
    assert blackwell(mdp).low == 0


def test_actions_that_tie_throughout_are_all_marked():
    (only,) = optimal_pieces(pays([1, 2], [1, 2], [0, 2]))
    assert only.optimal_actions[0].tolist() == [True, True, False]


def test_blackwell_sees_beyond_the_gain():
    mdp = MDP.from_outcomes(
        {
            ("a", "now"): [(1, "b", "3", False)],
            ("a", "later"): [(1, "c", 0, False)],
            ("c", "now"): [(1, "b", 4, False)],
            ("b", "now"): [(1, "b", 1, False)],
        },
        "1/2",
        states=("a", "b", "c"),
        actions=("now", "later"),
    )
    found = blackwell(mdp)  # 3 + γ/(1-γ) against 4γ + γ²/(1-γ): the gap is 3 - 3γ > 0 though both gains are 1
    policies = [deterministic(mdp, [a, "now", "now"]) for a in ("now", "later")]
    assert len({tuple(average_reward(mdp, pi)) for pi in policies}) == 1
    assert np.array_equal(found.policy, policies[0])
    assert found.low == 0


def test_floats_are_refused_by_name():
    for other in (MDP.to_float, MDP.to_sparse, MDP.to_symbolic):
        for question in (optimal_pieces, blackwell):
            with pytest.raises(NotExact, match="to_rational"):
                question(other(puterman_two_state()))
