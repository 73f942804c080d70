"""SARSA and expected SARSA: action values of the policy that is followed, or of one that is known.

    y = r + γ Q(s', a')                                                            SARSA, a' the action taken at s'
    y = r + γ Σ_a' π(a' | s') Q(s', a')                                            expected SARSA, of any policy π
    y = r_t + γ r_{t+1} + ... + γ^{n-1} r_{t+n-1} + γ^n Q(s_{t+n}, a_{t+n})         n steps

At a termination nothing follows. The error y - Q(s, a) is `td_errors` with action values in the places of state values; the
update is `q_learning.td_update`. With π greedy, expected SARSA is Q-learning. Sutton and Barto (2018), (6.7), (6.9), (7.4).
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import beside, flags, numbers, read, sum_to_one, vectors
from rlexact.formulas.dqn import one_step_targets
from rlexact.formulas.returns import n_step_returns


def sarsa_targets(rewards: Any, next_q_taken: Any, terminated: Any, gamma: Any) -> Array:
    """(N,) each -> (N,): the target for Q(s, a), `next_q_taken` being Q(s', a') of the action taken next.

        y = r + γ (1 - terminated) Q(s', a')

    Raises `InvalidBatch` as `td_errors`.
    Source: Sutton and Barto (2018), (6.7).

    >>> sarsa_targets([1.0, 1.0], [4.0, 4.0], [False, True], 0.5)
    array([3., 1.])
    """
    return one_step_targets(rewards, next_q_taken, terminated, gamma)


def expected_values(q_values: Any, probs: Any) -> Array:
    """(..., A), (..., A) -> (...): V(s), the values of a policy at each row.

        V(s) = Σ_a π(a | s) Q(s, a)

    Raises `InvalidBatch` for rows of probabilities that do not sum to 1.
    Source: Sutton and Barto (2018), (7.8).

    >>> expected_values([[4.0, 8.0]], [[0.75, 0.25]])
    array([5.])
    """
    q, p = numbers(q_values=q_values, probs=probs)
    vectors(q_values=q, probs=p)
    sum_to_one("probs", p, -1)
    return np.asarray((p * q).sum(axis=-1))


def expected_sarsa_targets(rewards: Any, next_q_values: Any, next_probs: Any, terminated: Any, gamma: Any) -> Array:
    """(N,), (N, A), (N, A), (N,) -> (N,): the target for Q(s, a), the next action averaged out.

        y = r + γ (1 - terminated) Σ_a' π(a' | s') Q(s', a')

    Less noise than SARSA at the same mean, where π is followed. Rows of a terminated step are not looked at. Raises as
    `expected_values` and `td_errors`.
    Source: Sutton and Barto (2018), (6.9).

    >>> expected_sarsa_targets([1.0], [[4.0, 8.0]], [[0.75, 0.25]], [False], 0.5)
    array([3.5])
    """
    r, v = next_expected(rewards, next_q_values, next_probs, terminated)
    return one_step_targets(r, v, terminated, gamma)


def n_step_sarsa_targets(rewards: Any, next_q_taken: Any, terminated: Any, truncated: Any, gamma: Any, n: int) -> Array:
    """(T, ...) each -> (T, ...): n rewards, then Q of the action taken; `next_q_taken[t]` = Q(s_{t+1}, a_{t+1}).

        y_t = Σ_{k<n} γ^k r_{t+k} + γ^n Q(s_{t+n}, a_{t+n})

    Raises as `n_step_returns`.
    Source: Sutton and Barto (2018), (7.4).

    >>> n_step_sarsa_targets([1, 1], [4, 8], [False, False], None, gamma=0.5, n=2)
    array([3.5, 5. ])
    """
    return n_step_returns(rewards, next_q_taken, terminated, truncated, gamma, n)


def n_step_expected_sarsa_targets(
    rewards: Any, next_q_values: Any, next_probs: Any, terminated: Any, truncated: Any, gamma: Any, n: int
) -> Array:
    """(T, ...), (T, ..., A) -> (T, ...): n rewards, then the policy's value; the actions between are as taken.

        y_t = Σ_{k<n} γ^k r_{t+k} + γ^n Σ_a π(a | s_{t+n}) Q(s_{t+n}, a)

    From n = 2 on it is right on-policy only: `n_step_tree_backup_targets` needs no such luck. Raises as `n_step_returns`.
    Source: Sutton and Barto (2018), (7.7).

    >>> n_step_expected_sarsa_targets([1, 1], [[4, 4], [8, 0]], [[1, 0], [0.5, 0.5]], [False, False], None, gamma=0.5, n=2)
    array([2.5, 3. ])
    """
    r, v = next_expected(rewards, next_q_values, next_probs, terminated)
    return n_step_returns(r, v, terminated, truncated, gamma, n)


def next_expected(rewards: Any, next_q_values: Any, next_probs: Any, terminated: Any) -> tuple[Array, Array]:
    """r and Σ_a' π Q at s'; where the step terminated π is not checked, as nothing of it is used."""
    r, q, p = read(rewards=rewards, next_q_values=next_q_values, next_probs=next_probs)
    beside({"rewards": r}, next_q_values=q, next_probs=p)
    (ended,) = flags(r.shape, terminated=terminated)
    sum_to_one("next_probs", p[~ended], -1)
    return r, np.asarray((p * q).sum(axis=-1))
