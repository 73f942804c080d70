import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtri
from scipy.stats import chi

from rlexact.arithmetic import NotExact
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.cem import refit, truncated_gaussian
from rlexact.formulas.cma_es import (
    cma_samples,
    covariance_update,
    elite_covariance,
    is_moving,
    path_update,
    start,
    step_size_update,
    symmetric_root,
    update,
    weighted_mean_update,
)
from rlexact.formulas.cma_es_constants import default_constants, mean_norm

LAW = {Fraction(0): Fraction(1, 2), Fraction(1): Fraction(1, 6), Fraction(-1): Fraction(1, 6)}
LAW |= {Fraction(2): Fraction(1, 12), Fraction(-2): Fraction(1, 12)}  # moments 0, 1, 0, 3, 0 of a standard normal
FIELDS = ("mean", "sigma", "covariance", "path_sigma", "path_c")


def bent(x):
    """Concave, ill-conditioned, not smooth."""
    return -((x**2) @ np.array([1.0, 10.0, 100.0])[: x.shape[1]]) - np.abs(x - 1).sum(axis=1)


def run(fitness, state, generations, population=7, seed=1, constants=None, turned=None):
    rng = np.random.default_rng(seed)
    for _ in range(generations):
        z = rng.normal(size=(population, len(state.mean)))
        z = z if turned is None else z @ turned.T
        state = update(state, z, fitness(cma_samples(state, z)), constants)
    return state


