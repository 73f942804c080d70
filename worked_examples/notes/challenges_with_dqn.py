# %% [markdown]
# # Challenges with DQN
#
# *Document `notes`, lines 1091 to 1221.* Overestimation and Double DQN, n-step targets, the cold start, exploration, the Huber loss, and
# where $V$ is in a method that learns $Q$. The formulas are the usual ones but for small slips. What the text leaves out are conditions: errors
# of two networks that learn from one buffer are not independent, n-step targets from a buffer are biased and not only noisy, and a small ε
# does not find what takes six right steps in a row.

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
    shows,
    sourced,
    tight,
)
from rlexact.exact.evaluation import action_value, advantage, policy_value
from rlexact.exact.expected_updates import expected_q_learning
from rlexact.exact.max_estimators import chosen_first, double_max_law, single_max_law
from rlexact.exact.reach import hitting_time
from rlexact.exact.return_estimators import n_step_return_law
from rlexact.formulas.dqn import double_dqn_targets, dqn_targets, huber_td_loss, one_step_targets
from rlexact.formulas.dueling import dueling_max, max_streams
from rlexact.formulas.exploration import epsilon_greedy
from rlexact.formulas.huber import huber_loss, huber_loss_gradient
from rlexact.formulas.q_learning import double_q_targets, n_step_max_targets
from rlexact.formulas.q_learning import td_update as table_update
from rlexact.formulas.replay import expected_uses_in_run, updates_in_run
from rlexact.formulas.target_network import hard_update
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
    says=r"The target of DQN is $y = r + \gamma \max_{a'} Q_{\theta^-}(s', a')$, one real reward and then the bootstrap",
    verdict=Conditional(given="s' does not end the episode; there y = r"),
    about=dqn_targets,
)
def the_target():
    r, gamma = sympy.symbols("r gamma", positive=True)
    frozen = [[4, 7, 5]]
    yield proved(dqn_targets([r], frozen, [False], gamma)[0] - (r + 7 * gamma), "max(4, 7, 5) = 7")
    q = q_star()
    y = dqn_targets(fractions(1, 3, 0, 10), q[[A, B, A, B]], [False, False, False, True], NINE_TENTHS)
    yield equal(y, q.ravel(), "the loop: Q* is its own target, its last step being an end")
    careless = dqn_targets(fractions(10), q[[B]], [False], NINE_TENTHS)
    yield differs(careless, 10, "as printed, for the step that ends")


the_target


# %%
@claim(
    "notes-211",
    says=r"In the Huber loss, $x = Q_\theta(s,a) - (r + \gamma \max_{a'} Q_{\theta^-}(s', a'))$",
    verdict=Conditional(given="s' does not end the episode; the sign is that of minus the usual TD error, which L ignores"),
    about=(huber_td_loss, dqn_targets),
)
def the_error():
    y = dqn_targets(fractions(3), fractions([2, 6]), [False], HALF)
    yield equal([huber_td_loss(fractions(x), y, ONE)[0] for x in (5, 7)], [HALF, HALF], "Q = 5 or 7, y = 6: x = ∓1")
    yield equal(huber_td_loss(fractions(9), y, ONE), [Fraction(5, 2)], "Q = 9: x = 3, beyond δ = 1")
    over = {"rewards": fractions(3), "next_q_target": fractions([2, 6]), "gamma": HALF}
    right = huber_td_loss(fractions(3), dqn_targets(terminated=[True], **over), ONE)
    yield equal(right, [0], "a step that ends and pays 3, Q = 3: no error")
    careless = huber_td_loss(fractions(3), dqn_targets(terminated=[False], **over), ONE)
    yield differs(careless, right, "as printed: an error of 3, towards 6")


the_error

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
    values = [policy_value(loop, policy) for policy in deterministic_policies(loop)]
    v = np.max(values, axis=0)
    yield equal(v, [Fraction(300, 19), Fraction(270, 19)], "the best of all policies")
    optimal = deterministic(loop, ["right", "left"])
    yield equal(action_value(loop, optimal), q_star(), "action values of the optimal policy")
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
    verdict=Conditional(
        given="errors are about right on average, and noise can change which action looks best; estimates that start too low stay too low"
    ),
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
    yield equal(q[B, RIGHT], 10, "with equality where the episode ends")


is_it_systematic

# %% [markdown]
# **A chain reaction?** An overestimate is inherited only if it is the maximum at $s'$, and each step inherits γ of it: alone, it dies
# out. What adds up are *fresh* errors, the noise of every state's own maximum. They add up to at most $1/(1-\gamma)$ of one. With the noise
# above, 3/4 a state, and γ = 0.9 the first states of a long corridor are too high by 6.75.


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
    verdict=Conditional(
        given="a' is the best-looking action at s', and errors are made afresh in every state: then they add up, to at most "
        "1/(1-γ) of one; a single error shrinks by γ a step"
    ),
    about=(one_step_targets, single_max_law, dqn_targets),
)
def how_errors_travel():
    found = along_a_corridor(3, 40, NINE_TENTHS)
    yield equal(found, [Fraction(15, 2) * (1 - NINE_TENTHS**k) for k in range(1, 41)], "fresh noise: 3/4 · (1 - γᵏ)/(1 - γ)")
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
    verdict=Conditional(given="the actions are worth the same; else a better action with a smaller error may be picked"),
    about=chosen_first,
)
def which_action_is_picked():
    errors = [list(e) for e in product((-1, 0, 2), repeat=3)]
    picked = [chosen_first([{Fraction(5 + x): ONE} for x in e]) for e in errors]
    expected = [[int(a == e.index(max(e))) for a in range(3)] for e in errors]
    yield equal(np.array(picked), expected, "three actions worth 5, all 27 errors of -1, 0, 2: the largest error")
    apart = chosen_first([{Fraction(10): ONE}, {Fraction(7): ONE}])
    yield equal(apart, [1, 0], "worth 10 and 5, errors 0 and 2")
    yield against(bool(apart[1] == 0), "the one with the error of 2 is not picked")


