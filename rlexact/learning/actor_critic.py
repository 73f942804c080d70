"""Actor-critic learners on tables: at every step, or from a batch of episodes.

    online    δ = r + γ v(s') - v(s),   v(s) += α_v δ,   θ += α γ^t δ ∂ log π(a | s)                    [C1]  actor_critic
    batch     ĝ = (1/n) Σ_i Σ_t c^t Â_it ∂ log π(a_it | s_it) + β (1/N) Σ_{i,t} ∂H(s_it)                [C2]  a2c
              θ ← θ + α ĝ,   v(s) ← v(s) + α_v mean(Â_it + v(s_it) - v(s))  over visits of s

Â is GAE(λ) of the critic before the update, with the bootstrap γ v(s') where an episode was cut; N counts all steps of the
batch, and the data is used once. Where v is V^π, each form follows ∇J in expectation: [C1] with its γ^t, [C2] with c = γ.
Without γ^t, and with c = 1, states are weighted as they come: for γ < 1 that is what most code does, and the gradient of
nothing (`exact.gradient.undiscounted_direction`). A wrong v adds the bias of `exact.gradient_estimators.actor_critic_mean`.
Sutton and Barto (2018), §13.5 for [C1]; Mnih et al. (2016), §4 and supplement S3, and Schulman et al. (2016), (16), for [C2].
"""

from collections.abc import Callable

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.evaluation import advantage
from rlexact.formulas.gae import gae
from rlexact.learning.curve import Checkpoints, Learned, seeded
from rlexact.learning.episodes import Episodes, Sampler, centred
from rlexact.learning.reinforce import mean_gap
from rlexact.learning.replay import Experience, Transition
from rlexact.learning.schedule import Schedule, not_negative, step_sizes
from rlexact.learning.simulate import Rng, cumulative, draw
from rlexact.learning.softmax_actor import SoftmaxActor, entropy_gradient, logit_steps
from rlexact.mdp import MDP

Advantages = Callable[[Episodes, SoftmaxActor], Array]  # -> Â (T, B)


