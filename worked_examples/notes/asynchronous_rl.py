# %% [markdown]
# # Asynchronous actor-critic
#
# *Document `notes`, lines 681 to 704.* Many workers, each in its own copy of the environment, in place of one that walks through it. The text says
# why: consecutive samples are correlated, a replay buffer is not for on-policy methods, and parallel workers are different from each
# other. All of that can be computed, and the word *correlated* has a sign. The picture of the workers and the two images of the A3C
# box are lost; the standard form (Mnih et al. 2016, Algorithm S3) stands in.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.arithmetic import kernel_from
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    against,
    below,
    claim,
    close,
    equal,
    exceeds,
    proved,
    shows,
    sourced,
)
from rlexact.exact.asynchronous import (
    autocovariance,
    delay_companion,
    delayed_ascent,
    effective_sample_size,
    mean_variance,
    stale_gradient,
)
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.parameterisation import softmax, with_jacobian
from rlexact.exact.stability import schur_stable
from rlexact.formulas.actor_critic import value_loss_gradient
from rlexact.formulas.gae import gae
from rlexact.formulas.returns import lambda_returns
from rlexact.learning.a3c import a3c_gradients
from rlexact.learning.episodes import side_by_side
from rlexact.learning.replay import Transition
from rlexact.learning.softmax_actor import SoftmaxActor
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("notes", "asynchronous_rl", "Asynchronous actor-critic")

ONE, HALF, QUARTER, NINE_TENTHS = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(9, 10)
FACES = np.array([Fraction(0), Fraction(1)], dtype=object)

# %% [markdown]
# ## The picture of the workers
#
# A two-state chain that stays with probability $s$ shows 0 or 1. In its stationary law the two are equally likely, $\sigma^2 = \frac14$, and
# steps $k$ apart have correlation $\rho_k = (2s-1)^k$. The mean of $n$ independent workers at one time has variance $\sigma^2/n$; the mean of $n$
# steps along one chain
#
# $$\frac{\sigma^2}{n}\Big(1 + 2\sum_{k=1}^{n-1}\big(1 - \tfrac kn\big)\rho_k\Big).$$
#
# For a chain that is sticky, $s = 9/10$, sixteen steps are worth about two independent samples.


# %%
def two_faces(stick):
    """Two states, shown as 0 and 1, left with probability 1 - stick; begun in the stationary law."""
    leave = 1 - stick
    return MDP.chain([[stick, leave], [leave, stick]], [0, 1], NINE_TENTHS, [HALF, HALF])


def by_hand(stick, n):
    """σ²/n times the bracket, with ρ_k = (2s - 1)^k."""
    rho = 2 * stick - 1
    return QUARTER / n * (1 + 2 * sum((1 - Fraction(k, n)) * rho**k for k in range(1, n)))


def over_all_paths(stick, n):
    """The variance of the mean of n faces, by listing all paths."""
    model = two_faces(stick)
    return estimator_law(model, uniform(model), n, lambda path: Fraction(sum(path.states[:n]), n)).variance


@claim(
    "notes-x10",
    says=r"(lost picture) Workers are uncorrelated at equal times, steps along one chain are not: the mean of n has variance $\sigma^2/n$ across "
    r"workers, times $1 + 2\sum(1 - k/n)\rho_k$ along a stationary chain",
    verdict=Holds(
        note="for workers that start independently; ρ_k may be negative, and then the chain does better, or 0"
    ),
    about=(mean_variance, autocovariance),
)
def across_and_along():
    for stick in (NINE_TENTHS, HALF, Fraction(1, 10)):
        model = two_faces(stick)
        found = autocovariance(model, uniform(model), FACES, 4)
        yield equal(found, [QUARTER * (2 * stick - 1) ** k for k in range(5)], f"s = {stick}: σ² ρ_k = (2s - 1)^k / 4")
        along = [mean_variance(model, uniform(model), FACES, n) for n in (1, 2, 6, 16)]
        yield equal(along, [by_hand(stick, n) for n in (1, 2, 6, 16)], "along the chain: 1, 2, 6, 16 steps")
        yield equal(along[2], over_all_paths(stick, 6), "six steps, by listing all paths")
        across = [mean_variance(model, uniform(model), FACES, 1, n) for n in (2, 6, 16)]
        yield equal(across, [QUARTER / n for n in (2, 6, 16)], "across workers: σ²/n")


