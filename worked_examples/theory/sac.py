# %% [markdown]
# # Soft actor-critic
#
# *Document `theory`, lines 228 to 251.* Reward plus α times entropy, the soft Bellman equations, two critics, and a temperature
# that tunes itself. The equations are right. The worked numbers around them fail at two signs: the entropy of a Gaussian with
# σ = 0.3 is positive, so the "penalty" is a bonus; and the temperature's loss has lost a minus, so that descending it as printed
# would move α the wrong way, although both conclusions drawn from it are right. Two counts fail as well: the networks (five, not three)
# and the advantage in data (not 1000 times, however one counts).

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    agrees,
    below,
    claim,
    close,
    differs,
    equal,
    printed,
    proved,
    proved_at_most,
    shows,
    sourced,
    swept,
)
from rlexact.exact.evaluation import action_value, expected_return, occupancy, policy_value
from rlexact.exact.linear_td import linear_td
from rlexact.exact.max_estimators import single_max_law
from rlexact.exact.soft_bellman import soft_bellman_optimal, soft_greedy
from rlexact.exact.soft_evaluation import (
    regularised,
    soft_action_value_without_first,
    soft_expected_return,
    soft_policy_value,
)
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.formulas.ddpg import ddpg_actor_loss_gradient, ddpg_target, deterministic_policy_gradient
from rlexact.formulas.gaussian import diagonal_gaussian_entropy, gaussian_entropy, gaussian_entropy_gradient
from rlexact.formulas.importance import importance_ratios
from rlexact.formulas.replay import expected_uses, expected_uses_in_run, in_minibatch_probability, updates_in_run
from rlexact.formulas.sac import gaussian_actor_gradient, sac_actor_loss, sac_target, squashed_actor_gradient
from rlexact.formulas.sac_discrete import sac_discrete_actor_loss_gradient, soft_state_value
from rlexact.formulas.sac_temperature import target_entropy, temperature_loss, temperature_loss_gradient
from rlexact.formulas.soft_q import boltzmann, boltzmann_log_probs, soft_value, soft_value_gradient
from rlexact.formulas.squashed_gaussian import squashed_gaussian_log_density, squashed_gaussian_sample
from rlexact.formulas.target_network import soft_update, soft_update_of_path, soft_update_weights
from rlexact.formulas.td3 import td3_target
from rlexact.formulas.twin_critics import twin_critic_loss, twin_critic_loss_gradient, twin_minimum
from rlexact.learning.soft_actor_critic import soft_actor_critic
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import softmax
from rlexact.symbolic.gaussian import expectation, log_density

SECTION = Section("theory", "sac", "Soft actor-critic")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
log = sympy.log


def fractions(*numbers):
    return [Fraction(x) for x in numbers]


def two_choices(a, b, c, d, gamma):
    """State 0 ends for a, or pays b and goes on to state 1, which ends for c or for d."""
    first = [[(ONE, None, a, True)], [(ONE, 1, b, False)]]
    return MDP.from_outcomes([first, [[(ONE, None, c, True)], [(ONE, None, d, True)]]], gamma, 0)


def symbolic_choices():
    """(model, policy, p, q, τ): every reward, the discount, the temperature and both probabilities free."""
    p, q, gamma, tau = sympy.symbols("p q gamma tau", positive=True)
    model = two_choices(*sympy.symbols("a b c d", real=True), gamma)
    return model, np.array([[p, 1 - p], [q, 1 - q]]), p, q, tau


def binary_entropy(p):
    return -p * log(p) - (1 - p) * log(1 - p)


# %% [markdown]
# ## Keeping the data
#
# PPO fits its batch for a few epochs and drops it. SAC can keep what it has seen because its target asks nothing about the
# policy that chose $a$: given $(s, a)$, the reward and next state are the environment's, and $a'$ is drawn afresh. With batches of $B$
# and $U$ updates a step, each transition is trained on $UB$ times on average during its life in a full buffer, whatever its size.


# %%
@claim(
    "theory-260",
    says="PPO discards its data after updating; SAC is off-policy, stores its experience in a buffer and reuses it many times",
    verdict=Holds(
        note="as far as the capacity reaches, and PPO too uses a batch for several epochs. What makes it off-policy is the fresh "
        "a', not entropy: at α = 0 the target is TD3's, also off-policy"
    ),
    about=(expected_uses, soft_actor_critic, sac_target, td3_target),
)
def keeping_the_data():
    yield equal(
        expected_uses(Fraction(256), 1),
        256,
        "one batch of 256 a step: uses of a transition, 10^6 steps of 256/10^6 each",
    )
    arms = gallery.bandit((0, 1)).to_float()
    kept = soft_actor_critic(arms, 1500, 1, 1.0)
    yield close(
        kept.q[0], [0, 1], 1e-6, "1500 steps at 0.2 leave (1 - .2)^n of the start", "learned from replay: Q of two arms"
    )
    rewards, first, second, log_pi = (fractions(*x) for x in ((1, 1), (4, 4), (2, 6), (-2, -2)))
    ended = [False, True]
    yield equal(
        sac_target(rewards, first, second, log_pi, ended, HALF, 0), [2, 1], "α = 0: 1 + min(4, 2)/2, and an end"
    )
    yield equal(td3_target(rewards, first, second, ended, HALF), [2, 1], "TD3's target")


keeping_the_data

# %% [markdown]
# ## The objective
#
# The display is lost. It is the return with the policy's entropy added to the reward *of every step*,
#
# $$J(\pi) = \sum_t \mathbb{E}\left[\gamma^t\big(r(s_t,a_t) + \alpha\,\mathcal H(\pi(\cdot|s_t))\big)\right].$$
#
# Below it is compared with a list of the three paths of a model of two choices, all numbers free.


# %%
@claim(
    "theory-261",
    says=r"(lost display) $J(\pi) = \sum_t E[\gamma^t (r(s_t, a_t) + \alpha H(\pi(\cdot|s_t)))]$",
    verdict=Holds(
        note="the original papers print the undiscounted sum; a terminal state, where nothing is chosen, adds no entropy"
    ),
    about=soft_expected_return,
)
def the_objective():
    model, policy, p, q, tau = symbolic_choices()
    a, b, c, d = sympy.symbols("a b c d", real=True)
    first, second = tau * binary_entropy(p), tau * binary_entropy(q)
    on = [b + first + model.gamma * (x + second) for x in (c, d)]
    paths = p * (a + first) + (1 - p) * (q * on[0] + (1 - q) * on[1])
    yield proved(soft_expected_return(model, policy, tau) - paths, "the mean over the three paths")


the_objective

# %% [markdown]
# ## Three reasons
#
# **Exploration**: a soft-optimal policy gives every action a positive probability. **Robustness** has an exact form. For two
# distributions π and w,
#
# $$\sum_a \pi\,(Q - \tau\log w) = \sum_a \pi\,(Q - \tau\log\pi) + \tau\,\mathrm{KL}(\pi\|w) ,$$
#
# so the soft value of π is what remains when an adversary may add $-\tau\log w(a)$ to the rewards, any $w$, and picks the worst. Against
# other changes it may be worse off: only the random policy is hurt when an action that the greedy one avoids becomes disastrous.
# **Stability** is another matter. The soft policy does vary smoothly with Q where the greedy one jumps. But once a policy is
# fixed, entropy is only one more reward, and rewards do not decide whether an off-policy critic diverges: on the two
# states worth $w$ and $2w$ the matrix is $1 - 2\gamma$, with entropy and without.


