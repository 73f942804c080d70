"""Looking for a model that refutes a claim, and making it as small as it can be.

    claimed: gap(mdp, π_1, ..., π_n) ≤ 0 for every model and all policies                             [W1]  counterexample

An inequality left ≤ right has gap = left - right; an identity has |left - right|. Models are rational, so a gap > 0 is a
refutation and no rounding. The search goes from one state upwards, and through the actions; for each size first models with
structure (deterministic steps, rewards -1, 0, 1, pure policies), then random ones with small weights. Rewards are r(s, a),
and a step may end the episode. The first model that refutes is then shrunk, as Claessen and Hughes (2000) do for programs: states
and actions are removed, laws made pure or less finely divided, rewards and discount simplified, one at a time and as long as
the claim stays refuted. What is left admits no further step of that kind. Finding nothing proves nothing.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, MixedNumbers, NotANumber, NotExact
from rlexact.door import InvalidMDP, InvalidPolicy
from rlexact.mdp import MDP
from rlexact.solution import Unbounded

Gap = Callable[..., Any]
OUTSIDE = (InvalidMDP, InvalidPolicy, Unbounded)  # the claim's functions refuse: it does not speak of this model
DISCOUNTS = (Fraction(0), Fraction(1, 2), Fraction(2, 3), Fraction(9, 10), Fraction(99, 100))
LARGEST_WEIGHT, LARGEST_REWARD = 4, 4


@dataclass(frozen=True, eq=False)
class Witness:
    """A rational model and policies (S, A) at which `gap` > 0: the claim is false there."""

    mdp: MDP
    policies: tuple[Array, ...]
    gap: Any

    def save(self, path: Any) -> None:
        """Write the model to `path` (.json, by `MDP.save`) and the policies beside it; `replay` reads both."""
        self.mdp.save(path)
        listed = [[[str(x) for x in row] for row in policy] for policy in self.policies]
        beside(path).write_text(json.dumps({"policies": listed}, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Search:
    """The `witness`, or None, after `judged` models of which the claim speaks and `outside` ones that it refuses."""

    witness: Witness | None
    judged: int
    outside: int


@dataclass(frozen=True, eq=False)
class Draft:
    """A model in small integers: laws are weights, to be divided by their sums.

    `steps` (S, A, S + 1), the last column the mass that ends; `rewards` (S, A); `start` (S,); `policies` (n, S, A).
    """

    steps: Array
    rewards: Array
    start: Array
    policies: Array
    gamma: Fraction

    @property
    def size(self) -> tuple[int, ...]:
        """What shrinking makes less: states, actions, then the integers written down."""
        laws = sum(int(x.sum()) for x in (self.steps, self.start, self.policies))
        return (*self.rewards.shape, laws + int(np.abs(self.rewards).sum()) + sum(self.gamma.as_integer_ratio()))

    def built(self) -> tuple[MDP, list[Array]]:
        """The model and its policies in Fractions."""
        n = self.start.size
        table = {
            (s, a): [(p, None if z == n else z, Fraction(int(r)), z == n) for z, p in enumerate(laws(row)) if p]
            for (s, a), r in np.ndenumerate(self.rewards)
            for row in [self.steps[s, a]]
        }
        return MDP.from_outcomes(table, self.gamma, laws(self.start)), [laws(policy) for policy in self.policies]


def counterexample(
    gap: Gap,
    *,
    policies: int = 1,
    max_states: int = 3,
    max_actions: int = 2,
    tries: int = 200,
    discounts: Sequence[Any] = DISCOUNTS,
    margin: Any = 0,
    seed: int = 0,
) -> Search:
    """A smallest witness against gap(mdp, *policies) ≤ margin [W1], from `tries` models of each size: -> `Search`.

    `gap` returns a number, or None where the claim does not speak of a model; `InvalidMDP`, `InvalidPolicy` and `Unbounded`
    count as None. Raises `NotExact` for a gap in floats unless `margin` is positive: rounding is no refutation.
    Raises `ValueError` where the claim spoke of no model at all.
    """
    rng, judged, outside = np.random.default_rng(seed), 0, 0
    gammas = [ar.as_fraction(x) for x in discounts]
    for n_states, n_actions in product(range(1, max_states + 1), range(1, max_actions + 1)):
        for k in range(tries):
            draft = drawn(rng, n_states, n_actions, policies, gammas, structured=2 * k < tries)
            found = gap_at(gap, draft, margin)
            judged, outside = judged + (found is not None), outside + (found is None)
            if found is not None and found > margin:
                return Search(shrunk(gap, draft, margin, gammas), judged, outside)
    if not judged:
        raise ValueError(
            f"the claim spoke of none of {outside} models: nothing was searched. Is it too strict, or wrong?"
        )
    return Search(None, judged, outside)


def replay(gap: Gap, path: Any) -> Witness:
    """A saved witness with the gap computed afresh, positive or not.  Raises `InvalidMDP` for a damaged model."""
    mdp = MDP.load(path)
    stored = json.loads(beside(path).read_text(encoding="utf-8"))["policies"]
    given = tuple(mdp.admit(policy) for policy in stored)
    return Witness(mdp, given, gap(mdp, *given))


def beside(path: Any) -> Path:
    return Path(path).with_suffix(".policies.json")


def gap_at(gap: Gap, draft: Draft, margin: Any) -> Any:
    """The gap, or None where the claim does not speak of the model."""
    mdp, given = draft.built()
    try:
        found = gap(mdp, *given)
    except OUTSIDE:
        return None
    if found is None:
        return None
    if margin > 0:
        if not ar.finite(np.array([found])).all():
            raise ValueError(f"gap = {found!r}: a claim must have two finite sides")
        return found
    try:
        return mdp.beside("gap", found)[()]
    except (MixedNumbers, NotANumber):
        raise NotExact(f"gap = {found!r}: return a rational, or say by margin= how far rounding may go") from None


def drawn(
    rng: np.random.Generator, n: int, m: int, policies: int, gammas: Sequence[Fraction], *, structured: bool
) -> Draft:
    """A random draft of one size; a structured one is deterministic throughout."""
    top = 1 if structured else LARGEST_REWARD
    law = pure if structured else weighted
    return Draft(
        steps=law(rng, (n, m, n + 1)),
        rewards=rng.integers(-top, top + 1, (n, m)),
        start=law(rng, (n,)),
        policies=law(rng, (policies, n, m)),
        gamma=gammas[int(rng.integers(len(gammas)))],
    )


def pure(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """All weight on one entry of each row."""
    return np.asarray(np.eye(shape[-1], dtype=int)[rng.integers(shape[-1], size=shape[:-1])])


def weighted(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Small weights, many of them 0, no row without any."""
    some = rng.integers(0, LARGEST_WEIGHT + 1, shape) * rng.integers(0, 2, shape)
    return np.asarray(some + pure(rng, shape))


