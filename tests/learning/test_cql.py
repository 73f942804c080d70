"""Tabular CQL(H) against its stationarity in fractions of a softmax, a general minimiser, and limits of the penalty."""

import numpy as np
import pytest
from scipy.optimize import minimize

from rlexact.exact.bellman import backup
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cql import cql_h_loss, cql_loss
from rlexact.formulas.cql_bound import cql_minimiser
from rlexact.learning.cql import ConservativeQ, cql, cql_h_minimiser, cql_optimum
from rlexact.learning.dataset import collect, recorded, restricted, unlimited
from rlexact.learning.replay import Transition
from rlexact.mdp import MDP
from rlexact.policy import uniform
from tests.learning.laws import HALF, QUARTER, assert_lands, small

BETA = np.array([[HALF, HALF], [QUARTER, 3 * QUARTER], [1, 0]], dtype=object)
FLAT = np.array([[0.5, 0.5], [0.25, 0.75], [0.0, 0.0]])
ONLY = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])


def softmax(x):
    w = np.exp(x - x.max(axis=-1, keepdims=True))
    return w / w.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 50.0, 1e4])
@pytest.mark.parametrize("temperature", [0.05, 1.0, 20.0])
def test_the_minimiser_is_the_closed_form_with_its_own_softmax(penalty, temperature):
    rng = np.random.default_rng(0)
    y, beta = 5 * rng.normal(size=(6, 4)), rng.dirichlet(np.ones(4), 6)
    q = cql_h_minimiser(y, beta, penalty, temperature)
    mu = softmax(q / temperature)
    # the slope of the loss; rounding of q of size |q| + c, through a softmax of slope 1/T
    error = 1e-14 * (1 + np.abs(q) + penalty) * (1 + penalty / temperature)
    assert (np.abs(penalty * (mu - beta) + beta * (q - y)) < error).all()
    assert np.allclose((beta * q).sum(axis=1), (beta * y).sum(axis=1), atol=1e-10 * (1 + penalty))
    assert np.allclose(q, cql_minimiser(y, mu, beta, penalty), atol=(error / beta).max())


def test_the_minimiser_is_what_a_general_one_finds():
    y, beta, c, t = np.array([1.0, -2.0, 0.5]), np.array([0.2, 0.5, 0.3]), 1.5, 0.7

    def loss(q):
        rows = np.tile(q, (3, 1))
        return beta @ cql_loss(rows, np.arange(3), y, c, t)

    found = minimize(loss, y, tol=1e-12)
    assert np.allclose(cql_h_minimiser(y[None], beta[None], c, t)[0], found.x, atol=1e-5)  # finite differences


def test_two_actions_by_hand():
    """Even data, T = 1: Q = y - c (2 μ - 1), so that the gap g solves g = Δy - 2 c tanh(g / 2)."""
    q = cql_h_minimiser([[3.0, 0.0]], [[0.5, 0.5]], 2.0)[0]
    g = q[0] - q[1]
    assert np.isclose(g, 3 - 4 * np.tanh(g / 2), atol=1e-14)
    assert np.isclose(q.sum(), 3, atol=1e-14)
    assert cql_h_minimiser([[3.0, 7.0]], [[1.0, 0.0]], 2.0).tolist() == [[3, 0]]
    assert cql_h_minimiser([[3.0, 7.0]], [[0.5, 0.5]], 0.0).tolist() == [[3, 7]]


@pytest.mark.parametrize("convert", [MDP.to_rational, MDP.to_float, MDP.to_sparse])
def test_full_batches_end_where_the_loss_has_no_slope(convert):
    model = convert(small())
    got = cql(unlimited(model, BETA if model.world == "rational" else BETA.astype(float)), 600, 1.5, temperature=2.0)
    y = backup(small().to_float(), got.q.max(axis=1))
    slope = 1.5 * (softmax(got.q / 2) - FLAT) + FLAT * (got.q - y)
    assert np.abs(slope[:2]).max() < 1e-10  # a contraction by 0.95 a step and a few roundings
    assert got.fixed_point.errors[-1] < 1e-10 < 1 < got.fixed_point.errors[0]
    assert np.allclose(got.q, cql_optimum(model, model.admit(BETA if model.world == "rational" else FLAT), 1.5, 2.0))


def test_the_tolerance_is_a_distance():
    exact = cql_optimum(small(), BETA, 1.5)
    for tol in (1.0, 1e-2, 1e-6):
        assert 0 < np.abs(cql_optimum(small(), BETA, 1.5, tol=tol) - exact).max() <= tol


def test_no_penalty_is_the_optimum_and_a_large_one_is_the_data():
    """c → ∞ forces softmax(Q / T) = β̂, with the mean of Q still that of its targets."""
    model = small()
    assert np.allclose(cql_optimum(model, BETA, 0), policy_iteration(model).q.astype(float), atol=1e-12)
    q = cql_optimum(model, BETA, 1e7)
    assert np.allclose(softmax(q[:2]), FLAT[:2], atol=1e-6)
    target = backup(model.to_float(), q.max(axis=1))
    assert np.allclose((FLAT * (q - target)).sum(axis=1), 0, atol=1e-6)


