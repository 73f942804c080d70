"""A model as lists of outcomes: (probability, next state, reward, terminated) for every state and action."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP, Parts
from rlexact.places import Names, hashable, names_of

if TYPE_CHECKING:
    from rlexact.mdp import MDP, Outcome


def as_mapping(outcomes: Any, states: Names, actions: Names) -> dict[tuple[Any, Any], list[Any]]:
    """`outcomes[s][a]` (lists, or dicts of dicts) or `outcomes[s, a]` -> {(s, a): [...]}; lists are in the names' order."""
    try:
        if isinstance(outcomes, Mapping) and all(is_pair(key, value) for key, value in outcomes.items()):
            return {(s, a): list(value) for (s, a), value in outcomes.items()}
        nested = keyed("states", outcomes, states)
        return {(s, a): list(value) for s, of_state in nested for a, value in keyed("actions", of_state, actions)}
    except TypeError as error:
        raise InvalidMDP(
            f"outcomes cannot be read ({error}): give outcomes[s][a] or outcomes[s, a], lists of outcomes"
        ) from None


def is_pair(key: Any, value: Any) -> bool:
    """A (state, action) with its list, and not a state named by a pair with its actions."""
    return isinstance(key, tuple) and len(key) == 2 and not isinstance(value, Mapping)


def keyed(what: str, listed: Any, names: Names) -> Iterable[tuple[Any, Any]]:
    if isinstance(listed, Mapping):
        return listed.items()
    if names is not None and len(listed) > len(names):
        raise InvalidMDP(f"outcomes list {len(listed)} {what} for {len(names)} names")
    return zip(range(len(listed)) if names is None else names, listed, strict=False)


def size_of(what: str, names: Names, seen: list[Any]) -> int:
    if names is not None:
        return len(names)
    if not seen:
        raise InvalidMDP(f"no {what} in the outcomes: an MDP has at least one state and one action")
    if min((x for x in seen if isinstance(x, (int, np.integer))), default=0) < 0:
        raise InvalidMDP(f"outcomes name one of the {what} {min(seen)}: indices start at 0")
    if not all(isinstance(x, (int, np.integer)) for x in seen):
        raise InvalidMDP(f"{what} are named in the outcomes: give {what}=[...] to order them")
    return int(max(seen)) + 1


def parts_from_outcomes(
    outcomes: Any,
    gamma: Any,
    initial: Any = None,
    *,
    terminal: Any = (),
    states: Sequence[Any] | None = None,
    actions: Sequence[Any] | None = None,
) -> Parts:
    names, action_names = names_of("states", states), names_of("actions", actions)
    table = as_mapping(outcomes, names, action_names)
    flat = [(s, a, *checked_outcome(s, a, outcome)) for (s, a), listed in table.items() for outcome in listed]
    seen = [s for s, _ in table] + [f for *_, f, _, ended in flat if not ended and f is not None]
    n_states = size_of("states", names, seen)
    n_actions = size_of("actions", action_names, [a for _, a in table])
    ended_states = door.terminal_mask(terminal, names, n_states)
    numbers = read_numbers(flat, gamma, None if door.is_place(initial, names) else initial)

    @lru_cache(maxsize=None, typed=True)  # typed: True is not the state 1
    def place(state: Any) -> int:
        return door.place_of(state, names, n_states, "outcomes")

    @lru_cache(maxsize=None, typed=True)
    def row(state: Any, action: Any) -> int:
        return place(state) * n_actions + door.place_of(action, action_names, n_actions, "outcomes", "action")

    merged: dict[tuple[int, int, Any], Any] = defaultdict(lambda: 0)
    available = np.zeros((n_states, n_actions), dtype=bool)
    for s, a in table:
        available.flat[row(s, a)] = True
    for (s, a, _, following, _, ended), p, reward in zip(flat, numbers["probability"], numbers["reward"], strict=True):
        merged[row(s, a), -1 if ended else place(following), reward] += p
    merged = {key: p for key, p in merged.items() if p != 0}
    return assemble(merged, numbers, initial, ended_states, available, names, action_names)


def checked_outcome(s: Any, a: Any, outcome: Any) -> tuple[Any, Any, Any, bool]:
    if not isinstance(outcome, Iterable) or len(listed := list(outcome)) != 4:
        raise InvalidMDP(f"outcomes[{s}, {a}] holds {outcome!r}: give (probability, next state, reward, terminated)")
    probability, following, reward, terminated = listed
    if not isinstance(terminated, (bool, np.bool_)):
        raise InvalidMDP(f"outcomes[{s}, {a}]: terminated is {terminated!r}, give True or False")
    if not terminated and not hashable(following):
        raise InvalidMDP(f"outcomes[{s}, {a}] leads to {following!r}: give a state's index or name")
    return probability, following, reward, bool(terminated)


