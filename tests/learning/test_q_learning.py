"""Q-learning and its kin against the law of each written out in fractions, and where they end when nothing is random."""

from fractions import Fraction
from math import exp, log

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.expected_updates import expected_double_q_learning, expected_q_learning
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.soft_bellman import soft_bellman_optimal
from rlexact.learning.q_learning import double_q_learning, learn_minibatch, q_learning, soft_q_learning, tabular_dqn
from rlexact.learning.replay import EmptyReplay, Replay, Transition
from rlexact.learning.sarsa import Control
from rlexact.learning.schedule import InvalidSchedule, harmonic
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import softmax, uniform
from tests.learning.laws import HALF, QUARTER, Life, assert_lands, law_of, small

RUNS = 100
EVEN = [HALF, HALF]


def greedy(q, s):
    return int(q[s][1] > q[s][0])


def even_greedy(q, s):
    return [QUARTER + HALF * (greedy(q, s) == a) for a in (0, 1)]


def zeros():
    return [[Fraction(0)] * 2 for _ in range(2)]


def sampled(learner, steps, *args, **setting):
    model = small().to_float()
    chosen = {"alpha": 0.25, "epsilon": 0.5, "checkpoints": 1, **setting}
    return [learner(model, steps, seed, *args, **chosen).q[:2].ravel() for seed in range(RUNS)]


def test_q_learning():
    def law(limit):
        def program(pick):
            life, q = Life(small(), pick, limit), zeros()
            for _ in range(3):
                s = life.s
                a = pick(even_greedy(q, s))
                r, f, ended, _ = life.step(a)
                q[s][a] += QUARTER * (r + (0 if ended else HALF * max(q[f])) - q[s][a])
            return (*q[0], *q[1])

        return law_of(program)

    assert_lands(sampled(q_learning, 3), law(None))
    assert_lands(sampled(q_learning, 3, episode_steps=1), law(1))


def test_double_q_learning():
    def program(pick):
        life, both = Life(small(), pick), [zeros(), zeros()]
        for _ in range(2):
            s = life.s
            mean = [[(x + y) / 2 for x, y in zip(*rows, strict=True)] for rows in zip(*both, strict=True)]
            a = pick(even_greedy(mean, s))
            r, f, ended, _ = life.step(a)
            one, other = both if pick(EVEN) else both[::-1]
            one[s][a] += QUARTER * (r + (0 if ended else HALF * other[f][greedy(one, f)]) - one[s][a])
        return tuple((x + y) / 2 for one, other in zip(*both, strict=True) for x, y in zip(one, other, strict=True))

    assert_lands(sampled(double_q_learning, 2), law_of(program))


@pytest.mark.parametrize("double", [False, True])
def test_one_update_in_expectation_is_that_of_the_exact_room(double):
    exact = small()
    q = np.array([[3, -1], [2, 5], [0, 0]])
    weights = exact.initial[:, None] * exact.admit(uniform(exact))
    if double:  # both tables begin alike: their mean moves by the half of what Q-learning's would
        moved = expected_double_q_learning(exact, q, q, HALF, weights)
        mean = (moved[0] + moved[1]) / 2
    else:
        mean = expected_q_learning(exact, q, HALF, weights)

    def program(pick):
        life, table = Life(exact, pick), [[Fraction(x) for x in row] for row in q]
        s, a = life.s, pick(EVEN)
        r, f, ended, _ = life.step(a)
        table[s][a] += (QUARTER if double else HALF) * (r + (0 if ended else HALF * max(q[f])) - table[s][a])
        return (*table[0], *table[1])

    law = law_of(program)
    assert [sum(p * x[i] for x, p in law.items()) for i in range(4)] == mean[:2].ravel().tolist()
    setting = {"alpha": 0.5, "q": q.astype(float), "policy": uniform(exact).astype(float)}
    assert_lands(sampled(double_q_learning if double else q_learning, 1, **setting), law)


def test_soft_q_learning():
    tau = 0.5

    def program(pick):
        life, q = Life(small().to_float(), pick), [[0.0, 0.0], [0.0, 0.0]]
        for _ in range(3):
            s = life.s
            weights = [exp(x / tau) for x in q[s]]
            a = pick([0.1 + 0.8 * w / sum(weights) for w in weights])
            r, f, ended, _ = life.step(a)
            ahead = 0 if ended else 0.5 * tau * log(sum(exp(x / tau) for x in q[f]))
            q[s][a] += 0.25 * (r + ahead - q[s][a])
        return (*q[0], *q[1])

    assert_lands(sampled(soft_q_learning, 3, tau, epsilon=0.2), law_of(program))


