"""Evolution with a full covariance: CMA-ES, one generation as a function of given standard normal draws.

    y_i = C^½ z_i,   x_i = m + σ y_i                        z_i ~ N(0, I), i = 1 ... λ; i:λ the i-th fittest; fitness maximised
    ⟨y⟩ = Σ_{w_i > 0} w_i y_{i:λ}
    m   ← m + c_m σ ⟨y⟩
    p_σ ← (1 - c_σ) p_σ + √(c_σ (2 - c_σ) μ_eff) C^-½ ⟨y⟩
    σ   ← σ exp(c_σ/d_σ (‖p_σ‖ / E‖N(0, I)‖ - 1))
    h_σ = 1 if ‖p_σ‖ / √(1 - (1 - c_σ)^(2(g + 1))) < (1.4 + 2/(n + 1)) E‖N(0, I)‖, else 0
    p_c ← (1 - c_c) p_c + h_σ √(c_c (2 - c_c) μ_eff) ⟨y⟩
    C   ← (1 + c_1 δ - c_1 - c_μ Σ w) C + c_1 p_c p_cᵀ + c_μ Σ w°_i y_{i:λ} y_{i:λ}ᵀ,   δ = (1 - h_σ) c_c (2 - c_c)

with w° = w where w ≥ 0 and w n / (yᵀ C⁻¹ y) elsewhere; C^½ is the symmetric root, so that C^-½ y = z. Without selection both
paths are N(0, I) and N(0, C), and E log σ stays where it is. Hansen (2016), arXiv:1604.00772, (38) to (47) and Figure 6.

Only order counts, and a run on f(Q x) from Q⁻¹ m is the image of the run on f(x) for every rotation, reflection, shift and
scaling Q. For other invertible Q, C started at Q⁻¹ C Q⁻ᵀ, that holds for one generation, and for ever with σ held; the length
of p_σ is measured in C^½ of each generation, and differs from the second on.

The covariance of the elites plus ε I, which some texts print as CMA-ES, is an estimate about the elites' *own* mean: the
estimation-of-distribution algorithm EMNA. About the *old* mean it is the rank-μ update with c_μ = 1. Along a linear slope the
first shrinks, v(ρ) = 1 + c κ - κ² < 1, and the second grows, 1 + c κ > 1 for ρ < 1/2 (`cem.truncated_gaussian`). Both are
`elite_covariance`. Hansen (2016), §3.1 and Figure 2; Larrañaga and Lozano (2001) for EMNA.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, positive, read, within
from rlexact.formulas.cma_es_constants import Constants, default_constants, mean_norm
from rlexact.formulas.fitness_shaping import population


@dataclass(frozen=True, eq=False)
class State:
    """All that one generation hands to the next: `mean` (n,), `sigma`, `covariance` C (n, n), both paths (n,), the count g."""

    mean: Array
    sigma: float
    covariance: Array
    path_sigma: Array
    path_c: Array
    generation: int = 0


def start(mean: Any, sigma: Any, covariance: Any = None) -> State:
    """(n,), a scalar, (n, n) -> State: where a search begins, C = I unless given, both paths 0.

        p_σ = p_c = 0,   g = 0

    Raises `InvalidBatch` for σ not above 0 and shapes that do not fit.
    Source: Hansen (2016), Figure 6.

    >>> start([1.0, 2.0], 0.5).covariance.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    m, s = read(mean=mean, sigma=sigma)
    (C,) = read(covariance=np.eye(len(np.atleast_1d(m))) if covariance is None else covariance)
    positive(sigma=s)
    if m.ndim != 1 or s.ndim or C.shape != (*m.shape, *m.shape):
        raise InvalidBatch(f"mean {m.shape}, sigma {s.shape}, covariance {C.shape}: give (n,), a scalar, (n, n)")
    return State(m, float(s), C, 0 * m, 0 * m)


