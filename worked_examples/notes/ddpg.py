# %% [markdown]
# # DDPG and TD3
#
# *Document `notes`, lines 1833 to 1932.* An actor that climbs its critic, the chain rule behind it, twin critics and smoothed targets, and
# the question whose data the buffer holds.
#
# The chain rule is right. That it is *the* deterministic policy gradient needs two things more: the critic's slope, and the states that the actor
# itself visits. TD3's minimum is not Double DQN's trick, its target actor is missing, and what keeps a policy near its data is nothing that entropy
# knows of.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    claim,
    close,
    differs,
    equal,
    printed,
    proved,
    same_as,
    sourced,
)
from rlexact.exact.difference import surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, visits
from rlexact.exact.linear_quadratic import LinearQuadratic, linear_gradient
from rlexact.exact.max_estimators import double_max_law, single_max_law
from rlexact.formulas.awr import awr_loss
from rlexact.formulas.ddpg import (
    ddpg_actor_loss,
    ddpg_actor_loss_gradient,
    ddpg_critic_loss,
    deterministic_policy_gradient,
    gaussian_exploration,
)
from rlexact.formulas.divergence import total_variation
from rlexact.formulas.dqn import double_dqn_targets, dqn_targets
from rlexact.formulas.full_gaussian import cholesky, full_gaussian_sample
from rlexact.formulas.gaussian import gaussian_log_density, gaussian_sample
from rlexact.formulas.off_policy import importance_weighted_surrogate
from rlexact.formulas.ornstein_uhlenbeck import ornstein_uhlenbeck_correlation
from rlexact.formulas.soft_q import boltzmann
from rlexact.formulas.td3 import delayed_updates, smoothed_target_actions, td3_target
from rlexact.formulas.twin_critics import twin_minimum
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure

SECTION = Section("notes", "ddpg", "DDPG and TD3")

ONE, HALF, QUARTER, EIGHTH = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8)


def fractions(*numbers):
    return [Fraction(x) for x in numbers]


# %% [markdown]
# ## What the actor climbs
#
# The objective is a mean over the buffer's states of the critic at the actor's own action. An actor with too few parameters compromises: with
# $\mu(s) = \theta\varphi(s)$, $\varphi = (1, 2)$ and $Q(s, a) = -(a - 1)^2$ in both states, it is a least-squares fit, $\theta = 3/5$.


# %%
@claim(
    "notes-348",
    "notes-362",
    says=r"The actor: $\max_\theta E_{s \sim RB}[Q_\phi(s, \pi_\theta(s))]$ by $\theta' \leftarrow \theta + \eta \nabla_\theta E[Q_{\phi_1}(s, \pi_\theta(s))]$",
    verdict=Holds(note="critic held, in TD3 the first one; whether the buffer's states climb J comes below"),
    about=(ddpg_actor_loss, ddpg_actor_loss_gradient),
)
def the_actors_objective():
    theta, eta = sympy.symbols("theta eta", real=True)
    phi = np.array([sympy.Integer(1), sympy.Integer(2)])
    actions = theta * phi
    loss = ddpg_actor_loss(-((actions - 1) ** 2), reduction="mean")
    objective = -((theta - 1) ** 2 + (2 * theta - 1) ** 2) / 2
    yield proved(loss + objective, "minus the mean of Q over two states")
    down = ddpg_actor_loss_gradient(-2 * (actions - 1)[:, None], phi[:, None, None], reduction="mean").sum()
    yield proved(-eta * down - eta * sympy.diff(objective, theta), "descent on the loss is the displayed ascent")
    yield equal(sympy.solve(down, theta), [Fraction(3, 5)], "at rest: (1 + 2)/(1 + 4)")


the_actors_objective

# %% [markdown]
# ## The chain rule
#
# Two actions of three parameters, $a_1 = \theta_1^2 + \theta_2$ and $a_2 = \theta_2\theta_3$, and a critic that couples them.


