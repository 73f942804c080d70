"""Dyna: Q-learning from what happens, and again from what a learned model says would happen.

    direct       Q(s, a) += α (r + γ max_a' Q(s', a') - Q(s, a))                                             [Y1]
    planning     the same N times, (s, a) drawn evenly from the pairs tried, (r, s') from what they gave      [Y2]
    Dyna-Q+      planning adds κ √τ(s, a) to r, τ the steps since (s, a) was tried; untried pairs stay, pay 0  [Y3]
    sweeping     Q(s, a) = Σ p̂ (r + γ max_a' Q(s', a')), the pair of largest change first, then those before it   [Y4]

Sutton and Barto (2018), §8.2, §8.3 with its Exercise 8.4's footnote, and §8.4; Moore and Atkeson (1993) for [Y4]. The model
keeps every outcome seen and draws one evenly, which is the maximum-likelihood model of `model_based` and, where nothing is
random, the table of the book. [Y4] backs up the expectation, as the book asks of stochastic models.
"""

from collections import Counter, defaultdict
from heapq import heappop, heappush
from typing import Unpack

import numpy as np

from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.curve import Learned
from rlexact.learning.replay import Transition
from rlexact.learning.sarsa import Control, Setting
from rlexact.learning.simulate import Rng
from rlexact.mdp import MDP

Pair = tuple[int, int]


def dyna_q(
    mdp: MDP, steps: int, rng: Rng | int, planning: int = 10, *, kappa: float = 0, **setting: Unpack[Setting]
) -> Learned:
    """Dyna-Q [Y2], or Dyna-Q+ with κ > 0 [Y3]: -> q (S, A), against Q*.  No planning is Q-learning.

    With κ > 0 the values keep a bonus that grows between visits: they do not settle at Q*. Raises as `Control`, `ValueError`
    for negative `planning` or κ.
    """
    if planning < 0 or not 0 <= kappa < np.inf:
        raise ValueError(f"planning = {planning!r}, kappa = {kappa!r}: give 0 or more")
    task, seen = Control(mdp, rng, **setting), defaultdict[Pair, list[Transition]](list)
    tried, pairs = np.zeros(mdp.r.shape), list[Pair]()
    run = task.run(steps, policy_iteration(mdp).q)
    for k in run:
        t = task.acted()
        pairs += new_pairs(task, seen, t, kappa > 0)
        seen[t.state, t.action].append(t)
        tried[t.state, t.action] = k
        task.move(t.state, t.action, backed_up(task, t))
        for i in task.rng.choice(len(pairs), planning):
            s, a = pairs[i]
            known = seen[s, a]
            imagined = known[task.rng.choice(len(known))] if known else Transition(s, a, 0.0, s, False)
            task.move(s, a, backed_up(task, imagined) + kappa * (k - tried[s, a]) ** 0.5)
    return task.learned(run)


def new_pairs(task: Control, seen: dict[Pair, list[Transition]], t: Transition, every: bool) -> list[Pair]:
    """The pair of a transition, or every pair of its state, where it is the first: what planning may draw from now on."""
    if not every:
        return [] if (t.state, t.action) in seen else [(t.state, t.action)]
    known = any((t.state, int(a)) in seen for a in task.choices[t.state])
    return [] if known else [(t.state, int(a)) for a in task.choices[t.state]]


def backed_up(task: Control, t: Transition) -> float:
    """r + γ max_a' Q(s', a'), r after an end."""
    ahead = 0.0 if t.terminated else task.gamma * task.q[t.following, task.best(t.following)]
    return float(t.reward + ahead)


def prioritized_sweeping(
    mdp: MDP, steps: int, rng: Rng | int, planning: int = 10, *, threshold: float = 1e-9, **setting: Unpack[Setting]
) -> Learned:
    """Prioritized sweeping [Y4]: -> q (S, A), against Q*.  Full backups of the counted model: `alpha` is not used.

    At most `planning` backups after each step, of pairs that would change by more than `threshold`. Raises as `Control`,
    `ValueError` for negative `planning` or a threshold that is not positive.
    """
    if planning < 0 or not threshold > 0:
        raise ValueError(
            f"planning = {planning!r}, threshold = {threshold!r}: give 0 or more, and a positive threshold"
        )
    task, sweep = Control(mdp, rng, **setting), Sweep()
    run = task.run(steps, policy_iteration(mdp).q)
    for _ in run:
        t = task.acted()
        sweep.seen[t.state, t.action][t] += 1
        sweep.before[t.following].add((t.state, t.action))
        sweep.propose(task, (t.state, t.action), threshold)
        for _ in range(planning):
            if (pair := sweep.pop()) is None:
                break
            task.q[pair] = sweep.value(task, pair)
            task.visits[pair] += 1
            for earlier in sweep.before[pair[0]]:
                sweep.propose(task, earlier, threshold)
    return task.learned(run)


class Sweep:
    """The counted model, the pairs seen before each state, and the queue of pairs by how much they would change."""

    def __init__(self) -> None:
        self.seen: defaultdict[Pair, Counter[Transition]] = defaultdict(Counter)
        self.before: defaultdict[int, set[Pair]] = defaultdict(set)
        self.queue: list[tuple[float, Pair]] = []
        self.waiting: dict[Pair, float] = {}

    def value(self, task: Control, pair: Pair) -> float:
        """The expected backup of a pair in the counted model."""
        counts = self.seen[pair]
        return sum(n * backed_up(task, t) for t, n in counts.items()) / counts.total()

    def propose(self, task: Control, pair: Pair, threshold: float) -> None:
        """Queue a pair, or move it up, if it would change by more than the threshold."""
        change = abs(self.value(task, pair) - task.q[pair])
        if change > max(threshold, self.waiting.get(pair, 0.0)):
            self.waiting[pair] = change
            heappush(self.queue, (-change, pair))

    def pop(self) -> Pair | None:
        """The pair of largest change, once: entries that were overtaken are passed over."""
        while self.queue:
            change, pair = heappop(self.queue)
            if self.waiting.get(pair) == -change:
                del self.waiting[pair]
                return pair
        return None
