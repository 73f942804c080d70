# %% [markdown]
# # Trust regions and PPO
#
# *Document `reference`, lines 111 to 131.* Three divergences, TRPO's problem, the natural gradient, and PPO. The divergence stands the
# right way round here, the old policy first. The natural step needs an inverse that the Fisher matrix of a softmax table does not have. And
# one line does not define what it says it defines: in PPO's objective $\hat A_t$ is the estimated
# advantage, and normalising it, as most code does, is a change of the objective that is harmless to first order only.

# %%
from fractions import Fraction
from math import exp, sqrt

import numpy as np
import sympy

from rlexact import gallery
from rlexact.arithmetic import SingularSystem
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    against,
    at_most,
    claim,
    close,
    differs,
    equal,
    printed,
    proved,
    refuses,
    same_as,
    shows,
    sourced,
    tight,
)
from rlexact.exact.difference import surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, visits
from rlexact.exact.fisher import fisher
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax_at, with_jacobian
from rlexact.exact.paths import paths
from rlexact.exact.trpo import reverse_kl_step, trpo_step
from rlexact.formulas.actor_critic import value_loss, value_loss_gradient
from rlexact.formulas.divergence import kl, mean_kl
from rlexact.formulas.gaussian import gaussian_kl
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.natural_gradient import fisher_matrix, kl_quadratic, natural_gradient_step
from rlexact.formulas.off_policy import importance_weighted_surrogate
from rlexact.formulas.ppo import clipped_surrogate, clipped_surrogate_gradient
from rlexact.formulas.ppo_value import ppo_loss
from rlexact.formulas.returns import normalise_advantages
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform
from rlexact.symbolic.gaussian import expectation, log_density

SECTION = Section("reference", "trust_regions_and_ppo", "Trust regions and PPO")

ONE, HALF, QUARTER, FIFTH = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 5)

# %% [markdown]
# ## Divergences
#
# A divergence between distributions is 0 where they are equal and positive elsewhere, adds up over independent choices, and has a
# direction: KL(p‖q) is infinite where $q = 0 < p$, and 0 log 0 counts as 0.


# %%
def symbols(*numbers):
    """Numbers as exact SymPy rationals."""
    return [sympy.Rational(x) for x in numbers]


def settled(expression):
    """Logarithms of products as sums of logarithms."""
    return sympy.expand_log(np.asarray(expression).item(), force=True)


@claim(
    "reference-076",
    says=r"$KL(p \| q) = \sum_x p(x) \log(p(x) / q(x))$",
    verdict=Holds(note="in nats, 0 log 0 = 0, infinite where q = 0 < p; not symmetric"),
    about=kl,
)
def the_divergence():
    p, q = symbols("1/2", "1/2"), symbols("1/4", "3/4")
    forward, reverse = settled(kl(p, q)), settled(kl(q, p))
    two, three = sympy.log(2), sympy.log(3)
    yield proved(forward - (two - three / 2), "a fair coin from (¼, ¾): log 2 - ½ log 3")
    yield proved(reverse - (3 * three / 4 - two), "the other way round: ¾ log 3 - log 2")
    yield proved(kl(p, p), "from itself: 0")
    twice = kl([x * y for x in p for y in p], [x * y for x in q for y in q])
    yield proved(settled(twice) - 2 * (two - three / 2), "two independent coins: twice as much")
    yield equal([kl([0.5, 0.5], [1, 0]) == np.inf, kl([0.0, 1.0], [0.5, 0.5]) < np.inf], [True, True], "zeros")


the_divergence

# %% [markdown]
# For policies the divergence of each state is averaged over states. The line does not say which ρ is meant. If it is the old policy's own
# visits, the sum over an episode is the divergence between the laws of whole *trajectories*: the moves of the world cancel.


# %%
def windy_pair():
    """Two decisions; the first action slips to the other state one time in four."""
    slips = [[[(3 * QUARTER, a, 0, False), (QUARTER, 1 - a, 0, False)] for a in (0, 1)] for _ in (0, 1)]
    return MDP.from_outcomes(slips, HALF, 0)


