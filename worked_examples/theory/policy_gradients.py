# %% [markdown]
# # Policy gradients, step by step
#
# *Document `theory`, lines 62 to 96.* Why one would move a policy along a gradient instead of reading it off Q; the two
# derivations of that gradient, by whole trajectories and by states; and a first example with two actions.
#
# Both derivations are right, line by line. What does not stand as printed are four of the reasons given before them, two
# remarks about them, and one product in the example, which points the wrong way.

# %%
from fractions import Fraction
from itertools import product
from math import prod

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
    differs,
    equal,
    printed,
    proved,
    shows,
    sourced,
)
from rlexact.exact.aliased import best_aliased_policy
from rlexact.exact.bellman import backup, greedy
from rlexact.exact.evaluation import action_value, expected_return, occupancy, policy_value, successor_representation
from rlexact.exact.gradient import finite_horizon_gradient, policy_gradient
from rlexact.exact.gradient_estimators import reinforce
from rlexact.exact.matrix_game import matrix_game
from rlexact.exact.parameterisation import direct, softmax_at, with_jacobian
from rlexact.exact.paths import expect, path_probability, paths
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, epsilon_greedy, softmax, uniform
from rlexact.symbolic.gaussian import expectation, log_density

SECTION = Section("theory", "policy_gradients", "Policy gradients, step by step")

NINE_TENTHS = Fraction(9, 10)
HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)

# %% [markdown]
# ## Who stands on this foundation
#
# PPO climbs a surrogate for the expected reward. At the policy that gathered the data, its slope is that of the return,
# so PPO is policy gradient ascent at heart. SAC also climbs with its policy network, but what it climbs is the return plus an
# entropy bonus. And the deep Q-networks, with Rainbow at the end of that line, have no policy parameters at all.


# %%
def bandit_at(theta):
    """The document's bandit (left pays 1, right pays 3) with sympy logits: the model and its policy."""
    arms = gallery.two_armed_bandit().to_symbolic()
    return arms, softmax(arms, [theta])


@claim(
    "theory-074",
    says="Gradient ascent of a parameterised policy on expected reward is the foundation of PPO, SAC and essentially all "
    "modern deep RL",
    verdict=Conditional(
        given="actor methods are meant; SAC ascends return plus entropy, and DQN, Rainbow and R2D2 ascend no policy at all"
    ),
    about=(policy_gradient, softmax),
)
def whose_foundation():
    theta = sympy.symbols("theta1:3", real=True)
    arms, pi = bandit_at(theta)
    temperature = sympy.Symbol("alpha", positive=True)
    tempered = softmax(arms, [[1 / temperature, 3 / temperature]])
    yield proved(
        tempered[0, 1] - 1 / (1 + sympy.exp(-2 / temperature)), "softmax(r/α) takes the worse arm now and then"
    )
    slope = policy_gradient(arms, softmax_at(arms, pi))
    old = sympy.symbols("omega1:3", real=True)
    weights = [sympy.exp(o) / sum(map(sympy.exp, old)) for o in old]
    surrogate = sum(w * (p / w) * r for w, p, r in zip(weights, pi[0], (1, 3), strict=True))
    yield proved(slope[0] - [sympy.diff(surrogate, t) for t in theta], "PPO's unclipped surrogate has the slope of J")
    there = {theta[0]: 1 / temperature, theta[1]: 3 / temperature}
    soft = sum(p * (r - temperature * sympy.log(p)) for p, r in zip(pi[0], (1, 3), strict=True))
    pulls = [sympy.simplify(sympy.diff(soft, t).subs(there)) for t in theta]
    yield proved(pulls, "return plus α · entropy is stationary at π = softmax(r/α), where SAC rests")
    left_over = slope[0, 1].subs({theta[0]: 1, theta[1]: 3})
    yield against(bool(left_over > 0), "but the expected reward still rises there (α = 1): SAC does not ascend it")
    yield sourced("Mnih et al. (2015), Hessel et al. (2018), Kapturowski et al. (2019): Q-networks alone", against=True)


whose_foundation

# %% [markdown]
# ## First reason: continuous actions
#
# A grid of ten points on each of seven axes has ten million actions, so listing them is no plan. But a maximum need not be
# found by listing. If $Q(a) = c - \|L^\top(a - m)\|^2$, the best action is $m$, in any dimension: Gu et al. (2016) build
# their critic so. Policy gradients only need the score, and its moments come out in closed form.


# %%
@claim(
    "theory-075",
    says="Q-learning needs max over a of Q(s, a), which cannot be had for a in R^7; policy gradients need no maximum",
    verdict=Conditional(
        given="Q is a general function of the action; a concave quadratic one is maximised in closed form, in any dimension"
    ),
    about=expectation,
)
def continuous_actions():
    yield equal(10**7, len(range(10)) ** 7, "ten points on each axis")
    mu, m, z = sympy.symbols("mu m z", real=True)
    q = lambda a: 5 - (a - m) ** 2  # noqa: E731
    yield proved(expectation(q(mu + z) * z, [z]) + 2 * (mu - m), "E[Q · score] under N(μ, 1) is -2(μ - m)")
    yield proved(sympy.diff(4 - (mu - m) ** 2, mu) + 2 * (mu - m), "the slope of E Q = 4 - (μ - m)²: no maximum taken")
    a, best = sympy.symbols("a1:8", real=True), sympy.symbols("m1:8", real=True)
    step = sympy.Matrix(a) - sympy.Matrix(best)
    lower = sympy.Matrix(7, 7, lambda i, j: (i + 2 * j + 1) if j <= i else 0)
    quadratic = 5 - (lower.T * step).dot(lower.T * step)
    slopes = [sympy.diff(quadratic, x) for x in a]
    yield proved([s.subs(dict(zip(a, best, strict=True))) for s in slopes], "in R^7 the slope vanishes at m")
    yield against(lower.det() != 0, "and Q falls off as |Lᵀ(a - m)|² everywhere else: one maximum, nothing enumerated")


