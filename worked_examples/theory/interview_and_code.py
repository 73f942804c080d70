# %% [markdown]
# # The closing questions and the closing program
#
# *Document `theory`, lines 475 to 505.* The document ends with advice on walking robots, a program for REINFORCE of twenty-odd lines, and a
# paragraph that calls half of numerical mathematics a contraction. Advice can be put to small models: which policy does the reward with these
# weights prefer? A program can be run on *every* batch of a small model, so that what it computes is a theorem, not an impression. And a
# contraction has a factor, which can be worked out.

# %%
import math
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Qualitative,
    Section,
    Wrong,
    against,
    agrees,
    at_most,
    below,
    claim,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    same_as,
    shows,
    sourced,
    tight,
)
from rlexact.exact.baselines import batch_mean_law, each_time, each_time_and_state, leave_one_out_law, optimal_baseline
from rlexact.exact.bellman import bellman_policy, greedy
from rlexact.exact.contraction import contraction_modulus
from rlexact.exact.estimator_law import estimator_law
from rlexact.exact.evaluation import policy_value
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.gradient import curl, policy_gradient, undiscounted_direction
from rlexact.exact.gradient_estimators import reward_to_go, score_table
from rlexact.exact.linear_td import linear_td
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import expect, paths
from rlexact.exact.policy_distance import total_variation
from rlexact.formulas.gaussian import gaussian_score
from rlexact.formulas.ppo import clipped_surrogate_gradient
from rlexact.formulas.reinforce import (
    batch_mean_baseline,
    batch_mean_factor,
    leave_one_out_baseline,
    reinforce_loss,
    reinforce_loss_gradient,
    score_gradient,
)
from rlexact.formulas.returns import returns_to_go
from rlexact.gallery.counterexamples import w_to_2w
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, convergence, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("theory", "interview_and_code", "The closing questions and the closing program")

ONE, HALF, THIRD, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(1, 4)
HUNDREDTHS = Fraction(99, 100)


def fractions(*numbers):
    return np.array([Fraction(x) for x in numbers], dtype=object)


# %% [markdown]
# ## Walking robots: PPO because its data are fresh?
#
# What an industry uses is a question for a survey. The *reason* given for PPO can be computed: data of a slightly wrong simulator mislead
# SAC's Q-function, PPO trusts fresh rollouts only. But the fresh rollouts come out of the same simulator. Let trotting pay 2 and a slip cost 5,
# crawling pay 1 for certain. The simulator slips once in 20 trots, the real floor once in 4.


# %%
@claim(
    "theory-522",
    says="Industry standard in 2024: PPO in simulation, massive domain randomisation, zero- or few-shot transfer",
    verdict=Qualitative(why="what is standard in an industry is a question for a survey, and the document names none"),
)
def industry_standard():
    return ()


industry_standard


# %%
def ground(slip):
    """Trot, 2 or a slip that costs 5, or crawl, 1: one step."""
    return MDP.from_outcomes(
        [[[(1 - slip, None, 2, True), (slip, None, -5, True)], [(ONE, None, 1, True)]]],
        ONE,
        0,
        actions=("trot", "crawl"),
    )


@claim(
    "theory-523",
    says="Off-policy data of a slightly wrong simulator mislead SAC's Q-function; PPO trusts only fresh rollouts",
    verdict=Wrong(
        because="the fresh rollouts are drawn in the same wrong simulator: the on-policy gradient is misled exactly as Q is",
        instead="both learn the simulator's optimum, whatever the age of the data; randomisation or real data change that",
    ),
    about=(ground, policy_gradient, expected_q_learning),
)
def fresh_from_the_wrong_simulator():
    simulator, floor = ground(Fraction(1, 20)), ground(QUARTER)
    yield equal([simulator.r[0, 0], floor.r[0, 0]], [Fraction(33, 20), QUARTER], "mean of a trot, simulated and real")
    fresh, real = (policy_gradient(m, softmax_at(m, uniform(m)))[0] for m in (simulator, floor))
    yield equal(
        fresh, [Fraction(13, 80), Fraction(-13, 80)], "fresh rollouts of the simulator: towards trotting, on-policy"
    )
    yield equal(real, [Fraction(-3, 16), Fraction(3, 16)], "on the real floor: towards crawling")
    yield against(fresh[0] > 0 > real[0], "the on-policy gradient points the wrong way, with no old data at all")
    q = np.array([[Fraction(33, 20), ONE]], dtype=object)
    for stale in (Fraction(1, 10), Fraction(9, 10)):
        w = np.array([[stale, 1 - stale]], dtype=object)
        yield equal(
            expected_q_learning(simulator, q, HALF, w), q, f"off-policy, {stale} of the data trots: Q stands at"
        )
    q_real = np.array([[QUARTER, ONE]], dtype=object)
    yield equal(
        expected_q_learning(floor, q_real, HALF, w), q_real, "off-policy data of the real floor: Q prefers to crawl"
    )


fresh_from_the_wrong_simulator

# %% [markdown]
# **One σ for all states.** "Fixed" and "learnable" exclude each other; what is meant is a parameter that does not see the state. Does it keep σ from
# collapsing? For $Q = -k a^2$ around the mean action the gradient in $\log\sigma$ is $E[(z^2-1)\,Q(\sigma z)] = -2k\sigma^2$, whoever owns the σ. A
# shared one feels the average of these over the states, so it is safe where other states still pay for exploring, and not where none does.


# %%
def pull(sigma, curvature):
    """E[∂ log π/∂ log σ · Q] for Q = -k a², a = σz: five points whose moments up to the fifth are those of N(0, 1)."""
    nodes = {0: HALF, 1: Fraction(1, 6), -1: Fraction(1, 6), 2: Fraction(1, 12), -2: Fraction(1, 12)}
    a = fractions(*nodes) * sigma
    score = gaussian_score(a, fractions(*[0] * 5), fractions(*[sigma] * 5)).log_std
    return sum(w * s * -curvature * x * x for w, s, x in zip(nodes.values(), score, a, strict=True))


@claim(
    "theory-524",
    says="2-3 layers of 256-512 units; a learnable log σ that ignores the state, since a state-dependent σ can collapse; three named users",
    verdict=Conditional(
        given="averaged over the visited states spread still pays; where it pays nowhere a shared σ collapses at the same rate. "
        "Who uses it is not computed: ETH's published default has a third layer of 128"
    ),
    about=(pull, gaussian_score),
)
def shared_spread():
    own = [pull(HALF, k) for k in (1, -3)]
    yield equal(own, [-HALF, Fraction(3, 2)], "σ = 1/2, Q = -a² and Q = 3a²: -2kσ² each")
    yield below(own[0], 0, "a σ of its own shrinks in the first state")
    yield equal(sum(own) / 2, HALF, "one σ for both states grows")
    everywhere = [pull(HALF, k) for k in (1, 3)]
    yield equal(everywhere, [-HALF, Fraction(-3, 2)], "Q = -a² and Q = -3a²")
    yield against(sum(everywhere) / 2 < 0, "no state pays for spread: the shared σ shrinks too")
    yield against(
        sum(everywhere) / 2 < everywhere[0], "and in the first state faster than a σ of its own would have done"
    )
    yield sourced("legged_gym (ETH Zurich, 2021), LeggedRobotCfgPPO: actor_hidden_dims = [512, 256, 128], PPO")


