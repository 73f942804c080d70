# %% [markdown]
# # Value targets and their losses, as pictures
#
# What a value network is pulled towards, and how hard: errors are squared, flattened or tilted, targets lag behind, and whole
# laws of returns are squeezed onto a few atoms.

# %%
import numpy as np

from rlexact.claims import Section
from rlexact.formulas.categorical_dqn import atoms, categorical_mean, categorical_projection
from rlexact.formulas.expectile import expectile_loss, expectile_of
from rlexact.formulas.huber import clipped_error_loss, huber_loss
from rlexact.formulas.target_network import soft_update_half_life, soft_update_lag, soft_update_of_path
from rlexact.plotting import COLOURS, figure

SECTION = Section("formulas", "value_targets", "Value targets and their losses")

# %% [markdown]
# ## Square, Huber, and a clipped error that is neither
#
# Huber's loss has the slope of the error cut at ±δ. Squaring a clipped error is another thing: beyond δ it is flat, so the
# samples that are most wrong teach nothing.


# %%
@figure
def losses_of_an_error():
    """The Huber loss follows the square inside ±1 and a line outside; the square of the clipped error is flat outside."""
    from matplotlib import pyplot as plt

    x = np.linspace(-3, 3, 241)
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    ax.plot(x, x**2 / 2, ":", color=COLOURS[6], label="x²/2")
    ax.plot(x, huber_loss(x, 1.0), color=COLOURS[0], label="Huber, δ = 1")
    ax.plot(x, clipped_error_loss(x, 1.0), "--", color=COLOURS[1], label="half the square of the clipped error")
    ax.set(xlabel="error", ylabel="loss", ylim=(0, 3))
    ax.legend()
    return fig


losses_of_an_error

# %% [markdown]
# ## Expectiles
#
# Tilting a square by τ moves its minimiser from the mean (τ = 1/2) towards the maximum (τ → 1): the way IQL approaches a
# maximum over actions that the data hold, without asking for any other. Expectiles are not quantiles.


# %%
@figure
def expectiles_of_a_sample():
    """The τ-expectile of {2, 3, 5, 8} beside its quantile: smooth against steps, both from the least to the largest."""
    from matplotlib import pyplot as plt

    sample, tau = np.array([2.0, 3.0, 5.0, 8.0]), np.linspace(0.0, 1.0, 201)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.0))
    u = np.linspace(-2, 2, 161)
    for k, t in enumerate((0.5, 0.7, 0.9)):
        left.plot(u, expectile_loss(u, t), ("-", "--", ":")[k], color=COLOURS[k], label=f"τ = {t}")
    left.set(xlabel="target minus estimate", ylabel="loss")
    left.legend()
    right.plot(tau, [expectile_of(sample, t) for t in tau], color=COLOURS[0], label="expectile")
    right.plot(tau, np.quantile(sample, tau, method="inverted_cdf"), "--", color=COLOURS[1], label="quantile")
    right.set(xlabel="τ", ylabel="of the sample 2, 3, 5, 8")
    right.legend()
    return fig


expectiles_of_a_sample

# %% [markdown]
# ## A target network that lags
#
# With rate τ a soft target is an average of the past with mean age $(1-\tau)/\tau$: 199 updates at τ = .005.

# %%
{"mean age": round(float(soft_update_lag(0.005)), 6), "half life": round(float(soft_update_half_life(0.005)), 2)}


# %%
@figure
def how_a_target_follows():
    """Online parameters that move steadily, the soft target behind them (τ = .05: 19 updates late), a hard one every 40."""
    from matplotlib import pyplot as plt

    n = np.arange(201)
    online = n / 10
    soft = [soft_update_of_path(0.0, online[1 : k + 1], 0.05) if k else 0.0 for k in n]
    fig, ax = plt.subplots(figsize=(6.4, 3.0))
    ax.plot(n, online, ":", color=COLOURS[6], label="online")
    ax.plot(n, soft, color=COLOURS[0], label="soft, τ = .05")
    ax.step(n, online[(n // 40) * 40], where="post", color=COLOURS[1], ls="--", label="hard, every 40")
    ax.set(xlabel="updates", ylabel="parameter")
    ax.legend()
    return fig


how_a_target_follows

# %% [markdown]
# ## C51: a law on atoms
#
# Shifting and shrinking the atoms' law puts mass between atoms; the projection shares it between neighbours in proportion,
# so the mean stays where it should.


# %%
@figure
def a_projected_law():
    """Before: a law on eleven atoms. After: of 1 + γZ, γ = .9, on the same atoms; its mean is 1 + .9 times the old one."""
    from matplotlib import pyplot as plt

    z = atoms(-5.0, 5.0, 11)
    before = np.exp(-((z - 1) ** 2) / 4)
    before /= before.sum()
    after = categorical_projection(before[None], np.array([1.0]), np.array([False]), 0.9, -5.0, 5.0)[0]
    fig, ax = plt.subplots(figsize=(6.4, 3.0))
    ax.bar(z - 0.17, before, 0.33, color=COLOURS[0], label=f"Z, mean {categorical_mean(before, -5.0, 5.0):.3f}")
    ax.bar(z + 0.17, after, 0.33, color=COLOURS[1], label=f"1 + γZ, mean {categorical_mean(after, -5.0, 5.0):.3f}")
    ax.set(xlabel="return", ylabel="probability", xticks=z)
    ax.legend()
    return fig


a_projected_law