continuous_actions

# %% [markdown]
# ## Second reason: stochastic policies
#
# Rock, paper, scissors is a *game*: its optimal strategy is random because the opponent answers to it. In a finite decision
# process there always is a deterministic optimum, as the document says itself 37 lines before. Against any *fixed* opponent
# one of the three pure answers is best. What else makes randomness pay is not seeing the state: in the corridor of Sutton and
# Barto (2018), Example 13.1, going right with probability $2 - \sqrt 2$ is best for an agent that sees only walls.

# %%
ROCK_PAPER_SCISSORS = [[Fraction(0), -1, 1], [1, 0, -1], [-1, 1, 0]]


@claim(
    "theory-076",
    says="Sometimes the optimal policy is stochastic, as in rock-paper-scissors",
    verdict=Conditional(
        given="an opponent answers to the policy, or states cannot be told apart; a finite MDP has a deterministic optimum"
    ),
    about=(matrix_game, best_aliased_policy),
)
def when_chance_is_best():
    game = matrix_game(ROCK_PAPER_SCISSORS)
    yield equal(game.row, [THIRD] * 3, "the optimal strategy of the game")
    yield equal(game.lower, 0, "guarantees 0")
    yield equal([min(row) for row in ROCK_PAPER_SCISSORS], [-1, -1, -1], "each pure strategy guarantees only -1")
    aliased = best_aliased_policy(gallery.short_corridor())
    yield equal(aliased.probability.minimal, (2, -4, 1), "walls only: p² - 4p + 2 = 0, so p = 2 - √2")
    fixed = [sum(p * x for p, x in zip((HALF, QUARTER, QUARTER), row, strict=True)) for row in ROCK_PAPER_SCISSORS]
    yield equal(fixed, [0, QUARTER, -QUARTER], "against a fixed (1/2, 1/4, 1/4) this is a bandit")
    yield against(max(fixed) > sum(fixed) / 3, "where playing paper earns 1/4 and playing at random earns 0")


when_chance_is_best


# %% [markdown]
# A family learns what it holds. Softmax over a finite set holds every policy that takes every action; the deterministic ones lie
# at infinity. A Gaussian holds one bell: a fair coin on $\pm 1$ has its mean and its variance, and a different fourth moment.


# %%
@claim(
    "theory-077",
    says="Policy gradients can learn arbitrary distributions",
    verdict=Conditional(
        given="finitely many actions, each with positive probability, and softmax logits; a Gaussian has one shape, and "
        "softmax never reaches probability 0"
    ),
    about=(softmax, expectation),
)
def which_distributions():
    odds = sympy.symbols("w1:4", positive=True)
    arms = gallery.bandit((0, 0, 0)).to_symbolic()
    wanted = [w / sum(odds) for w in odds]
    yield proved(softmax(arms, [[sympy.log(p) for p in wanted]])[0] - wanted, "logits log p give any p > 0")
    z = sympy.Symbol("z", real=True)
    moments = [expectation(z**k, [z]) for k in (1, 2, 4)]
    yield equal(moments, [0, 1, 3], "mean, variance and fourth moment of N(0, 1)")
    coin = [Fraction((-1) ** k + 1, 2) for k in (1, 2, 4)]
    yield differs(coin, moments, "a coin on ±1 would need 0, 1, 1")


which_distributions


# %%
@claim(
    "theory-078",
    says="Q-learning always produces deterministic policies (argmax)",
    verdict=Conditional(
        given="the policy that is read off at the end, with ties broken one way; the one that acts is ε-greedy, and among "
        "tied actions every mixture is greedy"
    ),
    about=(greedy, epsilon_greedy, policy_value),
)
def what_is_read_off_q():
    loop = gallery.left_right_loop()
    stated = [[0, 1], [1, 0]]
    v = policy_value(loop, deterministic(loop, ["right", "left"]))
    yield equal(v, [Fraction(300, 19), Fraction(270, 19)], "V* of the two-state loop")
    yield equal(greedy(loop, v), stated, "its greedy policy: right, then left")
    acting = epsilon_greedy(loop, backup(loop, v), Fraction(1, 10))
    yield differs(stated, acting, "the policy that gathers the data, ε = 1/10")
    often, seldom = Fraction(19, 20), Fraction(1, 20)
    yield equal(acting, [[seldom, often], [often, seldom]], "takes the other action one time in twenty")
    tie = gallery.bandit((Fraction(2), 2))
    yield against(bool(policy_value(tie, uniform(tie))[0] == 2), "with a tie in Q, choosing evenly is greedy as well")


what_is_read_off_q

# %% [markdown]
# ## Third reason: better convergence
#
# Direct ascent "often converges faster and more stably" than iterating a Bellman operator. With a table it is the other way
# round: in the document's bandit one backup finds Q\* exactly, while the gradient flow of softmax has odds $u = \pi(right)/\pi(left)$
# with $u' = 4u^2/(1+u)^2$, solved by $u + 2\ln u - 1/u = 4t + c$. The reward still missing is $2/(1+u) \approx 1/(2t)$. With
# features the Bellman iteration may diverge, as in the two states of Tsitsiklis and Van Roy (1996), where $J$ is bounded.