shared_spread

# %% [markdown]
# **Robust to all variations?** Training over random grounds maximises the *average*. Running pays 10 on grip, which nine grounds in ten have, and
# loses 50 on ice; walking pays 1. The average prefers to run, ice or no ice, unless the robot can tell them apart.


# %%
@claim(
    "theory-525",
    says="Trained over randomised friction, mass, delay, …, the policy is robust to all variations",
    verdict=Conditional(
        given="the policy can tell the variations apart, or one behaviour suits all; what is maximised is the average"
    ),
    about=(greedy, policy_value),
)
def robust_on_average():
    pays = {"grip": (10, 1), "ice": (-50, 1)}
    nine = Fraction(9, 10)
    blind = MDP.from_outcomes([[[(nine, None, 10, True), (1 - nine, None, -50, True)], [(ONE, None, 1, True)]]], ONE, 0)
    seen = MDP.from_outcomes([[[(ONE, None, r, True)] for r in row] for row in pays.values()], ONE, [nine, 1 - nine])
    told = greedy(seen, fractions(0, 0))
    yield equal(told, [[1, 0], [0, 1]], "a policy that sees the ground: run on grip, walk on ice")
    yield equal(policy_value(seen, told), [10, 1], "robust: never below 1")
    best = greedy(blind, fractions(0))
    yield equal(best, [[1, 0]], "one that does not: run, for 4 on average against 1")
    on_each = policy_value(seen, np.repeat(best, 2, axis=0))
    yield equal(on_each, [10, -50], "its return by ground")
    yield against(on_each[1] < 1, "on ice it loses 50 where walking earns 1: the best on average is not robust")


robust_on_average

# %% [markdown]
# **Is ε = 0.05 conservative?** At the first step of an update all ratios are 1 and nothing is clipped: the gradient is the same for every ε, and
# how far one step goes is the learning rate's business. Past the edge the gradient is 0, which does not pull back.


# %%
@claim(
    "theory-525",
    says="2 hours of fine-tuning on the robot with conservative PPO, ε = 0.05",
    verdict=Conditional(
        given="steps are so small, or stopped so early, that ratios stay within 1 ± ε: clipping alone bounds no step"
    ),
    about=(clipped_surrogate_gradient, total_variation),
)
def conservative_clip():
    eps = printed("0.05").value
    arms = gallery.two_armed_bandit()
    old, inside = uniform(arms), np.array([[HALF * (1 - eps), HALF * (1 + eps)]], dtype=object)
    yield at_most(total_variation(arms, inside, old)[0], eps / 2, "ratios within 1 ± ε: total variation at most ε/2")
    yield tight(total_variation(arms, inside, old)[0], eps / 2)
    first = [clipped_surrogate_gradient(fractions(1), fractions(1), e) for e in (eps, Fraction(1, 5))]
    yield equal(*first, "the first gradient of an update, ε = .05 and ε = .2")
    yield equal(first[0], [1], "is that of the unclipped objective")
    far = np.array([[QUARTER, 3 * QUARTER]], dtype=object)
    yield equal(
        clipped_surrogate_gradient(fractions(far[0, 1] / HALF), fractions(1), eps), [0], "at ratio 3/2: no pull back"
    )
    yield exceeds(total_variation(arms, far, old)[0], eps / 2, "a step of odds 1 to 3, which no ε forbids")


conservative_clip

# %% [markdown]
# **Safety by penalty and by early end.** A penalty in the reward is a price, not a constraint: it is paid whenever leaning earns more. An early end
# stops the reward; that frightens a robot only while living pays. With $-5$ for the fall (line 480) and γ = 0.99, an upright step that costs 1/10 is
# worth $-10$ in all, and falling is the optimum.


# %%
def keep_or_quit(living, quitting, gamma=HUNDREDTHS):
    """One state: go on, for `living` a step, or quit once for `quitting`."""
    return MDP.from_outcomes(
        [[[(ONE, 0, Fraction(living), False)], [(ONE, None, Fraction(quitting), True)]]],
        gamma,
        0,
        actions=("on", "quit"),
    )


def worth(model):
    """The values of going on for ever and of quitting at once."""
    return [policy_value(model, deterministic(model, [a]))[0] for a in ("on", "quit")]


@claim(
    "theory-526",
    says="Clip to the torque limits, penalise more than 30° of lean, end the episode at a fall",
    verdict=Conditional(
        given="the penalty exceeds what a lean earns, and living is worth more than the end; then the optimum is safe"
    ),
    about=(keep_or_quit, worth),
)
def penalties_are_prices():
    yield equal(worth(keep_or_quit("1/10", -5)), [10, -5], "a step pays 1/10: staying up for ever, falling")
    upright, fined_3, fined_1 = (worth(keep_or_quit(step, -5))[0] for step in (1, 1 + 2 - 3, 1 + 2 - 1))
    yield equal([upright, fined_3], [100, 0], "upright pays 1; a lean that earns 2 more is fined 3: for ever, each")
    yield equal(fined_1, 200, "fined 1 instead")
    yield against(fined_1 > upright, "the optimum leans for ever: the penalty was a price")
    yield equal(worth(keep_or_quit("-1/20", -5)), [-5, -5], "the border: a step that costs 5 (1 - γ) = 1/20")
    costly = worth(keep_or_quit("-1/10", -5))
    yield equal(costly, [-10, -5], "a step costs 1/10: staying up for ever, falling")
    yield against(costly[1] > costly[0], "the early end is what the optimum looks for")


penalties_are_prices

# %% [markdown]
# **The weights.** With twelve motors at 10 N·m each, a modest torque for a walking quadruped, $0.1\|\tau\|^2$ is 120, against a speed of about 1.
# Every step then costs 119, and a fall, with its end, costs 5 once. Read as a norm, not its square, the term is still 3.46. ETH's published default
# has the weight $10^{-5}$ on $\sum\tau^2$ in N·m, and clips negative rewards away. With torques as fractions of their limits, 0.1 is moderate. And $v$ has no
# target speed: it is maximised, not tracked.


# %%
def dense_reward(speed, torque, motors, fell=0, roll=0, pitch=0, power=2):
    """The document's reward, every motor at the same torque; `power` 2 for the squared norm, 1 for a lower bound of the norm."""
    effort = motors * torque**2
    weights = [printed(w).value for w in ("0.1", "5", "0.5", "0.5")]
    return speed - sum(
        w * x for w, x in zip(weights, (effort if power == 2 else math.isqrt(effort), fell, roll, pitch), strict=True)
    )