@claim(
    "reference-077",
    says=r"$KL(\pi_{old} \| \pi_{new}) = E_{s \sim \rho}[\sum_a \pi_{old}(a \mid s) \log(\pi_{old}(a \mid s) / \pi_{new}(a \mid s))]$",
    verdict=Holds(note="ρ is the old policy's law of states; then it is the divergence of trajectories, per step"),
    about=mean_kl,
)
def the_mean_divergence():
    model = windy_pair()
    old, new = [["1/2", "1/2"], ["1/4", "3/4"]], [["1/4", "3/4"], ["1/2", "1/2"]]
    exact_old = np.array([[Fraction(x) for x in row] for row in old])
    second = sum(p.probability for p in paths(model, exact_old, 1) if p.states[1] == 1)
    rho = symbols(1 - second / 2, second / 2)  # the first state is 0, the second drawn: averaged over two steps
    found = 2 * mean_kl([symbols(*row) for row in old], [symbols(*row) for row in new], rho)

    def log_likelihoods(path):
        rows = zip(path.states, path.actions, strict=False)
        return sum(sympy.log(Fraction(old[s][a]) / Fraction(new[s][a])) for s, a in rows)

    by_paths = sum(sympy.Rational(p.probability) * log_likelihoods(p) for p in paths(model, exact_old, 2))
    yield proved(settled(found) - settled(by_paths), "twice the mean over two steps = KL between the laws of paths")
    half, log = sympy.Rational(1, 2), sympy.log
    fair = mean_kl([symbols("1/2", "1/2")] * 2, [symbols("1/2", "1/2"), symbols("1/4", "3/4")], [half, half])
    yield proved(settled(fair) - (log(2) - log(3) / 2) / 2, "two states, one of them unchanged: half of the other's")


the_mean_divergence


# %%
@claim(
    "reference-078",
    says=r"$KL(N(\mu_1, \sigma_1^2) \| N(\mu_2, \sigma_2^2)) = "
    r"\log\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2 \sigma_2^2} - \frac12$",
    verdict=Holds(),
    about=gaussian_kl,
)
def the_gaussian_divergence():
    m_1, m_2, z = sympy.symbols("mu_1 mu_2 z", real=True)
    s_1, s_2 = sympy.symbols("sigma_1 sigma_2", positive=True)
    x = m_1 + s_1 * z
    mean = expectation(sympy.expand(log_density(x, m_1, s_1) - log_density(x, m_2, s_2)), [z])
    found = gaussian_kl(m_1, s_1, m_2, s_2)
    yield proved(settled(found) - settled(mean), "the library = E log N₁/N₂, from the moments of a standard normal")
    stated = sympy.log(s_2 / s_1) + (s_1**2 + (m_1 - m_2) ** 2) / (2 * s_2**2) - sympy.Rational(1, 2)
    yield proved(settled(found) - settled(stated), "= the formula")


the_gaussian_divergence

# %% [markdown]
# ## TRPO's problem
#
# Under the old policy's states and actions, $E[\frac{\pi}{\pi_{old}} A] = E_{a \sim \pi}[A]$, wherever the old policy takes all that the new one takes. With $A$
# the *old* policy's advantages and discounted states this is the surrogate, whose slope at the old policy is that of the return. Below,
# two decisions with discount ½: the new policy takes the better action with probability $p$, then $q$, instead of ½.


# %%
def relay():
    """Two decisions, γ = 1/2: state 0 pays 0 or 1 and leads on; state 1 pays 0 or 4 and ends."""
    first = {(0, a): [(ONE, 1, a, False)] for a in (0, 1)}
    return MDP.from_outcomes(first | {(1, a): [(ONE, None, 4 * a, True)] for a in (0, 1)}, HALF, 0)


