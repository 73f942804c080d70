"""SARSA: Q^π of the policy that is being followed and improved, from one stream of experience.

    SARSA            Q(s_t, a_t) += α (r_t + γ Q(s_{t+1}, a_{t+1}) - Q(s_t, a_t))                      [S1]
    expected SARSA   Q(s_t, a_t) += α (r_t + γ Σ_a π(a | s_{t+1}) Q(s_{t+1}, a) - Q(s_t, a_t))         [S2]
    n-step SARSA     Q(s_t, a_t) += α (Σ_{i<n} γ^i r_{t+i} + γ^n Q(s_{t+n}, a_{t+n}) - Q(s_t, a_t))     [S3]
    SARSA(λ)         z ← γλ z;  z(s_t, a_t) += α (or = α);  Q += δ_t z                               [S4]

π is ε-greedy in Q, or the fixed `policy` if one is given. Sutton and Barto (2018), (6.7), (6.9), (7.5), §12.7. Where ε tends
to ε_∞, SARSA tends to the best of the ε_∞-soft policies, not to Q*:

    Q = r + γ P ((1 - ε_∞) max_a Q + ε_∞ mean_a Q)                                                   [S5]  epsilon_optimal

which is the optimum of the model in which every chosen action is replaced by an even one with probability ε_∞ (ibid.
§5.4); its action values are those of a first action that is not replaced. Convergence: Singh et al. (2000), Theorem 1.
"""

from collections import deque
from typing import Any, TypedDict, Unpack

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup
from rlexact.exact.estimator_law import counted
from rlexact.exact.evaluation import action_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.return_estimators import checked_lambda
from rlexact.learning.curve import Checkpoints, Learned, Run, distance, floats, seeded, visited
from rlexact.learning.replay import Experience, Transition
from rlexact.learning.schedule import Schedule, exploration, step_sizes
from rlexact.learning.simulate import Rng, cumulative, draw
from rlexact.learning.td import discounted
from rlexact.mdp import MDP
from rlexact.outcomes import outcomes_of
from rlexact.policy import checked_q, first_best, uniform


class Setting(TypedDict, total=False):
    """What every learner of action values may be given by name.

    `alpha` a number or `Schedule` in (0, 1], by visits of the pair; `epsilon` in [0, 1], by visits of the state; `policy`
    (S, A) to follow in place of ε-greedy; `q` (S, A) where it starts (zeros), `start` a state or law (`mdp.initial`),
    `episode_steps` after which an episode is cut, `checkpoints` how many or which.
    """

    alpha: Schedule | float
    epsilon: Schedule | float
    policy: Array | None
    q: Array | None
    start: Any
    episode_steps: int | None
    checkpoints: Checkpoints


class Control:
    """An agent in a model and the table `q` that a learner changes.  `steps`, `visits`, `seen` count for schedules.

    Raises `InvalidPolicy` where `policy` is not one, and at γ = 1 where acting evenly (or by `policy`) may go on for ever;
    `InvalidSchedule`.
    """

    def __init__(
        self,
        mdp: MDP,
        rng: Rng | int,
        *,
        alpha: Schedule | float = 0.1,
        epsilon: Schedule | float = 0.1,
        policy: Array | None = None,
        q: Array | None = None,
        start: Any = None,
        episode_steps: int | None = None,
        checkpoints: Checkpoints = 30,
    ) -> None:
        self.followed = mdp.admit(uniform(mdp) if policy is None else policy)
        reached = visited(mdp, self.followed, start, must_end=mdp.gamma == 1)
        self.where = reached[:, None] & ar.apart(self.followed, 0)
        self.mdp, self.model, self.rng = mdp, mdp.to_float(), seeded(rng)
        self.gamma, self.fixed = float(self.model.gamma), None if policy is None else floats(self.followed)
        self.alpha, self.epsilon, self.checkpoints = step_sizes(alpha), exploration(epsilon), checkpoints
        shape = mdp.r.shape
        self.q = np.zeros(shape) if q is None else floats(checked_q(self.model, q))
        self.steps, self.visits, self.seen = 0, np.zeros(shape, dtype=int), np.zeros(shape[0], dtype=int)
        self.choices = [np.flatnonzero(row) for row in mdp.available]
        self.agent = Experience(self.model, self.rng, start, episode_steps)

    # -- acting -------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> int:
        return self.agent.state

    def best(self, s: int, q: Array | None = None) -> int:
        """The first best available action in s."""
        row, among = (self.q if q is None else q)[s], self.choices[s]
        return int(among[row[among].argmax()])

    def greedy(self, s: int) -> Array:
        """The law that exploration is mixed into: all mass on the first best action: -> (A,)."""
        return np.asarray(np.arange(self.mdp.n_actions) == self.best(s), dtype=float)

    def law(self, s: int) -> Array:
        """π(· | s) of now: -> (A,)."""
        if self.fixed is not None:
            return np.asarray(self.fixed[s])
        epsilon, even = self.epsilon(int(self.seen[s]) + 1, self.steps + 1), self.mdp.available[s]
        return np.asarray(epsilon * even / even.sum() + (1 - epsilon) * self.greedy(s))

    def act(self, s: int) -> int:
        law = self.law(s)
        self.seen[s] += 1
        return draw(cumulative(law), self.rng)

    def step(self, action: int) -> Transition:
        self.steps += 1
        return self.agent.step(action)

    def acted(self) -> Transition:
        """One step by the policy of now."""
        return self.step(self.act(self.state))

    # -- learning -----------------------------------------------------------------------------------------------------

    def run(self, total: int, truth: Array, unit: str = "steps") -> Run:
        return Run(total, distance(truth, self.q, self.where), self.checkpoints, unit)

    def rate(self, s: int, a: int) -> float:
        """The step size of one more visit to (s, a)."""
        self.visits[s, a] += 1
        return self.alpha(int(self.visits[s, a]), self.steps)

    def move(self, s: int, a: int, target: float) -> None:
        self.q[s, a] += self.rate(s, a) * (target - self.q[s, a])

    def policy(self) -> Array:
        """The greedy policy, in floats: -> (S, A)."""
        return first_best(self.model, self.q)

    def learned(self, run: Run, **tables: Array) -> Learned:
        return Learned(run.curve, q=self.q, policy=self.policy(), tables={"visits": self.visits, **tables})

    def on_policy_truth(self) -> Array:
        """What learning on-policy tends to: Q^π of a fixed policy, or [S5] at the limit of ε."""
        if self.fixed is not None:
            return action_value(self.mdp, self.followed)
        return epsilon_optimal(self.mdp, self.epsilon.limit)