@claim(
    "theory-527",
    says="Dense reward v - 0.1‖τ‖² - 5·1[fell] - 0.5|roll| - 0.5|pitch|: speed, energy and stability in one",
    verdict=Conditional(
        given="torques are fractions of their limits, and speed is to be maximised, not tracked; in N·m falling at once is optimal"
    ),
    about=(dense_reward, keep_or_quit),
)
def falling_is_cheaper():
    small = dense_reward(ONE, QUARTER, 12)
    yield equal(small, Fraction(37, 40), "12 motors at a quarter of their limit, speed 1: 1 - .075")
    fall = dense_reward(0, 0, 12, fell=1)
    yield equal(worth(keep_or_quit(small, fall)), [Fraction(185, 2), -5], "walking for ever against falling")
    heavy, norm = dense_reward(ONE, 10, 12), dense_reward(ONE, 10, 12, power=1)
    yield equal([heavy, norm], [-119, Fraction(-12, 5)], "12 motors at 10 N·m: a step, squared, and with 34 < ‖τ‖ < 35")
    for step, how in ((heavy, "squared"), (norm, "norm")):
        on, quit_now = worth(keep_or_quit(step, fall))
        yield exceeds(quit_now, on, f"{how}: falling at once against walking for ever")
    faster = dense_reward(2 * ONE, QUARTER, 12)
    yield equal(faster - small, 1, "twice the speed earns 1 more")
    yield against(faster > small, "the line calls it velocity tracking: no speed is the target, the faster the better")
    leaning = dense_reward(ONE, QUARTER, 12, roll=HALF, pitch=QUARTER)
    yield equal(leaning, Fraction(11, 20), "roll 1/2 and pitch 1/4 cost 3/8")
    yield sourced(
        "legged_gym (ETH Zurich, 2021), LeggedRobotCfg.rewards: torques = -0.00001, only_positive_rewards = True"
    )


falling_is_cheaper


# %%
@figure
def when_falling_pays():
    """Return of walking for ever at speed 1 with twelve motors, by torque: beyond 0.94 a motor it is less than the fall's -5."""
    from matplotlib import pyplot as plt

    torque = np.linspace(0, 2, 200)
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    ax.plot(torque, (1 - 0.1 * 12 * torque**2) / 0.01, color=COLOURS[0], label="walk for ever, γ = 0.99")
    ax.axhline(-5, color=COLOURS[1], label="fall at once")
    ax.axvline((1.05 / 1.2) ** 0.5, color=COLOURS[6], linestyle=":", linewidth=1)
    ax.set(xlabel="torque of each motor, in the units of the reward", ylabel="return", ylim=(-300, 120))
    ax.legend()
    return fig


when_falling_pays

# %% [markdown]
# "Sparse rewards fail" is about *finding* them. If twenty right moves in a row are needed, a policy that explores evenly sees the reward once in
# a million episodes. The optimum is the same, though, and three moves are found easily.


# %%
def stairs(n):
    """n right moves in a row pay 1 at the end; a wrong one ends the episode with nothing."""
    rows = [
        [[(ONE, None, 0, True)], [(ONE, k + 1 if k + 1 < n else None, int(k + 1 == n), k + 1 == n)]] for k in range(n)
    ]
    return MDP.from_outcomes(rows, ONE, 0)


@claim(
    "theory-527",
    says="Sparse rewards fail for locomotion: too many steps before any signal",
    verdict=Conditional(given="exploration is undirected and the reward far away: 2^-n for n right choices in a row"),
    about=(stairs, policy_value),
)
def sparse_rewards():
    far, near = stairs(20), stairs(3)
    yield equal(policy_value(far, uniform(far))[0], Fraction(1, 1048576), "20 moves: the chance of any signal")
    yield equal(policy_value(near, uniform(near))[0], Fraction(1, 8), "3 moves")
    yield exceeds(policy_value(near, uniform(near))[0], Fraction(1, 10), "which is a signal in one episode of eight")
    yield equal(policy_value(far, deterministic(far, [1] * 20))[0], 1, "and the sparse reward has the right optimum")


sparse_rewards

# %% [markdown]
# ## The program
#
# In our words: $G_{it} = r_{it} + \gamma G_{i,t+1}$, backwards from the last reward; $b_t = \frac1N\sum_i G_{it}$; and
#
# $$ \text{loss} = -\frac{1}{NT} \sum_i \sum_t \log\pi_{it}\, (G_{it} - b_t) . $$
#
# Returns are plain numbers, so the loss is linear in the log-probabilities. Fed with the scores $\nabla\log\pi_{it}$ in their place it gives
# precisely the gradient that automatic differentiation would. That lets us average the gradient over all batches, with their probabilities.


# %%
def to_go(rewards, gamma):
    """G_t for every t, from the last reward backwards."""
    last = len(rewards) - 1
    found = [0] * len(rewards)
    found[last] = rewards[last]
    for t in reversed(range(last)):
        found[t] = rewards[t] + gamma * found[t + 1]
    return found


def surrogate(log_probs, rewards, gamma):
    """The number that the program returns, N trajectories of log-probabilities (or of scores) and rewards."""
    n, returns = len(log_probs), [to_go(r, gamma) for r in rewards]
    steps = len(returns[0])
    levels = [sum(g[t] for g in returns) / n for t in range(steps)]
    terms = [log_probs[i][t] * (returns[i][t] - levels[t]) for i in range(n) for t in range(steps)]
    return -sum(terms[1:], start=terms[0]) / (n * steps)


# %% [markdown]
# The model: a first choice that leads to one of two states, by chance, and a second choice there. Six paths, all of two steps; the
# policy is a softmax table, even in one state only.


# %%
def journey(gamma):
    """Two steps, three states: (model, softmax family at a fixed uneven policy)."""
    outcomes = {
        (0, 0): [(ONE, 1, 2, False)],
        (0, 1): [(QUARTER, 1, 0, False), (3 * QUARTER, 2, 0, False)],
        **{(s, a): [(ONE, None, paid, True)] for s, a, paid in ((1, 0, 1), (1, 1, 3), (2, 0, 0), (2, 1, 5))},
    }
    model = MDP.from_outcomes(outcomes, gamma, 0)
    return model, softmax_at(model, np.array([[THIRD, 2 * THIRD], [HALF, HALF], [QUARTER, 3 * QUARTER]], dtype=object))


def mean_gradient(gamma, n, reweigh=lambda t: ONE):
    """E[∇loss] over every batch of n paths of the journey; `reweigh(t)` multiplies the scores of step t."""
    model, family = journey(gamma)
    scores = score_table(model, family)
    found = 0 * scores[0, 0]
    for batch in product(list(paths(model, family.policy, 2)), repeat=n):
        rows = [
            [reweigh(t) * scores[s, a] for t, (s, a) in enumerate(zip(w.states, w.actions, strict=False))]
            for w in batch
        ]
        found = found + math.prod(w.probability for w in batch) * surrogate(rows, [w.rewards for w in batch], gamma)
    return found