# %%
@claim(
    "notes-351",
    "notes-353",
    says=r"$\nabla_\theta Q_\phi(s, a_\theta(s)) = \nabla_a Q_\phi|_{a = a_\theta(s)} \cdot \nabla_\theta a_\theta(s)$: where to push a, times how θ moves it",
    verdict=Holds(note="φ is held, ∇_a Q a row, ∇_θ a the Jacobian; a step along it raises Q_φ if it is small enough"),
    about=deterministic_policy_gradient,
)
def the_chain_rule():
    theta, (b, c) = sympy.symbols("theta_1:4", real=True), sympy.symbols("b c", real=True)
    a, at = sympy.symbols("a_1:3", real=True), [theta[0] ** 2 + theta[1], theta[1] * theta[2]]
    q = b * a[0] + c * a[0] * a[1] - a[1] ** 2
    put = dict(zip(a, at, strict=True))
    slopes = [sympy.diff(q, x).subs(put) for x in a]
    jacobian = [[sympy.diff(x, t) for t in theta] for x in at]
    whole = [sympy.diff(q.subs(put), t) for t in theta]
    found = deterministic_policy_gradient(slopes, jacobian)
    yield proved(found - np.array(whole), "against the slope of Q(a(θ)), all three")
    uphill = deterministic_policy_gradient(fractions(2), [fractions(3)])[0]
    yield equal(uphill, 6, "Q = -(a - 1)², a = 3θ, θ = 0: 2 upwards says the critic, 3 per unit of θ the policy")
    after = [-((3 * eta * uphill - 1) ** 2) for eta in (0, Fraction(1, 36), Fraction(1, 9))]
    yield equal(after, [-1, -QUARTER, -1], "Q before, after a step of 1/36, after one of 1/9")


the_chain_rule

# %% [markdown]
# ## Is it the policy gradient?
#
# In state 0 the action $a$ is the chance to move on to state 1, where $a$ pays $1 - 2a$ and ends. The actor plays θ in both:
# $J = \gamma\theta(1 - 2\theta)$. With the true critic's slopes, $\gamma(1 - 2\theta)$ and $-2$, and states weighted by the actor's own discounted visits
# 1 and γθ, the chain rule gives $J'$. With the states of a buffer it need not even have the sign; nor with a critic that has the right values and
# another slope.


# %%
def move_on(theta, gamma):
    """0 leads to 1 with probability θ, else it ends; 1 pays 1 - 2θ and ends."""
    first = [[(theta, 1, 0, False), (1 - theta, None, 0, True)]]
    return MDP.from_outcomes([first, [[(1, None, 1 - 2 * theta, True)]]], gamma, 0)


@claim(
    "notes-349",
    "notes-352",
    says="Backpropagating through the critic into the policy is the deterministic policy gradient",
    verdict=Conditional(given="Q_φ has the slope of Q^π in a, and states are weighted by π_θ's own discounted visits"),
    about=(deterministic_policy_gradient, expected_return, visits, linear_gradient),
)
def backpropagated():
    theta, gamma = sympy.symbols("theta gamma", positive=True)
    model, acts = move_on(theta, gamma), np.array([[sympy.Integer(1)]] * 2)
    yield proved((J := expected_return(model, acts)) - gamma * theta * (1 - 2 * theta), "J")
    slopes = np.array([[gamma * (1 - 2 * theta)], [sympy.Integer(-2)]])
    each = deterministic_policy_gradient(slopes, [[[1]], [[1]]])[:, 0]
    yield proved(visits(model, acts) @ each - sympy.diff(J, theta), "the true slopes, weighted by visits 1 and γθ: J'")
    at = {theta: sympy.Rational(1, 8), gamma: sympy.Rational(1, 2)}
    replayed = (each.sum() / 2).subs(at)
    yield equal(sympy.diff(J, theta).subs(at), QUARTER, "θ = 1/8, γ = 1/2: J rises")
    yield equal(replayed, -Fraction(13, 16), "a buffer with both states equally often, (3/8 - 2)/2")
    yield against(bool(replayed < 0), "as printed it would lower θ, though J rises")
    flat = deterministic_policy_gradient([fractions(0)] * 2, [[fractions(1)]] * 2).sum()
    yield differs(flat, QUARTER, "a critic that has the values of the actor's actions and is flat in the action")
    still = LinearQuadratic([[ONE]], [[ONE]], [[3 * HALF]], [[ONE]], HALF)
    by_hand = 2 * deterministic_policy_gradient(fractions(-3), [fractions(-1)])
    found = linear_gradient(still, [[Fraction(0)]], [[ONE]])[0]
    yield equal(found, by_hand, "x' = x + u, u = -Kx, K = 0: ∂Q/∂u = -3 at x = 1, for ever")