across_and_along


# %%
@figure
def along_and_across():
    """Variance of a mean of n samples: along a sticky chain, across workers, and along a chain that mostly alternates."""
    from matplotlib import pyplot as plt

    sizes = np.unique(np.round(np.geomspace(1, 256, 22)).astype(int))
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    for k, (stick, name) in enumerate(
        ((0.9, "one sticky chain, s = .9"), (0.5, "n workers, any s"), (0.1, "one chain, s = .1"))
    ):
        model = two_faces(Fraction(stick).limit_denominator(10)).to_float()
        found = [mean_variance(model, uniform(model), np.array([0.0, 1.0]), int(n)) for n in sizes]
        ax.loglog(sizes, found, "o-", ms=3, color=COLOURS[k], label=name)
    ax.set(xlabel="samples n", ylabel="variance of the mean")
    ax.legend()
    return fig


along_and_across

# %% [markdown]
# ## Is decorrelation what parallel workers bring?
#
# Line 685 and the paragraphs up to line 700 say three things.
#
# *Sequential data are correlated, so that learning oscillates; workers are much less correlated.* That is so where samples are positively
# correlated, as they mostly are. A chain that alternates is worth *more* than independent samples, while sixteen workers that begin
# together in it see the same state sixteen times. And nothing oscillates because of correlation alone: the tables of
# TD and Q-learning converge along one chain.
#
# *The data stay approximately on-policy.* A worker's gradient is $d$ updates old. How much that matters depends on the step: near a
# maximum of curvature $-h$, ascent with delay 1 is stable for $\alpha h < 1$, without delay for $\alpha h < 2$.
#
# *A3C does not wait, A2C waits and averages.* That is right. Averaging the gradients of $W$ workers that hold the same parameters is one
# gradient from $W$ times the data.


# %%
def returns_to_rest(alpha, delay):
    """Whether ascent on -x²/2 with gradients `delay` updates old returns to 0."""
    return schur_stable(delay_companion(np.array([[-ONE]], dtype=object), alpha, delay))


@claim(
    "notes-111",
    says="Correlated sequential updates make learning unstable; parallel workers decorrelate them and stay approximately on-policy; "
    "A3C updates asynchronously, A2C waits and averages",
    verdict=Conditional(
        given="samples along a chain are positively correlated and workers start independently; and updates are small enough that the policy "
        "hardly changes within the delay (α times curvature below 1 for a delay of one)"
    ),
    about=(effective_sample_size, mean_variance, delay_companion, returns_to_rest),
)
def do_workers_help():
    sticky, alternating = two_faces(NINE_TENTHS), two_faces(Fraction(0))
    worth = effective_sample_size(sticky, uniform(sticky), FACES, 16)
    yield equal(worth, QUARTER / by_hand(NINE_TENTHS, 16), "sticky: what 16 steps of one worker are worth")
    yield below(worth, Fraction(5, 2), "less than two and a half samples")
    yield equal(effective_sample_size(sticky, uniform(sticky), FACES, 1, 16), 16, "one step of 16 workers")
    along = mean_variance(alternating, uniform(alternating), FACES, 16)
    across = mean_variance(alternating, uniform(alternating), FACES, 1, 16)
    yield equal([along, across], [0, Fraction(1, 64)], "alternating: along one chain, across 16 workers")
    yield exceeds(across, along, "there the single chain has the smaller variance")
    tame, wild = Fraction(9, 10), Fraction(11, 10)
    yield shows(returns_to_rest(tame, 1) and returns_to_rest(wild, 0), "α = .9 with delay 1, α = 1.1 without: stable")
    yield against(not returns_to_rest(wild, 1), "α = 1.1 with delay 1: it oscillates and grows")
    kick = kernel_from(delay_companion(np.array([[-ONE]], dtype=object), wild, 1))
    yield equal(kick @ np.array([ONE, ONE], dtype=object), [1 - wild, 1], "x' = x - α x_old")
    yield sourced(
        "Mnih et al. (2016), §4: asynchronous; OpenAI (2017), Baselines A2C: waits for all actors, averages over them"
    )