# %%
def flow_of_the_odds(u):
    """du/dt along the exact gradient of the bandit, at the policy with odds u = π(right) / π(left)."""
    arms = gallery.two_armed_bandit().to_symbolic()
    slope = policy_gradient(arms, softmax_at(arms, [[1 / (1 + u), u / (1 + u)]]))[0]
    return u * (slope[1] - slope[0])


def fitted_iteration(w, gamma=NINE_TENTHS):
    """One Bellman backup of the values w and 2w, both states moving to the second for nothing, fitted by features 1 and 2."""
    pair = MDP([[["0", 1]], [[0, 1]]], [0, 0], gamma)
    target = backup(pair, [w, 2 * w])[:, 0]
    return (1 * target[0] + 2 * target[1]) / (1 + 4)


@claim(
    "theory-079",
    says="Direct optimisation often converges faster and more stably than a Bellman fixed-point iteration",
    verdict=Conditional(
        given="values are approximated, where the Bellman iteration can diverge; with a table one backup or a geometric rate "
        "beats the 1/(2t) of softmax ascent"
    ),
    about=(backup, policy_gradient),
)
def what_converges():
    yield equal(
        fitted_iteration(Fraction(1)), Fraction(27, 25), "with features 1, 2 each sweep multiplies w by 6γ/5 > 1"
    )
    u = sympy.Symbol("u", positive=True)
    rate = flow_of_the_odds(u)
    yield proved(rate - 4 * u**2 / (1 + u) ** 2, "gradient flow of the bandit: u' = 4u²/(1+u)² > 0, J always rises")
    yield proved(
        sympy.diff(u + 2 * sympy.log(u) - 1 / u, u) * rate - 4, "so u + 2 ln u - 1/u grows by 4 a unit of time"
    )
    arms = gallery.two_armed_bandit()
    yield equal(backup(arms, [0]), [[1, 3]], "while one backup of anything is Q*, exactly")
    missing = sympy.Rational(2) / (1 + 400)
    yield against(bool(missing > 0), "after u = 400, at t ≈ 100, softmax ascent still misses 2/401")


what_converges

# %% [markdown]
# ## Two families
#
# The display after line 67 is lost. The usual ones: softmax over the outputs of the network, and a Gaussian whose mean and standard
# deviation are outputs of the network. Their scores are what every method below computes.


# %%
@claim(
    "theory-080",
    says=r"(lost display) softmax $\pi(a|s) \propto e^{f_\theta(s)_a}$; Gaussian with score $(a-\mu)/\sigma^2$ in the mean",
    verdict=Holds(note="a network outputs any real number, so log σ is what is learned: its score is (a-μ)²/σ² - 1"),
    about=(softmax, log_density),
)
def two_families():
    theta = sympy.symbols("theta1:4", real=True)
    arms = gallery.bandit((0, 0, 0)).to_symbolic()
    pi = softmax(arms, [theta])[0]
    yield proved(pi - [sympy.exp(t) / sum(map(sympy.exp, theta)) for t in theta], "softmax")
    for a, b in product(range(3), repeat=2):
        score = sympy.diff(sympy.log(pi[a]), theta[b])
        yield proved(score - (int(a == b) - pi[b]), f"∂ log π({a}) / ∂θ{b} = [a = b] - π(b)")
    a, mu, rho = sympy.symbols("a mu rho", real=True)
    sigma = sympy.Symbol("sigma", positive=True)
    density = sympy.exp(-((a - mu) ** 2) / (2 * sigma**2)) / sympy.sqrt(2 * sympy.pi * sigma**2)
    yield proved(sympy.expand_log(log_density(a, mu, sigma) - sympy.log(density), force=True), "Gaussian log-density")
    yield proved(sympy.diff(log_density(a, mu, sigma), mu) - (a - mu) / sigma**2, "score of the mean")
    by_rho = sympy.diff(log_density(a, mu, sympy.exp(rho)), rho)
    yield proved(by_rho - ((a - mu) ** 2 * sympy.exp(-2 * rho) - 1), "score of log σ")


two_families

# %% [markdown]
# ## The gradient by trajectories
#
# For the derivations we take a model of two states and two actions with rational chances, and a policy with two free numbers:
# right with probability $x$ in the first state and $y$ in the second. The library computes with $x$, $y$ and $\gamma$ as symbols, so
# each line of the document becomes an identity, to be differentiated and checked.

# %%
x, y = sympy.symbols("x y", positive=True)
gamma = sympy.Symbol("gamma", positive=True)
THETA = (x, y)
POLICY = [[1 - x, x], [1 - y, y]]
KERNEL = [[[HALF, HALF], [QUARTER, 3 * QUARTER]], [[1, 0], [THIRD, 1 - THIRD]]]
REWARDS = [[1, 0], [2, 5]]
START = [1 - THIRD, THIRD]


def model(discount=gamma):
    return MDP(KERNEL, REWARDS, discount, initial=START)


def family(mdp):
    """The policy with its slopes in x and y: each moves chance from left to right in one state."""
    slopes = np.zeros((2, 2, 2), dtype=object)
    slopes[0, :, 0] = slopes[1, :, 1] = [-1, 1]
    return with_jacobian(mdp, POLICY, slopes)


def by_hand():
    """V of the moving policy by Cramer's rule, from the tables alone."""
    P = [[sum(POLICY[s][a] * KERNEL[s][a][t] for a in (0, 1)) for t in (0, 1)] for s in (0, 1)]
    r = [sum(POLICY[s][a] * REWARDS[s][a] for a in (0, 1)) for s in (0, 1)]
    m = [[int(s == t) - gamma * P[s][t] for t in (0, 1)] for s in (0, 1)]
    det = m[0][0] * m[1][1] - m[0][1] * m[1][0]
    return [(m[1][1] * r[0] - m[0][1] * r[1]) / det, (m[0][0] * r[1] - m[1][0] * r[0]) / det]