def replayed(steps, batch, capacity, burn_in, changed, period=None, rho=None, double=False):
    """The law of tabular DQN, target table by hand; `changed` is α."""

    def program(pick):
        life, q, target, ring, done = Life(small(), pick), zeros(), zeros(), [], 0
        for _ in range(steps):
            s = life.s
            a = pick(even_greedy(q, s))
            r, f, ended, _ = life.step(a)
            ring = [*ring, (s, a, r, f, ended)][-capacity:]
            if len(ring) < burn_in:
                continue
            done += 1
            oldest = [ring[pick([Fraction(1, len(ring))] * len(ring))] for _ in range(batch)]
            moves = []
            for x, b, reward, g, over in oldest:
                ahead = 0 if over else HALF * target[g][greedy(q if double else target, g)]
                moves.append((x, b, changed / batch * (reward + ahead - q[x][b])))
            for x, b, move in moves:
                q[x][b] += move
            if rho:
                target = [
                    [(1 - rho) * y + rho * z for y, z in zip(*rows, strict=True)]
                    for rows in zip(target, q, strict=True)
                ]
            elif done % period == 0:
                target = [list(row) for row in q]
        return (*q[0], *q[1])

    return law_of(program)


def test_tabular_dqn():
    common = {"capacity": 2, "burn_in": 1, "alpha": 0.5}
    assert_lands(sampled(tabular_dqn, 3, batch=1, period=2, **common), replayed(3, 1, 2, 1, HALF, period=2))
    assert_lands(sampled(tabular_dqn, 3, batch=1, rho=0.25, **common), replayed(3, 1, 2, 1, HALF, rho=QUARTER))
    assert_lands(
        sampled(tabular_dqn, 3, batch=1, period=2, double=True, **common),
        replayed(3, 1, 2, 1, HALF, period=2, double=True),
    )
    assert_lands(
        sampled(tabular_dqn, 2, batch=2, capacity=2, burn_in=2, period=1, alpha=0.5),
        replayed(2, 2, 2, 2, HALF, period=1),
    )


@pytest.mark.parametrize("convert", [MDP.to_float, MDP.to_sparse, MDP.to_rational])
def test_where_nothing_is_random_they_end_at_the_optimum(convert):
    """With α = 1 and deterministic steps each update is a Bellman backup of one pair: γ^k of the error is left."""
    loop = convert(gallery.left_right_loop())
    for learner in (q_learning, double_q_learning):
        got = learner(loop, 1500, 0, alpha=1, epsilon=0.5)
        assert got.error < 1e-12, learner
        assert got.policy.tolist() == policy_iteration(gallery.left_right_loop()).policy.tolist()
    for setting in ({}, {"double": True}, {"rho": 0.5}, {"priority": (1, 0)}):
        got = tabular_dqn(loop, 800, 0, batch=1, period=1, capacity=50, alpha=1, epsilon=0.5, **setting)
        assert got.error < 1e-6, setting


def test_soft_ends_at_the_soft_optimum():
    loop = gallery.left_right_loop().to_float()
    got = soft_q_learning(loop, 3000, 0, 0.5, alpha=1, epsilon=1)
    assert got.error < 1e-8  # the tolerance of the truth
    v = soft_bellman_optimal(loop, np.array([0.5 * log(np.exp(row / 0.5).sum()) for row in got.q]), 0.5)
    assert np.abs(v - [0.5 * log(np.exp(row / 0.5).sum()) for row in got.q]).max() < 1e-8
    assert np.abs(got.policy - softmax(loop, got.q, 0.5)).max() < 1e-12


def test_sample_means_have_the_exact_standard_error():
    """With one step per episode and α = 1/n, Q is the mean of the rewards drawn."""
    arms = MDP.from_outcomes(
        [[[(QUARTER, None, 8, True), (3 * QUARTER, None, 0, True)], [(HALF, None, 3, True), (HALF, None, -1, True)]]],
        1,
        0,
    )
    got = q_learning(arms, 2000, 0, alpha=harmonic(), policy=uniform(arms))
    error = np.sqrt(np.array([12, 4]) / got.tables["visits"][0])  # variances 64 · 3/16 and 16/4
    assert (np.abs(got.q[0] - [2, 1]) < 4.5 * error).all()
    both = double_q_learning(arms, 2000, 0, alpha=harmonic(), policy=uniform(arms))
    assert (both.tables["q1"] != both.tables["q2"]).any()
    assert both.q.tolist() == ((both.tables["q1"] + both.tables["q2"]) / 2).tolist()
    assert both.tables["visits"].sum() == 2000


