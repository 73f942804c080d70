# %% [markdown]
# # Off-policy learning and deep Q-networks
#
# *Document `reference`, lines 132 to 142.* Importance sampling, for expectations and for the policy gradient; the loss of a
# deep Q-network and its frozen target; double DQN.
#
# Each formula is the known one. What the list leaves out are the conditions: where the behaviour must act, which return is meant,
# and what happens to the bootstrap when the episode is over.

# %%
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import Conditional, Holds, Section, claim, differs, equal, proved
from rlexact.exact.bellman import backup
from rlexact.exact.gradient import finite_horizon_gradient
from rlexact.exact.importance_sampling import per_decision_law, trajectory_law
from rlexact.exact.max_estimators import double_max_law, single_max_law
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import paths
from rlexact.formulas.dqn import double_dqn_targets, dqn_targets, squared_td_loss
from rlexact.formulas.importance import importance_sampling_estimate
from rlexact.formulas.off_policy import trajectory_weighted_surrogate_gradient, weighted_variance
from rlexact.formulas.target_network import hard_update_lag, soft_update, soft_update_lag
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import uniform

SECTION = Section("reference", "off_policy_and_dqn", "Off-policy learning and deep Q-networks")

HALF, THIRD, QUARTER = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
A, B = 0, 1

# %% [markdown]
# ## Samples of one law, expectations of another
#
# Draws of $q$, each weighted with $p/q$, have the mean of $p$. A batch in which every outcome occurs as often as $q$ says is that mean:
# with $q = (1/4, 3/4)$, one draw of the first outcome and three of the second. Where $q$ is 0 nothing is drawn, and what $p$ expects from there is lost.


# %%
def batch_mean(p, f):
    """E_q[p/q f] for q = (1/4, 3/4): one draw of the first outcome and three of the second."""
    ratios = [p[0] / QUARTER, *[p[1] / (3 * QUARTER)] * 3]
    return importance_sampling_estimate(np.array(ratios), np.array([f[0], *[f[1]] * 3]))


@claim(
    "reference-091",
    says=r"$E_{x \sim p}[f(x)] = E_{x \sim q}[\tfrac{p(x)}{q(x)} f(x)]$",
    verdict=Conditional(
        given="q > 0 wherever p f ≠ 0, and E_p f exists; what q never draws is missing from the right side"
    ),
    about=(importance_sampling_estimate, weighted_variance),
)
def expectations_of_another_law():
    yield equal(batch_mean((HALF, HALF), (3, -5)), -1, "p even, f = 3 and -5: E_p f = -1")
    f, p = sympy.symbols("f_1 f_2", real=True), sympy.Symbol("p", positive=True)
    exact = [sympy.Rational(4) * p, *[sympy.Rational(4, 3) * (1 - p)] * 3]
    mean = importance_sampling_estimate(np.array(exact), np.array([f[0], f[1], f[1], f[1]]))
    yield proved(mean - (p * f[0] + (1 - p) * f[1]), "for every p and f")
    lost = importance_sampling_estimate([HALF], [Fraction(3)])
    yield differs(lost, Fraction(-1), "q draws the first outcome only: ratio 1/2, f = 3")
    noise = weighted_variance([HALF, HALF], [QUARTER, 3 * QUARTER], [3, -5])
    yield equal(
        noise,
        Fraction(49, 3),
        "and the price, Var_q: 9·(1/4)/(1/4) + 25·(1/4)/(3/4) - 1 = 9 + 25/3 - 1; under p it is 16",
    )


expectations_of_another_law

