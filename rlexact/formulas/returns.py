"""Returns, and the advantages that are a return minus a value.

    G_t = r_t + γ G_{t+1}                                                          the return to go
    G_t^{(n)} = r_t + γ r_{t+1} + ... + γ^{n-1} r_{t+n-1} + γ^n V(s_{t+n})         the n-step return
    G_t^λ = (1 - λ) Σ_{n<N} λ^{n-1} G_t^{(n)} + λ^{N-1} G_t^{(N)}                   the λ-return, N steps left
          = r_t + γ ((1 - λ) V(s_{t+1}) + λ G_{t+1}^λ)                             the same, from the last step back

Each is a target for V(s_t); minus V(s_t) it is an estimate of the advantage. λ = 0 is the TD target, λ = 1 the return to go.
At a termination nothing follows; at a truncation, and where the batch stops, `next_values[t]` = V(s_{t+1}) of the true
successor stands for the rest: an n-step return that meets either one takes fewer steps. With max_a Q(s_{t+1}, a) as
`next_values`, G^λ is Peng's Q(λ). r_t belongs to (s_t, a_t): it is the R_{t+1} of Sutton and Barto (2018), (3.8), (7.1),
(12.3). Time comes first: (T,) or (T, B).
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, flags, numbers, refuse_where, time_major, within
from rlexact.formulas.gae import backward_sum, bootstrapped, mixture, whole_steps


def discounted_return(rewards: Any, gamma: Any, mask: Any = None) -> Any:
    """(T, ...) -> (...): G_0, the whole return of every trajectory.

        G = Σ_t γ^t m_t r_t

    γ = 1 is the undiscounted sum. `mask` says which steps count; time passes at the others too (padding, or prompt tokens).
    Raises `InvalidBatch` for γ outside [0, 1], NaN, an empty batch.
    Source: Sutton and Barto (2018), (3.7) and (3.8).

    >>> float(discounted_return([1, 2, 4], 0.5))
    3.0
    """
    r, g = numbers(rewards=rewards, gamma=gamma)
    within(0, 1, gamma=g)
    time_major(rewards=r)
    return backward_sum(np.where(counted(r, mask), r, 0 * r), g + 0 * r)[0]


def returns_to_go(
    rewards: Any, terminated: Any, truncated: Any, gamma: Any, *, next_values: Any = None, mask: Any = None
) -> Array:
    """(T, ...) each -> (T, ...): G_t, the Monte-Carlo return from every step on.

        G_t = r_t + γ (1 - terminated_t) (V(s_{t+1}) where truncated_t or the batch stops, else G_{t+1})

    Without `next_values` a cut return is left as it is, nothing in the place of the rest. `mask` says which steps count: the
    others pay nothing and have return 0, time passes at them, and the last that counts is where its trajectory stops.
    Raises `InvalidBatch` as `td_errors`.
    Source: Sutton and Barto (2018), (3.9); at a truncation, Pardo et al. (2018), "Time Limits in Reinforcement Learning".

    >>> returns_to_go([1, 1, 1], [False, True, False], None, 0.5, next_values=[0, 9, 8])
    array([1.5, 1. , 5. ])
    """
    r, v_tp1, g = numbers(rewards=rewards, next_values=next_values, gamma=gamma, optional=["next_values"])
    within(0, 1, gamma=g)
    ended, cut = flags(time_major(rewards=r), terminated=terminated, truncated=truncated)
    counts = counted(r, mask)
    later = np.flip(np.logical_or.accumulate(np.flip(counts, axis=0)), axis=0)  # whether any step from t on counts
    stops = cut | ~np.concatenate([later[1:], later[:1] & False])
    paid = np.where(counts, r, 0 * r)
    terms, carry = one_step_back(paid, 0 * r if v_tp1 is None else v_tp1, ended, stops, g, 1)
    return np.where(counts, backward_sum(terms, carry), 0 * terms)


def n_step_returns(rewards: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, n: int) -> Array:
    """(T, ...) each -> (T, ...): G_t^{(n)}, n rewards and then the value.

        G_t^{(n)} = Σ_{k<n} γ^k r_{t+k} + γ^n V(s_{t+n})

    n = 1 is the TD target r_t + γ V(s_{t+1}). Raises `InvalidBatch` as `td_errors`, and for n below 1.
    Source: Sutton and Barto (2018), (7.1).

    >>> n_step_returns([1, 1, 1], [4, 4, 8], [False] * 3, None, gamma=0.5, n=2)
    array([2.5, 3.5, 5. ])
    """
    r, v_tp1, ended, cut, g, _ = arguments(rewards, next_values, terminated, truncated, gamma)
    whole_steps(n=n)
    one_step, stops = r + g * np.where(ended, 0 * v_tp1, v_tp1), ended | cut
    return bootstrapped(np.where(stops, one_step, r), one_step, np.where(stops, 0 * one_step, g + 0 * one_step), n)


def lambda_returns(rewards: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any) -> Array:
    """(T, ...) each -> (T, ...): G_t^λ, from the last step back.

        G_t^λ = r_t + γ ((1 - λ) V(s_{t+1}) + λ G_{t+1}^λ);   after a cut V alone, after a termination nothing

    Equals values + `gae` where next_values[t] = values[t + 1] within episodes. Raises as `gae`.
    Source: Sutton and Barto (2018), (12.18).

    >>> lambda_returns([1, 1], [3, 4], [False, False], None, gamma=0.5, lam=0.5)
    array([2.5, 3. ])
    """
    r, v_tp1, ended, cut, g, trace = arguments(rewards, next_values, terminated, truncated, gamma, lam)
    return backward_sum(*one_step_back(r, v_tp1, ended, cut, g, trace))


def lambda_returns_forward(
    rewards: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any
) -> Array:
    """(T, ...) each -> (T, ...): the same λ-returns by definition, n-step returns mixed; T² work, for checking.

        G_t^λ = (1 - λ) Σ_{n<N} λ^{n-1} G_t^{(n)} + λ^{N-1} G_t^{(N)}

    Beyond the end of an episode n-step returns no longer change, so N may be T for every t. Raises as `gae`.
    Source: Sutton and Barto (2018), (12.3).

    >>> lambda_returns_forward([1, 1], [3, 4], [False, False], None, gamma=0.5, lam=0.5)
    array([2.5, 3. ])
    """
    r, v_tp1, ended, cut, g, trace = arguments(rewards, next_values, terminated, truncated, gamma, lam)
    shares = enumerate(mixture(trace, len(r)), start=1)
    return np.asarray(sum(w * n_step_returns(r, v_tp1, ended, cut, g, n) for n, w in shares))


def monte_carlo_advantages(
    rewards: Any, values: Any, terminated: Any, truncated: Any, gamma: Any, *, next_values: Any = None
) -> Array:
    """(T, ...) each -> (T, ...): the return to go minus the value.

        Â_t = G_t - V(s_t)

    Any baseline may stand for V. Raises as `returns_to_go`.
    Source: Sutton and Barto (2018), §13.4.

    >>> monte_carlo_advantages([1, 1], [5, 5], [False, True], None, gamma=0.5)
    array([-3.5, -4. ])
    """
    r, v_t, v_tp1, g = numbers(
        rewards=rewards, values=values, next_values=next_values, gamma=gamma, optional=["next_values"]
    )
    time_major(rewards=r, values=v_t)
    return np.asarray(returns_to_go(r, terminated, truncated, g, next_values=v_tp1) - v_t)


def n_step_advantages(
    rewards: Any, values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, n: int
) -> Array:
    """(T, ...) each -> (T, ...): the n-step return minus the value; n = 1 is the TD advantage δ_t.

        Â_t^{(n)} = Σ_{k<n} γ^k r_{t+k} + γ^n V(s_{t+n}) - V(s_t)

    Raises as `n_step_returns`.
    Source: Mnih et al. (2016), §4; Schulman et al. (2016), (14).

    >>> n_step_advantages([1, 1], [2, 3], [3, 4], [False, False], None, gamma=0.5, n=2)
    array([0.5, 0. ])
    """
    r, v_t, v_tp1, g = numbers(rewards=rewards, values=values, next_values=next_values, gamma=gamma)
    time_major(rewards=r, values=v_t, next_values=v_tp1)
    return np.asarray(n_step_returns(r, v_tp1, terminated, truncated, g, n) - v_t)


def normalise_advantages(advantages: Any, eps: Any, *, mask: Any = None, ddof: int = 0) -> Array:
    """(N, ...) -> (N, ...): advantages of mean 0 and standard deviation σ / (σ + ε), over the whole batch.

        Â' = (Â - μ) / (σ + ε),   σ² = Σ (Â - μ)² / (N - ddof)

    ddof = 0 is NumPy's σ, ddof = 1 PyTorch's. Samples outside `mask` do not count and become 0. A constant batch becomes 0
    exactly, however it is rounded. Raises `InvalidBatch` where σ + ε = 0, where N ≤ ddof (one sample and ddof = 1: PyTorch
    gives NaN), for ε < 0 and where σ² overflows, `NotExact` where σ is irrational.
    Source: Schulman et al. (2017), as its implementations do it; Andrychowicz et al. (2021), "What Matters In On-Policy RL".

    >>> normalise_advantages([1.0, 3.0, 99.0], 1, mask=[True, True, False])
    array([-0.5,  0.5,  0. ])
    """
    adv, small = numbers(advantages=advantages, eps=eps)
    within(0, None, eps=small)
    counts = counted(adv, mask)
    samples = int(counts.sum())
    if samples <= ddof:
        raise InvalidBatch(f"{samples} sample(s) and ddof = {ddof}: the standard deviation does not exist")
    off = np.where(counts, adv - adv[counts][:1].sum(), 0 * adv)  # from the first sample: equal ones give 0 exactly
    off = np.where(counts, off - off.sum() / samples, 0 * off)
    spread = deviation(off, samples - ddof) + small
    if not np.all(ar.apart(spread, 0)):
        raise InvalidBatch("all advantages are equal and eps = 0: 0 / 0 has no value. Give eps above 0")
    return np.asarray(off / spread)


def deviation(off: Array, divisor: int) -> Any:
    """√(Σ off² / divisor).  Raises `InvalidBatch` where the squares exceed the largest float."""
    with np.errstate(over="ignore"):
        variance = np.asarray((off * off).sum() / divisor)
    refuse_where(~np.asarray(ar.finite(variance)), "variance", variance, "whose squares are floats")
    return ar.square_root(variance)


# -- the pieces -------------------------------------------------------------------------------------------------------


def arguments(
    rewards: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any = 1
) -> tuple[Array, ...]:
    """r, V(s'), two flags, γ and λ, read and in their ranges."""
    r, v_tp1, g, trace = numbers(rewards=rewards, next_values=next_values, gamma=gamma, lam=lam)
    ended, cut = flags(time_major(rewards=r, next_values=v_tp1), terminated=terminated, truncated=truncated)
    within(0, 1, gamma=g, lam=trace)
    return r, v_tp1, ended, cut, g, trace


def one_step_back(r: Array, v_tp1: Array, ended: Array, cut: Array, g: Array, trace: Any) -> tuple[Array, Array]:
    """G = terms + carry G' of the λ-return: r + γ (1 - λ) V' and γλ within an episode, the TD target and 0 at its end."""
    stops = ended | cut
    stops[-1] = True
    ahead = g * np.where(ended, 0 * v_tp1, v_tp1)
    return r + np.where(stops, ahead, ahead - trace * ahead), np.where(stops, 0 * r, g * trace + 0 * r)


def counted(x: Array, mask: Any) -> Array:
    """The mask, or True throughout."""
    return flags(x.shape, mask=np.ones(x.shape, dtype=bool) if mask is None else mask)[0]