# %%
def w_and_2w():
    """Two states worth w and 2w, each with two actions that both lead to the second; no rewards."""
    return MDP.from_outcomes([[[(ONE, 1, 0, False)]] * 2] * 2, Fraction(9, 10), 0).to_symbolic()


@claim(
    "theory-262",
    says="Entropy explores, makes policies robust to perturbations, and smooths the landscape so that off-policy learning is more stable",
    verdict=Conditional(
        given="the perturbations are those that the entropy hedges, and 'more stable' means that the policy moves smoothly with Q: a harsher "
        "bad action hurts the random policy alone, and an off-policy critic that diverges without entropy diverges with it, as fast"
    ),
    about=(boltzmann, soft_state_value, soft_value_gradient, linear_td),
)
def three_reasons():
    x, y = sympy.symbols("x y", real=True)
    p, tau, w = sympy.symbols("p tau w", positive=True)
    share = boltzmann([0, -tau * log(999)], tau)
    yield equal(
        share, [Fraction(999, 1000), Fraction(1, 1000)], "exploration: an action worse by τ log 999 keeps 1/1000"
    )
    yield against(share @ [0, -1000] == -1, "let its reward fall to -1000: this policy loses 1, the greedy one nothing")
    perturbed = p * (x - tau * log(w)) + (1 - p) * (y - tau * log(1 - w))
    kl = p * log(p / w) + (1 - p) * log((1 - p) / (1 - w))
    value = soft_state_value([x, y], [log(p), log(1 - p)], tau)
    yield proved(
        sympy.expand_log(perturbed - tau * kl - value, force=True), "robustness: the worst perturbation is w = π"
    )
    slope = soft_value_gradient([x, x], tau)
    yield proved(slope - HALF, "smoothness: at a tie each action counts one half, where the maximum has a kink")
    model, even = w_and_2w(), np.full((2, 2), HALF)
    plain, soft = (linear_td(m, even, [[1], [2]], [1, 0]) for m in (model, regularised(model, even, tau)))
    gains = [td.update(HALF)([1])[0] - td.update(HALF)([0])[0] for td in (plain, soft)]
    yield equal(gains[0], Fraction(7, 5), "off-policy TD at step 1/2, γ = .9: errors grow by 1 + (2γ - 1)/2")
    yield equal(soft.b, [tau * log(2)], "entropy is in the rewards: b = τ log 2")
    yield against(gains[1] == Fraction(7, 5), "and they grow by 7/5 all the same, at every temperature")


three_reasons

# %% [markdown]
# ## How wide is a policy at α = 0.2?
#
# As wide as the critic lets it be. For $Q(a) = -\tfrac12 c\,a^2$ the soft-optimal policy $\propto e^{Q/\alpha}$ is a Gaussian with
# $\sigma^2 = \alpha/c$: 0.3 needs a curvature of $20/9$. Where Q is twice as flat, the policy is $\sqrt2$ times as wide.
#
# The mean of the actor's gradient over the noise is exact here: it has degree 2 in $z$, and a coin on ±1 has the moments of a
# normal variable up to degree 3.


# %%
def mean_slope_in_std(std, curvature, temperature):
    """E[dL/dσ] for Q = -c a²/2 and a mean of 0: the actor's gradient averaged over z = ±1."""
    noise = np.array([ONE, -ONE])
    slopes = gaussian_actor_gradient([std] * 2, noise, -curvature * std * noise, temperature)
    return slopes.std.sum() / 2


@claim(
    "theory-263",
    says="With α = 0.2 the policy keeps a standard deviation of about 0.3 in each dimension",
    verdict=Conditional(given="Q has curvature 20/9 in each dimension: σ² = α/|Q''|. A weight alone fixes no width"),
    about=(mean_slope_in_std, gaussian_actor_gradient),
)
def the_width():
    alpha = printed("0.2").value
    yield equal(mean_slope_in_std(printed("0.3").value, Fraction(20, 9), alpha), 0, "c = 20/9: at rest at σ = 0.3")
    yield equal(mean_slope_in_std(Fraction(1, 10), Fraction(20, 9), alpha), Fraction(-16, 9), "narrower: it widens")
    yield equal(mean_slope_in_std(HALF, Fraction(4, 5), alpha), 0, "c = 4/5: at rest at σ = 1/2")
    yield differs(printed("0.3"), HALF, "the width at c = 4/5, α = 0.2")


the_width

# %% [markdown]
# ## The entropy of a Gaussian
#
# The formula is right for independent dimensions: minus the mean of the log-density is $\tfrac12\log 2\pi e\sigma^2$, and entropies add.


# %%
@claim(
    "theory-268",
    says=r"A Gaussian with σ in each of 7 independent dimensions: $H = 7 \cdot \frac12 \log(2\pi e \sigma^2)$",
    verdict=Holds(note="nats; of the Gaussian itself, before any squashing; correlated dimensions have less"),
    about=(diagonal_gaussian_entropy, log_density),
)
def entropy_formula():
    z, sigma = sympy.Symbol("z", real=True), sympy.Symbol("sigma", positive=True)
    mean = expectation(-log_density(sigma * z, 0, sigma), [z])
    stated = log(2 * sympy.pi * sympy.E * sigma**2) / 2
    yield proved(sympy.expand_log(mean - stated, force=True), "-E log N(x; 0, σ²), one dimension")
    for std in (0.3, 2.0):
        hand = 7 * float(stated.subs(sigma, sympy.Rational(str(std))))
        yield close(
            diagonal_gaussian_entropy([std] * 7), hand, 1e-13, "a few roundings", f"seven dimensions, σ = {std}"
        )


entropy_formula

# %% [markdown]
# Its value is not. $2\pi e \cdot 0.09 \approx 1.537$ exceeds 1, so the logarithm is positive. A differential entropy falls below 0 only for
# $\sigma < 1/\sqrt{2\pi e} \approx 0.242$; −0.27 belongs to σ ≈ 0.185.

# %%
gaussian_entropy([0.3, 0.242, 0.185]), diagonal_gaussian_entropy([0.3] * 7)


# %%
@figure
def entropy_against_width():
    """Entropy of one dimension against σ. The document puts the cross where the circle should be."""
    from matplotlib import pyplot as plt

    stds = np.linspace(0.1, 0.6, 200)
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.plot(stds, gaussian_entropy(stds), color=COLOURS[0])
    ax.axhline(0, color=COLOURS[6], lw=0.8)
    ax.plot([0.3], gaussian_entropy([0.3]), "o", color=COLOURS[0])
    ax.annotate("+0.215", (0.3, 0.215), xytext=(8, -10), textcoords="offset points")
    ax.plot([0.3], [-0.27], "x", color=COLOURS[1], ms=8, mew=2)
    ax.annotate("−0.27, as printed", (0.3, -0.27), xytext=(8, -4), textcoords="offset points", color=COLOURS[1])
    ax.set(xlabel=r"$\sigma$", ylabel="nats")
    return fig


entropy_against_width


# %%
@claim(
    "theory-264",
    says="0.5 log(2πe · 0.09) ≈ -0.27",
    verdict=Wrong(because="2πe · 0.09 ≈ 1.537 is above 1, so its logarithm is positive", instead="+0.215"),
    about=gaussian_entropy,
)
def entropy_of_one_dimension():
    h = gaussian_entropy(0.3)
    yield differs(printed("-0.27"), h, "½ log(2πe · 0.09)")
    yield below(
        1, 2 * Fraction(314, 100) * Fraction(271, 100) * Fraction(9, 100), "already with 3.14 for π and 2.71 for e"
    )
    yield agrees(printed("0.215"), h, "right value")
    yield close(np.exp(2 * h), 2 * np.pi * np.e * 0.09, 1e-14, "two roundings", "e^{2H} = 2πe σ²")


