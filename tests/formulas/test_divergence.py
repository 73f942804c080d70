from fractions import Fraction
from itertools import chain, combinations

import numpy as np
import pytest

from rlexact.arithmetic import NotExact
from rlexact.exact import policy_distance
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.divergence import (
    bretagnolle_huber_bound,
    chi_square,
    f_divergence,
    hellinger,
    jensen_shannon,
    kl,
    kl_gradient,
    kl_logit_gradient,
    l1_distance,
    mean_kl,
    pinsker_bound,
    total_variation,
)
from rlexact.formulas.entropy import entropy
from rlexact.gallery import bandit

RNG = np.random.default_rng(0)
P, Q = RNG.dirichlet(np.ones(4), size=(2, 50))
F = Fraction
THIRDS, HALVES = [F(1, 3), F(2, 3), F(0)], [F(1, 2), F(0), F(1, 2)]


def test_against_the_exact_room():
    model = bandit([0] * 4).to_float()
    for p, q in zip(P[:5], Q[:5], strict=True):
        rows = [np.vstack([x] * model.n_states) for x in (p, q)]
        for ours, theirs in (
            (kl, policy_distance.kl),
            (total_variation, policy_distance.total_variation),
            (chi_square, policy_distance.chi_square),
        ):
            assert ours(p, q) == pytest.approx(theirs(model, *rows)[0], rel=1e-13)


def test_total_variation_is_the_largest_gap_of_an_event():
    events = chain.from_iterable(combinations(range(3), k) for k in range(4))
    gap = max(sum((THIRDS[i] - HALVES[i] for i in event), F(0)) for event in events)
    assert total_variation(THIRDS, HALVES) == gap == F(2, 3)
    assert l1_distance(THIRDS, HALVES) == 2 * gap


def test_support():
    """p = 0 adds nothing, q = 0 < p is infinite, both 0 adds nothing."""
    assert kl([1.0, 0.0, 0.0], [0.5, 0.5, 0.0]) == pytest.approx(np.log(2))
    assert kl([0.5, 0.5], [1.0, 0.0]) == np.inf
    assert kl([1.0, 0.0], [0.0, 1.0]) == np.inf
    assert chi_square([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]) == np.inf
    assert chi_square([F(1), F(0), F(0)], [F(1, 4), F(3, 4), F(0)]) == 3
    assert jensen_shannon([1.0, 0.0], [0.0, 1.0]) == pytest.approx(np.log(2))
    assert kl([1.0, 0.0], [1.0, 0.0]) == jensen_shannon([1.0, 0.0], [1.0, 0.0]) == 0
    assert kl([1e-300, 1.0], [1.0, 0.0]) == np.inf


def test_jensen_shannon_by_entropies():
    middle = entropy((P + Q) / 2) - (entropy(P) + entropy(Q)) / 2
    np.testing.assert_allclose(jensen_shannon(P, Q), middle, atol=1e-15)
    np.testing.assert_array_equal(jensen_shannon(P, Q), jensen_shannon(Q, P))


def test_hellinger_by_its_affinity():
    np.testing.assert_allclose(hellinger(P, Q) ** 2, 1 - np.sqrt(P * Q).sum(-1), atol=1e-15)
    assert hellinger([F(9, 25), F(16, 25)], [F(16, 25), F(9, 25)]) == F(1, 5)
    with pytest.raises(NotExact):
        hellinger([F(1, 2), F(1, 2)], [F(1), F(0)])


@pytest.mark.parametrize(
    ("f", "slope", "named"),
    [
        (lambda t: t * np.log(t), np.inf, kl),
        (lambda t: (t - 1) ** 2, np.inf, chi_square),
        (lambda t: abs(t - 1) / 2, 0.5, total_variation),
        (lambda t: (np.sqrt(t) - 1) ** 2 / 2, 0.5, lambda p, q: hellinger(p, q) ** 2),
        (lambda t: (t * np.log(2 * t / (1 + t)) + np.log(2 / (1 + t))) / 2, np.log(2) / 2, jensen_shannon),
    ],
)
def test_all_are_f_divergences(f, slope, named):
    np.testing.assert_allclose(f_divergence(P, Q, f, slope), named(P, Q), rtol=1e-9, atol=1e-14)
    cut = np.array([0.3, 0.7, 0.0]), np.array([0.5, 0.25, 0.25])
    flipped = cut[1], cut[0]
    assert f_divergence(*flipped, f, slope) == pytest.approx(float(named(*flipped)))  # mass where q = 0


