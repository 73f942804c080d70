"""Search in the parameters of a policy: the cross-entropy method, CMA-ES and natural evolution strategies.

    π_θ(a | s) ∝ exp θ[s, a],   θ ~ N(μ, Σ)                                  one free θ[s, a] for each available pair
    F(θ) = J(π_θ)                                                            episodes=None: one linear solve
    F(θ) = 1/L Σ_l Σ_t γ^t r_t                                               L sampled episodes

    cem       μ, σ² ← mean and variance of the m = ⌊ρ N⌋ fittest θ, η added to σ²
    cma_es    μ, σ, C ← the generation of Hansen (2016), Figure 6
    nes       μ ← μ + α/(N σ) Σ u_i z_i,  σ fixed,  u the fitness itself or its utilities

The curve is the regret J* - J(π_μ) of the policy at the mean, by a linear solve also where fitness is sampled: θ only tends to
a greedy policy, so the regret reaches 0 in the limit, or to rounding. Sampled episodes are cut after `steps`, which leaves out
at most γ^steps of the largest value: with logits of standard deviation 10 some policies end once in e^30 steps. Only differences
θ[s, a] - θ[s, b] matter: along the rest fitness is flat and μ wanders. Mannor, Rubinstein and Gat (2003); Hansen (2016);
Salimans, Ho, Chen, Sidor and Sutskever (2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.exact.evaluation import expected_return
from rlexact.formulas import cma_es as cma
from rlexact.formulas.cem import cem_update, diagonal_samples, elite_count
from rlexact.formulas.cma_es_constants import default_constants
from rlexact.formulas.nes import es_update
from rlexact.learning.curve import Checkpoints, Learned, Run, regret, seeded
from rlexact.learning.simulate import Rng, trajectory
from rlexact.mdp import MDP
from rlexact.policy import softmax


@dataclass(frozen=True, eq=False)
class Search:
    """Softmax policies of a model by their free logits (d,), and how fit they are."""

    mdp: MDP
    model: MDP
    rng: Rng
    episodes: int | None
    steps: int | None

    @property
    def size(self) -> int:
        """d, the number of available pairs."""
        return int(self.model.available.sum())

    def logits(self, theta: Array) -> Array:
        """(d,) -> (S, A), 0 where no action is available."""
        table = np.zeros(self.model.available.shape)
        table[self.model.available] = theta
        return table

    def policy(self, theta: Array) -> Array:
        """(d,) -> (S, A)."""
        return softmax(self.model, self.logits(theta))

    def fitness(self, thetas: Array) -> Array:
        """(N, d) -> (N,): J(π_θ), or the average of sampled discounted returns."""
        score = self.exact_score if self.episodes is None else self.sampled_score
        return np.array([score(self.policy(theta)) for theta in thetas])

    def exact_score(self, pi: Array) -> float:
        return float(expected_return(self.model, pi))

    def sampled_score(self, pi: Array) -> float:
        return float(np.mean([self.discounted_return(pi) for _ in range(self.episodes or 0)]))

    def discounted_return(self, pi: Array) -> float:
        rewards = trajectory(self.model, pi, self.rng, self.steps).rewards
        return float(rewards @ float(self.model.gamma) ** np.arange(len(rewards)))

    def run(self, generations: int, mean: Callable[[], Array], checkpoints: Checkpoints) -> Run:
        return Run(generations, regret(self.mdp, lambda: self.policy(mean())), checkpoints, "generations")

    def learned(self, run: Run, mean: Array, **tables: Any) -> Learned:
        kept = {name: np.asarray(x) for name, x in tables.items()}
        return Learned(run.curve, policy=self.policy(mean), tables={"theta": self.logits(mean), **kept})


def search(mdp: MDP, rng: Rng | int, episodes: int | None, steps: int | None) -> Search:
    """Raises `ValueError` where one of `episodes` and `steps` is given without the other."""
    if (episodes is None) != (steps is None):
        raise ValueError(f"episodes = {episodes}, steps = {steps}: give both to sample fitness, neither for J itself")
    if episodes is not None:
        counted(episodes, "episodes")
    return Search(mdp, mdp.to_float(), seeded(rng), episodes, steps)


def cem(
    mdp: MDP,
    generations: int,
    rng: Rng | int,
    *,
    population: int = 50,
    rho: Any = 0.2,
    noise: float = 0.0,
    variance: float = 100.0,
    episodes: int | None = None,
    steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """The cross-entropy method from N(0, variance · I): -> policy (S, A) at the mean; `tables` has theta and variance.

    `rho` is the share of elites, `noise` η is added to each variance. Fitness is J, or the average of `episodes` sampled
    returns, each of at most `steps` steps. Raises `InvalidBatch` where no elite is left, `InvalidMDP` without a start,
    `ValueError` where one of `episodes` and `steps` is given without the other.
    """
    task, count = search(mdp, rng, episodes, steps), elite_count(population, rho)
    mu, spread = np.zeros(task.size), np.full(task.size, float(variance))
    run = task.run(generations, lambda: mu, checkpoints)
    for _ in run:
        thetas = diagonal_samples(mu, spread, task.rng.standard_normal((population, task.size)))
        fit = cem_update(thetas, task.fitness(thetas), count, noise)
        mu, spread = fit.mean, fit.variance
    return task.learned(run, mu, variance=task.logits(spread))


def cma_es(
    mdp: MDP,
    generations: int,
    rng: Rng | int,
    *,
    population: int | None = None,
    sigma: float = 1.0,
    episodes: int | None = None,
    steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """CMA-ES from N(0, sigma² I): -> policy (S, A) at the mean; `tables` has theta, sigma and covariance (d, d).

    The constants are the published ones, λ = 4 + ⌊3 ln d⌋ unless given. Fitness and errors as in `cem`.
    """
    task = search(mdp, rng, episodes, steps)
    constants = default_constants(task.size, population)
    state = cma.start(np.zeros(task.size), sigma)
    run = task.run(generations, lambda: state.mean, checkpoints)
    for _ in run:
        draws = task.rng.standard_normal((len(constants.weights), task.size))
        state = cma.update(state, draws, task.fitness(cma.cma_samples(state, draws)), constants)
    return task.learned(run, state.mean, sigma=state.sigma, covariance=state.covariance)


def nes(
    mdp: MDP,
    generations: int,
    rng: Rng | int,
    *,
    alpha: float,
    population: int = 50,
    sigma: float = 1.0,
    antithetic: bool = False,
    utilities: Callable[[Array], Array] | None = None,
    episodes: int | None = None,
    steps: int | None = None,
    checkpoints: Checkpoints = 30,
) -> Learned:
    """Evolution strategies with a fixed sigma, from μ = 0: -> policy (S, A) at the mean; `tables` has theta.

    `alpha` is the step size. `antithetic` draws population/2 pairs z, -z. `utilities` shapes fitness, for instance
    `fitness_shaping.nes_utilities` or `centred_ranks`. Raises `ValueError` for pairs of an odd population; else as `cem`.
    """
    task, half = search(mdp, rng, episodes, steps), counted(population, "samples")
    if antithetic and half % 2:
        raise ValueError(f"population = {population}: pairs need an even number")
    mu = np.zeros(task.size)
    run = task.run(generations, lambda: mu, checkpoints)
    for _ in run:
        z = task.rng.standard_normal((half // 2 if antithetic else half, task.size))
        z = np.concatenate([z, -z]) if antithetic else z
        fitness = task.fitness(diagonal_samples(mu, sigma**2, z))
        mu = es_update(mu, fitness if utilities is None else utilities(fitness), z, sigma, alpha)
    return task.learned(run, mu)
