# %% [markdown]
# # Soft actor-critic
#
# *Document `reference`, lines 152 to 163.* The maximum-entropy objective, its Bellman equations, soft policy iteration, and the
# temperature.
#
# The equations are right, and with symbols for everything they can be proved on a small model. Two lines need a word more: the
# objective, which has no discount while the equations under it have one, and the target entropy, which the entropy written above it cannot reach.

# %%
from fractions import Fraction
from math import e, log, pi, sqrt

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    against,
    below,
    claim,
    close,
    equal,
    proved,
    refuses,
    shows,
    swept,
)
from rlexact.door import InvalidPolicy
from rlexact.exact.soft_bellman import soft_bellman_policy, soft_greedy
from rlexact.exact.soft_evaluation import soft_action_value_without_first, soft_expected_return, soft_policy_value
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.formulas.entropy import entropy
from rlexact.formulas.gaussian import gaussian_entropy
from rlexact.formulas.sac import sac_target
from rlexact.formulas.sac_discrete import soft_state_value
from rlexact.formulas.sac_temperature import target_entropy, temperature_loss, temperature_loss_gradient
from rlexact.formulas.soft_q import boltzmann, boltzmann_log_probs
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, convergence, figure
from rlexact.policy import uniform
from rlexact.symbolic.soft import soft_value_is_the_maximum

SECTION = Section("reference", "sac", "Soft actor-critic")

A, B = 0, 1
LEFT, RIGHT = 0, 1
ALPHA, GAMMA, P = (sympy.Symbol(name, positive=True) for name in ("alpha", "gamma", "p"))
LOG2 = sympy.log(2)

# %% [markdown]
# ## The objective
#
# One state, two actions: stop, or go on and be paid $r$. A coin decides. Two tosses are expected, each with $\log 2$ of entropy, so
# the printed sum is $r + 2\alpha \log 2$. That is the soft value at γ = 1. With γ = 1/2, which lines 157 and 159 allow, the soft value is
# another number: the sum then needs γ^t, as in the later papers on SAC. And where no episode ends the printed sum is infinite.


# %%
def stop_or_go(gamma, ends=True):
    """Action 0 stops, action 1 pays r and goes on; or, without ends, both go on."""
    r = sympy.Symbol("r", positive=True)
    stop = (1, None, 0, True) if ends else (1, 0, 0, False)
    return r, MDP.from_outcomes({(0, 0): [stop], (0, 1): [(1, 0, r, False)]}, sympy.sympify(gamma), 0)


@claim(
    "reference-102",
    says=r"$J(\pi) = E_{\tau \sim \pi}\left[\sum_t (r(s_t, a_t) + \alpha H(\pi(\cdot|s_t)))\right]$",
    verdict=Conditional(
        given="γ = 1 and episodes end; the soft Bellman equations with γ < 1 solve the sum with γ^t in it"
    ),
    about=soft_expected_return,
)
def undiscounted_objective():
    r, mdp = stop_or_go(1)
    t, half = sympy.Symbol("t", integer=True, nonnegative=True), sympy.Rational(1, 2)
    series = sympy.summation(half**t * (r / 2 + ALPHA * LOG2), (t, 0, sympy.oo))
    yield proved(series - (r + 2 * ALPHA * LOG2), "the printed sum, step t being reached with (1/2)^t")
    yield proved(soft_expected_return(mdp, uniform(mdp), ALPHA) - series, "it is the soft value at γ = 1")
    shorter = stop_or_go("1/2")[1]
    value = soft_expected_return(shorter, uniform(shorter), ALPHA)
    yield against(
        bool((series - value).is_positive),
        f"at γ = 1/2 the printed sum is larger than the soft value by {series - value}",
    )
    yield proved(value - (r / 2 + ALPHA * LOG2) / (1 - sympy.Rational(1, 4)), "with γ^t: Σ (γ/2)^t (r/2 + α log 2)")
    endless = stop_or_go(1, ends=False)[1]
    yield refuses(InvalidPolicy, lambda: soft_expected_return(endless, uniform(endless), ALPHA), "endless at γ = 1")


undiscounted_objective