def by_the_figure(state, z, f, n, lam):
    """One generation written out in sums over samples, with C^-1/2 from eigenvectors and the constants in place."""
    m, sigma, C, p_s, p_c, g = state
    k = default_constants(n, lam)
    D2, B = np.linalg.eigh(C)
    half, inverse_half = B @ np.diag(np.sqrt(D2)) @ B.T, B @ np.diag(1 / np.sqrt(D2)) @ B.T
    x = [m + sigma * half @ zi for zi in z]
    order = sorted(range(lam), key=lambda i: -f[i])
    y = [(x[i] - m) / sigma for i in order]
    step = sum(k.weights[i] * y[i] for i in range(lam // 2))
    m = m + sigma * step
    p_s = (1 - k.c_sigma) * p_s + math.sqrt(k.c_sigma * (2 - k.c_sigma) * k.mu_eff) * inverse_half @ step
    chi_n = math.sqrt(2) * math.gamma((n + 1) / 2) / math.gamma(n / 2)
    length = math.sqrt(sum(p_s**2))
    still = length / math.sqrt(1 - (1 - k.c_sigma) ** (2 * g + 2)) >= (1.4 + 2 / (n + 1)) * chi_n
    sigma = sigma * math.exp(k.c_sigma / k.d_sigma * (length / chi_n - 1))
    p_c = (1 - k.c_c) * p_c + (0 if still else math.sqrt(k.c_c * (2 - k.c_c) * k.mu_eff)) * step
    new = (1 + (k.c_1 * k.c_c * (2 - k.c_c) if still else 0) - k.c_1 - k.c_mu * sum(k.weights)) * C
    new = new + k.c_1 * np.outer(p_c, p_c)
    for w, yi in zip(k.weights, y, strict=True):
        w = w if w >= 0 else w * n / sum((inverse_half @ yi) ** 2)
        new = new + k.c_mu * w * np.outer(yi, yi)
    return m, sigma, new, p_s, p_c, g + 1


@pytest.mark.parametrize("slope", [0.0, 50.0])
def test_update_is_the_figure(slope):
    rng, state, stalls = np.random.default_rng(0), start([1.0, 2.0, 3.0], 0.5), 0
    written = (state.mean, 0.5, state.covariance, np.zeros(3), np.zeros(3), 0)
    for _ in range(12):
        z = rng.normal(size=(20, 3))
        x = cma_samples(state, z)
        f = bent(x) if not slope else slope * x[:, 0]
        state, written = update(state, z, f), by_the_figure(written, z, f, 3, 20)
        stalls += not is_moving(state.path_sigma, default_constants(3, 20).c_sigma, state.generation - 1)
        for name, value in zip(FIELDS, written, strict=False):
            # twelve generations of rounding
            np.testing.assert_allclose(getattr(state, name), value, rtol=1e-10, atol=1e-11, err_msg=name)
    assert stalls == (12 if slope else 2)  # both values of h_σ were seen


def test_only_order_counts():
    plain = run(bent, start([1.0, 2.0, 3.0], 0.5), 20)
    shaped = run(lambda x: np.arctan(bent(x) / 50), start([1.0, 2.0, 3.0], 0.5), 20)
    assert all((getattr(plain, name) == getattr(shaped, name)).all() for name in FIELDS[:1] + FIELDS[2:])
    assert plain.sigma == shaped.sigma


def images(A, generations, constants=None):
    """Run on F from (m, C), and on F(A x) from the image of it under A⁻¹, each draw carried to the same sample."""
    inverse, first = np.linalg.inv(A), start([1.0, 2.0, 3.0], 0.5)
    second = start(inverse @ first.mean, 0.5, inverse @ first.covariance @ inverse.T)
    rng = np.random.default_rng(1)
    for _ in range(generations):
        z = rng.normal(size=(7, 3))
        turn = np.linalg.inv(symmetric_root(second.covariance)) @ inverse @ symmetric_root(first.covariance)
        first = update(first, z, bent(cma_samples(first, z)), constants)
        second = update(second, z @ turn.T, bent(cma_samples(second, z @ turn.T) @ A.T), constants)
    return first, second


def gap(A, first, second):
    return max(
        np.abs(first.mean - A @ second.mean).max(),
        np.abs(first.covariance - A @ second.covariance @ A.T).max(),
        abs(first.sigma - second.sigma),
    )


SHEAR = np.array([[1.0, 4.0, 0.0], [0.0, 1.0, -2.0], [0.0, 0.0, 3.0]])
ROTATION = np.linalg.qr(SHEAR.T @ np.array([[1.0, 2, 3], [0, 1, 4], [5, 6, 0]]))[0]


@pytest.mark.parametrize("A", [ROTATION, -ROTATION, 4 * ROTATION])
def test_rotations_reflections_and_scalings_carry_runs_over(A):
    assert gap(A, *images(A, 25)) < 1e-10  # rounding of 25 generations


def test_every_linear_map_carries_one_generation_over_and_with_sigma_held_all():
    assert gap(SHEAR, *images(SHEAR, 1)) < 1e-13
    assert gap(SHEAR, *images(SHEAR, 3)) > 1e-5  # ‖p_σ‖ depends on which root of C is taken
    held = default_constants(3, 7)
    held = type(held)(**{**vars(held), "d_sigma": math.inf})
    assert gap(SHEAR, *images(SHEAR, 25, held)) < 1e-9


def test_translation_carries_runs_over():
    near, far = (
        run(bent, start([1.0, 2.0, 3.0], 0.5), 20),
        run(lambda x: bent(x - 8), start([9.0, 10.0, 11.0], 0.5), 20),
    )
    np.testing.assert_allclose(far.mean - 8, near.mean, atol=1e-11)
    np.testing.assert_allclose(far.covariance, near.covariance, rtol=1e-10, atol=1e-12)


def test_on_a_quadratic_it_finds_the_optimum_and_the_inverse_hessian():
    """The covariance becomes proportional to H⁻¹: H^½ C H^½ is near a multiple of I, from a condition number of 1000."""
    H, best = np.diag([1.0, 30.0, 1000.0]), np.array([3.0, -1.0, 0.5])
    turned = ROTATION @ H @ ROTATION.T
    end = run(lambda x: -(((x - best) @ turned) * (x - best)).sum(axis=1), start(np.zeros(3), 1.0), 150)
    assert np.abs(end.mean - best).max() < 1e-7  # later the differences of fitness round to nothing, and C wanders
    assert (end.covariance == end.covariance.T).all()  # rounding alone would let it drift apart as C shrinks
    root = symmetric_root(turned)
    scaled = np.linalg.eigvalsh(root @ end.covariance @ root)
    assert scaled[-1] / scaled[0] < 10


def test_covariance_stays_positive_under_the_worst_order():
    """Fitness that prefers the shortest steps, or the longest: negative weights pull hardest."""
    for sign in (1, -1):
        end = run(lambda x, s=sign: s * (x**2).sum(axis=1), start(np.zeros(4), 1.0), 60, population=12)
        assert np.linalg.eigvalsh(end.covariance)[0] > 0


# -- what no selection leaves as it is ---------------------------------------------------------------------------------


def test_covariance_is_stationary():
    """E C_new = C for steps and path with covariance C, exactly, whatever the rates."""
    C = np.array([[Fraction(9, 4)]])
    total = Fraction(0)
    for p, y1, y2 in product(LAW, repeat=3):
        weight = LAW[p] * LAW[y1] * LAW[y2]
        steps = np.array([[Fraction(3, 2) * y1], [Fraction(3, 2) * y2]])
        rates = Fraction(1, 5), Fraction(2, 7), Fraction(1, 3)
        new = covariance_update(C, [Fraction(3, 2) * p], steps, [Fraction(2, 3), Fraction(1, 3)], *rates)
        total += weight * new[0, 0]
    assert total == C[0, 0]


def test_path_is_stationary():
    """Variance 1 stays 1: steps that average four draws have variance 1/4, c = 1/5, μ_eff = 4."""
    second = Fraction(0)
    for p, y in product(LAW, repeat=2):
        new = path_update([p], [y / 2], Fraction(1, 5), Fraction(4))[0]
        second += LAW[p] * LAW[y] * new**2
    assert second == 1
    assert path_update([Fraction(2)], [Fraction(5)], Fraction(1, 5), Fraction(4), 0).tolist() == [Fraction(8, 5)]


@pytest.mark.parametrize("n", [1, 2, 10])
def test_log_step_size_is_stationary(n):
    """E log σ stays put where p_σ is N(0, I): its length has the χ law with n degrees of freedom."""
    unit = np.eye(n)[0]
    drift, _ = quad(lambda r: math.log(step_size_update(1.0, r * unit, 0.3, 1.3)) * chi.pdf(r, n), 0, 40, limit=200)
    assert abs(drift) < 1e-8  # the quadrature's tolerance
    assert math.isclose(step_size_update(2.0, 2 * mean_norm(n) * unit, 0.5, 2.0), 2 * math.exp(0.25), rel_tol=1e-14)


def test_h_sigma():
    """The first generation, c_σ = 1/2: the path is divided by √(3/4); for n = 1 the bar stands at 2.4 √(2/π)."""
    bar = 2.4 * math.sqrt(2 / math.pi) * math.sqrt(0.75)
    assert is_moving([bar * (1 - 1e-12)], 0.5, 0)
    assert not is_moving([bar * (1 + 1e-12)], 0.5, 0)
    assert is_moving([bar * (1 + 1e-12)], 0.5, 1)


# -- pieces ------------------------------------------------------------------------------------------------------------

STEPS = np.array([[Fraction(x, 2) for x in row] for row in ([1, -3], [4, 2], [0, 5])])
WEIGHTS = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
COVARIANCE = np.array([[Fraction(2), Fraction(1)], [Fraction(1), Fraction(3)]])


def test_rank_mu_alone_is_the_covariance_about_the_old_mean():
    zero = [Fraction(0)] * 2
    found = covariance_update(COVARIANCE, zero, STEPS, WEIGHTS, Fraction(0), Fraction(1), Fraction(0))
    assert found.tolist() == elite_covariance(STEPS, about=zero, weights=WEIGHTS).tolist()


def test_rank_one_alone():
    path, c_1, none = [Fraction(3), Fraction(-1)], Fraction(1, 4), [Fraction(0)] * 3
    found = covariance_update(COVARIANCE, path, STEPS, none, c_1, Fraction(1), Fraction(1, 2))
    assert found.tolist() == [[Fraction(15, 4), 0], [0, Fraction(5, 2)]]  # 3/4 C + 1/4 [[9, -3], [-3, 1]]
    stalled = covariance_update(COVARIANCE, path, STEPS, none, c_1, Fraction(1), Fraction(1, 2), moving=False)
    assert (stalled - found).tolist() == (COVARIANCE * Fraction(3, 16)).tolist()


def test_a_negative_weight_takes_the_same_from_long_and_short_steps():
    """tr C⁻¹(w° y yᵀ) = w n for every y."""
    w, inverse = Fraction(-1, 3), np.array([[Fraction(3, 5), Fraction(-1, 5)], [Fraction(-1, 5), Fraction(2, 5)]])
    assert (inverse @ COVARIANCE).tolist() == [[1, 0], [0, 1]]
    zero, rest = [Fraction(0)] * 2, (Fraction(0), Fraction(1), Fraction(0))
    for y in STEPS:
        taken = covariance_update(COVARIANCE, zero, [y], [w], *rest) - (1 - w) * COVARIANCE
        assert np.trace(inverse @ taken) == 2 * w


def test_mean_is_the_weighted_average():
    theta = STEPS + Fraction(7, 3)
    moved = weighted_mean_update([Fraction(9), Fraction(-9)], theta, WEIGHTS)
    assert moved.tolist() == [sum(w * x for w, x in zip(WEIGHTS, column, strict=True)) for column in theta.T]
    half = weighted_mean_update([Fraction(9), Fraction(-9)], theta, WEIGHTS, Fraction(1, 2))
    assert (2 * half - [9, -9]).tolist() == moved.tolist()


def test_elite_covariance():
    """Its diagonal is the refit of the cross-entropy method; two points leave it singular, noise does not."""
    eps = Fraction(1, 9)
    found = elite_covariance(STEPS, eps)
    assert np.diag(found).tolist() == refit(STEPS, eps).variance.tolist()
    by_pairs = sum(np.multiply.outer(a - b, a - b) for a in STEPS for b in STEPS) / 18
    assert (found - by_pairs).tolist() == [[eps, 0], [0, eps]]
    (a, b), (c, d) = elite_covariance(STEPS[:2])
    assert a * d - b * c == 0
    (a, b), (c, d) = elite_covariance(STEPS[:2], eps)
    trace = np.trace(elite_covariance(STEPS[:2]))
    assert a * d - b * c == eps * (eps + trace)  # eigenvalues ε and ε + trace
    np.testing.assert_allclose(elite_covariance(STEPS.astype(float)), np.cov(STEPS.astype(float).T, ddof=0), rtol=1e-14)


@pytest.mark.parametrize("rho", [0.1, 0.3, 0.5])
def test_on_a_slope_the_elites_spread_less_about_their_mean_and_more_about_the_old_one(rho):
    """Quantiles in place of samples; their error is below 1e-3 (the outermost of 20,000 cells)."""
    grid = ndtri((np.arange(20000) + 0.5) / 20000)[::-1]
    chosen, (shift, shrunk) = grid[: int(rho * 20000), None], truncated_gaussian(rho)
    np.testing.assert_allclose(elite_covariance(chosen)[0, 0], shrunk, atol=1e-3)
    old = elite_covariance(chosen, about=[0.0])[0, 0]
    np.testing.assert_allclose(old, 1 - ndtri(rho) * shift, atol=1e-3)
    assert shrunk < 1
    assert old > 0.999


def test_root():
    C = np.array([[2.0, 1.0], [1.0, 3.0]])
    root = symmetric_root(C)
    np.testing.assert_allclose(root @ root, C, rtol=1e-14)
    assert (np.abs(root - root.T) < 1e-15).all()
    x = cma_samples(start([1.0, -1.0], 2.0, C), np.eye(2))
    np.testing.assert_allclose((x - [1, -1]).T @ (x - [1, -1]), 4 * C, rtol=1e-13)
    with pytest.raises(NotExact):
        symmetric_root(COVARIANCE)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: start([0.0], 0.0), "sigma = 0.0"),
        (lambda: start([0.0, 1.0], 1.0, [[1.0]]), "covariance"),
        (lambda: symmetric_root([[1.0, 2.0], [0.0, 1.0]]), "symmetric"),
        (lambda: symmetric_root([[1.0, 1.0], [1.0, 1.0]]), "positive definite"),
        (lambda: update(start([0.0], 1.0), [[1.0], [2.0]], [1.0, np.nan]), r"fitness\[1\]"),
        (lambda: update(start([0.0], 1.0), [[1.0]], [1.0]), "population = 1"),
        (lambda: update(start([0.0], 1.0), [[1.0], [2.0]], [1.0, 2.0], default_constants(1, 3)), "3 weights"),
        (lambda: update(start([0.0], 1.0), [[1.0, 2.0]] * 2, [1.0, 2.0]), "draws"),
        (lambda: cma_samples(start([0.0], 1.0), [1.0]), "draws have shape"),
        (lambda: path_update([0.0], [1.0], 1.5, 2.0), "cumulation = 1.5"),
        (lambda: elite_covariance([[1.0]], -1.0), "noise = -1.0"),
        (lambda: elite_covariance([1.0]), "give"),
        (lambda: weighted_mean_update([0.0], [[1.0]], [0.5, 0.5]), "weights"),
        (lambda: covariance_update([[1.0]], [0.0], [[1.0]], [0.5, 0.5], 0.1, 0.1, 0.1), "do not fit"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InvalidBatch, match=message):
        call()
