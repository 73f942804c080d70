"""Divergences between distributions on the last axis, and the inequalities that tie them.

    KL(p‖q) = Σ p log(p/q)                        0 where p = 0, +∞ where q = 0 < p
    JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m),  m = (p + q)/2           in [0, log 2]
    TV(p, q) = ½ Σ |p - q|                        in [0, 1];  the L1 distance is twice it, and has its own name
    H²(p, q) = ½ Σ (√p - √q)²,   χ²(p‖q) = Σ (p - q)²/q,   D_f(p‖q) = Σ q f(p/q)

    TV ≤ √(KL/2)                                  Pinsker;  so L1 ≤ √(2 KL)
    TV ≤ √(1 - e^-KL)                             Bretagnolle and Huber, below 1 always

Nats. Rows are probabilities: they sum to 1, within 1e-8 for floats, exactly for exact numbers. Cover and Thomas (2006); Lin
(1991); Tsybakov (2009), §2.4. Gradients: `kl_gradient` moves each entry freely, `kl_logit_gradient` moves softmax logits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, distributions, read


@dataclass(frozen=True, eq=False)
class DivergenceGradient:
    """The slope in the first and in the second distribution (or in their logits): (..., N) each."""

    p: Array
    q: Array


def kl(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): KL(p‖q), from p to q, in nats; +∞ where q = 0 < p.

        KL(p‖q) = Σ p log(p/q)

    Raises `InvalidBatch` for rows that are no distribution, `NotExact` for Fractions.
    Source: Kullback and Leibler (1951); Cover and Thomas (2006), (2.26).

    >>> kl([[1.0, 0.0], [0.5, 0.5]], [[0.5, 0.5], [1.0, 0.0]]).round(4)
    array([0.6931,    inf])
    """
    p_x, q_x = distributions(p=p, q=q)
    return np.asarray(np.where(ar.apart(p_x, 0), p_x * log_ratio(p_x, q_x), 0 * p_x).sum(axis=-1))


def kl_gradient(p: Any, q: Any) -> DivergenceGradient:
    """(..., N), (..., N) -> (..., N) twice: ∂KL/∂p and ∂KL/∂q, each entry moved freely.

        ∂KL/∂p_x = log(p_x/q_x) + 1,    ∂KL/∂q_x = -p_x/q_x

    -∞ in p where p = 0 < q, and in q where q = 0 < p; +∞ in p wherever q = 0.
    Source: differentiated from Cover and Thomas (2006), (2.26).

    >>> kl_gradient([0.5, 0.5], [0.25, 0.75]).q.round(4)
    array([-2.    , -0.6667])
    """
    p_x, q_x = distributions(p=p, q=q)
    in_p = np.where(ar.apart(p_x, 0), log_ratio(p_x, q_x) + 1, np.where(ar.apart(q_x, 0), -np.inf, np.inf))
    return DivergenceGradient(in_p, -ratio(p_x, q_x))


def kl_logit_gradient(p: Any, q: Any) -> DivergenceGradient:
    """(..., N), (..., N) -> (..., N) twice: the slope in the logits of p and in those of q.

        p = softmax(z):  ∂KL/∂z_x = p_x (log(p_x/q_x) - KL(p‖q));    q = softmax(z):  ∂KL/∂z_x = q_x - p_x

    The second is also that of the cross-entropy. Raises `InvalidBatch` where KL is infinite.
    Source: differentiated from Cover and Thomas (2006), (2.26), with the Jacobian of the softmax.

    >>> kl_logit_gradient([0.5, 0.5], [0.25, 0.75]).q
    array([-0.25,  0.25])
    """
    p_x, q_x = distributions(p=p, q=q)
    (total,) = read(divergence=kl(p_x, q_x))
    spread = ar.surprise(p_x, q_x) - total[..., None]
    return DivergenceGradient(np.asarray(p_x * spread), np.asarray(q_x - p_x))


def mean_kl(old: Any, new: Any, state_weights: Any) -> Array:
    """(S, A), (S, A), (S,) -> (): KL between two policies, averaged over states; the trust region's left side.

        E_{s~ρ}[Σ_a π_old(a | s) log(π_old(a | s) / π_new(a | s))]

    ρ is `state_weights`, a distribution over states. A state of weight 0 counts nothing, even where KL is infinite.
    Source: Schulman et al. (2015), "TRPO", (12).

    >>> float(mean_kl([[0.5, 0.5], [1.0, 0.0]], [[0.5, 0.5], [0.5, 0.5]], [0.5, 0.5]))
    0.34657359027997264
    """
    before, after, rho = read(old=old, new=new, state_weights=state_weights)
    distributions(old=before, new=after)
    distributions(state_weights=rho)
    if rho.shape != before.shape[:-1]:
        raise InvalidBatch(
            f"state_weights have shape {rho.shape}, the policies {before.shape}: give one for each state"
        )
    met = ar.apart(rho, 0)
    return np.asarray((rho[met] * kl(before[met], after[met])).sum())


