"""Tree backup: off-policy action values without importance ratios, the actions not taken backed up from Q.

    G_t^{(n)} = r_t + γ (Σ_{a≠a_{t+1}} π(a | s_{t+1}) Q(s_{t+1}, a) + π(a_{t+1} | s_{t+1}) G_{t+1}^{(n-1)})
              = r_t + γ V(s_{t+1}) + γ π_{t+1} (G_{t+1}^{(n-1)} - Q(s_{t+1}, a_{t+1})),   V(s) = Σ_a π(a | s) Q(s, a)
    TB(λ)     the same with λ π_{t+1} and without horizon

n = 1 is expected SARSA. The behaviour policy enters nowhere. `probs[t]` is π(a_t | s_t), `q_values[t]` is Q(s_t, a_t),
`next_values[t]` is V(s_{t+1}) of the true successor. Precup, Sutton and Singh (2000), §4; Sutton and Barto (2018), (7.15),
(7.16). Flags as in `gae`.
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import flags, numbers, time_major, within
from rlexact.formulas.gae import td_errors, whole_steps, window_sum
from rlexact.formulas.retrace import traced_targets


def n_step_tree_backup_targets(
    probs: Any, rewards: Any, q_values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, n: int
) -> Array:
    """(T, ...) each -> (T, ...): G_t^{(n)}, n steps and then Q.

        G_t^{(n)} = r_t + γ V(s_{t+1}) + γ π_{t+1} (G_{t+1}^{(n-1)} - Q(s_{t+1}, a_{t+1}))

    Raises `InvalidBatch` as `td_errors`, for probabilities outside [0, 1] and for n below 1.
    Source: Sutton and Barto (2018), (7.16).

    >>> n_step_tree_backup_targets([0.5, 0.5], [1, 1], [2, 4], [4, 0], [False, True], None, gamma=0.5, n=2)
    array([2.25, 1.  ])
    """
    whole_steps(n=n)
    p, delta, q = numbers(
        probs=probs, delta=td_errors(rewards, q_values, next_values, terminated, gamma), q_values=q_values
    )
    g = numbers(delta=delta, gamma=gamma)[1]
    within(0, 1, probs=p)
    ended, cut = flags(time_major(probs=p, delta=delta), terminated=terminated, truncated=truncated)
    ahead = np.concatenate([p[1:], 0 * p[:1]])
    return np.asarray(q + window_sum(delta, np.where(ended | cut, 0 * delta, g * ahead), n))


def tree_backup_targets(
    probs: Any, rewards: Any, q_values: Any, next_values: Any, terminated: Any, truncated: Any, gamma: Any, lam: Any = 1
) -> Array:
    """(T, ...) each -> (T, ...): the targets of TB(λ), to the end of the episode or the batch.

        G_t = Q(s_t, a_t) + Σ_k γ^k (Π_{1≤j≤k} λ π(a_{t+j} | s_{t+j})) δ_{t+k}

    Raises as `n_step_tree_backup_targets`, and for λ outside [0, 1].
    Source: Precup, Sutton and Singh (2000), §4; Munos et al. (2016), Table 1.

    >>> tree_backup_targets([0.5, 0.5], [1, 1], [2, 4], [4, 0], [False, True], None, gamma=0.5)
    array([2.25, 1.  ])
    """
    p, trace = numbers(probs=probs, lam=lam)
    within(0, 1, probs=p, lam=trace)
    return traced_targets(trace * p, rewards, q_values, next_values, terminated, truncated, gamma)
