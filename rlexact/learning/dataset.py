"""A fixed set of transitions, seen as a law: all that an offline learner may look at.

    p̂(s, a, r, s') = N(s, a, r, s') / N          the law of a transition drawn from the data          [D1]
    β̂(a | s) = N(s, a) / N(s)                    who collected it, as far as the data tells           [D2]
    J_data = max J(π) over π(a | s) = 0 where N(s, a) = 0                                             [D3]

[D1] and [D2] belong to the counted model (`model_based.counts_model`), where a pair never tried is not available and a state
never left is terminal; infinitely many transitions make them the model and the behaviour themselves. [D3] is the best that
can be had of the true model without an action outside the data, *in support*; where a state was never left nothing is known,
and all learners act evenly there. Fujimoto, Meger and Precup (2019), §4.1 and Theorem 4, for batch-constrained optima.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.curve import Checkpoints, Curve, Learned, Run, Yardstick, distance, floats, regret, seeded
from rlexact.learning.model_based import counts_model
from rlexact.learning.replay import Experience, Transition
from rlexact.learning.simulate import Rng, choosing
from rlexact.mdp import MDP
from rlexact.outcomes import outcomes_of
from rlexact.policy import uniform


class Rows(NamedTuple):
    """Transitions side by side, (N,) each; `following` is -1 where there is no state, `shares` (N,) is how much each counts."""

    states: Array
    actions: Array
    rewards: Array
    following: Array
    terminated: Array
    shares: Array

    def drawn(self, size: int, rng: Rng) -> "Rows":
        """`size` of them, drawn by their shares with replacement."""
        places = rng.choice(len(self.shares), size, p=self.shares)
        return Rows(*(column[places] for column in self))._replace(shares=np.full(size, 1 / size))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Data about `mdp`: the counted `model`, the `behaviour` (S, A) it shows, `rows` its distinct transitions [D1, D2].

    `model` and `behaviour` are in the numbers the data was given in, `rows` in floats. `seen` (S, A) marks the pairs in it.
    """

    mdp: MDP
    model: MDP
    behaviour: Array
    rows: Rows

    @property
    def seen(self) -> Array:
        return self.model.available

    @property
    def left(self) -> Array:
        """The states that have data: (S,) booleans."""
        return ~self.model.terminal

    def acting(self, policy: Array) -> Array:
        """The policy where there is data, an even one elsewhere: (S, A) -> (S, A) in floats."""
        return np.where(self.left[:, None], policy, uniform(self.mdp.to_float()))

    def batches(self, size: int | None, rng: Rng | int | None) -> Callable[[], Rows]:
        """What one update sees: everything where `size` is None, else `size` rows drawn afresh.  Raises `ValueError`."""
        if size is None:
            return lambda: self.rows
        if rng is None:
            raise ValueError("minibatches are drawn: give rng=, a seed or a seeded generator")
        draws, n = seeded(rng), counted(size, "samples")
        return lambda: self.rows.drawn(n, draws)


def collect(
    mdp: MDP, behaviour: Array, steps: int, rng: Rng | int, *, start: Any = None, episode_steps: int | None = None
) -> Dataset:
    """`steps` transitions of a behaviour policy: (S, A) -> Dataset, in floats.

    Raises `InvalidPolicy`, and `InvalidMDP` without a start.
    """
    model, draws = mdp.to_float(), seeded(rng)
    act = choosing(model, floats(mdp.admit(behaviour)), draws)
    agent = Experience(model, draws, start, episode_steps)
    return recorded(mdp, [agent.step(act(agent.state)) for _ in range(counted(steps, "steps"))], model)


def recorded(mdp: MDP, data: Iterable[Transition], numbers: MDP | None = None) -> Dataset:
    """Transitions that were seen elsewhere -> Dataset, in the model's numbers.  Raises `ValueError` without data."""
    kept = list(data)
    model = counts_model(mdp if numbers is None else numbers, kept)
    tried = np.zeros(model.r.shape, dtype=int)
    np.add.at(tried, tuple(np.array([t[:2] for t in kept]).T), 1)
    behaviour = ar.zeros(model.r, tried.shape)
    for s, a in np.argwhere(tried):
        behaviour[s, a] = ar.number(model.r, Fraction(int(tried[s, a]), int(tried[s].sum())))
    return Dataset(mdp, model, behaviour, rows(model, tried / len(kept)))