backpropagated

# %% [markdown]
# ## A stochastic actor
#
# The noise goes in first, and the rest is differentiable. As printed, $\pi_\theta(s)$ must be read as the mean, and the product
# $\varepsilon \cdot \sigma$ as coordinate by coordinate. So it makes *independent* coordinates. A covariance needs a root: $a = \mu + L\varepsilon$ with
# $LL^\top = \Sigma$. Four even draws of $(\pm 1, \pm 1)$ have the first two moments of the noise.


# %%
def second_moments(x):
    return x.T @ x / len(x)


@claim(
    "notes-354",
    says=r"$a \sim N(\mu_\theta(s), \Sigma_\theta(s))$ is $a = \pi_\theta(s) + \epsilon \cdot \sigma_\theta(s)$ with $\epsilon \sim N(0, I)$",
    verdict=Conditional(given="π_θ(s) is the mean μ_θ(s) and Σ diagonal; a full Σ needs a root L, LLᵀ = Σ"),
    about=(gaussian_sample, full_gaussian_sample, cholesky),
)
def noise_first():
    m, s, z = sympy.Symbol("m", real=True), sympy.Symbol("s", positive=True), sympy.Symbol("z", real=True)
    x = gaussian_sample([m], [s], [z])[0]
    yield proved([x.subs(z, 0) - m, sympy.diff(x, z) - s, sympy.diff(x, z, 2)], "affine in ε: N(m, s²), smooth in both")
    signs = np.array([[i, j] for i in (1, -1) for j in (1, -1)]) * ONE
    sigma = np.array([[4, 2], [2, Fraction(25, 16)]])
    spread = np.array([[2, 5 * QUARTER]] * 4) * ONE
    apart = second_moments(gaussian_sample(signs * 0, spread, signs))
    yield equal(apart, [[4, 0], [0, Fraction(25, 16)]], "σ = (2, 5/4), coordinate by coordinate")
    yield differs(apart, sigma, "against a covariance with the same variances and 2 off the diagonal")
    root = cholesky(sigma)
    yield equal(root, [[2, 0], [1, Fraction(3, 4)]], "its root L")
    yield equal(second_moments(full_gaussian_sample(signs * 0, root, signs)), sigma, "Lε has it")


noise_first

# %% [markdown]
# ## The critic's loss, and a target for two
#
# The loss is word for word that of line 1784. The target takes $a'$ from "the current policy". TD3 perturbs the action of the *target* actor, a slow
# copy, and clips the noise; DDPG has the target actor as well, without noise and minimum. And the bootstrap is taken after an end, too.

# %%
the_critic_loss = same_as("notes-355", of="notes-335", says=r"$L(\phi) = E_{RB}[(Q_\phi(s, a) - y(s, a))^2]$")
the_critic_loss


