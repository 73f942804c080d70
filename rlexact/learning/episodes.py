"""A batch of episodes, side by side, and what a tabular softmax policy learns from it.

    ∂ log π(a | s) / ∂θ[s, b] = 1{a = b} - π(b | s),   θ[s', ·] nothing for s' ≠ s                      [E1]
    Σ_t w_t ∂ log π(a_t | s_t) = W - π Σ_b W(·, b),   W(s, a) = Σ_t w_t 1{s_t = s, a_t = a}             [E2]

Time comes first: (T, B), T the length of the longest episode; what lies behind the end of a shorter one is marked by
`taken`, earns 0 and counts as terminated, so that no recursion of `rlexact.formulas` looks past an end. Softmax policies take
every available action: whether their episodes end is decided once, by the model.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.exact.paths import start_law
from rlexact.learning.replay import Transition
from rlexact.learning.simulate import Rng, choosing, cumulative, draw, refuse_endless, stepping
from rlexact.mdp import MDP
from rlexact.policy import uniform

NOTHING = Transition(0, 0, 0.0, -1, True)


@dataclass(frozen=True, eq=False)
class Episodes:
    """`states`, `actions`, `rewards`, `following` (-1: no state), `terminated`, `truncated`, `taken`: (T, B) each."""

    states: Array
    actions: Array
    rewards: Array
    following: Array
    terminated: Array
    truncated: Array
    taken: Array

    @property
    def shape(self) -> tuple[int, int]:
        """T and B."""
        steps, episodes = self.states.shape
        return steps, episodes

    def values(self, v: Array) -> tuple[Array, Array]:
        """v of the states and of the true successors, 0 where there is none: (S,) -> (T, B), (T, B)."""
        return np.where(self.taken, v[self.states], 0.0), np.where(self.following < 0, 0.0, v[self.following])

    def table(self, weights: Array, n_actions: int, n_states: int) -> Array:
        """W of each episode [E2]: (T, B) -> (B, S, A)."""
        total = np.zeros((self.shape[1], n_states, n_actions))
        episode = np.broadcast_to(np.arange(self.shape[1]), self.shape)
        np.add.at(total, (episode, self.states, self.actions), np.where(self.taken, weights, 0.0))
        return total

    def scores(self, policy: Array, weights: Array) -> Array:
        """Σ_t w_t ∂ log π(a_t | s_t) of each episode [E2]: (S, A), (T, B) -> (B, S, A)."""
        n_states, n_actions = policy.shape
        return centred(policy, self.table(weights, n_actions, n_states))


def centred(policy: Array, W: Array) -> Array:
    """W - π Σ_b W(·, b) [E2]: (S, A), (..., S, A) -> (..., S, A)."""
    return np.asarray(W - policy * W.sum(axis=-1, keepdims=True))


class Sampler:
    """`sampler(policy, n)`: n episodes from `start` (a state or law, `mdp.initial` by default), cut after `steps` steps.

    A start in a terminal state is an episode without steps. Raises `InvalidPolicy` where `steps` is None and acting evenly may
    go on for ever, `InvalidMDP` without a start, `ValueError` for a number below 1.
    """

    def __init__(self, mdp: MDP, rng: Rng, steps: int | None = None, start: Any = None) -> None:
        law = start_law(mdp, start)
        if steps is None:
            refuse_endless(mdp, mdp.admit(uniform(mdp)), law)
        self.limit = None if steps is None else counted(steps, "steps of an episode")
        self.mdp, self.rng, self.starts = mdp, rng, cumulative(law)
        self.step = stepping(mdp, rng)

    def __call__(self, policy: Array, n: int) -> Episodes:
        act = choosing(self.mdp, policy, self.rng)
        return side_by_side([self.episode(act) for _ in range(counted(n, "episodes"))])

    def episode(self, act: Any) -> list[Transition]:
        """One episode, to its end or cut."""
        s = draw(self.starts, self.rng)
        lived: list[Transition] = []
        over = bool(self.mdp.terminal[s])
        while not over:
            a = act(s)
            _, following, reward, ended = self.step(s, a)
            terminated = ended or bool(self.mdp.terminal[following])
            cut = not terminated and len(lived) + 1 == self.limit
            lived.append(Transition(s, a, float(reward), -1 if following is None else following, terminated, cut))
            s, over = lived[-1].following, terminated or cut
        return lived


def side_by_side(runs: list[list[Transition]]) -> Episodes:
    """Lists of transitions, shorter ones filled up with nothing -> episodes."""
    T = max([1, *(len(run) for run in runs)])
    filled = [[*run, *[NOTHING] * (T - len(run))] for run in runs]
    taken = np.arange(T)[:, None] < np.array([len(run) for run in runs])
    s, a, r, following, terminated, truncated = (
        np.array([[t[i] for t in run] for run in filled]).T for i in range(len(NOTHING))
    )
    return Episodes(s, a, r, following, terminated, truncated, taken)
