"""Second route: Espeholt et al.'s theorem by enumeration of paths under the behaviour, and returns without ratios."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.bellman import bellman_policy
from rlexact.exact.evaluation import policy_value
from rlexact.exact.paths import expect
from rlexact.exact.return_estimators import lambda_return
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.returns import lambda_returns, n_step_returns
from rlexact.formulas.vtrace import truncated_ratios, vtrace_advantages, vtrace_policy, vtrace_targets
from rlexact.gallery import random_mdp

MODEL = random_mdp(4, 4, 2, terminal=1)
PI = np.array([[Fraction(3, 4), Fraction(1, 4)], [Fraction(0), Fraction(1)], [Fraction(2, 5), Fraction(3, 5)], [1, 0]])
MU = np.array([[Fraction(1, 3), Fraction(2, 3)], [Fraction(1, 2)] * 2, [Fraction(4, 5), Fraction(1, 5)], [1, 0]])
ANY_V = np.array([Fraction(3), Fraction(-2), Fraction(1, 2), Fraction(0)])


def arrays(path, v):
    """ratios, rewards, values, next_values, terminated of a path: what a batch would hold."""
    steps = len(path.actions)
    rho = [PI[s, a] / MU[s, a] for s, a in zip(path.states, path.actions, strict=False)]
    following = [v[s] for s in path.states[1:]] + [Fraction(0)] * (steps + 1 - len(path.states))
    ended = np.zeros(steps, dtype=bool)
    ended[-1] = path.terminated
    return rho, path.rewards, [v[s] for s in path.states[:steps]], following, ended


def expected_target(v, start, steps, **bounds):
    return expect(
        MODEL, MU, steps, lambda path: vtrace_targets(*arrays(path, v), None, MODEL.gamma, **bounds)[0], start=start
    )


@pytest.mark.parametrize("c_bar", [Fraction(1, 2), 1, None])
@pytest.mark.parametrize("rho_bar", [Fraction(3, 5), Fraction(1), Fraction(5, 4)])
def test_the_fixed_point_is_the_value_of_the_truncated_policy(rho_bar, c_bar):
    """E_μ[v_s] = V(s) at V = V^{π_ρ̄}, whatever c̄ and λ; and not at V^π, nor anywhere else."""
    bounds = {"rho_bar": rho_bar, "c_bar": c_bar, "lam": Fraction(2, 3)}
    v = policy_value(MODEL, vtrace_policy(PI, MU, rho_bar))
    assert [expected_target(v, s, 2, **bounds) for s in range(3)] == list(v[:3])
    wrong = policy_value(MODEL, PI)
    assert any(expected_target(wrong, s, 2, **bounds) != wrong[s] for s in range(3))


def test_without_truncation_it_is_the_n_step_operator_of_the_target_policy():
    v = ANY_V
    for steps in (1, 2, 3):
        v = bellman_policy(MODEL, PI, v)
        found = [expected_target(ANY_V, s, steps, rho_bar=None, c_bar=None) for s in range(3)]
        assert found == list(v[:3])


def test_the_operator_contracts():
    """Distances to V^{π_ρ̄} shrink, by at least γ in one step for ρ̄ large enough never to act (Espeholt et al., Theorem 1)."""
    v = policy_value(MODEL, PI)
    far = max(abs(ANY_V - v))
    for steps in (1, 2):
        near = max(abs(expected_target(ANY_V, s, steps, rho_bar=None, c_bar=1) - v[s]) for s in range(3))
        assert near <= MODEL.gamma * far


@pytest.mark.parametrize("lam", [0, Fraction(2, 3), 1])
def test_on_policy_it_is_the_lambda_return(lam):
    rng = np.random.default_rng(3)
    r, v = (np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, 8)]) for _ in range(2))
    following, ended, cut = np.append(v[1:], v[:1]), rng.random(8) < 0.2, rng.random(8) < 0.2
    one = np.array([Fraction(1)] * 8)
    found = vtrace_targets(one, r, v, following, ended, cut, Fraction(9, 10), lam=lam)
    assert (found == lambda_returns(r, following, ended, cut, Fraction(9, 10), lam)).all()
    if lam == 1:
        assert (found == n_step_returns(r, following, ended, cut, Fraction(9, 10), 8)).all()
        advantages = vtrace_advantages(one, r, v, following, ended, cut, Fraction(9, 10))
        assert (advantages == found - v).all()


def test_on_policy_on_paths_it_is_the_exact_room_s_estimator():
    estimator = lambda_return(MODEL, ANY_V, Fraction(1, 3))

    def gap(path):
        _, *rest = arrays(path, ANY_V)
        found = vtrace_targets(Fraction(1), *rest, None, MODEL.gamma, lam=Fraction(1, 3))
        return sum((x - estimator(path, t)) ** 2 for t, x in enumerate(found))

    assert expect(MODEL, MU, 3, gap, start=0) == 0


def by_definition(ratios, r, v, following, ended, cut, gamma, rho_bar, c_bar, lam, t):
    """V + Σ_k γ^k (Π c_i) δ_{t+k}, the sum written out (Espeholt et al., (1))."""
    total, weight = v[t], Fraction(1)
    for k in range(t, len(r)):
        bootstrap = 0 if ended[k] else gamma * following[k]
        total += weight * min(rho_bar, ratios[k]) * (r[k] + bootstrap - v[k])
        if ended[k] or cut[k]:
            break
        weight *= gamma * lam * min(c_bar, ratios[k])
    return total


@pytest.mark.parametrize("seed", range(4))
def test_recursion_is_the_definition_and_the_advantage_looks_one_step_ahead(seed):
    rng = np.random.default_rng(seed)
    r, v, w = (np.array([Fraction(int(x), 7) for x in rng.integers(-20, 20, 9)]) for _ in range(3))
    ended, cut = rng.random(9) < 0.2, rng.random(9) < 0.2
    following = np.where(ended | cut, w, np.append(v[1:], w[-1:]))
    ratios = np.array([Fraction(int(x), 4) for x in rng.integers(0, 12, 9)])
    gamma, bounds = Fraction(9, 10), (Fraction(3, 2), Fraction(1), Fraction(2, 3))
    found = vtrace_targets(
        ratios, r, v, following, ended, cut, gamma, rho_bar=bounds[0], c_bar=bounds[1], lam=bounds[2]
    )
    assert list(found) == [by_definition(ratios, r, v, following, ended, cut, gamma, *bounds, t) for t in range(9)]
    target = [
        0 if ended[t] else following[t] if cut[t] or t == 8 else found[t + 1] for t in range(9)
    ]  # what follows s_t, as v
    expected = [min(bounds[0], ratios[t]) * (r[t] + gamma * target[t] - v[t]) for t in range(9)]
    advantages = vtrace_advantages(
        ratios, r, v, following, ended, cut, gamma, rho_bar=bounds[0], c_bar=bounds[1], lam=bounds[2]
    )
    assert list(advantages) == expected


def test_the_policy_lies_between_behaviour_and_target():
    assert (vtrace_policy(PI, MU, 100) == PI).all()
    assert (vtrace_policy(PI[[0, 2]], MU[[0, 2]], Fraction(1, 100)) == MU[[0, 2]]).all()
    with pytest.raises(InvalidBatch, match="shares no action"):
        vtrace_policy([[1.0, 0.0]], [[0.0, 1.0]], 1)


def test_extremes_and_refusals():
    huge = np.exp(np.array([700.0, -700.0]))
    assert list(truncated_ratios(huge, 1)) == [1, np.exp(-700.0)]
    assert list(truncated_ratios(huge, None)) == list(huge)
    good = [[1.0, 1.0]] * 4
    assert np.isfinite(vtrace_targets(huge, *good[1:], None, None, 0.5)).all()
    with pytest.raises(InvalidBatch, match="bound = 0"):
        vtrace_targets(*good, None, None, 0.5, rho_bar=0)
    with pytest.raises(InvalidBatch, match=r"ratios\[0\] = -1"):
        vtrace_targets([-1.0, 1.0], *good[1:], None, None, 0.5)
    with pytest.raises(InvalidBatch, match="lam = 2"):
        vtrace_targets(*good, None, None, 0.5, lam=2)
    with pytest.raises(InvalidBatch, match="shapes differ"):
        vtrace_targets([[1.0], [1.0]], *good[1:], None, None, 0.5)
    narrow = np.ones(3, dtype=np.float32)
    assert vtrace_targets(narrow, narrow, narrow, narrow, None, None, 0.5).dtype == np.float32
    assert vtrace_advantages(narrow, narrow, narrow, narrow, None, None, 0.5).dtype == np.float32
