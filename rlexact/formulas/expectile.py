"""Expectiles: means that count what lies above more than what lies below.

    L_τ(u) = |τ - 1[u < 0]| u²,   u = x - m
    m_τ = argmin_m E L_τ(x - m):   τ E (x - m)₊ = (1 - τ) E (m - x)₊

τ = 1/2 is the mean, τ → 1 the largest value of positive probability, τ → 0 the smallest. An expectile is no quantile: it
moves with every value, a quantile only with the order. Between two neighbouring values the condition is linear in m, so
sorting finds m in one pass, exactly in Fractions. Newey and Powell (1987), §2; Kostrikov, Nair and Levine (2022), §4.1.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import numbers, read, sum_to_one, time_major, within
from rlexact.formulas.reduction import Reduction, reduce, weights


def expectile_loss(errors: Any, expectile: Any, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N,), τ -> (N,), or one number: the asymmetric square of errors u = x - m, value minus estimate.

        L = |τ - 1[u < 0]| u²

    At τ = 1/2 half the squared error. Raises `InvalidBatch` for τ outside [0, 1].
    Source: Kostrikov, Nair and Levine (2022), §4.1; Newey and Powell (1987), §2.

    >>> expectile_loss([2.0, -2.0], 0.75)
    array([3., 1.])
    """
    u, share = errors_and_shares(errors, expectile)
    return reduce(share * u**2, reduction, mask)


def expectile_loss_gradient(errors: Any, expectile: Any, *, reduction: Reduction = "none", mask: Any = None) -> Array:
    """(N,), τ -> (N,): dL/du, continuous; dL/dm is its negative.

        dL/du = 2 |τ - 1[u < 0]| u

    Source: differentiated from Kostrikov, Nair and Levine (2022), §4.1.

    >>> expectile_loss_gradient([2.0, -2.0], 0.75)
    array([ 3., -1.])
    """
    u, share = errors_and_shares(errors, expectile)
    return np.asarray(2 * share * u * weights(u, reduction, mask))


def expectile_of(samples: Any, expectile: Any, probabilities: Any = None) -> Any:
    """(n,), τ -> one number: the τ-expectile of a sample, or of the law with these probabilities (n,); exact in Fractions.

        τ Σ p (x - m)₊ = (1 - τ) Σ p (m - x)₊

    τ = 0 and τ = 1 give the smallest and the largest value of positive probability. Raises `InvalidBatch` for τ outside
    [0, 1] and for probabilities that do not sum to 1.
    Source: Newey and Powell (1987), §2; Kostrikov, Nair and Levine (2022), §4.1.

    >>> float(expectile_of([0.0, 1.0], 0.75)), float(expectile_of([0.0, 1.0], 1))
    (0.75, 1.0)
    """
    x, tau, p = read(samples=samples, expectile=expectile, probabilities=probabilities, optional=["probabilities"])
    within(0, 1, expectile=tau)
    (n,) = time_major(samples=x)
    p = ar.ones(x, n) / n if p is None else p
    time_major(samples=x, probabilities=p)
    sum_to_one("probabilities", p, -1)
    order = np.argsort(x, kind="stable")
    order = order[ar.apart(p[order], 0)]
    return balance(x[order], p[order], tau)


def expectile_condition(samples: Any, m: Any, expectile: Any) -> Any:
    """(n,), m, τ -> one number: by how much the side above outweighs the side below; 0 at the expectile, falling in m.

        τ (1/n) Σ (x - m)₊ - (1 - τ) (1/n) Σ (m - x)₊ = -½ dL/dm

    Raises `InvalidBatch` for τ outside [0, 1].
    Source: Newey and Powell (1987), §2.

    >>> float(expectile_condition([2.0, 5.0, 3.0, 8.0], 4.5, 0.5))
    0.0
    """
    x, centre, tau = numbers(samples=samples, m=m, expectile=expectile)
    time_major(samples=x)
    return np.asarray(expectile_loss_gradient(x - centre, tau, reduction="mean").sum() / 2)[()]


def balance(x: Array, p: Array, tau: Array) -> Any:
    """The root of τ E(x - m)₊ - (1 - τ) E(m - x)₊, values ascending and probabilities above 0."""
    low, x = x[0], x - x[0]
    upto, mass = np.cumsum(p * x), np.cumsum(p)
    rise = tau * (upto[-1] - upto - x * (mass[-1] - mass)) - (1 - tau) * (x * mass - upto)
    k = int(np.flatnonzero(rise >= 0)[-1])  # the root lies in [x_k, x_{k+1}], where the condition is linear
    slope = tau * (mass[-1] - mass[k]) + (1 - tau) * mass[k]
    return np.asarray(low + x[k] + (rise[k] / slope if slope else 0 * rise[k]))[()]


def errors_and_shares(errors: Any, expectile: Any) -> tuple[Array, Array]:
    u, tau = numbers(errors=errors, expectile=expectile)
    within(0, 1, expectile=tau)
    return u, np.where(np.real(u) < 0, 1 - tau, tau)
