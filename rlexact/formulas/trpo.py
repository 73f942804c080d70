"""Trust region policy optimisation: one step, from products with the Fisher matrix alone.

    maximise E_old[ρ Â]   subject to   E[KL(π_old ‖ π)] ≤ δ

    F v = p ⊙ v - p (p · v)                        in the logits of one softmax                 fisher_vector_product
    F v = Σ_i w_i J_iᵀ (p_i ⊙ u - p_i (p_i · u)),  u = J_i v,  J = ∂ logits / ∂θ                parameter_fisher_product
    F x = g                                        by conjugate gradients                       conjugate_gradient
    θ + k^j β x,  β = √(2δ / xᵀ F x)               the first j that improves within δ           line_search, trpo_step

Exact arithmetic ends conjugate gradients after as many steps as F has different eigenvalues that g meets, at most K. Where
F is singular and g in its range, x is the solution of least norm. Divergences in nats, gains in rewards.
Schulman, Levine, Moritz, Jordan and Abbeel (2015), (14) and appendix C; Hestenes and Stiefel (1952).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, positive, read, within
from rlexact.formulas.natural_gradient import kl_step_size
from rlexact.solution import NotConverged

ROUNDINGS = 2**10  # units of roundoff in a relative residual that no further iteration improves

Evaluate = Callable[[Array], tuple[Any, Any]]  # parameters -> improvement of the surrogate, mean KL(old ‖ new)


@dataclass(frozen=True, eq=False)
class ConjugateGradient:
    """`x` with A x ≈ b; `residual` b - A x; `iterations` used."""

    x: Array
    residual: Array
    iterations: int


@dataclass(frozen=True, eq=False)
class TrustRegionUpdate:
    """`theta` after the step; `improvement` of the surrogate and `divergence` there; `backtracks` j; `step` β x unshrunk."""

    theta: Array
    improvement: Any
    divergence: Any
    backtracks: int
    step: Array


def fisher_vector_product(probs: Any, vector: Any) -> Array:
    """(..., A), (..., A) -> (..., A): the Fisher matrix of softmax logits times a vector, without the matrix.

        F v = (diag p - p pᵀ) v = p ⊙ v - p (p · v)

    0 for a constant vector: logits all shifted alike are the same policy. Probabilities sum to 1 (not checked), none
    negative. Raises `InvalidBatch`.
    Source: Schulman et al. (2015), appendix C.1, for the softmax.

    >>> fisher_vector_product([0.25, 0.75], [1.0, 0.0])
    array([ 0.1875, -0.1875])
    """
    p, v = numbers(probs=probs, vector=vector)
    within(0, None, probs=p)
    return np.asarray(p * v - p * (p * v).sum(axis=-1, keepdims=True))


def parameter_fisher_product(jacobians: Any, probs: Any, shares: Any, vector: Any) -> Array:
    """(N, A, K), (N, A), (N,), (K,) -> (K,): the same in the parameters behind the logits, summed over N states.

        F v = Σ_i w_i J_iᵀ (diag p_i - p_i p_iᵀ) J_i v

    J_i[a, k] is ∂ logit_a(s_i) / ∂θ_k, w_i ≥ 0 the share of state i: 1/N for a batch. Raises `InvalidBatch` for shapes that
    do not match.
    Source: Schulman et al. (2015), appendix C.1.

    >>> parameter_fisher_product([[[1.0], [0.0]]], [[0.25, 0.75]], [1.0], [2.0])
    array([0.375])
    """
    J, p, w, v = read(jacobians=jacobians, probs=probs, shares=shares, vector=vector)
    if J.ndim != 3 or p.shape != J.shape[:2] or w.shape != J.shape[:1] or v.shape != J.shape[2:] or not J.size:
        raise InvalidBatch(
            f"jacobians {J.shape}, probs {p.shape}, shares {w.shape}, vector {v.shape}: give (N, A, K), (N, A), (N,), (K,)"
        )
    within(0, None, shares=w)
    pushed = w[:, None] * fisher_vector_product(p, J @ v)
    return np.asarray((J * pushed[:, :, None]).sum(axis=(0, 1)))


def conjugate_gradient(product: Callable[[Array], Array], b: Any, iterations: int) -> ConjugateGradient:
    """(K,) -> `ConjugateGradient`: A x = b for a symmetric A ≥ 0 given by its product, from x = 0.

        α = rᵀr / pᵀAp,   x += α p,   r' = r - α A p,   p' = r' + (r'ᵀr' / rᵀr) p

    Exact on Fractions, where K iterations are enough; floats stop early at a relative residual of 10⁻¹³, rounding. Raises
    `InvalidBatch` for fewer than 1 iteration, and where pᵀAp ≤ 0: A is indefinite, or b outside the range of A.
    Source: Hestenes and Stiefel (1952), (3:1); Schulman et al. (2015), appendix C.

    >>> conjugate_gradient(lambda v: np.array([2.0, 0.5]) * v, [1.0, 1.0], 2).x
    array([0.5, 2. ])
    """
    (left,) = read(b=b)
    if left.ndim != 1 or not left.size or iterations < 1:
        raise InvalidBatch(f"b has shape {left.shape}, iterations = {iterations}: give (K,), K above 0, and at least 1")
    x, along, goal = 0 * left, left, left
    size = left @ left
    enough, used = (ROUNDINGS * ar.unit_roundoff(left)) ** 2 * size, 0
    while used < iterations and size > enough:
        pushed = product(along)
        positive(**{"p @ A @ p": np.asarray(along @ pushed)})
        alpha = size / (along @ pushed)
        x, left = x + alpha * along, left - alpha * pushed
        size, before = left @ left, size
        along, used = left + size / before * along, used + 1
    return ConjugateGradient(x, goal - product(x), used)


def accepts_step(improvement: Any, divergence: Any, kl_budget: Any, least: Any = 0) -> bool:
    """(), (), (), () -> bool: whether the line search stops here.

        improvement > least   and   divergence ≤ δ

    `improvement` is the surrogate's over the old policy, at the true ratios, not the linear model's; `divergence` the true
    mean KL(π_old ‖ π). Some codes ask for `least` = 0.1 of the linear model's promise.
    Source: Schulman et al. (2015), appendix C.

    >>> accepts_step(0.2, 0.009, 0.01), accepts_step(0.2, 0.011, 0.01), accepts_step(0.0, 0.009, 0.01)
    (True, False, False)
    """
    gain, d, delta, floor = numbers(improvement=improvement, divergence=divergence, kl_budget=kl_budget, least=least)
    return bool(np.all(ar.negative(floor - gain) & ~ar.negative(delta - d)))


def line_search(
    theta: Any, step: Any, evaluate: Evaluate, kl_budget: Any, *, shrink: Any, backtracks: int
) -> TrustRegionUpdate:
    """(K,), (K,) -> `TrustRegionUpdate`: back along the step until the surrogate improves within the budget.

        θ + k^j d   at the first j = 0, 1, ..., backtracks that `accepts_step` takes

    `evaluate` gives improvement and mean KL of parameters. Raises `NotConverged` where no j is taken, with θ as its best;
    `InvalidBatch` for k outside [0, 1].
    Source: Schulman et al. (2015), appendix C.

    >>> line_search([0.0], [4.0], lambda x: (x[0] * (3 - x[0]), x[0] ** 2), 1.0, shrink=0.5, backtracks=5).backtracks
    2
    """
    start, d, k, delta = read(theta=theta, step=step, shrink=shrink, kl_budget=kl_budget)
    within(0, 1, shrink=k)
    for j in range(backtracks + 1):
        moved = start + k**j * d
        gain, divergence = evaluate(moved)
        if accepts_step(gain, divergence, delta):
            return TrustRegionUpdate(moved, gain, divergence, j, d)
    raise NotConverged(
        f"none of {backtracks + 1} steps improves the surrogate within the budget {delta}: allow more backtracks, or more "
        "conjugate-gradient iterations",
        start,
    )


def trpo_step(
    theta: Any,
    gradient: Any,
    product: Callable[[Array], Array],
    evaluate: Evaluate,
    kl_budget: Any,
    *,
    iterations: int,
    shrink: Any,
    backtracks: int,
    damping: Any = 0,
) -> TrustRegionUpdate:
    """(K,), (K,) -> `TrustRegionUpdate`: the whole step: direction, length, line search.

        (F + λ I) x = g,   β = √(2δ / xᵀ (F + λ I) x),   θ + k^j β x

    `gradient` is that of the surrogate at θ, `product` v -> F v there, `evaluate` gives improvement and mean KL of
    parameters. A θ whose gradient is 0 is its own answer. Raises as `line_search`, `kl_step_size`, `conjugate_gradient`.
    Source: Schulman et al. (2015), §6 and appendix C.

    >>> found = trpo_step([0.0], [1.0], lambda v: 2.0 * v, lambda x: (x[0], x[0] ** 2), 0.25, iterations=1, shrink=0.5,
    ...     backtracks=0)
    >>> found.theta
    array([0.5])
    """
    params, g, lam, delta = read(theta=theta, gradient=gradient, damping=damping, kl_budget=kl_budget)
    within(0, None, damping=lam)
    positive(kl_budget=delta)
    if not ar.apart(g, 0).any():
        return TrustRegionUpdate(params, 0 * delta, 0 * delta, 0, 0 * params)

    def damped(v: Array) -> Array:
        return np.asarray(product(v) + lam * v)

    x = conjugate_gradient(damped, g, iterations).x
    step = kl_step_size(damped(x), x, delta) * x
    return line_search(params, step, evaluate, delta, shrink=shrink, backtracks=backtracks)
