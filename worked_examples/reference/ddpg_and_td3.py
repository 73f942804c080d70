# %% [markdown]
# # Deterministic actors: DDPG and TD3
#
# *Document `reference`, lines 143 to 151.* A critic's loss, the deterministic policy gradient, the target of twin critics with its
# smoothing noise, and their loss.
#
# The gradient of an actor is right where its critic is right and its states are weighted as the return weighs them. The targets
# are those of the papers but for three things left out: target networks for actors, the clip of the noise, and the end of an episode.

# %%
from fractions import Fraction
from math import erfc, sqrt

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
    proved,
    shows,
)
from rlexact.exact.evaluation import policy_value
from rlexact.formulas.ddpg import (
    ddpg_critic_loss,
    ddpg_critic_loss_gradient,
    ddpg_target,
    deterministic_policy_gradient,
)
from rlexact.formulas.td3 import smoothed_target_actions, td3_target
from rlexact.formulas.twin_critics import twin_critic_loss, twin_critic_loss_gradient, twin_minimum
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("reference", "ddpg_and_td3", "Deterministic actors: DDPG and TD3")

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)

# %% [markdown]
# ## The critic's loss
#
# The same θ^Q stands in the target and in the prediction, as in equations (4) and (5) of the DDPG paper, which adds that
# the dependence of the target on θ^Q is ignored, and whose algorithm takes the target from slowly moving copies of both networks. The
# clause matters. From state 0 a coin leads to 1, which pays 1 for ever, or to 2, which pays -1; γ = 1/2, so that
# $Q^\mu = (0, 2, -2)$. With the target held, the slope of the loss is 0 there. Differentiated as a whole the display is smallest at $(0, 4/3, -4/3)$: it is
# paid to make the two successors alike.


# %%
def coin_then_stay(spread=HALF):
    """0 leads to 1 or 2; 1 pays 1 and stays, 2 pays -1 and stays; γ = 1/2; the actor's actions are already in the chain."""
    return MDP.chain([[0, spread, 1 - spread], [0, 1, 0], [0, 0, 1]], [0, 1, -1], HALF)


STATES, REWARDS, NEXT = [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, -1, -1], [1, 2, 1, 1, 2, 2]


def critic_errors(q):
    """Q(s, a) and targets for two transitions of each state, the same q in both."""
    q = np.array([sympy.sympify(x) for x in q])
    rewards = np.array([sympy.Integer(r) for r in REWARDS])
    return q[STATES], ddpg_target(rewards, q[NEXT], [False] * 6, sympy.Rational(1, 2))


@claim(
    "reference-097",
    says=r"$L = E[(r + \gamma Q(s', \mu(s'; \theta^\mu); \theta^Q) - Q(s, a; \theta^Q))^2]$",
    verdict=Conditional(
        given="the target is held while L is differentiated (DDPG takes it from target networks θ'), or nothing is random; and "
        "the bootstrap is 0 where the episode ends"
    ),
    about=(ddpg_target, ddpg_critic_loss, ddpg_critic_loss_gradient),
)
def critic_with_one_network():
    truth = [0, 2, -2]
    yield equal(
        policy_value(coin_then_stay(), uniform(coin_then_stay())),
        truth,
        "Q^μ: 1/(1 - 1/2), and the coin between the two",
    )
    slopes = ddpg_critic_loss_gradient(*critic_errors(truth))
    yield proved([slopes[i] + slopes[i + 1] for i in (0, 2, 4)], "target held: no slope at Q^μ, in any state")
    x = sympy.Symbol("x", real=True)
    loss = ddpg_critic_loss(*critic_errors([0, x, -x]), reduction="sum") / 2
    yield proved(loss - (x**2 / 4 + 2 * (1 - x / 2) ** 2), "the display at Q = (0, x, -x), by hand")
    best = sympy.solve(sympy.diff(loss, x), x)
    yield differs([sympy.Integer(2)], best, "L differentiated as a whole: x of its minimum")
    by_end = ddpg_target([1, 1], [Fraction(8), Fraction(8)], [True, False], HALF)
    yield differs(
        by_end[1], by_end[0], "as printed for a step that pays 1 and ends, the critic saying 8 of what follows"
    )


critic_with_one_network


