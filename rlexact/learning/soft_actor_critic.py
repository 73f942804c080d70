"""Soft actor-critic (SAC) on tables, and soft policy iteration from samples of a model.

    critic        Q(s, a) += α_Q (y - Q(s, a)),   y = r + γ Σ_a' π(a' | s') (Q̄(s', a') - τ log π(a' | s'))        [S1]
    actor         θ(s, ·) += α_θ Σ_a ∂π(a | s) (Q(s, a) - τ log π(a | s))                                        [S2]
                  or at once π(· | s) ∝ exp(Q(s, ·) / τ), the minimiser of KL(π ‖ exp(Q / τ) / Z)
    temperature   log τ += α_τ mean(H̄ - H(π(· | s)))                                                             [S3]
    target        Q̄ += ρ (Q - Q̄)                                                                                 [S4]
    from a model  [S1] for every pair, y the mean of fresh samples, Q in place of Q̄; then [S2] at once, in turn        [S5]

[S1-S4] follow every step of experience, over one minibatch of a replay. The mean over a' is taken, not sampled. Q leaves out
the entropy of the first action, as `exact.soft_bellman` does; Q, θ and Q̄ are then at rest exactly at the soft optimum of τ,
which is what the curve measures from; a learned τ is measured at the τ of the moment. [S3] descends the loss τ mean(H - H̄)
in log τ (its gradient less a factor τ): τ rises where the policy is less random than H̄. Two tables that see the same
minibatches from the same start stay equal: the minimum of twin critics has nothing to choose from here. Haarnoja et al.
(2018a), (2) and (4) for [S1] and [S2]; Haarnoja et al. (2018b), §5 for [S3]; Christodoulou (2019) for discrete actions.
"""

from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.exact.estimator_law import counted
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.learning.curve import Checkpoints, Learned, Run, Yardstick, floats, seeded, visited
from rlexact.learning.replay import Experience, Replay, Transition
from rlexact.learning.schedule import Schedule, step_sizes
from rlexact.learning.simulate import Rng, cumulative, draw, stepping
from rlexact.learning.softmax_actor import SoftmaxActor, logit_steps
from rlexact.mdp import MDP
from rlexact.policy import checked_q, softmax, uniform


class SoftTables:
    """What SAC keeps and changes in place: `actor`, `q`, `target` (S, A) and the temperature `tau`."""

    def __init__(self, mdp: MDP, tau: float, q: Array | None = None, theta: Array | None = None) -> None:
        self.tau, self.actor = float(tau), SoftmaxActor(mdp, theta)
        self.q = np.zeros(mdp.r.shape) if q is None else floats(checked_q(self.actor.model, floats(q)))
        self.target = self.q.copy()

    def values(self, q: Array) -> Array:
        """Σ_a π (q - τ log π): (S, A) -> (S,)."""
        pi, log_pi = self.actor.policy, self.actor.log_policy
        return np.asarray((pi * (q - self.tau * log_pi)).sum(axis=1))

    def entropies(self) -> Array:
        """H(π(· | s)): (S,)."""
        return np.asarray(-(self.actor.policy * self.actor.log_policy).sum(axis=1))

    def regress(self, drawn: list[Transition], alpha: float) -> None:
        """[S1] for each pair of a minibatch, by the mean gap of its samples."""
        ahead, gaps = self.values(self.target), np.zeros(self.q.shape)
        count = np.zeros(self.q.shape)
        for t in drawn:
            bootstrap = 0.0 if t.terminated else self.actor.gamma * ahead[t.following]
            gaps[t.state, t.action] += t.reward + bootstrap - self.q[t.state, t.action]
            count[t.state, t.action] += 1
        self.q += alpha * gaps / np.maximum(count, 1)

    def improve(self, alpha: float | None, states: Any = slice(None)) -> None:
        """[S2] in these states; at once where α is None."""
        if alpha is None:
            self.actor.theta[states] = self.q[states] / self.tau
            return
        pi = self.actor.policy
        worth = self.q - self.tau * self.actor.log_policy
        self.actor.theta[states] += alpha * (pi * (worth - (pi * worth).sum(axis=1, keepdims=True)))[states]

    def run(self, total: int, checkpoints: Checkpoints, unit: str, moving: bool) -> Run:
        """Measures max |Q - soft Q*| over what can be visited, at the temperature of now if it is `moving`."""
        model = self.actor.model
        where = visited(model, uniform(model))[:, None] & model.available
        first = soft_q(model, self.tau)

        def read() -> float:
            truth = soft_q(model, self.tau) if moving else first
            return float(np.abs(self.q - truth)[where].max(initial=0))

        return Run(total, Yardstick(read, "max |Q - soft Q*|", None if moving else first), checkpoints, unit)

    def learned(self, run: Run) -> Learned:
        tables = {"theta": self.actor.theta, "target": self.target, "temperature": np.array(self.tau)}
        return Learned(
            run.curve,
            v=self.values(self.q),
            q=self.q,
            policy=softmax(self.actor.model, self.actor.theta),
            tables=tables,
        )