# %%
@claim(
    "reference-103",
    says=r"$H(\pi(\cdot|s)) = -\sum_a \pi(a|s) \log \pi(a|s)$ is the entropy",
    verdict=Holds(
        note="over finitely many actions, with 0 log 0 = 0; over continuous ones the sum is an integral, and may be negative"
    ),
    about=entropy,
)
def entropy_of_a_policy():
    law = np.array([P, 1 - P])
    mean = P * -sympy.log(P) + (1 - P) * -sympy.log(1 - P)
    yield proved(entropy(law) - mean, "the mean of -log π(a), two actions, any p")
    yield proved(entropy(np.array([sympy.Rational(1, 5)] * 5)) - sympy.log(5), "five equally likely actions: log 5")
    yield proved(entropy(np.array([sympy.Integer(1), sympy.Integer(0)])), "a sure action: 0")


entropy_of_a_policy

# %% [markdown]
# ## The soft Bellman equations
#
# They define each other: $Q$ leaves out the entropy of its own action, $V$ puts it in. On the loop between A and B, with $p$ for going
# left at A, a coin at B, and symbols for γ and α, the library's values are those of the two equations written out and solved by hand.


# %%
def loop_and_policy():
    loop = gallery.left_right_loop(GAMMA)
    half = sympy.Rational(1, 2)
    return loop, np.array([[P, 1 - P], [half, half]])


def solved_by_hand():
    """V(A), V(B) from V(A) = p(1 + γV(A)) + (1-p)(3 + γV(B)) + αH(p), V(B) = (γV(A) + 10)/2 + α log 2."""
    a, b = sympy.symbols("a b")
    noise = -P * sympy.log(P) - (1 - P) * sympy.log(1 - P)
    at_a = P * (1 + GAMMA * a) + (1 - P) * (3 + GAMMA * b) + ALPHA * noise
    found = sympy.solve([at_a - a, (GAMMA * a + 10) / 2 + ALPHA * LOG2 - b], [a, b])
    return np.array([found[a], found[b]])


@claim(
    "reference-104",
    says=r"$V(s_t) = E_{a_t \sim \pi}[Q(s_t, a_t) - \alpha \log \pi(a_t|s_t)]$",
    verdict=Holds(),
    about=(soft_policy_value, soft_state_value),
)
def soft_state_values():
    loop, policy = loop_and_policy()
    v = solved_by_hand()
    yield proved(soft_policy_value(loop, policy, ALPHA) - v, "V of the loop, any p, γ, α")
    q = np.array([1 + GAMMA * v[A], 3 + GAMMA * v[B]])
    logs = np.array([sympy.log(x) for x in policy[A]])
    yield proved(soft_state_value(q, logs, ALPHA) - v[A], "the display at A")


soft_state_values


# %%
@claim(
    "reference-105",
    says=r"$Q(s_t, a_t) = r(s_t, a_t) + \gamma E_{s_{t+1}}[V(s_{t+1})]$",
    verdict=Holds(note="V is 0 once the episode is over, and Q leaves out the entropy of its own first action"),
    about=(soft_action_value_without_first, sac_target),
)
def soft_action_values():
    loop, policy = loop_and_policy()
    v, q = solved_by_hand(), soft_action_value_without_first(loop, policy, ALPHA)
    yield proved(q - [[1 + GAMMA * v[A], 3 + GAMMA * v[B]], [GAMMA * v[A], 10]], "Q of the loop, any p, γ, α")
    logs = np.array([sympy.log(x) for x in policy[A]])
    at = {P: sympy.Rational(1, 3), GAMMA: sympy.Rational(1, 2), ALPHA: sympy.Integer(2)}
    next_q, log_pi, law = ([float(x.subs(at)) for x in row] for row in (q[A], logs, policy[A]))
    mean = np.dot(law, sac_target([0.0, 0.0], next_q, next_q, log_pi, [False, False], 0.5, 2.0))
    yield close(mean, float(q[B, LEFT].subs(at)), 1e-12, "rounding", "left at B: the mean over a' of SAC's target")


soft_action_values

# %% [markdown]
# ## Soft policy iteration
#
# The two indices allow two readings. If $V^k$ is the value of $\pi^k$, the first line is its action value and the algorithm is
# policy iteration. If $V^k$ is what line 156 makes of $Q^k$, each round is one backup, and the algorithm is soft value iteration: the error
# shrinks by γ a round, although the value of $\pi^k$ itself need not rise. Both end at the soft optimum.