def by_induction(steps):
    """The expected discounted reward of the first steps, backwards from the end, from the tables alone."""
    v = [0, 0]
    for _ in range(steps):
        q = [[REWARDS[s][a] + gamma * sum(KERNEL[s][a][t] * v[t] for t in (0, 1)) for a in (0, 1)] for s in (0, 1)]
        v = [sum(POLICY[s][a] * q[s][a] for a in (0, 1)) for s in (0, 1)]
    return sum(p * w for p, w in zip(START, v, strict=True))


def earned(path):
    return sum(gamma**t * r for t, r in enumerate(path.rewards))


model()


# %%
@claim(
    "theory-081",
    says=r"(lost display) $V(\theta) = \mathbb{E}_{\tau \sim P_\theta} R(\tau) = \sum_\tau P_\theta(\tau) R(\tau)$",
    verdict=Holds(note="T finite or γ < 1; R(τ) may carry the weights γ^t, and γ = 1 gives the plain sum"),
    about=expect,
)
def objective_by_trajectories():
    for steps in (1, 2):
        total = expect(model(), POLICY, steps, earned)
        yield proved(total - by_induction(steps), f"every path of {steps} steps, against backward induction")
    plain = expect(model(sympy.Integer(1)), POLICY, 2, lambda path: sum(path.rewards))
    yield proved(plain - by_induction(2).subs(gamma, 1), "undiscounted")


objective_by_trajectories

# %% [markdown]
# *R(τ) does not depend on θ.* As a function of the path it does not: the same paths have the same returns under every policy of the
# family, and only their chances move. (A bonus such as $-\beta\log\pi_\theta$ inside the reward would break this.) The sum is finite, so the
# gradient goes under it.


# %%
@claim(
    "theory-082",
    "theory-083",
    says=r"R(τ) does not depend on θ, so $\nabla \sum_\tau P_\theta(\tau) R(\tau) = \sum_\tau R(\tau) \nabla P_\theta(\tau)$",
    verdict=Holds(note="rewards must come from the environment, as the document says; the paths must be finitely many"),
    about=paths,
)
def returns_do_not_move():
    found = list(paths(model(), POLICY, 2))
    table = [
        sum(gamma**t * REWARDS[s][a] for t, (s, a) in enumerate(zip(p.states, p.actions, strict=False))) for p in found
    ]
    yield proved(
        [earned(p) - r for p, r in zip(found, table, strict=True)], "returns are read off the path, no θ in them"
    )
    moving = [bool(sympy.sympify(p.probability).free_symbols & set(THETA)) for p in found]
    yield equal([len(found), sum(moving)], [25, 25], "25 paths of two steps, and each one's chance moves with θ")
    for theta in THETA:
        inside = sum(earned(p) * sympy.diff(p.probability, theta) for p in found)
        yield proved(sympy.diff(by_induction(2), theta) - inside, f"∂V/∂{theta} = Σ R ∂P/∂{theta}")


returns_do_not_move

# %% [markdown]
# The log-derivative trick is an identity about positive functions. Softmax and Gaussians are positive, so the two lines that use it
# stand. But "just the chain rule" hides a condition: where a probability is 0 and can be left, $\log$ has no derivative, and the
# trick loses a term. With the table itself as θ, at the policy that always goes left, the gradient towards *right* is 3; no
# sample ever shows it.


# %%
@claim(
    "theory-084",
    says=r"$\nabla P = P\, \nabla \log P$, the chain rule for the logarithm",
    verdict=Conditional(given="P > 0; where P = 0 can be left, ∇P ≠ 0 although every sampled term is 0"),
    about=policy_gradient,
)
def log_derivative():
    f = sympy.Function("f", positive=True)(x)
    yield proved(sympy.diff(f, x) - f * sympy.diff(sympy.log(f), x), "for a positive f")
    for theta in THETA:
        steps = [(p.probability, sympy.diff(sympy.log(p.probability), theta)) for p in paths(model(), POLICY, 1)]
        total = sum(p * s * (k + 1) for k, (p, s) in enumerate(steps))
        moved = sum(sympy.diff(p, theta) * (k + 1) for k, (p, _) in enumerate(steps))
        yield proved(total - moved, f"paths of one step, along {theta}")
    arms = gallery.two_armed_bandit()
    always_left = deterministic(arms, ["left"])
    slope = policy_gradient(arms, direct(arms, always_left))[0]
    seen = [
        sum(p.probability * p.rewards[0] / always_left[0, a] for p in paths(arms, always_left, 1) if p.actions == (a,))
        for a in (0, 1)
    ]
    yield equal(slope, [1, 3], "the slope of J in a table π(left), π(right), at (1, 0)")
    yield differs(seen, slope, "Σ P R ∇log P over what can be sampled")


log_derivative


# %%
@claim(
    "theory-085",
    "theory-086",
    says=r"$\nabla V = \sum_\tau R P \nabla \log P = \mathbb{E}[R(\tau) \nabla \log P_\theta(\tau)]$",
    verdict=Holds(
        note="for softmax and Gaussian, just introduced, every action has positive probability; as a general identity: theory-084"
    ),
    about=expect,
)
def expectation_form():
    for theta in THETA:
        mean = expect(model(), POLICY, 2, lambda p: earned(p) * sympy.diff(sympy.log(p.probability), theta))  # noqa: B023
        yield proved(mean - sympy.diff(by_induction(2), theta), f"E[R ∂ log P/∂{theta}], two steps, every path")
    one = expect(model(), POLICY, 2, lambda p: sympy.Integer(1))
    yield proved(one - 1, "the weights are probabilities, so the sum is an expectation")


