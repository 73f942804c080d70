"""Offline fixed points against their own losses, all patterns by brute force, and published limits."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from rlexact.door import InvalidPolicy
from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.exact.offline import cql_action_value, iql_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP
from rlexact.policy import uniform

F = Fraction
BETA = np.array([[F(1, 4), F(3, 4)], [F(1, 2), F(1, 2)], [F(1, 3), F(2, 3)], [0, 0]])
PI = np.array([[F(1, 2), F(1, 2)], [F(1), F(0)], [F(1, 5), F(4, 5)], [0, 0]])
WORLDS = [lambda m: m, lambda m: m.to_float(), lambda m: m.to_sparse(), lambda m: m.to_symbolic()]


def model():
    P = [
        [["1/2", "1/2", 0, 0], [0, "1/3", "2/3", 0]],
        [[0, 0, 1, 0], ["1/4", 0, "1/4", "1/2"]],
        [["3/4", 0, "1/4", 0], [0, 0, 0, 1]],
        [[0] * 4] * 2,
    ]
    return MDP(P, R=[["1", "-2"], ["5", "1/2"], ["-1", "4"], [0, 0]], gamma="9/10", terminal=[3])


def own(mdp, x):
    return x.astype(float) if "float" in mdp.world else x


@pytest.mark.parametrize("tau", [F(1, 10), F(1, 2), F(7, 10), F(9, 10)])
def test_iql_balances_its_asymmetric_squares(tau):
    v = iql_value(model(), BETA, tau)
    q = backup(model(), v)
    for s in range(3):
        assert sum(BETA[s, a] * (tau if q[s, a] > v[s] else 1 - tau) * (q[s, a] - v[s]) for a in range(2)) == 0


@pytest.mark.parametrize(("tau", "pick"), [(F(4, 5), max), (F(1, 5), min)])
def test_iql_is_the_best_or_the_worst_of_all_patterns(tau, pick):
    values = []
    for pattern in product([tau, 1 - tau], repeat=6):
        w = BETA[:3] * np.array(pattern).reshape(3, 2)
        policy = np.vstack([w / w.sum(axis=1, keepdims=True), [[F(0), F(0)]]])
        values.append(policy_value(model(), policy))
    assert list(iql_value(model(), BETA, tau)) == [pick(column) for column in zip(*values, strict=True)]


def test_iql_limits():
    mdp = model()
    assert list(iql_value(mdp, BETA, F(1, 2))) == list(policy_value(mdp, BETA))
    gap = max(policy_iteration(mdp).v - iql_value(mdp, BETA, 1 - F(1, 10**9)))
    assert 0 < gap < F(1, 10**6)
    only = np.array([[1, 0], [1, 0], [1, 0], [0, 0]]) * F(1)
    assert list(iql_value(mdp, only, F(9, 10))) == list(policy_value(mdp, only))  # nothing outside the data


def test_cql_minimises_its_loss():
    """½ β (Q - T)² + α (π - β) Q at T = r + γ P Σ π Q: the slope is 0 at every pair."""
    mdp, alpha = model(), F(1, 3)
    q = cql_action_value(mdp, PI, BETA, alpha)
    target = backup(mdp, (PI * q).sum(axis=1))
    assert not (BETA * (q - target) + alpha * (PI - BETA)).any()


def test_cql_is_a_lower_bound_and_exact_on_the_data():
    mdp = model()
    low = (PI * cql_action_value(mdp, PI, BETA, F(1, 3))).sum(axis=1)
    assert (low[:3] < policy_value(mdp, PI)[:3]).all()
    assert (cql_action_value(mdp, BETA, BETA, F(1, 3)) == action_value(mdp, BETA)).all()
    assert (cql_action_value(mdp, PI, BETA, 0) == action_value(mdp, PI)).all()


@pytest.mark.parametrize("world", WORLDS)
def test_worlds_agree(world):
    mdp = world(model())
    v = iql_value(mdp, own(mdp, BETA), 0.75 if "float" in mdp.world else F(3, 4))
    q = cql_action_value(mdp, own(mdp, PI), own(mdp, BETA), 0.5 if "float" in mdp.world else F(1, 2))
    want_v, want_q = iql_value(model(), BETA, F(3, 4)), cql_action_value(model(), PI, BETA, F(1, 2))
    # two digits over the roundings of solves of four states
    np.testing.assert_allclose(v.astype(float), want_v.astype(float), rtol=1e-13)
    np.testing.assert_allclose(q.astype(float), want_q.astype(float), rtol=1e-13)


def test_bad_input_is_refused_by_name():
    mdp = model()
    for tau in (0, 1, -1, 2):
        with pytest.raises(ValueError, match="expectile"):
            iql_value(mdp, BETA, tau)
    with pytest.raises(InvalidPolicy, match=r"behaviour\[1, 1\] = 0"):
        cql_action_value(mdp, uniform(mdp), PI, F(1, 2))
    with pytest.raises(ValueError, match="alpha"):
        cql_action_value(mdp, PI, BETA, -1)
