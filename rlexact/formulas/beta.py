"""The Beta distribution on (0, 1): a policy for bounded actions whose density needs no correction at the bounds.

    log p(x) = (a - 1) log x + (b - 1) log(1 - x) - log B(a, b)         log B = log Γ(a) + log Γ(b) - log Γ(a + b)
    ∂_a log p = log x - ψ(a) + ψ(a + b)                                 ∂_b log p = log(1 - x) - ψ(b) + ψ(a + b)
    mean a/(a + b)                                                      variance ab/((a + b)² (a + b + 1))
    H = log B - (a - 1) ψ(a) - (b - 1) ψ(b) + (a + b - 2) ψ(a + b)
    KL = log B(c, d)/B(a, b) + (a - c) ψ(a) + (b - d) ψ(b) + (c - a + d - b) ψ(a + b)
    F = diag(ψ'(a), ψ'(b)) - ψ'(a + b)                                  ψ = digamma, ψ' = trigamma

Mean and variance run on Fractions; Γ and its kin are SciPy's, in floats.
Johnson, Kotz and Balakrishnan (1995), chapter 25; Chou, Maturana and Scherer (2017), "Improving Stochastic Policy Gradients
in Continuous Control with Deep Reinforcement Learning using the Beta Distribution".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaln, digamma, polygamma, xlog1py, xlogy

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import floats, numbers, positive, refuse_where, within


@dataclass(frozen=True, eq=False)
class BetaGradient:
    """Derivatives in the two shape parameters."""

    a: Array
    b: Array


@dataclass(frozen=True, eq=False)
class BetaKlGradient:
    """Derivatives of KL(Beta(a, b) ‖ Beta(c, d)) in all four."""

    a: Array
    b: Array
    other_a: Array
    other_b: Array


def beta_arguments(**given: Any) -> list[Array]:
    """Floats of one shape, the parameters among them above 0."""
    arrays = floats(**given)
    positive(**{name: x for name, x in zip(given, arrays, strict=True) if name != "x"})
    return arrays


def beta_log_density(x: Any, a: Any, b: Any) -> Array:
    """(N,) each -> (N,): log p(x), in nats.

        log p(x) = (a - 1) log x + (b - 1) log(1 - x) - log B(a, b)

    At the bounds: -∞ where the exponent is above 0, the limit where it is 0, +∞ below. Raises `InvalidBatch` for x outside
    [0, 1] and for a, b ≤ 0, `NotExact` for exact numbers.
    Source: Johnson, Kotz and Balakrishnan (1995), (25.2).

    >>> beta_log_density([0.5, 0.0, 0.0], [2.0, 2.0, 1.0], [2.0, 2.0, 1.0]) - [np.log(1.5), 0.0, 0.0]
    array([  0., -inf,   0.])
    """
    x, a, b = beta_arguments(x=x, a=a, b=b)
    within(0, 1, x=x)
    return np.asarray(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))


def beta_score(x: Any, a: Any, b: Any) -> BetaGradient:
    """(N,) each -> (N,) each: the derivatives of log p(x) in a and in b.

        ∂_a = log x - ψ(a) + ψ(a + b),   ∂_b = log(1 - x) - ψ(b) + ψ(a + b)

    Raises as `beta_log_density`, and for x on the bounds, where no score exists.
    Source: Chou et al. (2017), §4.

    >>> beta_score(np.exp(-0.5), 2.0, 1.0).a.round(12) + 0.0
    np.float64(0.0)
    """
    x, a, b = beta_arguments(x=x, a=a, b=b)
    refuse_where(~((x > 0) & (x < 1)), "x", x, "strictly between 0 and 1")
    both = digamma(a + b)
    return BetaGradient(np.asarray(ar.log(x) - digamma(a) + both), np.asarray(np.log1p(-x) - digamma(b) + both))


def beta_mean(a: Any, b: Any) -> Array:
    """(N,) each -> (N,): E x; it runs on Fractions.

        E x = a/(a + b)

    Raises `InvalidBatch` for a, b ≤ 0.
    Source: Johnson, Kotz and Balakrishnan (1995), (25.15).

    >>> beta_mean([3.0], [1.0])
    array([0.75])
    """
    a, b = numbers(a=a, b=b)
    positive(a=a, b=b)
    return np.asarray(a / (a + b))


def beta_variance(a: Any, b: Any) -> Array:
    """(N,) each -> (N,): Var x; it runs on Fractions.

        Var x = ab/((a + b)² (a + b + 1))

    Raises `InvalidBatch` for a, b ≤ 0.
    Source: Johnson, Kotz and Balakrishnan (1995), (25.15).

    >>> beta_variance([3.0], [1.0])
    array([0.0375])
    """
    a, b = numbers(a=a, b=b)
    positive(a=a, b=b)
    return np.asarray(a * b / ((a + b) ** 2 * (a + b + 1)))


def beta_entropy(a: Any, b: Any) -> Array:
    """(N,) each -> (N,): H in nats, at most 0, which only Beta(1, 1) reaches.

        H = log B(a, b) - (a - 1) ψ(a) - (b - 1) ψ(b) + (a + b - 2) ψ(a + b)

    Raises `InvalidBatch` for a, b ≤ 0, `NotExact` for exact numbers.
    Source: Johnson, Kotz and Balakrishnan (1995), chapter 25.

    >>> beta_entropy([1.0, 2.0], [1.0, 1.0]) - [0.0, 0.5 - np.log(2)]
    array([0., 0.])
    """
    a, b = beta_arguments(a=a, b=b)
    both = digamma(a + b)
    return np.asarray(betaln(a, b) - (a - 1) * (digamma(a) - both) - (b - 1) * (digamma(b) - both))


def beta_entropy_gradient(a: Any, b: Any) -> BetaGradient:
    """(N,) each -> (N,) each: the derivatives of the entropy in a and in b.

        ∂_a H = -(a - 1) ψ'(a) + (a + b - 2) ψ'(a + b),   ∂_b H likewise

    Raises as `beta_entropy`.
    Source: differentiated from Johnson, Kotz and Balakrishnan (1995), chapter 25.

    >>> float(beta_entropy_gradient(1.0, 1.0).a)
    0.0
    """
    a, b = beta_arguments(a=a, b=b)
    both = (a + b - 2) * polygamma(1, a + b)
    return BetaGradient(np.asarray(both - (a - 1) * polygamma(1, a)), np.asarray(both - (b - 1) * polygamma(1, b)))


def beta_kl(a: Any, b: Any, other_a: Any, other_b: Any) -> Array:
    """(N,) each -> (N,): KL(Beta(a, b) ‖ Beta(c, d)), in nats.

        KL = log B(c, d)/B(a, b) + (a - c) ψ(a) + (b - d) ψ(b) + (c - a + d - b) ψ(a + b)

    Raises `InvalidBatch` for parameters ≤ 0, `NotExact` for exact numbers.
    Source: Johnson, Kotz and Balakrishnan (1995), chapter 25.

    >>> beta_kl([2.0], [1.0], [1.0], [1.0]).round(12) - (np.log(2) - 0.5).round(12)
    array([0.])
    """
    a, b, c, d = beta_arguments(a=a, b=b, other_a=other_a, other_b=other_b)
    both = digamma(a + b)
    return np.asarray(betaln(c, d) - betaln(a, b) + (a - c) * (digamma(a) - both) + (b - d) * (digamma(b) - both))


def beta_kl_gradient(a: Any, b: Any, other_a: Any, other_b: Any) -> BetaKlGradient:
    """(N,) each -> (N,) each: the derivatives of KL(Beta(a, b) ‖ Beta(c, d)) in all four parameters.

        ∂_a = (a - c) ψ'(a) - (a - c + b - d) ψ'(a + b),   ∂_c = ψ(c) - ψ(c + d) - ψ(a) + ψ(a + b)

    ∂_b and ∂_d are the same with the pairs exchanged. Raises as `beta_kl`.
    Source: differentiated from Johnson, Kotz and Balakrishnan (1995), chapter 25.

    >>> float(beta_kl_gradient(2.0, 1.0, 1.0, 1.0).other_a)
    -0.5
    """
    a, b, c, d = beta_arguments(a=a, b=b, other_a=other_a, other_b=other_b)
    shared = (a - c + b - d) * polygamma(1, a + b)
    log_mean = digamma(c + d) - digamma(a + b)
    return BetaKlGradient(
        np.asarray((a - c) * polygamma(1, a) - shared),
        np.asarray((b - d) * polygamma(1, b) - shared),
        np.asarray(digamma(c) - digamma(a) - log_mean),
        np.asarray(digamma(d) - digamma(b) - log_mean),
    )


def beta_fisher(a: Any, b: Any) -> Array:
    """(N,) each -> (N, 2, 2): E[score scoreᵀ] in (a, b).

        F = [[ψ'(a) - ψ'(a + b), -ψ'(a + b)], [-ψ'(a + b), ψ'(b) - ψ'(a + b)]]

    Raises as `beta_entropy`.
    Source: Johnson, Kotz and Balakrishnan (1995), chapter 25.

    >>> (beta_fisher(1.0, 1.0) - [[1.0, 1 - np.pi**2 / 6], [1 - np.pi**2 / 6, 1.0]]).round(12) + 0.0
    array([[0., 0.],
           [0., 0.]])
    """
    a, b = beta_arguments(a=a, b=b)
    a, b = a + 0 * b, b + 0 * a
    both = polygamma(1, a + b)
    rows = [[polygamma(1, a) - both, -both], [-both, polygamma(1, b) - both]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
