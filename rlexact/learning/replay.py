"""Experience, lived and lived again: transitions of one agent, and the buffer that keeps the last of them.

    uniform        Pr(i) = 1/N                                                                 [B1]
    prioritised    Pr(i) = p_i^ω / Σ_j p_j^ω,   w_i = (N Pr(i))^-β / max_j (N Pr(j))^-β        [B2]

Lin (1992); Mnih et al. (2015) for [B1]; Schaul et al. (2016), (1) and §3.4 for [B2], whose α is ω here and whose maximum
is taken over the whole buffer, so that a weight does not depend on the others drawn. First in, first out: with room for N,
the transition stored at time t is there until time t + N - 1. New transitions have the highest priority given so far.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP
from rlexact.exact.estimator_law import counted
from rlexact.exact.paths import start_law
from rlexact.learning.simulate import Rng, Trajectory, cumulative, draw, stepping
from rlexact.mdp import MDP


class EmptyReplay(ValueError):
    """A sample was asked of a buffer that holds too little: the message says how much it holds and how much it needs."""


class Transition(NamedTuple):
    """One step.  `terminated`: nothing follows, and its bootstrap is 0; `following` is -1 where there is no state at all.

    `truncated`: the episode was cut here and another begins; `following` is the true successor, and worth its value.
    """

    state: int
    action: int
    reward: Any
    following: int
    terminated: bool
    truncated: bool = False


class Experience:
    """An agent in a model, one step at a time: `state` is where it is, and it starts anew after each end or cut.

    `start` is a state or a (S,) law, `mdp.initial` by default. Episodes are cut after `episode_steps` steps, if given.
    Raises `InvalidMDP` without a start, or where every start is terminal.
    """

    def __init__(self, mdp: MDP, rng: Rng, start: Any = None, episode_steps: int | None = None) -> None:
        law = start_law(mdp, start)
        live = ar.apart(law, 0) & ~mdp.terminal
        if not live.any():
            raise InvalidMDP("every start is terminal: nothing can be learned. Give another start=")
        places = np.flatnonzero(live)
        sums = cumulative(law[places])
        self.begin: Callable[[], int] = lambda: int(places[0 if len(places) == 1 else draw(sums, rng)])
        self.draws, self.terminal = stepping(mdp, rng), mdp.terminal
        self.limit = None if episode_steps is None else counted(episode_steps, "steps of an episode")
        self.restart(self.begin())

    def restart(self, state: int) -> None:
        """Begin an episode in `state`."""
        self.state, self.age = state, 0

    def step(self, action: int) -> Transition:
        """Take an action; after an end or a cut `state` is already the next start."""
        _, following, reward, ended = self.draws(self.state, action)
        terminated = ended or bool(self.terminal[following])
        self.age += 1
        truncated = not terminated and self.age == self.limit
        arrived = -1 if following is None else following
        happened = Transition(self.state, action, float(reward), arrived, terminated, truncated)
        if terminated or truncated:
            self.restart(self.begin())
        else:
            self.state = arrived
        return happened

    def episode(self, act: Callable[[int], int]) -> list[Transition]:
        """The rest of the episode, acting by `act`: up to its end or cut."""
        lived = [self.step(act(self.state))]
        while not (lived[-1].terminated or lived[-1].truncated):
            lived.append(self.step(act(self.state)))
        return lived


def transitions(path: Trajectory) -> list[Transition]:
    """The steps of a sampled trajectory, rewards in its own numbers; the last one is truncated if the path was cut."""
    last = len(path.actions) - 1
    arrived = [*path.states[1:], *[-1] * (last + 2 - len(path.states))]
    steps = zip(path.states, path.actions, path.rewards, arrived, strict=False)
    return [
        Transition(int(s), int(a), r, int(f), t == last and path.terminated, t == last and path.truncated)
        for t, (s, a, r, f) in enumerate(steps)
    ]


class Replay:
    """A ring of the last `capacity` transitions, oldest overwritten first.

    `sample` draws uniformly [B1]; `sample_prioritised` by priorities [B2]. Both draw with replacement, and raise
    `EmptyReplay` until `burn_in` transitions (at least 1) are held.
    """

    def __init__(self, capacity: int, rng: Rng, burn_in: int = 1) -> None:
        self.capacity, self.rng = counted(capacity, "places in the buffer"), rng
        self.burn_in = counted(burn_in, "transitions of burn-in")
        if self.burn_in > self.capacity:
            raise ValueError(f"a burn-in of {burn_in} never fits into {capacity} places: give capacity >= burn_in")
        self.ring: list[Transition] = []
        self.priorities = np.zeros(self.capacity)
        self.stored, self.top = 0, 1.0

    def __len__(self) -> int:
        return len(self.ring)

    @property
    def ready(self) -> bool:
        """Whether the burn-in is over."""
        return len(self.ring) >= self.burn_in

    def store(self, transition: Transition) -> None:
        """Keep a transition in place of the oldest one."""
        place = self.stored % self.capacity
        if len(self.ring) < self.capacity:
            self.ring.append(transition)
        else:
            self.ring[place] = transition
        self.priorities[place] = self.top
        self.stored += 1

    def oldest_first(self) -> list[Transition]:
        """All that is held, in the order in which it came."""
        first = self.stored % self.capacity if len(self.ring) == self.capacity else 0
        return self.ring[first:] + self.ring[:first]

    def sample(self, size: int) -> list[Transition]:
        """`size` transitions, uniformly [B1]."""
        self.refuse_unready()
        return [self.ring[i] for i in self.rng.choice(len(self.ring), counted(size, "samples"))]

    def sample_prioritised(self, size: int, omega: float, beta: float) -> tuple[list[Transition], Array, Array]:
        """`size` transitions, their weights w and their places [B2]: -> list, (size,), (size,).

        Raises `ValueError` for ω below 0 or β outside [0, 1].
        """
        self.refuse_unready()
        if not 0 <= omega < np.inf or not 0 <= beta <= 1:
            raise ValueError(f"omega = {omega!r}, beta = {beta!r}: give omega of 0 or more, and beta in [0, 1]")
        p = self.priorities[: len(self.ring)] / self.priorities.max()
        law = p**omega / (p**omega).sum()
        places = np.array([draw(np.asarray(cumulative(law)), self.rng) for _ in range(counted(size, "samples"))])
        return [self.ring[i] for i in places], (law.min() / law[places]) ** beta, places

    def reprioritise(self, places: Array, priorities: Array) -> None:
        """New priorities, |TD error| plus a little, of transitions last sampled: (size,), (size,).

        Raises `ValueError` for a priority that is not positive, which would never be drawn again.
        """
        if not (np.isfinite(priorities) & (np.asarray(priorities) > 0)).all():
            raise ValueError(f"priorities {priorities}: give positive numbers, |TD error| plus a little")
        self.priorities[places] = priorities
        self.top = max(self.top, float(np.max(priorities)))

    def refuse_unready(self) -> None:
        if not self.ready:
            raise EmptyReplay(
                f"the buffer holds {len(self.ring)} of the {self.burn_in} transitions it needs: store more"
            )
