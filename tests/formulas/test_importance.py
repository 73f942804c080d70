"""Second route: expectations over every path of the behaviour policy, and the exact laws of the exact room."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.importance_sampling import per_decision_estimate, trajectory_estimate, weighted_law
from rlexact.exact.paths import expect, paths
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.importance import (
    cumulative_ratios,
    doubly_robust_returns,
    effective_sample_size,
    importance_ratios,
    importance_sampling_estimate,
    normalised_ratios,
    per_decision_returns,
    weighted_importance_sampling_estimate,
)
from rlexact.formulas.returns import discounted_return
from rlexact.gallery import random_mdp
from rlexact.mdp import MDP

STEPS = 3
MODEL = random_mdp(4, 3, 2)
PI = np.array([[Fraction(3, 4), Fraction(1, 4)], [Fraction(0), Fraction(1)], [Fraction(2, 5), Fraction(3, 5)]])
MU = np.array([[Fraction(1, 3), Fraction(2, 3)], [Fraction(1, 2), Fraction(1, 2)], [Fraction(4, 5), Fraction(1, 5)]])


def along(table, path):
    return [table[s, a] for s, a in zip(path.states, path.actions, strict=False)]


def test_returns_on_every_path_are_the_exact_room_s_estimators():
    whole, decision = trajectory_estimate(MODEL, PI, MU), per_decision_estimate(MODEL, PI, MU)
    for path in paths(MODEL, MU, STEPS):
        rho = along(PI / MU, path)
        assert per_decision_returns(rho, path.rewards, None, None, MODEL.gamma)[0] == decision(path)
        assert cumulative_ratios(rho)[-1] * discounted_return(path.rewards, MODEL.gamma) == whole(path)


def test_doubly_robust_has_the_mean_of_the_target_whatever_the_critic():
    q = np.array([[Fraction(7), Fraction(-2)], [Fraction(1, 3), Fraction(5)], [Fraction(0), Fraction(9)]])
    v = (PI * q).sum(axis=1)

    def estimate(path):
        rho, values = along(PI / MU, path), [v[s] for s in path.states[:STEPS]]
        return doubly_robust_returns(rho, path.rewards, values, along(q, path), None, None, MODEL.gamma)[0]

    truth = expect(MODEL, PI, STEPS, lambda path: discounted_return(path.rewards, MODEL.gamma))
    assert expect(MODEL, MU, STEPS, estimate) == truth


def test_doubly_robust_with_the_true_critic_carries_no_noise_of_the_behaviour():
    """A deterministic two-step episode, critic of the model: every path estimates the value exactly."""
    model = MDP(
        [[[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]],
        [[1, 4], [2, 8], [0, 0]],
        Fraction(1, 2),
        initial=0,
        terminal=[2],
    )
    pi = np.full((3, 2), Fraction(1, 2))
    mu = np.array([[Fraction(1, 4), Fraction(3, 4)]] * 3)
    v, q = policy_value(model, pi), action_value(model, pi)
    for path in paths(model, mu, 5):
        values = [v[s] for s in path.states[:2]]
        found = doubly_robust_returns(
            along(pi / mu, path), path.rewards, values, along(q, path), [False, True], None, model.gamma
        )
        assert list(found) == values


def test_episodes_do_not_mix():
    r, rho = np.array([Fraction(k) for k in (1, 2, 3, 4)]), np.array([Fraction(k, 2) for k in (1, 3, 5, 7)])
    split = [per_decision_returns(rho[i : i + 2], r[i : i + 2], None, None, Fraction(1, 2)) for i in (0, 2)]
    for flags in (([False, True, False, False], None), (None, [False, True, False, False])):
        assert list(per_decision_returns(rho, r, *flags, Fraction(1, 2))) == [*split[0], *split[1]]


def test_weighted_estimate_over_all_pairs_of_paths_has_the_exact_law_s_mean():
    found = list(paths(MODEL, MU, 2, start=0))
    total = Fraction(0)
    for pair in product(found, repeat=2):
        rho = [cumulative_ratios(along(PI / MU, path))[-1] for path in pair]
        g = [discounted_return(path.rewards, MODEL.gamma) for path in pair]
        value = weighted_importance_sampling_estimate(rho, g) if any(rho) else 0
        total += pair[0].probability * pair[1].probability * value
    assert total == weighted_law(MODEL.replace(initial=0), PI, MU, 2, 2).mean


def test_ordinary_estimate_is_unbiased_over_all_samples():
    rho, f, mu = [Fraction(3, 2), Fraction(1, 2)], [Fraction(5), Fraction(-1)], [Fraction(1, 2)] * 2
    total = sum(
        mu[i] * mu[j] * importance_sampling_estimate([rho[i], rho[j]], [f[i], f[j]])
        for i, j in product(range(2), repeat=2)
    )
    assert total == Fraction(3, 4) * 5 + Fraction(1, 4) * -1


def test_effective_sample_size():
    assert effective_sample_size([Fraction(3), Fraction(1)]) == Fraction(16, 10)
    assert effective_sample_size([Fraction(2)] * 5) == 5
    assert effective_sample_size([Fraction(0), Fraction(7), Fraction(0)]) == 1
    large, small = np.exp(np.array([700.0, 700.0, -700.0])), np.exp(np.full(4, -700.0))
    assert effective_sample_size(np.tile(large, 100_000)) == pytest.approx(
        200_000, rel=1e-12
    )  # 3e5 roundings, pairwise
    assert effective_sample_size(small) == 4
    assert list(normalised_ratios(large)) == [0.5, 0.5, 0]
    assert weighted_importance_sampling_estimate(large, [1.0, 3.0, 9.0]) == 2


def test_symbols_pass():
    sympy = pytest.importorskip("sympy")
    a, b = sympy.symbols("a b", positive=True)
    assert sympy.cancel(effective_sample_size([a, b]) - (a + b) ** 2 / (a**2 + b**2)) == 0


def test_refusals():
    with pytest.raises(InvalidBatch, match="ratios"):
        per_decision_returns([-1.0], [1.0], None, None, 0.5)
    with pytest.raises(InvalidBatch, match="every ratio is 0"):
        weighted_importance_sampling_estimate([0.0, 0.0], [1.0, 1.0])
    with pytest.raises(InvalidBatch, match="exceeds the largest float"):
        cumulative_ratios([1e200, 1e200])
    with pytest.raises(InvalidBatch, match="largest float"):
        importance_ratios([0.0], [-1e4])
    with pytest.raises(InvalidBatch, match="gamma = 2"):
        per_decision_returns([1.0], [1.0], None, None, 2)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        importance_sampling_estimate([1.0, 1.0], [[1.0], [1.0]])
