"""Temporal differences: V^π from one stream of experience.

    TD(0)          V(s_t) += α (r_t + γ V(s_{t+1}) - V(s_t))                                            [D1]
    n-step         V(s_t) += α (G_t^{(n)} - V(s_t)),   G_t^{(n)} = Σ_{i<n} γ^i r_{t+i} + γ^n V(s_{t+n})     [D2]
    TD(λ)          z ← γλ z;  z(s_t) += α_t (accumulating) or z(s_t) = α_t (replacing);  V += δ_t z       [D3]
    forward view   V(s_t) += α_t (G_t^λ - V(s_t)),   G_t^λ = r_t + γ ((1 - λ) V(s_{t+1}) + λ G_{t+1}^λ)     [D4]
    batch TD       the value of the chain that the counts make                                            [D5]
    batch MC       the mean of the returns seen                                                           [D6]

V is 0 after an end, and V(s_{t+1}) of the true successor where an episode is only cut. In [D3] the trace carries the step
size of each visit, so that with V held still within an episode the accumulating trace makes the updates of [D4] exactly. [D5]
is the limit of TD(0) shown the same data again and again, [D6] that of constant-α Monte Carlo (every visit): they differ.
Sutton and Barto (2018), (6.2), (7.2), (12.3), (12.5), (12.7), §6.3. The exact expectations are in `exact.expected_updates`
and `exact.return_estimators`. States that are never left keep their start value, and are left out of the error.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import checked_v
from rlexact.exact.estimator_law import counted
from rlexact.exact.evaluation import policy_value
from rlexact.exact.return_estimators import checked_lambda
from rlexact.learning.curve import Checkpoints, Learned, Run, distance, floats, seeded, visited
from rlexact.learning.model_based import counts_model
from rlexact.learning.replay import Experience, Transition
from rlexact.learning.schedule import Schedule, step_sizes
from rlexact.learning.simulate import Rng, choosing
from rlexact.mdp import MDP
from rlexact.policy import uniform


class Setting(TypedDict, total=False):
    """What every learner of V^π may be given by name.

    `alpha` a number or `Schedule` in (0, 1]; `v` (S,) where it starts (zeros), `start` a state or law (`mdp.initial`),
    `episode_steps` after which an episode is cut, `checkpoints` how many or which.
    """

    alpha: Schedule | float
    v: Array | None
    start: Any
    episode_steps: int | None
    checkpoints: Checkpoints


class Prediction:
    """A policy followed in a model, and the table `v` that a learner changes.  `steps` and `visits` count for schedules.

    Raises `InvalidPolicy` where π is not a policy, and at γ = 1 where it may go on for ever; `InvalidSchedule`.
    """

    def __init__(
        self,
        mdp: MDP,
        policy: Array,
        rng: Rng | int,
        *,
        alpha: Schedule | float = 0.1,
        v: Array | None = None,
        start: Any = None,
        episode_steps: int | None = None,
        checkpoints: Checkpoints = 30,
    ) -> None:
        self.where = visited(mdp, policy, start, must_end=mdp.gamma == 1) & ~mdp.terminal
        self.truth, model, draws = policy_value(mdp, policy), mdp.to_float(), seeded(rng)
        self.gamma, self.alpha, self.checkpoints = float(model.gamma), step_sizes(alpha), checkpoints
        first = np.zeros(mdp.n_states) if v is None else floats(checked_v(model, v))
        self.v = np.where(mdp.terminal, 0.0, first)
        self.steps, self.visits = 0, np.zeros(mdp.n_states, dtype=int)
        self.act = choosing(model, floats(mdp.admit(policy)), draws)
        self.agent = Experience(model, draws, start, episode_steps)

    def run(self, total: int, unit: str = "steps") -> Run:
        return Run(total, distance(self.truth, self.v, self.where), self.checkpoints, unit)

    def step(self) -> Transition:
        self.steps += 1
        return self.agent.step(self.act(self.agent.state))

    def ahead(self, t: Transition) -> float:
        """γ V(s'), 0 after an end."""
        return 0.0 if t.terminated else float(self.gamma * self.v[t.following])

    def rate(self, s: int) -> float:
        """The step size of one more visit to s."""
        self.visits[s] += 1
        return self.alpha(int(self.visits[s]), self.steps)

    def move(self, s: int, target: float) -> None:
        self.v[s] += self.rate(s) * (target - self.v[s])

    def learned(self, run: Run) -> Learned:
        return Learned(run.curve, v=self.v, tables={"visits": self.visits})


def td0(mdp: MDP, policy: Array, steps: int, rng: Rng | int, **setting: Unpack[Setting]) -> Learned:
    """TD(0) [D1]: (S, A) -> v (S,), against V^π.  Raises as `Prediction`."""
    task = Prediction(mdp, policy, rng, **setting)
    run = task.run(steps)
    for _ in run:
        t = task.step()
        task.move(t.state, t.reward + task.ahead(t))
    return task.learned(run)


def n_step_td(mdp: MDP, policy: Array, steps: int, rng: Rng | int, n: int, **setting: Unpack[Setting]) -> Learned:
    """n-step TD [D2]: (S, A) -> v (S,), against V^π.  n = 1 is TD(0).

    Returns are shorter before an end or a cut; the last n - 1 states of the run are left as they are. Raises as
    `Prediction`, `ValueError` for n below 1.
    """
    task, window = Prediction(mdp, policy, rng, **setting), deque[Transition]()
    wait, run = counted(n, "steps"), task.run(steps)
    for _ in run:
        window.append(task.step())
        ahead, over = task.ahead(window[-1]), window[-1].terminated or window[-1].truncated
        while window and (over or len(window) == wait):
            target = discounted([t.reward for t in window], task.gamma, ahead)
            task.move(window.popleft().state, target)
    return task.learned(run)


def td_lambda(
    mdp: MDP,
    policy: Array,
    steps: int,
    rng: Rng | int,
    lam: float,
    *,
    replacing: bool = False,
    **setting: Unpack[Setting],
) -> Learned:
    """TD(λ) online, with accumulating or replacing traces [D3]: (S, A) -> v (S,), against V^π.  λ = 0 is TD(0).

    Raises as `Prediction`, `ValueError` for λ outside [0, 1].
    """
    task, trace = Prediction(mdp, policy, rng, **setting), np.zeros(mdp.n_states)
    decay, run = task.gamma * float(checked_lambda(mdp.to_float(), lam)), task.run(steps)
    for _ in run:
        t = task.step()
        delta = t.reward + task.ahead(t) - task.v[t.state]
        trace *= decay
        trace[t.state] = task.rate(t.state) + (0 if replacing else trace[t.state])
        task.v += delta * trace
        if t.terminated or t.truncated:
            trace[:] = 0
    return task.learned(run)


def forward_view(
    mdp: MDP, policy: Array, episodes: int, rng: Rng | int, lam: float, **setting: Unpack[Setting]
) -> Learned:
    """TD(λ) off-line: all states of an episode move by their λ-returns once it is over [D4]: (S, A) -> v (S,).

    λ = 1 is every-visit Monte Carlo. Raises as `td_lambda`, and `InvalidPolicy` where an episode may never end and
    `episode_steps` is not given.
    """
    if setting.get("episode_steps") is None:
        visited(mdp, policy, setting.get("start"), must_end=True)
    task, weight = Prediction(mdp, policy, rng, **setting), float(checked_lambda(mdp.to_float(), lam))
    run = task.run(episodes, "episodes")
    for _ in run:
        lived = task.agent.episode(task.act)
        targets = lambda_returns(task, lived, weight)
        held = task.v.copy()
        for t, target in zip(lived, targets, strict=True):
            task.steps += 1
            task.v[t.state] += task.rate(t.state) * (target - held[t.state])
    return task.learned(run)


def lambda_returns(task: Prediction, lived: Sequence[Transition], lam: float) -> list[float]:
    """G_t^λ of every step of an episode [D4], with the values of now."""
    found, tail = [], 0.0
    for t in reversed(lived):
        ahead = task.ahead(t)
        tail = t.reward + (ahead if t.terminated or t.truncated else (1 - lam) * ahead + lam * task.gamma * tail)
        found.append(tail)
    return found[::-1]


def discounted(rewards: Sequence[Any], gamma: Any, ahead: Any) -> Any:
    """Σ_{i<n} γ^i r_i + γ^{n-1} ahead, `ahead` being γ V(s_n), or 0 after an end."""
    total = rewards[-1] + ahead
    for reward in rewards[-2::-1]:
        total = reward + gamma * total
    return total


# -- a fixed set of data ----------------------------------------------------------------------------------------------


def batch_td(mdp: MDP, data: Iterable[Transition]) -> Array:
    """Where TD(0) ends on the same transitions over and over [D5]: -> (S,), in the model's own numbers.

    States that the data never leave are worth 0. Raises `ValueError` without data, and as `policy_value`.
    """
    chain = counts_model(mdp, (t._replace(action=0) for t in data))
    return policy_value(chain, uniform(chain))


def batch_mc(mdp: MDP, episodes: Iterable[Sequence[Transition]]) -> Array:
    """The mean return seen from each state, all visits [D6]: -> (S,), in the model's own numbers, 0 where there is none.

    Raises `ValueError` without data, and for an episode that was cut: its return is not known.
    """
    total, n = ar.zeros(mdp.r, mdp.n_states), np.zeros(mdp.n_states, dtype=int)
    for lived in episodes:
        if lived and not lived[-1].terminated:
            raise ValueError(
                f"an episode of {len(lived)} steps is cut before its end: its return is not known, use batch_td"
            )
        g = 0 * mdp.gamma
        for t in reversed(lived):
            g = t.reward + mdp.gamma * g
            total[t.state] += g
            n[t.state] += 1
    if not n.any():
        raise ValueError("no transitions: give episodes of at least one step")
    return ar.tidy(total / np.maximum(n, 1))