def true_slope(gamma):
    """∇J of the journey from the polynomial J in the three chances of action 1, differentiated: no score, no path."""
    x, y, z = chances = sympy.symbols("x y z")
    first, second = 1 + 2 * y, 5 * z  # values of states 1 and 2
    g = sympy.Rational(gamma.numerator, gamma.denominator)
    j = (1 - x) * (2 + g * first) + x * g * (first / 4 + 3 * second / 4)
    at = dict(zip(chances, (sympy.Rational(2, 3), sympy.Rational(1, 2), sympy.Rational(3, 4)), strict=True))
    slopes = [(p * (1 - p) * sympy.diff(j, p)).subs(at) for p in chances]
    return np.array([[-Fraction(str(d)), Fraction(str(d))] for d in slopes], dtype=object)


def by_hand(gamma):
    """The same with every state weighed by how often it is met, undiscounted: (S, A)."""
    first = Fraction(2, 9) * (gamma * Fraction(21, 16) - 2)  # V is 2 and 15/4 in the later states
    d = [first, HALF * QUARTER * 2, HALF * Fraction(3, 16) * 5]  # each is met half of the time
    return np.array([[-x, x] for x in d], dtype=object)


# %% [markdown]
# **The import.** The program asks its inputs for products and sums only. It runs on fractions, on symbols and on arrays; PyTorch comes in through the
# caller, if the log-probabilities are tensors that remember where they came from.


# %%
@claim(
    "theory-528",
    says="PyTorch is imported, and nothing uses it",
    verdict=Holds(
        note="harmless: only * and + are asked of log-probabilities; whether they can be differentiated is up to the caller"
    ),
    about=(surrogate, reinforce_loss),
)
def no_library_needed():
    numbers = surrogate([fractions(-1, -2), fractions(-3, -1)], [fractions(1, 2), fractions(3, 6)], HALF)
    yield equal(numbers, HALF, "on fractions: returns (2, 2) and (6, 6), baseline (4, 4), -(2 + 4 - 6 - 2)/4 by hand")
    a, b = sympy.symbols("a b")
    yield proved(
        surrogate([[a], [b]], [[1], [3]], 1) - (a - b) / 2, "on symbols: (log π_1 - log π_2)/2 for rewards 1 and 3"
    )
    yield equal(
        reinforce_loss(fractions(-1, -2, -3, -1), fractions(2, 2, 6, 6), fractions(4, 4, 4, 4), reduction="mean"),
        numbers,
        "the library's loss with the same returns and baselines",
    )


no_library_needed

# %% [markdown]
# **Loss or gradient?** The name says gradient, the value is a loss. For the arms 1 and 3, one sample of each and even odds, it returns exactly 0,
# while the gradient is $(\frac12, -\frac12)$. The *derivative* of what is returned is a useful thing, and this is what it is on average:
#
# $$ E[\nabla\,\text{loss}] = -\Big(1 - \frac1N\Big) \frac1T\; E\Big[\sum_t \nabla\log\pi(a_t|s_t)\, G_t\Big] . $$


# %%
@claim(
    "theory-529",
    says="The function that is called the gradient of REINFORCE returns that gradient",
    verdict=Wrong(
        because="it returns a surrogate loss, -1/(NT) ΣΣ log π (G - b), one number: at even odds 0, while the gradient is (1/2, -1/2)",
        instead="its derivative by θ, with G and b held fixed, is -(1 - 1/N)/T of the gradient estimate, on average",
    ),
    about=(surrogate, reinforce_loss_gradient, undiscounted_direction),
)
def a_loss_not_a_gradient():
    theta = sympy.symbols("theta1:3", real=True)
    odds = [sympy.exp(x) / sum(map(sympy.exp, theta)) for x in theta]
    loss = surrogate([[sympy.log(p)] for p in odds], [[1], [3]], 1)
    even = dict.fromkeys(theta, 0)
    value = Fraction(str(sympy.simplify(loss.subs(even))))
    slope = [Fraction(str(sympy.diff(loss, x).subs(even))) for x in theta]
    yield equal(slope, [HALF, -HALF], "its derivative, by SymPy")
    yield differs([value, value], slope, "the number returned at θ = (0, 0)")
    scores = np.array([[HALF, -HALF], [-HALF, HALF]], dtype=object)
    yield equal(surrogate([[scores[0]], [scores[1]]], [[ONE], [3 * ONE]], 1), slope, "the program fed with scores")
    each = reinforce_loss_gradient(fractions(0, 0), fractions(1, 3), fractions(2, 2), reduction="mean")
    yield equal(each @ scores, slope, "the library's gradient of the loss, by the chain rule")
    model, family = journey(HUNDREDTHS)
    yield equal(undiscounted_direction(model, family), by_hand(HUNDREDTHS), "E[Σ ∇log π G] of the journey, by hand")
    for n in (2, 3):
        yield equal(
            mean_gradient(HUNDREDTHS, n),
            -(1 - Fraction(1, n)) / 2 * by_hand(HUNDREDTHS),
            f"all batches, N = {n}, T = 2",
        )


a_loss_not_a_gradient

# %% [markdown]
# **The sign** is right: descent on the loss is ascent along the estimate, and at γ = 1 on the return. The loss's own value says nothing, and it has no minimum: it is linear in the
# log-probabilities, which have no lower bound. It is good for one step at a time.


# %%
@claim(
    "theory-530",
    says="The minus sign: descent on the loss is ascent along the estimated gradient",
    verdict=Holds(
        note="a step at a time: the loss has no minimum. Whether the estimate is a gradient at all is theory-531"
    ),
    about=(surrogate, score_gradient, policy_gradient),
)
def the_sign():
    batch, paid = [fractions(1, -2), fractions(-1, 3)], [fractions(1, 4), fractions(5, 2)]
    upwards = score_gradient(np.concatenate(batch)[:, None], fractions("-3/2", 1, "3/2", -1))
    yield equal(-surrogate(batch, paid, HALF), upwards[0], "one batch, scores for log π: -∇loss = Σ ψ (G - b)/(NT)")
    slope, (model, family) = true_slope(ONE), journey(ONE)
    yield equal(policy_gradient(model, family), slope, "∇J at γ = 1, from the polynomial J")
    down = -mean_gradient(ONE, 2)
    yield equal(down, slope / 4, "the mean step of descent, N = 2, T = 2: (1 - 1/2)/2 of ∇J, upwards")
    yield below(0, (down * slope).sum(), "so J rises at the rate")
    low = sympy.Symbol("l", negative=True)
    bad = surrogate([[low], [0]], [[1], [3]], 1)
    yield equal(sympy.limit(bad, low, -sympy.oo), -sympy.oo, "log π of the worse arm → -∞: the loss has no minimum")