def unlimited(mdp: MDP, behaviour: Array) -> Dataset:
    """Infinitely many transitions, evenly over the states with a choice, actions from the behaviour: (S, A) -> Dataset.

    In full batches the law of the states makes no difference to a table. Raises `InvalidPolicy`.
    """
    beta = mdp.admit(behaviour)
    model = restricted(mdp, ar.apart(beta, 0))
    return Dataset(mdp, model, beta, rows(model, floats(beta) / (~mdp.terminal).sum()))


def rows(model: MDP, pairs: Array) -> Rows:
    """Every outcome of every pair, its share being that of the pair times its probability: (S, A) -> Rows."""
    listed = [
        (s, a, float(r), -1 if f is None else f, ended or bool(model.terminal[f]), pairs[s, a] * float(p))
        for s, a in np.argwhere(model.available).tolist()
        for p, f, r, ended in outcomes_of(model, s, a)
    ]
    return Rows(*(np.array(column) for column in zip(*listed, strict=True)))


def restricted(mdp: MDP, seen: Array) -> MDP:
    """The model where only these pairs can be chosen, and all available actions come evenly where a state has none [D3]."""
    table: dict[tuple[Any, Any], list[Any]] = {}
    for s in np.flatnonzero(~mdp.terminal).tolist():
        choices = np.flatnonzero(mdp.available[s]).tolist()
        if seen[s].any():
            table |= {(s, a): outcomes_of(mdp, s, a) for a in choices if seen[s, a]}
        else:
            even = ar.number(mdp.r, Fraction(1, len(choices)))
            table[s, choices[0]] = [(even * p, *rest) for a in choices for p, *rest in outcomes_of(mdp, s, a)]
    start = mdp.initial if mdp.has_initial else None
    places = {"states": range(mdp.n_states), "actions": range(mdp.n_actions)}
    model = MDP.from_outcomes(table, mdp.gamma, start, terminal=np.flatnonzero(mdp.terminal).tolist(), **places)
    return model.replace(states=mdp.states, actions=mdp.actions)


# -- what an offline learner hands back ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class OfflineLearned(Learned):
    """`curve` is J* - J(π) in the true model, `in_support` J_data - J(π) [D3], `fixed_point` how far q is from its limit.

    The limit is that of full batches on the same data, and the distance that over the pairs in it. π may take actions
    outside the data, and `in_support` be negative.
    """

    in_support: Curve
    fixed_point: Curve


class OfflineRun:
    """`for k in OfflineRun(...).run`, as `Run`: three errors are taken at each checkpoint."""

    def __init__(
        self,
        data: Dataset,
        updates: int,
        q: Array,
        limit: Array,
        policy: Callable[[], Array],
        checkpoints: Checkpoints,
    ) -> None:
        self.data, self.gaps = data, list[float]()
        self.away = distance(limit, q, data.seen)
        short = regret(data.mdp, policy)

        def read() -> float:
            self.gaps.append(self.away.read())
            return short.read() if np.isfinite(self.gaps[-1]) else self.gaps[-1]

        self.run = Run(updates, Yardstick(read, short.measure, short.truth), checkpoints, "updates")

    def learned(self, **found: Any) -> OfflineLearned:
        curve, mdp = self.run.curve, self.data.mdp
        best = policy_iteration(restricted(mdp, self.data.seen)).v @ mdp.initial
        errors = curve.errors - (float(curve.truth) - float(best))
        inside = Curve(curve.steps, errors, curve.unit, "J* in support - J", best)
        away = Curve(curve.steps, np.array(self.gaps), curve.unit, self.away.measure, self.away.truth)
        return OfflineLearned(curve, in_support=inside, fixed_point=away, **found)


def mean_by(places: Array, shares: Array, values: Array, size: int) -> Array:
    """Σ share · value / Σ share over the rows of each place, 0 where a place has none: (N,), (N,), (N,) -> (size,)."""
    total, mass = np.bincount(places, shares * values, size), np.bincount(places, shares, size)
    return np.asarray(np.divide(total, mass, out=np.zeros(size), where=mass > 0))
