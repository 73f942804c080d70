"""Conservative Q-learning: a penalty on the values of actions that the data does not show.

    CQL(H)   log Σ_a e^{Q(s, a)} - Q(s, a_data)                      = max_μ E_μ Q + H(μ) - Q(s, a_data), μ = softmax Q
    CQL(ρ)   log E_ρ e^{Q(s, a)} - Q(s, a_data)                      = max_μ E_μ Q - KL(μ‖ρ) - Q(s, a_data)
    loss     α CQL + ½ (Q(s, a_data) - y)²

The first two are penalties: a log-sum-exp less the value in the data. `cql_bound` has what they do to a table, and when.
Kumar, Zhou, Tucker and Levine (2020), (2) to (4), Appendix A.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import (
    InvalidBatch,
    beside,
    distributions,
    numbers,
    positive,
    read,
    same_shape,
    taken,
    within,
)
from rlexact.formulas.dqn import squared_td_loss, squared_td_loss_gradient
from rlexact.formulas.reduction import Reduction, reduce, weights


@dataclass(frozen=True, eq=False)
class CqlGradient:
    """d loss / d Q at the sampled actions (..., M), and at the data's action (...)."""

    sampled_q: Array
    data_q: Array


def cql_h_loss(q: Any, actions: Any, temperature: Any = 1, *, reduction: Reduction = "none", mask: Any = None) -> Any:
    """(N, A), (N,) -> (N,), or one number: the CQL(H) penalty, at least 0.

        loss = T log Σ_a exp(Q(s, a) / T) - Q(s, a_data)

    T → 0 is max_a Q - Q(s, a_data). At T = 1 it is the cross-entropy of a softmax policy with logits Q. Raises `InvalidBatch`
    for actions that are no indices and T ≤ 0.
    Source: Kumar et al. (2020), (4).

    >>> cql_h_loss([[1000.0, 0.0]], [1])
    array([1000.])
    """
    rows, t = q_and_temperature(q, temperature)
    return reduce(t * ar.logsumexp(rows / t[..., None]) - taken(rows, actions), reduction, mask)


def cql_h_loss_gradient(
    q: Any, actions: Any, temperature: Any = 1, *, reduction: Reduction = "none", mask: Any = None
) -> Array:
    """(N, A), (N,) -> (N, A): d loss / dQ; each row sums to 0.

        d loss / dQ(s, a) = softmax(Q(s, ·) / T)_a - 1[a = a_data]

    Source: Kumar et al. (2020), differentiated from (4).

    >>> cql_h_loss_gradient([[0.0, 0.0]], [1])
    array([[ 0.5, -0.5]])
    """
    rows, t = q_and_temperature(q, temperature)
    slope = softmax_rows(rows / t[..., None]) - shown(rows, actions)
    return np.asarray(slope * weights(slope[..., 0], reduction, mask)[..., None])