the_sign

# %% [markdown]
# **γ.** The returns are discounted, the states are not. At the default γ = 0.99 the mean is the gradient of neither the discounted nor the plain sum,
# and since its Jacobian is not symmetric, of no function at all. It can even point the wrong way: where "on" pays 1 now and costs 6/5 one step later, one logit
# for both steps and γ = 1/2, $J = p - \frac12\cdot\frac65 p$ rises with $p$, and the program lowers it.


# %%
def shared_logit(pays, gamma=ONE):
    """-2 E[∇loss] over every batch of N = 2, one logit for all steps, even odds; action 1 earns `pays[t]` at step t, 0 earns 0.

    The 2 takes out 1 - 1/N; the division by T is left in.
    """
    steps, total = len(pays), Fraction(0)
    for batch in product(product((0, 1), repeat=steps), repeat=2):
        rows = [[Fraction(2 * a - 1, 2) for a in actions] for actions in batch]
        paid = [[Fraction(r * a) for r, a in zip(pays, actions, strict=True)] for actions in batch]
        total += surrogate(rows, paid, gamma) / 4**steps
    return -2 * total


# %%
@claim(
    "theory-531",
    says="Default γ = 0.99: discounted rewards-to-go, with no weight γ^t on step t",
    verdict=Conditional(given="γ = 1; below it the scores of step t need the factor γ^t, or the mean is no gradient"),
    about=(surrogate, shared_logit, undiscounted_direction, policy_gradient, curl),
)
def the_discount_of_states():
    gamma = printed("0.99").value
    share = -QUARTER  # -(1 - 1/N)/T for N = T = 2
    yield equal(mean_gradient(ONE, 2), share * true_slope(ONE), "γ = 1: the gradient, up to (1 - 1/N)/T")
    found = mean_gradient(gamma, 2)
    yield equal(found, share * undiscounted_direction(*journey(gamma)), "γ = .99: the direction without γ^t")
    yield equal(policy_gradient(*journey(gamma)), true_slope(gamma), "∇J at γ = .99, from the polynomial J")
    yield differs(found, share * policy_gradient(*journey(gamma)), "against the discounted J")
    yield differs(found, share * policy_gradient(*journey(ONE)), "against the plain J")
    weighed = mean_gradient(gamma, 2, lambda t: gamma**t)
    yield equal(weighed, share * true_slope(gamma), "with γ^t on the scores of step t: the discounted gradient")
    twist = curl(*journey(gamma))[1, 3]
    yield equal(twist, (1 - gamma) / 12, "∂g(0, 1)/∂θ(1, 1) - ∂g(1, 1)/∂θ(0, 1): -γ/12 + 1/12, by hand")
    both = shared_logit([1, Fraction(-6, 5)], HALF)
    yield equal(both, Fraction(-1, 40), "1 now, -6/5 later, γ = 1/2: half of 1/4 - 3/10, downwards")
    truth = QUARTER * (1 - HALF * Fraction(6, 5))
    yield equal(truth, Fraction(1, 10), "J = 2p/5 there: dJ/dθ at p = 1/2")
    yield against(both < 0 < truth, "the program goes down where J goes up")
    yield against(twist != 0, "the Jacobian is not symmetric: no function has this slope")


the_discount_of_states

# %% [markdown]
# **A baseline of time** does no harm to the mean, whatever its numbers: $E[\nabla\log\pi(a_t|s_t)\, b_t] = 0$. But one that sees the state can be much
# quieter. In two rooms, equally likely, the arms pay 0 and 1, or 10 and 11. Most of what varies is the room, and no $b_t$ knows it.


# %%
def noise_in_two_rooms(depends_on=None):
    """Total variance of one estimate with the best baseline of this kind; even odds."""
    rooms = MDP.from_outcomes(
        [[[(ONE, None, Fraction(10 * s + a), True)] for a in (0, 1)] for s in (0, 1)], ONE, [HALF, HALF]
    )
    family = softmax_at(rooms, uniform(rooms))
    one = reward_to_go(rooms, family)
    quiet = one if depends_on is None else one.minus(optimal_baseline(rooms, one, 1, depends_on))
    return estimator_law(rooms, family.policy, 1, quiet).variance.sum()


@claim(
    "theory-532",
    says="The baseline b_t depends on the time step, not on the state",
    verdict=Holds(
        note="valid if fixed beforehand (this one is the batch's own mean: theory-536). One that sees the state can be far quieter: variance 1/16 "
        "against 201/16 below"
    ),
    about=(reward_to_go, noise_in_two_rooms, optimal_baseline),
)
def a_baseline_of_time():
    model, family = journey(ONE)
    plain, b = reward_to_go(model, family), sympy.symbols("b:2")
    yield equal(expect(model, family.policy, 2, plain), true_slope(ONE), "no baseline: ∇J")
    score = score_table(model, family)
    for t in (0, 1):
        met = expect(model, family.policy, 2, lambda w, t=t: score[w.states[t], w.actions[t]])
        yield proved(list((b[t] * met).flat), f"E[∇log π(a_t | s_t) b_t] = 0 for every b_t, t = {t}")
    shifted = plain.minus(lambda t, s: (4, -7)[t])
    yield equal(expect(model, family.policy, 2, shifted), true_slope(ONE), "b = (4, -7): ∇J still")
    found = [noise_in_two_rooms(kind) for kind in (None, each_time, each_time_and_state)]
    by_room = [HALF * Fraction(x) - Fraction(1, 16) for x in ("55.5", "25.25", "0.25")]
    yield equal(found, by_room, "total variance with none, the best b_t, the best b(t, s): E(G - b)²/2 - 1/16")


a_baseline_of_time

# %% [markdown]
# **The recursion** is right and starts and stops where it should. It needs a last reward: an episode of no steps has none.


# %%
@claim(
    "theory-534",
    says=r"$G_t = r_t + \gamma G_{t+1}$ for t = T-2, …, 0, from $G_{T-1} = r_{T-1}$",
    verdict=Holds(),
    about=(to_go, returns_to_go),
)
def the_recursion():
    r, g = sympy.symbols("r:5"), sympy.Symbol("gamma")
    for steps in (1, 2, 5):
        sums = [sum(g ** (u - t) * r[u] for u in range(t, steps)) for t in range(steps)]
        yield proved(
            [x - y for x, y in zip(to_go(r[:steps], g), sums, strict=True)], f"T = {steps}: G_t = Σ γ^(u-t) r_u"
        )
    paid = fractions(1, 2, 4)
    yield equal(returns_to_go(paid, None, None, HALF), [3, 4, 4], "rewards 1, 2, 4 at γ = 1/2, by the library")
    yield equal(to_go(list(paid), HALF), [3, 4, 4], "and by the program")