entropy_of_one_dimension


# %%
@claim(
    "theory-265",
    says="7 × (-0.27) = -1.89 nats",
    verdict=Wrong(because="the product is right, its factor is not", instead="7 × 0.215 ≈ +1.50 nats"),
    about=diagonal_gaussian_entropy,
)
def entropy_of_seven():
    h = diagonal_gaussian_entropy([0.3] * 7)
    yield equal(7 * printed("-0.27").value, printed("-1.89").value, "the product")
    yield differs(printed("-1.89"), h, "the entropy")
    yield close(h, 3.5 * np.log(2 * np.pi * np.e * 0.09), 1e-13, "a few roundings", "right value")
    yield agrees(printed("1.50"), h, "which rounds to")


entropy_of_seven


# %%
@claim(
    "theory-266",
    says="r + αH = r + 0.2 × (-1.89) = r - 0.38",
    verdict=Wrong(because="it inherits the sign and size of the entropy", instead="r + 0.2 × 1.505 ≈ r + 0.30"),
    about=diagonal_gaussian_entropy,
)
def reward_with_entropy():
    paid = 0.2 * diagonal_gaussian_entropy([0.3] * 7)
    yield shows(printed("-0.38").holds(Fraction(2, 10) * printed("-1.89").value), "the product is rounded well")
    yield differs(printed("-0.38"), paid, "α H")
    yield close(paid, 0.7 * np.log(2 * np.pi * np.e * 0.09), 1e-13, "a few roundings", "right value")
    yield agrees(printed("0.30"), paid, "which rounds to")


reward_with_entropy

# %% [markdown]
# So there is no penalty: being this random is *paid*. Nor does it matter which side of 0 the term lies on, since a constant moves no
# policy. What holds σ up is the slope $\alpha\,\partial H/\partial\sigma = \alpha/\sigma$, which grows without bound as σ shrinks.


# %%
@claim(
    "theory-267",
    says="The entropy term is a small penalty on the reward, but enough to prevent premature convergence",
    verdict=Wrong(
        because="αH is positive at σ = 0.3, and its size prevents nothing: a constant leaves every policy as it was",
        instead="a bonus of 0.30; what opposes collapse is its slope in σ, α/σ > 0 in every dimension, 2/3 here",
    ),
    about=(diagonal_gaussian_entropy, gaussian_entropy_gradient),
)
def bonus_not_penalty():
    paid = 0.2 * diagonal_gaussian_entropy([0.3] * 7)
    yield against(paid > 0, "α H > 0: a bonus")
    yield close(paid, 0.7 * np.log(2 * np.pi * np.e * 0.09), 1e-13, "a few roundings", "of")
    widths = [Fraction(3, 10), Fraction(3, 100)]
    slopes = Fraction(2, 10) * gaussian_entropy_gradient(widths)
    yield equal(slopes, [Fraction(2, 3), Fraction(20, 3)], "what is paid for a wider σ, at .3 and at .03")


bonus_not_penalty

# %% [markdown]
# ## The soft Bellman equations
#
# Standard values first, then soft ones. In the document's convention Q leaves out the entropy of its own first action, and V adds it:
# $V = \mathbb{E}_a[Q - \alpha\log\pi]$, $Q = r + \gamma\,\mathbb{E}[V]$. Texts that put the first entropy into Q write $V = \mathbb{E}_a[Q]$; mixing
# the two counts it twice or never.


# %%
@claim(
    "theory-269",
    says=r"In standard RL $V^\pi(s) = E_{a \sim \pi}[Q^\pi(s, a)]$",
    verdict=Holds(),
    about=(policy_value, action_value),
)
def standard_value():
    model, policy, p, q, _ = symbolic_choices()
    a, b, c, d = sympy.symbols("a b c d", real=True)
    later = q * c + (1 - q) * d
    yield proved(action_value(model, policy) - np.array([[a, b + model.gamma * later], [c, d]]), "Q, path by path")
    yield proved(
        policy_value(model, policy) - np.array([p * a + (1 - p) * (b + model.gamma * later), later]), "V = Σ π Q"
    )


standard_value


# %%
@claim(
    "theory-270",
    says=r"Soft: $V^\pi(s) = E_{a \sim \pi}[Q^\pi(s, a) - \alpha \log \pi(a|s)]$",
    verdict=Holds(note="with the Q that leaves out the first action's entropy, as the next display does"),
    about=(soft_policy_value, soft_state_value),
)
def soft_state_values():
    model, policy, p, q, tau = symbolic_choices()
    a, b, c, d = sympy.symbols("a b c d", real=True)
    later = q * (c - tau * log(q)) + (1 - q) * (d - tau * log(1 - q))
    now = p * (a - tau * log(p)) + (1 - p) * (b + model.gamma * later - tau * log(1 - p))
    yield proved(soft_policy_value(model, policy, tau) - np.array([now, later]), "V of both states, written out")
    x, y = sympy.symbols("x y", real=True)
    one_state = soft_state_value([x, y], [log(p), log(1 - p)], tau)
    yield proved(one_state - (p * x + (1 - p) * y + tau * binary_entropy(p)), "= E Q + α H")


soft_state_values


# %%
@claim(
    "theory-271",
    says=r"Soft: $Q^\pi(s, a) = r(s, a) + \gamma E_{s'}[V^\pi(s')]$",
    verdict=Holds(note="the entropy of the choice of a itself is in V(s), not in Q(s, a)"),
    about=soft_action_value_without_first,
)
def soft_action_values():
    model, policy, p, q, tau = symbolic_choices()
    a, b, c, d = sympy.symbols("a b c d", real=True)
    later = q * c + (1 - q) * d + tau * binary_entropy(q)
    found = soft_action_value_without_first(model, policy, tau)
    yield proved(found - np.array([[a, b + model.gamma * later], [c, d]]), "Q of all four pairs, written out")
    yield shows(all(not e.has(p) for e in map(sympy.expand, found[0])), "Q at the first state does not know its policy")


soft_action_values

# %% [markdown]
# ## The optimal soft policy
#
# With two actions and π a softmax of $(z, 0)$, the actor's loss $\alpha\log\pi - Q$ has the slope $\pi_0\pi_1\,(\alpha z - (Q_0 - Q_1))$: negative
# below $z = (Q_0 - Q_1)/\alpha$, positive above. One minimum, and it is $\pi \propto e^{Q/\alpha}$. On a model whose rewards are logarithms the
# whole answer is rational: with rewards log 2, 0, log 2, log 3 and α = γ = 1, the soft values are log 7 and log 5.


# %%
def logarithmic_choices():
    return two_choices(log(2), 0, log(2), log(3), 1)


@claim(
    "theory-272",
    says=r"$\pi^*(a|s) \propto \exp(Q^*(s, a)/\alpha)$",
    verdict=Holds(
        note="over continuous actions where exp(Q/α) has a finite integral; a Gaussian actor only comes near it"
    ),
    about=(sac_discrete_actor_loss_gradient, soft_greedy, soft_policy_iteration),
)
def the_soft_policy():
    z, x, y = sympy.symbols("z x y", real=True)
    tau = sympy.Symbol("tau", positive=True)
    slope = sac_discrete_actor_loss_gradient([z, 0], [x, y], [x, y], tau)
    odds = sympy.exp(z)
    yield proved(slope[0] - odds / (1 + odds) ** 2 * (tau * z - (x - y)), "one state: one minimum, at z = (Q0 - Q1)/α")
    model = logarithmic_choices()
    best = [[Fraction(2, 7), Fraction(5, 7)], [Fraction(2, 5), Fraction(3, 5)]]
    yield equal(soft_greedy(model, [log(7), log(5)], 1), best, "two states: shares 2 : 5 and 2 : 3, by hand")
    floats = model.to_float()
    found = soft_policy_iteration(floats, 1.0)
    yield close(found.policy, best, 1e-7, "the solver's tolerance is 1e-8", "soft policy iteration")
    rivals = [softmax(floats, np.random.default_rng(seed).normal(size=(2, 2))) for seed in range(30)]
    gap = lambda rival: float((soft_policy_value(floats, rival, 1.0) - found.v).max())  # noqa: E731
    yield swept(gap, rivals, "no other policy has more soft value in any state", 1e-8, "the solver's tolerance")


