# %% [markdown]
# # Entropy and temperature, as pictures
#
# A temperature turns a maximum into a soft one, a choice into a law, and, learned, holds the entropy of a policy at a target.

# %%
import numpy as np

from rlexact.claims import Section
from rlexact.formulas.gaussian import gaussian_entropy
from rlexact.formulas.sac_temperature import exponential_temperature_loss, log_temperature_loss, temperature_loss
from rlexact.formulas.soft_q import boltzmann, soft_value
from rlexact.formulas.squashed_gaussian import squash, squashed_gaussian_log_density
from rlexact.plotting import COLOURS, figure

SECTION = Section("formulas", "entropy_and_temperature", "Entropy and temperature")

# %% [markdown]
# ## From greedy to uniform
#
# Action values 1, 2 and 2.5: as τ → 0 the soft value is the maximum and the policy greedy; as τ grows, the policy becomes
# uniform and the soft value grows like τ log 3.


# %%
@figure
def temperature_of_a_choice():
    """Boltzmann policy and soft value of three actions against τ; nothing overflows at τ = .001."""
    from matplotlib import pyplot as plt

    q, taus = np.array([1.0, 2.0, 2.5]), np.logspace(-3, 1.5, 121)
    policies = np.array([boltzmann(q, t) for t in taus])
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.0))
    for a in range(3):
        left.semilogx(taus, policies[:, a], ("-", "--", ":")[a], color=COLOURS[a], label=f"Q = {q[a]}")
    left.set(xlabel="temperature τ", ylabel="probability")
    left.legend()
    right.semilogx(taus, [soft_value(q, t) for t in taus], color=COLOURS[0], label="soft value")
    right.semilogx(taus, policies @ q, "--", color=COLOURS[1], label="mean Q of the policy")
    right.axhline(2.5, color="0.6", lw=1, ls=":")
    right.set(xlabel="temperature τ", ylim=(1.5, 6))
    right.legend()
    return fig


temperature_of_a_choice

# %% [markdown]
# ## The entropy of a Gaussian can be negative
#
# $\tfrac12\log 2\pi e\sigma^2$ is zero at σ = .242 and not before: at σ = .3 it is +.215 nats.


# %%
@figure
def entropy_of_a_gaussian():
    """Entropy per dimension against σ, in nats; the sign changes at σ = (2πe)^(-1/2) = .242."""
    from matplotlib import pyplot as plt

    sigma = np.linspace(0.05, 1.2, 121)
    fig, ax = plt.subplots(figsize=(5.6, 2.8))
    ax.plot(sigma, gaussian_entropy(sigma), color=COLOURS[0])
    ax.axhline(0, color="0.5", lw=1)
    ax.plot(0.3, gaussian_entropy(0.3), "o", color=COLOURS[1])
    ax.annotate("σ = .3: +.215", (0.3, float(gaussian_entropy(0.3))), xytext=(0.42, -0.5), color=COLOURS[1])
    ax.set(xlabel="standard deviation σ", ylabel="entropy, nats")
    return fig


entropy_of_a_gaussian

# %% [markdown]
# ## Squashing
#
# The density of $\tanh(u)$, u Gaussian: with a wide u it piles up at both bounds, so the action at $\tanh\mu$, which an agent
# takes when it is tested, is the median and not the mode.


# %%
@figure
def squashed_densities():
    """Density of a = tanh(u), u ~ N(0, σ²): one hump for σ = .5, two for σ = 1.5."""
    from matplotlib import pyplot as plt

    u = np.linspace(-3.2, 3.2, 401)
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    for k, sigma in enumerate((0.5, 0.8, 1.5)):
        density = np.exp([squashed_gaussian_log_density([x], [0.0], [sigma]) for x in u])
        ax.plot(squash(u), density, ("-", "--", ":")[k], color=COLOURS[k], label=f"σ = {sigma}")
    ax.set(xlabel="action", ylabel="density")
    ax.legend()
    return fig


squashed_densities

# %% [markdown]
# ## Three temperature losses
#
# Entropy 1 against a target of 2: each loss falls as τ rises, so each raises the temperature. They differ in how the slope
# scales: linear in τ, proportional to τ, or (in much code) constant in log τ.


# %%
@figure
def temperature_losses():
    """Losses against log τ for a policy of entropy 1 and a target of 2, in the three forms that papers and code use."""
    from matplotlib import pyplot as plt

    rho = np.linspace(-3, 1, 81)
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    forms = {
        "in τ": [temperature_loss(t, [-1.0], 2.0, reduction="mean") for t in np.exp(rho)],
        "τ = exp ρ": [exponential_temperature_loss(r, [-1.0], 2.0, reduction="mean") for r in rho],
        "linear in ρ": [log_temperature_loss(r, [-1.0], 2.0, reduction="mean") for r in rho],
    }
    for k, (name, losses) in enumerate(forms.items()):
        ax.plot(rho, losses, ("-", "--", ":")[k], lw=(3, 1.6, 1.8)[k], color=COLOURS[k], label=name)
    ax.set(xlabel=r"$\rho = \log\tau$", ylabel="loss")
    ax.legend()
    return fig


temperature_losses
