"""RLHF in closed form and by gradient beside DPO on the same pairs: one optimum, its limits, and what pairs leave open."""

from itertools import product

import numpy as np
import pytest

from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.dpo import dpo_loss
from rlexact.formulas.rlhf import regularised_objective
from rlexact.learning.reward_model import expected_preferences, fit_reward, flipped_gap, sample_preferences
from rlexact.learning.rlhf import Responder, ascent, dpo, kl_optimum, kl_regularised_rl, rlhf
from rlexact.learning.schedule import InvalidSchedule
from tests.learning.laws import assert_lands

R = np.array([0.0, 1.0, -0.5, 2.0])
REF = np.array([0.4, 0.3, 0.2, 0.1])
BETA = 0.5
PARTED = np.array([[0, 2, 0, 0], [2, 0, 0, 0], [0, 0, 0, 3], [0, 0, 3, 0]])


def tilted(r, ref=REF, beta=BETA):
    w = ref * np.exp(r / beta)
    return w / w.sum()


def test_the_population_is_aligned_with_the_true_reward():
    got = rlhf(expected_preferences(R), REF, BETA)
    assert np.allclose(got.policy, tilted(R), atol=1e-14)
    assert np.allclose(got.within, got.policy, atol=1e-15)


def test_no_policy_is_better():
    best = regularised_objective(tilted(R), R, REF, BETA)
    for seed in range(50):
        pi = np.random.default_rng(seed).dirichlet(np.ones(4))
        assert regularised_objective(pi, R, REF, BETA) < best


@pytest.mark.parametrize("seed", [None, 0])
def test_three_ways_to_one_policy(seed):
    """Counted or expected pairs: a fit and its optimum in closed form, by gradient, and DPO."""
    N = 40 * (1 - np.eye(4))
    W = expected_preferences(R, N) if seed is None else sample_preferences(R, N, seed)
    closed = rlhf(W, REF, BETA)
    climbed = kl_regularised_rl(closed.fit.rewards, REF, BETA, 1000, alpha=4)
    direct = dpo(W, REF, BETA, 500, alpha=16)
    for got in (climbed, direct):
        # the slowest direction of each shrinks by 0.95 a step or faster
        assert np.allclose(got.policy, closed.policy, atol=1e-9)
        assert np.allclose(got.curve.truth, closed.policy, atol=1e-14)
        first = regularised_objective(closed.policy, closed.fit.rewards, REF, BETA) - REF @ closed.fit.rewards
        assert np.isclose(got.curve.errors[0], first, atol=1e-13)
        assert abs(got.error) < 1e-15
    if seed is not None:
        assert np.abs(closed.policy - tilted(R)).max() > 1e-3


def test_the_errors_of_the_fit_become_those_of_the_policy():
    """log π*(i)/π*(j) moves by (r̂_i - r̂_j)/β: the z-score of each against the fit's own covariance."""
    N = 4000 * (1 - np.eye(4))
    got = rlhf(sample_preferences(R, N, 1), REF, BETA)
    C = fit_reward(expected_preferences(R, N)).covariance
    for i, j in product(range(4), repeat=2):
        if i != j:
            gap = np.log(got.policy[i] / got.policy[j]) - np.log(tilted(R)[i] / tilted(R)[j])
            assert 0 < abs(gap) < 4.5 * np.sqrt(C[i, i] + C[j, j] - 2 * C[i, j]) / BETA


def test_small_and_large_beta():
    r, ref = np.array([1.0, 1.0, 0.0, 5.0]), np.array([0.2, 0.3, 0.5, 0.0])
    assert kl_optimum(r, ref, 0).tolist() == [0.4, 0.6, 0, 0]
    assert np.allclose(kl_optimum(r, ref, np.inf), ref, atol=1e-16)
    for beta in (0.1, 0.05):  # the rest is the odds (1/2)/(1/2) of e^{-1/β}
        assert np.isclose(kl_optimum(r, ref, beta)[2], 1 / (1 + np.exp(1 / beta)), rtol=1e-12)
    for beta in (1e4, 1e6):  # first order: ref (r - E r) / β
        off = kl_optimum(R, REF, beta) - REF
        assert np.allclose(off * beta, REF * (R - REF @ R), atol=10 / beta)
    W = expected_preferences(R)
    assert rlhf(W, REF, 0).policy.tolist() == [0, 0, 0, 1]
    assert rlhf(W, REF, np.inf).policy == pytest.approx(REF, abs=1e-16)


def test_flipped_labels_are_a_larger_beta():
    r, ref = np.array([np.log(3), 0.0]), np.array([0.5, 0.5])
    got = rlhf(expected_preferences(r, None, 0.25), ref, BETA).policy
    assert np.allclose(got, tilted(r, ref, BETA * np.log(3) / np.log(5 / 3)), atol=1e-14)
    assert np.allclose(got, [25 / 34, 9 / 34], atol=1e-14)  # (5/3)²: against 9 for clean labels
    direct = dpo(expected_preferences(r, None, 0.25), ref, BETA, 400, alpha=16)
    assert np.isclose(BETA * np.log(direct.policy[0] / direct.policy[1]), flipped_gap(np.log(3), 0.25), atol=1e-12)


