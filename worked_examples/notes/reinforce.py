# %% [markdown]
# # REINFORCE, line by line
#
# *Document `notes`, lines 93 to 236.* From the mean return of a policy to an estimate of its gradient. Every line about the
# *gradient* is right. The lines about the *trajectory* do not fit together: as written it has $H + 1$ actions, not $H$; its
# probability lacks the first state, and has a factor for a state that the trajectory does not contain. None of the
# three does harm, because what is wrong does not depend on θ.

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
    claim,
    differs,
    equal,
    proved,
    refuses,
    same_as,
    shows,
    sourced,
)
from rlexact.exact.aliased import best_aliased_policy, shared_choice
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import expected_return
from rlexact.exact.gradient_estimators import reinforce, reward_to_go, score_table
from rlexact.exact.parameterisation import softmax_at, with_jacobian
from rlexact.exact.paths import expect, paths
from rlexact.formulas.returns import returns_to_go
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("notes", "reinforce", "REINFORCE, line by line")

ONE, HALF, THIRD, QUARTER, FIFTH = Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(1, 5)

# %% [markdown]
# ## Why a policy of its own (a picture that our copy lost)
#
# Line 91 says what the picture after it presumably showed: a policy can be random, and sometimes should be. In a finite decision process
# whose states are seen it never has to be. Where several states look the same it may have to: in the corridor of Sutton and
# Barto's Example 13.1 the three cells cannot be told apart, always left and always right never arrive, and going right with
# probability $2 - \sqrt 2$ is best.


# %%
@claim(
    "notes-x01",
    says="A policy-based method holds the law of actions itself, so its policy can be random; where states look alike the best "
    "memoryless one may have to be",
    verdict=Holds(
        note="the picture is missing in our copy; the standard statement is checked. Seen states never need chance"
    ),
    about=(best_aliased_policy, expected_return),
)
def when_chance_is_best():
    mdp = gallery.short_corridor()
    best = best_aliased_policy(mdp)
    yield equal(best.probability.minimal, (2, -4, 1), "p² - 4p + 2 = 0: p = 2 - √2, the zero of U' in [0, 1]")
    yield equal(best.value.minimal, (4, 12, 1), "v² + 12v + 4 = 0: U = -6 - 4√2 ≈ -11.66")
    for p in (QUARTER, HALF, Fraction(3, 5)):
        by_hand = (2 * p - 4) / (p - p * p)
        yield equal(expected_return(mdp, shared_choice(mdp, p)), by_hand, f"U at p = {p}, by (2p - 4)/(p - p²)")
    for p in (0, 1):
        stuck = shared_choice(mdp, p)
        yield refuses(InvalidPolicy, lambda s=stuck: expected_return(mdp, s), f"p = {p} never arrives")
    seen = deterministic(mdp, ["right", "left", "right"])
    yield equal(expected_return(mdp, seen), -3, "whoever sees the cells walks through, without chance")
    yield sourced("Singh, Jaakkola and Jordan (1994); Sutton and Barto (2018), Example 13.1")


when_chance_is_best


# %%
@figure
def the_hill_between_two_abysses():
    """The corridor's return against the probability of going right, the same in three cells that look alike. Both deterministic
    policies never arrive; the top is at 2 - √2 ≈ 0.586."""
    from matplotlib import pyplot as plt

    p = np.linspace(0.05, 0.96, 300)
    top = 2 - 2**0.5
    fig, ax = plt.subplots(figsize=(6.0, 3.0))
    ax.plot(p, (2 * p - 4) / (p - p * p), color=COLOURS[0])
    ax.plot([top], [-6 - 4 * 2**0.5], "o", color=COLOURS[1], label="p = 2 - √2, U = -11.66")
    ax.set(xlabel="probability of going right", ylabel="expected return U", ylim=(-65, 0), xlim=(0, 1))
    ax.legend(loc="lower center")
    return fig


the_hill_between_two_abysses