@claim(
    "reference-079",
    says=r"TRPO maximises $E_{s, a \sim \pi_{old}}[\frac{\pi_\theta(a \mid s)}{\pi_{old}(a \mid s)} A(s, a)]$",
    verdict=Holds(
        note="A = A of π_old, states by discounted visits, and π_old > 0 wherever π_θ > 0; over normalised visits, times 1 - γ"
    ),
    about=(importance_weighted_surrogate, surrogate_gain, expected_return),
)
def the_objective():
    model = relay().to_symbolic()
    p, q = sympy.symbols("p q", positive=True)
    old, new = uniform(model), np.array([[1 - p, p], [1 - q, q]])
    A, eta = advantage(model, old), visits(model, old)
    ratios = new / old
    sampled = [importance_weighted_surrogate(ratios[s], A[s]) @ old[s] for s in (0, 1)]
    total = sampled[0] * eta[0] + sampled[1] * eta[1]
    by_hand = (p - sympy.Rational(1, 2)) + 2 * (q - sympy.Rational(1, 2))
    yield proved(total - by_hand, "the weighted mean: (p - ½) · 1 + ½ · (q - ½) · 4")
    yield proved(surrogate_gain(model, new, old) - by_hand, "the library's surrogate")
    J = expected_return(model, new)
    yield proved(J - (p + 2 * q), "the return itself, p + ½ · 4q: the same slopes")


the_objective

# %% [markdown]
# The constraint. Two arms, the better one taken with probability ⅕, and a budget of 0.01: the best step spends it exactly. With the arguments
# exchanged, as another of the documents has it, the same step would not.


# %%
ROUNDING = "root finding in double precision"


@claim(
    "reference-080",
    says=r"subject to $E_s[KL(\pi_{old}(\cdot \mid s) \| \pi_\theta(\cdot \mid s))] \le \delta$",
    verdict=Holds(note="the mean over the old policy's states, old policy first, as in the paper"),
    about=(mean_kl, trpo_step),
)
def the_constraint():
    yield sourced("Schulman et al. (2015), (12): mean of KL(π_old ‖ π_θ) over the old policy's states, at most δ")
    model, old = gallery.two_armed_bandit().to_float(), np.array([[0.8, 0.2]])
    new = trpo_step(model, old, 0.01).policy
    by_hand = 0.8 * np.log(0.8 / new[0, 0]) + 0.2 * np.log(0.2 / new[0, 1])
    yield close(by_hand, 0.01, 1e-9, ROUNDING, "the best step spends the budget: by hand")
    yield close(mean_kl(old, new, [1.0]), 0.01, 1e-9, ROUNDING, "by the library")
    other = reverse_kl_step(model, old, 0.01).policy
    yield shows(abs(other[0, 1] - new[0, 1]) > 1e-3, "KL(new ‖ old) ≤ .01 would stop elsewhere")


the_constraint


# %%
@claim(
    "reference-081",
    says="δ is typically 0.01",
    verdict=Holds(note="the paper's value; from a fair coin it is a change of 0.07 in each probability"),
    about=kl,
)
def the_budget():
    yield sourced("Schulman et al. (2015), §8 and appendix E: step size (mean KL) 0.01")
    delta = float(printed("0.01").value)
    moved = sqrt(1 - exp(-2 * delta)) / 2
    yield close(kl([0.5, 0.5], [0.5 + moved, 0.5 - moved]), delta, 1e-12, "double precision", "½ ± .0704 from ½, ½")
    yield shows(abs(moved - 0.07) < 0.001, "a change of .07")


the_budget

# %% [markdown]
# ## The natural gradient
#
# $F$ is the second moment of the score, and the curvature of the divergence at $\theta$. On logits of one softmax it is $\mathrm{diag}\,\pi - \pi\pi^\top$,
# which has no inverse: a constant added to all logits changes nothing. In the probability of one of two arms it has one.


# %%
def three_arms():
    """(model, family): arms that pay 8, 2 and 5, at (½, ¼, ¼), by logits."""
    model = gallery.bandit((8, 2, 5))
    return model, softmax_at(model, np.array([[HALF, QUARTER, QUARTER]]))