expectation_form


# %%
@claim(
    "theory-087",
    says=r"$\log P_\theta(\tau) = \log\rho_0(s_0) + \sum_{t=0}^{T-1} [\log\pi(a_t|s_t) + \log p(s_{t+1}|s_t,a_t)]$",
    verdict=Holds(
        note="T actions and T moves; it needs the Markov property, and random rewards would add their own factor"
    ),
    about=path_probability,
)
def log_of_a_path():
    for states in product((0, 1), repeat=3):
        for actions in product((0, 1), repeat=2):
            moves = list(zip(states[:-1], actions, states[1:], strict=True))
            factors = [START[states[0]], *(POLICY[s][a] for s, a, _ in moves), *(KERNEL[s][a][t] for s, a, t in moves)]
            found = path_probability(model(), POLICY, states, actions)
            if prod(factors) == 0:
                yield proved(found, f"{states} {actions} cannot happen")
            else:
                yield proved(
                    sympy.exp(sympy.expand_log(sum(sympy.log(f) for f in factors), force=True)) - found,
                    f"{states} {actions}",
                )


log_of_a_path


# %%
@claim(
    "theory-088",
    "theory-089",
    says=r"$\nabla \log P_\theta(\tau) = \sum_{t<T} \nabla \log \pi_\theta(a_t|s_t)$: the terms of ρ0 and p vanish",
    verdict=Holds(note="exactly T terms; ρ0 and p are θ-free as long as the policy does not reshape the environment"),
    about=(paths, with_jacobian),
)
def score_of_a_path():
    p, rho = sympy.symbols("p rho", positive=True)
    anywhere = MDP([[[p, 1 - p], [1 - p, p]], [[p, 1 - p], [1 - p, p]]], REWARDS, gamma, initial=[rho, 1 - rho])
    scores = family(anywhere).jacobian / np.array(POLICY, dtype=object)[:, :, None]
    listed = {0: [-1 / (1 - x), 1 / x], 1: [-1 / (1 - y), 1 / y]}
    yield proved([scores[s, a, s] - listed[s][a] for s in (0, 1) for a in (0, 1)], "-1/(1 - x) for left, 1/x for right")
    gaps = []
    for path in paths(anywhere, POLICY, 2):
        for k, theta in enumerate(THETA):
            whole = sympy.diff(sympy.log(path.probability), theta)
            gaps.append(whole - sum(scores[s, a, k] for s, a in zip(path.states, path.actions, strict=False)))
    yield proved(gaps, "all 32 paths of two steps, with p and ρ0 as symbols: neither is left in the derivative")
    yield proved(sum(path.probability for path in paths(anywhere, POLICY, 2)) - 1, "and those are all the paths")


score_of_a_path

# %% [markdown]
# So $p$ is gone from the *score*. It is not gone from the gradient, which is a mean over paths that $p$ draws: with $p$ for a symbol
# it stays in the answer. What is true, and what makes the method model-free, is that the samples bring $p$ along.


# %%
def two_worlds(p):
    """Going right moves to the second state with probability p; the second state pays 5 for right, the first nothing."""
    return MDP([[[1, 0], [1 - p, p]], [[1, 0], [1, 0]]], [[0, 0], [0, 5]], sympy.Integer(1), initial=[1, 0])


@claim(
    "theory-090",
    says="The transition chances disappear from the gradient: only sampling and the scores are needed",
    verdict=Conditional(
        given="'the gradient' is the estimator for one sampled path; its mean, the gradient itself, depends on p"
    ),
    about=(reinforce, finite_horizon_gradient),
)
def model_free():
    p = sympy.Symbol("p", positive=True)
    world = two_worlds(p)
    estimate = reinforce(world, family(world))
    found = [(path, estimate(path)) for path in paths(world, POLICY, 2)]
    yield shows(all(p not in sympy.sympify(g).free_symbols for _, e in found for g in e), "no sampled estimate holds p")
    mean = sum(path.probability * e for path, e in found)
    yield proved(mean - [5 * p * y, 5 * p * x], "their mean is the gradient (5py, 5px) of J = 5pxy")
    slope = finite_horizon_gradient(world, family(world), 2)
    yield proved(slope - [5 * p * y, 5 * p * x], "found without sampling as well, from p")
    yield against(sympy.diff(slope[0], p) != 0, "which changes with p")


model_free


# %%
@claim(
    "theory-091",
    says=r"(lost display) $\nabla V = \mathbb{E}[\sum_t \nabla \log\pi(a_t|s_t)\, R(\tau)] \approx \frac1N \sum_i \ldots$",
    verdict=Holds(
        note="unbiased for every N, and the variance falls as 1/N; how large it is, is the next chapter's matter"
    ),
    about=reinforce,
)
def reinforce_is_unbiased():
    symbolic = reinforce(model(), family(model()))
    mean = expect(model(), POLICY, 2, symbolic)
    yield proved(mean - [sympy.diff(by_induction(2), t) for t in THETA], "its mean over all paths of two steps")
    arms = gallery.two_armed_bandit()
    one = reinforce(arms, softmax_at(arms, uniform(arms)))
    samples = [(p.probability, one(p)[0, 1]) for p in paths(arms, uniform(arms), 1)]
    pairs = [(p * q, (g + h) / 2) for (p, g), (q, h) in product(samples, repeat=2)]
    spread = [sum(p * g * g for p, g in law) - sum(p * g for p, g in law) ** 2 for law in (samples, pairs)]
    yield equal(sum(p * g for p, g in pairs), HALF, "the bandit: two samples averaged have mean 1/2 for θ2")
    yield equal(spread, [1, HALF], "and half the variance of one")


