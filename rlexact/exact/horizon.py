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
from rlexact.door import InvalidPolicy
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
    m = contraction_modulus(mdp)
    v, e = [final_values(mdp, terminal_values)], [ar.number(mdp.r, 0)]
    q, marks = [], []
    for _ in range(counted(steps)):
        q_t, slop = enclosed_backup(mdp, v[-1])
        marks.append(within(mdp, q_t, up(slop + m * e[-1])))
        e.append(up(ar.largest(slop) + m * e[-1]))
        v.append(ar.best(q_t, mdp.available)[0])
        q.append(q_t)
    policy = [first_best(mdp, q_t) for q_t in q]
    return FiniteHorizon(
        v=forwards(v, v[0]),
        q=forwards(q, mdp.r),
        policy=forwards(policy, mdp.r),
        optimal_actions=forwards(marks, mdp.r).astype(bool),
        error_bound=ar.largest(np.array(e)),
    )


def policy_values_over_horizon(
    mdp: MDP, policies: Array | Sequence[Array], steps: int, *, terminal_values: Array | None = None
) -> Evaluation:
    """V_t (H + 1, S) and Q_t (H, S, A) of one policy (S, A), or of one for each step (H, S, A) [F2].  Raises `InvalidPolicy`."""
    v, e = [final_values(mdp, terminal_values)], [ar.number(mdp.r, 0)]
    q = []
    for policy in reversed(one_per_step(mdp, policies, steps)):
        q_t, slop = enclosed_backup(mdp, v[-1])
        v_t, error = averaged(mdp, policy, q_t, slop)
        e.append(up(ar.largest(error) + contraction_modulus(mdp, policy) * e[-1]))
        v.append(v_t)
        q.append(q_t)
    return Evaluation(forwards(v, v[0]), forwards(q, mdp.r), ar.largest(np.array(e)))


def visits_over_horizon(mdp: MDP, policies: Array | Sequence[Array], steps: int) -> Array:
    """d_t(s) = γ^t Pr(s_t = s) for t = 0, ..., H from `mdp.initial`, under one policy or one for each step: (H + 1, S) [F3].

    A terminal state counts once, when it is entered; the sum over time tends to `visits`.
    """
    d = [mdp.initial]
    for policy in one_per_step(mdp, policies, steps):
        P, _ = mdp.under(policy)
        d.append(ar.tidy(mdp.gamma * (P.T @ d[-1])))
    return np.array(d)


def forwards(parts: list[Array], like: Array) -> Array:
    """What was found from the last step to the first, in the order of time: [(...), ...] -> (len, ...)."""
    return np.array(parts[::-1]).reshape(len(parts), *like.shape)


def counted(steps: Any) -> int:
    if isinstance(steps, (bool, np.bool_)) or not isinstance(steps, (int, np.integer)) or steps < 0:
        raise ValueError(f"steps = {steps!r}: give how many steps the horizon has, 0 or more")
    return int(steps)


def final_values(mdp: MDP, values: Array | None) -> Array:
    """g (S,) in the model's numbers.  Raises `ValueError` where it is not 0 at a terminal state."""
    if values is None:
        return ar.zeros(mdp.r, mdp.n_states)
    g = checked_v(mdp, values)
    if (paid := mdp.terminal & ar.apart(g, 0)).any():
        s = int(np.flatnonzero(paid)[0])
        raise ValueError(
            f"terminal_values[{s}] = {g[s]} in a terminal state: it is over there, so pay on the step into it"
        )
    return g


def one_per_step(mdp: MDP, policies: Array | Sequence[Array], steps: int) -> list[Array]:
    """The policy of each step, one for all or one each, checked: (S, A) or (H, S, A) -> H of (S, A)."""
    horizon = counted(steps)
    given = [policies] * horizon if np.ndim(np.asarray(policies)) == 2 else list(policies)
    if len(given) != horizon:
        raise InvalidPolicy(f"{len(given)} policies for {horizon} steps: give one (S, A), or one for each step")
    return [mdp.admit(policy) for policy in given]