def symmetric_root(covariance: Any) -> Array:
    """(n, n) -> (n, n): the symmetric square root.

        C^½ = B D Bᵀ  where C = B D² Bᵀ

    Floats only: exact numbers are `NotExact`. Raises `InvalidBatch` where it is not symmetric or not positive definite.
    Source: Hansen (2016), §0.1.

    >>> symmetric_root([[4.0, 0.0], [0.0, 9.0]]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    (C,) = read(covariance=covariance)
    if C.ndim != 2 or C.shape[0] != C.shape[1] or ar.apart(C, C.T, 1e-10 * ar.largest(np.abs(C))).any():
        raise InvalidBatch(f"covariance {C.shape}: give a symmetric matrix")
    if ar.is_exact(C):
        raise ar.NotExact("eigenvectors of exact numbers are not rational: give the covariance in floats")
    squares, B = np.linalg.eigh(C)
    if squares[0] <= 0:
        raise InvalidBatch(
            f"the covariance has eigenvalue {squares[0]:.3g}: give a positive definite one, or add noise"
        )
    return np.asarray(B * np.sqrt(squares) @ B.T)


def cma_samples(state: State, draws: Any) -> Array:
    """State, (λ, n) -> (λ, n): what is evaluated, samples of N(m, σ² C) from standard normal draws.

        x_i = m + σ C^½ z_i

    `start(mean, 1, covariance)` samples N(μ, Σ). Raises as `symmetric_root`, and for draws of another width.
    Source: Hansen (2016), Figure 6, (38) to (40).

    >>> cma_samples(start([1.0, 0.0], 0.5, [[4.0, 0.0], [0.0, 1.0]]), [[1.0, -1.0]]).tolist()
    [[2.0, -0.5]]
    """
    (z,) = read(draws=draws)
    if z.ndim != 2 or state.mean.shape != z.shape[1:]:
        raise InvalidBatch(f"draws have shape {z.shape}: give (λ, {len(state.mean)})")
    return np.asarray(state.mean + state.sigma * z @ symmetric_root(state.covariance))


def path_update(path: Any, step: Any, cumulation: Any, mu_eff: Any, moving: Any = 1) -> Array:
    """(n,), (n,) -> (n,): an evolution path, an average of steps whose variance selection at random would keep.

        p ← (1 - c) p + h √(c (2 - c) μ_eff) ⟨y⟩

    (1 - c)² + c (2 - c) = 1, and √μ_eff undoes that ⟨y⟩ is an average. Raises `InvalidBatch` for c outside [0, 1].
    Source: Hansen (2016), Figure 6, (43) and (45).

    >>> path_update([1.0], [2.0], 1.0, 4.0).tolist()
    [4.0]
    """
    p, y, c, mass = read(path=path, step=step, cumulation=cumulation, mu_eff=mu_eff)
    within(0, 1, cumulation=c)
    return np.asarray((1 - c) * p + moving * ar.square_root(c * (2 - c) * mass) * y)


def step_size_update(sigma: Any, path_sigma: Any, c_sigma: Any, d_sigma: Any) -> float:
    """σ, (n,) -> σ: longer where the path is longer than at random, shorter where it is shorter.

        σ ← σ exp(c_σ/d_σ (‖p_σ‖ / E‖N(0, I)‖ - 1))

    Source: Hansen (2016), Figure 6, (44).

    >>> step_size_update(2.0, [0.0, 0.0], 0.5, 0.5)  # 2/e
    0.7357588823428847
    """
    p = np.asarray(path_sigma)
    return float(sigma * np.exp(c_sigma / d_sigma * (np.linalg.norm(p) / mean_norm(len(p)) - 1)))


def is_moving(path_sigma: Any, c_sigma: Any, generation: int) -> bool:
    """(n,), g = 0, 1, ... -> h_σ: False while σ has yet to grow much, which would stretch C too fast.

        ‖p_σ‖ / √(1 - (1 - c_σ)^(2(g + 1))) < (1.4 + 2/(n + 1)) E‖N(0, I)‖

    `generation` counts those before this one: 0 in the first. The path is that after its own update.
    Source: Hansen (2016), appendix A.

    >>> is_moving([2.0, 2.0], 1.0, 0), is_moving([1.0, 1.0], 1.0, 0)
    (False, True)
    """
    p = np.asarray(path_sigma)
    length = np.linalg.norm(p) / np.sqrt(1 - (1 - c_sigma) ** (2 * (generation + 1)))
    return bool(length < (1.4 + 2 / (len(p) + 1)) * mean_norm(len(p)))


def covariance_update(
    covariance: Any, path_c: Any, steps: Any, weights: Any, c_1: Any, c_mu: Any, c_c: Any, moving: bool = True
) -> Array:
    """(n, n), (n,), (λ, n) fittest first, (λ,) -> (n, n): C after the rank-one and the rank-μ update.

        C ← (1 + c_1 δ - c_1 - c_μ Σ w) C + c_1 p_c p_cᵀ + c_μ Σ w°_i y_i y_iᵀ
        δ = (1 - h_σ) c_c (2 - c_c),   w° = w where w ≥ 0, else w n / (yᵀ C⁻¹ y)

    It runs on Fractions. Raises `InvalidBatch` for shapes that do not fit.
    Source: Hansen (2016), (46) and (47).

    >>> covariance_update([[1.0]], [2.0], [[1.0], [3.0]], [1.0, 0.0], 0.25, 0.5, 0.5).tolist()  # 1/4 + 1/4 · 4 + 1/2 · 1
    [[1.75]]
    """
    C, p, y, w, one, mu, c = read(
        covariance=covariance, path_c=path_c, steps=steps, weights=weights, c_1=c_1, c_mu=c_mu, c_c=c_c
    )
    n = len(C)
    if C.shape != (n, n) or p.shape != (n,) or y.shape != (len(w), n) or w.ndim != 1:
        raise InvalidBatch(f"covariance {C.shape}, path {p.shape}, steps {y.shape}, weights {w.shape} do not fit")
    lengths = (y * ar.solve(ar.kernel_from(C), y.T).T).sum(axis=1)
    down = ar.negative(w)
    bounded = np.where(down, w * n / np.where(down, lengths, ar.ones(w, w.shape)), w)
    delta = 0 * c if moving else c * (2 - c)
    new = (1 + one * delta - one - mu * w.sum()) * C + one * np.multiply.outer(p, p) + mu * (bounded * y.T) @ y
    return np.asarray((new + new.T) / 2)  # rounding must not add up to an asymmetry while C shrinks


def update(state: State, draws: Any, fitness: Any, constants: Constants | None = None) -> State:
    """State, (λ, n), (λ,) -> State: one generation, `fitness[i]` being that of m + σ C^½ draws[i], to be maximised.

        y = C^½ z,   then m, p_σ, σ, h_σ, p_c, C in this order, as on top of the file;   g ← g + 1

    Of equals, the earlier sample counts as the fitter. Raises `InvalidBatch` for NaN, shapes that do not fit, a number of
    samples other than that of the weights, and once C is no longer positive definite.
    Source: Hansen (2016), Figure 6.

    >>> update(start([0.0, 0.0], 1.0), [[1.0, 0.0], [0.0, 1.0]], [1.0, 0.0]).mean.tolist()
    [1.0, 0.0]
    """
    f, z = population(fitness, draws=draws)
    k = default_constants(z.shape[1], len(f)) if constants is None else constants
    if len(k.weights) != len(f) or state.mean.shape != z.shape[1:]:
        raise InvalidBatch(f"draws {z.shape}, mean {state.mean.shape}: {len(k.weights)} weights need as many samples")
    ranked = z[np.argsort(-f, kind="stable")]
    y = ranked @ symmetric_root(state.covariance)
    up = np.maximum(k.weights, 0)
    path_sigma = path_update(state.path_sigma, up @ ranked, k.c_sigma, k.mu_eff)
    moving = is_moving(path_sigma, k.c_sigma, state.generation)
    path_c = path_update(state.path_c, up @ y, k.c_c, k.mu_eff, int(moving))
    return State(
        mean=state.mean + k.c_m * state.sigma * (up @ y),
        sigma=step_size_update(state.sigma, path_sigma, k.c_sigma, k.d_sigma),
        covariance=covariance_update(state.covariance, path_c, y, k.weights, k.c_1, k.c_mu, k.c_c, moving),
        path_sigma=path_sigma,
        path_c=path_c,
        generation=state.generation + 1,
    )


# -- the simplified update --------------------------------------------------------------------------------------------


def weighted_mean_update(mean: Any, chosen: Any, weights: Any, rate: Any = 1) -> Array:
    """(n,), (m, n) fittest first, (m,) -> (n,): the mean moved towards the weighted elites.

        m ← m + α Σ_i w_i (θ'_i - m)

    With α = 1 and Σ w = 1 it is the weighted average of the elites; weights that do not sum to 1 rescale α.
    Source: Hansen (2016), (9), with c_m = α.

    >>> weighted_mean_update([0.0], [[4.0], [1.0]], [0.75, 0.25], 0.5).tolist()
    [1.625]
    """
    m, theta, w, alpha = read(mean=mean, elites=chosen, weights=weights, rate=rate)
    if theta.ndim != 2 or m.shape != theta.shape[1:] or w.shape != theta.shape[:1]:
        raise InvalidBatch(f"mean {m.shape}, elites {theta.shape}, weights {w.shape}: give (n,), (m, n), (m,)")
    return np.asarray(m + alpha * (w @ (theta - m)))


def elite_covariance(chosen: Any, noise: Any = 0, about: Any = None, weights: Any = None) -> Array:
    """(m, n) -> (n, n): the covariance of the elites about their own mean, or about another point, plus ε I.

        Σ = Σ_i w_i (θ'_i - c)(θ'_i - c)ᵀ + ε I,   w = 1/m and c = Σ w_i θ'_i unless given

    Its least eigenvalue is at least ε; without ε it is singular for m ≤ n elites. `about` the old mean it is the rank-μ
    estimate. Divided by m: code that divides by m - 1 has m/(m - 1) of it. Raises `InvalidBatch` for ε below 0.
    Source: Larrañaga and Lozano (2001), EMNA; about the old mean: Hansen (2016), §3.1.

    >>> elite_covariance([[2.0], [4.0]]).tolist(), elite_covariance([[2.0], [4.0]], about=[0.0]).tolist()
    ([[1.0]], [[10.0]])
    """
    theta, eps, c, w = read(elites=chosen, noise=noise, about=about, weights=weights, optional=("about", "weights"))
    within(0, None, noise=eps)
    if theta.ndim != 2 or theta.size == 0 or eps.ndim:
        raise InvalidBatch(f"elites {theta.shape}, noise {eps.shape}: give (m, n) and a scalar")
    w = ar.ones(theta, len(theta)) / len(theta) if w is None else w
    c = w @ theta if c is None else c
    if w.shape != theta.shape[:1] or c.shape != theta.shape[1:]:
        raise InvalidBatch(f"weights {w.shape}, about {c.shape}, elites {theta.shape}: give (m,), (n,), (m, n)")
    return np.asarray((w * (theta - c).T) @ (theta - c) + eps * np.eye(theta.shape[1], dtype=int))