def sarsa(mdp: MDP, steps: int, rng: Rng | int, **setting: Unpack[Setting]) -> Learned:
    """SARSA [S1]: -> q (S, A), against Q^π of `policy`, or the best ε_∞-soft values [S5].  Raises as `Control`."""
    return n_step_sarsa(mdp, steps, rng, 1, **setting)


def expected_sarsa(mdp: MDP, steps: int, rng: Rng | int, **setting: Unpack[Setting]) -> Learned:
    """Expected SARSA [S2]: -> q (S, A), against the same truth as `sarsa`, with less variance.  Raises as `Control`."""
    task = Control(mdp, rng, **setting)
    run = task.run(steps, task.on_policy_truth())
    for _ in run:
        t = task.acted()
        ahead = 0.0 if t.terminated else task.gamma * float(task.law(t.following) @ task.q[t.following])
        task.move(t.state, t.action, t.reward + ahead)
    return task.learned(run)


def n_step_sarsa(mdp: MDP, steps: int, rng: Rng | int, n: int, **setting: Unpack[Setting]) -> Learned:
    """n-step SARSA [S3]: -> q (S, A), against the same truth as `sarsa`.

    The next action is chosen before the update. Returns are shorter before an end or a cut; the last n - 1 pairs of the run
    are left as they are. Raises as `Control`, `ValueError` for n below 1.
    """
    task, window = Control(mdp, rng, **setting), deque[Transition]()
    wait, run = counted(n, "steps"), task.run(steps, task.on_policy_truth())
    action = task.act(task.state)
    for _ in run:
        window.append(task.step(action))
        action, ahead = chosen_next(task, window[-1])
        over = window[-1].terminated or window[-1].truncated
        while window and (over or len(window) == wait):
            target = discounted([t.reward for t in window], task.gamma, ahead)
            first = window.popleft()
            task.move(first.state, first.action, target)
        if over:
            action = task.act(task.state)
    return task.learned(run)


def sarsa_lambda(
    mdp: MDP, steps: int, rng: Rng | int, lam: float, *, replacing: bool = False, **setting: Unpack[Setting]
) -> Learned:
    """SARSA(λ), with accumulating or replacing traces [S4]: -> q (S, A), against the same truth as `sarsa`.

    λ = 0 is SARSA. Raises as `Control`, `ValueError` for λ outside [0, 1].
    """
    task = Control(mdp, rng, **setting)
    trace, decay = np.zeros(mdp.r.shape), task.gamma * float(checked_lambda(task.model, lam))
    run, action = task.run(steps, task.on_policy_truth()), task.act(task.state)
    for _ in run:
        t = task.step(action)
        place = t.state, t.action
        action, ahead = chosen_next(task, t)
        delta = t.reward + ahead - task.q[place]
        trace *= decay
        trace[place] = task.rate(*place) + (0 if replacing else trace[place])
        task.q += delta * trace
        if t.terminated or t.truncated:
            trace[:], action = 0, task.act(task.state)
    return task.learned(run)


def chosen_next(task: Control, t: Transition) -> tuple[int, float]:
    """a_{t+1} and γ Q(s_{t+1}, a_{t+1}); no action and 0 after an end."""
    if t.terminated:
        return -1, 0.0
    action = task.act(t.following)
    return action, float(task.gamma * task.q[t.following, action])


def epsilon_optimal(mdp: MDP, epsilon: float) -> Array:
    """The action values of the best ε-soft policy [S5]: -> (S, A), exact for ε = 0, in floats otherwise."""
    if epsilon == 0:
        return policy_iteration(mdp).q
    model = mdp.to_float()
    return backup(model, policy_iteration(replaced(model, epsilon)).v)


def replaced(mdp: MDP, epsilon: float) -> MDP:
    """The model in which every action is replaced by an even one with probability ε."""
    table: dict[tuple[Any, Any], list[Any]] = {}
    for s, a in np.argwhere(mdp.available):
        others = np.flatnonzero(mdp.available[s])
        weights = [(int(a), 1 - epsilon), *((int(b), epsilon / len(others)) for b in others)]
        table[int(s), int(a)] = [(w * p, f, r, end) for b, w in weights for p, f, r, end in outcomes_of(mdp, int(s), b)]
    terminal = np.flatnonzero(mdp.terminal)
    places: dict[str, Any] = {"states": range(mdp.n_states), "actions": range(mdp.n_actions), "terminal": terminal}
    return MDP.from_outcomes(table, mdp.gamma, **places)