reinforce_is_unbiased

# %% [markdown]
# ## The gradient by states
#
# The second derivation is Sutton, McAllester, Singh and Mansour's (2000). Its first four steps are one recursion,
#
# $$ \nabla V(s) = \sum_a \nabla\pi(a|s)\, Q(s,a) + \gamma \sum_a \pi(a|s) \sum_{s'} p(s'|s,a) \nabla V(s') . $$


# %%
@claim(
    "theory-093",
    says=r"$V(\theta) = \mathbb{E}_{s_0 \sim \rho_0} V^\pi(s_0)$ and $V^\pi(s) = \sum_a \pi(a|s) Q^\pi(s,a)$",
    verdict=Holds(),
    about=(expected_return, policy_value, action_value),
)
def two_ways_to_write_v():
    v = by_hand()
    yield proved(policy_value(model(), POLICY) - v, "V by the library, against Cramer's rule")
    yield proved(expected_return(model(), POLICY) - (2 * v[0] + v[1]) / 3, "E V(s_0) with ρ0 = (2/3, 1/3)")
    q = action_value(model(), POLICY)
    yield proved([sum(POLICY[s][a] * q[s, a] for a in (0, 1)) - v[s] for s in (0, 1)], "Σ π Q = V")


two_ways_to_write_v


# %%
FIELD = sympy.QQ.frac_field(x, y, gamma)  # quotients of polynomials, kept in lowest terms: identities there decide fast
inside = np.vectorize(FIELD.from_sympy, otypes=[object])
PI = inside(np.array(POLICY, dtype=object))
MOVES = inside(np.vectorize(sympy.sympify, otypes=[object])(KERNEL))
DISCOUNT = FIELD.from_sympy(gamma)


def slope_of(table, theta):
    return np.vectorize(lambda f: f.diff(FIELD.from_sympy(theta)), otypes=[object])(table)


def recursion(theta):
    """(∇V from Cramer's rule, Σ ∇π Q, ∇Q, γ Σ p ∇V) for one parameter, with the library's Q, as elements of the field."""
    q = inside(np.array(list(map(list, action_value(model(), POLICY))), dtype=object))
    slope = slope_of(inside(np.array(by_hand(), dtype=object)), theta)
    return slope, (slope_of(PI, theta) * q).sum(axis=1), slope_of(q, theta), (MOVES @ slope) * DISCOUNT


def zero(residual):
    return [FIELD.to_sympy(f) for f in np.ravel(residual)]


@claim(
    "theory-094",
    "theory-095",
    "theory-096",
    "theory-097",
    says=r"Product rule, $\nabla Q = \gamma \sum p \nabla V$, their substitution, and the same once more at s'",
    verdict=Holds(note="r and p must not depend on θ, as the document says"),
    about=action_value,
)
def the_recursion():
    for theta in THETA:
        slope, local, dq, ahead = recursion(theta)
        yield proved(zero(slope - local - (PI * dq).sum(axis=1)), f"step 2 along {theta}: Σ (∇π Q + π ∇Q)")
        yield proved(zero(dq - ahead), f"step 3 along {theta}: ∇Q = γ Σ p ∇V")
        yield proved(zero(slope - local - (PI * ahead).sum(axis=1)), f"step 4 along {theta}")
        inner = local + (PI * ahead).sum(axis=1)
        twice = local + (PI * ((MOVES @ inner) * DISCOUNT)).sum(axis=1)
        yield proved(zero(slope - twice), f"step 5 along {theta}: once more, at s'")


the_recursion

# %% [markdown]
# Unrolled T times, a remainder $\gamma^T \sum_s P(s_0 \to s, T)\, \nabla V(s)$ is left over. It vanishes as T grows because γ < 1 and
# ∇V is bounded; the infinite sum is then one row of $(I - \gamma P_\pi)^{-1}$.


# %%
@claim(
    "theory-098",
    says=r"$\nabla V(s_0) = \sum_{t \ge 0} \sum_s P(s_0 \to s, t, \pi)\, \gamma^t \sum_a \nabla\pi(a|s) Q(s,a)$",
    verdict=Holds(note="'unrolling T steps' leaves γ^T Σ P(s_0 → s, T) ∇V(s), which goes to 0 because γ < 1"),
    about=(successor_representation, action_value),
)
def unrolled():
    slope, local, _, _ = recursion(x)
    P = (PI[:, :, None] * MOVES).sum(axis=1)
    power, collected = np.array([[FIELD.one, FIELD.zero], [FIELD.zero, FIELD.one]], dtype=object), local * 0
    for steps in range(1, 4):
        collected = collected + (power @ local) * DISCOUNT ** (steps - 1)
        power = power @ P
        left_over = (power @ slope) * DISCOUNT**steps
        yield proved(zero(collected + left_over - slope), f"T = {steps}: collected terms and the remainder")
    total = inside(np.array(list(map(list, successor_representation(model(), POLICY))), dtype=object)) @ local
    yield proved(zero(total - slope), "T → ∞: the whole series, summed by a solve")
    numbers = {x: HALF, y: QUARTER, gamma: NINE_TENTHS}
    tail = max(abs(Fraction(str(d.subs(numbers)))) for d in zero(slope)) * NINE_TENTHS**100
    yield below(tail, Fraction(1, 1000), "at x = 1/2, y = 1/4, γ = .9 the remainder of T = 100 is at most")