the_recursion


# %%
def breaks(log_probs, rewards):
    """Whether the program stops with an index out of range."""
    try:
        surrogate(log_probs, rewards, HALF)
    except IndexError:
        return True
    return False


@claim(
    "theory-533",
    says="The last reward starts the recursion: entry T - 1 of a list of length T",
    verdict=Conditional(
        given="T ≥ 1: an empty episode has no entry -1, and an empty batch no first episode; both stop the program"
    ),
    about=(surrogate, breaks),
)
def an_empty_episode():
    yield equal(surrogate([[-ONE], [-2 * ONE]], [[ONE], [3 * ONE]], HALF), HALF, "T = 1: -(-1 · -1 + -2 · 1)/2")
    yield equal(
        [breaks([[-ONE]], [[ONE]]), breaks([[], []], [[], []])], [False, True], "T = 1 and T = 0: does it break?"
    )
    yield against(breaks([[], []], [[], []]), "T = 0: index out of range")
    yield against(breaks([], []), "N = 0: index out of range")


an_empty_episode

# %% [markdown]
# **Equal lengths.** The comment says that they are assumed, and the program needs it: if the first episode is the longest it breaks, and if it is the
# shortest, the later steps of the others vanish without a word.


# %%
@claim(
    "theory-535",
    says="T is the length of the first trajectory, assumed that of all",
    verdict=Holds(
        note="as the comment on the line says; otherwise it breaks after a longer first one, and drops steps after a shorter"
    ),
    about=(surrogate, breaks, batch_mean_baseline),
)
def equal_lengths():
    means = batch_mean_baseline(np.array([[2 * ONE, 6 * ONE], [2 * ONE, 8 * ONE]], dtype=object))
    yield equal(
        means, [[4, 4], [5, 5]], "two steps each, returns (2, 2) and (6, 8): the mean at each time, by the library"
    )
    short, long, first = [ONE, 2 * ONE], [ONE, 2 * ONE, 4 * ONE], [-ONE, -ONE]
    yield equal(
        surrogate([first, [-2 * ONE, -ONE]], [short, [2 * ONE, 8 * ONE]], HALF), HALF, "the loss, -(2 + 3 - 4 - 3)/4"
    )
    yield shows(breaks([[*first, -ONE], first], [long, short]), "3 steps, then 2: index out of range")
    near, far = (surrogate([first, [-2 * ONE, -ONE, x]], [short, long], HALF) for x in (-ONE, -50 * ONE))
    yield equal(near, Fraction(1, 8), "2 steps, then 3: no error")
    yield shows(near == far, "and the third action does not enter: log π of -1 or -50, the same loss")


equal_lengths

# %% [markdown]
# **The mean of the batch** contains the trajectory's own return, which its own action influences: the one thing a baseline must not do. Since
# $G_i - \frac1N\sum_j G_j = (1 - \frac1N)\,(G_i - \text{mean of the others})$ on every batch, the harm is a factor: half of the gradient at N = 2,
# and at N = 1 nothing is left. The mean of the *others* is unbiased.


# %%
@claim(
    "theory-536",
    says="The baseline at t is the mean return-to-go of all N trajectories, the trajectory itself included",
    verdict=Conditional(
        given="only the direction counts: the mean is 1 - 1/N of what it should be; the mean of the others has no such factor"
    ),
    about=(surrogate, batch_mean_factor, batch_mean_law, leave_one_out_law, leave_one_out_baseline),
)
def its_own_mean():
    x = sympy.symbols("G:3")
    others = leave_one_out_baseline(np.array(x, dtype=object))
    yield proved(
        [a - sum(x) / 3 - sympy.Rational(2, 3) * (a - b) for a, b in zip(x, others, strict=True)],
        "N = 3: less the mean of all = 2/3 of less the mean of the others",
    )
    slope, (model, family) = true_slope(ONE), journey(ONE)
    for n in (2, 3):
        yield equal(mean_gradient(ONE, n), -batch_mean_factor(n) / 2 * slope, f"N = {n}: every batch of the program")
    estimator = reward_to_go(model, family)
    both = [law(model, estimator, 2, 2).mean for law in (batch_mean_law, leave_one_out_law)]
    yield equal(both, [slope / 2, slope], "N = 2 by the library: the mean of all, the mean of the others")
    yield differs(-2 * mean_gradient(ONE, 2), slope, "N = 2, T taken out: against ∇J")


its_own_mean


# %%
@claim(
    "theory-537",
    says="With N = 1 the baseline is the trajectory's own return, so all advantages are 0",
    verdict=Conditional(
        given="N ≥ 2 for the program to learn anything; for N = 1 loss and gradient are 0 whatever happened"
    ),
    about=(surrogate, batch_mean_factor),
)
def one_trajectory():
    scores, paid = sympy.symbols("l:3"), sympy.symbols("r:3")
    alone = surrogate([scores], [paid], sympy.Symbol("gamma"))
    yield proved(alone, "N = 1: the loss is 0 for all rewards and log-probabilities")
    yield equal(batch_mean_factor(1), 0, "1 - 1/N")
    yield equal(mean_gradient(ONE, 2), -true_slope(ONE) / 4, "N = 2: half of ∇J, over T = 2, downhill for the loss")
    yield against(sympy.simplify(alone) == 0 and bool(true_slope(ONE).any()), "N = 1: no step, though ∇J is not 0")


one_trajectory

# %% [markdown]
# **Divided by NT.** Over N is right, for the return of an episode; over T as well makes it a mean over steps. At one T throughout it is a smaller
# step size. Where T varies from batch to batch, long episodes count less. A shared logit for "go right" gains $\frac14$ in a one-step task where
# right pays 1, and loses $\frac34$ in a three-step task where it costs 1 a step: together downwards. After the division by T, nowhere.


# %%
def drift(tasks, divide):
    """Σ over tasks of the mean gradient by one shared logit, with the division by T or without it."""
    return sum(shared_logit(pays) * (1 if divide else len(pays)) for pays in tasks)


@claim(
    "theory-538",
    says="The loss is divided by N T",
    verdict=Conditional(
        given="every batch has the same T, a constant of the step size; otherwise long episodes count less than short ones"
    ),
    about=(surrogate, shared_logit, drift),
)
def divided_by_steps():
    yield equal(
        [drift([[1, 1, 1]], d) for d in (False, True)],
        [Fraction(3, 4), QUARTER],
        "T = 3: 3/4, the gradient, and a third of it",
    )
    tasks = [[1], [-1, -1, -1]]
    yield equal(drift(tasks, False), -HALF, "tasks of 1 and 3 steps: the sum of their gradients, 1/4 - 3/4")
    yield differs(drift(tasks, True), drift(tasks, False), "divided by T each")
    yield equal(drift(tasks, True), 0, "1/4 - 1/4: no direction is left")