# %%
@claim(
    "notes-356",
    says=r"$y = r + \gamma \min(Q^{target}_{\phi_1}(s', a'), Q^{target}_{\phi_2}(s', a'))$, $a' \leftarrow \pi_\theta(s') + \varepsilon$, the current policy",
    verdict=Wrong(
        because="a' is the target actor's in TD3 and in DDPG, not the current policy's, which line 1874 names (reference-099 leaves it open); "
        "the noise lacks its clip, an end its y = r",
        instead="a' = clip(π'(s') + clip(ε, -c, c), low, high), π' the target actor; y = r where s' ends the episode",
    ),
    about=(td3_target, smoothed_target_actions),
)
def target_of_two():
    def critics(a):
        return 4 * a, 5 - a

    clipped = smoothed_target_actions(fractions(1), HALF, fractions(1), QUARTER)
    yield equal(clipped, [5 * QUARTER], "target actor: action 1, noise 1/2 clipped to 1/4")
    published = td3_target(fractions(1), *critics(clipped), [False], HALF)
    yield equal(published, [Fraction(23, 8)], "TD3: 1 + min(5, 15/4)/2")
    now = smoothed_target_actions(fractions(3), HALF, fractions(1))
    as_printed = td3_target(fractions(1), *critics(now), [False], HALF)
    yield equal(as_printed, [Fraction(7, 4)], "the current policy: 3, the noise as it is: 1 + min(14, 3/2)/2")
    yield differs(as_printed, published, "another target")
    yield equal(td3_target(fractions(1), *critics(clipped), [True], HALF), [1], "paid 1 and over: y = 1, not 23/8")


target_of_two

# %% [markdown]
# ## Whose trick is it?
#
# DQN's one maximum over one network overestimates. Double Q-learning lets one table *select* and the other *evaluate*; Double DQN lets the online
# and the target network do so. TD3 takes the *smaller* value of two critics at one action, and calls it clipped double Q-learning. These are two
# opinions against one maximum, but two formulas. With coins of ±1 for two worthless actions, their biases are 0 and -½; the maximum's is +½.


# %%
@claim(
    "notes-350",
    says="TD3 incorporates ideas like Double DQN, using two Q-networks against overestimation, and delayed policy updates",
    verdict=Holds(note="kin, not the same: Double DQN's second network evaluates, TD3 takes a minimum"),
    about=(double_dqn_targets, td3_target, single_max_law, double_max_law, twin_minimum, delayed_updates),
)
def kin():
    coin = [{ONE: HALF, -ONE: HALF}] * 2
    biases = [single_max_law(coin).mean, double_max_law(coin).mean]
    yield equal(biases, [HALF, 0], "one estimate, two: the bias upwards is gone")
    low = twin_minimum(fractions(1, 1, -1, -1), fractions(1, -1, 1, -1))
    yield equal(low.sum() / 4, -HALF, "the smaller of two coins: it is gone, and more")
    yield equal(delayed_updates(2, 2), [False, True], "the actor waits every second time")
    first, second = fractions(1, 5), fractions(9, 6)
    double = double_dqn_targets([0], [first], [second], [False], ONE)
    yield equal(double, [6], "Double DQN: the first selects action 1, the second says 6")
    smaller = td3_target(fractions(0), [first[1]], [second[1]], [False], ONE)
    yield equal(smaller, [5], "TD3 at that action: min(5, 6)")


kin


# %%
@claim(
    "notes-357",
    says="The minimum of two Q-networks is the Double Q-learning trick borrowed from DQN",
    verdict=Wrong(
        because="DQN takes the maximum of one network, and in Double Q-learning one table values what the other selects",
        instead="clipped double Q-learning, TD3's own; it starts from Double Q-learning (van Hasselt, 2010)",
    ),
    about=(dqn_targets, double_dqn_targets, td3_target),
)
def not_borrowed():
    first, second = fractions(7, 4, 6), fractions(9, 7, 5)
    yield equal(dqn_targets([0], [first], [False], ONE), [7], "DQN: the largest of one network")
    double = double_dqn_targets([0], [first], [second], [False], ONE)
    yield equal(double, [9], "double: the first selects action 0, the second says 9, more than the first")
    smaller = td3_target(fractions(0), first[:1], second[:1], [False], ONE)
    yield equal(smaller, [7], "TD3 at action 0: the smaller one")
    yield differs(double, smaller, "the trick of double Q-learning against the minimum")
    yield sourced("Mnih et al. (2013; 2015): one maximum over one network, in both papers", against=True)
    yield sourced("Fujimoto, van Hoof and Meger (2018), section 4.2 and (10): clipped double Q-learning")