the_soft_policy


# %%
@claim(
    "theory-274",
    says=r"$V^*(s) = \alpha \log \sum_a \exp(Q^*(s, a)/\alpha)$",
    verdict=Holds(),
    about=(soft_bellman_optimal, soft_value, boltzmann_log_probs),
)
def log_sum_exp():
    x, y = sympy.symbols("x y", real=True)
    tau = sympy.Symbol("tau", positive=True)
    top, shares = soft_value([x, y], tau), boltzmann_log_probs([x, y], tau)
    yield proved(top - tau * log(sympy.exp(x / tau) + sympy.exp(y / tau)), "the formula")
    for q, log_share in zip((x, y), shares, strict=True):
        yield proved(q - tau * log_share - top, "Q - α log π* = V*, action by action")
    model = logarithmic_choices()
    first = soft_bellman_optimal(model, [0, 0], 1)
    yield equal(soft_bellman_optimal(model, first, 1), [log(7), log(5)], "two states: log(2 + 5) and log(2 + 3)")
    best = np.array([[Fraction(2, 7), Fraction(5, 7)], [Fraction(2, 5), Fraction(3, 5)]])
    yield proved(soft_policy_value(model, best, 1) - np.array([log(7), log(5)]), "the soft value of that policy")


log_sum_exp

# %% [markdown]
# It exceeds the maximum, by at most $\alpha\log n$; that much at a tie, next to nothing where one action stands out by a few α.


# %%
@claim(
    "theory-275",
    says="The log-sum-exp of Q is a smooth approximation to the hard maximum",
    verdict=Holds(note="from above: max Q ≤ V ≤ max Q + α log n, the upper end attained at a tie of all n actions"),
    about=(soft_value, soft_value_gradient),
)
def smooth_maximum():
    tau, s = sympy.Symbol("tau", positive=True), sympy.Symbol("s", nonnegative=True)
    above = [tau * log(1 + sympy.exp(-s / tau))]
    yield proved_at_most(0, soft_value([0, -s], tau), above, "two actions, the other s lower: above the maximum")
    short = [tau * log(1 + s / (2 + s))]
    lower = -tau * log(1 + s)
    yield proved_at_most(soft_value([0, lower], tau), tau * log(2), short, "at most α log 2 above")
    yield equal(soft_value([0, 0, 0], tau), tau * log(3), "three alike: α log 3")
    yield equal(sympy.limit(soft_value([0, -1], tau)[()], tau, 0, "+"), 0, "the maximum as α → 0")
    slopes = soft_value_gradient([0, tau * log(3)], tau)
    yield equal(slopes, [QUARTER, 3 * QUARTER], "smooth: its slope is the policy e^{Q/α}/Z, here 1 : 3")


smooth_maximum

# %% [markdown]
# ## The two ends of the temperature
#
# At one state with given Q, yes: even shares as α grows, the best action as α shrinks. Over time, no. Future entropy is worth α per
# nat too, and Q\* grows with α where more choices lie ahead. In the model of two choices without any reward and γ = 1, the soft-optimal
# policy goes on with probability 2/3 at *every* temperature: it spreads evenly over the three paths, not over the two actions.
# And at the other end ties stay ties: the policy becomes even over the best actions, not deterministic.


# %%
@claim(
    "theory-273",
    says="High α: the optimal policy is uniform. Low α: it is nearly deterministic on the best action",
    verdict=Conditional(
        given="Q is held fixed (a bandit, or the same future entropy behind every action) for the high end, and the best action is "
        "unique for the low end"
    ),
    about=(boltzmann, soft_greedy, soft_bellman_optimal),
)
def both_ends():
    x, y = sympy.symbols("x y", real=True)
    tau, worse = sympy.symbols("tau d", positive=True)
    yield equal(sympy.limit(boltzmann([x, y], tau)[0], tau, sympy.oo), HALF, "one state, α → ∞")
    yield equal(
        sympy.limit(boltzmann([0, -worse], tau)[0], tau, 0, "+"), 1, "one state, α → 0, the first better by any d"
    )
    yield equal(boltzmann([x, x], tau), [HALF, HALF], "a tie: even at every α")
    yield differs(1, boltzmann([x, x], tau)[0], "a tie, however low α is")
    model = two_choices(0, 0, 0, 0, 1).to_symbolic()
    v = soft_bellman_optimal(model, soft_bellman_optimal(model, [0, 0], tau), tau)
    yield equal(v, [tau * log(3), tau * log(2)], "no rewards: three paths, then two")
    shares = soft_greedy(model, v, tau)[0]
    yield differs(HALF, shares[1], "however high α is, going on")
    yield equal(shares, [Fraction(1, 3), Fraction(2, 3)], "even over paths")


both_ends


# %%
@figure
def shares_against_temperature():
    """The share of the second action against α. With Q held at (0, -1) it rises to 1/2; where it leads to another choice, to 2/3."""
    from matplotlib import pyplot as plt

    alphas = np.geomspace(0.05, 100, 120)
    held = [boltzmann([0.0, -1.0], alpha)[1] for alpha in alphas]
    future = [boltzmann([0.0, -1.0 + alpha * np.log(2)], alpha)[1] for alpha in alphas]
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    for k, (line, name, end) in enumerate(
        [(held, "Q held fixed", 1 / 2), (future, "two more choices behind it", 2 / 3)]
    ):
        ax.semilogx(alphas, line, color=COLOURS[k], label=name)
        ax.axhline(end, color=COLOURS[k], ls=":", lw=1)
    ax.set(xlabel=r"$\alpha$", ylabel="share of the second action", ylim=(0, 0.75))
    ax.legend(frameon=False, loc="lower right")
    return fig


shares_against_temperature

# %% [markdown]
# ## The networks
#
# How many functions does one SAC update read? Change one at a time and see whether the critics' gradient moves. The actor's
# probability at $a'$, two critics, and a target copy *of each*: five. (The first version of SAC had five as well: actor, two Qs, V and its
# target.) The document's table has three rows, two of which are pairs.


# %%
def critics_gradient(actor, q1, q2, target1, target2):
    """dL/dQ₁ and dL/dQ₂ of two transitions: in the first the first target is the smaller, in the second the second."""
    y = sac_target(fractions(1, 1), [target1, target1 + 2], [target2, target2], [actor] * 2, [False] * 2, HALF, HALF)
    slopes = twin_critic_loss_gradient([q1] * 2, [q2] * 2, y)
    return [*slopes.q1, *slopes.q2]


