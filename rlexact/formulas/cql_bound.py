"""Conservative Q-learning in a table: its minimiser, and the α for which it is a lower bound.

    argmin_Q α (E_μ Q - E_β Q) + ½ E_β (Q - y)²  =  y - α (μ / β - 1)                                   Theorem 3.2, μ = π
    argmin_Q α E_μ Q           + ½ E_β (Q - y)²  =  y - α μ / β                                         Theorem 3.1
    V lower bound if   α D(s) ≥ err(s),   D(s) = Σ_a π (π / β - 1) ≥ 0
    Q lower bound if   α μ/β ≥ err(s, a)

err bounds the sampling error of one backup. Of the first the value of π is a lower bound and Q is not: where μ < β it is
raised. Of the second Q is one, pair by pair. Kumar, Zhou, Tucker and Levine (2020), (1), (2), Theorems 3.1 and 3.2.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import beside, distributions, numbers, positive, refuse_where, within
from rlexact.formulas.cql import q_and_price


def cql_minimiser(targets: Any, mu: Any, behaviour: Any, alpha: Any) -> Array:
    """(S, A), (S, A), (S, A), α -> (S, A): the table that minimises the penalty with its Bellman error.

        argmin_Q α (E_μ Q - E_β Q) + ½ E_β (Q - y)²   =   y - α (μ / β - 1)

    Above y wherever μ < β. Raises `InvalidBatch` where β is 0 (nothing in the data holds Q there) and for α < 0.
    Source: Kumar et al. (2020), (2) and proof of Theorem 3.2.

    >>> cql_minimiser([[1.0, 1.0]], [[1.0, 0.0]], [[0.5, 0.5]], 2.0)
    array([[-1.,  3.]])
    """
    y, m, b = laws(targets, mu, behaviour)
    positive(behaviour=b)
    _, y, a = q_and_price(b, y, alpha)
    return np.asarray(y - a * (m / b - 1))


def cql_pointwise_minimiser(targets: Any, mu: Any, behaviour: Any, alpha: Any) -> Array:
    """(S, A), (S, A), (S, A), α -> (S, A): the minimiser of the penalty without the data's term, nowhere above y.

        argmin_Q α E_μ Q + ½ E_β (Q - y)²   =   y - α μ / β

    Raises as `cql_minimiser`.
    Source: Kumar et al. (2020), (1) and proof of Theorem 3.1.

    >>> cql_pointwise_minimiser([[1.0, 1.0]], [[1.0, 0.0]], [[0.5, 0.5]], 2.0)
    array([[-3.,  1.]])
    """
    y, m, b = laws(targets, mu, behaviour)
    positive(behaviour=b)
    _, y, a = q_and_price(b, y, alpha)
    return np.asarray(y - a * m / b)


def cql_gap(policy: Any, behaviour: Any) -> Array:
    """(S, A), (S, A) -> (S,): by how much a unit of α lowers the value of π in one backup; 0 only where π = β.

        D(s) = Σ_a π (π / β - 1) = Σ_a (π - β)² / β

    The chi-squared divergence of π from β. Raises `InvalidBatch` where β is 0 and π is not.
    Source: Kumar et al. (2020), Theorem 3.2.

    >>> cql_gap([[1.0, 0.0]], [[0.5, 0.5]])
    array([1.])
    """
    pi, b = distributions(policy=policy, behaviour=behaviour)
    unseen = ~ar.apart(b, 0)
    refuse_where(unseen & ar.apart(pi, 0), "behaviour", b, "above 0 where the policy is")
    return np.asarray(((pi - b) ** 2 / np.where(unseen, 1 + 0 * b, b)).sum(axis=-1))


def cql_sampling_error(visits: Any, r_max: Any, gamma: Any, constant: Any) -> Array:
    """(...) -> (...): the bound on the sampling error of a backup, by the number of times a state or pair is in the data.

        err = C R_max / ((1 - γ) √n)

    C is the paper's C_{r,T,δ}, for reward and transitions with probability 1 - δ. Raises `InvalidBatch` for n ≤ 0, γ
    outside [0, 1), `NotExact` where a root is not rational.
    Source: Kumar et al. (2020), Theorem 3.1.

    >>> cql_sampling_error([4, 100], 1, 0.5, 1)
    array([1. , 0.2])
    """
    n, most, g, c = numbers(visits=visits, r_max=r_max, gamma=gamma, constant=constant)
    positive(visits=n)
    within(0, None, r_max=most, gamma=g, constant=c)
    refuse_where(~ar.negative(g - 1), "gamma", g, "below 1")
    return np.asarray(c * most / ((1 - g) * ar.square_root(n)))


def cql_lower_bound(policy: Any, behaviour: Any, alpha: Any, errors: Any) -> Array:
    """(S, A), (S, A), α, (S,) -> (S,) booleans: the condition under which CQL's value of π is a lower bound, state by state.

        α D(s) ≥ err(s),   err(s) ≥ |Σ_a π (B̂ - B) Q|

    Sufficient where it holds in every state; not necessary. With exact backups (err = 0) any α ≥ 0 will do. Raises as
    `cql_gap`, and for α or an error below 0.
    Source: Kumar et al. (2020), Theorem 3.2.

    >>> cql_lower_bound([[1.0, 0.0]], [[0.5, 0.5]], 2.0, [1.5])
    array([ True])
    """
    gap, e, a = numbers(gap=cql_gap(policy, behaviour), errors=errors, alpha=alpha)
    within(0, None, errors=e, alpha=a)
    return ~ar.negative(np.asarray(a * gap - e))


def cql_lower_bound_alpha(policy: Any, behaviour: Any, errors: Any) -> Any:
    """(S, A), (S, A), (S,) -> one number: the least α that meets `cql_lower_bound` in every state.

        α = max_s err(s) / D(s),   D(s) = Σ_a π (π / β - 1)

    Never above the paper's max_s err(s) · max_s 1/D(s). Raises as `cql_gap`, and where D(s) = 0 < err(s): no α will do.
    Source: Kumar et al. (2020), Theorem 3.2.

    >>> float(cql_lower_bound_alpha([[1.0, 0.0]], [[0.5, 0.5]], [1.5]))
    1.5
    """
    gap, e = numbers(gap=cql_gap(policy, behaviour), errors=errors)
    return threshold(e, gap, "errors", "0 where policy and behaviour agree: no penalty covers an error there")


def cql_pointwise_alpha(mu: Any, behaviour: Any, errors: Any) -> Any:
    """(S, A), (S, A), (S, A) -> one number: the least α for which Q = y - α μ/β is a lower bound of Q^π pair by pair.

        α = max_{s, a} err(s, a) β / μ

    For `cql_pointwise_minimiser`, errors bounding |(B̂ - B) Q|. Raises `InvalidBatch` where μ = 0 < err: no α will do.
    Source: Kumar et al. (2020), Theorem 3.1.

    >>> float(cql_pointwise_alpha([[0.5, 0.5]], [[0.25, 0.75]], [[1.0, 1.0]]))
    1.5
    """
    m, b = distributions(mu=mu, behaviour=behaviour)
    e, _ = numbers(errors=errors, mu=m)
    return threshold(e * b, m, "errors", "0 where mu is 0: no penalty covers an error there")


def threshold(need: Array, each: Array, name: str, said: str) -> Any:
    """The largest need / each, where each is 0 only beside no need."""
    within(0, None, **{name: need})
    none = ~ar.apart(each, 0)
    refuse_where(none & ar.apart(need, 0), name, need, said)
    return np.asarray(ar.largest(need / np.where(none, 1 + 0 * each, each)))[()]


def laws(q: Any, mu: Any, behaviour: Any) -> tuple[Array, Array, Array]:
    m, b = distributions(mu=mu, behaviour=behaviour)
    x, m, b = numbers(q=q, mu=m, behaviour=b)
    beside({}, q=x)
    return x, m, b
