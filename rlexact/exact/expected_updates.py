"""Constant-step temporal differences in expectation: what the averages of infinitely many runs do, exactly.

One update moves the table x towards a sampled target at one place, drawn with probability d (or at all places, d = 1):

    TD(0)        V(s) += α (r + γ V(s') - V(s))                     E[V' | V] = V + α D (r_π + γ P_π V - V)   [U1]
    SARSA        Q(s, a) += α (r + γ Q(s', a') - Q(s, a))           E[Q' | Q] = Q + α D (r + γ P Π Q - Q)      [U2]
    Q-learning   Q(s, a) += α (r + γ max_a' Q(s', a') - Q(s, a))    E[Q' | Q] = Q + α D (r + γ P max Q - Q)    [U3]
    double Q     Q₁(s, a) += α (r + γ Q₂(s', argmax Q₁(s', ·)) - Q₁(s, a)), or with 1 and 2 exchanged     [U7]
    linear ones  x ← M x + b,   M = I + α D (γ P - I),   b = α D r;   x_k = M^k x_0 + Σ_{i<k} M^i b     [U4]

What is exact: [U1] to [U3] for one update from a given table, always. [U1] and [U2] also for k updates, if each draws
its place and its transition independently of the past, since the expectation of a linear map is the map of the
expectation; SARSA and expected SARSA have the same [U2]. [U3] iterated is not the expectation of two Q-learning
updates: the maximum of a mean is at most the mean of the maximum. Sutton and Barto (2018), (6.2), (6.7) to (6.9).

Along an episode, V_t and s_t depend on each other and [U1] does not iterate. Their joint first moment is linear all the
same:

    m_t(s, x) = E[V_t(x) 1{s_t = s}],   p_t(s) = Pr(s_t = s)                                           [U5]
    m_{t+1}(s', x) = Σ_s P(s, s') m_t(s, x) + α (p_t(x) c(x, s') + P(x, s') (γ m_t(x, s') - m_t(x, x)))
    E[V_{t+1}(x)] = E[V_t(x)] + α (p_t(x) r_π(x) + γ Σ_s' P(x, s') m_t(x, s') - m_t(x, x))

with c(x, s') = E[r 1{s'} | x]; it holds because the step is independent of V_t given s_t. Where code forgets to move
on, all T updates of an epoch are made from its start s with independent successors, and only V(s) moves:

    E[V'] = V + α D (T^π V - V),   d(s) = ρ(s) Σ_{i<T} (1 - α (1 - γ P(s, s)))^i                          [U6]

Terminal states and unavailable pairs are never updated and hold 0: a table's entries there are read as 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup, checked_v
from rlexact.mdp import MDP
from rlexact.outcomes import outcomes_of
from rlexact.policy import first_best


@dataclass(frozen=True, eq=False)
class ExpectedUpdate:
    """The affine map x ↦ M x + b [U4] of a table written as a vector: `matrix` (n, n) kernel, `offset` (n,)."""

    matrix: Any
    offset: Array

    def __call__(self, x: Array) -> Array:
        """One update: (n,) -> (n,)."""
        return ar.tidy(self.matrix @ np.asarray(x) + self.offset)

    def __matmul__(self, first: "ExpectedUpdate") -> "ExpectedUpdate":
        """`first`, then this one."""
        return ExpectedUpdate(self.matrix @ first.matrix, self(first.offset))

    def after(self, updates: int) -> "ExpectedUpdate":
        """The map of `updates` of them in a row, by repeated squaring: log₂ k products, no fixed point needed."""
        if updates < 0:
            raise ValueError(f"{updates} updates: give 0 or more")
        done, power = ExpectedUpdate(ar.eye(self.matrix), 0 * self.offset), self
        while updates:
            if updates % 2:
                done = power @ done
            updates //= 2
            if updates:
                power = power @ power
        return done

    def fixed_point(self) -> Array:
        """x with M x + b = x: -> (n,).  Raises `SingularSystem` where a place is never updated: any value stays."""
        return ar.solve(ar.eye(self.matrix) - self.matrix, self.offset)

    def spectral_radius(self) -> Any:
        """The rate |λ|_max of the error per update, below 1 where the map converges from everywhere.

        Raises `NotExact` in rationals (eigenvalues are algebraic: use `to_float()`) and for undecided symbols.
        """
        return ar.largest(abs(ar.eigenvalues(self.matrix)))


def td_update(mdp: MDP, policy: Array, alpha: Any, weights: Array) -> ExpectedUpdate:
    """The expected TD(0) update [U1]: (S, A), α, (S,) weights -> a map of (S,).

    `weights` d ≥ 0: the law of the updated state, or ones for all states at once. Its fixed point is V^π where every
    non-terminal state has weight. Raises `ValueError` for a bad α or weight.
    """
    P, r = mdp.under(policy)
    return update(P, r, mdp.gamma, step_size(mdp, alpha) * checked_weights(mdp, weights, r.shape), ~mdp.terminal)


def sarsa_update(mdp: MDP, policy: Array, alpha: Any, weights: Array) -> ExpectedUpdate:
    """The expected update of SARSA, and of expected SARSA [U2]: (S, A), α, (S, A) weights -> a map of (S·A,)."""
    pairs = mdp.kernel @ ar.mix(mdp.admit(policy), ar.eye(mdp.kernel))  # (S·A, S·A): s, a -> s', a'
    steps = step_size(mdp, alpha) * checked_weights(mdp, weights, mdp.r.shape)
    return update(pairs, mdp.r.ravel(), mdp.gamma, steps.ravel(), mdp.available.ravel())


def expected_td(mdp: MDP, policy: Array, v: Array, alpha: Any, weights: Array, steps: int = 1) -> Array:
    """E[V] after `steps` independent TD(0) updates from v [U1]: (S, A), (S,), α, (S,) -> (S,)."""
    return td_update(mdp, policy, alpha, weights).after(steps)(mdp.beside("v", checked_v(mdp, v)))


def expected_sarsa(mdp: MDP, policy: Array, q: Array, alpha: Any, weights: Array, steps: int = 1) -> Array:
    """E[Q] after `steps` independent (expected) SARSA updates from q [U2]: (S, A), (S, A), α, (S, A) -> (S, A)."""
    return sarsa_update(mdp, policy, alpha, weights).after(steps)(table(mdp, q).ravel()).reshape(mdp.r.shape)


def expected_q_learning(mdp: MDP, q: Array, alpha: Any, weights: Array) -> Array:
    """E[Q'] after one Q-learning update from q [U3]: (S, A), α, (S, A) -> (S, A).  Q* stays where it is."""
    held = table(mdp, q)
    top, _ = ar.best(held, mdp.available)
    steps = step_size(mdp, alpha) * checked_weights(mdp, weights, mdp.r.shape)
    return ar.tidy(held + steps * (table(mdp, backup(mdp, top)) - held))


def expected_double_q_learning(
    mdp: MDP, first: Array, second: Array, alpha: Any, weights: Array
) -> tuple[Array, Array]:
    """E[Q₁', Q₂'] after one double Q-learning update [U7]: (S, A), (S, A), α, (S, A) -> (S, A), (S, A).

    A fair coin says which table moves; it chooses its first maximiser at s', and the other table says what that is worth.
    The pair (Q*, Q*) stays where it is. van Hasselt (2010), Algorithm 1.
    """
    one, two = table(mdp, first), table(mdp, second)
    steps = step_size(mdp, alpha) * checked_weights(mdp, weights, mdp.r.shape) / 2

    def moved(held: Array, judge: Array) -> Array:
        worth = ar.average(mdp.admit(first_best(mdp, held)), judge)
        return ar.tidy(held + steps * (table(mdp, backup(mdp, worth)) - held))

    return moved(one, two), moved(two, one)


def held_update(mdp: MDP, policy: Array, alpha: Any, steps: int) -> ExpectedUpdate:
    """An epoch of `steps` TD(0) updates, all from the state it starts in [U6]: (S, A), α -> a map of (S,).

    The start is drawn from `mdp.initial`, every successor afresh; `.after(n)` is n epochs. Fixed point: V^π where every
    state can be the start.
    """
    P, r = mdp.under(policy)
    alpha = step_size(mdp, alpha)
    rows, cols, values = ar.entries(P)
    stay = ar.zeros(mdp.r, mdp.n_states)
    stay[rows[rows == cols]] = values[rows == cols]
    kept = 1 - alpha * (1 - mdp.gamma * stay)
    total, power = 0 * kept, ar.ones(mdp.r, mdp.n_states)
    for _ in range(steps):
        total, power = ar.tidy(total + power), ar.tidy(power * kept)
    return update(P, r, mdp.gamma, alpha * mdp.initial * total, ~mdp.terminal)


@dataclass(frozen=True, eq=False)
class EpisodeMoments:
    """First moments after an episode of TD(0) [U5].

    `mean` (S,) is E[V_T]; `joint` (S, S) is m_T(s, x) = E[V_T(x) 1{s_T = s}] over episodes that have not ended before
    T, `law` (S,) their Pr(s_T = s). Summed over s, `joint` is `mean` where nothing has ended.
    """

    mean: Array
    joint: Array
    law: Array


def episode_moments(mdp: MDP, policy: Array, v: Array, alpha: Any, steps: int) -> EpisodeMoments:
    """TD(0) along one trajectory of at most `steps` steps from `mdp.initial` [U5]: (S, A), (S,), α -> moments.

    Exact for any start table v that is independent of the trajectory. An episode that ends keeps its last table.
    """
    P, r = mdp.under(policy)
    a, gamma, p = step_size(mdp, alpha), mdp.gamma, ar.dense_array(P)
    paid = paid_on_arrival(mdp, mdp.admit(policy))
    start = mdp.beside("v", checked_v(mdp, v))
    law, mean = mdp.initial, np.where(mdp.terminal, 0 * start, start)
    m = law[:, None] * mean
    for _ in range(steps):
        held = m.diagonal()
        mean = ar.tidy(mean + a * (law * r + gamma * (p * m).sum(axis=1) - held))
        change = law[:, None] * paid + p * (gamma * m - held[:, None])
        m = ar.tidy(P.T @ m + a * change.T)
        law = P.T @ law
    return EpisodeMoments(mean, m, law)


def episode_update(mdp: MDP, policy: Array, alpha: Any, steps: int) -> ExpectedUpdate:
    """The map v ↦ E[V_T] of one trajectory of at most `steps` steps [U5]: (S, A), α -> a map of (S,).

    `.after(n)` is n such epochs, each with its own start from `mdp.initial`. From two steps on its fixed point is not V^π:
    V and s_t are correlated, which leaves a bias of order α (Huo, Chen and Xie 2023).
    """
    return affine(lambda v: episode_moments(mdp, policy, v, alpha, steps).mean, ar.zeros(mdp.r, mdp.n_states))


def update(P: Any, r: Array, gamma: Any, steps: Array, live: Array) -> ExpectedUpdate:
    """[U4] with steps αd(s), every place that is not live (where r is 0) held at 0."""
    I = ar.eye(P)  # noqa: E741
    M = I + ar.mix(steps[:, None], gamma * P - I)
    inside = np.where(live, ar.ones(r, live.shape), ar.zeros(r, live.shape))
    return ExpectedUpdate(ar.columns_from(ar.keep_rows(M, live), inside), ar.tidy(steps * r))


def affine(f: Callable[[Array], Array], origin: Array) -> ExpectedUpdate:
    """The matrix and offset of a map known to be affine, read off at the origin and the unit vectors."""
    offset, units = f(origin), ar.dense_array(ar.eye(ar.kernel_from(origin[:, None] + origin)))
    return ExpectedUpdate(ar.kernel_from(np.stack([f(e) - offset for e in units], axis=1)), offset)


def paid_on_arrival(mdp: MDP, pi: Array) -> Array:
    """c(s, s') = E[r 1{s'} | s], (S, A) -> (S, S): rewards of steps that end without a successor are left out."""
    paid = ar.zeros(mdp.r, (mdp.n_states, mdp.n_states))
    for s, a in np.argwhere(ar.apart(pi, 0)):
        for p, following, reward, terminated in outcomes_of(mdp, int(s), int(a)):
            if not terminated:
                paid[s, following] += pi[s, a] * p * reward
    return ar.tidy(paid)


def table(mdp: MDP, q: Array) -> Array:
    """Action values with 0 where no action is available: (S, A) -> (S, A)."""
    array = mdp.beside("q", q)
    if array.shape != mdp.r.shape:
        raise ValueError(f"q has shape {array.shape}, the model has {mdp.r.shape} states and actions")
    return np.where(mdp.available, array, ar.zeros(mdp.r, mdp.r.shape))


def step_size(mdp: MDP, alpha: Any) -> Any:
    """α as a number of the model.  α > 1 is allowed: whether it converges is the question."""
    step = np.array([ar.number(mdp.r, alpha)])
    if not ar.finite(step).all() or ar.negative(step).any():
        raise ValueError(f"alpha = {alpha!r}: give a step size of 0 or more")
    return step[0]


def checked_weights(mdp: MDP, weights: Array, shape: tuple[int, ...]) -> Array:
    d = mdp.beside("weights", weights)
    if d.shape != shape:
        raise ValueError(f"weights have shape {d.shape}: give {shape}, how often each place is updated")
    if not ar.finite(d).all() or ar.negative(d).any():
        raise ValueError(f"weights {d} are not all finite and non-negative: give how often each place is updated")
    return d