@claim(
    "theory-276",
    says="SAC maintains three networks",
    verdict=Wrong(
        because="critic and target are two each, by the document's own table: φ1, φ2 and their averages",
        instead="five: an actor, two critics, two targets; three kinds",
    ),
    about=critics_gradient,
)
def five_networks():
    given = dict(zip(("actor", "q1", "q2", "target1", "target2"), fractions(-1, 3, 5, 2, 3), strict=True))
    found = critics_gradient(**given)
    yield equal(found, [Fraction(3, 2), HALF, Fraction(11, 2), Fraction(9, 2)], "2 (Q - y), y = 9/4 and 11/4 by hand")
    moved = [name for name in given if critics_gradient(**{**given, name: given[name] + HALF}) != found]
    yield differs(printed("3"), len(moved), "networks that an update of the critics reads")
    yield equal(len(moved), 5, ", ".join(moved))


five_networks

# %% [markdown]
# The actor gives a mean and a standard deviation per dimension. Torques are bounded, so the action is $\tanh(\mu + \sigma z)$, and its density
# carries the slope of the squashing.


# %%
@claim(
    "theory-277",
    says="The actor outputs an action distribution: Gaussian mean and standard deviation",
    verdict=Holds(note="of the value before squashing; the action is its tanh, whose entropy is not the Gaussian's"),
    about=(squashed_gaussian_sample, squashed_gaussian_log_density),
)
def the_actor():
    z = np.array([-3.0, 0.0, 3.0])
    a = squashed_gaussian_sample(np.full(3, 0.5), np.full(3, 0.8), z)
    e = np.exp(2 * (0.5 + 0.8 * z))
    yield close(a, (e - 1) / (e + 1), 1e-15, "a few roundings", "a = tanh(μ + σ z), inside (-1, 1)")
    edge = np.linspace(-1, 1, 4001)[1:-1]
    u = np.log((1 + edge) / (1 - edge)) / 2
    density = np.exp(squashed_gaussian_log_density(u[:, None], np.full((u.size, 1), 0.5), np.full((u.size, 1), 0.8)))
    yield close(
        density.sum() * (edge[1] - edge[0]), 1, 1e-6, "sum over 3999 actions, 1/2000 apart", "its density adds up to 1"
    )


the_actor


# %%
@claim(
    "theory-278",
    says="The critic is two Q-networks, with the clipped double-Q trick",
    verdict=Holds(note="one target, with the smaller of two target values, for both"),
    about=(sac_target, twin_critic_loss),
)
def two_critics():
    y = sac_target(
        fractions(1, 1, 1),
        fractions(4, 4, 4),
        fractions(2, 6, 2),
        fractions(-2, -2, -2),
        [False, False, True],
        HALF,
        QUARTER,
    )
    yield equal(y, [Fraction(9, 4), Fraction(13, 4), 1], "1 + ½ (min + ½), and an end, by hand")
    yield equal(
        twin_critic_loss(fractions(1, 2, 0), fractions(3, 2, 4), fractions(2, 5, 1)),
        [2, 18, 10],
        "(Q1 - y)² + (Q2 - y)²",
    )


two_critics


# %%
@claim(
    "theory-279",
    says="The target is an exponential moving average of the critic's parameters, for stability",
    verdict=Holds(note="θ⁻ ← (1 - τ)θ⁻ + τθ: weights τ(1 - τ)^k, k updates back; this τ is no temperature"),
    about=(soft_update, soft_update_of_path, soft_update_weights),
)
def moving_average():
    yield equal(soft_update([8], [4], QUARTER), [7], "8 towards 4, a quarter of the way")
    yield equal(soft_update_of_path([8], [[4], [6]], QUARTER), [Fraction(27, 4)], "9/16 · 8 + 3/16 · 4 + 1/4 · 6")
    geometric = [Fraction(27, 64), Fraction(9, 64), Fraction(3, 16), QUARTER]
    yield equal(soft_update_weights(QUARTER, 3), geometric, "exponential: each weight 3/4 of the next")


moving_average

# %% [markdown]
# ## The three losses
#
# Their displays are lost. The critic's target must have the soft Q as its mean, and does when both critics are right:
#
# $$J_Q = \mathbb{E}\left[\sum_i\Big(Q_{\phi_i}(s,a) - \big(r + \gamma(1-d)(\min_j Q_{\bar\phi_j}(s',a') - \alpha\log\pi(a'|s'))\big)\Big)^2\right],\quad a'\sim\pi .$$


# %%
@claim(
    "theory-280",
    says=r"(lost display) $J_Q = E[(Q_{\phi_i}(s,a) - (r + \gamma(1-d)(\min_j Q_{\bar\phi_j}(s',a') - \alpha\log\pi(a'|s'))))^2]$",
    verdict=Holds(note="a' drawn from the present policy, the target held constant; d marks an end, not a time limit"),
    about=(sac_target, twin_critic_loss_gradient),
)
def critic_loss():
    model, policy, _, q, tau = symbolic_choices()
    b, c, d = sympy.symbols("b c d", real=True)
    drawn = sac_target([b, b], [c, d], [c, d], [log(q), log(1 - q)], [False, False], model.gamma, tau)
    soft_q = b + model.gamma * (q * c + (1 - q) * d + tau * binary_entropy(q))
    yield proved(policy[1] @ drawn - soft_q, "its mean over a' is the soft Q, written out")
    yield equal(sac_target([b], [c], [c], [log(q)], [True], model.gamma, tau), [b], "at an end: the reward")
    slopes = twin_critic_loss_gradient(fractions(3, 5), fractions(1, 4), fractions(2, 5))
    yield equal([*slopes.q1, *slopes.q2], [2, 0, -2, -2], "2 (Q - y): at rest where Q is the target's mean")


critic_loss

# %% [markdown]
# $J_\pi = \mathbb{E}[\alpha\log\pi(a|s) - \min_j Q_{\phi_j}(s,a)]$ is $\alpha\,\mathrm{KL}(\pi \,\|\, e^{Q/\alpha}/Z)$ less the soft value, a constant to the actor. With $a = \tanh(\mu+\sigma z)$ and $z$
# held, the gradient runs through the sample: checked against a derivative that SymPy takes of the written-out loss.


# %%
def derivatives_of_written_out_loss(mean, std, noise, temperature):
    """d/dμ and d/dσ of τ log π(a) - Q(a) at a = tanh(μ + σ z), Q = -(a - ½)²."""
    mu, sigma = sympy.symbols("mu sigma", positive=True)
    a = sympy.tanh(mu + sigma * noise)
    log_pi = -(noise**2) / 2 - log(sigma) - log(2 * sympy.pi) / 2 - log(1 - a**2)
    loss = temperature * log_pi + (a - HALF) ** 2
    return [float(sympy.diff(loss, x).subs({mu: mean, sigma: std})) for x in (mu, sigma)]


@claim(
    "theory-281",
    says=r"(lost display) $J_\pi = E_{s \sim D, a \sim \pi}[\alpha\log\pi(a|s) - \min_j Q_{\phi_j}(s,a)]$, reparameterised, $a = \tanh(\mu + \sigma\epsilon)$",
    verdict=Holds(note="its minimum over all policies is e^{Q/α}/Z, over Gaussians the nearest in KL"),
    about=(sac_actor_loss, squashed_actor_gradient),
)
def actor_loss():
    x, y = sympy.symbols("x y", real=True)
    p, tau = sympy.symbols("p tau", positive=True)
    log_pi = np.array([log(p), log(1 - p)])
    value = tau * log(sympy.exp(x / tau) + sympy.exp(y / tau))
    kl = p * (log_pi[0] - (x - value) / tau) + (1 - p) * (log_pi[1] - (y - value) / tau)
    mean = np.array([p, 1 - p]) @ sac_actor_loss(log_pi, [x, y], [x, y], tau)
    yield proved(sympy.expand(mean - (tau * kl - value)), "two actions: E L = α KL(π ‖ e^{Q/α}/Z) - V")
    yield equal(sac_actor_loss(fractions(-2), fractions(5), fractions(3), HALF), [-4], "½ · (-2) - min(5, 3)")
    m, s, z, t = sympy.Rational(2, 5), HALF, Fraction(-3, 10), Fraction(1, 5)
    a = np.tanh(float(m) + float(s * z))
    found = squashed_actor_gradient(float(m), float(s), float(z), -2 * (a - 0.5), float(t))
    hand = derivatives_of_written_out_loss(m, sympy.Rational(1, 2), sympy.Rational(-3, 10), sympy.Rational(1, 5))
    yield close([found.mean, found.std], hand, 1e-13, "a few roundings", "dL/dμ and dL/dσ of one sample")