# %%
def rounds(q, n, gamma=0.9, alpha=1.0):
    """Q^0, ..., Q^n of lines 159 and 160 on the loop, V^k by line 156; written out by hand."""
    made = [np.array(q, dtype=float)]
    for _ in range(n):
        q = made[-1]
        weights = np.exp((q - q.max(axis=1, keepdims=True)) / alpha)
        policy = weights / weights.sum(axis=1, keepdims=True)
        v = (policy * (q - alpha * np.log(policy))).sum(axis=1)
        made.append(np.array([[1 + gamma * v[A], 3 + gamma * v[B]], [gamma * v[A], 10]]))
    return made


@claim(
    "reference-106",
    says=r"Soft policy iteration, evaluation: $Q^{k+1}(s, a) = r(s, a) + \gamma E_{s'}[V^k(s')]$",
    verdict=Holds(
        note="γ < 1; with one backup a round it is soft value iteration, where V of the policies need not rise"
    ),
    about=(soft_policy_iteration, soft_policy_value, soft_bellman_policy),
)
def one_backup_a_round():
    loop = gallery.left_right_loop().to_float()
    best = soft_policy_iteration(loop, 1.0).q
    yield close(
        rounds(np.zeros((2, 2)), 400)[-1], best, 1e-7, "0.9^400 < 1e-18, best within 1e-8", "400 rounds from Q = 0"
    )
    coin, v = uniform(loop), np.zeros(2)
    for _ in range(400):
        v = soft_bellman_policy(loop, coin, v, 1.0)
    a = (0.5 * (1 + 3 + 0.9 * (5 + log(2))) + log(2)) / (1 - 0.45 - 0.2025)
    exact = [a, 0.45 * a + 5 + log(2)]
    yield close(soft_policy_value(loop, coin, 1.0), exact, 1e-12, "rounding", "V of the coin, by hand")
    yield close(v, exact, 1e-12, "rounding; 0.9^400 < 1e-18", "line 159 repeated for one policy ends there")
    best_v = soft_policy_value(loop, boltzmann(best, 1.0), 1.0)
    shifted = rounds(best + np.array([[0.0], [-20.0]]), 1)[1]
    yield below(
        soft_policy_value(loop, boltzmann(shifted, 1.0), 1.0),
        best_v,
        "Q⁰ = Q* but for -20 at B: π⁰ is optimal, π¹ is not",
    )


one_backup_a_round


# %%
@figure
def rounds_to_the_optimum():
    """Largest error of Q^k from Q = 0 on the loop, α = 1, beside γ^k."""
    best = rounds(np.zeros((2, 2)), 400)[-1]
    errors = [float(np.abs(q - best).max()) for q in rounds(np.zeros((2, 2)), 40)]
    ax = convergence({"one backup a round": errors}, 0.9)
    return ax.set(xlabel="rounds k", ylabel="largest error of $Q^k$") and ax.figure


rounds_to_the_optimum

# %% [markdown]
# ## The improved policy
#
# For fixed $Q$ the maximum over all policies is attained by the Boltzmann policy, and by no other: with $Z = \sum_a e^{Q/\alpha}$,
#
# $$\sum_a \pi (Q - \alpha \log \pi) = \alpha \log Z - \alpha\, \mathrm{KL}(\pi \| e^{Q/\alpha} / Z) .$$
#
# SAC's actor is a network and comes as near to it as its family allows.


# %%
@claim(
    "reference-107",
    says=r"$\pi^{k+1} = \arg\max_\pi E_{a \sim \pi}[Q^{k+1}(s, a) - \alpha \log \pi(a|s)]$",
    verdict=Holds(
        note="the argmax over all policies, α > 0, is Boltzmann's; with Q of the old policy no state's value falls"
    ),
    about=(soft_state_value, boltzmann_log_probs),
)
def boltzmann_improves():
    q = np.array(sympy.symbols("q_1 q_2", real=True))
    Z = sum(sympy.exp(x / ALPHA) for x in q)
    law = np.array([P, 1 - P])
    kl = sum(w * (sympy.log(w) - x / ALPHA + sympy.log(Z)) for w, x in zip(law, q, strict=True))
    gain = soft_state_value(q, np.array([sympy.log(w) for w in law]), ALPHA)
    yield proved(gain - (ALPHA * sympy.log(Z) - ALPHA * kl), "the display's objective, any policy: α log Z - α KL")
    yield shows(soft_value_is_the_maximum().proved() is True, "KL ≥ 0: no policy has more than α log Z, three actions")
    logs = boltzmann_log_probs(q, ALPHA)
    yield proved(
        [x / ALPHA - sympy.log(Z) - y for x, y in zip(q, logs, strict=True)], "and the Boltzmann policy has KL = 0"
    )

    def fall(seed):
        mdp = gallery.random_mdp(seed, 4, 3).to_float()
        coin = uniform(mdp)
        v = soft_policy_value(mdp, coin, 0.5)
        return v - soft_policy_value(mdp, soft_greedy(mdp, v, 0.5), 0.5)

    yield swept(fall, range(12), "V of the old policy minus V of the improved one", 1e-12, "rounding")