# %% [markdown]
# ## What a trajectory is
#
# For the derivation we take two states, two actions, moves by chance, and a policy that takes action 1 with probability $x$ in state 0
# and $y$ in state 1. Rewards are four free symbols. $H = 1$: two decisions. $U$ is found backwards from the end, from the tables
# alone, so that every sum over trajectories has something to be compared with.

# %%
x, y = sympy.symbols("x y", positive=True)
THETA, CERTAIN = (x, y), sympy.Integer(1)
PAY = [list(sympy.symbols("r00 r01", real=True)), list(sympy.symbols("r10 r11", real=True))]
POLICY = [[1 - x, x], [1 - y, y]]
KERNEL = [[[HALF, HALF], [FIFTH, 4 * FIFTH]], [[ONE, 0 * ONE], [THIRD, 2 * THIRD]]]
START = [QUARTER, 3 * QUARTER]
PAIRS, NUMBERS = list(product((0, 1), repeat=2)), {x: HALF, y: THIRD}


def hall(rewards=PAY, gamma=CERTAIN):
    return MDP(KERNEL, rewards, gamma, initial=START)


def family(mdp, policy=POLICY):
    """The policy with its slopes in x and y."""
    slopes = np.zeros((2, 2, 2), dtype=object)
    slopes[0, :, 0] = slopes[1, :, 1] = [-1, 1]
    return with_jacobian(mdp, policy, slopes)


def objective(rewards=PAY):
    """U for two decisions, backwards from the end."""
    v = [0, 0]
    for _ in range(2):
        q = [[rewards[s][a] + sum(KERNEL[s][a][k] * v[k] for k in (0, 1)) for a in (0, 1)] for s in (0, 1)]
        v = [sum(POLICY[s][a] * q[s][a] for a in (0, 1)) for s in (0, 1)]
    return sum(p * w for p, w in zip(START, v, strict=True))


def slopes_of(f):
    return [sympy.diff(f, t) for t in THETA]


def total(path):
    """R(τ), the sum of all rewards."""
    return sum(path.rewards)


hall(rewards=[[1, 0], [2, 5]], gamma=ONE)


# %%
@claim(
    "notes-013",
    says=r"A trajectory is $\tau = (s_0, a_0, s_1, a_1, \ldots, s_H, a_H)$, a sequence of states and actions",
    verdict=Holds(
        note="H + 1 states and H + 1 actions, s_{H+1} not among them. R(τ) is then a sum of r(s, a); where rewards are drawn, or "
        "depend on the next state, it is their mean, and U is the same"
    ),
    about=expect,
)
def states_and_actions():
    mean = [[Fraction(1), 2], [4, 3]]
    pays_twice = [[[2 * Fraction(1), 0], [0, Fraction(5, 2)]], [[4, 0], [1, 4]]]
    by_kernel = [[sum(KERNEL[s][a][k] * pays_twice[s][a][k] for k in (0, 1)) for a in (0, 1)] for s in (0, 1)]
    yield equal(by_kernel, mean, "rewards R(s, a, s') with means r(s, a)")
    policy = [[HALF, HALF], [2 * THIRD, THIRD]]
    of_tau = sum(
        START[s] * policy[s][a] * KERNEL[s][a][k] * policy[k][b] * (mean[s][a] + mean[k][b])
        for s, a, k, b in product((0, 1), repeat=4)
    )
    for rewards in (mean, pays_twice):
        drawn = expect(hall(rewards, ONE), policy, 2, total)
        yield equal(drawn, of_tau, "mean reward of two steps, against Σ over the 16 sequences (s0, a0, s1, a1)")


states_and_actions

# %% [markdown]
# **Its length.** Actions $a_0, \ldots, a_H$ are $H + 1$ actions, and the sum of line 225 has $H + 1$ rewards. An episode that is over after four
# actions ends with $a_3$.


