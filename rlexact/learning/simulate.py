"""Trajectories, sampled.

    s_0 ~ ρ,   a_t ~ π(· | s_t),   (s_{t+1}, r_t) ~ p(·, · | s_t, a_t)

Sutton and Barto (2018), §3.1. Each draw inverts a cumulative sum with one uniform number: the outcome is the first
whose cumulative probability exceeds it. One number is used for the start where it is a law, one for the action where
the model has several, one for the outcome. Exact models are sampled through the floats nearest to their
probabilities, so no sample is exact; the rewards in it are the model's own numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.door import InvalidPolicy
from rlexact.exact.chain import closed_classes, named, reachable
from rlexact.exact.paths import checked_steps, policy_or_only, start_law
from rlexact.mdp import MDP, Outcome
from rlexact.outcomes import outcomes_of

Rng = np.random.Generator | np.random.RandomState


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One sampled path: `states` (T+1,), `actions` (T,), `rewards` (T,), and how it stopped.

    `terminated`: a terminal state was entered, or a step ended the episode; in the second case there is no successor
    and `states` is (T,). `truncated`: the steps asked for were used up before it ended.
    """

    states: Array
    actions: Array
    rewards: Array
    terminated: bool
    truncated: bool


def trajectory(mdp: MDP, policy: Array | None, rng: Rng, steps: int | None = None, start: Any = None) -> Trajectory:
    """Sample one trajectory: (S, A) -> Trajectory, of at most `steps` steps, or until it ends.

    `policy` may be None where there is one action (a Markov process or reward process); `start` is a state or a (S,)
    law, `mdp.initial` by default. `rng` is a seeded NumPy generator. Raises `InvalidPolicy` without `steps` if the
    episode may never end, `InvalidMDP` without a start, `NotExact` where symbols have no numbers yet.
    """
    pi, law = policy_or_only(mdp, policy), start_law(mdp, start)
    horizon = np.inf if steps is None else checked_steps(steps)
    if steps is None:
        refuse_endless(mdp, pi, law)
    act, step = choosing(mdp, pi, rng), stepping(mdp, rng)
    states = [draw(cumulative(law), rng) if np.ndim(start) or start is None else mdp.state(start)]
    actions: list[int] = []
    rewards: list[Any] = []
    terminated = bool(mdp.terminal[states[0]])
    while not terminated and len(actions) < horizon:
        actions.append(act(states[-1]))
        _, following, reward, terminated = step(states[-1], actions[-1])
        rewards.append(reward)
        if following is not None:
            states.append(following)
            terminated = bool(mdp.terminal[following])
    paid = ar.zeros(mdp.r, len(rewards))
    paid[:] = rewards
    return Trajectory(np.array(states), np.array(actions, dtype=int), paid, terminated, not terminated)


def choosing(mdp: MDP, pi: Array, rng: Rng) -> Callable[[int], int]:
    """Draws an action in a state; without a choice no random number is used."""
    if mdp.n_actions == 1:
        return lambda s: 0
    laws = cache(lambda s: cumulative(pi[s]))
    return lambda s: draw(laws(s), rng)


def stepping(mdp: MDP, rng: Rng) -> Callable[[int, int], Outcome]:
    """Draws one outcome of a state and an action."""

    @cache
    def laws(s: int, a: int) -> tuple[list[Outcome], Array]:
        outcomes = outcomes_of(mdp, s, a)
        return outcomes, cumulative([p for p, *_ in outcomes])

    def step(s: int, a: int) -> Outcome:
        outcomes, law = laws(s, a)
        return outcomes[draw(law, rng)]

    return step


def cumulative(probabilities: Any) -> Array:
    """Cumulative sums in float64, whatever the numbers were, the last one exactly 1: (n,) -> (n,)."""
    try:
        sums = np.cumsum(np.array([float(p) for p in probabilities]))
    except TypeError:
        raise NotExact("a probability still holds symbols: give them numbers before sampling") from None
    return np.asarray(sums / sums[-1])


def draw(sums: Array, rng: Rng) -> int:
    return int(np.searchsorted(sums, rng.random(), side="right"))


def refuse_endless(mdp: MDP, pi: Array, law: Array) -> None:
    seen = reachable(mdp, pi, ar.apart(law, 0))
    for states in closed_classes(mdp, pi):
        if seen[states].any():
            raise InvalidPolicy(f"the policy may stay in {named(mdp, states)} for ever: say how many steps to sample")
