# %% [markdown]
# # Deep Q-networks
#
# *Document `notes`, lines 1013 to 1089.* A replay buffer, a target network, the algorithm, and how often to update. The formulas are those
# of the paper, but for the end of an episode. What needs correcting are sentences around them: a frozen target is called soft, a target
# network is given as the reason why the step is no gradient (it is what makes it one), and four minibatches are said to leave out a
# transition that was put into the buffer before they were drawn.

# %%
from fractions import Fraction
from itertools import combinations, product

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
    exceeds,
    printed,
    proved,
    same_as,
    shows,
    sourced,
)
from rlexact.exact.asynchronous import autocovariance
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.linear_td import linear_td
from rlexact.exact.stability import schur_stable
from rlexact.exact.target_network import hard_target, soft_target
from rlexact.formulas.dqn import dqn_targets, squared_td_loss, squared_td_loss_gradient
from rlexact.formulas.exploration import epsilon_greedy
from rlexact.formulas.replay import (
    age_probabilities,
    expected_uses,
    in_minibatch_probability,
    update_to_data_ratio,
    updates_in_run,
)
from rlexact.formulas.target_network import hard_update, soft_update, soft_update_half_life, soft_update_lag
from rlexact.gallery.counterexamples import w_to_2w
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import first_best, uniform

SECTION = Section("notes", "dqn", "Deep Q-networks")

ONE, HALF, TENTH, FIFTH = Fraction(1), Fraction(1, 2), Fraction(1, 10), Fraction(1, 5)
NINE_TENTHS = Fraction(9, 10)


def fractions(*rows):
    """An object array of Fractions."""
    return np.array(rows, dtype=object) * ONE


# %% [markdown]
# ## The replay buffer
#
# Two promises: draws are less correlated than frames in a row, and each transition is used more than once. Take frames whose
# correlation falls by a factor 0.9 per step. Two draws from a buffer of the last $N$ are correlated by the mean of $0.9^{|i-j|}$: 0.02 for
# $N = 1000$, but 0.95 for $N = 2$, more than neighbours, because a draw may repeat the same frame. And a transition is used $UB$ times
# in its life, $U$ minibatches of $B$ per step: 8 times for the original DQN, not even once at the smallest $U$ that the document reports.


# %%
def correlation_of_draws(size):
    """Correlation of two uniform draws, with replacement, from the last `size` frames; frames k apart have (9/10)^k."""
    change = Fraction(1, 20)
    world = MDP.chain([[1 - change, change], [change, 1 - change]], gamma=NINE_TENTHS)
    law = age_probabilities(size, Fraction(size))
    covariances = autocovariance(world, uniform(world), fractions(1, -1), size - 1)
    age = np.arange(size)
    return law @ covariances[abs(age[:, None] - age)] @ law / covariances[0]


@claim(
    "notes-176",
    says="Random minibatches from a large buffer break the correlation of consecutive samples, and reuse each experience",
    verdict=Conditional(
        given="the buffer is many times the span over which frames are correlated, and U minibatches of B per step make UB > 1"
    ),
    about=(age_probabilities, autocovariance, expected_uses),
)
def what_a_buffer_does():
    rho, n = NINE_TENTHS, 100
    by_hand = (n * (1 + rho) / (1 - rho) - 2 * rho * (1 - rho**n) / (1 - rho) ** 2) / n**2
    yield equal(correlation_of_draws(n), by_hand, "a buffer of 100, by the geometric sums: 0.172, against 0.9 in a row")
    yield equal(correlation_of_draws(2), Fraction(19, 20), "a buffer of 2: (1 + 0.9)/2")
    yield exceeds(correlation_of_draws(2), rho, "more correlated than consecutive frames")
    yield equal(expected_uses(Fraction(32), Fraction(1, 4)), 8, "B = 32, an update every fourth step: 8 uses")
    rare = expected_uses(Fraction(32), Fraction(1, 1000))
    yield equal(rare, Fraction(4, 125), "B = 32, U = 0.001 (line 1066)")
    yield against(bool(rare < 1), "most transitions are dropped unseen")


what_a_buffer_does