@claim(
    "reference-082",
    says=r"$F = E_{s, a \sim \pi}[\nabla_\theta \log\pi_\theta(a \mid s)\, \nabla_\theta \log\pi_\theta(a \mid s)^\top]$",
    verdict=Holds(note="the actions must be drawn from π itself; those of a data set give another matrix"),
    about=(fisher_matrix, kl_quadratic, fisher),
)
def the_fisher_matrix():
    model, family = three_arms()
    pi = family.policy[0]
    scores = np.eye(3, dtype=int) - pi
    by_hand = [
        [QUARTER, -HALF / 4, -HALF / 4],
        [-HALF / 4, 3 * QUARTER / 4, -QUARTER / 4],
        [-HALF / 4, -QUARTER / 4, 3 * QUARTER / 4],
    ]
    F = fisher_matrix(scores, pi)
    yield equal(F, by_hand, "three logits: diag π - π πᵀ")
    yield equal(fisher(model, family), by_hand, "from the model")
    t = sympy.Symbol("t", real=True)
    weights = [sympy.exp(t) / 2, sympy.Rational(1, 4), sympy.Rational(1, 4)]
    moved = [w / sum(weights) for w in weights]
    divergence = sum(sympy.Rational(p) * sympy.log(sympy.Rational(p) / q) for p, q in zip(pi, moved, strict=True))
    curvature = sympy.diff(divergence, t, 2).subs(t, 0)
    yield proved(curvature / 2 - sympy.Rational(kl_quadratic(F, [ONE, 0, 0])), "half the curvature of KL(π ‖ π_t)")


the_fisher_matrix


# %%
@claim(
    "reference-083",
    says=r"$\theta_{new} = \theta_{old} + \alpha F^{-1} \nabla_\theta J(\theta)$",
    verdict=Conditional(
        given="F has an inverse; of softmax tables (the categorical policy of line 73) it has none, and a generalised inverse or damping "
        "stands for it"
    ),
    about=(natural_gradient_step, policy_gradient),
)
def the_natural_step():
    model, family = three_arms()
    pi, A = family.policy[0], [Fraction(9, 4), -Fraction(15, 4), -Fraction(3, 4)]
    free = with_jacobian(model, family.policy, [[[ONE, 0], [0, 1], [-1, -1]]])  # two of the probabilities
    g = policy_gradient(model, free)
    yield equal(g, [3, -3], "arms 8, 2, 5 at (½, ¼, ¼), two probabilities as parameters: 8 - 5 and 2 - 5")
    scores = [[2, 0], [0, 4], [-4, -4]]
    moved = natural_gradient_step(pi[:2], fisher_matrix(scores, pi), g, Fraction(1, 9))
    yield equal(
        moved, [p + p * a / 9 for p, a in zip(pi[:2], A[:2], strict=True)], "each probability moves by α π(a) A(a)"
    )
    by_logits, F = policy_gradient(model, family)[0], fisher_matrix(np.eye(3, dtype=int) - pi, pi)
    yield against(bool((F @ np.ones(3, dtype=int) == 0).all()), "three logits: F (1, 1, 1) = 0")
    yield refuses(
        SingularSystem,
        lambda: natural_gradient_step([0, 0, 0], F, by_logits, ONE),
        "so F x = g is not solved by an inverse",
    )
    damped = natural_gradient_step([0, 0, 0], F, by_logits, ONE, Fraction(1, 1000))
    yield shows(damped[0] > damped[2] > damped[1], "three logits, damped: the best arm gains most")


the_natural_step

# %% [markdown]
# ## PPO
#
# The clipped objective never exceeds $r\hat A$, equals it for ratios within the range, and has the same slope at $r = 1$. It is flat where moving on would
# pay more than the clip allows, and only there.


# %%
RATIOS = [Fraction(k, 10) for k in (5, 8, 10, 12, 15)]


@claim(
    "reference-084",
    says=r"$L^{CLIP} = E_t[\min(r_t \hat A_t,\ \mathrm{clip}(r_t, 1 - \epsilon, 1 + \epsilon) \hat A_t)]$",
    verdict=Holds(note="an objective, to be maximised; a pessimistic bound on r Â, not a bound on the ratio"),
    about=(clipped_surrogate, clipped_surrogate_gradient),
)
def the_clipped_objective():
    good, bad = (clipped_surrogate(RATIOS, [ONE * a] * 5, FIFTH) for a in (3, -3))
    yield equal(good, [Fraction(x) for x in ("1.5", "2.4", "3", "3.6", "3.6")], "Â = 3: flat above 1.2")
    yield equal(bad, [-Fraction(x) for x in ("2.4", "2.4", "3", "3.6", "4.5")], "Â = -3: flat below .8")
    plain = [3 * r for r in RATIOS]
    yield at_most(good, plain, "Â = 3: at most r Â")
    yield at_most(bad, [-x for x in plain], "Â = -3: at most r Â")
    yield tight(good[3], plain[3], "attained up to r = 1.2")
    slopes = [list(clipped_surrogate_gradient(RATIOS, [ONE * a] * 5, FIFTH)) for a in (3, -3)]
    yield equal(slopes, [[3, 3, 3, 3, 0], [0, -3, -3, -3, -3]], "slopes in r")