# %%
@claim(
    "notes-014",
    says=r"In $\tau = (s_0, a_0, \ldots, s_H, a_H)$ the horizon $H$ is the episode length",
    verdict=Wrong(
        because="from a_0 to a_H there are H + 1 actions and H + 1 rewards",
        instead="the length is H + 1; or τ ends with a_{H-1}",
    ),
    about=paths,
)
def one_more_than_h():
    way = gallery.corridor(4)
    (walk,) = paths(way, deterministic(way, ["right"] * 4), 10)
    last = max(t for t, _ in enumerate(walk.actions))
    yield equal(last, 3, "the corridor of four cells, always right: the last action is a_3, so H = 3")
    length = -sum(walk.rewards)
    yield differs(last, length, "H against the number of steps, each of which pays -1")
    yield equal(length, last + 1, "the episode length is H + 1")


one_more_than_h

# %% [markdown]
# ## The objective


# %%
@claim(
    "notes-015",
    "notes-016",
    says=r"$U(\theta) = E_{\tau \sim P(\tau; \theta)}[R(\tau)] = \sum_\tau P(\tau; \theta)\, R(\tau)$",
    verdict=Holds(
        note="a sum where states and actions are finitely many; for the Gaussian policies below it is an integral"
    ),
    about=expect,
)
def the_objective():
    yield proved(expect(hall(), POLICY, 2, total) - objective(), "every path of two steps, against backward induction")
    one = expect(hall(), POLICY, 2, lambda path: sympy.Integer(1))
    yield proved(one - 1, "the weights are probabilities")


the_objective

# %% [markdown]
# **The probability of a trajectory.** The product of line 139 runs over $P(s_{t+1} \mid s_t, a_t)\, \pi(a_t \mid s_t)$ for $t = 0, \ldots, H$. No factor draws $s_0$; and for $t = H$ the
# factor is that of $s_{H+1}$, on which τ says nothing. Summed over all sequences, with $s_{H+1}$ added, the product gives the number
# of first states instead of 1. The logarithm in line 180 inherits both.


# %%
def as_printed(states, actions):
    """Line 139, over s_0, ..., s_{H+1}."""
    steps = zip(states, actions, states[1:], strict=False)
    return prod(KERNEL[s][a][k] * POLICY[s][a] for s, a, k in steps)


def corrected(states, actions):
    """ρ(s_0) Π_{t<H} p Π_{t≤H} π, a function of (s_0, a_0, ..., s_H, a_H)."""
    chosen = prod(POLICY[s][a] for s, a in zip(states, actions, strict=True))
    moved = prod(KERNEL[s][a][k] for s, a, k in zip(states, actions, states[1:], strict=False))
    return START[states[0]] * chosen * moved


@claim(
    "notes-017",
    "notes-024",
    says=r"$P(\tau; \theta) = \prod_{t=0}^H P(s_{t+1} \mid s_t, a_t)\, \pi_\theta(a_t \mid s_t)$, and its logarithm as a sum",
    verdict=Wrong(
        because="the law of s_0 is missing, and the last factor is that of a state s_{H+1} which τ does not contain",
        instead="ρ(s_0) Π_{t=0}^{H-1} P(s_{t+1}|s_t, a_t) Π_{t=0}^{H} π(a_t|s_t); in the logarithm log ρ(s_0) and one term of P less",
    ),
    about=paths,
)
def the_first_state_and_the_last():
    longer = [as_printed(states, actions) for states in product((0, 1), repeat=3) for actions in PAIRS]
    printed_total = sympy.expand(sum(longer))
    yield differs(printed_total, sympy.Integer(1), "line 139 summed over everything, s_{H+1} included")
    found = {}
    for path in paths(hall(), POLICY, 2):
        tau = (path.states[:2], path.actions)
        found[tau] = found.get(tau, 0) + path.probability
    yield proved(
        [p - corrected(*tau) for tau, p in found.items()], "corrected, against the library's law of (s0, a0, s1, a1)"
    )
    yield proved(sum(corrected(s, a) for s, a in product(PAIRS, PAIRS)) - 1, "which sums to 1")
    logs = [sympy.log(START[s[0]]) + sum(map(sympy.log, log_factors(s, a))) for s, a in found]
    gaps = [sympy.exp(sympy.expand_log(log, force=True)) - p for log, p in zip(logs, found.values(), strict=True)]
    yield proved(gaps, "log ρ + Σ log p + Σ log π, one p less than π")


