# %% [markdown]
# # Returns and advantages, as pictures
#
# Every estimate of an advantage trades reliance on a value function against the noise of rewards to come. The λ-mixture
# sets the rate of exchange: an n-step estimate counts $(1-\lambda)\lambda^{n-1}$.

# %%
from fractions import Fraction

import numpy as np

from rlexact import gallery
from rlexact.claims import Section
from rlexact.exact.return_estimators import lambda_return_law
from rlexact.formulas.gae import gae, lambda_weights
from rlexact.plotting import COLOURS, bias_variance, figure
from rlexact.policy import uniform

SECTION = Section("formulas", "returns_and_advantages", "Returns and advantages")

# %% [markdown]
# ## What GAE counts


# %%
@figure
def weights_of_gae():
    """What the k-step estimate counts in GAE(λ). λ near 1 spreads the weight over the whole episode; the last takes the rest."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots(figsize=(6.4, 3.0))
    for k, lam in enumerate((0.0, 0.5, 0.9, 0.99)):
        ax.plot(range(1, 21), lambda_weights(lam, 20), marker="osD^"[k], ms=4, color=COLOURS[k], label=f"λ = {lam}")
    ax.set(xlabel="steps k before the value is trusted", ylabel="weight")
    ax.legend()
    return fig


weights_of_gae

# %% [markdown]
# ## An ending and a cut
#
# Three rewards of 1, values 0, γ = λ = 1. The second step either terminates (nothing follows it), is truncated (the value of
# the true successor, here 10, follows), or neither. Mixing the two up changes the first advantage from 2 to 12.

# %%
step = {"rewards": [1, 1, 1], "values": [0, 0, 0], "next_values": [0, 10, 0], "gamma": Fraction(1), "lam": Fraction(1)}
second, never = [False, True, False], [False, False, False]
{
    name: [str(a) for a in gae(**step, terminated=ended, truncated=cut)]
    for name, ended, cut in (("terminated", second, never), ("truncated", never, second), ("neither", never, never))
}

# %% [markdown]
# ## Bias against variance, exactly
#
# On the random walk of five states, with a value function that is wrong by 1/4 everywhere, the mean squared error of the
# λ-return from the middle is known for every λ: no sampling.


# %%
@figure
def bias_and_variance_of_lambda():
    """λ-returns from the middle of the random walk, V wrong by 1/4 everywhere: the least error lies between the extremes."""
    walk = gallery.random_walk().to_float()
    pi = uniform(walk)
    wrong = np.where(walk.terminal, 0.0, lambda_return_law(walk, pi, np.zeros(walk.n_states), 1.0).mean + 0.25)
    lams = np.linspace(0, 1, 41)
    laws = [lambda_return_law(walk, pi, wrong, lam) for lam in lams]
    middle = walk.n_states // 2
    ax = bias_variance(
        lams, np.array([m.bias[middle] for m in laws]), np.array([m.variance[middle] for m in laws]), "λ"
    )
    return ax.figure


bias_and_variance_of_lambda
