"""A model as lists of outcomes: (probability, next state, reward, terminated) for every state and action."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP, Parts

if TYPE_CHECKING:
    from rlexact.mdp import MDP, Outcome


def as_mapping(outcomes: Any) -> dict[tuple[Any, Any], list[Any]]:
    """`outcomes[s][a]` (lists, or dicts of dicts) or `outcomes[s, a]` -> {(s, a): [...]}."""
    if isinstance(outcomes, Mapping):
        if all(isinstance(key, tuple) for key in outcomes):
            return {key: list(value) for key, value in outcomes.items()}
        return {(s, a): list(value) for s, of_state in outcomes.items() for a, value in pairs_of(of_state)}
    return {(s, a): list(value) for s, of_state in enumerate(outcomes) for a, value in pairs_of(of_state)}


def pairs_of(of_state: Any) -> Iterable[tuple[Any, Any]]:
    return of_state.items() if isinstance(of_state, Mapping) else enumerate(of_state)


def size_of(what: str, names: Sequence[Any] | None, seen: list[Any]) -> int:
    if names is not None:
        return len(names)
    if not seen:
        raise InvalidMDP(f"no {what} in the outcomes: an MDP has at least one state and one action")
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
    table = as_mapping(outcomes)
    flat: list[tuple[Any, Any, Any, Any, Any, bool]] = []
    for (s, a), listed in table.items():
        for outcome in listed:
            if len(outcome) != 4:
                raise InvalidMDP(f"outcomes[{s}, {a}] holds {outcome!r}: give (probability, next state, reward, terminated)")
            probability, following, reward, terminated = outcome
            if not isinstance(terminated, (bool, np.bool_)):
                raise InvalidMDP(f"outcomes[{s}, {a}]: terminated is {terminated!r}, give True or False")
            flat.append((s, a, probability, following, reward, bool(terminated)))
    seen = [s for s, _ in table] + [f for *_, f, _, ended in flat if not ended and f is not None]
    n_states = size_of("states", states, seen)
    n_actions = size_of("actions", actions, [a for _, a in table])
    names, action_names = door.tuple_of("states", states, n_states), door.tuple_of("actions", actions, n_actions)
    ended_states = door.terminal_mask(terminal, names, n_states)

    try:
        numbers = ar.read(
            {
                "probability": [x[2] for x in flat],
                "reward": [x[4] for x in flat],
                "gamma": gamma,
                "initial": None if door.is_place(initial) else initial,
            }
        )
    except (ar.NotANumber, ar.MixedNumbers) as error:
        raise InvalidMDP(str(error)) from None
    p, rewards = numbers["probability"], numbers["reward"]
    for i, (s, a, *_) in enumerate(flat):
        if not ar.finite(p[i : i + 1]).all() or ar.negative(p[i : i + 1]).any():
            raise InvalidMDP(f"outcomes[{s}, {a}] has probability {p[i]}: each is a probability")
        if not ar.finite(rewards[i : i + 1]).all():
            raise InvalidMDP(f"outcomes[{s}, {a}] has reward {rewards[i]}: each is a finite number")

    def place(state: Any) -> int:
        return door.place_of(state, names, n_states, "outcomes")

    merged: dict[tuple[int, int, Any], Any] = defaultdict(lambda: 0)
    available = np.zeros((n_states, n_actions), dtype=bool)
    for s, a in table:
        available[place(s), door.place_of(a, action_names, n_actions, "outcomes")] = True
    for (s, a, _, following, _, terminated), probability, reward in zip(flat, p, rewards, strict=True):
        row = place(s) * n_actions + door.place_of(a, action_names, n_actions, "outcomes")
        merged[row, -1 if terminated else place(following), reward] += probability
    merged = {key: probability for key, probability in merged.items() if probability != 0}
    return assemble(merged, numbers, initial, ended_states, available, names, action_names)


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

    flat = ar.zeros(like, (n_states * n_actions, n_states))
    ends, r = ar.zeros(like, n_states * n_actions), ar.zeros(like, n_states * n_actions)
    for row, nxt, probability, reward in zip(rows, following, p, rewards, strict=True):
        r[row] += probability * reward
        if nxt < 0:
            ends[row] += probability
        else:
            flat[row, nxt] += probability
    r, ends = ar.tidy(r).reshape(given.shape), ends.reshape(given.shape)
    door.check_terminal(flat, r, terminal, states)
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
    return door.redress(parts, initial=initial if door.is_place(initial) else numbers["initial"])


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