def read_numbers(flat: list[Any], gamma: Any, initial: Any) -> dict[str, Any]:
    """Probabilities, rewards, gamma and start in one world; a bad one is told by its state and action."""
    columns = {"probability": [x[2] for x in flat], "reward": [x[4] for x in flat]}
    try:
        numbers = door.read({**columns, "gamma": gamma, "initial": initial})
    except InvalidMDP:
        for s, a, probability, _, reward, _ in flat:
            door.read({f"outcomes[{s}, {a}] probability": probability, f"outcomes[{s}, {a}] reward": reward})
        raise
    p, rewards = numbers["probability"], numbers["reward"]
    if p.shape != (len(flat),) or rewards.shape != (len(flat),):
        raise InvalidMDP("outcomes hold lists of probabilities or rewards: give one number each")
    for bad, what, values in (
        (~ar.finite(p) | ar.negative(p), "probability", p),
        (~ar.finite(rewards), "reward", rewards),
    ):
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            wanted = "a probability" if what == "probability" else "a finite number"
            raise InvalidMDP(f"outcomes[{flat[i][0]}, {flat[i][1]}] has {what} {values[i]}: each is {wanted}")
    return numbers


def assemble(
    merged: Mapping[tuple[int, int, Any], Any],
    numbers: Mapping[str, Any],
    initial: Any,
    terminal: Array,
    given: Array,
    states: tuple[Any, ...] | None,
    actions: tuple[Any, ...] | None,
) -> Parts:
    """Merged outcomes {(row, next or -1, reward): probability} -> checked parts."""
    n_states, n_actions = given.shape
    like = numbers["probability"]
    keys = sorted(merged, key=lambda key: key[:2])
    rows = np.array([key[0] for key in keys], dtype=int)
    following = np.array([key[1] for key in keys], dtype=int)
    rewards = ar.zeros(like, len(keys))
    rewards[:] = [key[2] for key in keys]
    p = ar.zeros(like, len(keys))
    p[:] = [merged[key] for key in keys]
    p = ar.tidy(p)

    flat = ar.zeros(like, (n_states * n_actions, n_states))
    ends, r = ar.zeros(like, n_states * n_actions), ar.zeros(like, n_states * n_actions)
    for row, nxt, probability, reward in zip(rows, following, p, rewards, strict=True):
        r[row] += probability * reward
        if nxt < 0:
            ends[row] += probability
        else:
            flat[row, nxt] += probability
    r, ends = ar.tidy(r).reshape(given.shape), ar.tidy(ends).reshape(given.shape)
    door.check_terminal(flat, r, ends, terminal, states)
    available = given & ~terminal[:, None]
    if (stuck := ~terminal & ~available.any(axis=1)).any():
        raise InvalidMDP(f"state {door.label(states, stuck)} has no outcomes: give some, or list it in terminal=")
    kernel = ar.kernel_from(door.keep_rows(flat, available.ravel()))
    ends = np.where(available, ends, ar.zeros(like, ends.shape))
    door.check_row_sums(kernel, available, ends)
    live = available.ravel()[rows]
    parts = Parts(
        kernel=kernel,
        R=r,
        r=r,
        ends=ends,
        gamma=door.check_gamma(numbers["gamma"]),
        initial=numbers["initial"],
        terminal=terminal,
        available=available,
        states=states,
        actions=actions,
        law=(rows[live], following[live], p[live], rewards[live]),
    )
    return door.redress(parts, initial=initial if door.is_place(initial, states) else numbers["initial"])


def outcomes_of(mdp: "MDP", state: int, action: int) -> "list[Outcome]":
    """The law of one step, whatever form the model was given in; terminal and unavailable pairs have none."""
    i = state * mdp.n_actions + action
    if mdp._parts.law is not None:
        rows, following, p, rewards = mdp._parts.law
        return [
            (p[k], None if following[k] < 0 else int(following[k]), rewards[k], bool(following[k] < 0))
            for k in np.flatnonzero(rows == i)
        ]
    columns, p = ar.row(mdp.kernel, i)
    R = mdp.R
    if scipy.sparse.issparse(R):
        paid = np.asarray(R[[i], :].toarray())[0, columns]
    elif R.ndim == 3:
        paid = R[state, action, columns]
    else:
        paid = [mdp.r[state, action]] * len(columns)
    return [(x, int(j), reward, False) for j, x, reward in zip(columns, p, paid, strict=True)]
