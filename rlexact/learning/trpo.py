"""Trust-region policy optimisation on a tabular softmax policy: exact, and from sampled episodes.

    maximise (1/N) Σ ρ Â   subject to   Σ_s ŵ(s) KL(π_old ‖ π)(s) ≤ δ,   ρ = π(a | s) / π_old(a | s)            [T1]
    x: F̂ x = ĝ,   β = √(2δ / xᵀ F̂ x)                                                                          [T2]
    θ + β kʲ x at the first j = 0, 1, ... that keeps the budget and raises the sampled surrogate                 [T3]

over the N steps of a batch and its state shares ŵ. F̂ and ĝ are those of `natural_gradient`, whose system is solved in closed
form: for a table conjugate gradients have nothing to approximate. Where no j ≤ `backtracks` passes, θ stays, and the update is
counted as rejected. The exact form puts visits for shares and A^π for Â; `exact.line_search` takes the same step in any
family, `exact.trpo` finds the best one. Schulman, Levine, Moritz, Jordan and Abbeel (2015), (14) and appendix C.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.exact.evaluation import advantage, visits
from rlexact.exact.trpo import SMALLEST_BUDGET, InvalidBudget
from rlexact.formulas.importance import importance_ratios
from rlexact.learning.actor_critic import Advantages, critic_advantages, state_shares
from rlexact.learning.curve import Checkpoints, Learned, seeded
from rlexact.learning.episodes import Sampler
from rlexact.learning.natural_gradient import exact_direction, fisher_norm, natural_direction
from rlexact.learning.ppo import Steps, taken_steps
from rlexact.learning.reinforce import mean_gap
from rlexact.learning.schedule import Schedule, step_sizes
from rlexact.learning.simulate import Rng
from rlexact.learning.softmax_actor import SoftmaxActor
from rlexact.mdp import MDP


def exact_trpo(
    mdp: MDP, updates: int, *, budget: float = 0.01, theta: Array | None = None, checkpoints: Checkpoints = 30
) -> Learned:
    """[T1-T3] with nothing sampled: -> policy, against J*.  `tables["theta"]`.

    Where floats no longer tell a better policy within the budget, θ stays. Raises as `SoftmaxActor` and `visits`,
    `InvalidBudget`.
    """
    actor, delta = SoftmaxActor(mdp, theta), checked_budget(budget)
    run = actor.run(updates, checkpoints)
    for _ in run:
        shares, A = visit_shares(actor), advantage(actor.model, actor.policy)

        def gain(there: SoftmaxActor, shares: Array = shares, A: Array = A) -> float:
            return float(shares @ (there.policy * A).sum(axis=1))

        move(actor, searched(actor, gain, shares, exact_direction(actor), delta, 0.5 ** np.arange(31)))
    return actor.learned(run)


def trpo(
    mdp: MDP,
    updates: int,
    rng: Rng | int,
    *,
    budget: float = 0.01,
    value_alpha: Schedule | float = 0.5,
    advantages: Advantages | None = None,
    lam: float = 1.0,
    shrink: float = 0.5,
    backtracks: int = 10,
    episodes: int = 32,
    steps: int | None = None,
    theta: Array | None = None,
    v: Array | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """[T1-T3], each time from a fresh batch of `episodes`, cut after `steps` if given: -> policy, v, against J*.

    `budget` is δ in nats; `advantages` is GAE(`lam`) of the critic unless given. `tables` holds "theta" and "rejected", the
    number of updates that left θ where it was. Raises as `a2c`, `InvalidBudget`.
    """
    delta, tries = checked_budget(budget), counted(backtracks, "backtracks", least=0)
    if not 0 < shrink < 1:
        raise ValueError(f"shrink = {shrink!r}: give a factor between 0 and 1")
    actor, sampler = SoftmaxActor(mdp, theta, v), Sampler(mdp.to_float(), seeded(rng), steps)
    value_step, critic, rejected = step_sizes(value_alpha), critic_advantages(lam), 0
    run = actor.run(updates, checkpoints)
    for k in run:
        lived = sampler(actor.policy, episodes)
        targets, shares = critic(lived, actor) + lived.values(actor.v)[0], state_shares(lived, actor)
        credit = (advantages or critic)(lived, actor)
        gain = partial(surrogate_gain, taken_steps(lived, actor, credit))
        x = natural_direction(lived, actor, credit)
        rejected += not move(actor, searched(actor, gain, shares, x, delta, shrink ** np.arange(tries + 1)))
        actor.v += value_step(k, k) * mean_gap(lived, targets, actor.v)
    return actor.learned(run, rejected=np.array(rejected))


def searched(
    actor: SoftmaxActor,
    gain: Callable[[SoftmaxActor], float],
    shares: Array,
    x: Array,
    delta: float,
    factors: Array,
) -> Array | None:
    """The first step of [T3] that passes, None where none does: direction (S, A) -> θ (S, A)."""
    size = fisher_norm(x, actor, shares)
    if not size > 0:
        return None
    length = np.sqrt(2 * delta / size)
    for factor in factors:
        there = SoftmaxActor(actor.model, actor.theta + factor * length * x)
        if gain(there) > 0 and shares @ divergence(actor, there) <= delta:
            return there.theta
    return None


def move(actor: SoftmaxActor, theta: Array | None) -> bool:
    """Whether there was somewhere to go."""
    if theta is not None:
        actor.theta[:] = theta
    return theta is not None


def visit_shares(actor: SoftmaxActor) -> Array:
    """Each state's share of the discounted visits, terminal states left out, 0 throughout where nothing is visited: (S,)."""
    w = np.where(actor.mdp.terminal, 0.0, visits(actor.model, actor.policy))
    return np.asarray(w / (w.sum() or 1.0))


def surrogate_gain(data: Steps, there: SoftmaxActor) -> float:
    """(1/N) Σ (ρ - 1) Â [T1]."""
    rho = importance_ratios(there.log_policy[data.states, data.actions], data.old_log_probs)
    return float(((rho - 1) * data.advantages).mean())


def divergence(here: SoftmaxActor, there: SoftmaxActor) -> Array:
    """KL(π_here ‖ π_there) by state, from the logits, so that no small probability makes it infinite: -> (S,)."""
    return np.asarray((here.policy * (here.log_policy - there.log_policy)).sum(axis=1))


def checked_budget(budget: float) -> float:
    if not SMALLEST_BUDGET <= budget < np.inf:
        raise InvalidBudget(f"budget = {budget!r}: give a finite mean KL of at least {SMALLEST_BUDGET:g} nats")
    return float(budget)
