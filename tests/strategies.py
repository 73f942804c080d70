"""Random models and policies, the same for a seed in every world: every number is a dyadic rational, so it is a float too."""

from fractions import Fraction
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.conversion import carry, from_law
from rlexact.mdp import MDP

WORLDS = ("float64", "sparse float64", "rational", "symbolic")
UNIT = 64  # every probability is a multiple of 1/64: sums of them are exact in floats


def dyadic_row(rng: np.random.Generator, allowed: Array) -> list[Fraction]:
    """Multiples of 1/UNIT that sum to 1, zero outside the allowed places, and on some of the allowed ones too."""
    weights = np.where(allowed, rng.random(allowed.size) * (rng.random(allowed.size) < 0.7) + 1e-6, 0.0)
    return [Fraction(int(n), UNIT) for n in rng.multinomial(UNIT, weights / weights.sum())]


def ingredients(seed: int, n_states: int = 4, n_actions: int = 3, rank: int = 2) -> dict[str, Any]:
    """What `MDP` takes, in Fractions: terminal states, masked actions, a start; rewards of the given rank."""
    rng = np.random.default_rng(seed)
    terminal = rng.random(n_states) < 0.25
    terminal[0] = False
    available = rng.random((n_states, n_actions)) < 0.75
    available[np.arange(n_states), rng.integers(n_actions, size=n_states)] = True
    every = np.ones(n_states, dtype=bool)
    P = np.array([[dyadic_row(rng, every) for _ in range(n_actions)] for _ in range(n_states)], dtype=object)
    P[terminal] = Fraction(0)
    shape = ((n_states,), (n_states, n_actions), (n_states, n_actions, n_states))[rank - 1]
    R = np.array([Fraction(int(n), 8) for n in rng.integers(-16, 17, size=int(np.prod(shape)))], dtype=object)
    R = R.reshape(shape)
    R[terminal] = Fraction(0)
    return {
        "P": P,
        "R": R,
        "gamma": Fraction(int(rng.integers(0, 16)), 16),
        "initial": np.array(dyadic_row(rng, every), dtype=object),
        "terminal": terminal,
        "available": available,
        "states": [f"s{i}" for i in range(n_states)],
        "actions": [("move", i) for i in range(n_actions)],
    }


def in_world(mdp: MDP, world: str) -> MDP:
    """A rational model in another world."""
    return {
        "float64": mdp.to_float,
        "sparse float64": mdp.to_sparse,
        "rational": mdp.to_rational,
        "symbolic": mdp.to_symbolic,
    }[world]()


def model(seed: int, world: str = "rational", n_states: int = 4, n_actions: int = 3, rank: int = 2) -> MDP:
    return in_world(MDP(**ingredients(seed, n_states, n_actions, rank)), world)


def law_model(seed: int, n_states: int = 4, n_actions: int = 2) -> MDP:
    """A rational model from outcomes: several rewards for one successor, and steps that end without one."""
    rng = np.random.default_rng(seed)
    table = {}
    for s in range(n_states):
        for a in range(n_actions):
            if a == 0 or rng.random() < 0.8:
                row = dyadic_row(rng, np.ones(5, dtype=bool))
                table[s, a] = [
                    (p, int(rng.integers(n_states)), Fraction(int(rng.integers(-8, 9)), 4), bool(rng.random() < 0.3))
                    for p in row
                ]
    return MDP.from_outcomes(table, Fraction(7, 8), 0, states=range(n_states), actions=range(n_actions))


def policy(seed: int, mdp: MDP) -> Array:
    """A random policy in the model's own numbers."""
    rng = np.random.default_rng(seed)
    rows = [dyadic_row(rng, allowed if allowed.any() else ~allowed) for allowed in mdp.available]
    exact = np.array(rows, dtype=object)
    return exact.astype(float) if "float" in mdp.world else mdp.beside("policy", exact)


def as_floats(x: Any) -> Array:
    """Numbers of any world as floats, for comparisons across worlds."""
    return np.vectorize(float, otypes=[float])(x)


def stored(mdp: MDP) -> MDP:
    """The numbers of a float model, read exactly: rows may sum to 1 only up to rounding, which no other reading allows."""
    return MDP.of_parts(from_law(carry(mdp._parts, lambda x: Fraction(float(x)))))
