# %% [markdown]
# # Evolution strategies, as pictures
#
# Search that sees fitness alone: a Gaussian of candidates moves toward the fittest. What decides is what it learns of the
# landscape: one variance per axis (CEM), or the whole covariance (CMA-ES).

# %%
import numpy as np

from rlexact.claims import Section
from rlexact.formulas.cem import cem_update, diagonal_samples, truncated_gaussian
from rlexact.formulas.cma_es import cma_samples, start, update
from rlexact.formulas.fitness_shaping import nes_utilities
from rlexact.plotting import COLOURS, figure

SECTION = Section("formulas", "evolution", "Evolution strategies")


def ridge(theta):
    """Fitness with a narrow slanting ridge, largest at (3, 3)."""
    along, across = theta[:, 0] + theta[:, 1] - 6, theta[:, 0] - theta[:, 1]
    return -(along**2) / 20 - 2 * across**2


# %% [markdown]
# ## A ridge that slants
#
# The ridge runs along the diagonal. CEM's variances stand on the axes, so it has to be narrow in both, and it stops short of
# the top; CMA-ES turns its ellipse along the ridge and arrives.


# %%
@figure
def two_searches():
    """Where the search distribution is after 0, 3, 6 and 9 generations of 40: CEM's ellipses stay upright, CMA-ES's turn."""
    from matplotlib import pyplot as plt
    from matplotlib.patches import Ellipse

    rng = np.random.default_rng(3)
    fig, panels = plt.subplots(1, 2, figsize=(7.6, 3.6), sharex=True, sharey=True)
    grid = np.stack(np.meshgrid(np.linspace(-2, 6, 81), np.linspace(-3, 6, 81)), axis=-1)
    heights = ridge(grid.reshape(-1, 2)).reshape(81, 81)
    mean, variance, state = np.zeros(2), np.ones(2), start(np.zeros(2), 1.0)
    for generation in range(10):
        if generation % 3 == 0:
            for ax, centre, spread in (
                (panels[0], mean, np.diag(variance)),
                (panels[1], state.mean, state.sigma**2 * state.covariance),
            ):
                size, axes = np.linalg.eigh(spread)
                angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])))
                width, height = 2 * np.sqrt(size[1]), 2 * np.sqrt(size[0])
                colour = COLOURS[generation // 3]
                ax.add_patch(Ellipse(centre, width, height, angle=angle, fill=False, ec=colour, lw=1.8))
                ax.plot(*centre, ".", color=colour, label=f"generation {generation}")
        samples = diagonal_samples(mean, variance, rng.standard_normal((40, 2)))
        refitted = cem_update(samples, ridge(samples), 10)
        mean, variance = refitted.mean, refitted.variance
        draws = rng.standard_normal((40, 2))
        state = update(state, draws, ridge(cma_samples(state, draws)))
    for ax, name in zip(panels, ("CEM", "CMA-ES"), strict=True):
        ax.contour(grid[0, :, 0], grid[:, 0, 1], heights, levels=[-20, -8, -3, -1, -0.2], colors="0.7", linewidths=0.8)
        ax.set(title=name, aspect="equal", xlabel=r"$\theta_1$", ylabel=r"$\theta_2$")
    panels[1].legend(fontsize=8, loc="lower right")
    return fig


two_searches

# %% [markdown]
# ## How fast a distribution shrinks
#
# On a slope, the elites of a Gaussian are its upper tail. Their mean lies κ standard deviations ahead and their variance is
# v < 1 of the old one: for an elite of one in ten, v = .169. In all, the mean can travel no further than
# $\kappa\sigma/(1-\sqrt v)$ from where it began, which is why noise is added to the variance.


# %%
@figure
def a_tail_refitted():
    """Advance κ and remaining variance v of a generation against the elite share, and how far the mean can get in all."""
    from matplotlib import pyplot as plt

    shares = np.linspace(0.02, 0.98, 97)
    kappa, v = np.array([truncated_gaussian(float(s)) for s in shares]).T
    fig, ax = plt.subplots(figsize=(6.2, 3.2))
    ax.plot(shares, kappa, color=COLOURS[0], label="advance κ, in σ")
    ax.plot(shares, v, "--", color=COLOURS[1], label="variance left, v")
    ax.plot(shares, kappa / (1 - np.sqrt(v)), ":", color=COLOURS[2], label="reach κ/(1 - √v)")
    ax.set(xlabel="elite share ρ", ylim=(0, 6))
    ax.legend()
    return fig


a_tail_refitted

# %% [markdown]
# ## Utilities instead of fitness
#
# Ranks make a search blind to the scale of fitness. The utilities of NES reward the upper half and ignore differences in
# the lower.

# %%
np.round(nes_utilities(np.array([5.0, -1.0, 100.0, 2.0, 0.0, 1.0])), 4).tolist()
