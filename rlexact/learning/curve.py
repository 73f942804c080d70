"""What every learner hands back: its last tables or policy, and how far they were from the exact truth on the way.

    e_k = max over places |table_k - truth|          `distance`, truth = V^π, Q^π or Q*                     [C1]
    e_k = J* - J(π_k) ≥ 0                            `regret`, J by one linear solve, never by sampling     [C2]

A learner keeps its tables in float64, changes them in place, and lets a `Run` count for it:

    v = np.zeros(mdp.n_states)
    run = Run(steps, distance(policy_value(mdp, policy), v), checkpoints)
    for k in run:                       # k = 1, 2, ..., steps; e_k is taken after the body of step k
        v[s] += alpha * (target - v[s])
    return Learned(run.curve, v=v)

A learner of policies measures `regret(mdp, lambda: softmax(model, theta))`, counts in whatever it repeats
(`unit="episodes"`, "updates", "generations") and returns `Learned(run.curve, policy=pi, tables={"theta": theta})`. One with
a truth of its own (a regularised optimum, the best response to preferences) builds its `Yardstick` itself. On a terminal a
run of more than a second shows its progress; elsewhere nothing is printed and tqdm is not imported.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.exact.chain import closed_classes, named, reachable
from rlexact.exact.estimator_law import counted
from rlexact.exact.evaluation import expected_return
from rlexact.exact.paths import start_law
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.simulate import Rng
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.solution import NotConverged

Checkpoints = int | Iterable[int]


@dataclass(frozen=True, eq=False)
class Curve:
    """A learning curve: at `steps` (n,), rising from 0, counted in `unit`, the error was `errors` (n,).

    `measure` says in words what the error is, `truth` is what it is measured from, in the model's own numbers.
    """

    steps: Array
    errors: Array
    unit: str
    measure: str
    truth: Any

    def __repr__(self) -> str:
        first, last = self.errors[0], self.errors[-1]
        return f"Curve({self.measure}: {first:.4g} to {last:.4g} in {self.steps[-1]} {self.unit})"


@dataclass(frozen=True, eq=False)
class Learned:
    """The answer of a learner: `curve`, and whichever of `v` (S,), `q` (S, A) and `policy` (S, A) it learns, in float64.

    `tables` holds what else it kept, by name: visit counts, a second table, a target table, parameters.
    """

    curve: Curve
    v: Array | None = None
    q: Array | None = None
    policy: Array | None = None
    tables: Mapping[str, Array] = field(default_factory=dict)

    @property
    def error(self) -> float:
        """The last error of the curve."""
        return float(self.curve.errors[-1])


@dataclass(frozen=True, eq=False)
class Yardstick:
    """How an error is taken: `read()` gives it now; `measure` and `truth` go into the curve."""

    read: Callable[[], float]
    measure: str
    truth: Any


def distance(truth: Array, table: Array | Callable[[], Array], where: Array | None = None) -> Yardstick:
    """The largest distance between a table and its truth [C1]: two arrays of one shape.

    `table` is changed in place by the learner, or a function gives it; `where` marks the places that count (those that
    can be visited), all by default. Raises `ValueError` where the shapes differ.
    """
    read = table if callable(table) else lambda: table
    exact, counts = floats(truth), np.ones(np.shape(truth), dtype=bool) if where is None else where
    if exact.shape != read().shape or exact.shape != counts.shape:
        raise ValueError(f"the truth has shape {exact.shape}, the table {read().shape}, the places {counts.shape}")
    return Yardstick(lambda: float(np.abs(read() - exact)[counts].max(initial=0)), "max |table - truth|", truth)


def regret(mdp: MDP, policy: Callable[[], Array], best: Any = None) -> Yardstick:
    """J* - J(π) from `mdp.initial` [C2]; `policy()` gives the (S, A) policy of now in floats.

    `best` is J* where it is known already (or the best value of a class of policies). Raises `InvalidMDP` without a start.
    """
    model = mdp.to_float()
    optimum = policy_iteration(mdp).v @ mdp.initial if best is None else best
    top = float(optimum)
    return Yardstick(lambda: top - float(expected_return(model, policy())), "J* - J", optimum)


class Run:
    """`for k in Run(steps, yardstick)`: k = 1 ... steps, the error taken at 0, after checkpoints, and after the last.

    `checkpoints` is how many, geometrically spaced, or the steps themselves. Raises `ValueError` for a number of steps
    below 1 or a checkpoint outside the run, and, on the way, `NotConverged` (with the `Curve` so far) once an error is not
    finite.
    """

    def __init__(self, steps: int, yardstick: Yardstick, checkpoints: Checkpoints = 30, unit: str = "steps") -> None:
        self.total = counted(steps, unit)
        self.yardstick, self.unit = yardstick, unit
        self.marks = marks(self.total, checkpoints)
        self.taken: dict[int, float] = {}

    def __iter__(self) -> Iterator[int]:
        self.take(0)
        for k in shown(range(1, self.total + 1), self.unit):
            yield k
            if k in self.marks:
                self.take(k)

    def take(self, k: int) -> None:
        error = self.yardstick.read()
        if not np.isfinite(error):
            raise NotConverged(f"after {k} {self.unit} the error is {error}: try smaller step sizes", self.curve)
        self.taken[k] = error

    @property
    def curve(self) -> Curve:
        """What was recorded so far."""
        steps, errors = np.array([*self.taken], dtype=int), np.array([*self.taken.values()], dtype=float)
        return Curve(steps, errors, self.unit, self.yardstick.measure, self.yardstick.truth)


def marks(total: int, checkpoints: Checkpoints) -> frozenset[int]:
    """The steps after which an error is taken, the last among them: total^(i/n) for i = 1 ... n, or as given."""
    if isinstance(checkpoints, (int, np.integer)):
        n = counted(checkpoints, "checkpoints")
        return frozenset(round(total ** (i / n)) for i in range(1, n + 1))
    chosen = frozenset(int(k) for k in checkpoints)
    if outside := sorted(k for k in chosen if not 0 <= k <= total):
        raise ValueError(f"checkpoint {outside[0]} lies outside a run of {total}: give steps from 0 to {total}")
    return chosen | {total}


def shown(steps: range, unit: str) -> Iterable[int]:
    """The same steps, with a progress bar on a terminal once they take more than a second."""
    if not sys.stderr.isatty():
        return steps
    from tqdm import tqdm

    bar: Iterable[int] = tqdm(steps, unit=f" {unit}", leave=False, delay=1)
    return bar


# -- what learners are given ------------------------------------------------------------------------------------------


def seeded(rng: Rng | int) -> Rng:
    """A generator, or a new one from a seed.  Raises `ValueError` for anything that would not repeat itself."""
    if isinstance(rng, (np.random.Generator, np.random.RandomState)):
        return rng
    if isinstance(rng, (bool, np.bool_)) or not isinstance(rng, (int, np.integer)) or rng < 0:
        raise ValueError(f"rng = {rng!r}: give a seeded NumPy generator, or a seed (a whole number, 0 or more)")
    return np.random.default_rng(int(rng))


def visited(mdp: MDP, policy: Array, start: Any = None, *, must_end: bool = False) -> Array:
    """The states that the policy visits from its start, `mdp.initial` by default: (S, A) -> (S,) booleans.

    With `must_end` raises `InvalidPolicy` where an episode may last for ever, naming the states that keep it.
    """
    seen = reachable(mdp, policy, ar.apart(start_law(mdp, start), 0))
    for states in closed_classes(mdp, policy) if must_end else []:
        if seen[states].any():
            raise InvalidPolicy(
                f"the policy may stay in {named(mdp, states)} for ever: returns at gamma = 1 and whole episodes need an "
                "end. Give a policy that ends, a gamma below 1, or episode_steps"
            )
    return seen


def floats(values: Any) -> Array:
    """The nearest float64 numbers, a copy.  Raises `NotExact` where symbols have no numbers yet."""
    try:
        return np.array(values, dtype=float)
    except TypeError:
        raise NotExact("a number still holds symbols: give them numbers before learning") from None