do_workers_help

# %% [markdown]
# ## The A3C box, first image
#
# A worker takes up to $n$ steps. It sets $R = 0$ if the last state is terminal and $R = V(s_n)$ otherwise. Going back it forms
# $R \leftarrow r_i + \gamma R$ and accumulates $\nabla\log\pi(a_i \mid s_i)\,(R - V(s_i))$ for θ, and for θ_v the derivative of
# $(R - V(s_i))^2$, in the direction that lowers it. In our words: advantages are GAE at λ = 1 over the segment.


# %%
def backward(rewards, values, last, gamma):
    """R - V(s_i) for i = n - 1, ..., 0, as in the box, given R at the end."""
    found, R = [], last
    for r, v in zip(reversed(rewards), reversed(values), strict=True):
        R = r + gamma * R
        found.append(R - v)
    return found[::-1]


def three_steps(ends):
    """A segment of states 0, 1, 0 with rewards 1, 2, 4 under actions 0, 1, 1; then state 1, or the end."""
    last = Transition(0, 1, 4.0, -1 if ends else 1, ends)
    return side_by_side([[Transition(0, 0, 1.0, 1, False), Transition(1, 1, 2.0, 0, False), last]])


def two_rooms():
    """Two states, two actions, that lead anywhere; only its sizes and γ = 1/2 count here."""
    return MDP(np.full((2, 2, 2), HALF, dtype=object), [[0, 0], [0, 0]], HALF, 0)


@claim(
    "notes-x11",
    says=r"(lost box) A3C worker: $R = 0$ if terminal, else $V(s_t)$; backwards $R \leftarrow r_i + \gamma R$, accumulating "
    r"$\nabla\log\pi\,(R - V(s_i))$ and $\partial(R - V(s_i))^2$",
    verdict=Holds(note="θ goes up, θ_v down the accumulated derivative; R is held fixed in both"),
    about=(gae, lambda_returns, value_loss_gradient, a3c_gradients),
)
def the_worker():
    r, v, g = sympy.symbols("r:3", real=True), sympy.symbols("v:4", real=True), sympy.Symbol("gamma", positive=True)
    for ends in (False, True):
        flags = [False, False, ends]
        box = np.array(backward(r, v[:3], 0 if ends else v[3], g))
        yield proved(gae(r, v[:3], v[1:], flags, None, g, 1) - box, f"R - V(s_i), {'terminal' if ends else 'cut'}")
        yield proved(lambda_returns(r, v[1:], flags, None, g, 1) - np.array(v[:3]) - box, "R is the λ-return at λ = 1")
    R, value = sympy.symbols("R V", real=True)
    yield proved(value_loss_gradient([value], [R])[0] - sympy.diff((R - value) ** 2, value), "∂(R - V)²/∂V")
    for ends in (True, False):
        actor = SoftmaxActor(two_rooms(), v=np.array([3.0, 1.0]))
        theta, critic = a3c_gradients(three_steps(ends), actor)
        (x, y, z) = backward([1, 2, 4], [3, 1, 3], 0 if ends else 1, 0.5)
        because = "sums of halves: exact in floats but for log-softmax's rounding"
        yield close(
            theta, [[(x - z) / 2, (z - x) / 2], [-y / 2, y / 2]], 1e-12, because, "what is pushed for θ, fair π"
        )
        yield close(critic, [x + z, y], 1e-12, because, "for the critic: Σ (R - V(s_i)) per state")


the_worker

