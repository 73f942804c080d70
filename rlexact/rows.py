"""What the numbers of a model must satisfy: probabilities that are, rows that sum to 1, rewards that fit."""

from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.invalid import InvalidMDP
from rlexact.places import Names, label

ROW_SUM_TOLERANCE = 1e-8  # floats: rows written with eight printed digits are meant to sum to 1


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
        return flat
    if scipy.sparse.issparse(flat):
        return scipy.sparse.csr_array(scipy.sparse.diags_array(mask.astype(float)) @ flat)
    return np.where(mask[:, None], flat, ar.zeros(flat, flat.shape))


def check_row_sums(kernel: Any, available: Array, ends: Array) -> None:
    n_actions = available.shape[1]
    sums = kernel.sum(axis=1).reshape(available.shape) + ends
    wrong = available & ar.apart(sums, 1, ROW_SUM_TOLERANCE)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        found = ar.tidy(sums).flat[i]
        hint = ", or list the state in terminal=" if found == 0 else ""
        raise InvalidMDP(f"P[{pair(i, n_actions)}] sums to {found}: each row must sum to 1{hint}")


def shaped_rewards(R: Any, n_states: int, n_actions: int) -> Any:
    full = (n_states, n_actions, n_states)
    if scipy.sparse.issparse(R):
        if R.shape != (n_states * n_actions, n_states):
            raise InvalidMDP(f"sparse R has shape {R.shape}: give ({n_states * n_actions}, {n_states}), row s·A + a")
    elif R is None or R.shape not in ((n_states,), (n_states, n_actions), full):
        shape = None if R is None else R.shape
        raise InvalidMDP(f"R has shape {shape}: give ({n_states},), {(n_states, n_actions)} or {full}")
    values = R.data if scipy.sparse.issparse(R) else R
    if not ar.finite(values).all():
        raise InvalidMDP(f"{bad_reward(R, n_actions)} is not a finite number: to forbid an action use available=")
    return R


def bad_reward(R: Any, n_actions: int) -> str:
    """The first reward that is not finite: its place and what stands there."""
    if scipy.sparse.issparse(R):
        rows, cols, values = ar.entries(R)
        i = int(np.flatnonzero(~ar.finite(values))[0])
        return f"R[{pair(int(rows[i]), n_actions)}, {cols[i]}] = {values[i]}"
    index = tuple(np.argwhere(~ar.finite(R))[0])
    return f"R[{', '.join(map(str, index))}] = {R[index]}"


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


def check_terminal(flat: Any, r: Array, ends: Array, terminal: Array, names: Names) -> None:
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
    closed = np.repeat(terminal, n_actions)
    stays = flat[closed].sum(axis=1) + ends.ravel()[closed]
    partly = ar.apart(stays, 0) & ar.apart(stays, 1, ROW_SUM_TOLERANCE)
    if partly.any():
        i = int(np.flatnonzero(partly)[0])
        place = pair(int(np.flatnonzero(closed)[i]), n_actions)
        raise InvalidMDP(f"P[{place}] sums to {stays[i]} in a terminal state: its rows are zero, or 1 where they stay")
    paying: Array = terminal[:, None] & ar.apart(r, 0)
    if paying.any():
        s, a = np.argwhere(paying)[0]
        state = label(names, np.any(paying, axis=1, keepdims=True))
        raise InvalidMDP(
            f"R[{s}, {a}] pays {r[s, a]} in terminal state {state}: a reward is paid on a step, so put it on the "
            "transition into the state (R of shape (S, A, S))"
        )


def check_gamma(gamma: Any) -> Any:
    """The discount as a scalar of its world."""
    if gamma is None or np.ndim(gamma) != 0 or scipy.sparse.issparse(gamma):
        raise InvalidMDP(f"gamma = {gamma!r}: give one number in [0, 1]")
    g: Any = ar.tidy(gamma)
    g = g[()] if isinstance(g, np.ndarray) else g
    g = float(g) if isinstance(g, np.floating) else g
    one = np.array([g, 1 - g], dtype=object if ar.is_exact(gamma) else float)
    if not ar.finite(one).all() or ar.negative(one).any():
        raise InvalidMDP(f"gamma = {g} lies outside [0, 1]")
    return g


def check_initial(initial: Any, n_states: int) -> None:
    if initial is None:
        return
    if scipy.sparse.issparse(initial) or initial.shape != (n_states,):
        raise InvalidMDP(f"initial has shape {initial.shape}: give ({n_states},) numbers, or one state")
    if not ar.finite(initial).all() or ar.negative(initial).any():
        s = int(np.flatnonzero(~ar.finite(initial) | ar.negative(initial))[0])
        raise InvalidMDP(f"initial[{s}] = {initial[s]} is not a probability")
    if ar.apart(np.array([initial.sum()]), 1, ROW_SUM_TOLERANCE).any():
        raise InvalidMDP(f"initial sums to {initial.sum()}: it must sum to 1")
