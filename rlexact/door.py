"""The door of the house: what a model and a policy must satisfy, said once, so that no solver asks again.

Every refusal names the place, what was found there and what to do: `P[3, 1] sums to 0.98: each row must sum to 1`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.invalid import InvalidMDP, InvalidPolicy
from rlexact.places import availability, is_place, label, names_of, place_of, terminal_mask, tuple_of
from rlexact.rows import (
    ROW_SUM_TOLERANCE,
    check_entries,
    check_gamma,
    check_initial,
    check_row_sums,
    check_terminal,
    expected_rewards,
    flatten,
    keep_rows,
    pair,
    shaped_rewards,
)

__all__ = [
    "ROW_SUM_TOLERANCE",
    "InvalidMDP",
    "InvalidPolicy",
    "Parts",
    "admit",
    "admit_policy",
    "availability",
    "beside",
    "check_entries",
    "check_gamma",
    "check_initial",
    "check_row_sums",
    "check_terminal",
    "expected_rewards",
    "flatten",
    "freeze",
    "is_place",
    "keep_rows",
    "label",
    "pair",
    "place_of",
    "read",
    "redress",
    "shaped_rewards",
    "terminal_mask",
    "tuple_of",
]


@dataclass(frozen=True, eq=False)
class Parts:
    """A model that has passed the door, every array in one world and read-only."""

    kernel: Any  # (S·A, S); zero rows for terminal states and unavailable actions
    R: Any  # as given: (S,), (S, A), (S, A, S) or sparse (S·A, S)
    r: Array  # (S, A) expected reward
    ends: Array  # (S, A) probability of ending on this step without a successor
    gamma: Any
    initial: Array | None
    terminal: Array  # (S,) bool
    available: Array  # (S, A) bool, False throughout at terminal states
    states: tuple[Any, ...] | None
    actions: tuple[Any, ...] | None
    law: tuple[Array, Array, Array, Array] | None = None  # rows, next states (-1: ended), probabilities, rewards


def read(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers of one world in the form it keeps.  Raises `InvalidMDP`."""
    try:
        return {name: x if x is None else ar.tidy(x) for name, x in ar.read(values).items()}
    except (ar.NotANumber, ar.MixedNumbers) as error:
        raise InvalidMDP(str(error)) from None


def admit(
    P: Any,
    R: Any,
    gamma: Any,
    initial: Any,
    terminal: Any,
    available: Any,
    states: Any,
    actions: Any,
    ends: Any = None,
) -> Parts:
    """Everything a user hands to `MDP(...)`, checked and converted; `ends` only where a model is read back."""
    known = names_of("states", states)
    one_state = is_place(initial, known)
    numbers = read({"P": P, "R": R, "gamma": gamma, "initial": None if one_state else initial, "ends": ends})
    flat, n_states, n_actions = flatten(numbers["P"])
    names, action_names = tuple_of("states", known, n_states), tuple_of("actions", actions, n_actions)
    ended = terminal_mask(terminal, names, n_states)
    mask = availability(available, n_states, n_actions) & ~ended[:, None]
    if (stuck := ~ended & ~mask.any(axis=1)).any():
        raise InvalidMDP(f"state {label(names, stuck)} has no available action: allow one, or list it in terminal=")
    check_entries(flat, n_actions)
    rewards = shaped_rewards(numbers["R"], n_states, n_actions)
    r_all = expected_rewards(flat, rewards, n_states, n_actions)
    none = ar.zeros(r_all, mask.shape)
    check_terminal(flat, r_all, none, ended, names)
    kernel = ar.kernel_from(keep_rows(flat, mask.ravel()))
    ended_mass = none if numbers["ends"] is None else checked_ends(numbers["ends"], mask)
    check_row_sums(kernel, mask, ended_mass)
    start = start_at(initial, none, names) if one_state else numbers["initial"]
    check_initial(start, n_states)
    return freeze(
        Parts(
            kernel=kernel,
            R=rewards,
            r=np.where(mask, r_all, none),
            ends=ended_mass,
            gamma=check_gamma(numbers["gamma"]),
            initial=start,
            terminal=ended,
            available=mask,
            states=names,
            actions=action_names,
        )
    )


