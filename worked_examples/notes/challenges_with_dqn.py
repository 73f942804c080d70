# %% [markdown]
# # Challenges with DQN
#
# *Document `notes`, lines 1091 to 1221.* Overestimation and Double DQN, n-step targets, the cold start, exploration, the Huber loss, and
# where $V$ is in a method that learns $Q$. The formulas are the usual ones but for slips in two of them. Two networks that learn from one buffer
# do not err independently, n-step targets from it are biased and not only noisy, and a small ε does not find six right steps in a row.

# %%
from fractions import Fraction
from itertools import product

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
    at_most,
    below,
    claim,
    differs,
    equal,
    exceeds,
    printed,
    proved,
    refuses,
    same_as,
    sourced,
    tight,
)
from rlexact.exact.evaluation import action_value, advantage, policy_value
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.linear_td import linear_td
from rlexact.exact.max_estimators import chosen_first, double_max_law, single_max_law
from rlexact.exact.reach import hitting_time
from rlexact.exact.return_estimators import n_step_return_law
from rlexact.formulas.dqn import double_dqn_targets, dqn_targets, huber_td_loss, one_step_targets
from rlexact.formulas.dueling import dueling_max, max_streams
from rlexact.formulas.exploration import epsilon_greedy
from rlexact.formulas.huber import huber_loss, huber_loss_gradient
from rlexact.formulas.q_learning import double_q_targets, n_step_max_targets
from rlexact.formulas.q_learning import td_update as table_update
from rlexact.formulas.replay import expected_uses_in_run
from rlexact.formulas.target_network import hard_update
from rlexact.gallery.counterexamples import w_to_2w
from rlexact.learning.replay import EmptyReplay, Replay
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, deterministic_policies, first_best, uniform

SECTION = Section("notes", "challenges_with_dqn", "Challenges with DQN")

ONE, HALF, QUARTER, TENTH = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)
NINE_TENTHS = Fraction(9, 10)
A, B = 0, 1
LEFT, RIGHT = 0, 1


def fractions(*rows):
    """An object array of Fractions."""
    return np.array(rows, dtype=object) * ONE


def q_star():
    """Q* of the two-state loop by hand: from A right pays 3, from B back to A is worth 0.9 · 300/19, and the end pays 10."""
    return fractions([Fraction(289, 19), Fraction(300, 19)], [Fraction(270, 19), 10])


# %% [markdown]
# ## The target, three times
#
# Lines 1102 and 1145 print the target of DQN, line 1187 the error that goes into the Huber loss. None of them says what is to be done
# at an end, where nothing follows and the network has a number all the same. (As $y(s, a)$ it is also a function of $s'$.)


# %%
@claim(
    "notes-192",
    "notes-202",
    "notes-211",
    says=r"The target of DQN is $y = r + \gamma \max_{a'} Q_{\theta^-}(s', a')$, its error $x = Q_\theta(s, a) - y$",
    verdict=Conditional(given="s' does not end the episode; there y = r. (Huber's loss ignores the sign of x)"),
    about=(dqn_targets, huber_td_loss),
)
def the_target():
    r, gamma = sympy.symbols("r gamma", positive=True)
    yield proved(dqn_targets([r], [[4, 7, 5]], [False], gamma)[0] - (r + 7 * gamma), "max(4, 7, 5) = 7")
    q, rewards = q_star(), fractions(1, 3, 0, 10)
    y = dqn_targets(rewards, q[[A, B, A, B]], [False, False, False, True], NINE_TENTHS)
    yield equal(y, q.ravel(), "the loop: Q* is its own target, its last step being an end")
    losses = [huber_td_loss(q.ravel() + x, y, ONE) for x in (-1, 1, 3)]
    yield equal(losses, [[HALF] * 4, [HALF] * 4, [Fraction(5, 2)] * 4], "Q - y = -1, 1 and 3: Huber losses at δ = 1")
    careless = dqn_targets(rewards, q[[A, B, A, B]], [False] * 4, NINE_TENTHS)
    yield differs(careless[3], 10, "as printed, for the step that ends")
    yield differs(huber_td_loss(q.ravel(), careless, ONE)[3], 0, "and an error where there is none")


the_target

# %% [markdown]
# ### What the maximum stands for