def test_outside_the_data_values_fall_and_the_rest_settles():
    """One action seen in each state: its Q is its target, as far as the other's softmax has vanished."""
    data = unlimited(small().to_float(), ONLY)
    short, long = (cql(data, n, 1.0, checkpoints=1) for n in (1000, 4000))
    inside = policy_iteration(restricted(small(), ONLY > 0))
    assert np.allclose(long.fixed_point.truth[ONLY > 0], inside.q.astype(float)[ONLY > 0], atol=1e-12)
    fallen = [(x.q[0, 1], x.q[1, 0]) for x in (short, long)]
    # dQ/dk = -α c μ with μ ~ e^Q: four times the updates, log 4 further down, a quarter of the distance
    assert np.allclose(np.subtract(*fallen), np.log(4), atol=0.05)
    assert np.isclose(short.fixed_point.errors[-1] / long.fixed_point.errors[-1], 4, rtol=0.05)
    assert (long.policy[:2] == ONLY[:2]).all()
    assert np.isclose(long.in_support.errors[-1], 0, atol=1e-12)
    assert long.error > 1


def test_an_unseen_action_counts_for_no_maximum():
    """The first action for ever: V(0) = -1/2 + (V(0) + V(1)) / 4, V(1) = 1/2 + V(0) / 2, below the 0 of what is unseen."""
    q = cql_optimum(small().to_float(), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]), 1.0)
    assert np.allclose(q, [[-0.6, 0], [0.2, 0], [0, 0]], atol=1e-12)


def test_a_counted_set_of_data():
    data = collect(small(), BETA, 400, 0)
    got = cql(data, 1500, 0.5)
    beta = data.behaviour[:2]
    y = backup(data.model, got.q.max(axis=1))[:2]
    assert np.allclose(0.5 * (softmax(got.q[:2]) - beta) + beta * (got.q[:2] - y), 0, atol=1e-10)
    assert got.tables == {}


def test_an_action_that_cannot_be_taken_is_in_no_softmax():
    model = MDP.from_outcomes(
        {(0, 0): [(1, None, 1, True)], (0, 1): [(1, None, 3, True)], (1, 0): [(1, 0, 0, False)]}, HALF, 0
    )
    data = unlimited(model, np.array([[HALF, HALF], [1, 0]], dtype=object))
    got = cql(data, 500, 1.0)
    assert np.isclose(got.q[1, 0], got.q[0].max() / 2, atol=1e-12)
    assert got.q[1, 1] == 0
    assert np.isclose(got.q[0].sum(), 4, atol=1e-12)


def test_a_sampled_update_has_the_exact_law():
    """One row at a time, every action of its state moves."""
    c, t, alpha, data = 1.5, 0.5, 0.75, unlimited(small(), BETA)
    q0, law = np.array([[1.0, 0.5], [0.0, 2.0], [0.0, 0.0]]), {}
    for s in range(2):
        for a in range(2):
            for p, f, r, _ in small().outcomes(s, a):
                y, q = float(r) + 0.5 * (0 if f is None else q0[f].max()), q0.copy()
                slope = c * (softmax(q0[s] / t) - np.eye(2)[a])
                slope[a] += q0[s, a] - y
                q[s] -= alpha / (1 + c / (2 * t)) * slope
                key = tuple(q[:2].ravel())
                law[key] = law.get(key, 0) + float(p * BETA[s, a]) / 2
    samples, draw = [], data.batches(1, 0)
    for _ in range(400):
        kept = ConservativeQ(data, c, t)
        kept.q[:] = q0
        kept.regress(draw(), alpha)
        samples.append(kept.q[:2].ravel())
    assert_lands(samples, law)


def test_steps_of_one_go_down_the_loss():
    """At the largest curvature, 1/2 of c/T, plain steps of 1 would overshoot."""
    data = recorded(small().to_float(), [Transition(0, a, float(r), -1, True) for a, r in ((0, 3), (1, 0))])
    kept, losses = ConservativeQ(data, 40.0, 1.0), []
    for _ in range(60):
        rows = np.tile(kept.q[0], (2, 1))
        losses.append(cql_loss(rows, [0, 1], [3.0, 0.0], 40.0).mean())
        kept.regress(data.rows, 1)
    assert (np.diff(losses) < 0).all()
    assert cql_h_loss(kept.q[:1], [0])[0] > 0


def test_bad_input_is_refused_by_name():
    data = unlimited(small(), uniform(small()))
    for bad, said in (({"penalty": -1}, "penalty"), ({"penalty": 1, "temperature": 0}, "temperature")):
        with pytest.raises(InvalidBatch, match=said):
            cql(data, 5, **bad)
    with pytest.raises(ValueError, match="gamma = 1"):
        cql(unlimited(small().replace(gamma=1), uniform(small())), 5, 1.0)
    with pytest.raises(ValueError, match="rng"):
        cql(data, 5, 1.0, batch=4)