actor_loss

# %% [markdown]
# ## The temperature
#
# The third lost loss is $J(\alpha) = \mathbb{E}_{a\sim\pi}[-\alpha\log\pi(a|s) - \alpha\bar{\mathcal H}] = \alpha\,(\mathcal H - \bar{\mathcal H})$, with slope $\mathcal H - \bar{\mathcal H}$. It comes from the dual of "most return
# with entropy at least H̄": $g(\alpha) = \max_\pi \mathbb{E}[Q] + \alpha(\mathcal H - \bar{\mathcal H})$ is convex, and least where the optimal policy has entropy H̄. For a
# *fixed* policy $J$ is a straight line without a minimum inside: SAC takes one step on it, then improves the policy again.


# %%
@claim(
    "theory-282",
    says=r"(lost display) $\min_\alpha J(\alpha) = E_{a \sim \pi}[-\alpha\log\pi(a|s) - \alpha\bar H]$",
    verdict=Holds(note="in turns with the policy: α(H - H̄) is linear in α and has no minimum of its own"),
    about=(temperature_loss, temperature_loss_gradient, soft_value, soft_actor_critic),
)
def temperature_objective():
    p, tau, target = sympy.symbols("p tau h", positive=True)
    log_pi = [log(p), log(1 - p)]
    mean = np.array([p, 1 - p]) @ temperature_loss(tau, log_pi, target)
    slope = np.array([p, 1 - p]) @ temperature_loss_gradient(tau, log_pi, target)
    yield proved(sympy.expand(mean - tau * (binary_entropy(p) - target)), "two actions: E L = α (H - H̄)")
    yield proved(sympy.expand(slope - (binary_entropy(p) - target)), "its slope in α is H - H̄")
    dual = sympy.diff(soft_value([0, log(3)], tau)[()], tau).subs(tau, 1)
    yield proved(
        dual - binary_entropy(sympy.Rational(1, 4)), "the dual: d/dα of α log Σ e^{Q/α} is H of the policy 1 : 3"
    )
    learned = soft_actor_critic(
        gallery.bandit((0, 1)).to_float(), 1500, 1, 1.0, target_entropy=0.5, temperature_alpha=0.05
    )
    odds = np.exp(1 / learned.tables["temperature"])
    h = np.log(1 + odds) - odds / (1 + odds) * np.log(odds)
    yield close(h, 0.5, 1e-6, "1500 steps", "two arms, learned: α such that the policy e^{Q/α}/Z has H = ½")
    yield close(learned.q[0], [0, 1], 1e-6, "1500 steps", "with the critic right")


temperature_objective

# %% [markdown]
# ## The worked temperature
#
# Seven dimensions, target −7. A policy with entropy −5 has $\mathbb{E}\log\pi = 5$, so
#
# $$J = -\alpha\,(\mathbb{E}\log\pi + \bar{\mathcal H}) = -\alpha\,(5 - 7) = 2\alpha .$$
#
# The document's $-2\alpha$ is this without the leading minus. (The expression it starts from, $\alpha(-(-5) - (-7))$, is neither: it comes to
# $12\alpha$.) Descending $-2\alpha$ would *raise* α. The conclusion, α falls, is that of the right loss. The same again, mirrored, at −10.


# %%
@claim(
    "theory-288",
    "theory-289",
    says="The target entropy is -dim(A) = -7 for a seven-jointed arm, and a policy of entropy -5 has more",
    verdict=Holds(
        note="2 nats more. A habit, not a theorem; for continuous actions, as an arm has (reference-109 does not say so), scaled to [-1, 1]"
    ),
    about=target_entropy,
)
def the_target():
    yield equal(printed("-7"), target_entropy(7))
    yield below(printed("-7"), printed("-5"))
    yield equal(printed("-5").value - target_entropy(7), 2, "the excess, in nats")


the_target


# %%
@claim(
    "theory-290",
    says="H = -5: the loss α(-(-5) - (-7)) = α(5 - 7) = -2α is negative",
    verdict=Wrong(
        because="α(-(-5) - (-7)) is 12α, not α(5 - 7); and J = α(H - H̄): 5 - 7 is E log π + H̄, of which the loss is the negative",
        instead="α(-5 - (-7)) = 2α, positive",
    ),
    about=temperature_loss,
)
def loss_above_the_target():
    alpha = sympy.Symbol("alpha", positive=True)
    loss = temperature_loss(alpha, [5], -7)[0]
    yield differs(printed("-2"), 5 - printed("-7").value, "the expression it starts from, per α")
    yield differs(printed("-2"), sympy.cancel(loss / alpha), "the loss at E log π = 5, per α")
    yield equal(loss, 2 * alpha, "α (H - H̄) = α (-5 + 7)")


loss_above_the_target


# %%
@claim(
    "theory-292",
    says="H = -10: the loss is α(10 - 7) = 3α > 0",
    verdict=Wrong(because="the same lost minus: 10 - 7 is E log π + H̄", instead="α(-10 - (-7)) = -3α, negative"),
    about=temperature_loss,
)
def loss_below_the_target():
    alpha = sympy.Symbol("alpha", positive=True)
    loss = temperature_loss(alpha, [10], -7)[0]
    yield differs(printed("3"), sympy.cancel(loss / alpha), "the loss at E log π = 10, per α")
    yield equal(loss, -3 * alpha, "α (H - H̄) = α (-10 + 7)")


loss_below_the_target


# %%
@claim(
    "theory-291",
    "theory-293",
    says="At H = -5 the gradient decreases α and the policy becomes more deterministic; at H = -10 it increases α",
    verdict=Holds(
        note="by the right loss, of slopes 2 and -3; descending the printed -2α and 3α would do the opposite"
    ),
    about=(temperature_loss_gradient, gaussian_actor_gradient),
)
def directions():
    slopes = temperature_loss_gradient(HALF, [5, 10], -7)
    yield equal(slopes, [2, -3], "dJ/dα = H - H̄ at H = -5 and at H = -10")
    after = HALF - Fraction(1, 10) * slopes
    yield equal(after, [Fraction(3, 10), Fraction(4, 5)], "one descent step of 1/10 from α = 1/2: down, and up")
    yield equal(mean_slope_in_std(HALF, 2, HALF), 0, "curvature 2, α = ½: the policy rests at σ = ½")
    yield equal(mean_slope_in_std(HALF, 2, after[0]), Fraction(2, 5), "after the fall of α to .3: σ falls")


directions


