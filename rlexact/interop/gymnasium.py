"""Gymnasium's tabular environments as models.

    P[s][a] = [(p, s', r, terminated), ...]        env.unwrapped.P: FrozenLake, Taxi, CliffWalking

A transition's own `terminated` flag decides whether its successor counts: CliffWalking's goal has rows that go on,
and Taxi's goals are reached both by steps that end and by steps that do not, so no state is taken for terminal.
Outcomes that repeat are merged, and r(s, a) is their average by probability. The table knows nothing of the
`TimeLimit` wrapper, and a model with a time limit would need the clock in its state: truncation is no part of the
MDP.

Gymnasium itself is never imported: an environment that is handed in, or a bare table, is all it takes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact.mdp import MDP, InvalidMDP, Outcome

Table = dict[tuple[int, int], list[Outcome]]

READINGS: dict[str, Callable[[float], Fraction]] = {"decimal": lambda x: Fraction(repr(x)), "binary": Fraction}
RECOVERY_ULPS = 4  # a probability such as (1 - 1/3)/2 has been through a few roundings


def from_gymnasium(
    env_or_P: Any,
    gamma: Any,
    *,
    initial: Any = None,
    floats: str | Callable[[float], Fraction] | None = None,
    states: Sequence[Any] | None = None,
    actions: Sequence[Any] | None = None,
) -> MDP:
    """The model of an environment with a table P, or of the table itself: states and actions keep their numbers.

    `initial` is taken from `env.unwrapped.initial_state_distrib` unless given. Numbers stay floats; `floats` makes
    the model exact by reading each float as 'decimal' (0.1 is 1/10), as 'binary', or by a function. 1/3 is no
    decimal: `recover` finds it. Raises `InvalidMDP` where there is no table, or the numbers so read are no model.
    """
    if floats is not None and not callable(floats) and floats not in READINGS:
        raise ValueError(f"floats={floats!r}: give 'decimal', 'binary' or a function from float to Fraction")
    read = floats if callable(floats) or floats is None else READINGS[floats]
    start = start_of(env_or_P) if initial is None else initial
    if read is not None and isinstance(start, (list, tuple, np.ndarray)):
        start = [read_number(x, read) for x in start]
    return MDP.from_outcomes(
        {
            pair: [(read_number(p, read), following, read_number(r, read), ended) for p, following, r, ended in listed]
            for pair, listed in outcome_table(env_or_P).items()
        },
        gamma,
        start,
        states=states,
        actions=actions,
    )


@dataclass(frozen=True, eq=False)
class Recovered:
    """An exact model, and what was done to its numbers: `readings` maps each float that moved to its fraction."""

    mdp: MDP
    max_denominator: int
    readings: dict[float, Fraction]

    @property
    def largest_move(self) -> Fraction:
        """The largest distance between a float and the fraction it was read as."""
        return max((abs(fraction - Fraction(x)) for x, fraction in self.readings.items()), default=Fraction(0))

    def __repr__(self) -> str:
        moved = ", ".join(f"{x!r} -> {fraction}" for x, fraction in sorted(self.readings.items()))
        return (
            f"Recovered({self.mdp!r}: each float read as the nearest fraction with a denominator up to "
            f"{self.max_denominator}, at most {RECOVERY_ULPS} ulp away; moved: {moved or 'none'})"
        )


def recover(
    env_or_P: Any,
    gamma: Any,
    *,
    initial: Any = None,
    max_denominator: int = 1000,
    states: Sequence[Any] | None = None,
    actions: Sequence[Any] | None = None,
) -> Recovered:
    """The exact model that the floats of a table stand for, by one rule, and what the rule did.

    Each float is read as the nearest fraction with a denominator up to `max_denominator`, which must lie within a few
    units in the last place: 0.3333333333333333 and 0.33333333333333337 are both 1/3. Raises `InvalidMDP` for a float
    that is not so close to such a fraction, and where rows or the start law do not then sum to 1 exactly.
    """
    readings: dict[float, Fraction] = {}

    def nearest(x: float) -> Fraction:
        fraction = Fraction(x).limit_denominator(max_denominator)
        if abs(fraction - Fraction(x)) > RECOVERY_ULPS * Fraction(np.spacing(abs(x))):
            raise InvalidMDP(
                f"the float {x!r} is not within {RECOVERY_ULPS} ulp of a fraction with a denominator up to "
                f"{max_denominator} (the nearest is {fraction}): raise max_denominator, or read floats otherwise with "
                "from_gymnasium(..., floats=...)"
            )
        if fraction != Fraction(x):
            readings[x] = fraction
        return fraction

    mdp = from_gymnasium(env_or_P, gamma, initial=initial, floats=nearest, states=states, actions=actions)
    return Recovered(mdp, max_denominator, readings)


def is_environment(model: Any) -> bool:
    """An environment, or a bare table P, and not an `MDP`."""
    return isinstance(model, (Mapping, list, tuple)) or hasattr(getattr(model, "unwrapped", None), "P")


def outcome_table(env_or_P: Any) -> Table:
    """{(s, a): [(p, s', r, terminated), ...]} with plain Python integers and flags.  Raises `InvalidMDP`."""
    P = env_or_P if isinstance(env_or_P, (Mapping, list, tuple)) else getattr(unwrapped(env_or_P), "P", None)
    if not isinstance(P, (Mapping, list, tuple)) or not P:
        raise InvalidMDP(
            f"{type(env_or_P).__name__} has no table P: give FrozenLake, Taxi, CliffWalking, another environment whose "
            "env.unwrapped.P[s][a] lists (probability, next state, reward, terminated), or such a table"
        )
    return {
        (index(s, "P"), index(a, f"P[{s}]")): read_outcomes(f"P[{s}][{a}]", listed)
        for s, row in items("P", P)
        for a, listed in items(f"P[{s}]", row)
    }


def unwrapped(env: Any) -> Any:
    return getattr(env, "unwrapped", env)


def items(where: str, rows: Any) -> Any:
    if not isinstance(rows, (Mapping, list, tuple)):
        raise InvalidMDP(f"{where} is {rows!r}: give P[s][a] = [(probability, next state, reward, terminated), ...]")
    return rows.items() if isinstance(rows, Mapping) else enumerate(rows)


def index(x: Any, where: str) -> int:
    if not isinstance(x, (int, np.integer)):
        raise InvalidMDP(f"{where} names {x!r}: a table numbers its states and actions")
    return int(x)


def read_outcomes(where: str, listed: Any) -> list[Outcome]:
    for outcome in listed:
        if not isinstance(outcome, (list, tuple)) or len(outcome) != 4:
            raise InvalidMDP(f"{where} holds {outcome!r}: give (probability, next state, reward, terminated)")
    return [(p, index(following, where), reward, ended) for p, following, reward, ended in listed]


def start_of(env_or_P: Any) -> Any:
    return getattr(unwrapped(env_or_P), "initial_state_distrib", None)


def read_number(x: Any, read: Callable[[float], Fraction] | None) -> Any:
    """The number itself, or by the rule for floats: NumPy's kinds made Python's."""
    plain = x.item() if isinstance(x, np.generic) else x
    if read is None or not isinstance(plain, float):
        return plain
    if not np.isfinite(plain):
        raise InvalidMDP(f"the table holds {plain}: probabilities and rewards are finite numbers")
    return read(plain)