def shrunk(gap: Gap, draft: Draft, margin: Any, gammas: Sequence[Fraction]) -> Witness:
    """The draft after every simplification that leaves the claim refuted; `size` falls with each, so this ends."""
    while (next_one := next(smaller_witnesses(gap, draft, margin, gammas), None)) is not None:
        draft = next_one
    mdp, given = draft.built()
    return Witness(mdp, tuple(given), gap_at(gap, draft, margin))


def smaller_witnesses(gap: Gap, draft: Draft, margin: Any, gammas: Sequence[Fraction]) -> Iterator[Draft]:
    for simpler in simplifications(draft, gammas):
        found = gap_at(gap, simpler, margin) if simpler.size < draft.size else None
        if found is not None and found > margin:
            yield simpler


def simplifications(draft: Draft, gammas: Sequence[Fraction]) -> Iterator[Draft]:
    """Everything one step simpler, the boldest steps first."""
    n, m = draft.rewards.shape
    yield from (without_state(draft, s) for s in range(n) if n > 1)
    yield from (without_action(draft, a) for a in range(m) if m > 1)
    yield from (replace(draft, gamma=gamma) for gamma in gammas)
    yield from (replace(draft, steps=simpler) for simpler in simpler_laws(draft.steps))
    yield from (replace(draft, policies=simpler) for simpler in simpler_laws(draft.policies))
    yield from (replace(draft, start=simpler) for simpler in simpler_laws(draft.start))
    for place, r in np.ndenumerate(draft.rewards):
        for simpler in {0, np.sign(r), int(r / 2), r - np.sign(r)}:
            yield replace(draft, rewards=changed(draft.rewards, place, simpler))


def without_state(draft: Draft, s: int) -> Draft:
    steps = np.delete(np.delete(draft.steps, s, axis=0), s, axis=2)
    return replace(
        draft,
        steps=never_empty(steps, -1),
        rewards=np.delete(draft.rewards, s, axis=0),
        start=never_empty(np.delete(draft.start, s), 0),
        policies=np.delete(draft.policies, s, axis=1),
    )


def without_action(draft: Draft, a: int) -> Draft:
    return replace(
        draft,
        steps=np.delete(draft.steps, a, axis=1),
        rewards=np.delete(draft.rewards, a, axis=1),
        policies=never_empty(np.delete(draft.policies, a, axis=2), 0),
    )


def never_empty(weights: Array, fallback: int) -> Array:
    """Rows that lost all their weight put it on one entry: steps end, starts and policies take the first."""
    out = weights.copy()
    out[~weights.any(axis=-1), fallback] = 1
    return out


def simpler_laws(weights: Array) -> Iterator[Array]:
    """One row pure, even over what it weighs, or one weight less."""
    for place in np.ndindex(weights.shape[:-1]):
        row = weights[place]
        candidates = [
            *np.eye(row.size, dtype=int),
            (row > 0).astype(int),
            row // 2,
            *(row - np.eye(row.size, dtype=int)),
        ]
        yield from (changed(weights, place, new) for new in candidates if (new >= 0).all() and new.any())


def changed(array: Array, place: tuple[int, ...], value: Any) -> Array:
    out = array.copy()
    out[place] = value
    return out


def laws(weights: Array) -> Array:
    """Weights over their sums, in Fractions: (..., k) -> (..., k)."""
    whole = weights.astype(object) * Fraction(1)
    return np.asarray(whole / whole.sum(axis=-1, keepdims=True))