# %% [markdown]
# ## The policy gradient from another policy's episodes
#
# The product of the ratios turns the law of whole trajectories into that of the current policy; the environment cancels. So the
# right side is $E_{\pi_\theta}[\sum_t \nabla \log \pi_\theta\, G_t]$, whatever $G_t$ is. For this to be $\nabla J$, returns must be counted as $J$ counts them. Line
# 62 of the document defines $J$ as the undiscounted sum, its $G_t$ is discounted: the two meet at γ = 1. Below γ = 1 the printed mean is
# the gradient neither of that $J$ nor of the discounted one, which needs $\gamma^t$ in front of each term.
#
# The episode is two steps of the loop between A and B, the policy goes right with 2/3 at A and 3/4 at B, and the behaviour tosses a coin.
# By hand at γ = 1, $J = 2 + 3p - 2p^2 + 10 p b$ with $p, b$ the two probabilities of going right.


# %%
POLICY = np.array([[THIRD, 2 * THIRD], [QUARTER, 3 * QUARTER]])


def logarithms(policy, path):
    """log π(a_t | s_t) along a path, exact."""
    taken = [policy[s, a] for s, a in zip(path.states, path.actions, strict=False)]
    return np.array([sympy.log(sympy.Rational(x.numerator, x.denominator)) for x in taken])


def printed_gradient(mdp, behaviour, steps=2):
    """E over the behaviour's paths of Π ρ · Σ_t ∇ log π(a_t | s_t) G_t, in the logits (S, A)."""
    total = np.full((2, 2), Fraction(0))
    for path in paths(mdp, behaviour, steps):
        T = len(path.actions)
        gains = [sum(mdp.gamma ** (k - t) * path.rewards[k] for k in range(t, T)) for t in range(T)]
        gains = np.array([sympy.Rational(g.numerator, g.denominator) for g in gains])
        weights = trajectory_weighted_surrogate_gradient(logarithms(POLICY, path), logarithms(behaviour, path), gains)
        for s, a, w in zip(path.states, path.actions, weights, strict=False):
            weight = Fraction(int(sympy.nsimplify(w).p), int(sympy.nsimplify(w).q))
            total[s] += path.probability * weight * (np.eye(2, dtype=int)[a] - POLICY[s])
    return total


@claim(
    "reference-092",
    says=r"$\nabla_\theta J(\theta) = E_{\tau \sim \pi_{old}}\left[\prod_t \frac{\pi_\theta}{\pi_{old}} \sum_t \nabla_\theta \log \pi_\theta(a_t|s_t)\, G_t\right]$",
    verdict=Conditional(
        given="π_old takes every action that π_θ takes, and γ = 1: J counts rewards undiscounted, and a discounted J needs "
        "γ^t in front of each G_t"
    ),
    about=(trajectory_weighted_surrogate_gradient, finite_horizon_gradient),
)
def gradient_from_other_episodes():
    loop = gallery.left_right_loop(1)
    coin = uniform(loop)
    truth = finite_horizon_gradient(loop, softmax_at(loop, POLICY), 2)
    by_hand = [[-Fraction(47, 27), Fraction(47, 27)], [-Fraction(5, 4), Fraction(5, 4)]]
    yield equal(truth, by_hand, "∇J: ∂J/∂p = 47/6 times p(1-p) = 2/9, ∂J/∂b = 20/3 times 3/16")
    yield equal(printed_gradient(loop, coin), by_hand, "the printed mean over the coin's paths, γ = 1")
    never = np.array([[HALF, HALF], [Fraction(1), Fraction(0)]])
    yield differs(printed_gradient(loop, never), truth, "a behaviour that never goes right at B")
    halved = gallery.left_right_loop(HALF)
    mean = printed_gradient(halved, coin)
    yield equal(mean[:, 1], [Fraction(7, 6), Fraction(5, 4)], "γ = 1/2, the printed mean, by hand")
    yield differs(mean, truth, "against the undiscounted J of line 62")
    discounted = finite_horizon_gradient(halved, softmax_at(halved, POLICY), 2)
    yield equal(discounted[:, 1], [Fraction(59, 54), Fraction(5, 8)], "the gradient of the discounted J, by hand")
    yield differs(mean, discounted, "against it")


gradient_from_other_episodes