def checked_ends(ends: Array, available: Array) -> Array:
    if np.shape(ends) != available.shape:
        raise InvalidMDP(f"ends has shape {np.shape(ends)}: give {available.shape}")
    wrong = ~ar.finite(ends) | ar.negative(ends) | (~available & ar.apart(ends, 0))
    if wrong.any():
        s, a = np.argwhere(wrong)[0]
        raise InvalidMDP(f"ends[{s}, {a}] = {ends[s, a]} is not the probability of ending on an available action")
    return ends


def start_at(state: Any, like: Array, names: tuple[Any, ...] | None) -> Array:
    """All mass on one state: (S, A) numbers of the model -> (S,)."""
    n_states = like.shape[0]
    start = ar.zeros(like, n_states)
    start[place_of(state, names, n_states, "initial")] = ar.number(like, 1)
    return start


def freeze(parts: Parts) -> Parts:
    for value in (*(getattr(parts, field.name) for field in fields(parts)), *(parts.law or ())):
        for array in (value.data, value.indices, value.indptr) if scipy.sparse.issparse(value) else (value,):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
    return parts


def redress(parts: Parts, **changes: Any) -> Parts:
    """The same model with other gamma, start or names, checked again."""
    n_states, n_actions = parts.r.shape
    changed = dict(changes)
    for what, size in (("states", n_states), ("actions", n_actions)):
        if what in changed:
            changed[what] = tuple_of(what, changed[what], size)
    names = changed.get("states", parts.states)
    if "initial" in changed and is_place(changed["initial"], names):
        changed["initial"] = start_at(changed["initial"], parts.r, names)
    if "gamma" in changed:
        changed["gamma"] = check_gamma(changed["gamma"])
    if "initial" in changed:
        check_initial(changed["initial"], n_states)
    return freeze(replace(parts, **changed))


def beside(parts: Parts, name: str, value: Any) -> Array:
    """Numbers read beside a model's own: integers join every model, decimal strings and Fractions the exact ones.

    Raises `NotANumber`, and `MixedNumbers` where the model would have to change its world.
    """
    mine = ar.of(parts.r)
    if type(value) is np.ndarray and value.dtype == np.float64 and mine is ar.of(value):
        return value
    try:
        numbers = ar.read({name: value, "the model": parts.r.flat[0]})
        theirs = ar.of(numbers["the model"])
    except ar.MixedNumbers:
        numbers = ar.read({name: value})
        theirs = ar.of(numbers[name])
    if theirs is not mine or scipy.sparse.issparse(numbers[name]):
        raise ar.MixedNumbers(f"{name} is {ar.of(numbers[name]).NAME}, the model is {mine.NAME}: convert one of them")
    return np.asarray(ar.tidy(numbers[name]))


def admit_policy(policy: Any, parts: Parts) -> Array:
    """A (S, A) policy in the model's own numbers, terminal rows zero.  Raises `InvalidPolicy`."""
    try:
        array = beside(parts, "policy", policy)
    except ar.MixedNumbers as error:
        raise InvalidPolicy(
            f"{error}. Make the policy from the model (uniform, deterministic, softmax, ...), or take the model "
            "to_float(), to_rational() or to_symbolic()"
        ) from None
    except ar.NotANumber as error:
        raise InvalidPolicy(str(error)) from None
    shape = parts.available.shape
    if array.shape != shape:
        hint = ": an integer action per state becomes a policy by deterministic(mdp, actions)" * (array.ndim == 1)
        raise InvalidPolicy(f"policy has shape {array.shape}, the model has {shape} states and actions{hint}")
    live: Array = np.any(parts.available, axis=1, keepdims=True)
    array = np.where(live, array, ar.zeros(parts.r, shape))
    for bad, what in (
        (~ar.finite(array), "is not a finite number"),
        (ar.negative(array), "is negative"),
        (live & ~parts.available & ar.apart(array, 0), "puts mass on an action that is not available"),
    ):
        if bad.any():
            s, a = np.argwhere(bad)[0]
            raise InvalidPolicy(f"policy[{s}, {a}] = {array[s, a]} {what}")
    sums = array.sum(axis=1)
    wrong = live[:, 0] & ar.apart(sums, 1, ROW_SUM_TOLERANCE)
    if wrong.any():
        s = int(np.flatnonzero(wrong)[0])
        raise InvalidPolicy(f"policy[{s}] sums to {sums[s]}: each row must sum to 1")
    return array