def cql_loss(
    q: Any,
    actions: Any,
    targets: Any,
    alpha: Any,
    temperature: Any = 1,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Any:
    """(N, A), (N,), (N,), α -> (N,), or one number: CQL(H) with its Bellman error, target fixed.

        loss = α (T log Σ_a exp(Q(s, a) / T) - Q(s, a_data)) + ½ (Q(s, a_data) - y)²

    Raises as `cql_h_loss`, and for α < 0.
    Source: Kumar et al. (2020), (4).

    >>> cql_loss([[0.0, 0.0]], [1], [2.0], 0.0)
    array([2.])
    """
    rows, y, a = q_and_price(q, targets, alpha)
    error = squared_td_loss(taken(rows, actions), y)
    return reduce(np.asarray(a * cql_h_loss(rows, actions, temperature) + error / 2), reduction, mask)


def cql_loss_gradient(
    q: Any,
    actions: Any,
    targets: Any,
    alpha: Any,
    temperature: Any = 1,
    *,
    reduction: Reduction = "none",
    mask: Any = None,
) -> Array:
    """(N, A), (N,), (N,), α -> (N, A): d loss / dQ, through the data's action and all others.

        d loss / dQ(s, a) = α (softmax(Q(s, ·) / T)_a - 1[a = a_data]) + 1[a = a_data] (Q(s, a) - y)

    Source: Kumar et al. (2020), differentiated from (4).

    >>> cql_loss_gradient([[0.0, 0.0]], [1], [2.0], 1.0)
    array([[ 0.5, -2.5]])
    """
    rows, y, a = q_and_price(q, targets, alpha)
    error = squared_td_loss_gradient(taken(rows, actions), y) / 2
    slope = a * cql_h_loss_gradient(rows, actions, temperature) + shown(rows, actions) * error[..., None]
    return np.asarray(slope * weights(slope[..., 0], reduction, mask)[..., None])


def cql_rho_loss(
    sampled_q: Any, data_q: Any, log_densities: Any = None, *, reduction: Reduction = "none", mask: Any = None
) -> Any:
    """(N, M), (N,) -> (N,), or one number: the penalty from M actions sampled in each state, CQL(ρ) or an estimate of CQL(H).

        loss = log (1/M) Σ_i exp(Q(s, a_i) - l_i) - Q(s, a_data)

    l = 0, actions from ρ: CQL(ρ). l = log-density of what drew them: log Σ_a e^Q, or its integral, CQL(H). Both from below in
    the mean, by Jensen's inequality. Raises `InvalidBatch`.
    Source: Kumar et al. (2020), §3.2 and Appendix F (sampled log-sum-exp).

    >>> cql_rho_loss([[2.0, 2.0]], [0.5])
    array([1.5])
    """
    x, data = samples(sampled_q, data_q, log_densities)
    return reduce(ar.logsumexp(x) - ar.log(ar.number(x, x.shape[-1])) - data, reduction, mask)


def cql_rho_loss_gradient(
    sampled_q: Any, data_q: Any, log_densities: Any = None, *, reduction: Reduction = "none", mask: Any = None
) -> CqlGradient:
    """(N, M), (N,) -> CqlGradient of (N, M), (N,): d loss / dQ at the samples and at the data.

        d loss / dQ(s, a_i) = softmax(Q(s, ·) - l)_i,   d loss / dQ(s, a_data) = -1

    Self-normalised importance weights: the gradient of Σ_i w_i Q(s, a_i) with w held fixed, as Appendix A writes CQL(ρ).
    Source: Kumar et al. (2020), Appendix A.

    >>> cql_rho_loss_gradient([[2.0, 2.0]], [0.5])
    CqlGradient(sampled_q=array([[0.5, 0.5]]), data_q=array([-1.]))
    """
    x, data = samples(sampled_q, data_q, log_densities)
    share = weights(data, reduction, mask)
    return CqlGradient(softmax_rows(x) * share[..., None], -share)


def cql_regulariser(q: Any, mu: Any, behaviour: Any) -> Array:
    """(S, A) each -> (S,): the penalty for a given law μ of actions, with the law β of the data's.

        E_μ Q - E_β Q

    Linear in Q: its gradient is μ - β. The μ that maximises it is greedy; with H(μ) added it is softmax Q, and without E_β Q
    what remains is then `cql_h_loss`. Raises `InvalidBatch` where a row does not sum to 1.
    Source: Kumar et al. (2020), (2).

    >>> cql_regulariser([[4.0, 0.0]], [[1.0, 0.0]], [[0.5, 0.5]])
    array([2.])
    """
    m, b = distributions(mu=mu, behaviour=behaviour)
    x, m, b = numbers(q=q, mu=m, behaviour=b)
    beside({}, q=x)
    return np.asarray(((m - b) * x).sum(axis=-1))


def q_and_temperature(q: Any, temperature: Any) -> tuple[Array, Array]:
    rows, t = read(q=q, temperature=temperature)
    beside({"temperature": t}, q=rows)
    positive(temperature=t)
    return rows, t


def q_and_price(q: Any, targets: Any, alpha: Any) -> tuple[Array, Array, Array]:
    rows, y, a = read(q=q, targets=targets, alpha=alpha)
    within(0, None, alpha=a)
    if a.ndim:
        raise InvalidBatch(f"alpha has shape {a.shape}: give one number")
    return rows, y, a


def samples(sampled_q: Any, data_q: Any, log_densities: Any) -> tuple[Array, Array]:
    x, data, drawn = read(sampled_q=sampled_q, data_q=data_q, log_densities=log_densities, optional=["log_densities"])
    beside({"data_q": data}, sampled_q=x)
    if drawn is not None:
        same_shape({"sampled_q": x, "log_densities": drawn})
    return x if drawn is None else np.asarray(x - drawn), data


def softmax_rows(x: Array) -> Array:
    return np.asarray(ar.exp(x - ar.logsumexp(x)[..., None]))


def shown(rows: Array, actions: Any) -> Array:
    """1 at the data's action, 0 elsewhere, in the numbers of `rows`."""
    return np.where(np.arange(rows.shape[-1]) == np.asarray(actions)[..., None], 1 + 0 * rows, 0 * rows)
