"""Where things are: states and actions by index or by name, and the masks made of them.

A name wins over an index. Where some names are integers, every integer is a name: with states (1, 2, 3), state 0 is
refused and not guessed.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.invalid import InvalidMDP

Names = tuple[Any, ...] | None


def names_of(what: str, names: Iterable[Any] | None) -> Names:
    """Names as given, NumPy's scalars as Python's; each hashable, none twice."""
    if names is None:
        return None
    if not isinstance(names, Iterable):
        raise InvalidMDP(f"{what} = {names!r}: give one name for each, in order")
    out = tuple(name.item() if isinstance(name, np.generic) else name for name in names)
    for name in out:
        if not hashable(name):
            raise InvalidMDP(f"{what} holds the name {name!r}, which can change: give strings, numbers or tuples")
    if len(set(out)) != len(out):
        twice = next(name for name in out if out.count(name) > 1)
        raise InvalidMDP(f"{what} names {twice!r} more than once")
    return out


def tuple_of(what: str, names: Iterable[Any] | None, size: int) -> Names:
    """Names for `size` states or actions."""
    out = names_of(what, names)
    if out is not None and len(out) != size:
        raise InvalidMDP(f"{what} has {len(out)} names for {size} {what}")
    return out


def hashable(x: object) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return isinstance(x, Hashable)


def is_truth(x: object) -> bool:
    return isinstance(x, (bool, np.bool_))


def index_by_name(names: Names, given: Any) -> int | None:
    """Where the name stands; True is not the name 1."""
    if names is None or not hashable(given):
        return None
    wanted = given.item() if isinstance(given, np.generic) else given
    found = (i for i, name in enumerate(names) if name == wanted and is_truth(name) == is_truth(wanted))
    return next(found, None)


def is_place(given: Any, names: Iterable[Any] | None = None) -> bool:
    """A start given as one state (its index or its name) and not as a distribution."""
    if isinstance(given, (int, np.integer, str)) and not is_truth(given):
        return True
    return isinstance(names, Sequence) and index_by_name(tuple(names), given) is not None


def place_of(given: Any, names: Names, size: int, what: str, kind: str = "state") -> int:
    """The index of a state (or action) given by name or by index."""
    named = index_by_name(names, given)
    if named is not None:
        return named
    integer = isinstance(given, (int, np.integer)) and not is_truth(given)
    if integer and not any(isinstance(name, int) for name in names or ()):
        if 0 <= given < size:
            return int(given)
        raise InvalidMDP(f"{what} names {kind} {given}: {kind}s are 0 to {size - 1}")
    known = f"names are {names}" if names else f"this model's {kind}s have no names, give an index from 0 to {size - 1}"
    raise InvalidMDP(f"{what} names the {kind} {given!r}: {known}")


def label(names: Names, mask: Array) -> Any:
    """The first marked state as a person would name it."""
    first = int(np.flatnonzero(mask)[0])
    return first if names is None else f"{first} ({names[first]!r})"


def terminal_mask(terminal: Any, names: Names, size: int) -> Array:
    """One state, several states, or a boolean mask -> (size,) booleans."""
    listed = [] if terminal is None else [terminal] if is_place(terminal, names) else sequence("terminal", terminal)
    if (listed and all(map(is_truth, listed))) or (isinstance(terminal, np.ndarray) and terminal.dtype == bool):
        if np.shape(listed) != (size,):
            raise InvalidMDP(f"terminal is a mask of shape {np.shape(listed)}: give ({size},), or a list of states")
        return np.array(listed, dtype=bool)
    mask = np.zeros(size, dtype=bool)
    for state in listed:
        mask[place_of(state, names, size, "terminal")] = True
    return mask


def sequence(what: str, values: Any) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise InvalidMDP(f"{what} = {values!r}: give a list of states, or a boolean mask") from None


def availability(available: Any, n_states: int, n_actions: int) -> Array:
    """Which actions may be taken, (S, A) booleans of the model's own."""
    if available is None:
        return np.ones((n_states, n_actions), dtype=bool)
    wanted = f"give booleans of shape {(n_states, n_actions)}"
    try:
        mask = np.array(available)
    except ValueError:
        raise InvalidMDP(f"available is ragged: {wanted}") from None
    if mask.dtype != bool or mask.shape != (n_states, n_actions):
        raise InvalidMDP(f"available has dtype {mask.dtype} and shape {mask.shape}: {wanted}")
    return mask