def log_factors(states, actions):
    chosen = [POLICY[s][a] for s, a in zip(states, actions, strict=True)]
    return [*chosen, *(KERNEL[s][a][k] for s, a, k in zip(states, actions, states[1:], strict=False))]


the_first_state_and_the_last

# %% [markdown]
# What the policy controls is another matter, and there the text is right. The ratio of a trajectory's probabilities under two policies has no $p$ in
# it, nor a $\rho$; so what is unknown is not needed to compare policies on data.


# %%
def anywhere():
    """The same states and actions with moves and start as symbols."""
    p = sympy.symbols("p00 p01 p10 p11", positive=True)
    rho = sympy.Symbol("rho", positive=True)
    moves = [[[1 - p[2 * s + a], p[2 * s + a]] for a in (0, 1)] for s in (0, 1)]
    return MDP(moves, PAY, sympy.Integer(1), initial=[1 - rho, rho]), {*p, rho}


@claim(
    "notes-018",
    says=r"The dynamics are fixed and unknown; $\pi_\theta(a_t \mid s_t)$ is what is controlled",
    verdict=Holds(
        note="'unknown' to the learner; they cancel in every ratio of two policies, and so need not be known"
    ),
    about=paths,
)
def what_is_controlled():
    mdp, given = anywhere()
    u, w = sympy.symbols("u w", positive=True)
    other = [[1 - u, u], [1 - w, w]]
    here, there = (list(paths(mdp, pi, 2)) for pi in (POLICY, other))
    yield proved(sum(path.probability for path in here) - 1, "all 32 paths of two steps")
    ratios = [sympy.cancel(b.probability / a.probability) for a, b in zip(here, there, strict=True)]
    by_policy = [
        prod(other[s][a] / POLICY[s][a] for s, a in zip(path.states, path.actions, strict=False)) for path in here
    ]
    yield proved([r - k for r, k in zip(ratios, by_policy, strict=True)], "P(τ; θ') / P(τ; θ) = Π π' / π")
    yield shows(not any(r.free_symbols & given for r in ratios), "no p and no ρ in any of them")


what_is_controlled

# %% [markdown]
# ## The gradient
#
# Finitely many trajectories, and a return that θ does not enter: the derivative goes under the sum.


# %%
@claim(
    "notes-019",
    "notes-020",
    says=r"$\nabla U = \nabla E[R(\tau)] = \sum_\tau \nabla P(\tau; \theta)\, R(\tau)$",
    verdict=Holds(note="R(τ) itself must not depend on θ, as a KL or entropy bonus inside the reward would"),
    about=paths,
)
def under_the_sum():
    met = list(paths(hall(), POLICY, 2))
    for theta, slope in zip(THETA, slopes_of(objective()), strict=True):
        inside = sum(sympy.diff(path.probability, theta) * total(path) for path in met)
        yield proved(inside - slope, f"Σ R ∂P/∂{theta}, against the derivative of U")
    yield shows(not any(total(path).free_symbols & set(THETA) for path in met), "no θ in any return")


under_the_sum

# %%
log_derivative = same_as("notes-021", of="theory-084", says=r"$\nabla P = P\, \nabla \log P$")
log_derivative

# %% [markdown]
# For the softmax and Gaussian policies of the next pages every action has positive probability, and the condition costs nothing. More
# generally, where θ may move freely a probability that is 0 is at its least, so its gradient is 0 as well and the term is
# rightly left out. (With the table itself for θ the edge of the simplex is an edge, and there the expectation loses a term.)


# %%
@claim(
    "notes-022",
    "notes-023",
    says=r"$\nabla U = \sum_\tau P\, \nabla \log P\, R = E[\nabla \log P(\tau; \theta)\, R(\tau)]$",
    verdict=Holds(note="for policies like those that follow, which give every action a positive probability"),
    about=expect,
)
def as_an_expectation():
    for theta, slope in zip(THETA, slopes_of(objective()), strict=True):
        mean = expect(hall(), POLICY, 2, lambda p, t=theta: total(p) * sympy.diff(sympy.log(p.probability), t))
        yield proved(mean - slope, f"E[R ∂ log P/∂{theta}]")


