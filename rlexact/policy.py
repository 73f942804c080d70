"""Policies as (S, A) arrays, made in the numbers of their model.

Rows are π(· | s) over the available actions. A terminal state's row is ignored everywhere; the makers fill it with the
first action.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.mdp import MDP

__all__ = [
    "InvalidPolicy",
    "deterministic",
    "deterministic_policies",
    "epsilon_greedy",
    "mixture",
    "softmax",
    "uniform",
]


def choices(mdp: MDP) -> Array:
    """Available actions, and the first one at terminal states: (S, A) booleans."""
    mask = mdp.available.copy()
    mask[~mask.any(axis=1), 0] = True
    return mask


def spread(mdp: MDP, mask: Array) -> Array:
    """Equal weight on the marked actions of each state."""
    weight = np.where(mask, ar.ones(mdp.r, mask.shape), ar.zeros(mdp.r, mask.shape))
    return np.asarray(weight / weight.sum(axis=1)[:, None])


def uniform(mdp: MDP) -> Array:
    """Every available action equally likely.  -> (S, A)"""
    return spread(mdp, choices(mdp))


def deterministic(mdp: MDP, actions: Sequence[Any] | Array) -> Array:
    """One action per state, by index or name: (S,) -> (S, A).  Raises `InvalidPolicy`."""
    chosen = list(actions) if isinstance(actions, Iterable) else [actions]
    if len(chosen) != mdp.n_states:
        raise InvalidPolicy(f"{len(chosen)} actions for {mdp.n_states} states: give one per state")
    mask = np.zeros((mdp.n_states, mdp.n_actions), dtype=bool)
    for s, action in enumerate(chosen):
        try:
            mask[s, mdp.action(action)] = True
        except ValueError as error:
            raise InvalidPolicy(f"actions[{s}]: {error}") from None
    return mdp_policy(mdp, spread(mdp, mask))


def mdp_policy(mdp: MDP, policy: Array) -> Array:
    """The policy in the model's numbers, checked, with the first action at terminal states."""
    return np.where(mdp.terminal[:, None], spread(mdp, first_of(choices(mdp))), mdp.admit(policy))


def deterministic_policies(mdp: MDP) -> "list[Array]":
    """Every deterministic policy of a small model, as (S, A) arrays: the brute-force oracle of tests and claims."""
    from itertools import product

    rows = [np.flatnonzero(row) for row in choices(mdp)]
    one_hot = np.eye(mdp.n_actions, dtype=bool)
    return [spread(mdp, one_hot[list(chosen)]) for chosen in product(*rows)]


def epsilon_greedy(mdp: MDP, q: Array, epsilon: Any) -> Array:
    """(1 - ε) on the first best action and ε spread over the available ones: (S, A) -> (S, A).

    Sutton and Barto (2018), §2.2. Raises `InvalidPolicy` for ε outside [0, 1].
    """
    weight = number_in_unit_interval(mdp, epsilon, "epsilon")
    return ar.tidy(weight * uniform(mdp) + (1 - weight) * first_best(mdp, q))


def first_best(mdp: MDP, q: Array) -> Array:
    """All mass on the first maximiser of q among the available actions: (S, A) -> (S, A)."""
    _, ties = ar.best(checked_q(mdp, q), choices(mdp))
    return spread(mdp, first_of(ties))


def first_of(mask: Array) -> Array:
    """The first marked action of each state: (S, A) -> (S, A) booleans."""
    return np.asarray(np.eye(mask.shape[1], dtype=bool)[mask.argmax(axis=1)])


def softmax(mdp: MDP, logits: Array, temperature: Any = 1) -> Array:
    """π(a | s) ∝ exp(logits[s, a] / temperature) over available actions: (S, A) -> (S, A).

    Floats and symbols only: in rationals `NotExact`. Raises `InvalidPolicy` for a temperature that is not positive.
    """
    tau = ar.number(mdp.r, temperature)
    if not np.all(ar.finite(np.array([tau]))) or ar.negative(np.array([tau])).any() or tau == 0:
        raise InvalidPolicy(f"temperature = {temperature}: give a positive number")
    q, mask = checked_q(mdp, logits), choices(mdp)
    none = ar.zeros(mdp.r, mask.shape)
    top = none[:, 0] if ar.is_exact(mdp.r) else ar.best(q, mask)[0]  # e^(q - max q) cannot overflow
    weights = np.where(mask, ar.exp(np.where(mask, (q - top[:, None]) / tau, none)), none)
    return ar.tidy(weights / weights.sum(axis=1)[:, None])


def mixture(mdp: MDP, first: Array, second: Array, weight: Any) -> Array:
    """(1 - weight) first + weight second, state by state: (S, A), (S, A) -> (S, A).

    Kakade and Langford (2002), the conservative mixture. Raises `InvalidPolicy` for a weight outside [0, 1].
    """
    w = number_in_unit_interval(mdp, weight, "weight")
    return ar.tidy((1 - w) * mdp_policy(mdp, first) + w * mdp_policy(mdp, second))


def number_in_unit_interval(mdp: MDP, x: Any, name: str) -> Any:
    value = ar.number(mdp.r, x)
    both = np.array([value, 1 - value])
    if not ar.finite(both).all() or ar.negative(both).any():
        raise InvalidPolicy(f"{name} = {x} lies outside [0, 1]")
    return value


def checked_q(mdp: MDP, q: Array) -> Array:
    """(S, A) action values in the model's numbers, 0 where no action is available."""
    array = mdp.beside("action values", q)
    if array.shape != (mdp.n_states, mdp.n_actions):
        raise InvalidPolicy(f"action values have shape {array.shape}, the model has {(mdp.n_states, mdp.n_actions)}")
    if (bad := mdp.available & ~ar.finite(array)).any():
        s, a = np.argwhere(bad)[0]
        raise InvalidPolicy(f"action value [{s}, {a}] = {array[s, a]} is not a finite number")
    return np.where(mdp.available, array, ar.zeros(mdp.r, array.shape))
