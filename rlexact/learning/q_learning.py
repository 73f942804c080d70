"""Q-learning and its kin: the optimal action values, whatever policy acts.

    Q-learning   Q(s, a) += α (r + γ max_a' Q(s', a') - Q(s, a))                                        [Q1]
    double       Q₁(s, a) += α (r + γ Q₂(s', argmax Q₁(s', ·)) - Q₁(s, a)), or with 1 and 2 exchanged   [Q2]
    soft         Q(s, a) += α (r + γ τ log Σ_a' exp(Q(s', a') / τ) - Q(s, a))                           [Q3]
    DQN          Q(s, a) += α/B Σ_{i ≤ B: (s_i, a_i) = (s, a)} w_i (r_i + γ max_a' Q⁻(s_i', a') - Q(s, a))   [Q4]
    target       Q⁻ ← Q every C updates (hard), or Q⁻ ← (1 - ρ) Q⁻ + ρ Q after each (Polyak)              [Q5]

Nothing is added after an end; a cut is no end. Watkins and Dayan (1992) for [Q1], van Hasselt (2010), Algorithm 1, for [Q2],
Haarnoja et al. (2017), (7) and (10), for [Q3], Mnih et al. (2015), Algorithm 1, for [Q4], a step down the mean squared
error of a minibatch drawn from the replay buffer, w_i = 1 unless it is prioritised; Lillicrap et al. (2016) for the
second of [Q5]. Acting is ε-greedy, in [Q3] ε-Boltzmann; or by a fixed `policy`, which must take every pair that matters.
"""

from collections.abc import Callable
from typing import Unpack

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.exact.estimator_law import counted
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.learning.curve import Learned, Run
from rlexact.learning.replay import Replay, Transition
from rlexact.learning.sarsa import Control, Setting
from rlexact.learning.simulate import Rng
from rlexact.mdp import MDP
from rlexact.policy import softmax

LEAST_PRIORITY = 1e-6  # of a transition whose TD error is 0: it can still be drawn


def q_learning(mdp: MDP, steps: int, rng: Rng | int, **setting: Unpack[Setting]) -> Learned:
    """Q-learning [Q1]: -> q (S, A), against Q*.  Raises as `Control`."""
    task = Control(mdp, rng, **setting)
    return bootstrapped(task, task.run(steps, policy_iteration(mdp).q), lambda s: task.q[s, task.best(s)])


def double_q_learning(mdp: MDP, steps: int, rng: Rng | int, **setting: Unpack[Setting]) -> Learned:
    """Double Q-learning [Q2]: -> q (S, A), the mean of both tables, against Q*; `tables` has q1 and q2.

    It acts by the mean, and a fair coin says which table moves; step sizes count the visits of each table. Raises as
    `Control`.
    """
    task = Control(mdp, rng, **setting)
    both, visits = np.array([task.q, task.q]), np.zeros((2, *task.q.shape), dtype=int)
    run = task.run(steps, policy_iteration(mdp).q)
    for _ in run:
        t, i = task.acted(), int(task.rng.random() < 0.5)
        place = i, t.state, t.action
        ahead = 0.0 if t.terminated else task.gamma * both[1 - i, t.following, task.best(t.following, both[i])]
        visits[place] += 1
        both[place] += task.alpha(int(visits[place]), task.steps) * (t.reward + ahead - both[place])
        task.q[place[1:]] = both[:, t.state, t.action].mean()
    task.visits += visits.sum(axis=0)
    return task.learned(run, q1=both[0], q2=both[1])


class Boltzmann(Control):
    """Acts by softmax(Q / τ), mixed with exploration."""

    temperature = 1.0

    def greedy(self, s: int) -> Array:
        law, row = np.zeros(self.mdp.n_actions), self.q[s, self.choices[s]]
        weights = np.exp((row - row.max()) / self.temperature)
        law[self.choices[s]] = weights / weights.sum()
        return law

    def policy(self) -> Array:
        return softmax(self.model, self.q, self.temperature)


