"""Monte Carlo: values as means of returns, policies greedy in them.

    prediction        V(s) = mean of G_t over the visits to s, the first of each episode or all              [M1]
    control           Q(s, a) = mean of G_t over the first visits to (s, a); π greedy or ε-greedy in Q         [M2]
    off-policy        ordinary  V(s) = Σ ρ G / n,   weighted  V(s) = Σ ρ G / Σ ρ,   ρ = Π_{k≥t} π / μ        [M3]
    off-policy control  as [M3] for Q, ρ = Π_{k>t} 1{a_k = argmax Q(s_k, ·)} / μ(a_k | s_k)                    [M4]

Sutton and Barto (2018), §5.1, §5.3, §5.4, (5.5), (5.6) and §5.7. With step sizes other than 1/n, [M1] and [M2] move by
α (G - V). Means over first visits have no bias; the mean over N of them has variance Var(G | s) / N, which
`exact.moments.return_variance` gives, the variance of [M3] `exact.importance_sampling`. The returns of an episode that is cut at
`episode_steps` are not known: to count what was paid so far, or to leave it out and keep the short episodes only, are both a
bias. It is refused (`CutEpisode`); `td` has learners that bootstrap where an episode is cut.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, Unpack

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.chain import named
from rlexact.exact.end_components import end_components
from rlexact.exact.evaluation import policy_value
from rlexact.exact.importance_sampling import ratios
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.curve import Checkpoints, Learned, Run, distance, floats, visited
from rlexact.learning.replay import Transition
from rlexact.learning.sarsa import Control
from rlexact.learning.sarsa import Setting as ControlSetting
from rlexact.learning.schedule import harmonic
from rlexact.learning.simulate import Rng
from rlexact.learning.td import Prediction, Setting
from rlexact.mdp import MDP
from rlexact.policy import uniform


class CutEpisode(ValueError):
    """An episode reached `episode_steps` before its end: the message names the limit."""


def first_visit(mdp: MDP, policy: Array, episodes: int, rng: Rng | int, **setting: Unpack[Setting]) -> Learned:
    """First-visit prediction [M1]: (S, A) -> v (S,), against V^π.  `tables["visits"]` counts the returns averaged.

    Raises `InvalidPolicy` where an episode may never end and `episode_steps` is not given, `CutEpisode` where one is longer than
    `episode_steps`, `InvalidSchedule`.
    """
    return prediction(mdp, policy, episodes, rng, setting, first=True)


def every_visit(mdp: MDP, policy: Array, episodes: int, rng: Rng | int, **setting: Unpack[Setting]) -> Learned:
    """Every-visit prediction [M1]: (S, A) -> v (S,), against V^π; biased, but in the limit not.  Raises as `first_visit`."""
    return prediction(mdp, policy, episodes, rng, setting, first=False)


def prediction(mdp: MDP, policy: Array, episodes: int, rng: Rng | int, setting: Setting, first: bool) -> Learned:
    visited(mdp, policy, setting.get("start"), must_end=setting.get("episode_steps") is None)
    chosen: Setting = {"alpha": harmonic(), **setting}
    task = Prediction(mdp, policy, rng, **chosen)
    run = task.run(episodes, "episodes")
    for _ in run:
        lived = with_returns(task.agent.episode(task.act), task.gamma)
        task.steps += len(lived)
        for t, g in firsts(lived, lambda x: x[0].state) if first else lived:
            task.move(t.state, g)
    return task.learned(run)


def mc_control(mdp: MDP, episodes: int, rng: Rng | int, **setting: Unpack[ControlSetting]) -> Learned:
    """On-policy first-visit control [M2], ε-greedy: -> q (S, A), against the best ε-soft values, as `sarsa`.

    Raises as `Control`, `InvalidPolicy` where an episode may never end (with ε → 0, under any policy) and `episode_steps` is
    not given, `CutEpisode` where one is longer than `episode_steps`.
    """
    chosen: ControlSetting = {"alpha": harmonic(), **setting}
    task = Control(mdp, rng, **chosen)
    if setting.get("episode_steps") is None:
        if task.fixed is None and task.epsilon.limit == 0:
            refuse_endless(mdp)
        visited(mdp, task.followed, setting.get("start"), must_end=True)
    run = task.run(episodes, task.on_policy_truth(), "episodes")
    for _ in run:
        average(task, task.agent.episode(task.act))
    return task.learned(run)


def exploring_starts(
    mdp: MDP,
    episodes: int,
    rng: Rng | int,
    *,
    episode_steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """Control with exploring starts [M2]: each episode begins with an even (s, a) and is greedy after it: -> q, against Q*.

    Raises `InvalidPolicy` where some policy never ends and `episode_steps` is not given, `CutEpisode` where an episode is longer.
    """
    if episode_steps is None:
        refuse_endless(mdp)
    live = ~mdp.terminal / (~mdp.terminal).sum()
    task = Control(
        mdp.to_float(),
        rng,
        alpha=harmonic(),
        epsilon=0,
        start=live,
        episode_steps=episode_steps,
        checkpoints=checkpoints,
    )
    run = task.run(episodes, policy_iteration(mdp).q, "episodes")
    for _ in run:
        s = task.state
        first = task.agent.step(int(task.rng.choice(task.choices[s])))
        over = first.terminated or first.truncated
        average(task, [first, *([] if over else task.agent.episode(task.best))])
    return task.learned(run)


def average(task: Control, lived: Sequence[Transition]) -> None:
    """[M2] for one episode."""
    task.steps += len(lived)
    for t, g in firsts(with_returns(lived, task.gamma), lambda x: x[0][:2]):
        task.move(t.state, t.action, g)


def off_policy_prediction(
    mdp: MDP,
    policy: Array,
    behaviour: Array,
    episodes: int,
    rng: Rng | int,
    *,
    weighted: bool = True,
    start: Any = None,
    episode_steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """V^π from first visits under μ, by weighted or ordinary importance sampling [M3]: two (S, A) -> v (S,).

    `tables` has `visits` and `weights`, the sums of ρ. Raises `InvalidPolicy` where μ never takes an action of π, and as
    `first_visit` for μ.
    """
    ratio, pi = floats(ratios(mdp, policy, behaviour)), mdp.admit(policy)
    visited(mdp, behaviour, start, must_end=episode_steps is None)
    truth = policy_value(mdp, pi)
    task = Prediction(mdp, behaviour, rng, start=start, episode_steps=episode_steps, checkpoints=checkpoints)
    task.where &= visited(mdp, pi, start)
    total, mass = np.zeros(mdp.n_states), np.zeros(mdp.n_states)
    run = Run(episodes, distance(truth, task.v, task.where), checkpoints, "episodes")
    for _ in run:
        lived = with_returns(task.agent.episode(task.act), task.gamma)
        rho = np.cumprod([ratio[t.state, t.action] for t, _ in lived[::-1]])[::-1]
        for (t, g), weight in firsts(list(zip(lived, rho, strict=True)), lambda x: x[0][0].state):
            task.visits[t.state] += 1
            total[t.state] += weight * g
            mass[t.state] += weight
        divisor = mass if weighted else task.visits
        np.divide(total, divisor, out=task.v, where=divisor > 0)
    return Learned(run.curve, v=task.v, tables={"visits": task.visits, "weights": mass})


def off_policy_control(
    mdp: MDP, episodes: int, rng: Rng | int, *, weighted: bool = True, **setting: Unpack[ControlSetting]
) -> Learned:
    """The greedy policy from episodes of `policy`, even if not given [M4]: -> q (S, A), against Q*.

    Step sizes and ε are not used. Raises as `Control`, `InvalidPolicy` where the behaviour misses an available action, or may
    never end and `episode_steps` is not given, `CutEpisode` where an episode is longer than `episode_steps`.
    """
    behaviour = setting.get("policy")
    mu = mdp.admit(uniform(mdp) if behaviour is None else behaviour)
    ratio = floats(ratios(mdp, uniform(mdp), mu)) * mdp.available.sum(axis=1)[:, None]  # 1 / μ
    visited(mdp, mu, setting.get("start"), must_end=setting.get("episode_steps") is None)
    chosen: ControlSetting = {**setting, "policy": mu}
    task = Control(mdp, rng, **chosen)
    total, mass = np.zeros(mdp.r.shape), np.zeros(mdp.r.shape)
    run = task.run(episodes, policy_iteration(mdp).q, "episodes")
    for _ in run:
        rho = 1.0
        for t, g in reversed(with_returns(task.agent.episode(task.act), task.gamma)):
            pair = t.state, t.action
            task.visits[pair] += 1
            total[pair] += rho * g
            mass[pair] += rho
            if weight := mass[pair] if weighted else task.visits[pair]:
                task.q[pair] = total[pair] / weight
            rho *= ratio[pair] * (t.action == task.best(t.state))
    return task.learned(run, weights=mass)


# -- returns of an episode --------------------------------------------------------------------------------------------

Lived = list[tuple[Transition, float]]
Visit = TypeVar("Visit")


def with_returns(lived: Sequence[Transition], gamma: float) -> Lived:
    """Each step of a whole episode with its G_t = r_t + γ G_{t+1}.  Raises `CutEpisode`."""
    if lived[-1].truncated:
        raise CutEpisode(
            f"an episode was cut at episode_steps = {len(lived)}, so its returns are not known: give a larger limit, or a policy "
            "that ends sooner"
        )
    found, g = [], 0.0
    for t in reversed(lived):
        g = float(t.reward + gamma * g)
        found.append((t, g))
    return found[::-1]


def firsts(visits: Sequence[Visit], place: Callable[[Visit], Any]) -> Iterable[Visit]:
    """The first visit to each place."""
    return {place(x): x for x in reversed(visits)}.values()


def refuse_endless(mdp: MDP) -> None:
    """Raises `InvalidPolicy` where some policy may never end."""
    inside, _ = end_components(ar.support(mdp.kernel), mdp.available & ~ar.apart(mdp.ends, 0))
    if inside.any():
        places = np.flatnonzero(inside.any(axis=1)).tolist()
        raise InvalidPolicy(
            f"a greedy policy may stay in {named(mdp, places)} for ever: give episode_steps, where a longer episode is refused"
        )