# %% [markdown]
# ## The loss
#
# It is printed twice, and leaves out what the target is when the episode is over.

# %%
loss_of_dqn = same_as(
    "notes-177",
    "notes-181",
    of="reference-093",
    says=r"$E_D[(Q_\theta(s,a) - (r + \gamma \max_{a'} Q_{\theta^-}(s', a')))^2]$, over a replay buffer",
)
loss_of_dqn

# %% [markdown]
# ## The target stands still
#
# Let the online value at $s'$ be $t$ after update $t$, and copy every three updates. With reward 1 and γ = 1/2 the target moves in steps
# of 3/2. Without a target network it moves at every update.


# %%
def targets_over_time(every, updates=9):
    """1 + ½ max(θ⁻, 0) after updates 1, 2, …, where the online value is t after update t."""
    frozen, seen = fractions(0), []
    for step in range(1, updates + 1):
        frozen = hard_update(frozen, fractions(step), step, every)
        seen.append(dqn_targets([ONE], [[frozen[0], 0]], [False], HALF)[0])
    return seen


@claim(
    "notes-178",
    says="Between copies the targets remain fixed, while θ is updated at every step",
    verdict=Holds(note="the target of a given transition; what is drawn from the buffer still changes"),
    about=(hard_update, dqn_targets),
)
def a_period_of_stability():
    third = Fraction(5, 2)
    yield equal(targets_over_time(3), [1, 1, third, third, third, 4, 4, 4, Fraction(11, 2)], "K = 3")
    yield equal(targets_over_time(1), [1 + HALF * t for t in range(1, 10)], "K = 1, no target network: never at rest")


a_period_of_stability

# %%
every_k_steps = same_as("notes-182", of="theory-360", says="every K steps θ⁻ ← θ, frozen in between")
every_k_steps

# %% [markdown]
# Line 1056 calls this 'soft targets'. The document's own line 1081 calls it a hard update, and lines 1084 to 1087 explain what a soft one
# is: it moves after every update, and is never fixed for a period.


# %%
@claim(
    "notes-183",
    says="Soft targets: the target network is kept fixed for periods",
    verdict=Wrong(
        because="a soft target moves at every update; line 1081 of the document calls the frozen one a hard update",
        instead="hard targets are kept fixed for periods",
    ),
    about=(hard_update, soft_update),
)
def which_one_is_soft():
    hard, soft, seen = fractions(0), fractions(0), []
    for step in range(1, 7):
        hard, soft = hard_update(hard, fractions(8), step, 3), soft_update(soft, fractions(8), HALF)
        seen.append((hard[0], soft[0]))
    yield equal([h for h, _ in seen], [0, 0, 8, 8, 8, 8], "θ = 8, K = 3: the hard target rests, jumps, rests")
    softs = [s for _, s in seen]
    yield equal(softs, [4, 6, 7, Fraction(15, 2), Fraction(31, 4), Fraction(63, 8)], "τ = 1/2: the soft one")
    yield against(len(set(softs)) == 6, "the soft target is never the same twice")


which_one_is_soft

# %% [markdown]
# ## Acting
#
# 'Random with probability ε' counts the greedy action among the random ones: of four actions at ε = 1/5 the greedy one is taken
# with 17/20, not with 4/5.


# %%
@claim(
    "notes-179",
    says="ε-greedy: the argmax with probability 1 - ε, uniform over all actions with probability ε",
    verdict=Holds(note="the greedy action is then taken with probability 1 - ε + ε/|A|, each other one with ε/|A|"),
    about=epsilon_greedy,
)
def epsilon_of_all_actions():
    q = fractions(1, 3, 2, 0)
    deals = [1] * 16 + [0, 1, 2, 3]  # twenty equally likely deals: sixteen greedy, four uniform
    yield equal(epsilon_greedy(q, FIFTH), [Fraction(deals.count(a), 20) for a in range(4)], "ε = 1/5, counted")
    e = sympy.Symbol("epsilon", positive=True)
    law = epsilon_greedy(np.array([sympy.Integer(x) for x in (1, 3, 2, 0)]), e)
    yield proved(law - np.array([e / 4, 1 - 3 * e / 4, e / 4, e / 4]), "for every ε")