the_clipped_objective


# %%
@figure
def both_signs():
    """The objective of one sample against its ratio, ε = 0.2. Dotted: without the clip. Only one side is flat."""
    from matplotlib import pyplot as plt

    r = np.linspace(0.4, 1.6, 121)
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.0), sharex=True)
    for ax, sign in zip(axes, (1.0, -1.0), strict=True):
        ax.plot(r, sign * r, color=COLOURS[6], ls=":", lw=1.2)
        ax.plot(r, clipped_surrogate(r, np.full(121, sign), 0.2), color=COLOURS[0 if sign > 0 else 1])
        ax.axvspan(0.8, 1.2, color="0.92")
        ax.plot(1, sign, "o", color="0.3", ms=4)
        ax.set(title=rf"$\hat A$ = {sign:+.0f}", xlabel="ratio")
    axes[0].set_ylabel("objective")
    return fig


both_signs


# %%
@claim(
    "reference-085",
    says=r"$r_t(\theta) = \pi_\theta(a_t \mid s_t) / \pi_{old}(a_t \mid s_t)$",
    verdict=Holds(
        note="1 at the old policy, mean 1 under it; code takes the exponential of a difference of logarithms"
    ),
    about=importance_ratios,
)
def the_ratio():
    p, q = sympy.symbols("p q", positive=True)
    yield proved(importance_ratios([sympy.log(p)], [sympy.log(q)])[0] - p / q, "exp(log π - log π_old)")
    new, old = symbols("1/2", "1/4", "1/4"), symbols("1/4", "1/4", "1/2")
    ratios = importance_ratios([sympy.log(x) for x in new], [sympy.log(x) for x in old])
    yield equal(ratios, [2, 1, HALF], "(½, ¼, ¼) over (¼, ¼, ½)")
    yield equal(
        [sum(ratios * old), sum(ratios * old * np.array([7, 1, 5]))], [1, 5], "E_old r = 1; E_old[r f] = E_new f"
    )


the_ratio


# %%
@claim(
    "reference-086",
    says="ε = 0.2",
    verdict=Holds(note="the paper's choice for continuous control; its Atari runs take .1, shrinking to 0"),
    about=clipped_surrogate,
)
def the_clip_range():
    yield sourced(
        "Schulman et al. (2017), §3 and table 1: ε = 0.2, the best of .1, .2 and .3; table 5: 0.1 α for Atari"
    )
    eps = printed("0.2").value
    yield equal(clipped_surrogate([2 * ONE], [ONE], eps), [1 + eps], "Â = 1: nothing more above 1.2")
    yield equal(clipped_surrogate([ONE / 2], [-ONE], eps), [-(1 - eps)], "Â = -1: nothing more below .8")


the_clip_range

# %% [markdown]
# ### What is $\hat A_t$?
#
# In the paper an estimate of the advantage, such as GAE. Most code subtracts the mean of the batch and divides by its standard deviation. If the
# mean is 0, as that of $A^\pi$ is under π, only the scale changes, and with it the weight against the other two terms. If it is not, an action
# that is better than average can be pushed down: of estimates 1 and 3 the first becomes -1. Over a whole distribution that shift is harmless at
# $r = 1$, since $E_{old}\,r = 1$; where samples are clipped it is not.


# %%
def clipped_mean(p, advantages):
    """E over two equally likely actions of the clipped objective, at π_new = (p, 1 - p), ε = 1/5."""
    ratios = [2 * p, 2 * (1 - p)]
    return sum(clipped_surrogate(ratios, advantages, FIFTH)) / 2