def test_f_divergence_in_fractions():
    assert f_divergence(THIRDS, HALVES, lambda t: abs(t - 1) / 2, F(1, 2)) == F(2, 3)


@pytest.mark.parametrize("k", range(4))
def test_gradients_by_complex_step(k):
    step = 1e-30j * np.eye(4)[k]
    found, logits = kl_gradient(P, Q), kl_logit_gradient(P, Q)

    def soft(x):
        moved = np.exp(np.log(x) + step)
        return moved / moved.sum(-1, keepdims=True)

    np.testing.assert_allclose(found.p[:, k], kl(P + step, Q).imag / 1e-30, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(found.q[:, k], kl(P, Q + step).imag / 1e-30, rtol=1e-13)
    np.testing.assert_allclose(logits.p[:, k], kl(soft(P), Q).imag / 1e-30, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(logits.q[:, k], kl(P, soft(Q)).imag / 1e-30, rtol=1e-10, atol=1e-15)


def test_gradients_at_the_border():
    at = kl_gradient([1.0, 0.0, 0.0], [0.5, 0.5, 0.0])
    assert list(at.p) == [pytest.approx(np.log(2) + 1), -np.inf, np.inf]
    assert list(at.q) == [-2, 0, 0]
    assert list(kl_gradient([0.5, 0.5], [1.0, 0.0]).q) == [-0.5, -np.inf]
    with pytest.raises(InvalidBatch, match="divergence = inf"):
        kl_logit_gradient([0.5, 0.5], [1.0, 0.0])


def test_bounds_hold_and_are_nearly_attained():
    tv = total_variation(P, Q)
    assert (tv <= pinsker_bound(P, Q)).all()
    assert (tv <= bretagnolle_huber_bound(P, Q)).all()
    near = [0.5 + 1e-4, 0.5 - 1e-4], [0.5, 0.5]
    assert total_variation(*near) / pinsker_bound(*near) == pytest.approx(1, abs=1e-7)  # 1 - O(1e-8)
    far = [1.0, 0.0], [1e-9, 1 - 1e-9]
    assert total_variation(*far) <= bretagnolle_huber_bound(*far) <= 1 < pinsker_bound(*far)
    assert (l1_distance(P, Q) > pinsker_bound(P, Q)).any()  # Pinsker's bound is not one on the L1 distance


def test_bounds_where_kl_is_zero_or_infinite():
    assert pinsker_bound(P, P).max() == bretagnolle_huber_bound(P, P).max() == 0
    apart = [1.0, 0.0], [0.0, 1.0]
    assert (pinsker_bound(*apart), bretagnolle_huber_bound(*apart)) == (np.inf, 1)


def test_mean_over_states():
    weights = RNG.dirichlet(np.ones(50))
    assert mean_kl(P, Q, weights) == pytest.approx(sum(w * kl(p, q) for w, p, q in zip(weights, P, Q, strict=True)))
    assert mean_kl([[1.0, 0.0], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]], [1.0, 0.0]) == pytest.approx(np.log(2))
    with pytest.raises(InvalidBatch, match="state_weights have shape"):
        mean_kl(P, Q, [1.0])


def test_symbols_are_the_proved_kl():
    sympy = pytest.importorskip("sympy")
    from rlexact.symbolic.notation import kl_of, simplex

    p, q = simplex("v", 3), simplex("w", 3)
    assert sympy.simplify(sympy.expand_log(kl(p, q)[()] - kl_of(p, q), force=True)) == 0


def test_refusals():
    with pytest.raises(InvalidBatch, match="shapes differ"):
        kl([0.5, 0.5], [0.5, 0.25, 0.25])
    with pytest.raises(InvalidBatch, match=r"the sum of q = 0\.9"):
        kl([0.5, 0.5], [0.5, 0.4])
    with pytest.raises(InvalidBatch, match="the sum of p"):
        total_variation([F(1, 3), F(1, 3)], [F(1), F(0)])
    with pytest.raises(NotExact):
        kl([F(1, 2), F(1, 2)], [F(1, 2), F(1, 2)])
