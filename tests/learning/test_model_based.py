"""Counted models by hand and within the exact variance of their entries, planning in them, and branched rollouts."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.model_based import branched_rollouts, certainty_equivalent, counts_model
from rlexact.learning.replay import Experience, Transition, transitions
from rlexact.learning.simulate import trajectory
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import uniform
from tests.learning.laws import HALF, THIRD, small


def test_counts_by_hand():
    one = Fraction(1)
    data = [
        Transition(0, 0, one, 1, False),
        Transition(0, 0, one, 1, False),
        Transition(0, 0, -2 * one, 0, False),
        Transition(0, 1, 6 * one, -1, True),
        Transition(1, 1, 4 * one, 2, True),
    ]
    model = counts_model(small(), data)
    assert model.outcomes(0, 0) == [(THIRD, 0, -2, False), (2 * THIRD, 1, 1, False)]
    assert model.outcomes(0, 1) == [(1, None, 6, True)]
    assert model.outcomes(1, 1) == [(1, 2, 4, False)]
    assert model.available.tolist() == [[True, True], [False, True], [False, False]]
    assert model.terminal.tolist() == [False, False, True]
    assert (model.gamma, model.initial.tolist()) == (HALF, small().initial.tolist())
    # V(1) = 4, V(0) = max(6, (-2 + V(0)/2)/3 + 2 (1 + 2)/3) = 6
    plan = certainty_equivalent(small(), data)
    assert plan.v.tolist() == [6, 4, 0]
    assert plan.q[0].tolist() == [Fraction(7, 3), 6]


def test_shape_and_names_are_kept():
    loop = gallery.left_right_loop()
    model = counts_model(loop, [Transition(0, 0, Fraction(1), 0, False)])
    assert (model.states, model.actions, model.n_states) == (loop.states, loop.actions, 2)
    assert model.terminal.tolist() == [False, True]
    wide = MDP.from_outcomes({(s, a): [(1, 0, 1, False)] for s in range(4) for a in range(3)}, HALF)
    model = counts_model(wide, [Transition(0, 0, Fraction(1), 0, False)])
    assert (model.r.shape, model.has_initial) == ((4, 3), False)


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse])
def test_entries_have_the_exact_standard_error(convert):
    model = convert(small())
    life, rng = Experience(model.to_float(), np.random.default_rng(0)), np.random.default_rng(1)
    exact = model.world == "rational"
    data = [life.step(int(rng.integers(2))) for _ in range(3000)]
    data = [t._replace(reward=Fraction(t.reward)) for t in data] if exact else data
    found, tried = counts_model(model, data), np.zeros((3, 2))
    np.add.at(tried, tuple(np.array([t[:2] for t in data]).T), 1)
    P, hat = small().P[:2].astype(float), found.to_dense().P[:2].astype(float)
    assert (np.abs(hat - P) <= 4.5 * np.sqrt(P * (1 - P) / tried[:2, :, None]) + 1e-12).all()
    assert abs(float(found.ends[0, 1]) - 1 / 4) < 4.5 * np.sqrt(3 / 16 / tried[0, 1])


def test_all_outcomes_in_their_proportions_give_the_model_back():
    exact = small()
    data = []
    for s, a in np.argwhere(exact.available):
        for p, following, reward, ended in exact.outcomes(int(s), int(a)):
            f = -1 if following is None else following
            data += [Transition(int(s), int(a), reward, f, ended)] * int(12 * p)
    again = counts_model(exact, data)
    assert again.P.tolist() == exact.P.tolist()
    assert again.ends.tolist() == exact.ends.tolist()
    assert certainty_equivalent(exact, data).q.tolist() == policy_iteration(exact).q.tolist()


def test_branched_rollouts_have_the_law_of_the_model():
    """From states drawn evenly: where they are after k steps is ρ P^k, and the share that has ended the rest."""
    model, k, n = small(), 3, 3000
    pi = uniform(model)
    starts = [Transition(i % 2, 0, 0.0, 0, False) for i in range(n)]
    rollouts = branched_rollouts(model, pi, starts, k, 0)
    assert [lived[0].state for lived in rollouts] == [t.state for t in starts]
    P, _ = model.under(pi)
    law = np.array([HALF, HALF, 0])
    for _ in range(k):
        law = P.T @ law
    last = [lived[-1] for lived in rollouts]
    assert all(len(lived) == k for lived in rollouts if not lived[-1].terminated)
    assert all(t.truncated != t.terminated for t in last)
    for s in (0, 1):
        p = float(law[s])
        share = np.mean([t.truncated and t.following == s for t in last])
        assert abs(share - p) < 4.5 * (p * (1 - p) / n) ** 0.5


def test_rollouts_do_not_reach_further_than_their_horizon():
    loop = gallery.left_right_loop()
    start = Transition(1, 0, 0.0, 0, False)
    assert branched_rollouts(loop, np.array([[1, 0], [1, 0]]), [start], 2, 0) == [
        [(1, 0, 0.0, 0, False, False), (0, 0, 1.0, 0, False, True)]
    ]


def test_refusals():
    loop, pi = gallery.left_right_loop(), uniform(gallery.left_right_loop())
    start = Transition(0, 0, 0.0, 0, False)
    with pytest.raises(ValueError, match="transitions"):
        counts_model(loop, [])
    with pytest.raises(ValueError, match="starts"):
        branched_rollouts(loop, pi, [], 1, 0)
    for bad in (0, 1.5):
        with pytest.raises(ValueError, match="steps"):
            branched_rollouts(loop, pi, [start], bad, 0)
    learned = counts_model(loop, [Transition(0, 0, Fraction(1), 0, False)])
    with pytest.raises(InvalidPolicy):
        branched_rollouts(learned, pi, [start], 1, 0)  # an action that was never tried
    only = np.array([[1, 0], [1, 0]])
    assert len(branched_rollouts(learned, only, [start], 4, 0)[0]) == 4
    with pytest.raises(ValueError, match="state 1"):
        branched_rollouts(learned, only, [start._replace(state=1)], 1, 0)
    data = transitions(trajectory(small(), uniform(small()), np.random.default_rng(0), steps=30))
    assert counts_model(small(), data).world == "rational"
