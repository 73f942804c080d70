# %% [markdown]
# # Divergences and bounds, as pictures
#
# How far apart two laws are, in several measures that bound one another, and how far a mean may be from its expectation.

# %%
from math import comb

import numpy as np

from rlexact.claims import Section
from rlexact.formulas.branched_rollouts import branched_return_gap, branched_return_gap_on_policy
from rlexact.formulas.concentration import hoeffding_bound
from rlexact.formulas.divergence import bretagnolle_huber_bound, jensen_shannon, kl, pinsker_bound, total_variation
from rlexact.plotting import COLOURS, figure

SECTION = Section("formulas", "information_and_bounds", "Divergences and bounds")

# %% [markdown]
# ## One coin against another
#
# A coin with heads q beside a fair one. KL is not symmetric and may be infinite; total variation stays below 1. Pinsker's
# bound on it is useless beyond KL = 2; the bound of Bretagnolle and Huber never exceeds 1.


# %%
@figure
def divergences_of_a_coin():
    """Left: divergences of a coin (q) from a fair one. Right: total variation against KL, below both bounds."""
    from matplotlib import pyplot as plt

    q = np.linspace(0.002, 0.998, 200)
    coins, fair = np.stack([q, 1 - q], axis=1), np.full((200, 2), 0.5)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.2))
    curves = {
        "KL(q‖fair)": kl(coins, fair),
        "KL(fair‖q)": kl(fair, coins),
        "Jensen–Shannon": jensen_shannon(coins, fair),
        "total variation": total_variation(coins, fair),
    }
    for k, (name, values) in enumerate(curves.items()):
        left.plot(q, values, ("-", "--", ":", "-.")[k], color=COLOURS[k], label=name)
    left.set(xlabel="q", ylim=(0, 1.5))
    left.legend(fontsize=8)
    order = np.argsort(kl(fair, coins))
    for k, (name, f) in enumerate(
        {
            "total variation": total_variation,
            "Pinsker": pinsker_bound,
            "Bretagnolle–Huber": bretagnolle_huber_bound,
        }.items()
    ):
        right.plot(kl(fair, coins)[order], f(fair, coins)[order], ("-", "--", ":")[k], color=COLOURS[k], label=name)
    right.set(xlabel="KL(fair‖q)", ylim=(0, 1.3))
    right.legend(fontsize=8)
    return fig


divergences_of_a_coin

# %% [markdown]
# ## Hoeffding against the truth
#
# For a fair coin the tail is a sum of binomial coefficients: the bound is right, and loose by a factor that grows.


# %%
@figure
def a_mean_and_its_bound():
    """Probability that the mean of 100 fair coins is off by ε or more, exactly, below Hoeffding's bound."""
    from matplotlib import pyplot as plt

    n = 100
    deviations = np.arange(1, 26)
    exact = [2 * sum(comb(n, k) for k in range(n // 2 + int(d), n + 1)) / 2**n for d in deviations]
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    ax.semilogy(
        deviations / n, np.minimum(hoeffding_bound(n, deviations / n, 0, 1), 1), color=COLOURS[0], label="bound"
    )
    ax.semilogy(deviations / n, np.minimum(exact, 1), "s", ms=4, color=COLOURS[1], label="exact")
    ax.set(xlabel="deviation ε", ylabel="probability")
    ax.legend()
    return fig


a_mean_and_its_bound

# %% [markdown]
# ## How long a model may be trusted
#
# Janner et al. (2019) bound the error of returns that branch off into a model for k steps. With the model's error measured
# where the data are, the bound only grows with k: it never favours a branch. Measured on the current policy, and smaller than
# the policy's shift, it does: the least bound lies at some k above 0.


# %%
@figure
def branches_of_a_model():
    """Both bounds on the return's error against the branch length k: γ = .99, |r| ≤ 1, model error .001, policy shift .02."""
    from matplotlib import pyplot as plt

    steps = np.arange(0, 401)
    fig, ax = plt.subplots(figsize=(6.2, 3.2))
    for k, (name, bound) in enumerate(
        {"error on the data": branched_return_gap, "error on the current policy": branched_return_gap_on_policy}.items()
    ):
        totals = np.array([bound(int(n), 0.99, 1.0, 0.001, 0.02).total for n in steps])
        ax.plot(steps, totals, ("--", "-")[k], color=COLOURS[k], label=name)
        ax.plot(steps[totals.argmin()], totals.min(), "o", color=COLOURS[k])
    ax.set(xlabel="branch length k", ylabel="bound on the error of the return", ylim=(0, 1500))
    ax.legend()
    return fig


branches_of_a_model
