"""Dyna against its law in fractions, sweeping against the plan of the counted model, and both where nothing is random."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.dyna import dyna_q, prioritized_sweeping
from rlexact.learning.model_based import certainty_equivalent
from rlexact.learning.q_learning import q_learning
from rlexact.learning.sarsa import Control
from rlexact.mdp import MDP
from rlexact.policy import uniform
from tests.learning.laws import HALF, QUARTER, Life, assert_lands, law_of, small

RUNS = 100


@pytest.mark.parametrize("kappa", [0, 1])
def test_dyna_q(kappa):
    """Two steps with one planning update each; with κ = 1 all actions of a state met may be planned, √τ added."""

    def program(pick):
        life, q, seen, pairs, tried = Life(small(), pick), [[Fraction(0)] * 2 for _ in range(2)], {}, [], {}

        def move(s, a, r, f, ended):
            q[s][a] += QUARTER * (r + (0 if ended else HALF * max(q[f])) - q[s][a])

        for k in (1, 2):
            s = life.s
            best = int(q[s][1] > q[s][0])
            a = pick([QUARTER + HALF * (best == b) for b in (0, 1)])
            r, f, ended, _ = life.step(a)
            fresh = [(s, a)] if not kappa else [(s, 0), (s, 1)]
            pairs += [pair for pair in fresh if pair not in pairs]
            seen.setdefault((s, a), []).append((r, f, ended))
            tried[s, a] = k
            move(s, a, r, f, ended)
            x = pairs[pick([Fraction(1, len(pairs))] * len(pairs))]
            known = seen.get(x, [(0, x[0], False)])
            r, f, ended = known[pick([Fraction(1, len(known))] * len(known))]
            move(*x, r + (kappa and Fraction((k - tried.get(x, 0)) ** 0.5)), f, ended)
        return (*q[0], *q[1])

    model = small().to_float()
    setting = {"alpha": 0.25, "epsilon": 0.5, "checkpoints": 1, "kappa": kappa}
    assert_lands([dyna_q(model, 2, seed, 1, **setting).q[:2].ravel() for seed in range(RUNS)], law_of(program))


def test_planning_draws_from_all_that_a_pair_gave():
    coin = MDP.from_outcomes([[[(HALF, 0, 1, False), (HALF, 0, 5, False)]]], HALF, 0)

    def program(pick):
        q, given = Fraction(0), []
        for _ in range(3):
            given.append((1, 5)[pick([HALF, HALF])])
            for r in (given[-1], given[pick([Fraction(1, len(given))] * len(given))]):
                q += QUARTER * (r + HALF * q - q)
        return (q,)

    assert_lands([dyna_q(coin, 3, seed, 1, alpha=0.25, checkpoints=1).q[0] for seed in range(400)], law_of(program))


def test_by_hand():
    """γ = 1/2, α = 1, always right: A = 3, B = 10; planning lets A know of B within the second step."""
    loop = gallery.left_right_loop(gamma=HALF)
    right = np.array([[0, 1], [0, 1]])
    assert dyna_q(loop, 2, 0, 0, alpha=1, policy=right).q.tolist() == [[0, 3], [0, 10]]
    assert dyna_q(loop, 2, 0, 40, alpha=1, policy=right).q.tolist() == [[0, 8], [0, 10]]
    assert prioritized_sweeping(loop, 2, 0, 2, policy=right).q.tolist() == [[0, 8], [0, 10]]
    assert prioritized_sweeping(loop, 2, 0, 1, policy=right).q.tolist() == [[0, 3], [0, 10]]


def test_no_planning_is_q_learning():
    model = small()
    assert dyna_q(model, 200, 3, 0).q.tolist() == q_learning(model, 200, 3).q.tolist()


@pytest.mark.parametrize("convert", [MDP.to_float, MDP.to_sparse, MDP.to_rational, MDP.to_symbolic])
def test_where_nothing_is_random_they_end_at_the_optimum(convert):
    loop = convert(gallery.left_right_loop())
    for got in (dyna_q(loop, 200, 0, 10, alpha=1, epsilon=0.5), prioritized_sweeping(loop, 200, 0, epsilon=0.5)):
        # every pair backed up hundreds of times at γ = 9/10; sweeping stops within 1e-9 / (1 - γ)
        assert got.error < 2e-8
        assert got.policy.tolist() == policy_iteration(gallery.left_right_loop()).policy.tolist()


def test_planning_needs_fewer_steps():
    cliff = gallery.cliff_walk()
    assert prioritized_sweeping(cliff, 4000, 0, 20, epsilon=0.5).error == 0
    assert q_learning(cliff, 4000, 0, alpha=1, epsilon=0.5).error > 1


def test_sweeping_ends_at_the_plan_of_the_counted_model():
    model = gallery.random_mdp(5, 4, 2, gamma=HALF, terminal=1).to_float()
    pi, steps = uniform(model), 120
    got = prioritized_sweeping(model, steps, 7, 100, policy=pi)
    again = Control(model, 7, policy=pi)
    data = [again.acted() for _ in range(steps)]
    plan = certainty_equivalent(model, data)
    # no pair would change by more than 1e-9, so ‖q - q̂‖ <= 1e-9 / (1 - 1/2)
    assert np.abs(got.q - plan.q).max() < 2.1e-9
    assert got.error > 1e-3  # the model is not the truth


def test_refusals():
    loop = gallery.left_right_loop()
    for learner in (dyna_q, prioritized_sweeping):
        with pytest.raises(ValueError, match="planning"):
            learner(loop, 5, 0, -1)
        with pytest.raises(ValueError, match="steps"):
            learner(loop, 0, 0)
    with pytest.raises(ValueError, match="kappa"):
        dyna_q(loop, 5, 0, kappa=-1)
    with pytest.raises(ValueError, match="threshold"):
        prioritized_sweeping(loop, 5, 0, threshold=0)
