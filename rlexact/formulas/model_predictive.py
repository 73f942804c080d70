"""Model-predictive control: plan with a model, execute the first action, plan again.

    s' = s + Δ(s, a)                                                    the delta model: learn the change, not the state
    L = ½ ‖Δ(s, a) - (s' - s)‖²                                         its loss
    J(a_0 … a_H) = Σ_{k=0}^{H} γᵏ r(s_k, a_k) + γ^{H+1} V(s_{H+1}),   s_{k+1} = f(s_k, a_k)        maximised

H + 1 rewards; γ = 1 and V = 0 unless given. Random shooting takes the best of given candidates. Time comes first: a sequence
is (T, ...), candidates are (T, N, ...). A model is a function of arrays (states, actions) -> next states, a reward one
(states, actions) -> (N,); a table read at [s, a] will do. Nagabandi et al. (2018), §IV; Chua et al. (2018), "PETS".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.formulas.batch import InvalidBatch, numbers, read, time_major, within
from rlexact.formulas.reduction import Reduction, reduce, weights

Dynamics = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Plan:
    """The best candidate: its actions (T, ...), its objective, and the objectives (N,) of all."""

    actions: Array
    objective: Any
    objectives: Array

    @property
    def first(self) -> Any:
        """The action to execute before planning again."""
        return self.actions[0]


def delta_model(change: Dynamics) -> Dynamics:
    """Δ -> f: the model of next states made of a model of changes.

        f(s, a) = s + Δ(s, a)

    Source: Nagabandi et al. (2018), §IV.A.

    >>> delta_model(lambda s, a: 0.5 * a)(np.array([1.0]), np.array([4.0]))
    array([3.])
    """
    return lambda states, actions: np.asarray(states + change(states, actions))


def delta_model_loss(changes: Any, states: Any, next_states: Any, *, reduction: Reduction = "none") -> Any:
    """(N, D) three times -> (N,), or one number: the squared error of predicted changes. It runs on Fractions.

        L = ½ ‖Δ - (s' - s)‖²

    The same as ½ ‖f(s, a) - s'‖²: what differs is what the network has to produce. Raises `InvalidBatch` as usual.
    Source: Nagabandi et al. (2018), §IV.B.

    >>> delta_model_loss([[1.0, 0.0]], [[5.0, 5.0]], [[6.0, 7.0]])
    array([2.])
    """
    off = change_error(changes, states, next_states)
    return reduce((off * off).sum(axis=-1) / 2, reduction)


def delta_model_loss_gradient(changes: Any, states: Any, next_states: Any, *, reduction: Reduction = "none") -> Array:
    """(N, D) three times -> (N, D): ∂L/∂Δ, weighted as the reduction weighs the samples. It runs on Fractions.

        ∂L/∂Δ = Δ - (s' - s)

    Source: differentiated from Nagabandi et al. (2018), §IV.B.

    >>> delta_model_loss_gradient([[1.0, 0.0]], [[5.0, 5.0]], [[6.0, 7.0]])
    array([[ 0., -2.]])
    """
    off = change_error(changes, states, next_states)
    return np.asarray(off * weights(off[..., 0], reduction)[..., None])


def change_error(changes: Any, states: Any, next_states: Any) -> Array:
    delta, s, s_next = numbers(changes=changes, states=states, next_states=next_states)
    off = np.asarray(delta - (s_next - s))
    if off.ndim == 0:
        raise InvalidBatch("changes is a scalar: give the coordinates of a state on the last axis")
    return off


def predicted_states(dynamics: Dynamics, state: Any, actions: Any) -> Array:
    """f, (...), (T, ...) -> (T + 1, ...): the states that a model runs through, the start first.

        s_{k+1} = f(s_k, a_k)

    Source: Nagabandi et al. (2018), §IV.C.

    >>> predicted_states(lambda s, a: s + a, 1.0, [1.0, 2.0])
    array([1., 2., 4.])
    """
    states = [np.asarray(state)]
    for a_k in np.asarray(actions):
        states.append(np.asarray(dynamics(states[-1], a_k)))
    return np.stack(states)


def planning_objective(rewards: Any, gamma: Any = 1, final_values: Any = 0) -> Array:
    """(T, ...) -> (...): what a plan is worth; maximised. It runs on Fractions.

        Σ_{k=0}^{T-1} γᵏ r_k + γᵀ V(s_T)

    `final_values` is V of the state after the last action, one for each plan, or one number. Raises `InvalidBatch` for γ
    outside [0, 1].
    Source: Nagabandi et al. (2018), §IV.C; the final value: Lowrey et al. (2019), "POLO", §2.

    >>> float(planning_objective([1.0, 1.0, 1.0], gamma=0.5, final_values=8.0))
    2.75
    """
    r, g, v = read(rewards=rewards, gamma=gamma, final_values=final_values)
    within(0, 1, gamma=g)
    shape = time_major(rewards=r)
    if v.shape not in ((), shape[1:]):
        raise InvalidBatch(f"final_values have shape {v.shape}, the plans {shape[1:]}: give one for each")
    total = v + 0 * r[0]
    for r_k in r[::-1]:
        total = r_k + g * total
    return np.asarray(total)


def random_shooting(
    dynamics: Dynamics,
    reward: Dynamics,
    state: Any,
    candidates: Any,
    gamma: Any = 1,
    final_value: Callable[[Array], Array] | None = None,
) -> Plan:
    """f, r, (...), (T, N, ...) -> Plan: the best of N sequences of actions under a model.

        argmax over candidates of Σ_k γᵏ r(s_k, a_k) + γᵀ V(s_T),   s_{k+1} = f(s_k, a_k)

    The model is called once a step with all N plans. Of equally good plans the first is taken. Raises `InvalidBatch` for
    candidates without the axes (T, N).
    Source: Nagabandi et al. (2018), §IV.C.

    >>> plan = random_shooting(lambda s, a: s + a, lambda s, a: -(s**2), 2.0, [[-1.0, -2.0], [0.0, 0.0]])
    >>> plan.actions, plan.objectives
    (array([-2.,  0.]), array([-5., -4.]))
    """
    plans = np.asarray(candidates)
    if plans.ndim < 2 or 0 in plans.shape:
        raise InvalidBatch(f"candidates have shape {plans.shape}: give (T, N, ...), time first, then the plans")
    start = np.asarray(state)
    states = predicted_states(dynamics, np.broadcast_to(start, (plans.shape[1], *start.shape)), plans)
    rewards = np.stack([np.asarray(reward(s_k, a_k)) for s_k, a_k in zip(states[:-1], plans, strict=True)])
    values = planning_objective(rewards, gamma, 0 if final_value is None else final_value(states[-1]))
    best = int(np.argmax(values))
    return Plan(plans[:, best], values[best], values)