boltzmann_improves


# %%
@figure
def what_alpha_does():
    """The objective of line 160 for Q = (1, 3), by the probability of the worse action; dots mark Boltzmann's."""
    import matplotlib.pyplot as plt

    p, q = np.linspace(1e-6, 1 - 1e-6, 201), np.array([1.0, 3.0])
    fig, ax = plt.subplots()
    for alpha, colour in zip((0.3, 1.0, 3.0), COLOURS, strict=False):
        gain = p * (q[0] - alpha * np.log(p)) + (1 - p) * (q[1] - alpha * np.log(1 - p))
        best = float(boltzmann(q, alpha)[0])
        ax.plot(p, gain, color=colour, label=f"α = {alpha:g}")
        ax.plot([best], [alpha * np.log(np.exp(q / alpha).sum())], "o", color=colour)
    ax.set(xlabel="π(worse action)", ylabel="E[Q - α log π]", title="Where the maximum lies")
    ax.legend()
    return fig


what_alpha_does

# %% [markdown]
# ## The temperature
#
# Minimised over α > 0. Its mean is $\alpha (H - \bar H)$, its slope $H - \bar H$: too much entropy lowers α, too little raises it.


# %%
@claim(
    "reference-108",
    says=r"$J(\alpha) = E_{a_t \sim \pi}[-\alpha \log \pi(a_t|s_t) - \alpha \bar H]$",
    verdict=Holds(note="minimised over α > 0, with π held"),
    about=(temperature_loss, temperature_loss_gradient),
)
def entropy_meets_its_target():
    target = sympy.Symbol("h", real=True)
    law, logs = np.array([P, 1 - P]), np.array([sympy.log(P), sympy.log(1 - P)])
    H = -(law * logs).sum()
    yield proved(
        law @ temperature_loss(ALPHA, logs, target) - ALPHA * (H - target), "E J = α (H - H̄), two actions, any p"
    )
    yield proved(law @ temperature_loss_gradient(ALPHA, logs, target) - (H - target), "its slope in α: H - H̄")
    above, under = temperature_loss_gradient(Fraction(1, 2), [Fraction(-1), Fraction(1)], Fraction(0))
    yield equal([above, under], [1, -1], "H = 1 above a target of 0: α falls by descent; H = -1: it rises")


entropy_meets_its_target

# %% [markdown]
# ## The target
#
# $-\dim A$ is what SAC's authors use for continuous actions in $[-1, 1]$, where a density may have negative entropy: in one dimension a
# normal law of standard deviation 0.089 meets it. With the entropy of line 154, a sum over actions, nothing does: that sum is never below 0,
# the slope of $J(\alpha)$ is at least $\dim A$, and α falls to 0. Nor is the number free of units: on $[-0.1, 0.1]$ even the uniform law has less than -1.


# %%
@claim(
    "reference-109",
    says=r"The target entropy $\bar H$ is typically $-\dim(A)$",
    verdict=Conditional(
        given="actions are continuous, scaled to [-1, 1], and H is differential; the entropy of line 154, a sum, never falls to it"
    ),
    about=(target_entropy, temperature_loss_gradient, gaussian_entropy),
)
def the_usual_target():
    yield equal([target_entropy(n) for n in (1, 6, 17)], [-1, -6, -17], "for 1, 6 and 17 coordinates")
    width = 1 / (e * sqrt(2 * pi * e))
    yield close(gaussian_entropy(width), -1.0, 1e-12, "rounding", "a normal law with σ = e^(-1)/√(2πe) = 0.089")
    sure = temperature_loss_gradient(1, [Fraction(0)], target_entropy(1))
    yield equal(sure, [1], "H = 0, the least that the sum over actions can be: the slope of J(α) is 1")
    yield against(sure[0] > 0, "so every discrete policy has more entropy than its target: α falls for ever")
    yield against(log(0.2) < -1, "on [-0.1, 0.1] no density reaches -1: the uniform one has log 0.2 = -1.61, the most")


the_usual_target