def test_by_hand():
    """γ = 1/2, α = 1/2, always right from A: A 3/2, B 5, A 3/2 + (3 + 5/2 - 3/2)/2 = 7/2, B 15/2."""
    loop = gallery.left_right_loop(gamma=HALF)
    right = np.array([[0, 1], [0, 1]])
    got = q_learning(loop, 4, 0, alpha=0.5, policy=right, checkpoints=[1, 2, 3])
    assert got.q.tolist() == [[0, 3.5], [0, 7.5]]
    assert got.curve.errors.tolist() == [10, 10, 6.5, 5, 4.5]  # of A right 8 and B right 10, the pairs that are taken


def test_actions_that_are_not_available_are_never_best():
    """In Puterman's second state only 'stay' can be taken, at -1 a step: Q = -1, -3/2, -7/4."""
    model = gallery.puterman_two_state(HALF)
    for learner in (q_learning, tabular_dqn):
        setting = {"batch": 1, "period": 1, "burn_in": 1} if learner is tabular_dqn else {}
        assert learner(model, 3, 0, alpha=1, start="s2", **setting).q[1].tolist() == [-1.75, 0]
    assert soft_q_learning(model, 3, 0, 1, alpha=1, start="s2").q[1].tolist() == [-1.75, 0]


def test_a_minibatch_by_hand():
    """Q(B) = (4, 0) and Q⁻(B) = (1, 6): the maximum of Q⁻ is 6, and what Q prefers is worth 1."""
    loop, target = gallery.left_right_loop(gamma=HALF), np.array([[0.0, 0.0], [1.0, 6.0]])
    for double, ahead in ((False, 6), (True, 1)):
        task = Control(loop, 0, q=np.array([[0, 2], [4, 0]]))
        replay = Replay(1, task.rng)
        replay.store(Transition(0, 1, 3.0, 1, False))
        learn_minibatch(task, replay, target, 4, 0.5, double, None)
        assert task.q.tolist() == [[0, 2 + 0.5 * (3 + ahead / 2 - 2)], [4, 0]]
        assert task.visits.tolist() == [[0, 4], [0, 0]]
    task = Control(loop, 0, q=np.array([[0, 2], [4, 0]]))
    learn_minibatch(task, replay, target, 4, 0.5, False, (1, 1))
    assert task.q[0].tolist() == [0, 4]
    assert replay.priorities[0] == pytest.approx(4)  # |δ| = 3 + 3 - 2


def test_a_prioritised_minibatch_is_weighted():
    """Priorities 1 and 4, ω = β = 1: weights 1 and 1/4, on the TD errors 1 and 10 of A left and B right."""
    loop = gallery.left_right_loop(gamma=HALF)
    for seed in range(8):
        task = Control(loop, seed)
        replay = Replay(2, task.rng)
        replay.store(Transition(0, 0, 1.0, 0, False))
        replay.store(Transition(1, 1, 10.0, -1, True))
        replay.reprioritise(np.array([0, 1]), np.array([1.0, 4.0]))
        learn_minibatch(task, replay, task.q.copy(), 1, 0.5, False, (1, 1))
        assert task.q.tolist() == ([[0.5, 0], [0, 0]] if task.visits[0, 0] else [[0, 0], [0, 1.25]])


def test_refusals():
    loop = gallery.left_right_loop()
    for learner in (q_learning, double_q_learning, tabular_dqn):
        with pytest.raises(InvalidSchedule, match="alpha"):
            learner(loop, 5, 0, alpha=2)
        with pytest.raises(InvalidSchedule, match="epsilon"):
            learner(loop, 5, 0, epsilon=-1)
        with pytest.raises(ValueError, match="steps"):
            learner(loop, 0, 0)
    with pytest.raises(ValueError, match="temperature"):
        soft_q_learning(loop, 5, 0, 0)
    for setting in (
        {"rho": 0},
        {"rho": 1.5},
        {"period": 0},
        {"batch": 0},
        {"updates": 0},
        {"capacity": 5},
        {"burn_in": 0},
    ):
        with pytest.raises(ValueError, match=r"rho|whole number|capacity"):
            tabular_dqn(loop, 50, 0, **setting)
    assert issubclass(EmptyReplay, ValueError)
    forever = MDP.chain([[1.0]], gamma=1.0, initial=0)
    with pytest.raises(InvalidPolicy, match="for ever"):
        q_learning(forever, 5, 0)