not_borrowed

# %%
the_minimum = same_as("notes-358", of="theory-285", says="The minimum of two critics is the more conservative estimate")
the_minimum

# %% [markdown]
# ## Sharp peaks
#
# Noise on $a'$ makes the target an average of Q around the target actor's action. A peak much narrower than the noise is averaged away; one as wide
# as the noise is not. And only the *target* is smoothed. What the actor climbs is $Q_{\phi_1}$ itself, with whatever peaks it has.


# %%
def smoothed_peak(width, std):
    """Mean target at a peak of height 1 over 0 and this half-width, noise ±std, both critics alike; r = 0, γ = 1."""
    noisy = smoothed_target_actions(fractions(0, 0), std, fractions(1, -1), HALF)
    peak = [max(Fraction(0), 1 - abs(a) / width) for a in noisy]
    return td3_target(fractions(0, 0), peak, peak, [False, False], ONE).sum() / 2


@claim(
    "notes-359",
    says="Noise on a' prevents the policy from exploiting sharp Q-function peaks that may be artifacts",
    verdict=Conditional(given="the peak is met in a target; the actor climbs Q_φ1 itself, which no noise smooths"),
    about=(smoothed_peak, ddpg_actor_loss),
)
def sharp_peaks():
    yield equal(smoothed_peak(QUARTER, Fraction(0)), 1, "no noise: the target has the whole peak")
    yield equal(smoothed_peak(QUARTER, HALF), 0, "noise 1/2, half-width 1/4: nothing of it is left")
    yield equal(smoothed_peak(2 * ONE, HALF), 3 * QUARTER, "half-width 2, not sharp: three quarters are left")
    losses = ddpg_actor_loss(fractions(0, 1, 0))  # Q₁ at -1/4, 0 and 1/4: the narrow peak, which the actor climbs
    yield against(list(losses) == [0, -1, 0], "the actor's loss has it unsmoothed, least at its top")


sharp_peaks


# %%
@figure
def peaks_and_noise():
    """Three peaks as the critic has them, and as targets see them through TD3's noise, σ = 0.2, clipped at 0.5."""
    import matplotlib.pyplot as plt

    a, z = np.linspace(-1, 3.2, 841), np.linspace(-4, 4, 401)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    noise = np.clip(0.2 * z, -0.5, 0.5)

    def q(x):
        return sum(np.maximum(0, 1 - np.abs(x - at) / width) for at, width in ((0, 0.05), (0.9, 0.2), (2.2, 0.6)))

    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    ax.plot(a, q(a), color=COLOURS[0], label="Q, which the actor climbs")
    seen = (q(a[:, None] + noise) * weight).sum(axis=1)
    ax.plot(a, seen, color=COLOURS[1], label="its mean over the noise, in targets")
    ax.set(xlabel="action", ylabel="value", ylim=(-0.05, 1.4), title="Noise removes what is narrower than itself")
    ax.legend(ncols=2, loc="upper center", frameon=False)
    return fig


peaks_and_noise

# %% [markdown]
# ## Exploration
#
# The actor's action plus Gaussian noise is TD3's behaviour (where actions are bounded the sum is clipped, which moves its mean inwards). DDPG as published
# used Ornstein-Uhlenbeck noise, correlated from step to step by 0.85.


# %%
@claim(
    "notes-360",
    says=r"Data are collected with $a \sim \pi_\theta(s) + \varepsilon$, $\varepsilon \sim N(0, \sigma^2)$",
    verdict=Holds(note="TD3's behaviour; bounded actions are clipped, and the DDPG paper's noise was correlated"),
    about=gaussian_exploration,
)
def noisy_actions():
    m, s, z = sympy.symbols("m s z", positive=True)
    a = gaussian_exploration([m], s, [z])[0]
    yield proved([a.subs(z, 0) - m, sympy.diff(a, z) - s, sympy.diff(a, z, 2)], "π + σz: mean π, variance σ²")
    inside = gaussian_exploration(fractions(HALF, HALF), HALF, fractions(2, -2), -1, 1)
    yield equal(inside, [1, -HALF], "in [-1, 1], noise ±1 on 1/2: clipped above, so that the mean is 1/4")