# %%
@claim(
    "notes-193",
    says=r"$\max_{a'} Q_{\theta^-}(s', a')$ is meant to be $V^*(s')$, the value of the optimal policy from s'",
    verdict=Holds(note="and is, where Q_θ⁻ = Q*"),
    about=(policy_value, action_value),
)
def what_it_stands_for():
    loop = gallery.left_right_loop()
    v = np.max([policy_value(loop, policy) for policy in deterministic_policies(loop)], axis=0)
    yield equal(v, [Fraction(300, 19), Fraction(270, 19)], "the best of all policies")
    yield equal(action_value(loop, deterministic(loop, ["right", "left"])), q_star(), "Q of the optimal policy")
    yield equal(q_star().max(axis=1), v, "their maximum is V*")


what_it_stands_for

# %% [markdown]
# ## Overestimation
#
# Is it systematic? Where estimates are right on average and more than one action can come out on top, the largest of them is too high on
# average. Where they are not, it need not be: on the two-state loop, started from a table of zeros, no estimate is ever above the truth,
# at any sweep.


# %%
@claim(
    "notes-191",
    says="DQN tends to overestimate Q-values systematically",
    verdict=Conditional(given="estimates are about right on average, and noise can change which action looks best"),
    about=(single_max_law, dqn_targets, expected_q_learning),
)
def is_it_systematic():
    coin = [{-ONE: HALF, ONE: HALF}] * 3
    yield equal(single_max_law(coin).bias, Fraction(3, 4), "three actions worth 0, each ±1: 1 - 2/8")
    tables = fractions(*product((-1, 1), repeat=3))
    y = dqn_targets(fractions(*[0] * 8), tables, [False] * 8, HALF)
    yield equal(y.sum() / 8, Fraction(3, 8), "mean target at γ = 1/2, all 8 outcomes; the truth is 0")
    loop, q, each = gallery.left_right_loop(), fractions([0, 0], [0, 0]), fractions([1, 1], [1, 1])
    ordered = []
    for _ in range(30):
        q = expected_q_learning(loop, q, ONE, each)
        ordered.append(bool((q <= q_star()).all()))
    yield against(all(ordered), "the loop from zeros: Q ≤ Q* after each of 30 sweeps")


is_it_systematic

# %% [markdown]
# **A chain reaction?** An overestimate is inherited only if it is the maximum at $s'$, and each step inherits γ of it: alone, it dies
# out. What adds up are *fresh* errors, the noise of every state's own maximum. They add up to at most $1/(1-\gamma)$ of one. With the noise
# above, 3/4 a state, and γ = 0.9 the first states of a long corridor are too high by nearly 7.5.


# %%
def along_a_corridor(actions, states, gamma):
    """Mean overestimate of max Q, 1, 2, … states before the end of a corridor of reward 0, each estimate its mean target ± 1."""
    excess, found = 0 * ONE, []
    for _ in range(states):
        target = one_step_targets([0 * ONE], [excess], [False], gamma)[0]
        excess = single_max_law([{target - 1: HALF, target + 1: HALF}] * actions).mean
        found.append(excess)
    return found


@claim(
    "notes-194",
    says="An overestimate of Q(s', a') is inherited by s, then by the states before it: it compounds like a chain reaction",
    verdict=Conditional(given="a' looks best at s' and every state errs afresh; one error alone shrinks by γ a step"),
    about=(one_step_targets, single_max_law, dqn_targets),
)
def how_errors_travel():
    found = along_a_corridor(3, 40, NINE_TENTHS)
    by_hand = [Fraction(15, 2) * (1 - NINE_TENTHS**k) for k in range(1, 41)]
    yield equal(found, by_hand, "fresh noise at each state: 3/4 · (1 - γᵏ)/(1 - γ)")
    single, seen = ONE, []
    for _ in range(3):
        single = one_step_targets([0 * ONE], [single], [False], NINE_TENTHS)[0]
        seen.append(single)
    yield equal(seen, [NINE_TENTHS**k for k in (1, 2, 3)], "one overestimate of 1, one, two and three steps before it")
    yield against(seen == sorted(seen, reverse=True), "it fades: no chain reaction")
    y = [dqn_targets(fractions(0), fractions([10, 7 + e]), [False], ONE)[0] for e in (0, 2)]
    yield equal(y, [10, 10], "an overestimate of 2 on an action worth 7, beside one worth 10: nothing is inherited")


how_errors_travel