epsilon_of_all_actions

# %% [markdown]
# The display under that line is another policy: $\pi(s) = \arg\max_{a'} Q(s, a')$, with no ε. As what the agent does with
# probability 1 − ε it is right. As the policy that collects the data it never tries what does not look best: two arms that pay
# 1 and 2, a table of zeros, and the better arm stays at 0 for ever.


# %%
def acting(epsilon, updates):
    """Expected Q-learning on arms that pay 1 and 2, from zeros, α = ½, each arm updated as often as it is pulled."""
    arms, q = gallery.bandit((1, 2)), fractions([0, 0])
    for _ in range(updates):
        q = expected_q_learning(arms, q, HALF, epsilon_greedy(q, epsilon))
    return q


@claim(
    "notes-180",
    says=r"Data are collected with $\pi(s) = \arg\max_{a'} Q_\theta(s, a')$",
    verdict=Conditional(
        given="as the greedy part of ε-greedy; alone it contradicts the line above and does not explore"
    ),
    about=(epsilon_greedy, expected_q_learning, first_best),
)
def greedy_or_not():
    arms, q = gallery.bandit((1, 2)), fractions([1, 3])
    yield equal(first_best(arms, q), [[0, 1]], "the argmax")
    yield equal(epsilon_greedy(q, 0 * ONE), [[0, 1]], "ε-greedy at ε = 0")
    yield differs(epsilon_greedy(q, FIFTH), first_best(arms, q), "ε = 1/5")
    stuck = acting(0 * ONE, 20)
    yield equal(stuck, [[1 - HALF**20, 0]], "twenty greedy updates: the first arm only")
    yield against(bool(stuck[0, 0] > stuck[0, 1]), "the arm that pays 2 was never tried")
    tried = acting(FIFTH, 20)
    yield below(tried[0, 0], tried[0, 1], "with ε = 1/5 it is found")


greedy_or_not

# %% [markdown]
# ## Superhuman?
#
# The paper scores a game as 100 (DQN − random) / (human − random). On 29 of 49 games that is above 75, on more than twenty above 100. And
# its ablation says which part did it: on Breakout replay is worth a factor of 31 to 75, the target network a third on top.

# %%
ABLATION = {"both": 316.8, "replay only": 240.7, "target network only": 10.2, "neither": 3.2}  # Extended Data Table 3


def human_normalised(score, at_random, human):
    """0 for a random player, 100 for the human tester."""
    return 100 * (score - at_random) / (human - at_random)


@claim(
    "notes-184",
    says="These two let DQN reach superhuman scores on many Atari games",
    verdict=Holds(note="more than twenty of 49; not on all: 13 % on Ms. Pac-Man"),
    about=human_normalised,
)
def superhuman():
    games = {
        "Video Pinball": ("42684", "16257", "17298", "2539"),
        "Boxing": ("71.8", "0.1", "4.3", "1707"),
        "Breakout": ("401.2", "1.7", "31.8", "1327"),
        "Pong": ("18.9", "-20.7", "9.3", "132"),
        "Space Invaders": ("1976", "148", "1652", "122"),
    }
    for name, (score, chance, human, percent) in games.items():
        found = human_normalised(*map(Fraction, (score, chance, human)))
        yield agrees(printed(percent, digits=len(percent)), found, name)
        yield below(100, found, f"{name}: above the human")
    pacman = human_normalised(Fraction(2311), Fraction(307), Fraction(15_693))
    yield agrees(printed("13", digits=2), pacman, "Ms. Pac-Man")
    yield sourced("Mnih et al. (2015), Figure 3 and Extended Data Table 2: 29 of 49 games above 75 %")
    neither = human_normalised(Fraction("3.2"), Fraction("1.7"), Fraction("31.8"))
    yield below(neither, 5, "Breakout with neither replay nor target network (Extended Data Table 3): 5 % at most")


superhuman


