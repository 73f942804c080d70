from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.special
import sympy

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.categorical import (
    categorical_entropy,
    categorical_entropy_gradient,
    categorical_fisher,
    categorical_kl,
    categorical_kl_gradient,
    categorical_log_prob,
    categorical_score,
    gumbel_max_sample,
    inverse_cdf_sample,
    linear_softmax_score,
    log_softmax,
    softmax,
    softmax_policy_score,
)
from rlexact.symbolic.softmax import FISHER, pi, z

STEP = 1e-30
LOGITS = np.array([[0.3, -1.2, 2.0], [500.0, -1e4, 499.0]])


def slopes(f, x):
    """Complex steps in every coordinate of the last axis: (..., A) -> (..., A)."""
    steps = 1j * STEP * np.eye(x.shape[-1])
    return np.stack([f(x + step).imag / STEP for step in steps], axis=-1)


def test_log_softmax_is_scipy_s():
    np.testing.assert_allclose(log_softmax(LOGITS), scipy.special.log_softmax(LOGITS, axis=-1), rtol=1e-14)
    np.testing.assert_allclose(softmax(LOGITS), scipy.special.softmax(LOGITS, axis=-1), rtol=1e-14)
    assert log_softmax([1e300, 1e300]).tolist() == [-np.log(2)] * 2


def test_digits_of_large_logits_are_kept():
    with mpmath.workdps(40):
        exact = -mpmath.log(1 + mpmath.exp(-mpmath.mpf(0.5)))
    assert log_softmax([1e6 + 0.5, 1e6])[0] == pytest.approx(float(exact), rel=1e-15)


def test_score_entropy_and_fisher_in_symbols():
    for a in range(3):
        score = categorical_score(z, a)
        by_calculus = [sympy.diff(sympy.log(pi[a]), x) for x in z]
        assert all(sympy.simplify(x - y) == 0 for x, y in zip(score, by_calculus, strict=True))
    assert all(sympy.simplify(x) == 0 for x in (categorical_fisher(z) - np.array(FISHER)).flat)
    p_log_p = [x * sympy.log(x) for x in pi]
    assert abs(sympy.N((categorical_entropy(z)[()] + sum(p_log_p)).subs(dict(zip(z, (1, 2, 4), strict=True))))) < 1e-12


def test_gradients_by_complex_step():
    x, y = LOGITS[:1], np.array([[1.0, 0.0, -0.5]])
    actions = np.array([2])
    np.testing.assert_allclose(
        categorical_score(x, actions), slopes(lambda t: categorical_log_prob(t, actions), x), rtol=1e-13
    )
    np.testing.assert_allclose(categorical_entropy_gradient(x), slopes(categorical_entropy, x), rtol=1e-12)
    found = categorical_kl_gradient(x, y)
    np.testing.assert_allclose(found.logits, slopes(lambda t: categorical_kl(t, y), x), rtol=1e-12)
    np.testing.assert_allclose(found.other_logits, slopes(lambda t: categorical_kl(x, t), y), rtol=1e-12)


def test_fisher_is_the_mean_square_of_the_score_and_the_bend_of_kl():
    x = LOGITS[0]
    scores = np.stack([categorical_score(x, a) for a in range(3)])
    np.testing.assert_allclose(categorical_fisher(x), (softmax(x)[:, None] * scores).T @ scores, rtol=1e-13)
    bend = np.stack([categorical_kl_gradient(x, x + 1j * STEP * e).other_logits.imag / STEP for e in np.eye(3)])
    np.testing.assert_allclose(categorical_fisher(x), bend, rtol=1e-13)


def test_entropy_and_kl_by_summation():
    p, q = scipy.special.softmax(LOGITS[0]), scipy.special.softmax(LOGITS[0][::-1])
    assert categorical_entropy(LOGITS[0]) == pytest.approx(scipy.special.entr(p).sum(), rel=1e-14)
    assert categorical_kl(LOGITS[0], LOGITS[0][::-1]) == pytest.approx(scipy.special.rel_entr(p, q).sum(), rel=1e-13)