# %%
@figure
def two_slopes():
    """Slopes at Q = (0, x, -x): of the loss as a whole, and with the target held; the dots are where each comes to rest."""
    import matplotlib.pyplot as plt

    x = np.linspace(0, 3, 121)
    fig, ax = plt.subplots()
    ax.plot(x, 3 * x / 2 - 2, color=COLOURS[0], label="L differentiated as a whole")
    ax.plot(x, 2 * (x - 2), color=COLOURS[1], label="target held")
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.plot([4 / 3], [0], "o", color=COLOURS[0])
    ax.plot([2], [0], "o", color=COLOURS[1])
    ax.set(xlabel="x", ylabel="slope in x", title="Only one of them rests at the truth, x = 2")
    ax.legend()
    return fig


two_slopes

# %% [markdown]
# ## The deterministic policy gradient
#
# At A the action $a$ pays $a - a^2$ and is the chance to move on to B, where $a$ pays $1 - 3a$ and ends the episode. The actor
# is one number, $\mu(s) = \theta$. So $J = \theta - \theta^2 + \gamma \theta (1 - 3\theta)$, while
#
# $$\nabla_a Q(A, a) = 1 - 2a + \gamma (1 - 3\theta), \qquad \nabla_a Q(B, a) = -3 .$$
#
# A is visited once, B with discounted weight γθ. With these weights the display is $\nabla J$. With equal weights, as a replay
# buffer may have them, it points the other way; and a critic that is right about every value of the actor's own action may still have any slope.


# %%
def expected_slopes(weights, slopes):
    """Σ_s w(s) ∇_a Q(s, a) ∂μ/∂θ, ∂μ/∂θ = 1 in both states."""
    one = slopes[0] * 0 + 1
    parts = deterministic_policy_gradient(np.array([[x] for x in slopes]), np.array([[[one]], [[one]]]))
    return sum(w * x for w, x in zip(weights, parts[:, 0], strict=True))


@claim(
    "reference-098",
    says=r"$\nabla_\theta J \approx E[\nabla_a Q(s, a; \theta^Q)|_{a = \mu(s)} \cdot \nabla_\theta \mu(s; \theta^\mu)]$",
    verdict=Conditional(
        given="states are weighted by their discounted visits under μ (an occupancy: up to 1 - γ), and the critic has the slope "
        "of Q^μ in the action; with other states or another slope the sign can turn"
    ),
    about=deterministic_policy_gradient,
)
def where_and_how():
    theta, gamma = sympy.symbols("theta gamma", positive=True)
    slopes = [1 - 2 * theta + gamma * (1 - 3 * theta), sympy.Integer(-3)]
    J = theta - theta**2 + gamma * theta * (1 - 3 * theta)
    yield proved(
        expected_slopes([1, gamma * theta], slopes) - sympy.diff(J, theta), "discounted visits: ∇J for every θ and γ"
    )
    at = [Fraction(5, 8), Fraction(-3)]
    true = expected_slopes([1, Fraction(1, 8)], at)
    yield equal(true, QUARTER, "θ = 1/4, γ = 1/2: J rises with θ")
    replayed = expected_slopes([HALF, HALF], at)
    yield equal(replayed, -Fraction(19, 16), "both states equally often, by hand")
    yield against(true * replayed < 0, "it says that θ should fall")
    flat = expected_slopes([1, Fraction(1, 8)], [Fraction(0), Fraction(0)])
    yield differs(flat, true, "a critic that is right at a = μ(s) but flat in the action")


where_and_how

# %% [markdown]
# ## TD3: the smaller of two, at a smoothed action
#
# The display has target parameters for the critics and none for the actor. TD3 perturbs the *target* actor's action. The rest is a known
# bias, downwards: of two independent unbiased guesses the smaller is too small on average.


# %%
@claim(
    "reference-099",
    says=r"$y_t = r_t + \gamma \min_{i=1,2} Q_i(s_{t+1}, \mu(s_{t+1}) + \epsilon; \theta_i^-)$",
    verdict=Conditional(
        given="μ, whose parameters are left open (notes-356 names the current policy), is the target actor, ε is clipped (next line), and "
        "s_{t+1} does not end the episode; there y = r"
    ),
    about=(td3_target, twin_minimum),
)
def smaller_of_two():
    def critics(a):
        return [2 * a], [3 - a]

    late, now = Fraction(1), Fraction(2)  # what the target actor and the online actor propose, noise included
    yield equal(
        td3_target([Fraction(1)], *critics(late), [False], HALF), [2], "1 + min(2, 2)/2: the target actor's action"
    )
    online = td3_target([Fraction(1)], *critics(now), [False], HALF)
    yield differs(online, [Fraction(2)], "read with the online actor: min(4, 1)")
    yield equal(online, [Fraction(3, 2)], "by hand")
    yield equal(td3_target([Fraction(1)], *critics(late), [True], HALF), [1], "over")
    yield differs(
        td3_target([Fraction(1)], *critics(late), [False], HALF), [Fraction(1)], "as printed, though it is over"
    )
    first, second = [Fraction(x) for x in (1, 1, -1, -1)], [Fraction(x) for x in (1, -1, 1, -1)]
    yield equal(
        twin_minimum(first, second).sum() / 4, -HALF, "two coins of ±1, each without bias: their minimum has mean -1/2"
    )