# %%
@figure
def which_part_did_it():
    """Breakout, best score of four variants of the same network (Mnih et al. 2015, Extended Data Table 3); dashed: the human tester."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(6, 2.6))
    bars = ax.barh(list(ABLATION)[::-1], list(ABLATION.values())[::-1], color=COLOURS[0])
    ax.bar_label(bars, padding=3)
    ax.axvline(31.8, color="0.4", ls="--", lw=1)
    ax.set(xscale="log", xlim=(1, 1000), xlabel="score on Breakout, log scale")
    return fig


which_part_did_it

# %% [markdown]
# ## Why it is not gradient descent, and why it nearly is
#
# With the target network's numbers in the target, the displayed loss is an ordinary function of θ, and the step follows its gradient exactly.
# It is *without* a target network that the step is no gradient: on two states in a row, the first target contains the second
# value, the step ignores that, and its mixed derivatives differ by γ. No function whatever has such a gradient. What remains is that every copy
# replaces the loss by another one, and may raise it.


# %%
def step_direction(values, ahead, r, gamma):
    """Two states in a row, then the end: the mean semi-gradient in the two values, `ahead` standing for the second in the target."""
    y = dqn_targets(np.array(r), np.array([[ahead], [0 * ahead]]), [False, True], gamma)
    return squared_td_loss_gradient(np.array(values), y, reduction="mean"), squared_td_loss(
        np.array(values), y, reduction="mean"
    )


def curl(field, values):
    """∂g₁/∂q₂ - ∂g₂/∂q₁: 0 for a gradient."""
    return sympy.simplify(sympy.diff(field[0], values[1]) - sympy.diff(field[1], values[0]))


@claim(
    "notes-185",
    says="DQN is not true gradient descent, since it uses target networks and treats parts of the objective as fixed",
    verdict=Wrong(
        because="between copies a target network makes the step the exact gradient of the displayed loss",
        instead="the step whose target contains θ itself is no gradient; with a target network it is one, of a loss that each copy replaces",
    ),
    about=(squared_td_loss_gradient, squared_td_loss, dqn_targets),
)
def whose_gradient():
    q, r = sympy.symbols("q_1 q_2", real=True), sympy.symbols("r_1 r_2", real=True)
    frozen, gamma = sympy.Symbol("f", real=True), sympy.Symbol("gamma", positive=True)
    held, loss = step_direction(q, frozen, r, gamma)
    yield against(curl(held, q) == 0, "target network: the step has a potential")
    yield proved([g - sympy.diff(loss, x) for g, x in zip(held, q, strict=True)], "which is the displayed loss")
    yield proved(curl(step_direction(q, q[1], r, gamma)[0], q) + gamma, "θ in the target: the derivatives differ by -γ")
    at_rest = step_direction(fractions(0, 1), 0 * ONE, fractions(0, 1), HALF)[1]
    copied = step_direction(fractions(0, 1), ONE, fractions(0, 1), HALF)[1]
    yield equal(
        [at_rest, copied], [0, Fraction(1, 8)], "rewards 0, 1: the loss at its minimum, and right after the copy"
    )


whose_gradient

# %% [markdown]
# ## Updates per environment step


# %%
@claim(
    "notes-186",
    says="UTD is the number of gradient updates per environment step; UTD = 4: four minibatches for each new transition",
    verdict=Holds(note="a transition is then used UTD · B times in its life, on average"),
    about=(update_to_data_ratio, updates_in_run),
)
def updates_to_data():
    listed = ["act", *["minibatch"] * 4]  # the document's steps 1 to 5
    run = listed * 250
    counts = [Fraction(run.count(kind)) for kind in ("minibatch", "act")]
    yield equal(update_to_data_ratio(*counts), 4, "250 rounds of the document's list")
    yield equal(updates_in_run(Fraction(250), Fraction(4)), counts[0], "250 steps at UTD 4: 1000 updates")


updates_to_data

# %% [markdown]
# Published numbers span the range that the document gives. Ape-X collects 12 500 transitions a second from 360 actors and makes 19 updates in
# that time, 0.0015 per transition; the original DQN 1/4; REDQ 20; scaled-up SAC up to 128.


# %%
@claim(
    "notes-187",
    says="UTD is as high as 100 in some cases, and sometimes as low as 0.001",
    verdict=Holds(note="orders of magnitude of what has been published: 0.0015 to 128"),
    about=update_to_data_ratio,
)
def published_ratios():
    high, low = printed("100", digits=1), printed("0.001")
    apex = update_to_data_ratio(Fraction(19), Fraction(12_500))
    yield equal(apex, Fraction(152, 10**5), "Ape-X: 19 updates for 12 500 transitions")
    yield below(abs(apex - low.value), Fraction(6, 10_000), "0.001 to the order of magnitude")
    yield below(high.value, 128, "and 128, above 100")
    yield agrees(printed("9.7e3"), Fraction(19 * 512), "19 minibatches of 512: the 9.7 thousand a second of its paper")
    yield sourced("Horgan et al. (2018), §4; Mnih et al. (2015); Chen et al. (2021), REDQ; D'Oro et al. (2023)")


published_ratios

# %% [markdown]
# **Does the newest transition wait?** In the document's list it is stored in step 1 and the minibatches are drawn in steps 2 to 5. It is in
# the buffer then, like every other, and each of the four may hold it. From a buffer of a million that is rare, 1 in 7800. Just
# after a burn-in of a thousand it is one case in eight.


# %%
@claim(
    "notes-188",
    says="At UTD = 4 the four steps all train on old data, not on the transition just collected",
    verdict=Wrong(
        because="it was stored before the four minibatches were drawn, and is as likely to be in them as any other",
        instead="it is in at least one of them with probability 1 - (1 - B/N)⁴: 12 % for B = 32, N = 1000",
    ),
    about=in_minibatch_probability,
)
def the_newest_transition():
    draws = list(product(combinations(range(3), 2), repeat=4))
    listed = Fraction(sum(any(2 in batch for batch in four) for four in draws), len(draws))
    small = in_minibatch_probability(Fraction(3), Fraction(2), replacement=False, minibatches=4)
    yield equal(small, listed, "N = 3, B = 2: all 81 ways to draw four minibatches")
    found = [in_minibatch_probability(n * ONE, 32 * ONE, replacement=False, minibatches=4) for n in (32, 1000, 10**6)]
    yield equal(found, [1 - (1 - Fraction(32, n)) ** 4 for n in (32, 1000, 10**6)], "B = 32, N = 32, 1000, a million")
    yield differs(0, found[1], "a buffer of 1000")
    yield agrees(printed(["0.12", "0.000128"]), found[1:], "12 %, and 1 in 7800")


the_newest_transition

# %% [markdown]
# ## Soft updates
#
# $\theta^- \leftarrow (1-\alpha)\theta^- + \alpha\theta$ forgets where it started by a factor $1-\alpha$ each time: half of it in 138 updates
# at α = 0.005. It trails a θ that moves steadily by $(1-\alpha)/\alpha = 199$ updates.


# %%
@claim(
    "notes-189",
    says=r"Soft update: $\theta^-_{i+1} \leftarrow (1 - \alpha)\,\theta^-_i + \alpha\,\theta_i$, α about 0.005, at every step",
    verdict=Holds(note="this α is no learning rate; α = 1 is a copy at every step"),
    about=(soft_update, soft_update_lag, soft_update_half_life),
)
def the_soft_update():
    a, x, y = sympy.symbols("alpha x y", real=True)
    alpha = sympy.Symbol("alpha", positive=True)
    once = soft_update(np.array([x]), np.array([y]), alpha)[0]
    yield proved(once - ((1 - a) * x + a * y).subs(a, alpha), "the display")
    small = printed("0.005").value
    target = fractions(1)
    for _ in range(138):
        target = soft_update(target, fractions(0), small)
    yield shows(bool(target[0] > HALF > target[0] * (1 - small)), "139 updates halve what it started with, 138 do not")
    yield close(soft_update_half_life(0.005), np.log(0.5) / np.log(0.995), 1e-9, "two logarithms", "half-life: 138.3")
    yield equal(soft_update_lag(small), 199, "it trails a steady θ by 199 updates")


the_soft_update

# %% [markdown]
# **Which is more stable?** Two linear examples, each with true values 0 that can be represented. In the first (features 1 and −2) a fit to the end
# flips the sign and grows: hard copies diverge, and a soft target, which only goes a small part of the way, converges. In the second
# (features (1, 0) and (2, 1), the first state updated nine times in ten) TD diverges, and a fit to the end contracts by γ. There a target
# must stand still until the fit is done: copies every 2000 updates converge, and the document's soft target, α = 0.005 beside a
# learning rate of 0.01, drifts with the network and diverges.


# %%
def flipping():
    """Features 1 and -2 for a state and its successor, γ = 0.9: one TD step contracts, a fit to the end flips the sign and grows."""
    pair = w_to_2w(gamma=NINE_TENTHS)
    return linear_td(pair.mdp, pair.policy, fractions([1], [-2]), pair.weights)


def impatient():
    """Features (1, 0) and (2, 1), states updated 9 : 1: every TD step size diverges, a fit to the end contracts."""
    pair = w_to_2w(gamma=NINE_TENTHS)
    return linear_td(pair.mdp, pair.policy, fractions([1, 0], [2, 1]), fractions(NINE_TENTHS, TENTH))


@claim(
    "notes-190",
    says="Soft updates often train more stably than hard ones, because targets change gradually; choose one, not both",
    verdict=Conditional(
        given="the soft target is slow against the network that is fitted to it; else only a hard one leaves time for the fit"
    ),
    about=(hard_target, soft_target, schur_stable),
)
def soft_or_hard():
    slow = Fraction(1, 200)
    flip = flipping()
    hard, soft = hard_target(flip, TENTH, 50), soft_target(flip, TENTH, slow)
    yield equal(hard(fractions(1)), [1 - (1 - NINE_TENTHS**50) * Fraction(14, 5)], "flipping, 50 updates a copy: -1.79")
    yield equal([schur_stable(x.matrix) for x in (hard, soft)], [False, True], "hard diverges, soft converges")
    yield equal(
        soft(fractions(1, 1)), [Fraction(18, 25), 1 - slow * Fraction(7, 25)], "by hand: 1 - 0.1 · 2.8, and the copy"
    )
    rate, late = Fraction(1, 100), impatient()
    hard, soft = hard_target(late, rate, 2000), soft_target(late, rate, slow)
    yield against(schur_stable(hard.matrix), "impatient, learning rate 0.01: hard, every 2000 updates, converges")
    yield against(not schur_stable(soft.matrix), "soft, 0.005, diverges")
    slower = soft_target(late, rate, slow / 10)
    yield shows(schur_stable(slower.matrix), "soft, 0.0005: slow enough, converges")


soft_or_hard


# %%
@figure
def neither_is_always_stable():
    """Size of the target network's parameters over the updates (truth 0). Left, features 1 and −2, learning rate 0.1: hard copies grow. Right,
    features (1, 0) and (2, 1), learning rate 0.01: the soft target of 0.005 grows."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(8.5, 3.2))
    cases = [(flipping(), TENTH, 50, ("0.005",), 400), (impatient(), TENTH**2, 2000, ("0.005", "0.0005"), 30_000)]
    for ax, (td, rate, every, shares, updates) in zip(axes, cases, strict=True):
        for tau, colour in zip(("0", *shares), (COLOURS[1], COLOURS[0], COLOURS[2]), strict=False):
            one_update = soft_target(td, rate, Fraction(tau)).matrix.to_array().astype(float)
            both, half = np.ones(len(one_update)), len(one_update) // 2  # θ, then θ⁻
            sizes = []
            for step in range(1, updates + 1):
                both = one_update @ both
                if tau == "0" and step % every == 0:
                    both[half:] = both[:half]
                sizes.append(np.linalg.norm(both[half:]))
            ax.semilogy(sizes, label=f"soft, {tau}" if tau != "0" else f"hard, every {every}", color=colour)
        ax.set(xlabel="updates", ylabel="size of θ⁻")
        ax.legend()
    axes[0].set_title("a fit to the end overshoots")
    axes[1].set_title("a fit takes time")
    return fig


neither_is_always_stable

# %% [markdown]
# As for choosing one: nothing forbids a soft copy every K updates. α = 1 makes it the hard one, K = 1 the soft one.
