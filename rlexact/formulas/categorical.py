"""The categorical distribution from logits: the softmax policy.

    log π_a = z_a - log Σ_b e^{z_b}               π = softmax(z), the same for z + c
    ∂ log π_a/∂z = e_a - π                        the score: its mean under π is 0
    H = -Σ π log π        ∂H/∂z = -π (log π + H)
    KL(p ‖ q) = Σ p (log p - log q)               ∂/∂z_p = p (log p/q - KL),   ∂/∂z_q = q - p
    F = diag(π) - π πᵀ                            E[score scoreᵀ], singular along the vector of ones
    ∇_θ log π_a = ∇_θ z_a - Σ_b π_b ∇_θ z_b       for linear logits z_a = φ_aᵀ θ: φ_a - E_π φ

Logits (..., A), actions integers (...). The largest logit is subtracted before anything is exponentiated; a probability
that underflows to 0 adds 0 to entropies and divergences, as it should. Fractions are refused (`NotExact`), symbols pass.
Bridle (1990); Sutton and Barto (2018), §13.1 and §13.3; Kakade (2002); Maddison, Tarlow and Minka (2014) for Gumbel noise.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, read, refuse_where, taken, vectors


@dataclass(frozen=True, eq=False)
class CategoricalKlGradient:
    """Derivatives of KL(p ‖ q) in the logits of p and in those of q."""

    logits: Array
    other_logits: Array


def logit_rows(logits: Any) -> Array:
    """Logits (..., A), with an axis of actions."""
    (z,) = read(logits=logits)
    vectors(logits=z)
    return z


def log_softmax(logits: Any) -> Array:
    """(..., A) -> (..., A): log-probabilities.

        log π_a = z_a - log Σ_b e^{z_b}

    Exact to rounding for logits of ±1e4 and more. Raises `InvalidBatch` for NaN, infinity and scalars.
    Source: Bridle (1990); Sutton and Barto (2018), (13.2).

    >>> log_softmax([1e4, 0.0, -1e4])
    array([     0., -10000., -20000.])
    """
    return ar.log_softmax(logit_rows(logits))


def softmax(logits: Any) -> Array:
    """(..., A) -> (..., A): probabilities.

        π_a = e^{z_a} / Σ_b e^{z_b}

    Raises as `log_softmax`.
    Source: Bridle (1990); Sutton and Barto (2018), (13.2).

    >>> softmax([0.0, np.log(3.0)])
    array([0.25, 0.75])
    """
    return ar.tidy(ar.exp(log_softmax(logits)))


def categorical_log_prob(logits: Any, actions: Any) -> Array:
    """(..., A), (...) integers -> (...): log π of the action taken.

        log π_a = z_a - log Σ_b e^{z_b}

    Raises `InvalidBatch` for actions that are no integers from 0 to A - 1.
    Source: Sutton and Barto (2018), (13.2).

    >>> categorical_log_prob([[0.0, -1e4], [0.0, -1e4]], [0, 1])
    array([     0., -10000.])
    """
    return taken(log_softmax(logits), actions)


def categorical_score(logits: Any, actions: Any) -> Array:
    """(..., A), (...) integers -> (..., A): the derivative of log π_a in the logits.

        ∂ log π_a/∂z = e_a - π

    Raises as `categorical_log_prob`.
    Source: Sutton and Barto (2018), exercise 13.3.

    >>> categorical_score([0.0, np.log(3.0)], 1)
    array([-0.25,  0.25])
    """
    pi = softmax(logits)
    names = taken(np.broadcast_to(np.arange(pi.shape[-1]), pi.shape), actions)
    return np.asarray((np.arange(pi.shape[-1]) == names[..., None]).astype(int) - pi)


def softmax_policy_score(logits: Any, logit_gradients: Any, actions: Any) -> Array:
    """(..., A), (..., A, d), (...) integers -> (..., d): ∇_θ log π_a through the logits' own gradients.

        ∇_θ log π_a = ∇_θ z_a - Σ_b π_b ∇_θ z_b

    Raises as `categorical_log_prob`, and where the gradients do not stand beside the logits.
    Source: Sutton and Barto (2018), §13.3, the chain rule on (13.2).

    >>> softmax_policy_score([0.0, 0.0], [[1.0, 0.0], [3.0, 4.0]], 0)
    array([-1., -2.])
    """
    z, slopes = read(logits=logits, logit_gradients=logit_gradients)
    if slopes.ndim != z.ndim + 1 or slopes.shape[:-1] != z.shape:
        raise InvalidBatch(f"logit_gradients has shape {slopes.shape}: give shape {z.shape} and an axis of parameters")
    return np.asarray((categorical_score(z, actions)[..., None] * slopes).sum(axis=-2))


def linear_softmax_score(parameters: Any, features: Any, actions: Any) -> Array:
    """(d,), (..., A, d), (...) integers -> (..., d): the score of a softmax policy with linear logits z_a = φ_aᵀ θ.

        ∇_θ log π_a = φ_a - Σ_b π_b φ_b

    Raises as `softmax_policy_score`.
    Source: Sutton and Barto (2018), (13.9).

    >>> linear_softmax_score([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 1)
    array([-0.5,  0.5])
    """
    theta, phi = read(parameters=parameters, features=features)
    if theta.ndim != 1 or phi.ndim < 2 or phi.shape[-1] != len(theta):
        raise InvalidBatch(f"features {phi.shape} beside parameters {theta.shape}: give (..., A, d) beside (d,)")
    return softmax_policy_score(phi @ theta, phi, actions)


def categorical_entropy(logits: Any) -> Array:
    """(..., A) -> (...): H in nats, from 0 to log A.

        H = -Σ_a π_a log π_a

    Raises as `log_softmax`.
    Source: Shannon (1948), §6.

    >>> categorical_entropy([[0.0, 0.0], [1e4, -1e4]]) / np.log(2)
    array([1., 0.])
    """
    log_pi = log_softmax(logits)
    return np.asarray(-(ar.exp(log_pi) * log_pi).sum(axis=-1) + 0)


def categorical_entropy_gradient(logits: Any) -> Array:
    """(..., A) -> (..., A): the derivative of the entropy in the logits; it adds up to 0.

        ∂H/∂z = -π (log π + H)

    Raises as `log_softmax`.
    Source: Williams and Peng (1991), §3.

    >>> categorical_entropy_gradient([0.0, 0.0])
    array([0., 0.])
    """
    log_pi = log_softmax(logits)
    return np.asarray(-ar.exp(log_pi) * (log_pi + categorical_entropy(logits)[..., None]) + 0)


def log_ratios(logits: Any, other_logits: Any) -> tuple[Array, Array, Array]:
    """p, q and log p/q of each action, (..., A)."""
    z, other = numbers(logits=logits, other_logits=other_logits)
    vectors(logits=z, other_logits=other)
    log_p, log_q = log_softmax(z), log_softmax(other)
    return ar.exp(log_p), ar.exp(log_q), log_p - log_q


def categorical_kl(logits: Any, other_logits: Any) -> Array:
    """(..., A) each -> (...): KL(p ‖ q) of two softmaxes, in nats; finite, as finite logits leave out nothing.

        KL = Σ_a p_a (log p_a - log q_a)

    Raises `InvalidBatch` for shapes that differ.
    Source: Kullback and Leibler (1951).

    >>> categorical_kl([[0.0, -1e4], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]) / np.log(2)
    array([1., 0.])
    """
    p, _, gap = log_ratios(logits, other_logits)
    return np.asarray((p * gap).sum(axis=-1))


def categorical_kl_gradient(logits: Any, other_logits: Any) -> CategoricalKlGradient:
    """(..., A) each -> (..., A) each: the derivatives of KL(p ‖ q) in the logits of p and of q.

        ∂/∂z_p = p (log p/q - KL),   ∂/∂z_q = q - p

    Raises as `categorical_kl`.
    Source: differentiated from Kullback and Leibler (1951).

    >>> categorical_kl_gradient([0.0, np.log(3.0)], [0.0, 0.0]).other_logits
    array([ 0.25, -0.25])
    """
    p, q, gap = log_ratios(logits, other_logits)
    kl = (p * gap).sum(axis=-1, keepdims=True)
    return CategoricalKlGradient(np.asarray(p * (gap - kl)), np.asarray(q - p))


def categorical_fisher(logits: Any) -> Array:
    """(..., A) -> (..., A, A): E_π[score scoreᵀ] in the logits.

        F = diag(π) - π πᵀ

    Singular: F 1 = 0, as a shift of all logits changes nothing. Raises as `log_softmax`.
    Source: Kakade (2002), §2.

    >>> categorical_fisher([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    pi = softmax(logits)
    return np.asarray(np.eye(pi.shape[-1], dtype=int) * pi[..., None] - pi[..., :, None] * pi[..., None, :])


def gumbel_max_sample(logits: Any, uniforms: Any) -> Array:
    """(..., A), (..., A) in (0, 1) -> (...) integers: the action of largest perturbed logit, distributed as π.

        a = argmax_b (z_b - log(-log U_b))

    Raises `InvalidBatch` for uniforms of 0 or 1.
    Source: Maddison, Tarlow and Minka (2014), §2.

    >>> gumbel_max_sample([0.0, 1.0], [np.exp(-1.0), np.exp(-np.exp(2.0))])
    array(0)
    """
    z, u = numbers(logits=logits, uniforms=uniforms)
    vectors(logits=z, uniforms=u)
    refuse_where(~((u > 0) & (u < 1)), "uniforms", u, "strictly between 0 and 1")
    return np.asarray(np.argmax(z - ar.log(-ar.log(u)), axis=-1))


def inverse_cdf_sample(logits: Any, uniforms: Any) -> Array:
    """(..., A), (...) in [0, 1) -> (...) integers: the first action whose cumulated probability exceeds U.

        a = min {b : π_0 + ... + π_b > U}

    One uniform number per row; where rounding leaves the sum short of U, the last action with probability above 0.
    Raises `InvalidBatch` for uniforms outside [0, 1).
    Source: Devroye (1986), §III.2.

    >>> inverse_cdf_sample([[0.0, np.log(3.0)], [0.0, np.log(3.0)]], [0.2, 0.3])
    array([0, 1])
    """
    z, u = read(logits=logits, uniforms=uniforms)
    vectors(logits=z)
    if u.shape != z.shape[:-1]:
        raise InvalidBatch(f"uniforms has shape {u.shape}: give one for each row, shape {z.shape[:-1]}")
    refuse_where(~((u >= 0) & (u < 1)), "uniforms", u, "in [0, 1)")
    pi = softmax(z)
    above = pi.cumsum(axis=-1) > u[..., None]
    last = pi.shape[-1] - 1 - np.argmax(pi[..., ::-1] > 0, axis=-1)
    return np.asarray(np.where(above.any(axis=-1), np.argmax(above, axis=-1), last))
