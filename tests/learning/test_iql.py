"""Tabular IQL against its exact fixed point, the limits of τ and B, one update by hand and the exact law of a sampled one."""

from fractions import Fraction

import numpy as np
import pytest

from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import expected_return
from rlexact.exact.offline import iql_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.expectile import expectile_of
from rlexact.learning.dataset import collect, recorded, restricted, unlimited
from rlexact.learning.iql import ImplicitQ, iql
from rlexact.learning.replay import Transition
from rlexact.learning.schedule import InvalidSchedule
from rlexact.learning.softmax_actor import SoftmaxActor
from rlexact.mdp import MDP
from tests.learning.laws import HALF, QUARTER, assert_lands, small

BETA = np.array([[HALF, HALF], [QUARTER, 3 * QUARTER], [1, 0]], dtype=object)
NARROW = np.array([[1, 0], [QUARTER, 3 * QUARTER], [1, 0]], dtype=object) * Fraction(1)


def own(model, x):
    return x if model.world == "rational" else x.astype(float)


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse])
@pytest.mark.parametrize("tau", [HALF, Fraction(9, 10)])
def test_full_batches_end_at_the_exact_fixed_point(convert, tau):
    model = convert(small())
    got = iql(unlimited(model, own(model, BETA)), 500, float(tau))
    v = iql_value(small(), BETA, tau)
    # contraction by at least 0.95 a step from numbers below 10, then a few roundings
    assert np.allclose(got.v, v.astype(float), rtol=0, atol=1e-10)
    assert np.allclose(got.q, backup(small(), v).astype(float), rtol=0, atol=1e-10)
    assert got.fixed_point.errors[-1] < 1e-10 < 1 < got.fixed_point.errors[0]


def test_a_counted_set_of_data_ends_at_the_fixed_point_of_its_counts():
    """V is the expectile of Q over the data's own actions, Q the mean of its own rewards and next values."""
    one, tau = Fraction(1), Fraction(4, 5)
    seen = [(0, 0, one, 1), (0, 0, -2 * one, 0), (0, 0, one, 1), (0, 1, 2 * one, 1), (1, 1, 4 * one, -1)]
    data = recorded(small(), [Transition(s, a, r, f, f < 0) for s, a, r, f in seen])
    got = iql(data, 500, float(tau))
    assert np.isclose(got.v[1], 4, atol=1e-10)
    assert np.isclose(got.q[0, 1], 4, atol=1e-10)
    v0 = got.v[0]
    assert np.isclose(got.q[0, 0], (1 + 2 - 2 + v0 / 2 + 1 + 2) / 3, atol=1e-10)
    assert np.isclose(v0, expectile_of([got.q[0, 0]] * 3 + [4.0], float(tau)), atol=1e-10)
    assert (got.q[1, 0], got.v[2]) == (0, 0)


def test_half_is_the_value_of_the_data_and_cloning_its_policy():
    got = iql(unlimited(small(), BETA), 500, 0.5, 0)
    assert np.allclose(got.policy[:2], BETA[:2].astype(float), atol=1e-15)
    assert np.isclose(got.error, float(got.curve.truth - expected_return(small(), BETA)), atol=1e-12)


@pytest.mark.parametrize("beta", [BETA, NARROW])
def test_tau_near_one_is_the_optimum_in_support(beta):
    model, data = small(), unlimited(small(), beta)
    best, gaps = policy_iteration(restricted(model, beta != 0)), []
    for tau in (0.9, 0.99, 0.999):
        got = iql(data, 3, tau, 1000, max_weight=None, checkpoints=1)
        gaps.append(float((best.v - iql_value(data.model, beta, Fraction(tau))).max()))
        assert got.fixed_point.errors[0] > 0
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2] > 0  # the gap is of order 1 - τ
    got = iql(data, 3000, 0.99, 1000, max_weight=None)
    assert got.policy[:2].round(9).tolist() == best.policy[:2].tolist()
    assert np.isclose(got.in_support.errors[-1], 0, atol=1e-12)
    out = float(policy_iteration(model).v @ model.initial - best.v @ model.initial)
    assert np.isclose(got.error, out, atol=1e-12)
    assert (out > 0) == (beta is NARROW)
    assert np.allclose(got.curve.errors - got.in_support.errors, out, atol=1e-12)