noisy_actions


# %%
@claim(
    "notes-361",
    says="A deterministic policy always outputs the same action for a state; without noise it would never explore",
    verdict=Conditional(given="θ stands still; while it learns, its action in a state moves without any noise"),
    about=(gaussian_exploration, ddpg_critic_loss, ddpg_actor_loss_gradient),
)
def without_noise():
    same = gaussian_exploration(fractions(HALF, HALF), 0, fractions(1, -2))
    yield equal(same, [HALF, HALF], "θ = 1/2, σ = 0: one action")
    rising, falling = (ddpg_critic_loss([1 + slope * (a - HALF) for a in same], fractions(1, 1)) for slope in (1, -1))
    yield equal([*rising, *falling], [0, 0, 0, 0], "rewards of 1 fit a critic that rises in a, and one that falls")
    theta, taken = Fraction(0), []
    for _ in range(3):
        taken.append(gaussian_exploration([theta], 0, fractions(1))[0])
        theta = theta - QUARTER * ddpg_actor_loss_gradient([[2 * (1 - theta)]], [[[ONE]]])[0, 0]
    yield against(taken == [0, HALF, 3 * QUARTER], "critic -(a - 1)², steps of 1/4: three actions in one state, σ = 0")


without_noise


# %%
@claim(
    "notes-363",
    says="In TD3 the actor is updated once every d critic updates; d = 2 is common",
    verdict=Holds(note="the target networks wait with it"),
    about=delayed_updates,
)
def every_second_step():
    d = int(printed("2").value)
    yield equal(delayed_updates(6, d), [False, True, False, True, False, True], "after the critics' steps 2, 4 and 6")
    yield sourced("Fujimoto, van Hoof and Meger (2018), algorithm 1 and section 6.1: every d = 2 iterations")


every_second_step

# %% [markdown]
# ## Who is μ?
#
# The display gives the behaviour as an equation between a probability, on the left, and a random action. Read as a recipe it is right: draw ε and add it;
# the law is $N(\pi_{old}(s), \sigma^2)$. Under the DDPG paper's noise it is not a function of $s$ at all, since the noise remembers.


# %%
@claim(
    "notes-364",
    says=r"$\mu(a|s) = \pi_{\theta_{old}}(s) + \varepsilon$, $\varepsilon \sim N(0, \sigma^2)$",
    verdict=Conditional(given="read as how a is drawn, from fresh noise, so that μ(·|s) = N(π_old(s), σ²)"),
    about=(gaussian_exploration, gaussian_log_density, ornstein_uhlenbeck_correlation),
)
def a_density_is_no_action():
    drawn = gaussian_exploration([0.5], 0.5, [-3.0])
    yield close(drawn, [-1.0], 1e-15, "exact in binary", "π_old = 1/2, σ = 1/2, a draw of -3")
    density = gaussian_log_density(drawn, [0.5], [0.5])
    yield close(density, [-4.5 - np.log(0.5) - np.log(2 * np.pi) / 2], 1e-14, "a few roundings", "log μ(a|s) there")
    yield differs(np.exp(density), drawn, "the density is positive, the right side of the display is -1", apart=0.5)
    remembered = ornstein_uhlenbeck_correlation(1, Fraction(15, 100), 1)
    yield against(remembered == Fraction(17, 20), "DDPG's θ = 0.15: this step's noise and the next correlate by 0.85")


a_density_is_no_action

# %% [markdown]
# A buffer filled by several actors in turn is a mixture of their *data*. As a policy, the mixture has weights that depend on the state: an actor counts
# in a state as often as it has been there. With these weights one Markov policy leaves the very same data. State 0 is left to the end or to state 1;
# the first actor goes on with 1/4 and then takes the first action, the second with 3/4 and then takes the second.