# %%
@figure
def errors_add_up():
    """Mean overestimate along a corridor of reward 0, γ = 0.9, every estimate its mean target ± 1: fresh noise at each state (solid)
    adds up to at most ten times the first. An error made once (dashed) fades."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    for actions, colour in zip((2, 3, 8), COLOURS, strict=False):
        found = [float(x) for x in along_a_corridor(actions, 30, NINE_TENTHS)]
        ax.plot(range(1, 31), found, label=f"{actions} actions", color=colour)
    ax.plot(range(1, 31), 0.9 ** np.arange(30), "--", color="0.4", label="made once")
    ax.set(xlabel="states before the end", ylabel="overestimate of max Q")
    ax.legend()
    return fig


errors_add_up

# %% [markdown]
# **The largest error?** The action with the largest *estimate* is picked. That is the one with the largest error if all actions are worth
# the same.


# %%
@claim(
    "notes-195",
    says="We pick the action with the largest estimation error",
    verdict=Conditional(given="the actions are worth the same; else a better one with a smaller error may win"),
    about=chosen_first,
)
def which_action_is_picked():
    errors = [list(e) for e in product((-1, 0, 2), repeat=3)]
    picked = [chosen_first([{Fraction(5 + x): ONE} for x in e]) for e in errors]
    expected = [[int(a == e.index(max(e))) for a in range(3)] for e in errors]
    yield equal(np.array(picked), expected, "three actions worth 5, all 27 errors of -1, 0, 2: the largest error")
    apart = chosen_first([{Fraction(10): ONE}, {Fraction(7): ONE}])
    yield against(bool(apart[1] == 0), "worth 10 and 5, errors 0 and 2: the one with the error of 2 is not picked")


which_action_is_picked

# %% [markdown]
# ## Double Q-learning, and Double DQN
#
# The document first describes two functions of equal standing, initialised differently, under the name Double DQN. That is double
# *Q-learning* (van Hasselt 2010). Double DQN (2016) is what comes afterwards, lines 1130 to 1137: one function, and its own delayed copy.
# A different start cannot make them two, for the first copy erases it. Nor is all bias gone: the double estimate can be too low.


# %%
@claim(
    "notes-196",
    says="Double DQN maintains two Q-functions, initialised differently",
    verdict=Wrong(
        because="that is double Q-learning; in Double DQN the second function is a copy of the first (lines 1130 to 1137)",
        instead="Double DQN selects with the online network and evaluates with the target network, which adds no function",
    ),
    about=(hard_update, double_dqn_targets, double_q_targets),
)
def one_function_and_its_copy():
    online, other = fractions([7, 4, 6]), fractions([4, 7, 5])
    copied = hard_update(other, online, 100, 100)
    yield against(bool((copied == online).all()), "after the first copy nothing is left of a different start")
    y = double_dqn_targets(fractions(0), online, copied, [False], ONE)
    yield equal(y, [7], "right after a copy the target is DQN's maximum")
    y = double_dqn_targets(fractions(0), fractions([4, 6, 5]), copied, [False], ONE)
    yield equal(y, [4], "an update later: θ selects action 1, the copy says 4")
    y = [double_q_targets(fractions(0), *pair, [False], ONE)[0] for pair in ((online, other), (other, online))]
    yield equal(y, [4, 4], "double Q-learning: each of two tables has a target, judged by the other")
    low = double_max_law([{Fraction(m - 2): HALF, Fraction(m + 2): HALF} for m in (5, 4)])
    yield equal(low.bias, -QUARTER, "independent tables, actions worth 5 and 4, each ±2: too low by 1/4")
    yield sourced("van Hasselt (2010), Algorithm 1; van Hasselt, Guez and Silver (2016): no additional networks")


one_function_and_its_copy

# %% [markdown]
# Selection is right in both forms. Evaluation needs, once more, the end of the episode.


# %%
@claim(
    "notes-197",
    "notes-200",
    says=r"Select: $a^* = \arg\max_a Q_A(s', a)$; in Double DQN $a^* = \arg\max_a Q_\theta(s', a)$, the main network",
    verdict=Holds(note="of equal values the first"),
    about=(double_q_targets, double_dqn_targets),
)
def select():
    tables = [list(q) for q in product((0, 1, 2), repeat=3)]
    n = len(tables)
    marks = fractions(*[[0, 1, 2]] * n)  # an evaluator whose value of each action is its number
    for name, rule in {"tables": double_q_targets, "networks": double_dqn_targets}.items():
        found = rule(fractions(*[0] * n), fractions(*tables), marks, [False] * n, ONE)
        yield equal(found, [q.index(max(q)) for q in tables], f"two {name}, all 27 of three actions: what was selected")


select


# %%
evaluate = same_as(
    "notes-198",
    "notes-201",
    of="reference-095",
    says=r"$y = r + \gamma Q_B(s', \arg\max_a Q_A(s', a))$: A is the main network, B the target network",
)
evaluate

# %% [markdown]
# ### Are their errors independent?
#
# Different starts and different minibatches do not make them so, if the minibatches come from one buffer: its noise is common to
# both. Three actions worth 0, two stored rewards of ±1 for each. Trained on everything, A and B agree, and the double estimate is the
# single one, too high by 9/16. Trained on one draw each, they still share the buffer: the estimate is too
# high by 3/8. Only separate data remove it.


# %%
def double_from_one_buffer(own, actions=3):
    """E of B's value of A's first maximiser. Two rewards ±1 stored per action: A and B learn their mean, or one draw each (`own`)."""
    found = []
    for rewards in product(product((-1, 1), repeat=2), repeat=actions):
        learned = rewards if own else [[Fraction(sum(pair), 2)] for pair in rewards]
        found += [b[a.index(max(a))] for a, b in product(list(product(*learned)), repeat=2)]
    return sum(found) * ONE / len(found)


@claim(
    "notes-199",
    says="B's errors are independent of A's, since they start differently and see different minibatches; so no common overestimate",
    verdict=Wrong(
        because="minibatches of one buffer share its noise, whatever the start", instead="separate data do it"
    ),
    about=(double_from_one_buffer, double_max_law, single_max_law, table_update),
)
def independent_errors():
    ends = []
    for start in (10, -10):
        table = fractions(start)
        for reward in (1, -1) * 50:  # the same stored rewards, over and over
            table = table_update(table, 0, reward * ONE, HALF)
        ends.append(table[0])
    yield equal(ends[0] - ends[1], 20 * HALF**100, "two starts, 20 apart, 100 updates on the same rewards: 20 · 2^-100")
    law = [{-ONE: QUARTER, 0 * ONE: HALF, ONE: QUARTER}] * 3
    yield equal(single_max_law(law).mean, Fraction(9, 16), "the largest of three means of two rewards: 37/64 - 1/64")
    yield equal(double_max_law(law).mean, 0, "A and B from separate data: no bias")
    shared = double_from_one_buffer(own=False)
    yield differs(0, shared, "both trained on the same two rewards per action")
    yield equal(shared, Fraction(9, 16), "as much as the single estimate")
    yield equal(double_from_one_buffer(own=True), Fraction(3, 8), "one draw each: half of a single draw's 3/4")


independent_errors

# %% [markdown]
# ## n-step targets
#
# The document says what they cost: variance. They also cost the method its being off-policy. The rewards between are those of the actions that were
# *taken*. With one step and the right Q the target is right; with two it holds the reward of the next action in the buffer, good or bad.


# %%
@claim(
    "notes-203",
    says="The immediate reward comes from the environment and is accurate; after it we rely on Q",
    verdict=Conditional(given="rewards are not random; the environment gives R, whose mean is r(s, a)"),
    about=n_step_return_law,
)
def accurate_rewards():
    loop = gallery.left_right_loop()
    optimal = deterministic(loop, ["right", "left"])
    off = n_step_return_law(loop, optimal, q_star().max(axis=1) + 1, 1)
    yield equal(
        [*off.bias, *off.variance], [NINE_TENTHS] * 2 + [0, 0], "the loop, V̂ one too high: all that is off is γ · 1"
    )
    noisy = MDP.from_outcomes({(0, 0): [(HALF, None, 1, True), (HALF, None, -1, True)]}, ONE, 0)
    law = n_step_return_law(noisy, uniform(noisy), fractions(0), 1)
    yield equal([*law.mean, *law.variance], [0, 1], "a reward of ±1, then the end: right on average, never accurate")
    yield against(bool(law.variance[0] > 0), "all of the error is the reward's")


accurate_rewards

# %% [markdown]
# The document counts from $s_0$ (line 102), and $s'$ is one step after $s$: $N$ steps after it is $s_N$. With $s_{N+1}$ the bootstrap comes a
# step late; at $N = 1$ it skips the $s'$ of line 1145. Only counted from $s_1$ is it right, while the episode does not end.


# %%
@claim(
    "notes-204",
    says=r"$y_N = r(s,a) + \gamma r(s',a') + \gamma^2 r(s'',a'') + \dots + \gamma^N \max_a Q_{\theta^-}(s_{N+1}, a)$",
    verdict=Wrong(because="N steps after s₀ (line 102) is s_N", instead="γᴺ max Q(s_N, ·), or nothing after an end"),
    about=n_step_max_targets,
)
def the_n_step_target():
    g = sympy.Symbol("gamma", positive=True)
    r, best = sympy.symbols("r_0:4", real=True), (10, 20, 30, 40)  # max Q at s_1, s_2, s_3, s_4
    q = np.array([[sympy.Integer(x), sympy.Integer(-x)] for x in best])
    going = [False] * 4
    for n in (1, 2, 3):
        found = n_step_max_targets(np.array(r), q, going, None, g, n)[0]
        paid = sum(g**k * r[k] for k in range(n))
        yield proved(found - paid - g**n * best[n - 1], f"N = {n}: N rewards, and max Q at s_{n}")
    ones, numbers = fractions(1, 1, 1, 1), fractions(*q.astype(int).tolist())
    one = n_step_max_targets(ones, numbers, going, None, HALF, 1)[0]
    yield differs(1 + HALF * 20, one, "as printed at N = 1: the bootstrap at s_2, two steps on")
    ended = n_step_max_targets(ones, numbers, [False, True, False, False], None, HALF, 3)[0]
    yield equal(ended, Fraction(3, 2), "an episode of two steps, N = 3: two rewards")
    yield differs(1 + HALF + QUARTER + 30 * HALF**3, ended, "with a bootstrap all the same")


the_n_step_target

# %% [markdown]
# **Real data, about another policy.** On the two-state loop, give the learner the true Q\*. From A it went right, and then, exploring, took the 10
# at B and ended. The one-step target is right, 300/19. The two-step target is 3 + 0.9 · 10 = 12, with nothing estimated in it.


# %%
def two_steps(second, n):
    """The n-step target for (A, right) in the loop, Q* behind it, when the second action was `second`."""
    q, ends = q_star(), second == RIGHT
    rewards = fractions(3, 10 if ends else 0)
    return n_step_max_targets(rewards, q[[B, A]], [False, ends], None, NINE_TENTHS, n)[0]


@claim(
    "notes-205",
    says="n-step targets from the replay buffer trust real data for longer before falling back on estimates that may be wrong",
    verdict=Conditional(given="later actions are those of the greedy policy; else the target is biased for N ≥ 2"),
    about=(n_step_max_targets, two_steps),
)
def whose_data():
    truth = q_star()[A, RIGHT]
    yield equal([two_steps(a, 1) for a in (LEFT, RIGHT)], [truth, truth], "N = 1: right, whatever is done at B")
    yield equal(two_steps(LEFT, 2), truth, "N = 2, and then left, which is optimal: right")
    yield equal(two_steps(RIGHT, 2), 12, "N = 2, and then right")
    yield differs(two_steps(RIGHT, 2), truth, "real data, and further from the truth, which is 300/19")


whose_data

# %% [markdown]
# **Variance.** More rewards are more noise where they are independent. Where a later reward undoes an earlier one, more steps are *less* noise. And
# fewer than $N$ steps will do at the end of an episode: then the target is the whole return. $N = 3$ is the choice of Rainbow and of Ape-X; A3C and
# R2D2 use 5.


# %%
@claim(
    "notes-206",
    says="n-step returns have higher variance, and need N stored steps after the transition; the most common N is 3",
    verdict=Conditional(given="later rewards do not undo earlier ones; and at an end fewer steps make a whole target"),
    about=(n_step_return_law, n_step_max_targets),
)
def n_step_variance():
    walk = gallery.random_walk()
    variances = [n_step_return_law(walk, uniform(walk), fractions(*range(1, 6)) / 6, n).variance[2] for n in (1, 2, 3)]
    yield equal([36 * x for x in variances], [1, 2, 3], "random walk, right values: N/36 for N = 1, 2, 3")
    coin = [(HALF, 1, 1, False), (HALF, 2, -1, False)]
    back = MDP.from_outcomes({(0, 0): coin, (1, 0): [(ONE, None, -1, True)], (2, 0): [(ONE, None, 1, True)]}, ONE, 0)
    variances = [n_step_return_law(back, uniform(back), fractions(0, 0, 0), n).variance[0] for n in (1, 2)]
    yield equal(variances, [1, 0], "a reward that is undone, N = 1, 2")
    yield exceeds(*variances, "one step has the higher variance")
    short = n_step_max_targets(fractions(1, 1), fractions([4, 0], [4, 0]), [False, True], None, HALF, 3)
    yield equal(short, [Fraction(3, 2), 1], "N = 3, two steps to the end: targets all the same")
    yield sourced(
        "N = 3: Rainbow (Hessel et al. 2018), Ape-X (Horgan et al. 2018). N = 5: A3C (Mnih et al. 2016), R2D2"
    )


n_step_variance

# %% [markdown]
# ## Cold start
#
# An empty buffer has nothing to draw. A buffer of one has, and that is the trouble: without a burn-in the first transition
# is trained on at every one of the first steps. In a run of 1000 steps with minibatches of 32 it is used 32 · (1 + 1/2 + … + 1/1000) = 239.5 times, with a
# burn-in of 500 like all the other early ones 22.2 times.


# %%
@claim(
    "notes-207",
    says="The buffer is empty at first and nothing can be updated; a burn-in fills it, and only then do updates begin",
    verdict=Holds(note="one transition could be drawn; the burn-in keeps the first ones from being overused"),
    about=expected_uses_in_run,
)
def burn_in():
    yield refuses(EmptyReplay, lambda: Replay(1000, np.random.default_rng(0)).sample(1), "an empty buffer")
    setting = {"capacity": ONE * 1000, "batch_size": ONE * 32, "update_to_data": ONE}
    cold, warm = (expected_uses_in_run(1000, burn_in=n, **setting) for n in (1, 500))
    yield equal(cold[0], 32 * sum(Fraction(1, t) for t in range(1, 1001)), "no burn-in: uses of the first transition")
    yield agrees(printed(["239.5", "22.2"]), [cold[0], warm[0]], "without and with")
    yield equal(warm[:500] - warm[0], [0] * 500, "with a burn-in of 500 the first 500 are used alike")


burn_in

# %% [markdown]
# ## Does a small ε explore enough?
#
# A step back pays 1 and leads to the start; a step forward pays nothing, and after $n$ of them in a row comes the prize. Nothing seen on the way
# makes the greedy action forward. At ε = 1/20 each step forward has probability 1/40, and the first prize takes $40 + 40^2 + \dots + 40^n$
# steps on average: 1640 for $n = 2$, 2.6 million for $n = 4$, four thousand million for $n = 6$. Detours in number are not detours in depth.


# %%
def lock(n):
    """Steps back to the start pay 1; n steps forward in a row end at a prize of 1000. γ = 9/10."""
    table = {(s, LEFT): [(ONE, 0, 1, False)] for s in range(n)}
    table |= {(s, RIGHT): [(ONE, s + 1, 1000 if s + 1 == n else 0, False)] for s in range(n)}
    return MDP.from_outcomes(table | {(n, a): [(ONE, n, 0, False)] for a in (LEFT, RIGHT)}, NINE_TENTHS, 0)


def first_prize(n, epsilon):
    """Mean number of steps to the prize, ε-greedy, as long as going back looks best."""
    law = epsilon_greedy(fractions(*[[1, 0]] * (n + 1)), epsilon)
    return hitting_time(lock(n), law, n)[0]


@claim(
    "notes-208",
    says="Even a small constant ε, over millions of steps, generates enough random detours to gradually expand the explored region",
    verdict=Conditional(given="what is new takes few exploring steps in a row: n of them cost about (|A|/ε)ⁿ steps"),
    about=(epsilon_greedy, hitting_time),
)
def detours_in_depth():
    yield equal(epsilon_greedy(fractions(1, 0), TENTH / 2), [Fraction(39, 40), Fraction(1, 40)], "back looks best")
    found = [first_prize(n, TENTH / 2) for n in (1, 2, 4, 6)]
    yield equal(found, [sum(40**k for k in range(1, n + 1)) for n in (1, 2, 4, 6)], "n = 1, 2, 4, 6")
    yield below(found[1], 10**6, "n = 2: well within a million steps")
    yield against(bool(found[3] > 10**9), "n = 6: more than a thousand million steps")


detours_in_depth

# %% [markdown]
# ## Many updates per step
#
# What overfitting to the buffer means can be read off two arms worth 1, with one stored reward of 0 or 2 each. After $k$ updates with step size
# 1/2 from zeros the larger value is $\tfrac32(1 - 2^{-k})$ on average: with the same data, more updates learn more of its noise. Where updates
# diverge, $U$ of them do so $U$ times as fast. Without noise, in a table, more updates only come nearer to the truth. And no number of
# updates teaches what is not in the data.


# %%
def larger_of_two(noise, updates):
    """Mean larger value of two arms worth 1, one stored reward of 1 ± noise each, after some updates with α = ½ from zeros."""
    total = 0 * ONE
    for rewards in product((1 - noise, 1 + noise), repeat=2):
        table = fractions(0, 0)
        for _ in range(updates):
            for arm, reward in enumerate(rewards):
                table = table_update(table, arm, reward * ONE, HALF)
        total += max(table) / 4
    return total


@claim(
    "notes-209",
    says="A high UTD overfits to the buffer and can destabilise training; moderate ratios are more robust, and coverage helps",
    verdict=Conditional(given="targets are noisy or diverge; in a table without noise every update helps"),
    about=(larger_of_two, table_update, expected_q_learning, linear_td),
)
def more_updates():
    noisy = [larger_of_two(1, k) for k in (1, 4, 16)]
    by_hand = [Fraction(3, 2) * (1 - HALF**k) for k in (1, 4, 16)]
    yield equal(noisy, by_hand, "rewards 1 ± 1, k = 1, 4, 16; the truth is 1")
    yield below(abs(noisy[1] - 1), abs(noisy[2] - 1), "sixteen updates are further from the truth than four")
    calm = [1 - larger_of_two(0, k) for k in (1, 4, 16)]
    yield equal(calm, [HALF**k for k in (1, 4, 16)], "no noise: the error is 2^-k")
    yield against(bool(calm[2] < calm[1] < calm[0]), "and the highest ratio is best")
    pair = w_to_2w(gamma=NINE_TENTHS)
    four = linear_td(pair.mdp, pair.policy, pair.features, pair.weights).update(TENTH).after(4)
    yield equal(four(fractions(1)), [Fraction(27, 25) ** 4], "values w and 2w, U = 4: times 1.36 per step, not 1.08")
    loop, q, seen = gallery.left_right_loop(), fractions([0, 0], [0, 0]), fractions([1, 1], [1, 0])
    for _ in range(50):
        q = expected_q_learning(loop, q, ONE, seen)
    yield equal(q[B, RIGHT], 0, "coverage: 50 sweeps without (B, right) leave it at 0")


more_updates

# %% [markdown]
# ## The Huber loss
#
# One error, however large, moves the prediction by no more than $\alpha\,\delta$ (the parameters, by $\alpha\,\delta\,|\nabla Q|$). The price:
# what is fitted is no longer the mean. Nine rewards of 0 and one of 10 have mean 1; the Huber loss with δ = 1 rests at 1/9.


# %%
@claim(
    "notes-210",
    "notes-213",
    says=r"$L(x) = x^2/2$ for $|x| \le \delta$, $\delta|x| - \delta^2/2$ beyond; no single large error causes a dramatic update",
    verdict=Holds(note="slope at most δ; in return the fitted value is not the mean of skewed targets"),
    about=(huber_loss, huber_loss_gradient),
)
def huber():
    x, delta = fractions(-3, -2, -HALF, 0, 1, 2, 10**6), 2 * ONE
    yield equal(huber_loss(x, delta), [4, 2, Fraction(1, 8), 0, HALF, 2, 2 * 10**6 - 2], "δ = 2, by the display")
    slopes = huber_loss_gradient(x, delta)
    yield equal(slopes, [-2, -2, -HALF, 0, 1, 2, 2], "slopes x, and ±δ")
    yield at_most(abs(slopes), delta, "the slope is bounded, whatever the error")
    yield tight(abs(slopes[0]), delta, "reached from |x| = δ on")
    d, z = sympy.symbols("delta x", positive=True)
    gap = z**2 / 2 - (d * z - d**2 / 2)
    yield proved([gap.subs(z, d), sympy.diff(gap, z).subs(z, d)], "at x = δ the pieces meet, in value and slope")
    rest = huber_loss_gradient(Fraction(1, 9) - fractions(*[0] * 9, 10), ONE).sum()
    yield equal(rest, 0, "nine rewards of 0 and one of 10, δ = 1: at rest at 1/9; their mean is 1")


huber

# %% [markdown]
# The next line calls the hyperparameter δ(x). It must not depend on $x$: with $\delta(x) = |x|$ every error is 'small', and the loss is
# the squared error again.


# %%
@claim(
    "notes-212",
    says="δ(x) is a hyperparameter that we choose",
    verdict=Wrong(because="a δ that depends on x can undo the loss, as δ(x) = |x| does", instead="δ > 0 is a constant"),
    about=(huber_loss, huber_loss_gradient),
)
def a_constant():
    errors = fractions(1, -4, 10)
    yield differs(huber_loss(errors, abs(errors)), huber_loss(errors, ONE), "δ(x) = |x| against δ = 1")
    yield equal(huber_loss(errors, abs(errors)), errors**2 / 2, "it is x²/2 everywhere")
    yield equal(huber_loss_gradient(errors, ONE), [1, -1, 1], "δ = 1: slopes at most 1")


a_constant

# %% [markdown]
# ## Where is V?
#
# $V(s) = \max_a Q_\theta(s, a)$ is always in step with $Q_\theta$, since it is computed from it. Whether it is a *value* is another matter. For
# $Q^*$ it is $V^*$. For a network that says 20 for taking the 10 at B, it is 20, while its greedy policy earns 10 there and the best one 270/19.


# %%
@claim(
    "notes-214",
    says=r"$V(s) = \max_a Q_\theta(s, a)$",
    verdict=Conditional(given="Q_θ = Q*: then it is V*; else it may be no policy's value"),
    about=(max_streams, policy_value),
)
def is_it_a_value():
    loop, q = gallery.left_right_loop(), q_star()
    best = policy_value(loop, deterministic(loop, ["right", "left"]))
    yield equal(max_streams(q).values, best, "Q*: the value of the optimal policy")
    wrong = fractions(q[A].tolist(), [q[B, LEFT], 20])
    found = max_streams(wrong).values[B]
    earned = policy_value(loop, first_best(loop, wrong))[B]
    yield equal([found, earned, best[B]], [20, 10, Fraction(270, 19)], "max Q, what its greedy policy earns, the best")
    yield differs(found, earned, "against the greedy policy")
    yield differs(found, best[B], "against V*")


is_it_a_value

# %% [markdown]
# With this $V$ no advantage is above 0, and the best action has 0. Subtracting $V(s)$, or anything that does not depend on the action, leaves
# every difference between actions as it was, and so the set of the best ones.


# %%
@claim(
    "notes-215",
    "notes-216",
    "notes-217",
    says=r"V is computed from Q and stays synchronised; A = Q - V; $\arg\max_a [Q - V] = \arg\max_a Q$",
    verdict=Holds(note="with V = max Q, A is at most 0; V moves only if the maximum does; ties stay ties"),
    about=(max_streams, dueling_max, advantage, epsilon_greedy),
)
def always_in_step():
    for row, v in (([3, 5], 5), ([3, 7], 7), ([6, 5], 6), ([4, 5], 5)):
        found = max_streams(fractions(row))
        yield equal(found.values, [v], f"Q = {row}: V")
        yield equal(dueling_max(found.values, found.advantages), [row], "V + A is Q again")
    by_hand = fractions([Fraction(-11, 19), 0], [0, Fraction(-80, 19)])
    yield equal(max_streams(q_star()).advantages, by_hand, "the loop: Q* - max Q*")
    loop = gallery.left_right_loop()
    yield equal(advantage(loop, deterministic(loop, ["right", "left"])), by_hand, "the advantage of the optimal policy")
    tables = [list(q) for q in product((0, 1, 2), repeat=3)]
    best = [[Fraction(int(x == max(q)), q.count(max(q))) for x in q] for q in tables]
    for name, rows in {"Q - V": max_streams(fractions(*tables)).advantages, "Q - 7": fractions(*tables) - 7}.items():
        yield equal(epsilon_greedy(rows, 0 * ONE, ties="shared"), best, f"argmax of {name}, all 27 tables: that of Q")


always_in_step

# %%
greedy_policy = same_as(
    "notes-218", of="foundations-077", says=r"$\pi(s) = \arg\max_a Q_\theta(s, a)$, the greedy policy"
)
greedy_policy