def jensen_shannon(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): symmetric, finite, at most log 2; its square root is a metric.

        JS(p, q) = ½ KL(p‖m) + ½ KL(q‖m),   m = (p + q)/2

    Raises as `kl`.
    Source: Lin (1991), (4.1) at equal weights.

    >>> jensen_shannon([1.0, 0.0], [0.0, 1.0]).round(4)
    np.float64(0.6931)
    """
    p_x, q_x = distributions(p=p, q=q)
    middle = (p_x + q_x) / 2
    return np.asarray((p_x * ar.surprise(p_x, middle) + q_x * ar.surprise(q_x, middle)).sum(axis=-1) / 2)


def l1_distance(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): the sum of absolute differences, in [0, 2]; twice the total variation. It runs on Fractions.

        ‖p - q‖₁ = Σ |p - q|

    Some texts call this the total variation. Raises as `kl`.
    Source: Cover and Thomas (2006), §11.6.

    >>> float(l1_distance([1.0, 0.0], [0.0, 1.0]))
    2.0
    """
    p_x, q_x = distributions(p=p, q=q)
    return np.asarray(np.abs(p_x - q_x).sum(axis=-1))


def total_variation(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): the largest difference of the probability of an event, in [0, 1]. It runs on Fractions.

        TV(p, q) = ½ Σ |p - q| = max_A (p(A) - q(A))

    Raises as `kl`.
    Source: Levin, Peres and Wilmer (2017), Proposition 4.2.

    >>> float(total_variation([1.0, 0.0], [0.0, 1.0]))
    1.0
    """
    return np.asarray(l1_distance(p, q) / 2)


def hellinger(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): the Hellinger distance, in [0, 1], a metric.

        H(p, q) = √(½ Σ (√p - √q)²) = √(1 - Σ √(p q))

    Raises as `kl`, and `NotExact` where a root of Fractions is not rational.
    Source: Tsybakov (2009), §2.4, whose H² is twice this one.

    >>> float(hellinger([1.0, 0.0], [0.0, 1.0]))
    1.0
    """
    p_x, q_x = distributions(p=p, q=q)
    gap = ar.square_root(p_x) - ar.square_root(q_x)
    return np.asarray(ar.square_root((gap * gap).sum(axis=-1) / 2))


def chi_square(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): χ²(p‖q), the variance of p/q under q; +∞ where q = 0 < p. It runs on Fractions.

        χ²(p‖q) = Σ (p - q)²/q = Σ p²/q - 1

    Raises as `kl`.
    Source: Tsybakov (2009), §2.4.

    >>> float(chi_square([1.0, 0.0], [0.5, 0.5]))
    1.0
    """
    p_x, q_x = distributions(p=p, q=q)
    return np.asarray(((p_x - q_x) * (ratio(p_x, q_x) - np.where(ar.apart(q_x, 0), 0 * q_x + 1, 0 * q_x))).sum(axis=-1))


def f_divergence(p: Any, q: Any, f: Callable[[Array], Array], slope_at_infinity: Any) -> Array:
    """(..., N), (..., N) -> (...): the divergence of a convex f with f(1) = 0; f'(∞) is what mass outside q's support costs.

        D_f(p‖q) = Σ_{q > 0} q f(p/q) + f'(∞) p(q = 0)

    f takes an array of ratios ≥ 0. `slope_at_infinity` is lim f(t)/t: ∞ for KL (t log t) and χ² ((t - 1)²), ½ for TV (½|t - 1|).
    Source: Csiszár (1967); Liese and Vajda (2006), §II.

    >>> float(f_divergence([0.5, 0.5, 0.0], [0.5, 0.0, 0.5], lambda t: abs(t - 1) / 2, 0.5))
    0.5
    """
    p_x, q_x = distributions(p=p, q=q)
    held, lost = ar.apart(q_x, 0), ar.apart(p_x, 0) & ~ar.apart(q_x, 0)
    one = ar.ones(p_x, p_x.shape)
    inside = q_x * f(np.where(held, ratio(p_x, q_x), one))
    outside = np.where(lost, np.where(lost, p_x, one) * slope_at_infinity, 0 * p_x)
    return np.asarray((inside + outside).sum(axis=-1))


def pinsker_bound(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): what the total variation, half the L1 distance, cannot exceed.

        TV(p, q) ≤ √(KL(p‖q)/2)

    Says nothing once KL ≥ 2. Raises as `kl`.
    Source: Pinsker (1964), with the constant of Csiszár (1967); Tsybakov (2009), Lemma 2.5.

    >>> float(pinsker_bound([1.0, 0.0], [0.0, 1.0]))
    inf
    """
    return np.asarray(ar.square_root(not_below_zero(kl(p, q)) / 2))


def bretagnolle_huber_bound(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): what the total variation cannot exceed, at most 1 whatever KL is.

        TV(p, q) ≤ √(1 - exp(-KL(p‖q)))

    Raises as `kl`.
    Source: Bretagnolle and Huber (1979); Tsybakov (2009), Lemma 2.6.

    >>> float(bretagnolle_huber_bound([1.0, 0.0], [0.0, 1.0]))
    1.0
    """
    return np.asarray(ar.square_root(-ar.expm1(-not_below_zero(kl(p, q)))))


def not_below_zero(divergence: Array) -> Array:
    """A divergence that rounding may have left below 0."""
    return np.where(ar.negative(divergence), ar.zeros(divergence, divergence.shape), divergence)


def log_ratio(p: Array, q: Array) -> Array:
    """log(p/q), 0 where p = 0, +∞ where q = 0 < p."""
    return np.where(ar.apart(p, 0) & ~ar.apart(q, 0), np.inf, ar.surprise(p, q))


def ratio(p: Array, q: Array) -> Array:
    """p/q, 0 where p = 0, +∞ where q = 0 < p."""
    held = ar.apart(q, 0)
    return np.where(held, p / np.where(held, q, 0 * q + 1), np.where(ar.apart(p, 0), np.inf, 0 * p))