unrolled

# %% [markdown]
# ## The factor that must not get lost
#
# Line 93 divides by $(1-\gamma)^{-1}$, which is to multiply by $1 - \gamma$: the normalised distribution, as in the document's
# first chapter. (The exponent lost its superscript in our copy and reads "/(1-γ)-1".) With this $d^\pi$ the final result needs the factor
# back, $\frac{1}{1-\gamma}$, or it is the gradient of $(1-\gamma) V$. The two displays of the theorem are lost; these are what they must
# say.


# %%
@claim(
    "theory-099",
    says=r"$d^\pi(s) = \sum_t \gamma^t P(s_t = s|\pi) / (1-\gamma)^{-1}$",
    verdict=Holds(note="read with the exponent; dividing by 1 - γ instead would give a total of 1/(1-γ)²"),
    about=occupancy,
)
def normalised_visits():
    swap = MDP([[["0", 1]], [[1, 0]]], [0, 0], gamma, initial=0)
    series = [1 / (1 - gamma**2), gamma / (1 - gamma**2)]
    d = occupancy(swap, uniform(swap))
    yield proved([d[k] - series[k] / (1 - gamma) ** -1 for k in (0, 1)], "two states that swap: 1, γ², … and γ, γ³, …")
    yield proved(sum(occupancy(model(), POLICY)) - 1, "it sums to 1 in the model above")
    yield proved(sum(series) / (1 - gamma) - (1 - gamma) ** -2, "divided by 1 - γ the sum would be (1 - γ)^-2")


normalised_visits


# %%
@claim(
    "theory-092",
    "theory-100",
    says=r"(lost displays) $\nabla V = \frac{1}{1-\gamma} \mathbb{E}_{s\sim d^\pi, a\sim\pi}[\nabla\log\pi(a|s)\, Q^\pi(s,a)]$",
    verdict=Holds(note="for the normalised d; without the factor it is the gradient of (1-γ)V, the same direction"),
    about=(policy_gradient, occupancy, action_value),
)
def policy_gradient_theorem():
    start = np.array([FIELD.from_sympy(sympy.Rational(p.numerator, p.denominator)) for p in START], dtype=object)
    d = inside(np.array(list(occupancy(model(), POLICY)), dtype=object))
    found = policy_gradient(model(), family(model()))
    for k, theta in enumerate(THETA):
        slope, *_ = recursion(theta)
        q = inside(np.array(list(map(list, action_value(model(), POLICY))), dtype=object))
        mean = (d[:, None] * PI * (slope_of(PI, theta) / PI) * q).sum()
        yield proved(zero(mean / (1 - DISCOUNT) - start @ slope), f"along {theta}, against the derivative of V by hand")
        yield proved(zero(FIELD.from_sympy(found[k]) - start @ slope), "and the library's gradient")
    bandit = gallery.two_armed_bandit().replace(gamma=HALF)
    slope = policy_gradient(bandit, softmax_at(bandit, uniform(bandit)))
    yield equal(slope, [[-HALF, HALF]], "the bandit, by hand (1-3)/4 and (3-1)/4")
    scaled = occupancy(bandit, uniform(bandit))[0] * HALF
    yield equal(scaled, QUARTER, "with γ = 1/2 and no factor it would be half of that")


policy_gradient_theorem

# %% [markdown]
# ## The two-armed example
#
# Left pays 1, right pays 3, θ = (0, 0).


# %%
@claim(
    "theory-101",
    says="At θ = (0, 0) softmax gives π(left) = π(right) = 0.5; rewards 1 and 3",
    verdict=Holds(),
    about=(gallery.two_armed_bandit, softmax),
)
def the_start():
    yield equal(gallery.two_armed_bandit().r, [[1, 3]], "rewards")
    _, pi = bandit_at((0, 0))
    yield agrees([printed("0.5"), printed("0.5")], list(pi[0]))
    a, b = sympy.symbols("theta1:3", real=True)
    yield proved(bandit_at((a, b))[1][0, 0] - sympy.exp(a) / (sympy.exp(a) + sympy.exp(b)), "π(left) for every θ")


the_start

# %% [markdown]
# The score of *right* is $(0, 1) - \pi = (-0.5, 0.5)$. The document writes it as $(0.5, -0.5) \times (-1, 1)$. Entry by entry that product is
# $(-0.5, -0.5)$: both logits fall alike, and softmax does not notice. As an inner product it is the number $-1$. In neither
# reading does θ2 rise.


# %%
@claim(
    "theory-102",
    says="3 · ∇log π(right) = 3 · (0.5, -0.5) · (-1, 1)",
    verdict=Wrong(
        because="entry by entry the product is (-0.5, -0.5), which lowers both logits and leaves the policy as it was",
        instead="3 · (-0.5, 0.5) = (-1.5, 1.5)",
    ),
    about=reinforce,
)
def the_score_of_right():
    arms = gallery.two_armed_bandit()
    estimate = reinforce(arms, softmax_at(arms, uniform(arms)))
    (right,) = (estimate(p)[0] for p in paths(arms, uniform(arms), 1) if p.actions == (1,))
    as_printed = [3 * p.value * q.value for p, q in zip(printed(["0.5", "-0.5"]), printed(["-1", "1"]), strict=True)]
    yield equal(as_printed, [Fraction(-3, 2), Fraction(-3, 2)], "the product as printed, entry by entry")
    yield differs(as_printed, right, "the estimate for a sampled right")
    yield equal(right, [Fraction(-3, 2), Fraction(3, 2)], "the estimate: 3 · ((0, 1) - (1/2, 1/2))")
    slope = sympy.diff(sympy.log(bandit_at(sympy.symbols("theta1:3"))[1][0, 1]), sympy.Symbol("theta2"))
    yield proved(slope.subs({"theta1": 0, "theta2": 0}) - sympy.Rational(1, 2), "∂ log π(right)/∂θ2 = 1/2, by sympy")


