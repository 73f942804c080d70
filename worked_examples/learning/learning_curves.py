# %% [markdown]
# # Learning curves against the exact optimum
#
# Sampled learners on small models, each measured against a truth that was solved for, not estimated: V and Q in the largest
# error, policies in the regret $J^* - J(\pi)$.

# %%
from rlexact import MDP, gallery
from rlexact.claims import Section
from rlexact.learning.actor_critic import a2c
from rlexact.learning.evolution import cem, cma_es
from rlexact.learning.natural_gradient import natural_policy_gradient
from rlexact.learning.ppo import ppo
from rlexact.learning.q_learning import double_q_learning, q_learning
from rlexact.learning.reinforce import no_baseline, reinforce, state_value
from rlexact.learning.sarsa import expected_sarsa
from rlexact.learning.schedule import harmonic
from rlexact.learning.td import td0, td_lambda
from rlexact.plotting import figure, learning_curves, transition_diagram
from rlexact.policy import uniform

SECTION = Section("learning", "learning_curves", "Learning curves against the exact optimum")

# %% [markdown]
# ## The value of a random walk
#
# A constant rate learns fast and then hovers; a falling rate keeps coming down. No table falls below the noise of its rate.


# %%
@figure
def values_of_a_walk():
    """TD(0) with a constant and a falling rate, and TD(λ), on the random walk: the largest error against V, log scale."""
    walk = gallery.random_walk()
    pi = uniform(walk)
    ax = learning_curves(
        {
            "TD(0), α = .1": td0(walk, pi, 20_000, 0, alpha=0.1),
            "TD(0), α = 1/n": td0(walk, pi, 20_000, 0, alpha=harmonic(1.0)),
            "TD(.8), α = .1": td_lambda(walk, pi, 20_000, 0, 0.8, alpha=0.1),
        }
    )
    ax.set_xscale("symlog", linthresh=10)
    ax.set_xlim(0, 20_000)
    return ax.figure


values_of_a_walk

# %% [markdown]
# ## A small model with a choice
#
# Three states; *wait* is safe and pays little, *go* may lead on to where the pay is.

# %%
model = MDP(
    P=[[[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]], [[0.6, 0.4, 0.0], [0.1, 0.3, 0.6]], [[0.3, 0.3, 0.4], [0.5, 0.0, 0.5]]],
    R=[[0.2, 0.0], [0.3, 0.0], [1.0, 0.8]],
    gamma=0.9,
    initial=[1.0, 0.0, 0.0],
    states=["low", "mid", "high"],
    actions=["wait", "go"],
)


@figure
def the_model():
    """The model: an arrow for every outcome, wider where likelier, with its probability and reward."""
    return transition_diagram(model).figure


the_model


# %%
@figure
def action_values():
    """Q-learning, double Q-learning and expected SARSA under ε = .2: the last one learns the value of exploring too."""
    steps = {"steps": 30_000, "rng": 1}
    ax = learning_curves(
        {
            "Q-learning": q_learning(model, **steps, alpha=0.05, epsilon=0.2),
            "double Q-learning": double_q_learning(model, **steps, alpha=0.05, epsilon=0.2),
            "expected SARSA": expected_sarsa(model, **steps, alpha=0.05, epsilon=0.2),
        }
    )
    return ax.figure


action_values

# %% [markdown]
# ## Policies by gradient, and by search


# %%
@figure
def policies():
    """Regret against updates of REINFORCE without and with a learned baseline, A2C, PPO and natural gradients, 16 episodes each."""
    batch = {"updates": 60, "rng": 2, "episodes": 16, "steps": 30}
    ax = learning_curves(
        {
            "REINFORCE": reinforce(model, **batch, alpha=0.3, baseline=no_baseline),
            "with a baseline": reinforce(model, **batch, alpha=0.3, baseline=state_value),
            "A2C": a2c(model, **batch, alpha=0.3),
            "PPO": ppo(model, **batch),
            "natural gradient": natural_policy_gradient(model, **batch),
        }
    )
    return ax.figure


policies


# %%
@figure
def searches():
    """Regret against generations of CEM and CMA-ES on the six logits, fitness being the exact return."""
    ax = learning_curves({"CEM": cem(model, 25, 4), "CMA-ES": cma_es(model, 25, 4)})
    return ax.figure


searches
