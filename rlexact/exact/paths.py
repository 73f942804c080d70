"""Every path of a horizon with its probability: the brute force behind any expectation.

    p(τ) = ρ(s_0) Π_t π(a_t | s_t) p(s_{t+1}, r_t | s_t, a_t)                 [P1]  paths
    E[f(τ)] = Σ_τ p(τ) f(τ)                                                  [P2]  expect
    p(s_0, ..., s_T) = ρ(s_0) Π_t Σ_a π(a | s_t) p(s_{t+1} | s_t, a)         [P3]  path_probability
    N_k(s) = #{ended outcomes of s} + Σ_s' #{outcomes s -> s'} N_{k-1}(s')    [P4]  path_count

Sutton and Barto (2018), §5.5 for [P1]. Rewards are drawn from their law, so paths that differ only in a reward are
different paths. A path stops early where the episode ends: its probability is that of the whole episode, and the
probabilities of all paths sum to 1. The number of paths grows like (branches)^steps and is counted before any is made.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, MixedNumbers
from rlexact.mdp import MDP
from rlexact.outcomes import outcomes_of
from rlexact.policy import uniform

Branch = tuple[Any, int, int | None, Any]  # probability, action, next state (None once ended), reward


class TooManyPaths(ValueError):
    """The horizon has more paths than the limit: the message says how many."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path: `probability`; `states` s_0 ... s_T; `actions` and `rewards`, T of each; `terminated`.

    T is the horizon, or less where the episode ended before it. `states` has T entries, not T + 1, where the last step
    ended the episode without a successor (`mdp.ends`). `terminated` is False where only the horizon cut the path.
    """

    probability: Any
    states: tuple[int, ...]
    actions: tuple[int, ...]
    rewards: tuple[Any, ...]
    terminated: bool


def paths(mdp: MDP, policy: Array | None, steps: int, start: Any = None, *, limit: int = 1_000_000) -> Iterator[Path]:
    """Iterate over every path of positive probability [P1]: (S, A), steps -> Path, Path, ...

    `start` is a state or a (S,) distribution, `mdp.initial` by default; `policy` may be None where there is one action.
    Raises `TooManyPaths` (at the call, before the first path) above `limit`, `InvalidMDP` without a start.
    """
    law, branches = start_law(mdp, start), branching(mdp, policy)
    count = path_count(mdp, policy, steps, start)
    if count > limit:
        raise TooManyPaths(f"{steps} steps have {count:,} paths, above the limit of {limit:,}: fewer steps, or limit=")
    starts = (Path(law[s], (int(s),), (), (), bool(mdp.terminal[s])) for s in np.flatnonzero(ar.apart(law, 0)))
    return (path for first in starts for path in extended(first, branches, mdp.terminal, steps))


def path_count(mdp: MDP, policy: Array | None, steps: int, start: Any = None) -> int:
    """How many paths of positive probability `paths` would make [P4], without making them."""
    branches = branching(mdp, policy)
    counts = [1] * mdp.n_states
    for _ in range(checked_steps(steps)):
        following = [
            1 if mdp.terminal[s] else sum(1 if nxt is None else counts[nxt] for _, _, nxt, _ in branches(s))
            for s in range(mdp.n_states)
        ]
        counts = following
    return sum(counts[s] for s in np.flatnonzero(ar.apart(start_law(mdp, start), 0)))


def expect(
    mdp: MDP,
    policy: Array | None,
    steps: int,
    f: Callable[[Path], Any],
    start: Any = None,
    *,
    limit: int = 1_000_000,
) -> Any:
    """The exact expectation of any function of a path [P2]: `f` gives a number or an array, and so does this.

    Raises `TooManyPaths` as `paths` does, `MixedNumbers` where `f` gives floats for an exact model.
    """
    total = sum(
        (path.probability * f(path) for path in paths(mdp, policy, steps, start, limit=limit)), start=0 * mdp.gamma
    )
    if ar.is_exact(mdp.r) and not ar.is_exact(total):
        raise MixedNumbers("f gave floats for an exact model: let it give integers or exact numbers, or use to_float()")
    return ar.tidy(np.asarray(total))[()]


def path_probability(
    mdp: MDP, policy: Array | None, states: Sequence[Any], actions: Sequence[Any] | None = None
) -> Any:
    """Probability that the first steps visit these states [P3], and take these actions if given [P1]: -> a number.

    T + 1 states and T actions, by index or name; the start is drawn from `mdp.initial`.
    """
    pi, places = policy_or_only(mdp, policy), [mdp.state(s) for s in states]
    if not places or (actions is not None and len(actions) != len(places) - 1):
        given = "no" if actions is None else str(len(actions))
        raise ValueError(f"a path has one state more than actions: {len(places)} states and {given} actions were given")
    if actions is None:
        P = ar.mix(pi, mdp.kernel)
        factors = [entry(P, s, nxt) for s, nxt in pairwise(places)]
    else:
        taken = [mdp.action(a) for a in actions]
        steps = zip(pairwise(places), taken, strict=True)
        factors = [pi[s, a] * entry(mdp.kernel, s * mdp.n_actions + a, nxt) for (s, nxt), a in steps]
    probability = mdp.initial[places[0]]
    for factor in factors:
        probability = probability * factor
    return ar.tidy(np.asarray(probability))[()]


def entry(kernel: Any, i: int, j: int) -> Any:
    where, values = ar.row(kernel, i)
    return values[where == j].sum() if (where == j).any() else ar.number(kernel, 0)


def extended(path: Path, branches: Callable[[int], list[Branch]], terminal: Array, steps: int) -> Iterator[Path]:
    """The path continued in every possible way until it ends or the steps are used up, depth first."""
    unfinished = [path]
    while unfinished:
        path = unfinished.pop()
        if path.terminated or len(path.actions) == steps:
            yield path
            continue
        for p, action, nxt, reward in reversed(branches(path.states[-1])):
            unfinished.append(
                Path(
                    path.probability * p,
                    path.states if nxt is None else (*path.states, nxt),
                    (*path.actions, action),
                    (*path.rewards, reward),
                    nxt is None or bool(terminal[nxt]),
                )
            )


def branching(mdp: MDP, policy: Array | None) -> Callable[[int], list[Branch]]:
    """The ways one step can go from a state, each of positive probability (looked up once per state)."""
    pi = policy_or_only(mdp, policy)

    @cache
    def branches(s: int) -> list[Branch]:
        actions = np.flatnonzero(ar.apart(pi[s], 0))
        return [(pi[s, a] * p, int(a), nxt, x) for a in actions for p, nxt, x, _ in outcomes_of(mdp, s, int(a))]

    return branches


def policy_or_only(mdp: MDP, policy: Array | None) -> Array:
    """The policy checked, or the only one of a model with one action where None is given."""
    return mdp.admit(uniform(mdp) if policy is None and mdp.n_actions == 1 else policy)


def start_law(mdp: MDP, start: Any) -> Array:
    return mdp.initial if start is None else mdp.replace(initial=start).initial


def checked_steps(steps: int) -> int:
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 0:
        raise ValueError(f"steps = {steps!r}: give a whole number of steps, 0 or more")
    return int(steps)
