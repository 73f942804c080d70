"""Second route: the general operator by enumeration of paths under the behaviour, and the definition written out."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.evaluation import action_value
from rlexact.exact.paths import paths
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.q_learning import q_learning_targets
from rlexact.formulas.retrace import (
    q_lambda_targets,
    retrace_coefficients,
    retrace_targets,
    traced_targets,
    watkins_q_lambda_targets,
)
from rlexact.formulas.returns import n_step_returns
from rlexact.formulas.sarsa import expected_sarsa_targets, expected_values
from rlexact.formulas.tree_backup import n_step_tree_backup_targets, tree_backup_targets
from rlexact.gallery import random_mdp

GAMMA, LAM = Fraction(9, 10), Fraction(2, 3)
MODEL = random_mdp(4, 4, 2, terminal=1)
PI = np.array([[Fraction(3, 4), Fraction(1, 4)], [Fraction(0), Fraction(1)], [Fraction(2, 5), Fraction(3, 5)], [1, 0]])
MU = np.array([[Fraction(1, 3), Fraction(2, 3)], [Fraction(1, 2)] * 2, [Fraction(4, 5), Fraction(1, 5)], [1, 0]])
TARGETS = {
    "retrace": lambda pi, mu, *rest: retrace_targets(pi / mu, *rest, MODEL.gamma, LAM),
    "q_lambda": lambda pi, mu, *rest: q_lambda_targets(*rest, MODEL.gamma, LAM),
    "tree_backup": lambda pi, mu, *rest: tree_backup_targets(pi, *rest, MODEL.gamma, LAM),
    "tree_backup_2": lambda pi, mu, *rest: n_step_tree_backup_targets(pi, *rest, MODEL.gamma, 2),
    "importance": lambda pi, mu, *rest: traced_targets(LAM * pi / mu, *rest, MODEL.gamma),
}


def expected_targets(method, q, steps):
    """E_μ[G_0 | s_0, a_0] for every pair of a live state: paths of μ, sorted by their first action."""
    v, total, mass = (PI * q).sum(axis=1), {}, {}
    for start in range(3):
        for path in paths(MODEL, MU, steps, start=start):
            n = len(path.actions)
            pi, mu, q_taken = (
                np.array([x[s, a] for s, a in zip(path.states, path.actions, strict=False)]) for x in (PI, MU, q)
            )
            following = [v[s] for s in path.states[1:]] + [Fraction(0)] * (n + 1 - len(path.states))
            ended = np.zeros(n, dtype=bool)
            ended[-1] = path.terminated
            g = TARGETS[method](pi, mu, path.rewards, q_taken, following, ended, None)[0]
            pair = start, path.actions[0]
            total[pair] = total.get(pair, 0) + path.probability * g
            mass[pair] = mass.get(pair, 0) + path.probability
    return {pair: x / mass[pair] for pair, x in total.items()}


@pytest.mark.parametrize("method", TARGETS)
def test_the_value_of_the_target_policy_is_a_fixed_point_under_any_behaviour(method):
    q = action_value(MODEL, PI)
    found = expected_targets(method, q, 3)
    assert len(found) == 6
    assert all(found[pair] == q[pair] for pair in found)


@pytest.mark.parametrize("method", ["retrace", "tree_backup", "tree_backup_2", "importance"])
def test_away_from_it_they_contract(method):
    """Munos et al., Theorem 1: by γ, for every π and μ. (Truncated at 2 steps: a mixture of the same operators.)"""
    q, wrong = action_value(MODEL, PI), np.array([[Fraction(5), Fraction(-3)]] * 3 + [[Fraction(0)] * 2])
    found = expected_targets(method, wrong, 2)
    far = max(abs(wrong[pair] - q[pair]) for pair in found)
    near = max(abs(found[pair] - q[pair]) for pair in found)
    assert 0 < near <= MODEL.gamma * far


def batch(seed, steps=8, actions=3):
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        return np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, np.prod(shape))]).reshape(shape)

    weights = np.array([Fraction(int(x)) for x in rng.integers(1, 6, (steps + 1) * actions)]).reshape(-1, actions)
    pi, q = weights / weights.sum(axis=1, keepdims=True), numbers(steps + 1, actions)
    taken = rng.integers(0, actions, steps)
    ended, cut = rng.random(steps) < 0.2, rng.random(steps) < 0.2
    return numbers(steps), q, pi, taken, ended, cut


def tree(r, q, pi, taken, ended, cut, gamma, t, n):
    """S&B (7.16) as it is drawn: branches not taken are backed up from Q, the one taken goes on."""
    if ended[t]:
        return r[t]
    last = n == 1 or cut[t] or t == len(r) - 1
    leaves = sum(
        pi[t + 1, a]
        * (q[t + 1, a] if last or a != taken[t + 1] else tree(r, q, pi, taken, ended, cut, gamma, t + 1, n - 1))
        for a in range(q.shape[1])
    )
    return r[t] + gamma * leaves


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n", [1, 2, 4, 20])
def test_tree_backup_is_the_tree(seed, n):
    r, q, pi, taken, ended, cut = batch(seed)
    steps = np.arange(len(r))
    v = expected_values(q, pi)
    given = pi[steps, taken], r, q[steps, taken], v[1:], ended, cut, GAMMA
    found = n_step_tree_backup_targets(*given, n)
    assert list(found) == [tree(r, q, pi, taken, ended, cut, GAMMA, t, n) for t in steps]
    if n == 1:
        assert (found == expected_sarsa_targets(r, q[1:], pi[1:], ended, GAMMA)).all()
    if n == 20:
        assert (found == tree_backup_targets(*given)).all()


@pytest.mark.parametrize("seed", range(3))
def test_retrace_and_tree_backup_by_definition_with_the_trace_one_step_ahead(seed):
    r, q, pi, taken, ended, cut = batch(seed)
    steps = np.arange(len(r))
    p, q_taken, v = pi[steps, taken], q[steps, taken], expected_values(q, pi)
    mu = np.array([Fraction(int(x), 9) for x in np.random.default_rng(seed).integers(1, 10, len(r))])
    given = r, q_taken, v[1:], ended, cut, GAMMA
    for found, traces in [
        (retrace_targets(p / mu, *given, LAM), [LAM * min(1, x) for x in p / mu]),
        (tree_backup_targets(p, *given, LAM), [LAM * x for x in p]),
    ]:
        expected = []
        for t in steps:
            total, weight = q_taken[t], Fraction(1)
            for k in range(t, len(r)):
                total += weight * (r[k] + (0 if ended[k] else GAMMA * v[k + 1]) - q_taken[k])
                if ended[k] or cut[k] or k + 1 == len(r):
                    break
                weight *= GAMMA * traces[k + 1]
            expected.append(total)
        assert list(found) == expected


def test_reductions():
    r, q, pi, taken, ended, cut = batch(5)
    steps = np.arange(len(r))
    q_taken, v = q[steps, taken], expected_values(q, pi)[1:]
    ones = np.array([Fraction(1)] * len(r))
    rest = r, q_taken, v, ended, cut, GAMMA
    assert (retrace_targets(ones, *rest, LAM) == q_lambda_targets(*rest, LAM)).all()
    assert (retrace_targets(5 * ones, *rest, LAM) == q_lambda_targets(*rest, LAM)).all()
    one_step = expected_sarsa_targets(r, q[1:], pi[1:], ended, GAMMA)
    assert (retrace_targets(ones, *rest, 0) == one_step).all()
    assert (retrace_targets(0 * ones, *rest, 1) == one_step).all()


def test_a_policy_that_never_varies_gives_returns():
    """π deterministic and followed: V(s) = Q(s, a), every trace with λ = 1 is 1, and the target is the return."""
    r, q, _, taken, ended, cut = batch(6)
    steps = np.arange(len(r))
    q_taken = q[steps, taken]
    following = np.append(q_taken[1:], Fraction(3))
    rest = np.array([Fraction(1)] * len(r)), r, q_taken, following, ended, cut, GAMMA
    whole = n_step_returns(r, following, ended, cut, GAMMA, len(r))
    assert (retrace_targets(*rest, 1) == whole).all()
    assert (tree_backup_targets(*rest) == whole).all()


def test_watkins_stops_at_the_first_exploration():
    r, q, _, taken, ended, cut = batch(2)
    steps = np.arange(len(r))
    q_taken, top = q[steps, taken], q[1:].max(axis=1)
    rest = r, q_taken, top, ended, cut, GAMMA
    never, always = np.zeros(len(r), dtype=bool), np.ones(len(r), dtype=bool)
    assert (watkins_q_lambda_targets(never, *rest, LAM) == q_learning_targets(r, q[1:], ended, GAMMA)).all()
    assert (watkins_q_lambda_targets(always, *rest, LAM) == q_lambda_targets(*rest, LAM)).all()
    some = steps != 4
    found = watkins_q_lambda_targets(some, *rest, LAM)
    assert (found[4:] == q_lambda_targets(*(x[4:] for x in rest[:-1]), GAMMA, LAM)).all()
    ended_there = [x[:4] for x in rest[:-1]]
    assert (found[:4] == q_lambda_targets(*ended_there, GAMMA, LAM)).all()


def test_extremes_and_refusals():
    ratios = importance_ratios([700.0, -700.0, -1e4], [0.0, 0.0, -1e4])
    assert list(retrace_coefficients(ratios, 0.5)) == [0.5, 0.5 * np.exp(-700.0), 0.5]
    good = [[1.0, 1.0]] * 4
    with pytest.raises(InvalidBatch, match=r"ratios\[0\] = -1"):
        retrace_targets([-1.0, 1.0], *good[1:], None, None, 0.5, 0.5)
    with pytest.raises(InvalidBatch, match="lam = 2"):
        retrace_targets(*good, None, None, 0.5, 2)
    with pytest.raises(InvalidBatch, match=r"probs\[0\] = 2"):
        tree_backup_targets([2.0, 1.0], *good[1:], None, None, 0.5)
    with pytest.raises(InvalidBatch, match="n = 0"):
        n_step_tree_backup_targets(*good, None, None, 0.5, 0)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        traced_targets([[1.0], [1.0]], *good[1:], None, None, 0.5)
    with pytest.raises(InvalidBatch, match="greedy has dtype"):
        watkins_q_lambda_targets([1, 0], *good[1:], None, None, 0.5, 0.5)
    with pytest.raises(InvalidBatch, match="sum to 1"):
        expected_values([[1.0, 2.0]], [[0.5, 0.6]])
