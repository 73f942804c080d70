"""The parts of models that go wrong: kernels, rewards and ends as a mistake would read them.

A wrong model is put together unchecked, since its rows need not sum to 1. Models here are floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.mdp import MDP, Outcome
from rlexact.outcomes import outcomes_of
from rlexact.policy import uniform

LARGE = 20_000  # pairs (s, a); larger models are spared what looks at every outcome, and horizons far beyond theirs

Table = Mapping[tuple[int, int], Sequence[Outcome]]


def altered(mdp: MDP, **changes: Any) -> MDP:
    """The model with some parts replaced, unchecked: `kernel`, `r`, `ends`, `available`, `gamma`."""
    r = changes.get("r", mdp.r)
    return MDP.of_parts(door.freeze(replace(mdp._parts, **{**changes, "r": r, "R": r, "law": None})))


def placed(mdp: MDP, values: Mapping[tuple[int, int], Any]) -> Any:
    """A kernel from {(row, next state): number}."""
    rows, cols = np.array(list(values), dtype=int).reshape(-1, 2).T
    return ar.assemble(mdp.kernel, rows, cols, np.array(list(values.values()), dtype=float), mdp.kernel.shape)


def all_successors(mdp: MDP, table: Table) -> Any:
    """p(s' | s, a) with the successors of steps that end: (S·A, S)."""
    steps = [(s * mdp.n_actions + a, o[1], o[0]) for (s, a), listed in table.items() for o in listed]
    rows, cols, p = (np.array(column) for column in zip(*steps, strict=True))
    return ar.assemble(mdp.kernel, rows, cols, p.astype(float), mdp.kernel.shape)


def restarted(mdp: MDP, ending: Array) -> Any:
    """p(s' | s, a) where every step that ends goes on at the start law: (S, A) -> (S·A, S)."""
    rows, cols, p = ar.entries(mdp.kernel)
    on = ~mdp.terminal[cols]
    from_, to = np.flatnonzero(ending), np.flatnonzero(mdp.initial)
    return ar.assemble(
        mdp.kernel,
        np.concatenate([rows[on], np.repeat(from_, to.size)]),
        np.concatenate([cols[on], np.tile(to, from_.size)]),
        np.concatenate([p[on], np.outer(ending.ravel()[from_], mdp.initial[to]).ravel()]),
        mdp.kernel.shape,
    )


def ending_rewards(mdp: MDP, into: Array) -> Array | None:
    """E[r; the step ends](s, a): (S, A); None where the model is too large to list."""
    if mdp._parts.law is None and mdp.R.shape in ((mdp.n_states,), mdp.r.shape):
        return np.asarray(mdp.r * into)
    if mdp.r.size > LARGE:
        return None
    paid = np.zeros(mdp.r.shape)
    for s, a in np.argwhere(mdp.available):
        outcomes = outcomes_of(mdp, int(s), int(a))
        paid[s, a] = sum(p * r for p, following, r, ended in outcomes if ended or mdp.terminal[following])
    return paid


def arrival_reward(mdp: MDP) -> Array | None:
    """The reward of each successor where it depends on nothing else, and is not the same everywhere: (S,) or None."""
    if mdp.r.size > LARGE:
        return None
    seen: dict[int, float] = {}
    for s, a in np.argwhere(mdp.available):
        for _, following, reward, ended in outcomes_of(mdp, int(s), int(a)):
            if ended or seen.setdefault(following, reward) != reward:
                return None
    if len(set(seen.values())) < 2:
        return None
    return np.array([seen.get(s, 0.0) for s in range(mdp.n_states)])


def everything(mdp: MDP) -> Array:
    return np.repeat(~mdp.terminal[:, None], mdp.n_actions, axis=1)


def swapped(mdp: MDP) -> Any:
    """p(s' | a, s) for p(s' | s, a), where there are as many actions as states: (S·A, S)."""
    rows, cols, p = ar.entries(mdp.kernel)
    s, a = np.divmod(rows, mdp.n_actions)
    return ar.assemble(mdp.kernel, a * mdp.n_actions + s, cols, p, mdp.kernel.shape)


def soft(mdp: MDP, epsilon: float) -> MDP:
    """The model in which every action is replaced by a uniform one with probability ε."""
    evenly = uniform(mdp)
    rows, cols, p = ar.entries(mdp.kernel)
    mean_rows, mean_cols, mean_p = ar.entries(ar.mix(evenly, mdp.kernel))
    n = mdp.n_actions
    kernel = ar.assemble(
        mdp.kernel,
        np.concatenate([rows, (mean_rows[:, None] * n + np.arange(n)).ravel()]),
        np.concatenate([cols, np.repeat(mean_cols, n)]),
        np.concatenate([(1 - epsilon) * p, np.repeat(epsilon * mean_p, n)]),
        mdp.kernel.shape,
    )

    def mixed(x: Array) -> Array:
        return np.where(mdp.available, (1 - epsilon) * x + epsilon * ar.average(evenly, x)[:, None], 0.0)

    return altered(mdp, kernel=kernel, r=mixed(mdp.r), ends=mixed(mdp.ends))
