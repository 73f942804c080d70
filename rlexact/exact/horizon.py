"""Finite horizons: a fixed number H of steps, then a final value.

    V_H = g,   Q_t = r + γ P V_{t+1},   V_t(s) = max_a Q_t(s, a)                       [F1]  backward_induction
    V_H = g,   V_t(s) = Σ_a π_t(a | s) Q_t(s, a)                                       [F2]  policy_values_over_horizon
    d_0 = ρ,   d_{t+1} = γ P_{π_t}ᵀ d_t,   so   d_t(s) = γ^t Pr(s_t = s)               [F3]  visits_over_horizon

Bellman (1957); Puterman (1994), §4.5; the best policy depends on t. Every γ in [0, 1] will do. The time axis leads.

In floats each backup adds its rounding to what the last one left, contracted: e_H = 0, e_t = (rounding at t) + m e_{t+1},
with m the modulus of `contraction`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import checked_v
from rlexact.exact.contraction import averaged, contraction_modulus, enclosed_backup, up
from rlexact.exact.policy_iteration import within
from rlexact.mdp import MDP
from rlexact.policy import first_best
from rlexact.solution import Evaluation


@dataclass(frozen=True, eq=False)
class FiniteHorizon:
    """The best that H steps can do: `v` (H + 1, S), `q`, `policy` and `optimal_actions` (H, S, A).

    v[t] is worth with H - t steps to go, q[t] and policy[t] belong to step t. Every number of v is within `error_bound` of
    the truth (0 in exact worlds); `policy` takes the first maximiser, `optimal_actions` marks all that may be best.
    """

    v: Array
    q: Array
    policy: Array
    optimal_actions: Array
    error_bound: Any


def backward_induction(mdp: MDP, steps: int, *, terminal_values: Array | None = None) -> FiniteHorizon:
    """The best values and decisions over `steps` steps, `terminal_values` g (S,) after the last (0 if not given) [F1].

    Raises `ValueError` for a number of steps that is none, or final values at terminal states, which are 0.
    """
    v, doubt = [final_values(mdp, terminal_values)], [ar.number(mdp.r, 0)]
    q: list[Array] = []
    marks: list[Array] = []
    m = contraction_modulus(mdp)
    for _ in range(counted(steps)):
        q_t, slop = enclosed_backup(mdp, v[0])
        error = up(slop + m * doubt[0])
        v.insert(0, ar.best(q_t, mdp.available)[0])
        ...