def actor_critic(
    mdp: MDP,
    steps: int,
    rng: Rng | int,
    *,
    alpha: Schedule | float = 0.1,
    value_alpha: Schedule | float = 0.2,
    discounted: bool = True,
    theta: Array | None = None,
    v: Array | None = None,
    episode_steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[C1] along one stream of experience: -> policy, v, against J*.  `discounted` keeps the factor γ^t.

    Step sizes count visits of the state or steps, as their schedule says. `tables["theta"]`. Raises as `Experience` and
    `SoftmaxActor`, `InvalidSchedule`.
    """
    actor, rng = SoftmaxActor(mdp, theta, v), seeded(rng)
    agent = Experience(actor.model, rng, episode_steps=episode_steps)
    step, value_step = logit_steps("alpha", alpha), step_sizes(value_alpha)
    visits, run = np.zeros(mdp.n_states, dtype=int), actor.run(steps, checkpoints, "steps")
    kept = actor.gamma if discounted else 1.0
    weight = 1.0
    for k in run:
        s, law = agent.state, actor.law(agent.state)
        t = agent.step(draw(cumulative(law), rng))
        visits[s] += 1
        delta = td_error(t, actor)
        actor.v[s] += value_step(int(visits[s]), k) * delta
        actor.theta[s] += step(int(visits[s]), k) * weight * delta * ((np.arange(law.size) == t.action) - law)
        weight = 1.0 if t.terminated or t.truncated else kept * weight
    return actor.learned(run)


def td_error(t: Transition, actor: SoftmaxActor) -> float:
    """δ [C1]."""
    ahead = 0.0 if t.terminated else actor.gamma * actor.v[t.following]
    return float(t.reward + ahead - actor.v[t.state])


def a2c(
    mdp: MDP,
    updates: int,
    rng: Rng | int,
    *,
    alpha: Schedule | float = 0.5,
    value_alpha: Schedule | float = 0.5,
    advantages: Advantages | None = None,
    lam: float = 1.0,
    discount: float | None = None,
    entropy: float = 0.0,
    episodes: int = 16,
    steps: int | None = None,
    theta: Array | None = None,
    v: Array | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[C2], `updates` times, each from a fresh batch of `episodes`, cut after `steps` if given: -> policy, v, against J*.

    `advantages` is GAE(`lam`) of the critic unless given; `discount` is c, γ unless given; `entropy` is β, in rewards. With
    β > 0 the policy that it tends to is not the best one of the model. Step sizes count updates. `tables["theta"]`.
    Raises as `Sampler` and `SoftmaxActor`, `InvalidSchedule`, `ValueError` for a λ or c outside [0, 1].
    """
    actor, sampler = SoftmaxActor(mdp, theta, v), Sampler(mdp.to_float(), seeded(rng), steps)
    step, value_step = logit_steps("alpha", alpha), step_sizes(value_alpha)
    credit, bonus = advantages or critic_advantages(lam), not_negative("entropy", entropy)
    c = actor.gamma if discount is None else share("discount", discount)
    critic, run = critic_advantages(lam), actor.run(updates, checkpoints)
    for k in run:
        lived = sampler(actor.policy, episodes)
        targets = critic(lived, actor) + lived.values(actor.v)[0]
        actor.theta += step(k, k) * a2c_gradient(lived, actor, credit(lived, actor), c, bonus)
        actor.v += value_step(k, k) * mean_gap(lived, targets, actor.v)
    return actor.learned(run)


def a2c_gradient(lived: Episodes, actor: SoftmaxActor, credit: Array, discount: float, entropy: float = 0.0) -> Array:
    """ĝ [C2]: Â (T, B) -> (S, A)."""
    power = discount ** np.arange(lived.shape[0])[:, None]
    g = lived.scores(actor.policy, power * credit).mean(axis=0)
    return np.asarray(g + entropy * state_shares(lived, actor)[:, None] * entropy_slopes(actor))


def entropy_slopes(actor: SoftmaxActor) -> Array:
    """∂H(s) / ∂θ[s, ·]: (S, A)."""
    return entropy_gradient(actor.policy, actor.log_policy)


def state_shares(lived: Episodes, actor: SoftmaxActor) -> Array:
    """How much of the batch's steps each state has, 0 throughout where there are none: (S,)."""
    counts = np.bincount(lived.states[lived.taken], minlength=actor.mdp.n_states)
    return np.asarray(counts / max(counts.sum(), 1))


def mean_scores(lived: Episodes, policy: Array, credit: Array) -> Array:
    """(1/N) Σ_{i,t} Â_it ∂ log π(a_it | s_it), over all N steps: (T, B) -> (S, A)."""
    n_states, n_actions = policy.shape
    W = lived.table(credit, n_actions, n_states).sum(axis=0)
    return centred(policy, W / max(lived.taken.sum(), 1))


# -- advantages -------------------------------------------------------------------------------------------------------


def critic_advantages(lam: float) -> Advantages:
    """GAE(λ) of the critic of now.  Raises `ValueError` for λ outside [0, 1]."""
    share("lam", lam)

    def estimated(lived: Episodes, actor: SoftmaxActor) -> Array:
        v_t, v_tp1 = lived.values(actor.v)
        return gae(lived.rewards, v_t, v_tp1, lived.terminated, lived.truncated, actor.gamma, lam)

    return estimated


def true_advantages(lived: Episodes, actor: SoftmaxActor) -> Array:
    """A^π itself, of the policy of now: what a perfect critic would say of each action."""
    return np.asarray(advantage(actor.model, actor.policy)[lived.states, lived.actions])


def share(name: str, x: float) -> float:
    """A number in [0, 1].  Raises `ValueError`."""
    if not 0 <= x <= 1:
        raise ValueError(f"{name} = {x!r}: give a number in [0, 1]")
    return float(x)