which_action_is_picked

# %% [markdown]
# ## Double Q-learning, and Double DQN
#
# The document first describes two functions of equal standing, initialised differently, under the name Double DQN. That is double
# *Q-learning* (van Hasselt 2010). Double DQN (2016) is what comes afterwards, lines 1130 to 1137: one function, and its own delayed copy.
# A different start cannot make them two, for the first copy erases it.


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
    late = hard_update(online, fractions([4, 6, 5]), 101, 100)
    y = double_dqn_targets(fractions(0), fractions([4, 6, 5]), late, [False], ONE)
    yield equal(y, [4], "one update later: θ selects action 1, the copy says 4")
    y = [double_q_targets(fractions(0), *pair, [False], ONE)[0] for pair in ((online, other), (other, online))]
    yield equal(y, [4, 4], "double Q-learning: each of two tables has a target, judged by the other")
    yield sourced("van Hasselt (2010), Algorithm 1; van Hasselt, Guez and Silver (2016): no additional networks")


one_function_and_its_copy

# %% [markdown]
# Selection is right in both forms (of equal values code takes the first). Evaluation needs, once more, the end of the episode.


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
@claim(
    "notes-198",
    says=r"Evaluate: $y = r + \gamma Q_B(s', a^*)$",
    verdict=Conditional(given="s' does not end the episode; there y = r"),
    about=double_q_targets,
)
def evaluate():
    select, judge = fractions([7, 4, 6]), fractions([4, 7, 5])
    yield equal(double_q_targets(fractions(3), select, judge, [False], HALF), [5], "3 + 4/2: A takes action 0, B says 4")
    yield equal(double_q_targets(fractions(3), select, judge, [True], HALF), [3], "the episode is over")
    unmasked = double_q_targets(fractions(3), select, judge, [False], HALF)
    yield differs(unmasked, [3 * ONE], "as printed, for an episode that is over")


evaluate

# %%
double_dqn = same_as(
    "notes-201",
    of="reference-095",
    says=r"$y = r + \gamma Q_{\theta^-}(s', a^*)$ with $a^* = \arg\max_a Q_\theta(s', a)$",
)
double_dqn

# %% [markdown]
# ### Are their errors independent?
#
# Different starts and different minibatches do not make them so, if the minibatches come from one buffer: its noise is common to
# both. Three actions worth 0, two stored rewards of ±1 for each. Trained on everything, A and B agree, and the double estimate is the
# single one, too high by 35/64. Trained on one draw each, they still share the buffer: half the covariance, and too
# high by 3/8. Only separate data remove it.


# %%
def double_from_one_buffer(own, actions=3):
    """E of the double estimate: B's value of A's first maximiser.  Two rewards of ±1 stored per action; A and B learn their mean, or
    one draw each (`own`)."""
    total, cases = 0 * ONE, 0
    for rewards in product(product((-1, 1), repeat=2), repeat=actions):
        learned = rewards if own else [[Fraction(sum(pair), 2)] for pair in rewards]
        for a_table, b_table in product(list(product(*learned)), repeat=2):
            y = [b_table[a_table.index(max(a_table))]]
            total, cases = total + sum(y), cases + 1
    return total / cases


@claim(
    "notes-199",
    says="B's errors are independent of A's, since they start differently and see different minibatches; so no common overestimate",
    verdict=Conditional(given="they learn from separate data; minibatches of one buffer share its noise, whatever the start"),
    about=(double_from_one_buffer, double_max_law, single_max_law, table_update),
)
def independent_errors():
    start, ends = fractions([10], [-10]), []
    for table in start:
        for _ in range(60):
            for reward in (1, -1, 1):  # the same stored rewards, over and over
                table = table_update(table, 0, reward * ONE, HALF)
        ends.append(table[0])
    yield equal(ends[0] - ends[1], 20 * HALF**180, "two starts, 20 apart, 180 updates on the same rewards: 20 · 2^-180 apart")
    law = [{-ONE: QUARTER, 0 * ONE: HALF, ONE: QUARTER}] * 3
    yield equal(single_max_law(law).mean, Fraction(35, 64), "the largest of three means of two rewards: 37/64 - 2/64")
    yield equal(double_max_law(law).bias, 0, "A and B from separate data: no bias")
    yield differs(double_from_one_buffer(own=False), 0, "both trained on the same two rewards per action")
    yield equal(double_from_one_buffer(own=False), Fraction(35, 64), "as much as the single estimate")
    yield equal(double_from_one_buffer(own=True), Fraction(3, 8), "one draw each: half of a single draw's 3/4")


independent_errors