def test_pairs_never_compared_leave_the_shares_of_their_sets_open():
    W = expected_preferences(R, PARTED)
    closed, direct = rlhf(W, REF, BETA), dpo(W, REF, BETA, 1500, alpha=16)
    assert np.allclose(direct.policy, closed.policy, atol=1e-9)
    truth = tilted(R)
    for inside in ([0, 1], [2, 3]):
        assert np.allclose(closed.within[inside], truth[inside] / truth[inside].sum(), atol=1e-13)
    assert abs(closed.policy[:2].sum() - truth[:2].sum()) > 0.1

    def loss(policy):
        i, j = np.nonzero(W)
        log_p, log_ref = np.log(policy), np.log(REF)
        return W[i, j] @ dpo_loss(log_p[i], log_p[j], log_ref[i], log_ref[j], BETA)

    for share in (0.001, 0.5, 0.999):  # any shares of the two sets are as likely
        other = closed.within * np.array([share, share, 1 - share, 1 - share])
        assert np.isclose(loss(other), loss(closed.policy), rtol=1e-13)
    assert loss(REF) > loss(closed.policy) + 0.1
    low = rlhf(W, REF, 1e-3)
    assert np.allclose(low.within, [0, 1, 0, 1], atol=1e-15)
    assert np.allclose(low.within[:2].sum(), 1)


def test_a_reference_that_gives_no_mass():
    got = rlhf(expected_preferences(R, PARTED), [0.5, 0.5, 0.0, 0.0], BETA)
    assert got.policy[2:].tolist() == [0, 0]
    assert np.allclose(got.within, [*got.policy[:2], 0, 0])


def test_the_exact_slope_is_the_derivative_of_the_objective():
    kept = Responder(REF, BETA)
    kept.theta += [0.3, -0.2, 0.0, 0.5]

    def objective(theta):
        p = np.exp(theta) / np.exp(theta).sum()
        return p @ R - BETA * p @ (np.log(p) - np.log(REF))

    slopes = [objective(kept.theta + 1e-30j * e).imag / 1e-30 for e in np.eye(4)]
    assert np.allclose(ascent(kept, R, None, None)(), slopes, atol=1e-14)


def test_a_sampled_slope_has_the_exact_law():
    """Two answers: Â = ±(r_1 - r_2), r the shaped rewards, and the mean over the law is the exact slope."""
    r, kept = R[:3], Responder([0.5, 0.3, 0.2], BETA)
    kept.theta += [0.3, -0.2, 0.0]
    pi, law = kept.policy, {}
    shaped = r - BETA * np.log(pi / kept.reference)
    for one, two in product(range(3), repeat=2):
        slope = (shaped[one] - shaped[two]) * (np.eye(3)[one] - np.eye(3)[two]) / 2
        law[tuple(slope)] = law.get(tuple(slope), 0) + pi[one] * pi[two]
    merged = {}
    for x, p in law.items():  # (i, j) and (j, i) differ by rounding at most
        key = next((y for y in merged if np.allclose(x, y, atol=1e-13)), x)
        merged[key] = merged.get(key, 0) + p
    assert np.allclose(sum(p * np.array(x) for x, p in merged.items()), ascent(kept, r, None, None)(), atol=1e-14)
    estimate = ascent(kept, r, 2, 0)
    assert_lands([estimate() for _ in range(1500)], merged)


def test_sampled_runs_repeat_and_improve():
    one, two = (kl_regularised_rl(R, REF, BETA, 400, alpha=0.2, samples=8, rng=3) for _ in range(2))
    assert (one.policy == two.policy).all()
    assert one.error < one.curve.errors[0] / 5
    W = expected_preferences(R)
    one, two = (dpo(W, REF, BETA, 400, alpha=1, batch=16, rng=3) for _ in range(2))
    assert (one.policy == two.policy).all()
    assert one.error < one.curve.errors[0] / 5


def test_a_minibatch_of_pairs_moves_two_logits_against_each_other():
    """One pair from the reference: the margin is 0, the slope β/2."""
    W = expected_preferences(R)
    moves, n = [], 200
    for seed in range(n):
        theta = dpo(W, REF, BETA, 1, alpha=0.5, batch=1, rng=seed, checkpoints=1).tables["theta"] - np.log(REF)
        moves.append(tuple(np.round(theta, 12)))
    law = {}
    for i, j in product(range(4), repeat=2):
        if i != j:
            law[tuple(0.5 * BETA / 2 * (np.eye(4)[i] - np.eye(4)[j]))] = W[i, j] / W.sum()
    assert_lands(moves, law)


def test_bad_input_is_refused_by_name():
    W = expected_preferences(R)
    for beta in (0, -1, np.nan):
        with pytest.raises(InvalidBatch, match="beta"):
            dpo(W, REF, beta, 5)
    for beta in (-1, np.nan):
        with pytest.raises(InvalidBatch):
            rlhf(W, REF, beta)
    for ref in ([0.5, 0.5, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5]):
        with pytest.raises(InvalidBatch, match="reference"):
            kl_regularised_rl(R, ref, 1.0, 5)
    with pytest.raises(InvalidBatch, match="rewards"):
        kl_regularised_rl(R[:3], REF, 1.0, 5)
    with pytest.raises(InvalidBatch):
        rlhf(W, [0.5, 0.5], 1.0)
    with pytest.raises(ValueError, match="rng"):
        kl_regularised_rl(R, REF, 1.0, 5, samples=4)
    with pytest.raises(InvalidBatch):
        kl_regularised_rl(R, REF, 1.0, 5, samples=1, rng=0)
    with pytest.raises(InvalidSchedule, match="alpha"):
        dpo(W, REF, 1.0, 5, alpha=0)
