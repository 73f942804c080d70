"""Soft control with a finite number of steps left.

    V_H = given (0),   Q_t = r + γ P V_{t+1},   V_t = τ log Σ_a μ exp(Q_t / τ),   π_t = μ exp((Q_t - V_t) / τ)    [N1]
    V^π_t = Σ_a π_t (Q_t - τ log(π_t / μ))                                                                        [N2]

Ziebart (2010). Every γ in [0, 1] is finite here; errors add up: e_t ≤ m e_{t+1} + the rounding of step t, with m of
`contraction`. Answers lead with the time axis.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup, checked_v
from rlexact.exact.contraction import moduli, settled, up
from rlexact.exact.soft_bellman import soft_bellman_policy, soft_control
from rlexact.exact.soft_bounds import soft_enclosed
from rlexact.mdp import MDP


@dataclass(frozen=True, eq=False)
class SoftPlan:
    """`v` (H + 1, S), `q` and `policy` (H, S, A), with ‖v_t - V_t‖∞ ≤ `error_bound` for every t (0 in exact worlds)."""

    v: Array
    q: Array
    policy: Array
    error_bound: Any


def soft_backward_induction(
    mdp: MDP, horizon: int, temperature: Any, reference: Array | None = None, *, v: Array | None = None
) -> SoftPlan:
    """The soft optimum with `horizon` steps left, ending on values `v` (zeros) [N1]: (S,) -> `SoftPlan`.

    Works in symbols too, where expressions grow with every step. Raises `NotExact` in rationals (see
    `rlexact.exact.enclosure.soft_horizon_enclosure`).
    """
    control, last = soft_control(mdp, temperature, reference), end_values(mdp, horizon, v)
    m, error = None if ar.is_exact(mdp.r) else moduli(mdp).most, ar.number(mdp.r, 0)
    values, policies = [last], [np.empty((0, *mdp.r.shape), dtype=mdp.r.dtype)]
    for _ in range(horizon):
        top, slop = soft_enclosed(control, values[-1])
        policies.append(control.greedy(values[-1])[None])
        values.append(top)
        error = error if m is None else up(m * error + ar.largest(slop))
    v_all = np.stack(values[::-1])
    q = [backup(mdp, v_t)[None] for v_t in v_all[1:]]
    return SoftPlan(v_all, np.concatenate([policies[0], *q]), np.concatenate(policies[:1] + policies[:0:-1]), error)


def soft_horizon_value(
    mdp: MDP, policies: Array, temperature: Any, reference: Array | None = None, *, v: Array | None = None
) -> Array:
    """The soft value of one policy per step [N2]: (H, S, A) -> (H + 1, S)."""
    values = [end_values(mdp, len(policies), v)]
    for policy in policies[::-1]:
        values.append(soft_bellman_policy(mdp, policy, values[-1], temperature, reference))
    return np.stack(values[::-1])


def end_values(mdp: MDP, horizon: int, v: Array | None) -> Array:
    if horizon < 0:
        raise ValueError(f"horizon = {horizon}: give the number of steps left, 0 or more")
    return settled(mdp, ar.zeros(mdp.r, mdp.n_states) if v is None else mdp.beside("v", checked_v(mdp, v)))
