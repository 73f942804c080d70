"""The door of the house: what a model and a policy must satisfy, said once, so that no solver asks again.

Every refusal names the place, what was found there and what to do: `P[3, 1] sums to 0.98: each row must sum to 1`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array

ROW_SUM_TOLERANCE = 1e-8  # floats: rows written with eight printed digits are meant to sum to 1


class InvalidMDP(ValueError):
    """A model that is not a finite MDP: the message says where, what was found, and what to do."""


class InvalidPolicy(ValueError):
    """A policy that does not fit its model: wrong shape, world, sums, or mass where no action is available."""


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


def admit(
    P: Any, R: Any, gamma: Any, initial: Any, terminal: Any, available: Any, states: Any, actions: Any
) -> Parts:
    """Everything a user hands to `MDP(...)`, checked and converted."""
    try:
        numbers = ar.read({"P": P, "R": R, "gamma": gamma, "initial": None if is_place(initial) else initial})
    except ar.NotANumber as error:
        raise InvalidMDP(str(error)) from None
    except ar.MixedNumbers as error:
        raise InvalidMDP(str(error)) from None
    flat, n_states, n_actions = flatten(numbers["P"])
    names, action_names = tuple_of("states", states, n_states), tuple_of("actions", actions, n_actions)
    ended = terminal_mask(terminal, names, n_states)
    mask = availability(available, n_states, n_actions) & ~ended[:, None]
    if (stuck := ~ended & ~mask.any(axis=1)).any():
        raise InvalidMDP(f"state {label(names, stuck)} has no available action: allow one, or list it in terminal=")
    check_entries(flat, n_actions)
    rewards = shaped_rewards(numbers["R"], n_states, n_actions)
    r_all = expected_rewards(flat, rewards, n_states, n_actions)
    check_terminal(flat, r_all, ended, names)
    kernel = ar.kernel_from(keep_rows(flat, mask.ravel()))
    check_row_sums(kernel, mask, ar.zeros(kernel, mask.shape))
    r = np.where(mask, r_all, ar.zeros(kernel, r_all.shape))
    if is_place(initial):
        start = ar.zeros(kernel, n_states)
        start[place_of(initial, names, n_states, "initial")] = ar.number(kernel, 1)
    else:
        start = numbers["initial"]
    check_initial(start, n_states)
    return freeze(
        Parts(
            kernel=kernel,
            R=rewards,
            r=r,
            ends=ar.zeros(kernel, mask.shape),
            gamma=check_gamma(numbers["gamma"]),
            initial=start,
            terminal=ended,
            available=mask,
            states=names,
            actions=action_names,
        )
    )


def is_place(initial: object) -> bool:
    """A start given as one state (its index or its name) and not as a distribution."""
    return isinstance(initial, (int, np.integer, str)) and not isinstance(initial, (bool, np.bool_))


def flatten(P: Any) -> tuple[Any, int, int]:
    """(S, A, S) or sparse (S·A, S) -> (S·A, S), S, A."""
    if scipy.sparse.issparse(P):
        pairs, n_states = P.shape
        if n_states == 0 or pairs == 0:
            raise InvalidMDP(f"P has shape {P.shape}: an MDP has at least one state and one action")
        if pairs % n_states:
            raise InvalidMDP(f"sparse P has shape {P.shape}: give (S·A, S), row s·A + a, so rows divide by columns")
        return P, n_states, pairs // n_states
    if P is None or P.ndim != 3:
        shape = None if P is None else P.shape
        hint = "; a chain without actions is MDP.chain(P, R, gamma)" if P is not None and P.ndim == 2 else ""
        raise InvalidMDP(f"P has shape {shape}: give (S, A, S), P[s, a, s'] = p(s' | s, a){hint}")
    n_states, n_actions, width = P.shape
    if 0 in P.shape:
        raise InvalidMDP(f"P has shape {P.shape}: an MDP has at least one state and one action")
    if width != n_states:
        raise InvalidMDP(f"P has shape {P.shape}: the first and last axes are both states and must agree")
    return P.reshape(n_states * n_actions, n_states), n_states, n_actions


def tuple_of(what: str, names: Sequence[Any] | None, size: int) -> tuple[Any, ...] | None:
    if names is None:
        return None
    out = tuple(names)
    if len(out) != size:
        raise InvalidMDP(f"{what} has {len(out)} names for {size} {what}")
    if len(set(out)) != size:
        twice = next(name for name in out if out.count(name) > 1)
        raise InvalidMDP(f"{what} names {twice!r} more than once")
    return out


def label(names: tuple[Any, ...] | None, mask: Array) -> Any:
    first = int(np.flatnonzero(mask)[0])
    return first if names is None else f"{first} ({names[first]!r})"


def place_of(state: Any, names: tuple[Any, ...] | None, size: int, what: str) -> int:
    """A state given by index or by name."""
    if names is not None and state in names:
        return names.index(state)
    if isinstance(state, (int, np.integer)) and not isinstance(state, (bool, np.bool_)):
        if 0 <= state < size:
            return int(state)
        raise InvalidMDP(f"{what} names state {state}: states are 0 to {size - 1}")
    known = f"names are {names}" if names else "this model's states have no names"
    raise InvalidMDP(f"{what} names the state {state!r}: {known}")


def terminal_mask(terminal: Any, names: tuple[Any, ...] | None, size: int) -> Array:
    given = np.asarray(terminal) if not isinstance(terminal, (str, int)) else None
    if given is not None and given.dtype == bool:
        if given.shape != (size,):
            raise InvalidMDP(f"terminal is a mask of shape {given.shape}: give ({size},), or a list of states")
        return given.copy()
    mask = np.zeros(size, dtype=bool)
    for state in [terminal] if isinstance(terminal, (str, int)) else terminal:
        mask[place_of(state, names, size, "terminal")] = True
    return mask


def availability(available: Any, n_states: int, n_actions: int) -> Array:
    if available is None:
        return np.ones((n_states, n_actions), dtype=bool)
    mask = np.asarray(available)
    if mask.dtype != bool or mask.shape != (n_states, n_actions):
        raise InvalidMDP(
            f"available has dtype {mask.dtype} and shape {mask.shape}: give booleans of shape {(n_states, n_actions)}"
        )
    return mask.copy()


def pair(index: int, n_actions: int) -> str:
    return f"{index // n_actions}, {index % n_actions}"


def check_entries(flat: Any, n_actions: int) -> None:
    rows, cols, values = ar.entries(flat)
    for bad, what in ((~ar.finite(values), "is not a finite number"), (ar.negative(values), "is negative")):
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            place = f"P[{pair(int(rows[i]), n_actions)}, {cols[i]}]"
            raise InvalidMDP(f"{place} = {values[i]} {what}: each entry is a probability")


def keep_rows(flat: Any, mask: Array) -> Any:
    """The rows of the mask, the others zero."""
    if mask.all():
        return flat.copy()
    if scipy.sparse.issparse(flat):
        return scipy.sparse.csr_array(scipy.sparse.diags_array(mask.astype(float)) @ flat)
    return np.where(mask[:, None], flat, ar.zeros(flat, flat.shape))


def check_row_sums(kernel: Any, available: Array, ends: Array) -> None:
    n_actions = available.shape[1]
    sums = kernel.sum(axis=1).reshape(available.shape) + ends
    wrong = available & ar.apart(sums, 1, ROW_SUM_TOLERANCE)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        hint = ", or list the state in terminal=" if sums.flat[i] == 0 else ""
        raise InvalidMDP(f"P[{pair(i, n_actions)}] sums to {sums.flat[i]}: each row must sum to 1{hint}")


def shaped_rewards(R: Any, n_states: int, n_actions: int) -> Any:
    full = (n_states, n_actions, n_states)
    if scipy.sparse.issparse(R):
        if R.shape != (n_states * n_actions, n_states):
            raise InvalidMDP(f"sparse R has shape {R.shape}: give ({n_states * n_actions}, {n_states}), row s·A + a")
        values = R.data
    else:
        if R is None or R.shape not in ((n_states,), (n_states, n_actions), full):
            shape = None if R is None else R.shape
            raise InvalidMDP(f"R has shape {shape}: give ({n_states},), {(n_states, n_actions)} or {full}")
        values = R
    if not ar.finite(values).all():
        where = "sparse R" if scipy.sparse.issparse(R) else f"R[{', '.join(map(str, np.argwhere(~ar.finite(R))[0]))}]"
        raise InvalidMDP(f"{where} is not a finite number: to forbid an action use available=")
    return R


def expected_rewards(flat: Any, R: Any, n_states: int, n_actions: int) -> Array:
    """r(s, a) = Σ_s' p(s' | s, a) R(s, a, s'), whatever the rank of R."""
    shape = (n_states, n_actions)
    if scipy.sparse.issparse(R) or R.ndim == 3:
        other = R if scipy.sparse.issparse(R) else R.reshape(flat.shape)
        product = flat.multiply(other) if scipy.sparse.issparse(flat) else weigh_by_sparse(flat, other)
        return ar.tidy(np.asarray(product.sum(axis=1)).reshape(shape))
    return np.array(np.broadcast_to(R[:, None] if R.ndim == 1 else R, shape))


def weigh_by_sparse(flat: Array, other: Any) -> Any:
    return other.multiply(flat) if scipy.sparse.issparse(other) else flat * other


def check_terminal(flat: Any, r: Array, terminal: Array, names: tuple[Any, ...] | None) -> None:
    """A terminal state's rows are zero, or keep it where it is; and it pays nothing."""
    n_actions = r.shape[1]
    rows, cols, _ = ar.entries(flat)
    leaving = terminal[rows // n_actions] & (rows // n_actions != cols)
    if leaving.any():
        i = int(np.flatnonzero(leaving)[0])
        raise InvalidMDP(
            f"P[{pair(int(rows[i]), n_actions)}, {cols[i]}] leaves the terminal state {rows[i] // n_actions}: "
            "its rows are zero or stay where they are"
        )
    paying = terminal[:, None] & ar.apart(r, 0)
    if paying.any():
        s, a = np.argwhere(paying)[0]
        raise InvalidMDP(
            f"R[{s}, {a}] pays {r[s, a]} in terminal state {label(names, paying.any(axis=1))}: a reward is paid on a "
            "step, so put it on the transition into the state (R of shape (S, A, S))"
        )


def check_gamma(gamma: Any) -> Any:
    if gamma is None or np.ndim(gamma) != 0:
        raise InvalidMDP(f"gamma = {gamma!r}: give one number in [0, 1]")
    g = gamma[()] if isinstance(gamma, np.ndarray) else gamma
    g = float(g) if isinstance(g, np.floating) else g
    one = np.array([g, 1 - g], dtype=object if ar.is_exact(gamma) else float)
    if not ar.finite(one).all() or ar.negative(one).any():
        raise InvalidMDP(f"gamma = {g} lies outside [0, 1]")
    return g


def check_initial(initial: Any, n_states: int) -> None:
    if initial is None:
        return
    if np.shape(initial) != (n_states,):
        raise InvalidMDP(f"initial has shape {np.shape(initial)}: give ({n_states},), or one state")
    if not ar.finite(initial).all() or ar.negative(initial).any():
        s = int(np.flatnonzero(~ar.finite(initial) | ar.negative(initial))[0])
        raise InvalidMDP(f"initial[{s}] = {initial[s]} is not a probability")
    if ar.apart(np.array([initial.sum()]), 1, ROW_SUM_TOLERANCE).any():
        raise InvalidMDP(f"initial sums to {initial.sum()}: it must sum to 1")


def freeze(parts: Parts) -> Parts:
    for value in (*vars(parts).values(), *(parts.law or ())):
        for array in (value.data, value.indices, value.indptr) if scipy.sparse.issparse(value) else (value,):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
    return parts


def redress(parts: Parts, **changes: Any) -> Parts:
    """The same model with other gamma, start or names, checked again."""
    n_states, n_actions = parts.r.shape
    changed = dict(changes)
    if "initial" in changed and is_place(changed["initial"]):
        start = ar.zeros(parts.r, n_states)
        names = changed.get("states", parts.states)
        start[place_of(changed["initial"], names, n_states, "initial")] = ar.number(parts.r, 1)
        changed["initial"] = start
    for what, size in (("states", n_states), ("actions", n_actions)):
        if what in changed:
            changed[what] = tuple_of(what, changed[what], size)
    if "gamma" in changed:
        changed["gamma"] = check_gamma(changed["gamma"])
    if "initial" in changed:
        check_initial(changed["initial"], n_states)
    return freeze(replace(parts, **changed))


def admit_policy(policy: Any, parts: Parts) -> Array:
    """A (S, A) policy in the model's own numbers, terminal rows zero.  Raises `InvalidPolicy`."""
    shape = parts.available.shape
    array = np.asarray(policy)
    if array.shape != shape:
        hint = ": an integer action per state becomes a policy by deterministic(mdp, actions)" * (array.ndim == 1)
        raise InvalidPolicy(f"policy has shape {array.shape}, the model has {shape} states and actions{hint}")
    if array.dtype.kind not in "fiuO":
        raise InvalidPolicy(f"policy has dtype {array.dtype}: give probabilities")
    if array.dtype.kind in "iu":
        array = np.where(array == 1, ar.ones(parts.r, shape), np.where(array == 0, ar.zeros(parts.r, shape), array))
        if array.dtype == object and not all(x == 0 or x == 1 for x in array.flat):
            raise InvalidPolicy("policy holds integers other than 0 and 1: each entry is a probability")
    if (theirs := ar.of(array)) is not (mine := ar.of(parts.r)):
        if mine.NAME != "symbolic" or theirs.NAME != "rational":
            raise InvalidPolicy(
                f"policy is {theirs.NAME}, the model is {mine.NAME}: make it from the model (uniform, deterministic, "
                "softmax, ...), or convert the model with to_float() or to_rational()"
            )
        array = array * ar.ones(parts.r, shape)
    live = parts.available.any(axis=1)
    array = np.where(live[:, None], array, ar.zeros(parts.r, shape))
    for bad, what in (
        (~ar.finite(array), "is not a finite number"),
        (ar.negative(array), "is negative"),
        (live[:, None] & ~parts.available & ar.apart(array, 0), "puts mass on an action that is not available"),
    ):
        if bad.any():
            s, a = np.argwhere(bad)[0]
            raise InvalidPolicy(f"policy[{s}, {a}] = {array[s, a]} {what}")
    sums = array.sum(axis=1)
    wrong = live & ar.apart(sums, 1, ROW_SUM_TOLERANCE)
    if wrong.any():
        s = int(np.flatnonzero(wrong)[0])
        raise InvalidPolicy(f"policy[{s}] sums to {sums[s]}: each row must sum to 1")
    return array