as_an_expectation


# %%
@claim(
    "notes-025",
    says=r"$\nabla \log P(\tau; \theta) = \sum_{t=0}^H \nabla \log \pi_\theta(a_t \mid s_t)$",
    verdict=Holds(
        note="the factors that are missing or too many in line 139 do not depend on θ, so nothing is lost here"
    ),
    about=(paths, score_table),
)
def the_score_of_a_trajectory():
    mdp, _ = anywhere()
    scores = score_table(mdp, family(mdp))
    listed = {0: [-1 / (1 - x), 1 / x], 1: [-1 / (1 - y), 1 / y]}
    yield proved([scores[s, a, s] - listed[s][a] for s, a in PAIRS], "∂ log π: -1/(1 - x) and 1/x, in y likewise")
    gaps, met = [], list(paths(mdp, POLICY, 2))
    for path, (k, theta) in product(met, enumerate(THETA)):
        whole = sympy.diff(sympy.log(path.probability), theta)
        gaps.append(whole - sum(scores[s, a, k] for s, a in zip(path.states, path.actions, strict=False)))
    yield proved(gaps, "32 paths, moves and start as symbols: H + 1 terms, and neither p nor ρ")
    yield proved(sum(path.probability for path in met) - 1, "those are all")


the_score_of_a_trajectory

# %% [markdown]
# ## The estimate
#
# Its mean is $\nabla U$ for every $N$, and the variance of an average of $N$ independent trajectories is $1/N$ of that of one.

# %%
NUMERIC = [[1, 0], [2, 5]]


def numeric():
    """The hall with rewards 1, 0, 2, 5 and chances x = 1/2, y = 1/3."""
    mdp = hall(NUMERIC, ONE)
    return mdp, family(mdp, [[HALF, HALF], [2 * THIRD, THIRD]])


def exact_slopes():
    return [Fraction(str(sympy.sympify(g).subs(NUMBERS))) for g in slopes_of(objective(NUMERIC))]


def pairs_of(law):
    """Mean and variance of the average of two independent draws from [(probability, vector)]."""
    both = [(p * q, (g + h) / 2) for (p, g), (q, h) in product(law, repeat=2)]
    mean = sum(p * g for p, g in both)
    return mean, sum(p * (g - mean) ** 2 for p, g in both)


@claim(
    "notes-026",
    "notes-027",
    says=r"$\nabla U = E[\sum_{t=0}^H \nabla \log \pi_\theta(a_t \mid s_t)\, R(\tau)]$, and the mean over $N$ sampled trajectories "
    "estimates it",
    verdict=Holds(note="the N trajectories are drawn independently, from the very π_θ whose gradient is wanted"),
    about=(reinforce, estimator_law),
)
def the_whole_return():
    symbolic = reinforce(hall(), family(hall()))
    yield proved(expect(hall(), POLICY, 2, symbolic) - slopes_of(objective()), "its mean, against the derivative of U")
    mdp, here = numeric()
    estimate = reinforce(mdp, here)
    law = estimator_law(mdp, here.policy, 2, estimate)
    yield equal(law.mean, exact_slopes(), "rewards 1, 0, 2, 5, x = 1/2, y = 1/3: the same in numbers")
    mean, variance = pairs_of([(p.probability, estimate(p)) for p in paths(mdp, here.policy, 2)])
    yield equal(mean, law.mean, "N = 2, every pair of trajectories: unbiased")
    yield equal(2 * variance, law.variance, "and half the variance")


the_whole_return

# %% [markdown]
# **Good and bad.** The sign of the push is the sign of $R(\tau)$, not of how good the trajectory was. In a bandit that pays 1 and 3, a sample of the
# worse arm pushes towards the worse arm. What puts this right is the mean, in which 3 pushes harder than 1, or a baseline.


# %%
def own_push(rewards, baseline=0):
    """By how much a sample of each arm raises its own logit, at even odds."""
    arms = gallery.bandit([Fraction(r) for r in rewards])
    estimate = reinforce(arms, softmax_at(arms, uniform(arms))).minus(lambda t, s: Fraction(baseline))
    return [estimate(path)[0, path.actions[0]] for path in paths(arms, uniform(arms), 1)]