# %%
@figure
def descending_the_loss():
    """log α under descent with the policy kept at σ² = α/c: with H - H̄ as slope (solid) it finds the target, with its negative it flees."""
    from matplotlib import pyplot as plt

    def run(alpha, sign, steps):
        path = [alpha]
        for _ in range(steps):
            excess = 7 * gaussian_entropy(np.sqrt(path[-1] / 2)) + 7
            path.append(path[-1] * np.exp(-sign * 0.02 * excess))
        return path

    start = [2 * np.exp(2 * h / 7) / (2 * np.pi * np.e) for h in (-5, -10)]
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    for k, (alpha, h) in enumerate(zip(start, (-5, -10), strict=True)):
        ax.semilogy(run(alpha, 1, 40), color=COLOURS[k], label=f"from H = {h}")
        ax.semilogy(run(alpha, -1, 15), color=COLOURS[k], ls="--", label="as printed")
    ax.set(xlabel="steps", ylabel=r"$\alpha$")
    ax.legend(frameon=False, ncols=2, loc="upper right")
    return fig


descending_the_loss

# %% [markdown]
# ## Without entropy
#
# "When α → 0, SAC reduces to DPG." Two things are left over. The target still takes the smaller of two critics, TD3's rather than DDPG's.
# And α = 0 does not by itself make the actor deterministic: while σ > 0 its gradient is $\mathbb{E}[\partial_a Q(\mu + \sigma z)]$, for $Q = -a^3/3$ it is
# $-(\mu^2 + \sigma^2)$ and not $-\mu^2$. Where Q is concave the gradient then shrinks σ to 0 (σ² = α/c), and DPG is the limit; where Q is
# convex σ grows.


# %%
@claim(
    "theory-283",
    says="When α → 0, SAC reduces to the deterministic policy gradient",
    verdict=Conditional(
        given="the actor's σ goes to 0 as well and the two critics agree; otherwise the gradient is that of a smoothed Q, and the target is "
        "that of TD3"
    ),
    about=(gaussian_actor_gradient, squashed_actor_gradient, sac_target, ddpg_target, ddpg_actor_loss_gradient),
)
def without_entropy():
    mu, slope = Fraction(1, 2), Fraction(3)
    plain = gaussian_actor_gradient([HALF], [0 * ONE], [slope], 0).mean
    yield equal(plain, [-3], "α = 0, z = 0: minus ∂Q/∂a")
    yield equal(ddpg_actor_loss_gradient([[slope]], [[[ONE]]])[0], [-3], "DDPG's")
    squashed = squashed_actor_gradient(float(mu), 0.5, 0.0, 3.0, 0.0).mean
    yield close(squashed, -3 * (1 - np.tanh(0.5) ** 2), 1e-14, "a few roundings", "squashed: with the slope of tanh")
    yield equal(
        [mean_slope_in_std(Fraction(1, k), 2, 0) for k in (2, 4)],
        [1, HALF],
        "concave Q, α = 0: σ shrinks, at the rate c σ",
    )
    yield equal(
        sac_target(*(fractions(x) for x in (1, 4, 4, -2)), [False], HALF, 0), [3], "the target, critics alike: 1 + 4/2"
    )
    yield equal(ddpg_target(fractions(1), fractions(4), [False], HALF), [3], "DDPG's")
    noise = np.array([ONE, -ONE])
    actions = mu + HALF * noise
    smoothed = gaussian_actor_gradient([HALF] * 2, noise, -(actions**2), 0).mean.sum() / 2
    yield equal(smoothed, HALF, "Q = -a³/3, μ = σ = ½: μ² + σ²")
    yield differs(mu**2, smoothed, "-∂Q/∂a at μ against the mean at σ = ½")
    yield differs(
        ddpg_target(fractions(1), fractions(4), [False], HALF),
        sac_target(*(fractions(x) for x in (1, 4, 2, -2)), [False], HALF, 0),
        "critics 4 and 2",
    )


without_entropy

# %% [markdown]
# The gradient itself is lost: $\nabla_\theta J = \mathbb{E}_{s\sim d^\mu}\big[\nabla_\theta\mu_\theta(s)\,\nabla_a Q(s,a)|_{a=\mu_\theta(s)}\big]$, where $d$ counts discounted visits; with $d$ normalised it has a factor
# $1/(1-\gamma)$. Two states with a continuous action each, $r = c_s a - a^2$, and $a$ the probability of going to state 0 next:


# %%
@claim(
    "theory-284",
    says=r"(lost display) $\nabla J = E_{s \sim d}[\nabla_\theta\mu_\theta(s)\,\nabla_a Q(s,a)|_{a=\mu_\theta(s)}]$, times $1/(1-\gamma)$ for a normalised d",
    verdict=Holds(note="d the discounted visits of μ itself; a replay buffer puts its own distribution in their place"),
    about=(deterministic_policy_gradient, occupancy),
)
def deterministic_gradient():
    gamma = sympy.Symbol("gamma", positive=True)
    theta, c = sympy.symbols("theta:2", positive=True), sympy.symbols("c:2", real=True)
    rewards = [[x * a - a**2] for x, a in zip(c, theta, strict=True)]
    model = MDP([[[a, 1 - a]] for a in theta], rewards, gamma, initial=0)
    act = np.array([[1], [1]])
    v = policy_value(model, act)
    uphill = [[x - 2 * a + gamma * (v[0] - v[1])] for x, a in zip(c, theta, strict=True)]
    per_state = deterministic_policy_gradient(uphill, [[[1, 0]], [[0, 1]]])
    j = expected_return(model, act)
    gap = [sympy.diff(j, theta[k]) - (occupancy(model, act) @ per_state)[k] / (1 - gamma) for k in (0, 1)]
    yield proved(gap, "dJ/dθ, differentiated, against the theorem")
    at = {gamma: HALF, theta[0]: HALF, theta[1]: QUARTER, c[0]: 1, c[1]: 2}
    yield shows(bool(sympy.diff(j, theta[0]).subs(at) != 0), "not the zero vector")


deterministic_gradient

# %% [markdown]
# ## Two critics
#
# Take two actions, both worth 0, and estimates that err by ±1 with even odds. The maximum of one critic is ½ too high on average. With a
# second, independent critic and the smaller value of each action, it is ⅛ too *low*. A minimum never exceeds either estimate: that is
# what "more conservative" promises, and all it promises; it does not make the bias zero.


# %%
def laws_of_the_minimum(joint):
    """{(x, y): probability} -> {min(x, y): probability}."""
    law = {}
    for (x, y), chance in joint.items():
        low = twin_minimum([x], [y])[0]
        law[low] = law.get(low, 0) + chance
    return law


INDEPENDENT = {(x, y): QUARTER for x in (-ONE, ONE) for y in (-ONE, ONE)}


@claim(
    "theory-285",
    says="The minimum of two Q-networks in the target combats overestimation: it is a more conservative estimate",
    verdict=Holds(
        note="and by Jensen's inequality an underestimate wherever the critics were right on average and differ"
    ),
    about=(single_max_law, laws_of_the_minimum),
)
def the_smaller_of_two():
    one = single_max_law([{-ONE: HALF, ONE: HALF}] * 2)
    yield equal(one.mean, HALF, "one critic, the better of two equal actions: too high by 3/4 - 1/4")
    low = laws_of_the_minimum(INDEPENDENT)
    yield equal([low[-ONE], low[ONE]], [3 * QUARTER, QUARTER], "the smaller of two: -1 three times in four")
    yield equal(single_max_law([low] * 2).mean, Fraction(-1, 8), "then the better of two actions: 7/16 - 9/16")
    yield equal(single_max_law([low]).mean, -HALF, "with one action and no maximum: too low by ½")


the_smaller_of_two

# %% [markdown]
# "If one overestimates, the other likely doesn't" would need errors that are independent and mostly below 0. With even odds it is a
# coin toss. And SAC's critics are not independent: they learn the same target from the same minibatches, so an error *in the target* is
# learned by both. The next claim looks at each case.


