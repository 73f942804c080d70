"""SARSA and its kin against the law of each written out in fractions, and the best ε-soft values by brute force."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact import gallery
from rlexact.exact.evaluation import action_value
from rlexact.exact.expected_updates import expected_sarsa as expected_update
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.sarsa import epsilon_optimal, expected_sarsa, n_step_sarsa, sarsa, sarsa_lambda
from rlexact.learning.schedule import InvalidSchedule, exponential, harmonic, linear, polynomial
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.policy import deterministic, deterministic_policies, mixture, uniform
from tests.learning.laws import HALF, QUARTER, Life, assert_lands, law_of, small

RUNS = 100


def even_greedy(q, s, epsilon=HALF):
    best = int(q[s][1] > q[s][0])
    return [epsilon / 2 + (1 - epsilon) * (best == a) for a in (0, 1)]


def on_policy(steps, update, limit=None):
    """The law of Q after so many steps: `update(q, history, ahead, over)` after a' is chosen, ahead(s, a') = γ Q(s', a')."""

    def program(pick):
        life, q, history = Life(small(), pick, limit), [[Fraction(0)] * 2 for _ in range(2)], []
        a = pick(even_greedy(q, life.s))
        for _ in range(steps):
            s = life.s
            r, following, ended, over = life.step(a)
            history.append((s, a, r))
            a = None if ended else pick(even_greedy(q, following))
            update(q, history, 0 if ended else HALF * q[following][a], over)
            if over:
                a = pick(even_greedy(q, life.s))
                history.clear()
        return (*q[0], *q[1])

    return law_of(program)


def sampled(learner, steps, *args, **setting):
    model = small().to_float()
    chosen = {"alpha": 0.25, "epsilon": 0.5, "checkpoints": 1, **setting}
    return [learner(model, steps, seed, *args, **chosen).q[:2].ravel() for seed in range(RUNS)]


def one_step(q, history, ahead, over):
    s, a, r = history[-1]
    q[s][a] += QUARTER * (r + ahead - q[s][a])


def test_sarsa():
    law = on_policy(3, one_step)
    assert_lands(sampled(sarsa, 3), law)
    assert_lands(sampled(sarsa_lambda, 3, 0), law)
    assert_lands(sampled(sarsa, 3, episode_steps=2), on_policy(3, one_step, limit=2))


def test_expected_sarsa():
    def program(pick):
        life, q = Life(small(), pick), [[Fraction(0)] * 2 for _ in range(2)]
        for _ in range(3):
            s = life.s
            a = pick(even_greedy(q, s))
            r, following, ended, _ = life.step(a)
            law = None if ended else even_greedy(q, following)
            ahead = 0 if ended else HALF * sum(p * x for p, x in zip(law, q[following], strict=True))
            q[s][a] += QUARTER * (r + ahead - q[s][a])
        return (*q[0], *q[1])

    assert_lands(sampled(expected_sarsa, 3), law_of(program))


def test_n_step_sarsa():
    def update(q, history, ahead, over):
        for i in range(max(len(history) - 2, 0), len(history)):
            if over or len(history) - i == 2:
                s, a, _ = history[i]
                rewards = [r for _, _, r in history[i:]]
                g = sum(HALF**k * r for k, r in enumerate(rewards)) + HALF ** (len(rewards) - 1) * ahead
                q[s][a] += QUARTER * (g - q[s][a])

    assert_lands(sampled(n_step_sarsa, 3, 2), on_policy(3, update))


@pytest.mark.parametrize("replacing", [False, True])
def test_sarsa_lambda(replacing):
    def update(q, history, ahead, over):
        s, a, r = history[-1]
        delta = r + ahead - q[s][a]
        for pair in {x[:2] for x in history}:
            ages = [len(history) - 1 - i for i, x in enumerate(history) if x[:2] == pair]
            trace = sum((Fraction(3, 8) ** age for age in (ages[-1:] if replacing else ages)), start=Fraction(0))
            q[pair[0]][pair[1]] += QUARTER * delta * trace

    assert_lands(sampled(sarsa_lambda, 3, 0.75, replacing=replacing), on_policy(3, update))


def test_rates_by_visits_of_the_state():
    """ε = 1/n at the n-th visit of a state, α = 1/n at the n-th visit of a pair; expected SARSA looks one visit ahead."""

    def program(pick):
        life, q, seen, n = Life(small(), pick), [[Fraction(0)] * 2 for _ in range(2)], [0, 0], {}
        for _ in range(3):
            s = life.s
            a = pick(even_greedy(q, s, Fraction(1, seen[s] + 1)))
            seen[s] += 1
            r, f, ended, _ = life.step(a)
            law = None if ended else even_greedy(q, f, Fraction(1, seen[f] + 1))
            n[s, a] = n.get((s, a), 0) + 1
            ahead = 0 if ended else HALF * sum(p * x for p, x in zip(law, q[f], strict=True))
            q[s][a] += (r + ahead - q[s][a]) / n[s, a]
        return (*q[0], *q[1])

    assert_lands(sampled(expected_sarsa, 3, alpha=harmonic(), epsilon=harmonic()), law_of(program))


def test_one_update_in_expectation_is_that_of_the_exact_room():
    """From any table: the mean of one step of (expected) SARSA, the place being drawn by the start and the policy."""
    exact = small()
    pi = np.array([[HALF, HALF], [QUARTER, 3 * QUARTER], [1, 0]])
    q = np.array([[3, -1], [2, 5], [0, 0]])
    weights = exact.initial[:, None] * exact.admit(pi)
    mean = expected_update(exact, pi, q, HALF, weights)

    def program(pick):
        life = Life(exact, pick)
        s, a = life.s, pick(pi[life.s])
        r, f, ended, _ = life.step(a)
        moved = [[Fraction(x) for x in row] for row in q]
        ahead = 0 if ended else HALF * q[f][pick(pi[f])]
        moved[s][a] += HALF * (r + ahead - moved[s][a])
        return (*moved[0], *moved[1])

    law = law_of(program)
    assert [sum(p * x[i] for x, p in law.items()) for i in range(4)] == mean[:2].ravel().tolist()
    samples = sampled(sarsa, 1, alpha=0.5, policy=pi.astype(float), q=q.astype(float))
    assert_lands(samples, law)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("convert", [MDP.to_float, MDP.to_sparse, MDP.to_rational])
def test_the_best_soft_policy_by_brute_force(seed, convert):
    exact = gallery.random_mdp(seed, 3, 2, terminal=1, masked=seed == 1)
    for epsilon in (Fraction(1, 5), 1):
        values = [
            action_value(exact, mixture(exact, pi, uniform(exact), epsilon)) for pi in deterministic_policies(exact)
        ]
        best = np.max([x.astype(float) for x in values], axis=0)
        # solves of a 3 × 3 system with values below 60: rounding below 1e-12
        assert np.abs(epsilon_optimal(convert(exact), float(epsilon)) - best).max() < 1e-12
    assert epsilon_optimal(exact, 0).tolist() == policy_iteration(exact).q.tolist()


def test_by_hand_and_to_the_end():
    """Left-right loop at ε = 0: A right 3, B left 0 (a tie at 0 takes the first), A right again, ..."""
    loop = gallery.left_right_loop(gamma=HALF)
    got = sarsa(loop, 3, 0, alpha=0.5, epsilon=0, start="B")
    # B left: 0 → A; A left: 1 → A, Q = 1/2; A left again: Q = 1/2 + (1 + 1/4 - 1/2)/2
    # but the first step bootstraps on Q(A, left) = 0, the second on Q(A, left) = 0 before its own update
    assert got.q.tolist() == [[7 / 8, 0], [0, 0]]
    stay = deterministic(loop, ["left", "left"])
    sure = sarsa(loop, 60, 0, alpha=1, policy=stay)
    assert sure.q[0, 0] == 2  # 1 / (1 - γ), 2^-60 below rounding
    assert sure.error == 0
    assert sure.curve.truth[0, 0] == Fraction(2)


def test_the_limit_of_exploration_decides_the_truth():
    loop = gallery.left_right_loop()
    optimum = policy_iteration(loop).q.tolist()
    for epsilon in (harmonic(), exponential(1, 0.5), linear(1, 0, 5)):
        assert sarsa(loop, 1, 0, epsilon=epsilon).curve.truth.tolist() == optimum
    assert expected_sarsa(loop, 1, 0, epsilon=0.5).curve.truth.tolist() == epsilon_optimal(loop, 0.5).tolist()
    # deterministic rewards and targets: expected SARSA contracts to the truth at rate γ per update of every pair
    got = expected_sarsa(loop, 6000, 0, alpha=1, epsilon=0.5)
    assert got.error < 1e-12
    assert got.tables["visits"].sum() == 6000


def test_refusals():
    loop = gallery.left_right_loop()
    for bad in (0, 1.01, harmonic(2), "big"):
        with pytest.raises(InvalidSchedule, match="alpha"):
            sarsa(loop, 5, 0, alpha=bad)
    for bad in (-0.5, 1.01, polynomial(1, 2)):
        with pytest.raises(InvalidSchedule, match="epsilon"):
            sarsa(loop, 5, 0, epsilon=bad)
    for learner in (sarsa, expected_sarsa):
        with pytest.raises(ValueError, match="steps"):
            learner(loop, 0, 0)
    with pytest.raises(ValueError, match="steps"):
        n_step_sarsa(loop, 5, 0, 0)
    with pytest.raises(ValueError, match="lam"):
        sarsa_lambda(loop, 5, 0, 2)
    with pytest.raises(InvalidPolicy, match="shape"):
        sarsa(loop, 5, 0, q=np.zeros(3))
    undiscounted = gallery.left_right_loop(gamma=1)
    with pytest.raises(InvalidPolicy, match="for ever"):
        sarsa(undiscounted, 5, 0, policy=deterministic(undiscounted, ["left", "left"]))