@claim(
    "notes-028",
    says="If a trajectory was good its actions are reinforced, if it was bad they are suppressed",
    verdict=Conditional(
        given="'bad' is a negative return, or a baseline is subtracted; bad but positive returns reinforce as well"
    ),
    about=(own_push, reinforce),
)
def the_sign_of_the_return():
    yield equal(own_push([-1, 3]), [-HALF, Fraction(3, 2)], "returns -1 and 3: the bad arm is suppressed")
    pushes = own_push([1, 3])
    yield equal(pushes, [HALF, Fraction(3, 2)], "returns 1 and 3: half the return, for both")
    yield against(pushes[0] > 0, "the bad arm is reinforced")
    yield equal(own_push([1, 3], baseline=2), [-HALF, HALF], "less the mean of 2: one down, one up")


the_sign_of_the_return

# %% [markdown]
# ## Reward to go
#
# $E[\nabla \log \pi(a_t \mid s_t)\, r_k] = 0$ for $k < t$: once $s_t$ is given, the past is fixed and the score has mean zero. So the past may be dropped. That
# its presence is *wasteful* is mostly, not always, true: it acts as a baseline, and may be a good one.


# %%
@claim(
    "notes-029",
    says="An action cannot affect earlier rewards, so they need not be assigned to it",
    verdict=Holds(note="in the mean; whether the estimate gets quieter depends on the model"),
    about=score_table,
)
def the_past():
    mdp = hall()
    scores = score_table(mdp, family(mdp))
    first, second = (
        [expect(mdp, POLICY, 2, lambda w, t=t, k=k: w.rewards[k] * scores[w.states[t], w.actions[t]]) for k in (0, 1)]
        for t in (0, 1)
    )
    yield proved(second[0], "E[∇ log π(a_1|s_1) r_0] = 0, all rewards free")
    parts = first[0] + first[1] + second[1]
    yield proved(parts - slopes_of(objective()), "the other three of the four products add up to ∇U")


the_past


# %%
@claim(
    "notes-030",
    says=r"$G_t = \sum_{k=t}^H R(s_k, a_k)$, the return from time $t$ onward",
    verdict=Holds(
        note="the undiscounted G_t of line 56, with R_{k+1} = R(s_k, a_k) and T = H + 1; not the discounted one of line 64"
    ),
    about=returns_to_go,
)
def from_t_onward():
    r = sympy.symbols("R1:5", real=True)
    found = returns_to_go(r, [False, False, False, True], None, 1)
    yield proved(
        [found[t] - sum(r[k] for k in range(t, 4)) for t in range(4)], "H = 3: four returns, from t = 0, 1, 2, 3"
    )
    yield proved(found[3] - r[3], "the last is the reward of (s_H, a_H) alone")


from_t_onward


# %%
@claim(
    "notes-031",
    says=r"$\nabla U \approx \frac1N \sum_i \sum_{t=0}^H \nabla \log \pi_\theta(a_t^i \mid s_t^i)\, G_t^i$",
    verdict=Holds(
        note="with G_t undiscounted, as line 225 has it; with that of line 64 each term would need a factor γ^t"
    ),
    about=(reward_to_go, estimator_law),
)
def the_return_to_go():
    symbolic = reward_to_go(hall(), family(hall()))
    yield proved(
        expect(hall(), POLICY, 2, symbolic) - slopes_of(objective()), "mean for N = 1, against the derivative of U"
    )
    mdp, here = numeric()
    estimate = reward_to_go(mdp, here)
    law = estimator_law(mdp, here.policy, 2, estimate)
    yield equal(law.mean, exact_slopes(), "rewards 1, 0, 2, 5, x = 1/2, y = 1/3")
    mean, variance = pairs_of([(p.probability, estimate(p)) for p in paths(mdp, here.policy, 2)])
    yield equal(mean, law.mean, "N = 2, every pair of trajectories")
    yield equal(2 * variance, law.variance, "half the variance")


the_return_to_go