# %%
def corridor():
    """0: end, or go on to 1. 1: two actions, both end. No discount."""
    first = [[(ONE, None, 0, True)], [(ONE, 1, 0, False)]]
    return MDP.from_outcomes([first, [[(ONE, None, 1, True)], [(ONE, None, 2, True)]]], ONE, 0)


@claim(
    "notes-365",
    says="The μ of the buffer is a mixture of past versions of the actor, all with exploration noise",
    verdict=Holds(note="with weights that differ by state; TD3 as published also stores a start of random actions"),
    about=visits,
)
def a_mixture():
    timid, bold = np.array([[3, 1], [4, 0]]) * QUARTER, np.array([[1, 3], [0, 4]]) * QUARTER
    met = [visits(corridor(), pi) for pi in (timid, bold)]
    yield equal(met, [[1, QUARTER], [1, 3 * QUARTER]], "visits an episode")
    data = sum(n[:, None] * pi for n, pi in zip(met, (timid, bold), strict=True)) / 2
    mu = data / data.sum(axis=1)[:, None]
    yield equal(mu, [[HALF, HALF], [QUARTER, 3 * QUARTER]], "in state 0 both count alike, in state 1 as 1 to 3")
    yield equal(visits(corridor(), mu)[:, None] * mu, data, "and this one policy meets the same pairs, as often")


a_mixture

# %% [markdown]
# ## What the buffer must hold
#
# "The Q-function can be learned from any data" and "the states are covered": the list leaves out the *actions*. Where every stored action in a
# state is the same, critics of any slope fit without error, and the actor follows the slope.


# %%
@claim(
    "notes-366",
    says="DDPG and TD3 do not care which policy generated the data, as long as Q can be learned from any pairs and the states are covered",
    verdict=Conditional(given="the data also hold different actions in these states; one leaves the slope open"),
    about=(ddpg_critic_loss, ddpg_actor_loss_gradient),
)
def states_are_not_enough():
    def errors(slope, actions):
        """Squared errors of Q = 1 + slope (a - 1/2) where a pays 1/2 + a."""
        return ddpg_critic_loss([1 + slope * (a - HALF) for a in actions], [HALF + a for a in actions])

    far = fractions(0, 1)
    yield equal(errors(ONE, far), [0, 0], "actions 0 and 1, of whatever policy: the true slope 1 fits")
    yield equal(errors(-ONE, far), [1, 1], "the slope -1 does not")
    single = fractions(HALF, HALF)
    pushes = [ddpg_actor_loss_gradient([[slope]], [[[ONE]]])[0, 0] for slope in (ONE, -ONE)]
    yield equal(pushes, [-1, 1], "the actor's loss falls towards larger a with the first, smaller a with the second")
    yield against(not errors(-ONE, single).any(), "the same state, action 1/2 only: the slope -1 fits without error")


states_are_not_enough

# %% [markdown]
# ## PPO and AWR, by comparison
#
# PPO's ratio corrects the *actions* drawn in a state. The states stay those of the old policy; that mismatch is only kept small. In the corridor with
# γ = 1 the old policy is a coin, the new one always goes on and takes the second action.


# %%
@claim(
    "notes-367",
    says="PPO carefully tracks the distribution mismatch with importance ratios, which DDPG and TD3 do not correct",
    verdict=Conditional(given="the mismatch of actions is meant; states stay the old policy's, uncorrected as in DDPG"),
    about=(importance_weighted_surrogate, surrogate_gain, expected_return, advantage, visits),
)
def half_of_the_mismatch():
    model, old, new = corridor(), np.array([[HALF, HALF]] * 2), np.array([[0, 1]] * 2) * ONE
    gaps = advantage(model, old)
    yield equal(gaps, [[-3 * QUARTER, 3 * QUARTER], [-HALF, HALF]], "advantages of the coin: V = (3/4, 3/2)")
    corrected = (old * importance_weighted_surrogate(new / old, gaps)).sum(axis=1)
    yield equal(corrected, [3 * QUARTER, HALF], "the coin's actions with ratios: the new policy's mean in either state")
    stated = visits(model, old) @ corrected
    yield equal([stated, surrogate_gain(model, new, old)], [ONE, ONE], "over the coin's states: 3/4 + 1/2 · 1/2")
    truth = expected_return(model, new) - expected_return(model, old)
    yield equal(visits(model, new) @ corrected, truth, "over the new policy's states: 2 - 3/4, what is gained")
    yield differs(stated, truth, "ratios of the actions leave the states uncorrected")