# %% [markdown]
# The mean is right at any length of the trajectory, the noise is not: a product of ratios has a second moment that is itself a product.
# Counting each reward with only the ratios up to its action keeps the mean and saves part of the noise.


# %%
@figure
def noise_of_products():
    """Standard deviation of two unbiased estimates of a sure return, 1 a step for T steps, over T: π = (1/4, 3/4) from a coin."""
    import matplotlib.pyplot as plt

    mdp, steps = MDP([[[1], [1]]], [[1, 1]], Fraction(1)), range(1, 31)
    policy = np.array([[QUARTER, 3 * QUARTER]])
    laws = {"product of all ratios": trajectory_law, "ratios up to each reward": per_decision_law}
    fig, ax = plt.subplots()
    for (name, law), colour in zip(laws.items(), COLOURS, strict=False):
        spread = [float(law(mdp, policy, uniform(mdp), n).variance[0]) ** 0.5 / n for n in steps]
        ax.semilogy(steps, spread, "o-", label=name, color=colour)
    ax.set(xlabel="steps T", ylabel="standard deviation / T", title="One trajectory, reweighted")
    ax.legend()
    return fig


noise_of_products

# %% [markdown]
# ## The loss of a deep Q-network
#
# With θ⁻ held, the loss is a regression. Its minimiser at a pair is the mean target, which is the Bellman backup of
# $\max_{a'} Q(\cdot, a'; \theta^-)$ with the frequencies of the buffer, and what is left at the minimum is the variance of the targets. But the
# display bootstraps after every transition. A network gives some number for the state in which an episode ended; the target has to leave it out.


# %%
def two_ways():
    """From 0 a coin leads to 1 and pays 2, or leads to 2 and pays nothing; from there back; γ = 1/2."""
    table = {(0, a): [(QUARTER, 1, 2, False), (3 * QUARTER, 2, 0, False)] for a in (0, 1)}
    table |= {(s, a): [(Fraction(1), 0, a, False)] for s in (1, 2) for a in (0, 1)}
    return MDP.from_outcomes(table, HALF, 0)


FROZEN = np.array([[0, 1], [4, 6], [2, -8]]) * Fraction(1)


@claim(
    "reference-093",
    says=r"$L(\theta) = E_{(s,a,r,s') \sim D}[(r + \gamma \max_{a'} Q(s', a'; \theta^-) - Q(s, a; \theta))^2]$, D a replay buffer",
    verdict=Conditional(given="the bootstrap is 0 where the episode ended with the transition: γ (1 - done) max Q"),
    about=(dqn_targets, squared_td_loss),
)
def loss_of_a_q_network():
    targets = dqn_targets([2, 0, 0, 0], FROZEN[[1, 2, 2, 2]], [False] * 4, HALF)
    yield equal(targets, [5, 1, 1, 1], "four transitions in the world's proportions: 2 + 6/2, and 0 + 2/2")
    q = sympy.Symbol("q", real=True)
    exact = np.array([sympy.Integer(int(y)) for y in targets])
    loss = squared_td_loss(np.array([q] * 4), exact, reduction="mean")
    minimum = backup(two_ways(), FROZEN.max(axis=1))[0, 0]
    yield equal(minimum, 2, "the Bellman backup of max Q⁻ at that pair: 1/4 · 5 + 3/4 · 1")
    yield proved(loss - ((q - 2) ** 2 + 3), "L(q) = (q - 2)² + 3: minimal at the backup, 3 is the targets' variance")
    ended = {"rewards": [Fraction(1)], "next_q_target": [[Fraction(8), Fraction(3)]], "gamma": HALF}
    yield equal(dqn_targets(terminated=[True], **ended), [1], "paid 1 and over: worth 1")
    yield differs(
        dqn_targets(terminated=[False], **ended), [1], "as printed, with the network's 8 for what comes after the end"
    )


loss_of_a_q_network