# %% [markdown]
# ## The A3C box, second image
#
# The worker applies its gradient to *shared* parameters, which others have moved since: it is the gradient at $\theta_{t-d}$, used at
# $\theta_t$. What it is wrong by is $g(\theta_{t-d}) - g(\theta_t)$, and a short step makes this $-\alpha\, d\, H g$ up to $\alpha^2$. On a parabola
# that is exact for $d = 1$.
#
# Is it zero only for a constant gradient or no delay? To first order it is zero where $Hg$ is. Two arms that pay 0 and 1 have
# $g = p(1-p)$, largest at even odds. A step from odds 1:3 to 3:1 passes over the top of $g$ and finds the same slope on the other side. So
# *constant* has to be read as *the same at both points*: exact zeros can be accidents, and for all steps there are none.


# %%
def parabola(theta):
    """(the model's family at θ): one state, two actions that pay 0 and 1, π(1) = θ - θ²/2, so that J = θ - θ²/2."""
    x = theta[0]
    p = x - x * x / 2
    return with_jacobian(
        ZERO_OR_ONE, np.array([[1 - p, p]]), np.array([[[x - 1], [1 - x]]]), np.array([[[[ONE]], [[-ONE]]]])
    )


ZERO_OR_ONE = gallery.bandit((Fraction(0), Fraction(1)))


def logistic(theta):
    """Softmax logits for the same two arms, in floats."""
    return softmax(ZERO_OR_ONE.to_float(), theta)


def same_slope():
    """θ and the step that takes odds 1:3 to odds 3:1 for arm 1."""
    here = np.array([[0.0, -np.log(3.0)]])
    slope = policy_gradient(ZERO_OR_ONE.to_float(), logistic(here))[0, 1]
    return here, np.log(3.0) / slope  # the logits move apart by twice α·slope


@claim(
    "notes-x12",
    says=r"(lost box) With delay $d$ and step α the bias of an update is $g(\theta_{t-d}) - g(\theta_t)$, to first order $-\alpha d H g$; zero "
    "where the gradients at both points are equal",
    verdict=Holds(
        note="without delay, and where the gradient is constant; also by coincidence: a step over the largest slope can land on an "
        "equal one"
    ),
    about=(stale_gradient, delayed_ascent),
)
def old_gradients():
    start, alpha = np.array([Fraction(0)], dtype=object), Fraction(1, 10)
    for d in (0, 1, 2, 3):
        found = stale_gradient(ZERO_OR_ONE, parabola, start, alpha, d)
        gap = 1 - (1 - alpha) ** d
        yield equal([found.stale[0], found.bias[0]], [1, gap], f"parabola, g = 1 - θ, d = {d}: 1 - (1 - α)^d")
        yield equal(found.first_order[0], d * alpha * (1 - alpha) ** d, "-α d H g at θ_t, H = -1")
    path = delayed_ascent(ZERO_OR_ONE, parabola, start, alpha, 1, 3)[:, 0]
    yield equal(
        path, [0, alpha, 2 * alpha, 2 * alpha + alpha * (1 - alpha)], "delay 1: the first two steps use g(0) = 1"
    )
    a = sympy.Symbol("alpha", positive=True)
    for d in (1, 2, 3):
        leftover = sympy.expand(1 - (1 - a) ** d - d * a * (1 - a) ** d)
        yield proved(leftover.coeff(a, 0) + leftover.coeff(a, 1), f"bias less first order, d = {d}: nothing below α²")
    here, step = same_slope()
    found = stale_gradient(ZERO_OR_ONE.to_float(), logistic, here, step, 1)
    yield close(found.theta[0, 1] - found.theta[0, 0], np.log(3.0), 1e-12, "rounding", "two arms: odds 1:3 become 3:1")
    yield close(found.stale, [[-3 / 16, 3 / 16]], 1e-12, "rounding", "p(1 - p) = 3/16 before")
    yield shows(bool(abs(found.bias).max() < 1e-12), "and after: no bias, though half way g is 1/4")


old_gradients