def soft_actor_critic(
    mdp: MDP,
    steps: int,
    rng: Rng | int,
    temperature: float,
    *,
    target_entropy: float | None = None,
    alpha: Schedule | float = 0.2,
    policy_alpha: Schedule | float | None = 1.0,
    temperature_alpha: Schedule | float = 0.01,
    rho: float = 0.1,
    capacity: int = 1000,
    batch: int = 16,
    burn_in: int = 16,
    q: Array | None = None,
    theta: Array | None = None,
    episode_steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[S1-S4], one minibatch of `batch` after each step: -> q, policy, v, against the soft Q*.

    With a `target_entropy` H̄ in nats, τ starts at `temperature` and is learned [S3]. `policy_alpha` None improves at once.
    Step sizes count steps. `tables`: "theta", "target", "temperature". Raises as `Experience`, `Replay` and
    `soft_policy_iteration`, `InvalidSchedule`, `ValueError` for ρ outside (0, 1] or an entropy that no policy has.
    """
    kept, rng = SoftTables(mdp, temperature, q, theta), seeded(rng)
    if not 0 < rho <= 1:
        raise ValueError(f"rho = {rho!r}: give a share in (0, 1]; 1 keeps no target table")
    refuse_unreachable(kept.actor.mdp, target_entropy)
    value_step, hot_step = step_sizes(alpha), logit_steps("temperature_alpha", temperature_alpha)
    step = None if policy_alpha is None else logit_steps("policy_alpha", policy_alpha)
    agent = Experience(kept.actor.model, rng, episode_steps=episode_steps)
    replay, size = Replay(capacity, rng, burn_in), counted(batch, "samples")
    run = kept.run(steps, checkpoints, "steps", target_entropy is not None)
    for k in run:
        replay.store(agent.step(draw(cumulative(kept.actor.law(agent.state)), rng)))
        if not replay.ready:
            continue
        drawn = replay.sample(size)
        kept.regress(drawn, value_step(k, k))
        states = sorted({t.state for t in drawn})
        kept.improve(None if step is None else step(k, k), states)
        if target_entropy is not None:
            kept.tau *= np.exp(hot_step(k, k) * (target_entropy - kept.entropies()[[t.state for t in drawn]].mean()))
        kept.target += rho * (kept.q - kept.target)
    return kept.learned(run)


def sampled_soft_policy_iteration(
    mdp: MDP,
    iterations: int,
    rng: Rng | int,
    temperature: float,
    *,
    sweeps: int = 10,
    samples: int = 10,
    alpha: Schedule | float = 1.0,
    q: Array | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[S5]: `sweeps` of evaluation with `samples` of every pair each, then improvement, in turn: -> as `soft_actor_critic`.

    Needs a model to sample from at will. Step sizes count sweeps: with a constant one the error ends at the noise of the samples,
    on a deterministic model with α = 1 it is modified soft policy iteration itself. Raises as `soft_policy_iteration`.
    """
    kept, rng = SoftTables(mdp, temperature, q), seeded(rng)
    kept.improve(None)
    value_step, n, rounds = step_sizes(alpha), counted(samples, "samples"), counted(sweeps, "sweeps")
    pairs, step = np.argwhere(mdp.available).tolist(), stepping(kept.actor.model, rng)
    run = kept.run(iterations, checkpoints, "iterations", False)
    for k in run:
        for i in range(rounds):
            kept.target[:] = kept.q
            drawn = [sampled(step, mdp, s, a) for s, a in pairs for _ in range(n)]
            kept.regress(drawn, value_step((k - 1) * rounds + i + 1, (k - 1) * rounds + i + 1))
        kept.improve(None)
    return kept.learned(run)


def sampled(step: Any, mdp: MDP, s: int, a: int) -> Transition:
    """One outcome of a pair."""
    _, following, reward, ended = step(s, a)
    over = ended or bool(mdp.terminal[following])
    return Transition(s, a, float(reward), -1 if following is None else following, over)


def soft_q(model: MDP, tau: float) -> Array:
    """The soft Q* at τ: (S, A)."""
    return backup(model, soft_policy_iteration(model, tau).v)


def refuse_unreachable(mdp: MDP, target_entropy: float | None) -> None:
    most = float(np.log(mdp.available.sum(axis=1).max(initial=1)))
    if target_entropy is not None and not 0 < target_entropy < most:
        raise ValueError(f"target_entropy = {target_entropy!r}: give nats above 0 and below log |A| = {most:.6g}")