half_of_the_mismatch

# %% [markdown]
# AWR's μ is whatever filled its buffer. The weighted regression ends at $\pi \propto \mu\, e^{A/\alpha}$ with the μ of those data. If old data stay (line
# 1643: "all historical data"; the paper keeps them, too), μ is a mixture, as in DDPG, and it is never written down. The weights below are 2 and 1.


# %%
@claim(
    "notes-368",
    says=r"PPO and AWR: μ is explicitly $\pi_{\theta_{old}}$ of the previous iteration",
    verdict=Wrong(
        because="of PPO it is true; AWR's regression ends at the μ of its data, which are those of many policies",
        instead="AWR: μ is whatever filled the buffer, a mixture of past policies; PPO: the policy of the last batch",
    ),
    about=awr_loss,
)
def whose_regression():
    x = sympy.Symbol("x", positive=True)

    def fitted(actions):
        """The share of action 0 that the weighted regression on these actions ends at, advantages log 2 and 0."""
        log_probs = np.array([sympy.log(x) if a == 0 else sympy.log(1 - x) for a in actions])
        gains = np.array([sympy.log(2) if a == 0 else sympy.Integer(0) for a in actions])
        return sympy.solve(sympy.diff(awr_loss(log_probs, gains, 1, reduction="sum"), x), x)

    one = awr_loss(np.array([sympy.log(x)]), np.array([sympy.log(2)]), 1, reduction="sum")
    yield proved(one + 2 * sympy.log(x), "one sample of weight 2")
    last, kept = fitted([0, 1]), fitted([0, 1, 1, 1])
    yield equal(last, [Fraction(2, 3)], "data of the last policy, even: π ∝ (2 · 1, 1 · 1)")
    yield equal(kept, [Fraction(2, 5)], "with older data kept, action 1 twice: π ∝ (2 · 1, 1 · 3)")
    yield differs(last, kept, "so the last policy is not μ")
    yield sourced("Peng et al. (2019), on replay: μ is the mixture of past policies in the buffer", against=True)


whose_regression

# %% [markdown]
# ## Entropy and the data
#
# Entropy pulls a policy towards the uniform one, wherever the data are. If these are spread out, it pulls towards them. If they are concentrated,
# near the actions of a nearly finished policy say, or of an expert, it pulls away. Below, Q favours an action by $\alpha\log 3$, so that the soft policy is
# $(3/4, 1/4)$ and the greedy one $(1, 0)$.


# %%
@claim(
    "notes-369",
    says="SAC's entropy keeps the policy spread out and thus naturally closer to the data distribution than DDPG's and TD3's",
    verdict=Conditional(given="the data are spread out; entropy leads towards uniform, away from narrow data"),
    about=(boltzmann, total_variation),
)
def near_which_data():
    soft = [Fraction(int(p.p), int(p.q)) for p in map(sympy.nsimplify, boltzmann([sympy.log(3), 0], sympy.Integer(1)))]
    yield equal(soft, [3 * QUARTER, QUARTER], "the soft policy")
    greedy, wide, narrow = fractions(1, 0), fractions(HALF, HALF), [Fraction(9, 10), Fraction(1, 10)]
    near = [total_variation(pi, wide) for pi in (soft, greedy)]
    yield equal(near, [QUARTER, HALF], "from even data: the soft one is nearer")
    away = [total_variation(pi, narrow) for pi in (soft, greedy)]
    yield equal(away, [Fraction(3, 20), Fraction(1, 10)], "from data that are (9/10, 1/10)")
    yield against(away[0] > away[1], "there the soft policy is the farther one")


near_which_data
