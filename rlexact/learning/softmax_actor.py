"""A softmax policy kept as a table of logits, which actor-critic learners move.

    π(a | s) = exp θ[s, a] / Σ_b exp θ[s, b]   over the available actions                      [A1]
    ∂H(s) / ∂θ[s, b] = -π(b | s) (log π(b | s) + H(s)),   H(s) = -Σ_a π log π                  [A2]

θ starts at 0 (the uniform policy) unless given. A constant added to the logits of a state changes nothing. Where a probability
falls below the smallest float its logarithm is finite all the same: it is taken from the logits.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.learning.curve import Checkpoints, Learned, Run, floats, regret
from rlexact.learning.schedule import Schedule, within
from rlexact.mdp import MDP
from rlexact.policy import checked_q, softmax


class SoftmaxActor:
    """`theta` (S, A), changed in place, and the critic `v` (S,), zeros unless given; `model` and `gamma` in floats.

    Raises `InvalidPolicy` where θ is not a finite (S, A) table, `ValueError` where v is not a finite (S,) one.
    """

    def __init__(self, mdp: MDP, theta: Array | None = None, v: Array | None = None) -> None:
        self.mdp, self.model = mdp, mdp.to_float()
        self.gamma = float(self.model.gamma)
        self.theta = np.zeros(mdp.r.shape) if theta is None else floats(checked_q(self.model, floats(theta)))
        self.v = np.zeros(mdp.n_states) if v is None else floats(v)
        if self.v.shape != (mdp.n_states,) or not np.isfinite(self.v).all():
            raise ValueError(f"v = {v}: give one finite number for each of {mdp.n_states} states")
        self.v[mdp.terminal] = 0

    @property
    def policy(self) -> Array:
        """π_θ [A1], 0 throughout at terminal states: (S, A)."""
        return np.where(self.mdp.available, np.exp(self.log_policy), 0.0)

    @property
    def log_policy(self) -> Array:
        """log π_θ over available actions, 0 elsewhere: (S, A)."""
        return log_softmax(self.theta, self.mdp.available)

    def law(self, s: int) -> Array:
        """π_θ(· | s): (A,)."""
        row = slice(s, s + 1)
        log_law = log_softmax(self.theta[row], self.mdp.available[row])[0]
        return np.where(self.mdp.available[s], np.exp(log_law), 0.0)

    def run(self, updates: int, checkpoints: Checkpoints, unit: str = "updates") -> Run:
        """Counts updates, and measures J* - J(π_θ)."""
        return Run(updates, regret(self.mdp, lambda: self.policy), checkpoints, unit)

    def learned(self, run: Run, **tables: Any) -> Learned:
        return Learned(
            run.curve, v=self.v, policy=softmax(self.model, self.theta), tables={"theta": self.theta, **tables}
        )


def log_softmax(theta: Array, available: Array) -> Array:
    """θ - log Σ_b exp θ[·, b] over available actions, 0 elsewhere: (S, A), (S, A) -> (S, A)."""
    top, _ = ar.best(theta, available)
    moved = np.where(available, theta - top[:, None], 0.0)
    total = np.where(available, np.exp(moved), 0.0).sum(axis=1)
    return np.asarray(np.where(available, moved - np.log(np.where(total > 0, total, 1.0))[:, None], 0.0))


def entropy_gradient(policy: Array, log_policy: Array) -> Array:
    """∂H(s) / ∂θ[s, ·] [A2]: (S, A), (S, A) -> (S, A)."""
    entropy = -(policy * log_policy).sum(axis=1, keepdims=True)
    return np.asarray(-policy * (log_policy + entropy))


def logit_steps(name: str, alpha: Schedule | float) -> Schedule:
    """Step sizes of logits, any positive numbers: a large one makes a greedy policy.  Raises `InvalidSchedule`."""
    return within(name, alpha, lambda x: x > 0, "(0, inf)")