@claim(
    "reference-087",
    says=r"In $L^{CLIP}$, $\hat A_t$ is the normalised advantage",
    verdict=Conditional(
        given="the implementation's habit is meant, and the advantages of the batch have mean 0: then they are only rescaled. The paper's "
        "Â is the estimate itself, and another mean changes signs, and the clipped objective"
    ),
    about=(normalise_advantages, clipped_surrogate),
)
def the_normalised_advantage():
    centred = normalise_advantages([-ONE, ONE, -7 * ONE, 7 * ONE], 0)
    yield equal(centred, [Fraction(x, 5) for x in (-1, 1, -7, 7)], "mean 0, deviation 5: divided by 5")
    raw, shifted = [ONE, 3 * ONE], normalise_advantages([ONE, 3 * ONE], 0)
    yield equal(shifted, [-1, 1], "1 and 3 become -1 and 1")
    yield differs(raw, shifted, "two positive estimates, and what takes their place")
    near = [clipped_mean(Fraction(3, 5), a) - clipped_mean(HALF, a) for a in (raw, shifted)]
    yield equal(near, [-FIFTH, -FIFTH], "from p = .5 to .6, within the range: the objectives change alike")
    far = [clipped_mean(FIFTH, a) - clipped_mean(Fraction(2, 5), a) for a in (raw, shifted)]
    yield equal(far, [-FIFTH, 0], "from .4 to .2, beyond it: one pulls back, the other no more")
    yield sourced(
        "Schulman et al. (2017), §2.1: Â_t is an estimator of the advantage function; no normalisation is mentioned"
    )


the_normalised_advantage

# %% [markdown]
# ### All three terms
#
# Maximised: the clipped objective, less the value error, plus the entropy. A2C's loss (line 104) has the opposite signs because it is minimised. That $L^{CLIP}$
# is itself an average, averaged once more, does no harm.


# %%
@claim(
    "reference-088",
    says=r"$L^{CLIP+VF+S} = E_t[L^{CLIP} - c_1 L^{VF} + c_2 S[\pi_\theta](s_t)]$, maximised",
    verdict=Holds(note="inside the average L^CLIP stands for the term of sample t"),
    about=ppo_loss,
)
def the_combined_objective():
    v, g, h = sympy.symbols("V G S", real=True)
    c_1, c_2 = sympy.symbols("c_1 c_2", positive=True)
    for ratio, adv, clipped in (("3/2", 2, "12/5"), ("11/10", 2, "11/5"), ("1/2", -2, "-8/5")):
        log_ratio, zero = sympy.log(sympy.Rational(ratio)), sympy.Integer(0)
        found = ppo_loss([log_ratio], [zero], [adv], [v], [g], [h], sympy.Rational(1, 5), c_1, c_2).total[0]
        stated = sympy.Rational(clipped) - c_1 * (v - g) ** 2 + c_2 * h
        yield proved(found + stated, f"ratio {ratio}, Â = {adv}: the loss is minus the objective")


the_combined_objective


# %%
@claim(
    "reference-089",
    says=r"$L^{VF} = (V_\theta(s_t) - V_t^{target})^2$",
    verdict=Holds(note="the target held fixed; the clipped version that codes use is not in the paper"),
    about=(value_loss, value_loss_gradient),
)
def the_value_loss():
    v, g = sympy.symbols("V G", real=True)
    loss = value_loss([v], [g])[0]
    yield proved(loss - (v - g) ** 2, "the square")
    yield proved(value_loss_gradient([v], [g])[0] - 2 * (v - g), "its slope: 0 at the target alone")
    pulls = value_loss_gradient([ONE * 3] * 3, [ONE, 2 * ONE, 6 * ONE])
    yield equal([list(pulls), sum(pulls)], [[4, 2, -6], 0], "targets 1, 2, 6: the mean, 3, is where they balance")


the_value_loss


# %%
entropy_again = same_as(
    "reference-090",
    of="reference-074",
    says=r"$S[\pi_\theta](s_t) = -\sum_a \pi_\theta(a \mid s_t) \log\pi_\theta(a \mid s_t)$",
)
entropy_again