# %% [markdown]
# ## What 'updated slowly' means
#
# Two habits: copy θ every $K$ updates, or move a share τ of the way after each. When θ moves steadily, the soft target trails it by
# $(1-\tau)/\tau$ updates in the end, the hard one by $(K-1)/2$ on average. Both move, and both are late; τ = 1 or $K = 1$ would be neither.


# %%
@claim(
    "reference-094",
    says="θ⁻ are the parameters of a target network, updated slowly",
    verdict=Holds(
        note="as a description: τ = 0.005 trails by 199 updates, a copy every 10 000 by 4999.5; a promise to converge it is not"
    ),
    about=(soft_update, soft_update_lag, hard_update_lag),
)
def trailing_parameters():
    tau = sympy.Symbol("tau", positive=True)
    target, n = sympy.Integer(0), 6
    for t in range(1, n + 1):
        target = soft_update(target, sympy.Integer(t), tau)
    lag = soft_update_lag(tau)
    yield proved(
        n - target - lag * (1 - (1 - tau) ** n), "θ = 1, 2, 3, …: the target is (1-τ)/τ behind, but for (1-τ)ⁿ"
    )
    yield equal(soft_update_lag(Fraction(1, 200)), 199, "τ = 0.005")
    ages = [Fraction(k) for k in range(10_000)]
    yield equal(hard_update_lag(Fraction(10_000)), sum(ages) / 10_000, "K = 10 000: the mean age over a period")


trailing_parameters

# %% [markdown]
# ## Double DQN
#
# The online network names the action, the frozen one says what it is worth. At an end the target is $r$, as before.


# %%
@claim(
    "reference-095",
    says=r"$y_t = r_t + \gamma Q(s_{t+1}, \arg\max_{a'} Q(s_{t+1}, a'; \theta); \theta^-)$",
    verdict=Conditional(given="s_{t+1} does not end the episode; there y = r"),
    about=double_dqn_targets,
)
def double_target():
    online, frozen = [[Fraction(1), Fraction(5), Fraction(4)]], [[Fraction(9), Fraction(2), Fraction(6)]]
    yield equal(double_dqn_targets([3], online, frozen, [False], HALF), [4], "3 + 2/2: action 1, valued by θ⁻")
    one = double_dqn_targets([3], frozen, frozen, [False], HALF)
    yield equal(one, [Fraction(15, 2)], "θ = θ⁻ is DQN: 3 + 9/2")
    yield equal(double_dqn_targets([3], online, frozen, [True], HALF), [3], "the episode is over: 3")
    unmasked = double_dqn_targets([3], online, frozen, [False], HALF)
    yield differs(unmasked, [Fraction(3)], "as printed, for an episode that is over")


double_target


# %% [markdown]
# Why two networks? Three actions, each worth 0, each estimated as ±1 by a coin. The largest of three estimates is 3/4 on average. The
# second estimate of the action that the first prefers is 0 on average.


# %%
@claim(
    "reference-096",
    says="The online network selects the action, the target network evaluates it",
    verdict=Holds(),
    about=(double_dqn_targets, double_max_law, single_max_law),
)
def select_and_evaluate():
    tables = [[Fraction(x) for x in row] for row in product((0, 1, 2), repeat=3)]
    pairs = list(product(tables, repeat=2))
    found = double_dqn_targets([0] * len(pairs), [q for q, _ in pairs], [w for _, w in pairs], [False] * len(pairs), 1)
    yield equal(
        found, [w[q.index(max(q))] for q, w in pairs], "all 729 pairs of tables: θ's best action, θ⁻'s value for it"
    )
    coin = [{Fraction(1): HALF, Fraction(-1): HALF}] * 3
    yield equal(single_max_law(coin).mean, 3 * QUARTER, "one network for both: 1 - 2 · (1/2)³")
    yield equal(double_max_law(coin).mean, 0, "two, independent: no bias upwards")


select_and_evaluate