def test_extremes():
    """A probability that underflows adds 0 where it is p, and 1e4 nats where it is q."""
    assert categorical_entropy([0.0, -1e4]) == 0
    assert categorical_kl([0.0, -1e4], [0.0, 0.0]) == pytest.approx(np.log(2), rel=1e-15)
    assert categorical_kl([0.0, 0.0], [0.0, -1e4]) == pytest.approx(5e3 - np.log(2), rel=1e-15)
    assert np.isfinite(categorical_kl_gradient([0.0, -1e4], [-1e4, 0.0]).logits).all()


def test_policy_scores_by_complex_step_in_the_parameters():
    rng = np.random.default_rng(0)
    theta, phi, actions = rng.normal(size=4), rng.normal(size=(5, 3, 4)), rng.integers(3, size=5)
    slope = np.stack(
        [categorical_log_prob(phi @ (theta + 1j * STEP * e), actions).imag / STEP for e in np.eye(4)], axis=-1
    )
    np.testing.assert_allclose(linear_softmax_score(theta, phi, actions), slope, rtol=1e-12)

    def logits(t):  # not linear: z_a = sin(φ_a θ)
        return np.sin(phi @ t)

    gradients = np.cos(phi @ theta)[..., None] * phi
    slope = np.stack(
        [categorical_log_prob(logits(theta + 1j * STEP * e), actions).imag / STEP for e in np.eye(4)], axis=-1
    )
    np.testing.assert_allclose(softmax_policy_score(logits(theta), gradients, actions), slope, rtol=1e-12)


def test_gumbel_noise_on_a_grid():
    """The boundary between two actions is monotone: it crosses at most 2n of n² cells."""
    n = 300
    mid = (np.arange(n) + 0.5) / n
    noise = np.stack(np.meshgrid(mid, mid), axis=-1).reshape(-1, 2)
    drawn = gumbel_max_sample(np.broadcast_to([0.0, 1.0], noise.shape), noise)
    assert abs(drawn.mean() - scipy.special.expit(1.0)) <= 2 / n


def test_inverse_cdf_on_a_grid():
    n = 1000
    u = (np.arange(n) + 0.5) / n
    logits = np.broadcast_to(LOGITS[0], (n, 3))
    counts = np.bincount(inverse_cdf_sample(logits, u), minlength=3)
    assert np.abs(counts / n - scipy.special.softmax(LOGITS[0])).max() <= 1 / n
    assert inverse_cdf_sample([-1e4, 0.0, -1e4], 0.0) == 1  # an action of probability 0 is never drawn
    assert inverse_cdf_sample([0.0] * 10 + [-1e4], np.nextafter(1.0, 0.0)) == 9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: categorical_log_prob([0.0, 1.0], 2), r"give numbers in \[0, 1\]"),
        (lambda: categorical_score([0.0, 1.0], 1.0), "integer"),
        (lambda: categorical_score([[0.0, 1.0]], [[0]]), "integer for each row"),
        (lambda: log_softmax(1.0), "scalar"),
        (lambda: log_softmax([0.0, -np.inf]), "finite"),
        (lambda: categorical_kl([0.0, 1.0], [[0.0, 1.0]]), "shapes differ"),
        (lambda: gumbel_max_sample([0.0, 1.0], [0.0, 0.5]), "strictly between"),
        (lambda: inverse_cdf_sample([0.0, 1.0], 1.0), "in \\[0, 1\\)"),
        (lambda: inverse_cdf_sample([[0.0, 1.0]], 0.5), "one for each row"),
        (lambda: softmax_policy_score([0.0, 1.0], [1.0, 2.0], 0), "axis of parameters"),
        (lambda: linear_softmax_score([0.0], [[1.0, 2.0]], 0), "beside"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()


def test_fractions_have_no_softmax():
    with pytest.raises(NotExact):
        softmax([Fraction(0), Fraction(1)])