# %%
def chance_that_both_overestimate(joint):
    """Pr(second > 0 given first > 0) for {(first error, second error): probability}."""
    first = sum(chance for (x, _), chance in joint.items() if x > 0)
    return sum(chance for (x, y), chance in joint.items() if x > 0 and y > 0) / first


@claim(
    "theory-286",
    says="If one Q-network overestimates, the other likely does not",
    verdict=Conditional(
        given="errors independent, each positive with probability below ½; with even odds it is a coin toss, and errors of the target that "
        "both critics are fitted to are common to both"
    ),
    about=(chance_that_both_overestimate, twin_critic_loss_gradient),
)
def the_other_critic():
    third = Fraction(1, 3)
    skewed = {-ONE: 2 * third, 2 * ONE: third}
    apart = {(x, y): skewed[x] * skewed[y] for x in skewed for y in skewed}
    yield equal(
        chance_that_both_overestimate(apart), third, "independent, too high 1 time in 3 (mean 0): the other too high"
    )
    even = chance_that_both_overestimate(INDEPENDENT)
    yield against(even == HALF, "independent, even odds: the other is too high with probability 1/2")
    tied = {(x, y): (1 + x * y * HALF) / 4 for x, y in INDEPENDENT}
    yield against(
        chance_that_both_overestimate(tied) == 3 * QUARTER, "even odds, correlation 1/2: with probability 3/4"
    )
    y = Fraction(3, 2)
    slopes = twin_critic_loss_gradient([y, 1], [y, 1], [y, y])
    yield equal(
        [*slopes.q1, *slopes.q2], [0, -1, 0, -1], "one target 3/2: both are at rest there, and both are drawn there"
    )
    common = {(y, y): HALF, (-y, -y): HALF}
    yield against(
        chance_that_both_overestimate(common) == 1, "an error of the target: the other is too high for certain"
    )


the_other_critic


# %%
@claim(
    "theory-287",
    says="The trick was introduced in TD3 and is now standard in off-policy methods",
    verdict=Holds(note="clipped double Q-learning; the idea of two estimators is older (van Hasselt, 2010)"),
    about=(td3_target, sac_target),
)
def from_td3():
    yield sourced(
        "Fujimoto, van Hoof and Meger (2018), Addressing Function Approximation Error in Actor-Critic Methods, ICML, eq. (10)"
    )
    yield sourced("Haarnoja et al. (2018), Soft Actor-Critic, ICML, section 4.2, takes two Q-functions and cites it")
    yield equal(td3_target(*(fractions(x) for x in (1, 4, 2)), [False], HALF), [2], "TD3: 1 + min(4, 2)/2")
    yield equal(sac_target(*(fractions(x) for x in (1, 4, 2, -2)), [False], HALF, 1), [3], "SAC: 1 + (min(4, 2) + 2)/2")


from_td3

# %% [markdown]
# ## Counting updates
#
# A million steps are 488 rounds of PPO, and as many gradient updates of SAC as there are steps, less a warm-up. To divide the two counts is
# to compare rounds with single batches, and the ratio is 2048, not 1000. With the four epochs that the document gives PPO it is 512 in
# passes over a batch (another line of the document says "~500x more gradient updates"), and 64 in what matters for reuse: each transition
# is trained on 256 times against 4. None of these is data efficiency, the return reached per transition: both runs used a million.


# %%
@claim(
    "theory-294",
    says="PPO with 2048 steps per batch: about 500 policy updates in a million steps",
    verdict=Holds(note="488 rounds of collecting and fitting, each of several gradient steps: 4 epochs make 1953"),
)
def rounds_of_ppo():
    yield agrees(printed("500", digits=1), Fraction(10**6) / printed("2048").value, "10^6 / 2048")
    yield equal(10**6 // printed("2048").value, 488, "whole rounds")


rounds_of_ppo


# %%
@claim(
    "theory-295",
    says="SAC with one update a step: a million gradient updates in a million steps",
    verdict=Holds(note="of each network, less the warm-up: 999 745 if updates begin once the buffer holds 256"),
    about=updates_in_run,
)
def updates_of_sac():
    yield equal(updates_in_run(Fraction(10**6), 1), 10**6, "from the first step on")
    yield equal(updates_in_run(Fraction(10**6), 1, burn_in=256), 10**6 - 255, "from the 256th on")


updates_of_sac


# %%
@claim(
    "theory-296",
    says="So SAC uses data about 1000 times more efficiently",
    verdict=Wrong(
        because="its own counts give 2048, and they count rounds of 2048 transitions against batches of 256; the data used are the same million",
        instead="each transition is trained on 256 times against 4 in PPO's four epochs: 64 times the reuse, 512 times the gradient updates",
    ),
    about=(expected_uses, updates_in_run),
)
def reuse_compared():
    updates, rounds, epochs = updates_in_run(Fraction(10**6), 1), Fraction(10**6, 2048), 4
    yield differs(printed("1000", digits=1), updates / rounds, "its own two counts divided")
    yield equal(updates / rounds, 2048, "that is the size of PPO's batch")
    yield equal(updates / (rounds * epochs), 512, "against passes over a batch")
    yield equal(expected_uses(Fraction(256), 1) / epochs, 64, "uses of a transition: 256 against 4")


reuse_compared


# %%
@claim(
    "theory-297",
    says="Each of SAC's updates uses data from the full buffer",
    verdict=Conditional(
        given="'from' means drawn from all that is stored so far, each transition alike; an update reads 256 of them, and a buffer of a "
        "million is full only with the last of a million steps"
    ),
    about=in_minibatch_probability,
)
def the_full_buffer():
    early, last = (in_minibatch_probability(size, Fraction(256), replacement=False) for size in (1000, 10**6))
    yield equal(early, Fraction(32, 125), "after 1000 steps: the chance of each of the 1000 stored, old or new")
    yield equal(last, Fraction(4, 15625), "after the last: of each of the million")
    yield differs(1, last, "the part of the full buffer that its update reads")


the_full_buffer

# %% [markdown]
# ## The trade-off
#
# That one method is stable and the other efficient is experience, not a theorem. Its two reasons can be looked at. "Always fresh" is said of
# on-policy data: with four epochs to a batch it is so at the first gradient step, where all ratios are 1, and no longer at the second. "Reuses
# everything": transitions of a run are reused in proportion to how early they come; the last one hardly at all.


# %%
@claim(
    "theory-298",
    says="PPO is more stable, for on-policy data is always fresh; SAC is more sample-efficient, for it reuses everything",
    verdict=Conditional(
        given="fresh: only at the first gradient step on a batch. Reuse: of what came early enough, and was not evicted. The comparison itself "
        "is experience on benchmarks"
    ),
    about=(importance_ratios, expected_uses_in_run),
)
def the_trade_off():
    half = sympy.Rational(1, 2)
    old, new = [log(half), log(half)], [log(sympy.Rational(k, 5)) for k in (3, 2)]
    yield equal(importance_ratios(old, old), [1, 1], "before the first step on a batch: fresh")
    ratios = importance_ratios(new, old)
    yield differs(1, ratios[0], "after a step from 1/2 to 3/5, the weight of the same data")
    yield equal(ratios, [Fraction(6, 5), Fraction(4, 5)], "the weights that data of an older policy need")
    uses = expected_uses_in_run(4, Fraction(4), 1, 1)
    yield equal(
        uses, [Fraction(n, 12) for n in (25, 13, 7, 3)], "four steps, batches of 1: 1 + 1/2 + 1/3 + 1/4 uses, … 1/4"
    )


the_trade_off