def test_the_policy_by_gradient_rests_at_the_closed_form():
    data = unlimited(small(), BETA)
    closed = iql(data, 400, 0.7, 0.5, max_weight=None)
    climbed = iql(data, 1000, 0.7, 0.5, max_weight=None, policy_alpha=0.5)
    w = BETA[:2].astype(float) * np.exp(0.5 * (closed.q - closed.v[:, None]))[:2]
    assert np.allclose(closed.policy[:2], w / w.sum(axis=1, keepdims=True), atol=1e-12)
    assert np.allclose(climbed.policy, closed.policy, atol=1e-9)
    clipped = iql(data, 400, 0.7, 50, max_weight=1.0)
    full = np.minimum(np.exp(50 * (clipped.q - clipped.v[:, None])), 1)[:2] * BETA[:2].astype(float)
    assert np.allclose(clipped.policy[:2], full / full.sum(axis=1, keepdims=True), atol=1e-12)


def test_one_update_by_hand():
    data = unlimited(small(), BETA)
    kept, actor = ImplicitQ(data, 0.75, 1, None), SoftmaxActor(small())
    kept.q[:] = [[2, -2], [0, 4], [0, 0]]
    kept.evaluate(data.rows, 0.5)
    # ½ Σ β |τ - 1{Q < V}| (Q - V): ½ (¾ 2 - ¼ 2)/2, ½ ¾ (¾ 4)
    assert kept.v.tolist() == [0.25, 1.125, 0]
    target = np.array([[-0.5 + (1.125 + 0.25) / 4, 3.75 + 3 * 1.125 / 8], [0.5 + 0.125, 2 + 0.25 / 4]])
    assert np.allclose(kept.q[:2], (np.array([[2, -2], [0, 4]]) + target) / 2, atol=1e-15)
    w = np.exp(kept.q - kept.v[:, None])[:2] * BETA[:2].astype(float)
    kept.imitate(actor, data.rows, 2)
    assert np.allclose(actor.theta[:2], 2 * (w - w.sum(axis=1, keepdims=True) / 2), atol=1e-14)


def test_a_sampled_update_has_the_exact_law():
    """One row at a time: V(s) += α |τ - 1{Q < V}| (Q - V), then Q(s, a) += α (r + γ V(s') - Q)."""
    tau, alpha, data = 0.75, 0.5, unlimited(small(), BETA)
    q0 = np.array([[2.0, -2.0], [0.0, 4.0], [0.0, 0.0]])
    law = {}
    for s in range(2):
        for a in range(2):
            for p, f, r, _ in small().outcomes(s, a):
                v, q = np.zeros(3), q0.copy()
                v[s] = alpha * (tau if q0[s, a] > 0 else 1 - tau) * q0[s, a]
                q[s, a] += alpha * (float(r) + 0.5 * (0 if f is None else v[f]) - q0[s, a])
                key = (*v[:2], *q[:2].ravel())
                law[key] = law.get(key, 0) + float(p * BETA[s, a]) / 2
    samples, draw = [], data.batches(1, 0)
    for _ in range(400):
        kept = ImplicitQ(data, tau, 1, None)
        kept.q[:] = q0
        kept.evaluate(draw(), alpha)
        samples.append((*kept.v[:2], *kept.q[:2].ravel()))
    assert_lands(samples, law)


def test_minibatches_of_a_deterministic_set_end_where_full_batches_do():
    """No two rows of a pair differ and τ = 1/2 of one action: no noise is left at the fixed point."""
    data = recorded(small().to_float(), [Transition(0, 0, 1.0, 1, False), Transition(1, 1, 2.0, 0, False)])
    got = iql(data, 600, 0.5, batch=2, rng=0, checkpoints=[0, 300])
    # Q = 1 + ½ Q', Q' = 2 + ½ Q
    assert np.allclose([got.q[0, 0], got.q[1, 1]], [8 / 3, 10 / 3], atol=1e-9)
    assert got.curve.steps.tolist() == [0, 300, 600]
    assert got.fixed_point.unit == "updates"


def test_a_seed_repeats_itself():
    data = collect(small(), BETA, 300, 0)
    one, two = (iql(data, 200, 0.7, batch=8, rng=5, alpha=0.1, checkpoints=1) for _ in range(2))
    assert (one.q == two.q).all()


def test_bad_input_is_refused_by_name():
    data = unlimited(small(), BETA)
    for tau in (0, 1):
        with pytest.raises(ValueError, match="expectile"):
            iql(data, 5, tau)
    for bad in ({"inverse_temperature": -1}, {"max_weight": 0}):
        with pytest.raises(InvalidBatch, match=next(iter(bad))):
            iql(data, 5, 0.7, **bad)
    with pytest.raises(InvalidSchedule, match="alpha"):
        iql(data, 5, 0.7, alpha=2)
    with pytest.raises(ValueError, match="updates"):
        iql(data, 0, 0.7)