divided_by_steps

# %% [markdown]
# What does the program compute, then? On average $\left(1-\frac1N\right)\frac1T$ times the direction that leaves $\gamma^t$ out: at γ = 1, two or more
# episodes and one length, the policy gradient with another step size. Each of the rest is mended in one line.
#
# ## Contractions everywhere?
#
# The document's last thought: reinforcement learning, diffusion, EM, power iteration and Newton's method all converge because a map contracts.
# What is the map, in which distance, and what is its factor?
#
# **γ** is the factor of the Bellman operators *on a table, in the maximum norm*. In Euclid's it need not be; with features it need not be either; and
# where episodes end the factor is smaller.


# %%
@claim(
    "theory-539",
    says="In reinforcement learning the contraction factor is γ",
    verdict=Conditional(
        given="Bellman operators on a table, in the maximum norm, every row summing to 1; in other norms or with features it may exceed 1"
    ),
    about=(bellman_policy, contraction_modulus, linear_td),
)
def the_factor_of_rl():
    gamma = Fraction(9, 10)
    funnel = MDP([[[1, 0]], [[1, 0]]], [0, 0], gamma, initial=0)
    after = bellman_policy(funnel, uniform(funnel), fractions(1, 0)) - bellman_policy(
        funnel, uniform(funnel), fractions(0, 0)
    )
    yield equal(after, [gamma, gamma], "both states lead to the first: a gap (1, 0) becomes (γ, γ)")
    yield at_most(max(after), gamma, "largest entry: from 1 to")
    yield tight(max(after), gamma)
    yield equal(contraction_modulus(funnel), gamma, "the modulus")
    ends = MDP.from_outcomes([[[(HALF, 0, 1, False), (HALF, None, 1, True)]]], gamma)
    yield equal(contraction_modulus(ends), gamma / 2, "ending half of the time: γ/2")
    yield exceeds((after * after).sum(), 1, "Euclid: the squared length grows from 1 to 2γ² = 1.62")
    pair = w_to_2w(gamma=gamma)
    learner = linear_td(pair.mdp, pair.policy, pair.features, pair.weights)
    after_td = learner.update(Fraction(1, 10))(fractions(1))
    yield equal(
        after_td, [Fraction(27, 25)], "w and 2w, only the first updated, α = 1/10: w times 1 + α(2γ - 1) = 1.08"
    )
    yield exceeds(after_td[0], 1, "more than 1 for γ > 1/2: features can turn it into an expansion")


the_factor_of_rl

# %% [markdown]
# **Diffusion.** A forward step is $x_t = \sqrt{1-\beta_t}\,x_{t-1} + \sqrt{\beta_t}\,\varepsilon$. With the same noise two points come closer by exactly
# $\sqrt{1-\beta_t}$, which is the factor in the Wasserstein distance, and the fixed point is N(0, 1). A *larger* β contracts more; with β as the factor it
# would be the other way round. The backward steps, which make the pictures, have the data as their end, not a fixed point, and can expand.


# %%
def forward(mean, variance, keep):
    """(mean, variance) after one forward step, keep = √(1 - β)."""
    return keep * mean, keep**2 * variance + 1 - keep**2


def backward_slope(variance, keep):
    """∂ E[x_{t-1} | x_t] / ∂x_t, x_{t-1} normal with this variance: covariance over variance."""
    return keep * variance / forward(0, variance, keep)[1]


@claim(
    "theory-540",
    says=r"In diffusion the contraction factor is the noise schedule $\beta_t$",
    verdict=Wrong(
        because="with β = 9/25 a forward step brings points 4/5 as close, not 9/25; small β contracts least",
        instead="√(1 - β_t), forwards, towards N(0, 1); the product over t after many steps. Backwards a step may expand",
    ),
    about=(forward, backward_slope),
)
def the_factor_of_diffusion():
    keep, beta = Fraction(4, 5), Fraction(9, 25)
    one, other = forward(3, 0, keep), forward(-2, 0, keep)
    factor = (one[0] - other[0]) / 5
    yield equal([one[1], other[1]], [beta, beta], "from the points 3 and -2: both normal with variance β = 9/25")
    yield differs(beta, factor, "distance after over distance before")
    yield equal(factor**2, 1 - beta, "its square is 1 - β")
    k, m, v = sympy.symbols("k m v")
    yield proved([x - y for x, y in zip(forward(0, 1, k), (0, 1), strict=True)], "N(0, 1) is the fixed point, any β")
    twice = forward(*forward(m, v, k), sympy.Symbol("l"))
    yield proved(sympy.diff(twice[0], m) - k * sympy.Symbol("l"), "two steps: the product √(1 - β_1) √(1 - β_2)")
    yield equal(
        [backward_slope(Fraction(x), keep) for x in (4, 1, 0)], [Fraction(80, 73), keep, 0], "backwards, by the spread"
    )
    yield against(backward_slope(Fraction(4), keep) > 1, "data of variance 4: the backward step drives points apart")


the_factor_of_diffusion

# %% [markdown]
# **Banach** appears for the second time; what the document leaves out is what it left out the first time.

# %%
banach_again = same_as(
    "theory-541",
    of="theory-311",
    says="a map with a factor below 1 converges to its unique fixed point (on a complete space that it maps into itself, one factor for all pairs)",
)
banach_again

# %% [markdown]
# **EM.** The linkage data of Dempster, Laird and Rubin (1977): counts 125, 18, 20, 34 with probabilities $\frac12+\frac\theta4, \frac{1-\theta}4, \frac{1-\theta}4,
# \frac\theta4$. Here EM finds the maximum, a root of $197\theta^2 - 15\theta - 68$, and each step leaves 0.1328 of the error: the share of information that is missing, which
# answers the document's closing riddle.
#
# But a step of EM never breaks a symmetry. Two coins, one chosen at random each time, two tosses: once two heads, once none. Started with equal
# coins, EM stays with (½, ½), which is a saddle. The two maxima, (1, 0) and (0, 1), are the same coins renamed: with several fixed points EM is no contraction of
# the whole space, only near each.


# %%
def linkage(theta):
    """One step of EM: the first cell's expected share that carries θ, then the maximum of the completed likelihood."""
    share = 125 * theta / (2 + theta)
    return (share + 34) / (share + 34 + 38)


def two_coins(a, b):
    """One step of EM for (2 heads, 0 heads) in two tosses each; coins a and b, each chosen half of the time."""
    first, none = a**2 / (a**2 + b**2), (1 - a) ** 2 / ((1 - a) ** 2 + (1 - b) ** 2)
    return first / (first + none), (1 - first) / (2 - first - none)


def likelihood(a, b):
    return (a**2 + b**2) / 2 * ((1 - a) ** 2 + (1 - b) ** 2) / 2


