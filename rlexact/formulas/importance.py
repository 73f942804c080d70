"""Importance sampling: what samples of one policy say about another.

    ρ = π(a | s) / μ(a | s) = exp(log π - log μ),    E_μ[ρ f] = E_π[f]  where μ > 0 wherever π > 0
    ordinary                      (1/N) Σ_i ρ_i G_i                                unbiased, of any variance
    weighted (self-normalised)    Σ_i ρ_i G_i / Σ_i ρ_i                            biased, within the range of the G_i
    per decision                  G_t = ρ_t (r_t + γ G_{t+1})                      each reward with the ratios before it
    doubly robust                 G_t = V(s_t) + ρ_t (r_t + γ G_{t+1} - Q(s_t, a_t))
    effective sample size         (Σ_i ρ_i)² / Σ_i ρ_i²                            from 1 to N

ρ_i of a whole trajectory is the product of its ratios (`cumulative_ratios`). Everything but `importance_ratios` takes ratios,
so that it runs on Fractions. Kahn and Marshall (1953); Precup, Sutton and Singh (2000); Sutton and Barto (2018), §5.5, §5.9.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, time_major, within
from rlexact.formulas.gae import backward_sum

LARGEST_LOG = np.log(np.finfo(np.float64).max)  # 709.78...: exp of anything more is no float


def importance_ratios(log_probs: Any, behaviour_log_probs: Any) -> Array:
    """(N,), (N,) -> (N,): ρ of each sample, from log-probabilities, target policy first.

        ρ = exp(log π - log μ)

    The difference is taken first: log-probabilities of -1e4 are no trouble. Raises `InvalidBatch` where the ratio exceeds
    the largest float, `NotExact` for exact numbers (divide the probabilities instead).
    Source: Sutton and Barto (2018), (5.3).

    >>> importance_ratios([-1e4], [-1e4])
    array([1.])
    """
    log_p, log_mu = numbers(log_probs=log_probs, behaviour_log_probs=behaviour_log_probs)
    log_rho = np.asarray(log_p - log_mu)
    if log_rho.dtype != object and (np.real(log_rho) > LARGEST_LOG).any():
        raise InvalidBatch(f"log ratio {np.real(log_rho).max():.6g}: its exponential exceeds the largest float")
    return ar.exp(log_rho)


def cumulative_ratios(ratios: Any) -> Array:
    """(T, ...) -> (T, ...): what each step of a trajectory counts under the target policy; the last row is the whole one.

        ρ_{0:t} = Π_{k≤t} ρ_k

    Raises `InvalidBatch` for negative ratios and where a product exceeds the largest float: sum log-probabilities over time
    and take `importance_ratios` of the sums.
    Source: Sutton and Barto (2018), (5.3).

    >>> cumulative_ratios([2.0, 0.25])
    array([2. , 0.5])
    """
    rho = read_ratios(ratios)
    time_major(ratios=rho)
    with np.errstate(over="ignore"):
        products = np.multiply.accumulate(rho, axis=0)
    if not np.all(ar.finite(products)):
        raise InvalidBatch("a product of ratios exceeds the largest float: sum log-probabilities instead")
    return np.asarray(products)


def importance_sampling_estimate(ratios: Any, returns: Any) -> Any:
    """(N,), (N,) -> a number: ordinary importance sampling, unbiased.

        (1/N) Σ_i ρ_i G_i

    Raises `InvalidBatch` for negative ratios.
    Source: Sutton and Barto (2018), (5.5).

    >>> float(importance_sampling_estimate([2.0, 0.5], [3.0, 4.0]))
    4.0
    """
    rho, g = read_ratios(ratios, returns=returns)
    return np.asarray((rho * g / max(rho.size, g.size)).sum())[()]


def weighted_importance_sampling_estimate(ratios: Any, returns: Any) -> Any:
    """(N,), (N,) -> a number: weighted importance sampling; with one sample it is that sample's return, whatever its ratio.

        Σ_i ρ_i G_i / Σ_i ρ_i

    Raises `InvalidBatch` where every ratio is 0: 0 / 0 has no value.
    Source: Sutton and Barto (2018), (5.6).

    >>> float(weighted_importance_sampling_estimate([2.0, 0.5], [3.0, 4.0]))
    3.2
    """
    rho, g = read_ratios(ratios, returns=returns)
    return np.asarray((normalised_ratios(rho) * g).sum())[()]


def normalised_ratios(ratios: Any) -> Array:
    """(N,) -> (N,): the weights of weighted importance sampling; they sum to 1.

        w_i = ρ_i / Σ_j ρ_j

    Only proportions matter: of log ratios, take the largest away before the exponential. Raises as
    `weighted_importance_sampling_estimate`.
    Source: Sutton and Barto (2018), (5.6).

    >>> normalised_ratios([2.0, 0.5])
    array([0.8, 0.2])
    """
    rho = read_ratios(ratios)
    if not np.any(ar.apart(rho, 0)):
        raise InvalidBatch("every ratio is 0: no sample could have come from the target policy")
    shares = rho / scale(rho)
    return np.asarray(shares / shares.sum())


def effective_sample_size(ratios: Any) -> Any:
    """(N,) -> a number: how many samples of the target policy itself would be as good, between 1 and N.

        N_eff = (Σ_i ρ_i)² / Σ_i ρ_i² = 1 / Σ_i w_i²

    Raises as `normalised_ratios`.
    Source: Kong (1992); Kong, Liu and Wong (1994), §4.1, with the variance estimated from the ratios.

    >>> float(effective_sample_size([3.0, 1.0]))
    1.6
    """
    shares = normalised_ratios(ratios)
    return np.asarray(1 / (shares * shares).sum())[()]


def per_decision_returns(ratios: Any, rewards: Any, terminated: Any, truncated: Any, gamma: Any) -> Array:
    """(T, ...) each -> (T, ...): returns to go with every reward weighted by the ratios up to its action.

        G_t = ρ_t (r_t + γ (1 - terminated_t)(1 - truncated_t) G_{t+1}) = Σ_k γ^k ρ_t ... ρ_{t+k} r_{t+k}

    Its mean under μ is V^π(s_t), as that of the trajectory's ratio times the return. Raises `InvalidBatch` as `td_errors`,
    and for negative ratios.
    Source: Precup, Sutton and Singh (2000), §3; Sutton and Barto (2018), §5.9.

    >>> per_decision_returns([2.0, 0.5], [1.0, 4.0], None, None, gamma=0.5)
    array([4., 2.])
    """
    rho, r, g = read_ratios(ratios, rewards=rewards, gamma=gamma)
    return corrected_returns(rho, r, 0 * r, 0 * r, terminated, truncated, g)


def doubly_robust_returns(
    ratios: Any, rewards: Any, values: Any, q_values: Any, terminated: Any, truncated: Any, gamma: Any
) -> Array:
    """(T, ...) each -> (T, ...): per-decision returns with a control variate, unbiased whatever the critic.

        G_t = V(s_t) + ρ_t (r_t + γ (1 - terminated_t)(1 - truncated_t) G_{t+1} - Q(s_t, a_t))

    V(s) = Σ_a π(a | s) Q(s, a) of any Q keeps the mean; Q = V = 0 gives `per_decision_returns`, and with Q^π of the model the
    only noise left is that of rewards and successors. Raises as `per_decision_returns`.
    Source: Jiang and Li (2016), (10).

    >>> doubly_robust_returns([2.0, 0.5], [1.0, 4.0], [3.0, 4.0], [3.0, 4.0], None, None, gamma=0.5)
    array([3., 4.])
    """
    rho, r, v_t, q_t, g = read_ratios(ratios, rewards=rewards, values=values, q_values=q_values, gamma=gamma)
    return corrected_returns(rho, r, v_t, q_t, terminated, truncated, g)


def corrected_returns(rho: Array, r: Array, v_t: Array, q_t: Array, terminated: Any, truncated: Any, g: Array) -> Array:
    """G_t = V_t + ρ_t (r_t - Q_t) + γ ρ_t G_{t+1}, cut at either flag."""
    ended, cut = flags(time_major(ratios=rho, rewards=r), terminated=terminated, truncated=truncated)
    within(0, 1, gamma=g)
    return backward_sum(v_t + rho * (r - q_t), np.where(ended | cut, 0 * rho, g * rho))


def read_ratios(ratios: Any, **beside: Any) -> Any:
    """Ratios of at least 0, alone or with what stands beside them."""
    found = numbers(ratios=ratios, **beside)
    within(0, None, ratios=found[0])
    return found if beside else found[0]


def scale(rho: Array) -> Any:
    """The largest ratio, so that no sum of shares overflows; symbols that cannot be ordered need none."""
    try:
        return ar.largest(np.real(rho))
    except ar.NotExact:
        return 1