the_score_of_right


# %%
@claim(
    "theory-103",
    says="A sample of right with reward 3 increases θ2",
    verdict=Holds(note="because 3 > 0, not because right is better: a sample of left, which pays 1, increases θ1"),
    about=reinforce,
)
def one_sample():
    arms = gallery.two_armed_bandit()
    estimate = reinforce(arms, softmax_at(arms, uniform(arms)))
    left, right = (estimate(p)[0] for p in paths(arms, uniform(arms), 1))
    yield equal(right[1], Fraction(3, 2), "θ2 after right: step size times 3/2")
    yield equal(left, [HALF, -HALF], "after left θ1 rises, by 1/2")


one_sample

# %% [markdown]
# Single samples push either way, the mean does not: at every policy θ2 rises by $2\pi(left)\pi(right)$ a step and θ1 falls as
# much, for the entries of a score sum to 0. Along the mean the odds grow without bound, at the slow rate found above. That
# the sampled updates converge as well, with a constant step size, is a theorem of Mei et al. (2023).


# %%
@claim(
    "theory-104",
    says="After many samples θ2 grows, θ1 shrinks, and π(right) → 1",
    verdict=Holds(
        note="in the mean, and almost surely in the end; a sampled left moves both back, and the gap falls as 1/t"
    ),
    about=(policy_gradient, reinforce),
)
def right_wins():
    p = sympy.Symbol("p", positive=True)
    arms = gallery.two_armed_bandit().to_symbolic()
    here = softmax_at(arms, [[1 - p, p]])
    yield proved(policy_gradient(arms, here)[0] - [-2 * p * (1 - p), 2 * p * (1 - p)], "mean move: θ1 down, θ2 up")
    moves = [reinforce(arms, here)(path) for path in paths(arms, here.policy, 1)]
    yield proved([m.sum() for m in moves], "each sample moves θ1 and θ2 by opposite amounts")
    u = sympy.Symbol("u", positive=True)
    clock = u + 2 * sympy.log(u) - 1 / u
    yield proved(sympy.diff(clock, u) * flow_of_the_odds(u) - 4, "along the mean, u + 2 ln u - 1/u = 4t: u → ∞")
    yield equal(
        sympy.limit((2 / (1 + u)) * clock / 2, u, sympy.oo), 1, "so 3 - J(t) = 2/(1+u) falls like 1/(2t): limit"
    )
    yield sourced("Mei, Zhong, Dai, Agarwal, Szepesvári and Schuurmans (2023), for the sampled updates")


right_wins


# %%
@figure
def the_long_tail():
    """Gradient flow of the bandit from θ = (0, 0): the odds solve u + 2 ln u - 1/u = 4t, and what is missing falls as 1/(2t)."""
    from matplotlib import pyplot as plt

    u = np.logspace(0, 4, 400)
    t = (u + 2 * np.log(u) - 1 / u) / 4
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    ax.loglog(t[1:], 2 / (1 + u[1:]), color=COLOURS[0], label=r"$3 - J(t)$ on the flow")
    ax.loglog(t[150:], 1 / (2 * t[150:]), ":", color=COLOURS[6], label=r"$1/(2t)$")
    ax.set(xlabel="time t along the gradient", ylabel="missing reward")
    ax.legend()
    return fig


the_long_tail

# %% [markdown]
# With two actions mass moves to the better one. With three it need not move to the best: the logit of a rare best action rises
# slowly, and the normaliser may take more than the logit gives. What always rises is the mean reward, by $|\nabla J|^2$.


# %%
def motion(rewards, policy):
    """(dJ/dt, dπ/dt) along the exact softmax gradient of a bandit."""
    arms = gallery.bandit(rewards)
    here = softmax_at(arms, [policy])
    slope = policy_gradient(arms, here)
    return sum(slope.ravel() ** 2), [sum(row * slope.ravel()) for row in here.jacobian.reshape(len(policy), -1)]


@claim(
    "theory-105",
    says="The gradient pushes probability mass toward higher-reward actions",
    verdict=Conditional(
        given="there are two actions, or 'on average': with three the best action can lose mass while J rises"
    ),
    about=policy_gradient,
)
def where_mass_goes():
    _, two = motion((1, 3), [HALF, HALF])
    yield equal(two, [-QUARTER, QUARTER], "from even odds: mass to the 3")
    rewards, policy = (Fraction(0), NINE_TENTHS, Fraction(1)), [Fraction(3, 10), Fraction(69, 100), Fraction(1, 100)]
    rise, three = motion(rewards, policy)
    mean = Fraction(631, 1000)
    logits = [p * (r - mean) for p, r in zip(policy, rewards, strict=True)]
    by_normaliser = [
        p * (g - sum(q * h for q, h in zip(policy, logits, strict=True))) for p, g in zip(policy, logits, strict=True)
    ]
    yield equal(three, by_normaliser, "rewards 0, .9, 1 at (.30, .69, .01): the motion, by hand")
    yield against(three[2] < 0, f"the best action loses mass, at the rate {float(three[2]):.6f}")
    yield equal(rise, sum(g * g for g in logits), "while the mean reward rises by |∇J|²")


where_mass_goes