def soft_q_learning(mdp: MDP, steps: int, rng: Rng | int, temperature: float, **setting: Unpack[Setting]) -> Learned:
    """Soft Q-learning [Q3]: -> q (S, A), against the soft Q*, and the Boltzmann policy.

    `q` leaves out the entropy of the first action, as `exact.soft_bellman` does. Raises as `Control`, and as
    `soft_policy_iteration` for the temperature.
    """
    model = mdp.to_float()
    truth = backup(model, soft_policy_iteration(model, temperature).v)
    task = Boltzmann(mdp, rng, **setting)
    task.temperature = tau = float(temperature)

    def worth(s: int) -> float:
        row = task.q[s, task.choices[s]]
        return float(row.max() + tau * np.log(np.exp((row - row.max()) / tau).sum()))

    return bootstrapped(task, task.run(steps, truth), worth)


def bootstrapped(task: Control, run: Run, worth: Callable[[int], float]) -> Learned:
    """One-step learning with the bootstrap γ worth(s')."""
    for _ in run:
        t = task.acted()
        task.move(t.state, t.action, t.reward + (0.0 if t.terminated else task.gamma * worth(t.following)))
    return task.learned(run)


def tabular_dqn(
    mdp: MDP,
    steps: int,
    rng: Rng | int,
    *,
    capacity: int = 1000,
    batch: int = 32,
    burn_in: int = 32,
    period: int = 100,
    rho: float | None = None,
    updates: int = 1,
    double: bool = False,
    priority: tuple[float, float] | None = None,
    **setting: Unpack[Setting],
) -> Learned:
    """DQN on a table [Q4]: -> q (S, A), against Q*; `tables["target"]` is Q⁻.

    `updates` minibatches of `batch` after each step, once `burn_in` transitions are held; Q⁻ is copied every `period` updates, or
    follows at rate `rho` in (0, 1] after each if given [Q5]. `double` chooses the bootstrapped action by Q and judges it by
    Q⁻ (van Hasselt, Guez and Silver 2016). `priority` = (ω, β) of prioritised replay, priorities |δ|. Step sizes by
    visits count updates. A pair's step is α times its share of the minibatch. Raises as `Control` and `Replay`.
    """
    task = Control(mdp, rng, **setting)
    replay, target = Replay(capacity, task.rng, burn_in), task.q.copy()
    size, every, repeats, done = counted(batch, "samples"), counted(period, "updates"), counted(updates, "updates"), 0
    if rho is not None and not 0 < rho <= 1:
        raise ValueError(f"rho = {rho!r}: give a share in (0, 1], or None for a copy every {period} updates")
    run = task.run(steps, policy_iteration(mdp).q)
    for _ in run:
        replay.store(task.acted())
        for _ in range(repeats if replay.ready else 0):
            done += 1
            learn_minibatch(task, replay, target, size, task.alpha(done, task.steps), double, priority)
            if rho is not None:
                target += rho * (task.q - target)
            elif done % every == 0:
                target[:] = task.q
    return task.learned(run, target=target)


def learn_minibatch(
    task: Control,
    replay: Replay,
    target: Array,
    size: int,
    alpha: float,
    double: bool,
    priority: tuple[float, float] | None,
) -> None:
    """[Q4], all TD errors taken before any entry moves."""
    if priority is None:
        drawn, weights = replay.sample(size), np.ones(size)
    else:
        drawn, weights, places = replay.sample_prioritised(size, *priority)
    judge = task.q if double else target
    deltas = np.array([dqn_target(task, t, judge, target) - task.q[t.state, t.action] for t in drawn])
    pairs = np.array([t[:2] for t in drawn]).T
    np.add.at(task.q, (pairs[0], pairs[1]), alpha / size * weights * deltas)
    np.add.at(task.visits, (pairs[0], pairs[1]), 1)
    if priority is not None:
        replay.reprioritise(places, np.abs(deltas) + LEAST_PRIORITY)


def dqn_target(task: Control, t: Transition, chooser: Array, target: Array) -> float:
    """r + γ Q⁻(s', argmax chooser(s', ·)), r after an end."""
    ahead = 0.0 if t.terminated else target[t.following, task.best(t.following, chooser)]
    return float(t.reward + task.gamma * ahead)