@claim(
    "theory-542",
    says="EM converges to a local maximum of the likelihood",
    verdict=Conditional(
        given="it starts in the basin of one; what is guaranteed is that the likelihood never falls, and EM can stop at a saddle"
    ),
    about=(linkage, two_coins),
)
def em():
    t = sympy.Symbol("theta", positive=True)
    top = (15 + sympy.sqrt(53809)) / 394
    log_likelihood = 125 * sympy.log(2 + t) + 38 * sympy.log(1 - t) + 34 * sympy.log(t)
    yield proved(sympy.radsimp(linkage(top) - top), "linkage: (15 + √53809)/394 is a fixed point")
    yield proved(sympy.radsimp(sympy.diff(log_likelihood, t).subs(t, top)), "and a stationary point of the likelihood")
    seen = -sympy.diff(log_likelihood, t, 2)
    complete = (125 * t / (2 + t) + 34) / t**2 + 38 / (1 - t) ** 2
    rate = sympy.diff(linkage(t), t)
    yield proved(
        sympy.radsimp((rate - 1 + seen / complete).subs(t, top)), "the factor is 1 - seen/complete information"
    )
    yield agrees(printed("0.1328"), Fraction(str(sympy.N(rate.subs(t, top), 20))), "as a number")
    theta = HALF
    for _ in range(8):
        theta = linkage(theta)
    slope = 125 / (2 + theta) - 38 / (1 - theta) + 34 / theta
    yield below(abs(slope), Fraction(1, 10**3), "slope of the log-likelihood after 8 steps from 1/2")
    stuck = two_coins(THIRD, THIRD)
    yield equal([stuck, two_coins(*stuck)], [(HALF, HALF)] * 2, "equal coins: after one step and for ever")
    around = [likelihood(*(Fraction(x, 4) for x in pair)) for pair in ((2, 2), (3, 1), (3, 3))]
    yield equal(
        around, [Fraction(16, 256), Fraction(25, 256), Fraction(9, 256)], "likelihood at (½, ½), (¾, ¼), (¾, ¾)"
    )
    d = sympy.Symbol("d")
    apart = sympy.diff(likelihood(sympy.Rational(1, 2) + d, sympy.Rational(1, 2) - d), d, 2).subs(d, 0)
    yield against(
        bool(apart > 0), f"along (1, -1) the likelihood is least there, second derivative {apart}: a saddle, no maximum"
    )
    yield equal(
        two_coins(3 * QUARTER, QUARTER),
        (Fraction(9, 10), Fraction(1, 10)),
        "from unequal coins it leaves, towards (1, 0)",
    )


em

# %% [markdown]
# **Power iteration.** With eigenvalues 3 and 1 the unwanted part shrinks by 1/3 each time. It needs one eigenvalue larger in modulus than all others, and a
# start that has some of its eigenvector. It is no contraction of the sphere: $v$ and $-v$ are both fixed.


# %%
def power_step(matrix, v):
    """Multiply, and scale to absolute sum 1."""
    w = np.array(matrix, dtype=object) @ v
    return w / sum(abs(x) for x in w)


@claim(
    "theory-543",
    says="Power iteration converges to the dominant eigenvector",
    verdict=Conditional(
        given="one eigenvalue exceeds all others in modulus, and the start is not blind to its eigenvector; up to sign"
    ),
    about=power_step,
)
def power_iteration():
    v, gaps = fractions(1, 0), []
    for _ in range(5):
        v = power_step([[2, 1], [1, 2]], v)
        gaps.append((v[0] - v[1]) / (v[0] + v[1]))
    yield equal(gaps, [THIRD**k for k in range(1, 6)], "eigenvalues 3 and 1: distance from (1, 1)/2 in steps of 1/3")
    blind = fractions(HALF, -HALF)
    stays = power_step([[2, 1], [1, 2]], blind)
    yield equal(stays, blind, "started at (1, -1): fixed, with eigenvalue 1")
    yield against(list(stays) == list(blind) and sum(blind) == 0, "it never meets the dominant (1, 1)")
    turned = power_step([[0, 1], [1, 0]], fractions(1, 0))
    yield equal([turned, power_step([[0, 1], [1, 0]], turned)], [[0, 1], [1, 0]], "eigenvalues 1 and -1: two steps")
    yield against(turned[0] != 1, "it comes back and forth, and converges to nothing")
    yield equal(power_step([[-2, 0], [0, 1]], fractions(1, 0)), [-1, 0], "eigenvalues -2 and 1: the sign alternates")


power_iteration

# %% [markdown]
# **Newton.** For $x^2 - 2$ the new error is exactly $e^2/(2x)$. For a double root, $x^2$, the error halves, and for a root without a slope, $\sqrt[3]{x}$, it doubles.
# "Quadratic" is more than a factor: close to a simple root the factor itself goes to 0.


# %%
def newton(f, x):
    """x - f(x)/f'(x) as an expression in the symbol x."""
    return sympy.simplify(x - f / sympy.diff(f, x))


@claim(
    "theory-544",
    says="Newton's method contracts quadratically near roots",
    verdict=Conditional(
        given="the root is simple and f is smooth there (f' ≠ 0, f'' bounded); at a double root the error only halves"
    ),
    about=newton,
)
def newtons_method():
    x = sympy.Symbol("x", positive=True)
    root = sympy.sqrt(2)
    yield proved(newton(x**2 - 2, x) - root - (x - root) ** 2 / (2 * x), "x² - 2: the new error is e²/(2x)")
    yield proved(newton(x**2, x) / x - sympy.Rational(1, 2), "x²: the new error is e/2, everywhere")
    double = Fraction(str(newton(x**2, x).subs(x, sympy.Rational(1, 100))))
    yield differs(double, Fraction(1, 100) ** 2, "x² at 1/100: the error after, against its square")
    away = newton(sympy.cbrt(x), x) / x
    yield proved(away + 2, "∛x: each step goes to -2x")
    yield against(bool(abs(away) > 1), "that drives away from the root")


newtons_method


# %%
@figure
def five_rates():
    """Errors on a log axis: straight lines contract, and the steepness is the factor; Newton at a simple root is no straight line."""
    steps = range(9)
    top = (15 + 53809**0.5) / 394
    em_errors, simple = [0.5], [1.0]
    for _ in steps[1:]:
        em_errors.append(linkage(em_errors[-1]))
        simple.append(simple[-1] / 2 + 1 / simple[-1])
    errors = {
        "value iteration, γ = 0.9": [0.9**k for k in steps],
        "Newton, double root: 1/2": [0.5**k for k in steps],
        "power iteration: 1/3": [3.0**-k for k in steps],
        "EM, linkage: 0.1328": [abs(t - top) for t in em_errors],
        "Newton, simple root": [abs(x - 2**0.5) for x in simple[:5]],
    }
    ax = convergence(errors)
    ax.set(xlabel="step", ylabel="error", ylim=(1e-13, 3))
    return ax.figure


five_rates
