# %% [markdown]
# # Preferences, as pictures
#
# Choices between two answers, a reward that explains them, and the policy that the reward asks for, close to a reference.

# %%
import numpy as np

from rlexact.claims import Section
from rlexact.formulas.divergence import kl
from rlexact.formulas.dpo import dpo_loss, dpo_weight
from rlexact.formulas.dpo_variants import conservative_dpo_loss, hinge_dpo_loss, ipo_loss
from rlexact.formulas.kl_estimators import k1, k2, k3
from rlexact.formulas.kl_optimum import kl_regularised_policy
from rlexact.formulas.rlhf import best_of_n
from rlexact.plotting import COLOURS, figure

SECTION = Section("formulas", "preferences", "Preferences, DPO and its kin")

# %% [markdown]
# ## The weight of a pair
#
# DPO's gradient counts a pair by $\sigma(-m)$, $m = \beta(\Delta \log\pi - \Delta\log\pi_{ref})$ being its margin: one half
# where the policy is the reference, little where the pair is already told apart.


# %%
@figure
def losses_of_a_margin():
    """Left: losses of DPO and kin against the log-ratio difference, β = 1. Right: what a pair counts in DPO's gradient."""
    from matplotlib import pyplot as plt

    h = np.linspace(-4, 4, 161)
    pair = (h, 0 * h, 0 * h, 0 * h)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.1))
    curves = {
        "DPO": dpo_loss(*pair, 1.0),
        "conservative, ε = .1": conservative_dpo_loss(*pair, 1.0, 0.1),
        "hinge": hinge_dpo_loss(*pair, 1.0),
        "IPO": ipo_loss(*pair, 1.0),
    }
    for k, (name, losses) in enumerate(curves.items()):
        left.plot(h, losses, ("-", "--", ":", "-.")[k], color=COLOURS[k], label=name)
    left.set(xlabel="log-ratio difference", ylabel="loss", ylim=(0, 4))
    left.legend(fontsize=8)
    for k, beta in enumerate((0.1, 0.5, 2.0)):
        right.plot(h, dpo_weight(*pair, beta), ("-", "--", ":")[k], color=COLOURS[k], label=f"β = {beta}")
    right.set(xlabel="log-ratio difference", ylabel="weight σ(-margin)")
    right.legend(fontsize=8)
    return fig


losses_of_a_margin

# %% [markdown]
# ## From the reference to the best answer
#
# Four answers with rewards 0, 1, 2, 3, the best one rare under the reference. The optimum $\pi_{ref} e^{r/\beta}/Z$ runs from
# the reference (β → ∞) to the best answer (β → 0). Best-of-n walks a similar road without any β.


# %%
@figure
def optimum_against_beta():
    """Probabilities of the four answers against β, the best one dotted; its KL from the reference grows as β falls."""
    from matplotlib import pyplot as plt

    reference, rewards = np.array([0.4, 0.3, 0.25, 0.05]), np.array([0.0, 1.0, 2.0, 3.0])
    betas = np.logspace(-1.3, 1.7, 121)
    optimum = np.array([kl_regularised_policy(reference, rewards, b) for b in betas])
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.1))
    for a in range(4):
        left.semilogx(betas, optimum[:, a], ("-", "--", "-.", ":")[a], color=COLOURS[a], label=f"reward {a}")
    left.set(xlabel="β", ylabel="probability")
    left.legend(fontsize=8)
    right.plot([kl(p, reference) for p in optimum], optimum @ rewards, color=COLOURS[0], label="KL-regularised optimum")
    chosen = [best_of_n(reference, rewards, n) for n in (1, 2, 4, 8, 16, 32)]
    right.plot(
        [kl(p, reference) for p in chosen], [p @ rewards for p in chosen], "s", color=COLOURS[1], label="best of n"
    )
    right.set(xlabel="KL from the reference, nats", ylabel="mean reward")
    right.legend(fontsize=8)
    return fig


optimum_against_beta

# %% [markdown]
# ## Three estimators of one divergence
#
# Sample by sample, k1 is the log-ratio, k2 half its square, k3 the log-ratio plus what makes it non-negative. k1 and k3 have
# the mean KL; k2 does not.


# %%
@figure
def three_estimators():
    """k1, k2 and k3 against log π - log π_ref: k1 may be negative, k3 grows exponentially where the reference is likelier."""
    from matplotlib import pyplot as plt

    d = np.linspace(-2.5, 2.5, 161)
    fig, ax = plt.subplots(figsize=(6.0, 3.1))
    for k, (name, estimator) in enumerate({"k1": k1, "k2": k2, "k3": k3}.items()):
        ax.plot(d, estimator(d, 0 * d), ("-", "--", ":")[k], color=COLOURS[k], label=name)
    ax.set(xlabel=r"$\log\pi - \log\pi_{ref}$", ylabel="estimate of the sample")
    ax.legend()
    return fig


three_estimators
