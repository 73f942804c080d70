"""Entropy and what is built from it, in nats, of distributions on the last axis.

    H(p) = -Σ p log p                     0 log 0 = 0;  at most log N, at the uniform
    H(p, q) = -Σ p log q                  = H(p) + KL(p‖q), infinite where q = 0 < p
    H(X | Y) = H(X, Y) - H(Y)             of a table joint[x, y]
    I(X; Y) = H(X) - H(X | Y) = H(Y) - H(Y | X) = Σ p(x, y) log(p(x, y) / (p(x) p(y)))

Rows are probabilities: they sum to 1, within 1e-8 for floats. Shannon (1948); Cover and Thomas (2006), chapter 2.
"""

from typing import Any, Literal

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, distributions, numbers, sum_to_one


def entropy(p: Any) -> Array:
    """(..., N) -> (...): the entropy of each row, in nats.

        H(p) = -Σ p log p = E_p[-log p]

    Raises `InvalidBatch` for rows that are no distribution, `NotExact` for Fractions.
    Source: Shannon (1948), §6; Cover and Thomas (2006), (2.1).

    >>> entropy([[0.5, 0.5], [1.0, 0.0]]).round(4)
    array([0.6931, 0.    ])
    """
    (p_x,) = distributions(p=p)
    return np.asarray((-p_x * log_where(p_x)).sum(axis=-1))


def entropy_gradient(p: Any) -> Array:
    """(..., N) -> (..., N): ∂H/∂p, each entry moved freely; +∞ where p = 0.

        ∂H/∂p_x = -log p_x - 1

    Source: Cover and Thomas (2006), §2.1, differentiated.

    >>> entropy_gradient([1.0, 0.0])
    array([-1., inf])
    """
    (p_x,) = distributions(p=p)
    return np.asarray(-log_or_infinite(p_x) - 1)


def entropy_logit_gradient(p: Any) -> Array:
    """(..., N) -> (..., N): ∂H/∂z where p = softmax(z).

        ∂H/∂z_x = -p_x (log p_x + H(p))

    Source: Cover and Thomas (2006), §2.1, with the Jacobian of the softmax.

    >>> entropy_logit_gradient([0.5, 0.5]).round(12) + 0.0
    array([0., 0.])
    """
    (p_x,) = distributions(p=p)
    return np.asarray(-p_x * (log_where(p_x) + entropy(p_x)[..., None]))


def cross_entropy(p: Any, q: Any) -> Array:
    """(..., N), (..., N) -> (...): the mean surprise at q under p, in nats; +∞ where q = 0 < p.

        H(p, q) = -Σ p log q = H(p) + KL(p‖q)

    Raises as `entropy`.
    Source: Cover and Thomas (2006), §2.3.

    >>> cross_entropy([[1.0, 0.0], [0.5, 0.5]], [[0.5, 0.5], [0.0, 1.0]]).round(4)
    array([0.6931,    inf])
    """
    p_x, q_x = distributions(p=p, q=q)
    taken = ar.apart(p_x, 0)
    log_q = np.where(taken, log_or_infinite(np.where(taken, q_x, 0 * q_x + 1)), 0 * q_x)
    return np.asarray(np.where(taken, -p_x * log_q, 0 * q_x).sum(axis=-1))


def conditional_entropy(joint: Any, given: Literal["x", "y"] = "y") -> Array:
    """(..., X, Y) -> (...): what remains unknown of one variable when the other is seen, in nats.

        H(X | Y) = H(X, Y) - H(Y) = -Σ p(x, y) log p(x | y)

    joint[x, y]; `given` names the variable that is seen. Raises `InvalidBatch` for a table that is no distribution.
    Source: Cover and Thomas (2006), (2.10), (2.14).

    >>> float(conditional_entropy([[0.5, 0.0], [0.0, 0.5]])), float(conditional_entropy([[0.25, 0.25], [0.25, 0.25]]))
    (0.0, 0.6931471805599453)
    """
    table = joint_table(joint)
    seen = np.broadcast_to(table.sum(axis=axis_of(given), keepdims=True), table.shape)
    return np.asarray((-table * ar.surprise(table, seen)).sum(axis=(-2, -1)))


def mutual_information(joint: Any) -> Array:
    """(..., X, Y) -> (...): what one variable tells of the other, in nats; 0 where they are independent.

        I(X; Y) = KL(p(x, y) ‖ p(x) p(y)) = H(X) - H(X | Y) = H(Y) - H(Y | X)

    Raises as `conditional_entropy`.
    Source: Cover and Thomas (2006), (2.28), (2.39).

    >>> float(mutual_information([[0.5, 0.0], [0.0, 0.5]])), float(mutual_information([[0.25, 0.25], [0.25, 0.25]]))
    (0.6931471805599453, 0.0)
    """
    table = joint_table(joint)
    rows, columns = (np.broadcast_to(table.sum(axis=k, keepdims=True), table.shape) for k in (-1, -2))
    told = ar.surprise(table, rows) + ar.surprise(table, columns) - log_where(table)  # log(p/p_x) + log(p/p_y) - log p
    return np.asarray((table * told).sum(axis=(-2, -1)))


def joint_table(joint: Any) -> Array:
    """(..., X, Y), each table summing to 1."""
    (table,) = numbers(joint=joint)
    if table.ndim < 2:
        raise InvalidBatch(f"joint has shape {table.shape}: give joint[x, y], shape (..., X, Y)")
    sum_to_one("joint", table, (-2, -1))
    return table


def axis_of(given: str) -> int:
    """The axis that is summed over for the margin of the variable named."""
    if given not in ("x", "y"):
        raise InvalidBatch(f"given = {given!r}: give 'x' or 'y'")
    return -2 if given == "y" else -1


def log_where(p: Array) -> Array:
    """log p, 0 where p is 0."""
    return ar.surprise(p, 0 * p + 1)


def log_or_infinite(p: Array) -> Array:
    """log p, -∞ where p is 0."""
    return np.where(ar.apart(p, 0), log_where(p), -np.inf)
