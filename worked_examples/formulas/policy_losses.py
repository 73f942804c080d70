# %% [markdown]
# # Policy losses, as pictures
#
# A policy is pushed along its advantages, and the push has to stop somewhere: a clip stops the gradient of a sample, a
# penalty leans against the whole step, a trust region forbids it.

# %%
import numpy as np

from rlexact.claims import Section
from rlexact.formulas.awr import advantage_weights
from rlexact.formulas.categorical import categorical_fisher, categorical_kl
from rlexact.formulas.dual_clip import dual_clip_surrogate
from rlexact.formulas.natural_gradient import kl_step_size, natural_gradient
from rlexact.formulas.ppo import clip_only_surrogate, clipped_surrogate, clipped_surrogate_gradient
from rlexact.plotting import COLOURS, clip_objective, figure, trust_region

SECTION = Section("formulas", "policy_losses", "Policy losses")

# %% [markdown]
# ## The clipped surrogate and its kin
#
# For a good action (left) every clip stops at 1 + ε. For a bad one (right) PPO keeps pulling back a sample that has become
# more likely, without limit; the dual clip sets a floor; and a clip *without* the minimum, which some texts print, goes flat
# there and loses the gradient that would bring the sample back.


# %%
@figure
def clip_objectives():
    """PPO, the dual clip with floor 1.6, and the clip without its minimum, ε = .2: they part where a bad action has grown likely."""
    panels = clip_objective(
        {
            "PPO": lambda rho, adv: clipped_surrogate(rho, adv, 0.2),
            "dual clip": lambda rho, adv: dual_clip_surrogate(rho, adv, 0.2, 1.6),
            "clip only": lambda rho, adv: clip_only_surrogate(rho, adv, 0.2),
        },
        0.2,
    )
    return panels[0].figure


clip_objectives

# %% [markdown]
# ## Where the gradient lives
#
# Advantage against ratio: the gradient is gone in two corners only, above $1+\epsilon$ for good actions and below
# $1-\epsilon$ for bad ones.


# %%
@figure
def active_set():
    """The slope dL/dρ over ratios and advantages, ε = .2: zero in the two white corners, the advantage itself elsewhere."""
    from matplotlib import pyplot as plt

    rho, adv = np.meshgrid(np.linspace(0.4, 1.6, 121), np.linspace(-1, 1, 81))
    slope = clipped_surrogate_gradient(rho, adv, 0.2)
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    image = ax.pcolormesh(rho, adv, np.where(slope == 0, np.nan, slope), cmap="cividis", rasterized=True)
    fig.colorbar(image, ax=ax, label="dL/dρ")
    ax.set(xlabel=r"ratio $\rho$", ylabel=r"advantage $\hat A$")
    ax.grid(False)
    return fig


active_set

# %% [markdown]
# ## The natural gradient step in a trust region
#
# Three actions, logits θ = (θ₁, θ₂, 0), starting where one action is rare. Within KL ≤ .02 the plain gradient and the natural
# gradient, both scaled to the budget by the quadratic model, point to different actions' growth.


# %%
@figure
def a_trust_region():
    """Objective (level lines), KL(old‖new) ≤ .02 (shaded), and two steps that the quadratic model says use up the budget."""

    def logits(theta):
        return np.array([theta[0], theta[1], 0.0])

    def softmax(theta):
        z = np.exp(logits(theta) - logits(theta).max())
        return z / z.sum()

    rewards, start = np.array([1.0, 0.4, 0.0]), np.array([-1.5, 0.5])
    p = softmax(start)
    gradient = (p * (rewards - p @ rewards))[:2]
    fisher = categorical_fisher(logits(start))[:2, :2]
    natural = natural_gradient(fisher, gradient)
    plain = gradient * np.sqrt(2 * 0.02 / (gradient @ fisher @ gradient))
    ax = trust_region(
        lambda theta: float(softmax(theta) @ rewards),
        lambda theta: float(categorical_kl(logits(start), logits(theta))),
        start,
        0.02,
        0.9,
        {"gradient": plain, "natural gradient": natural * kl_step_size(gradient, natural, 0.02)},
    )
    return ax.figure


a_trust_region

# %% [markdown]
# ## Exponential weights
#
# Advantage-weighted regression counts a sample $e^{\hat A/\tau}$: the temperature decides how much the best few count.


# %%
@figure
def weights_of_regression():
    """Weights of a sample against its advantage, cut at 20: at τ = .3 an advantage of .9 already counts twenty times."""
    from matplotlib import pyplot as plt

    adv = np.linspace(-2, 2, 201)
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    for k, tau in enumerate((0.3, 1.0, 3.0)):
        ax.semilogy(adv, advantage_weights(adv, tau, 20.0), ("-", "--", ":")[k], color=COLOURS[k], label=f"τ = {tau}")
    ax.set(xlabel="advantage", ylabel="weight")
    ax.legend()
    return fig


weights_of_regression