smaller_of_two

# %% [markdown]
# ## The noise
#
# TD3's noise is not Gaussian: it is $\mathrm{clip}(\sigma z, -c, c)$ with σ = 0.2 and $c = 0.5$, and the action is put back into its bounds. The
# clip keeps the target near the target actor's own action. It acts on 1.24 % of the draws of every coordinate, so that the law has a lump at each end,
# which no normal law has. And the second place of $N(\cdot, \cdot)$ holds a variance elsewhere in the document (lines 69 and 115). Read so, $N(0, 0.2)$
# would leave the interval in 26 % of the draws.


# %%
@claim(
    "reference-100",
    says=r"$\epsilon \sim N(0, \sigma)$ is the smoothing noise of the target policy",
    verdict=Wrong(
        because="TD3 clips its noise, and a normal draw has no limit; with σ in the place of the variance it is wider still",
        instead="ε ~ clip(N(0, σ²), -c, c), and μ(s') + ε is clipped to the bounds of the action",
    ),
    about=smoothed_target_actions,
)
def clipped_noise():
    sigma, c, mu = Fraction(1, 5), HALF, [Fraction(0)] * 7
    z = [Fraction(x) for x in (-4, -3, -1, 0, 2, 3, 4)]
    plain = smoothed_target_actions(mu, sigma, z)
    yield equal(plain, [sigma * x for x in z], "σz, as printed, at z = -4, -3, -1, 0, 2, 3, 4")
    clipped = smoothed_target_actions(mu, sigma, z, c)
    yield equal(clipped, [-HALF, -HALF, -sigma, 0, 2 * sigma, HALF, HALF], "TD3's noise for the same draws, c = 1/2")
    yield differs(plain, clipped, "they are not the same")
    near = smoothed_target_actions([Fraction(9, 10)], sigma, [Fraction(2)], c, -1, 1)
    yield equal(near, [1], "9/10 + 2/5 is no action: put back to the bound")
    yield close(erfc(2.5 / sqrt(2)), 0.0124, 5e-5, "four decimals", "Pr(|ε| > 1/2), standard deviation 0.2")
    yield close(erfc(2.5 / sqrt(2) * sqrt(0.2)), 0.2636, 5e-5, "four decimals", "Pr(|ε| > 1/2), variance 0.2")


clipped_noise

# %% [markdown]
# ## Two regressions
#
# The sum of two squared errors falls apart: neither critic's slope contains the other, and both are least at the mean target. For that
# the target must not move, and it does not: it is made of θ⁻ throughout.


# %%
@claim(
    "reference-101",
    says=r"$L = \sum_{i=1,2} E[(y_t - Q_i(s_t, a_t; \theta_i))^2]$",
    verdict=Holds(),
    about=(twin_critic_loss, twin_critic_loss_gradient),
)
def two_regressions():
    q1, q2, y, z = sympy.symbols("q_1 q_2 y z", real=True)
    batch = np.array([q1, q1]), np.array([q2, q2]), np.array([y, z])
    mean = (y + z) / 2
    rest = (y - z) ** 2 / 2
    loss = twin_critic_loss(*batch, reduction="mean")
    yield proved(
        loss - ((q1 - mean) ** 2 + (q2 - mean) ** 2 + rest), "two targets y, z: two parabolas about their mean"
    )
    slopes = twin_critic_loss_gradient(*batch, reduction="mean")
    yield proved([slopes.q1.sum() - sympy.diff(loss, q1), slopes.q2.sum() - sympy.diff(loss, q2)], "the slopes")
    yield shows(q2 not in slopes.q1.sum().free_symbols, "the first critic's slope does not contain the second")


two_regressions
