# %% [markdown]
# # Soft actor-critic
#
# *Document `notes`, lines 1936 to 2027.* Reward plus entropy, the reward with the entropy in it, the critic's and the actor's update, twin
# critics, a temperature that tunes itself, and why all that should help.
#
# The objective and its sampled form are right, and so are both directions of the temperature. What the document concludes is often too strong.
# The modified reward contains the policy, so this is not standard RL with another reward; put into the Bellman equation as it stands it
# gives another Q than the one printed; that Q is not lower for actions that the policy prefers. Nor does a Gaussian find every good behaviour.

# %%
from fractions import Fraction
from functools import partial
from math import e, erfc, pi, sqrt

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
    claim,
    close,
    differs,
    equal,
    proved,
    proved_at_most,
    refuses,
    shows,
    swept,
)
from rlexact.exact.evaluation import action_value, expected_return, policy_value
from rlexact.exact.max_estimators import single_max_law
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.soft_evaluation import regularised, soft_action_value_without_first, soft_expected_return
from rlexact.exact.soft_iteration import soft_policy_iteration
from rlexact.formulas.ddpg import ddpg_target, gaussian_exploration
from rlexact.formulas.entropy import entropy
from rlexact.formulas.gaussian import gaussian_entropy, gaussian_log_density
from rlexact.formulas.sac import entropy_augmented_rewards, gaussian_actor_gradient, sac_target
from rlexact.formulas.sac_discrete import sac_discrete_actor_loss_gradient, sac_discrete_target
from rlexact.formulas.sac_temperature import target_entropy, temperature_loss_gradient
from rlexact.formulas.soft_q import boltzmann
from rlexact.formulas.td3 import delayed_updates, smoothed_target_actions, td3_target
from rlexact.formulas.twin_critics import twin_minimum
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.solution import Unbounded

SECTION = Section("notes", "sac", "Soft actor-critic")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
log = sympy.log
A, B, C, D = sympy.symbols("a b c d", real=True)
P, Q, GAMMA, TAU = sympy.symbols("p q gamma alpha", positive=True)


def fractions(*numbers):
    return [Fraction(x) for x in numbers]


def two_choices(a, b, c, d, gamma):
    """State 0 ends for a, or pays b and goes on to state 1, which ends for c or for d."""
    first = [[(ONE, None, a, True)], [(ONE, 1, b, False)]]
    return MDP.from_outcomes([first, [[(ONE, None, c, True)], [(ONE, None, d, True)]]], gamma, 0)


def two_chances(p, q):
    return np.array([[p, 1 - p], [q, 1 - q]])


def binary_entropy(p):
    return -p * log(p) - (1 - p) * log(1 - p)


# %% [markdown]
# ## Two objectives
#
# Two choices in a row, and a chance for each: $p$ of ending at once, $q$ of the first action afterwards. The standard return is linear in
# each chance, so a corner is best, here "go on, then take the 3". With entropy the maximum lies inside. For rewards
# log 2, 0, log 2, log 3 and α = γ = 1
#
# $$J(p, q) = \log 7 - \mathrm{KL}\big((p, 1-p)\,\|\,(\tfrac27, \tfrac57)\big) - (1-p)\,\mathrm{KL}\big((q, 1-q)\,\|\,(\tfrac25, \tfrac35)\big),$$
#
# and since no divergence is negative, $(\tfrac27, \tfrac25)$ is the argmax, and the only one. The display of $\mathcal H$ has $\log\pi(\cdot|s_t)$
# under an expectation over $a$, and so does line 1964: a slip for the $a$ that was drawn, which line 1967 has.


# %%
@claim(
    "notes-370",
    "notes-371",
    says=r"$\arg\max_\pi E_{\tau \sim \pi}[\sum_t \gamma^t r(s_t, a_t)]$, and in MaxEnt RL with $r(s_t, a_t) + \alpha H(\pi(\cdot|s_t))$",
    verdict=Holds(note="γ < 1 or an end; standard maximisers may be many, one of them deterministic"),
    about=(expected_return, soft_expected_return),
)
def two_objectives():
    x, y = sympy.symbols("x y", positive=True)
    p, q = 1 / (1 + x), 1 / (1 + y)
    j = expected_return(two_choices(1, 0, 3, 2, sympy.Rational(9, 10)), two_chances(p, q))
    short = [sympy.Rational(17, 10) * p, sympy.Rational(9, 10) * x * y / (1 + x) / (1 + y)]
    yield proved_at_most(j, sympy.Rational(27, 10), short, "standard: every random policy has less than 9/10 of 3")
    free = soft_expected_return(two_choices(A, B, C, D, GAMMA), two_chances(P, Q), TAU)
    on = [B + GAMMA * (x + TAU * binary_entropy(Q)) for x in (C, D)]
    paths = P * A + (1 - P) * (Q * on[0] + (1 - Q) * on[1]) + TAU * binary_entropy(P)
    yield proved(free - paths, "MaxEnt: the mean over the three paths, everything free")
    j = soft_expected_return(two_choices(log(2), 0, log(2), log(3), 1), two_chances(P, Q), 1)
    best = (P, sympy.Rational(2, 7)), (Q, sympy.Rational(2, 5))
    kl = [x * log(x / y) + (1 - x) * log((1 - x) / (1 - y)) for x, y in best]
    yield proved(sympy.expand_log(j - log(7) + kl[0] + (1 - P) * kl[1], force=True), "log 7 less two divergences")


two_objectives


# %%
@claim(
    "notes-372",
    says=r"$H(\pi(\cdot|s_t)) = E_{a \sim \pi(\cdot|s_t)}[-\log \pi(\cdot|s_t)]$",
    verdict=Wrong(because="what is averaged does not contain a", instead="E[-log π(a|s_t)]"),
    about=entropy,
)
def mean_surprise():
    law = np.array([sympy.Rational(1, 4), sympy.Rational(3, 4)])
    for b in (0, 1):
        constant = (law * -log(law[b])).sum()
        yield differs(constant, entropy(law), f"chances ¼ and ¾: the mean over a of -log π(b), b = {b}, is -log π(b)")
    yield proved(entropy(np.array([P, 1 - P])) - binary_entropy(P), "with a in it, any p: Σ -π(a) log π(a)")


mean_surprise

# %% [markdown]
# ## How small is a small α?
#
# For a given model with γ < 1 small enough values of α do recover standard RL: the soft optimum lies between $V^*$ and $V^* + \alpha \log|A| / (1-\gamma)$. The
# divisor is what one forgets. One state: leave for a reward of 1, or stay, in one of two ways, for nothing. At γ = 0.99 and
# α = 0.02 a policy that never leaves is worth $0.02 \cdot \log 2 / 0.01 = 2 \log 2 > 1$. MaxEnt RL stays and earns nothing;
# at γ = 1, which line 21 allows, for every α > 0.


# %%
def leave_or_stay(gamma):
    return MDP.from_outcomes([[[(ONE, None, 1, True)], [(ONE, 0, 0, False)], [(ONE, 0, 0, False)]]], gamma, 0)


@claim(
    "notes-373",
    says="The temperature α controls the trade-off: a large α rewards exploration heavily, a small α recovers standard RL",
    verdict=Conditional(given="γ < 1 and α log|A|/(1 - γ) is small beside the differences between returns"),
    about=(soft_expected_return, soft_policy_iteration),
)
def small_beside_what():
    model, alpha = leave_or_stay(Fraction(99, 100)), Fraction(1, 50)
    leave, stay = [[1, 0, 0]], [[0, HALF, HALF]]
    yield equal([expected_return(model, leave), expected_return(model, stay)], [1, 0], "standard RL leaves")
    soft = [soft_expected_return(model.to_symbolic(), np.array(x), alpha) for x in (leave, stay)]
    yield proved([soft[0] - 1, soft[1] - 2 * log(2)], "α = 0.02: leaving is worth 1, staying 2 log 2")
    yield against(bool(soft[1] > soft[0]), "so the MaxEnt objective prefers never to leave")
    free = leave_or_stay(1).to_float()
    yield refuses(Unbounded, lambda: soft_policy_iteration(free, 0.01), "γ = 1: staying is worth ∞ at every α > 0")

    def outside(case):
        mdp, tau = gallery.random_mdp(case[0], 4, 3).to_float(), case[1]
        hard, top = policy_iteration(mdp).v, tau * np.log(3) / (1 - float(mdp.gamma))
        v = soft_policy_iteration(mdp, tau).v
        return [*(hard - v), *(v - hard - top)]

    cases = [(0, 0.01), (1, 1.0), (2, 0.01), (3, 1.0)]
    yield swept(outside, cases, "V* ≤ soft optimum ≤ V* + α log|A|/(1 - γ)", 2e-8, "twice the solvers' tolerance")


small_beside_what

# %% [markdown]
# ## Entropy as reward
#
# In line 1949 the entropy is inside the sum already. What changes is that its own mean over $a$ joins the mean over paths: on the
# average over $a_t$, $-\log\pi(a_t|s_t)$ is $\mathcal H(\pi(\cdot|s_t))$. On a single path the two are different numbers. A rare action earns a large
# bonus, rarely: at chances 1/2 and 1/16 the bonus is as 1 to 4, its contribution to each step as 2 to 1. And in a state with two actions
# that both lead back to it, Q contains the entropy of every later step, but in the document's convention (line 1985) not of the present one.


# %%
@claim(
    "notes-374",
    "notes-375",
    "notes-376",
    "notes-378",
    "notes-379",
    says=r"The entropy goes into the reward, $E_\tau[\sum_t \gamma^t (r - \alpha \log \pi(a_t|s_t))]$: $\tilde r_\alpha(s, a) = r(s, a) - "
    r"\alpha \log \pi(a|s)$, in which actions of low probability contribute more, and Q accounts for all future entropy",
    verdict=Holds(note="equal on average, not path by path; rare ones contribute more when taken, not per step"),
    about=(soft_expected_return, regularised, entropy_augmented_rewards, soft_action_value_without_first),
)
def entropy_as_reward():
    model, policy = two_choices(A, B, C, D, GAMMA), two_chances(P, Q)
    by_hand = np.array([[A - TAU * log(P), B - TAU * log(1 - P)], [C - TAU * log(Q), D - TAU * log(1 - Q)]])
    yield proved(regularised(model, policy, TAU).r - by_hand, "r̃ of all four pairs")
    now = entropy_augmented_rewards([A, B], [log(P), log(1 - P)], TAU)
    later = entropy_augmented_rewards([C, D], [log(Q), log(1 - Q)], TAU)
    paths = P * now[0] + (1 - P) * (Q * (now[1] + GAMMA * later[0]) + (1 - Q) * (now[1] + GAMMA * later[1]))
    yield proved(soft_expected_return(model, policy, TAU) - paths, "the objective: three paths of rewards r - α log π")
    second = Q * C + (1 - Q) * D + TAU * binary_entropy(Q)
    states = P * A + (1 - P) * (B + GAMMA * second) + TAU * binary_entropy(P)
    yield proved(sympy.expand(paths - states), "= the same with α times the entropies of the states visited")
    chances = np.array([sympy.Rational(1, k) for k in (2, 16)])
    extra = entropy_augmented_rewards([0, 0], [log(p) for p in chances], TAU)
    yield proved(extra - TAU * log(2) * np.array([1, 4]), "chances 1/2 and 1/16: bonus of α log 2 and 4 α log 2")
    yield proved(chances * extra - TAU * log(2) * np.array([HALF, QUARTER]), "per step: ½ and ¼ of α log 2")
    endless = MDP.from_outcomes([[[(ONE, 0, A, False)], [(ONE, 0, B, False)]]], GAMMA, 0)
    soft = soft_action_value_without_first(endless, np.array([[P, 1 - P]]), TAU)
    ahead = GAMMA / (1 - GAMMA) * (P * A + (1 - P) * B + TAU * binary_entropy(P))
    yield proved(soft - np.array([[A + ahead, B + ahead]]), "endless: Q has all later reward and entropy, by hand")


entropy_as_reward

# %% [markdown]
# ## Is it standard RL again?
#
# For a fixed policy, yes: its soft value is an ordinary value. For the *search* no, because the reward changes with the policy. Two arms paying 0 and
# log 3, α = 1. Freeze $\tilde r$ at the even policy: standard RL takes the second arm always, and expects log 6. As a MaxEnt policy that
# is worth log 3, and the optimum, ¼ and ¾, is worth log 4. Freeze it at the optimum, and both arms pay log 4: there is nothing to search
# for. (Nor is the term a penalty where actions are finitely many: $-\log\pi \ge 0$.)


# %%
@claim(
    "notes-377",
    says=r"MaxEnt RL has become standard RL, with a reward that penalises too much determinism",
    verdict=Conditional(given="the policy is held, as in evaluation: frozen, the reward has other optima"),
    about=(regularised, soft_expected_return),
)
def reward_that_moves():
    model, policy = two_choices(A, B, C, D, GAMMA), two_chances(P, Q)
    later = Q * C + (1 - Q) * D + TAU * binary_entropy(Q)
    now = P * A + (1 - P) * (B + GAMMA * later) + TAU * binary_entropy(P)
    held = policy_value(regularised(model, policy, TAU), policy)
    yield proved(held - np.array([now, later]), "held: the value under r̃ is the soft value, by hand")
    arms = gallery.bandit((0, log(3)))
    even, best, second = (np.array([x]) for x in ([HALF, HALF], [QUARTER, 3 * QUARTER], [0, 1]))
    yield proved(regularised(arms, even, 1).r - np.array([[log(2), log(6)]]), "frozen at even: arms log 2 and log 6")
    yield differs(log(6), soft_expected_return(arms, second, 1), "what its standard optimum promises, and is worth")
    yield proved(soft_expected_return(arms, best, 1) - log(4), "the MaxEnt optimum is worth log 4")
    yield proved(regularised(arms, best, 1).r - log(4), "frozen at the optimum: both arms pay log 4")


reward_that_moves

# %% [markdown]
# ## What substitution gives
#
# That convention is not what substitution gives. Put $\tilde r$ in the place of $r$ in $Q = r + \gamma\,\mathbb{E}[Q']$:
#
# $$\tilde Q(s, a) = r - \alpha\log\pi(a|s) + \gamma\,\mathbb{E}_{s', a'}\big[\tilde Q(s', a')\big].$$
#
# The display follows for $Q = \tilde Q + \alpha\log\pi(a|s)$, which moves the term one step on. It also leaves out the mean over $s'$, without
# which the right side is a random number, and the end of an episode.


# %%
@claim(
    "notes-380",
    says=r"Substituting $\tilde r$ into the Bellman equation gives $Q(s, a) \leftarrow r(s, a) + \gamma E_{a' \sim \pi}[Q(s', a') - \alpha \log \pi(a'|s')]$",
    verdict=Wrong(
        because="it gives r - α log π(a|s) + γ E[Q'], another Q, with the entropy of its own action in it",
        instead="the display is right for Q = Q̃ + α log π(a|s), averaged over s' too, and without a bootstrap at an end",
    ),
    about=(soft_action_value_without_first, action_value, sac_target),
)
def substitution():
    model, policy = two_choices(A, B, C, D, GAMMA), two_chances(P, Q)
    later = Q * (C - TAU * log(Q)) + (1 - Q) * (D - TAU * log(1 - Q))
    soft = soft_action_value_without_first(model, policy, TAU)
    yield proved(soft - np.array([[A, B + GAMMA * later], [C, D]]), "the display's Q, all four pairs")
    drawn = sac_target([B, B], [C, D], [C, D], [log(Q), log(1 - Q)], [False, False], GAMMA, TAU)
    yield proved(policy[1] @ drawn - soft[0, 1], "= the mean of SAC's target over a'")
    literal = action_value(regularised(model, policy, TAU), policy)
    logs = np.array([[log(x) for x in row] for row in policy])
    yield proved(literal - soft + TAU * logs, "substituted as it stands: more by -α log π(a|s)")
    at = {P: HALF, Q: HALF, TAU: 1, A: 1, B: 1, C: 1, D: 1, GAMMA: HALF}
    yield differs(soft[0, 0].subs(at), literal[0, 0].subs(at), "an action that pays 1 and ends, taken every other time")
    either = sac_target(fractions(1, 1), fractions(4, 0), fractions(4, 0), fractions(0, 0), [False, False], HALF, 1)
    yield equal(either, [3, 1], "next states worth 4 and 0, evenly likely: the display gives one or the other")
    yield differs(either[0], either.sum() / 2, "Q is their mean")
    ended = sac_target(fractions(1), fractions(4), fractions(4), fractions(0), [True], HALF, 1)
    yield differs(either[0], ended[0], "and the reward alone where the episode is over")


substitution

# %% [markdown]
# ## Lower for likely actions?
#
# The log-probability in the target is that of $a'$ at $s'$. So $Q(s, a)$ does not contain $\pi(a|s)$: change it, and Q stays. Across states nothing
# is lowered either, for $-\alpha\log\pi \ge 0$ with finitely many actions: each target is *above* TD3's, less so for a likely $a'$. And
# in the end the relation is the reverse, since $\pi \propto e^{Q/\alpha}$ prefers what has the higher Q. What keeps the policy from collapsing is
# the actor's loss, where its own log π does stand.


# %%
@claim(
    "notes-381",
    says=r"Subtracting $\alpha\log\pi(a'|s')$ from the target makes Q lower for actions that the policy takes with high probability",
    verdict=Wrong(
        because="Q(s, a) does not contain π(a|s), only chances of later actions; at the optimum likely actions have the higher Q",
        instead="a sampled target is lower, by γα per nat, where the *next* action is likelier",
    ),
    about=(soft_action_value_without_first, boltzmann, sac_target),
)
def lower_for_likely():
    model = two_choices(log(2), 0, log(2), log(3), 1)
    rows = [soft_action_value_without_first(model, two_chances(p, Fraction(2, 5)), 1)[0] for p in (HALF, 9 * ONE / 10)]
    yield proved(rows[0] - np.array([log(2), log(5)]), "Q at the first state: log 2, and log 5 of soft value behind it")
    yield against(list(rows[0]) == list(rows[1]), "the first action's chance raised from 1/2 to 9/10: Q as before")
    share = list(boltzmann([log(2), log(5)], 1))
    yield against(share == [sympy.Rational(2, 7), sympy.Rational(5, 7)], "optimal chances: the higher Q is likelier")
    ones, chances = fractions(1, 1), [log(3) - log(4), -log(4)]
    drawn = sac_target(fractions(0, 0), ones, ones, chances, [False, False], HALF, TAU)
    yield proved(drawn - (HALF + TAU * np.array([log(4) - log(3), log(4)]) / 2), "next actions of chances ¾ and ¼")
    yield proved(drawn[1] - drawn[0] - TAU * log(3) / 2, "the likelier one's target is lower by γ α log 3")


lower_for_likely

# %% [markdown]
# ## The actor's step
#
# With Q held, the display's gradient is zero exactly at the Boltzmann policy. It is more than a heuristic: if Q is the soft Q of the present
# policy, then summed over the states by their discounted visits it *is* $\nabla J$ of the MaxEnt objective, although Q itself depends on θ.


# %%
@claim(
    "notes-382",
    says=r"$\theta' \leftarrow \theta + \eta \nabla_\theta E_{a \sim \pi_\theta(\cdot|s)}[Q_\phi(s, a) - \alpha \log \pi_\theta(a|s)]$",
    verdict=Holds(note="Q held; SAC averages over its buffer, with the smaller critic, through the sample"),
    about=(sac_discrete_actor_loss_gradient, soft_expected_return, soft_action_value_without_first),
)
def actor_step():
    z, x, y = sympy.symbols("z x y", real=True)
    p = sympy.exp(z) / (1 + sympy.exp(z))
    slope = -sac_discrete_actor_loss_gradient([z, 0], [x, y], [x, y], TAU)[0]
    yield proved(slope - p * (1 - p) * (x - y - TAU * z), "one state, logits (z, 0): upwards until z = (Q0 - Q1)/α")
    worth = P * (x - TAU * log(P)) + (1 - P) * (y - TAU * log(1 - P))
    gap = slope - (sympy.diff(worth, P) * P * (1 - P)).subs(P, p)
    yield proved(sympy.expand_log(gap, force=True), "the display, differentiated in p and then in z")
    model, policy = two_choices(A, B, C, D, GAMMA), two_chances(P, Q)
    j, soft_q = soft_expected_return(model, policy, TAU), soft_action_value_without_first(model, policy, TAU)
    for chance, row, visits in ((P, 0, 1), (Q, 1, GAMMA * (1 - P))):
        held = soft_q[row, 0] - soft_q[row, 1] - TAU * (log(chance) - log(1 - chance))
        yield proved(sympy.expand(sympy.diff(j, chance) - visits * held), f"dJ in state {row}, visited {visits}")


actor_step

# %% [markdown]
# ## Is there a floor?
#
# For α held and action values within a range $G$ of each other, there is: two actions share no worse than $1 : e^{G/\alpha}$. But the number is
# small, 1/1000 at $G = 7\alpha$, and nothing holds α. By the document's own rule (line 2011) it falls while the entropy exceeds the
# target; with finitely many actions and the target $-|A|$ that is always, and the floor goes with it.


# %%
@claim(
    "notes-383",
    says="Unlike DDPG, which can collapse onto one action, SAC always maintains a floor of exploration",
    verdict=Conditional(given="α is bounded below, Q's range G above: each of n keeps 1/(1 + (n - 1)e^{G/α})"),
    about=(boltzmann, temperature_loss_gradient),
)
def a_floor():
    gap, more = sympy.symbols("g m", nonnegative=True)
    yield proved(boltzmann([0, -gap], TAU)[1] - 1 / (1 + sympy.exp(gap / TAU)), "two actions, the other better by g")
    least = 1 / (1 + 2 * sympy.exp((gap + more) / TAU))
    share = boltzmann([0, -gap, -gap - more], TAU)[2]
    extra = least * share * (1 - sympy.exp(-gap / TAU)) * sympy.exp((gap + more) / TAU)
    yield proved(share - least - extra, "three actions: the floor and a product of factors ≥ 0")
    yield equal(boltzmann([0, -TAU * log(999)], TAU)[1], Fraction(1, 1000), "worse by 6.9 α: one in a thousand")
    slopes = temperature_loss_gradient(HALF, [-log(2), 0], -2)
    yield proved(slopes - np.array([log(2) + 2, 2]), "two actions, target -2: slope in α, from even to deterministic")
    yield against(all(bool(x >= 2) for x in slopes), "never below 2, so descent lowers α without end")
    yield against(sympy.limit(boltzmann([0, -1], TAU)[1], TAU, 0, "+") == 0, "and the worse action's share goes to 0")


a_floor

# %% [markdown]
# ## Two critics
#
# The smaller of two estimates is below both *estimates*. It is below the truth when at least one of them is. Errors of ±1 with even odds: in one of four
# cases both are too high, and so is the minimum.


# %%
@claim(
    "notes-384",
    says="If either network overestimates, the policy exploits it; the minimum of both is a conservative lower bound",
    verdict=Conditional(given="at least one critic is not above the truth there; it bounds the estimates only"),
    about=(twin_minimum, single_max_law),
)
def lower_than_what():
    one = single_max_law([{-ONE: HALF, ONE: HALF}] * 2).mean
    yield equal(one, HALF, "two actions worth 0, one critic: the policy's choice is overestimated by ½")
    cases = [(x, y) for x in (-ONE, ONE) for y in (-ONE, ONE)]
    low = twin_minimum(*map(list, zip(*cases, strict=True)))
    yield equal(low, [-1, -1, -1, 1], "errors (-1, -1), (-1, 1), (1, -1), (1, 1): the smaller")
    yield equal(low.sum() / 4, -HALF, "too low by ½ on average")
    yield against(low[3] > 0, "both critics 1 too high, the truth being 0: one time in four")
    both = single_max_law([{-ONE: 3 * QUARTER, ONE: QUARTER}] * 2).mean
    yield equal(both, -Fraction(1, 8), "the better of two actions by the minimum: ⅛ too low")


lower_than_what


# %%
@claim(
    "notes-385",
    says=r"$Q_{target} = r + \gamma E_{a'}[\min(Q_{\phi_1}(s', a'), Q_{\phi_2}(s', a')) - \alpha \log \pi(a'|s')]$",
    verdict=Conditional(given="the episode did not end (there it is r); and its φ are held, in SAC slow copies"),
    about=(sac_target, sac_discrete_target),
)
def twin_target():
    r, q1, q2, log_pi = fractions(1, 1), fractions(4, 2), fractions(2, 6), [-log(2), -log(2)]
    mean = HALF * sac_target(r, q1, q2, log_pi, [False, False], HALF, TAU).sum()
    yield proved(mean - (2 + TAU * log(2) / 2), "an even a', critics (4, 2) and (2, 6): 1 + ½ (2 + α log 2)")
    whole = sac_discrete_target(r, [q1, q1], [q2, q2], [log_pi, log_pi], [False, True], HALF, TAU)
    yield proved(whole[0] - mean, "the mean over a' taken at once; a minimum per action, not of means (3 and 4)")
    yield equal(whole[1], 1, "where the episode ended: the reward")
    yield differs(mean.subs(TAU, 1), whole[1], "as printed, though it is over, α = 1")


twin_target

# %% [markdown]
# ## The temperature
#
# $|A|$ here is the number of coordinates of an action, not of actions. With one nat less than nothing per coordinate, the target suits densities on
# $[-1, 1]$. Over finitely many actions the entropy of line 1955 is never below 0. And on an interval shorter than $1/e$ no density goes *up* to -1.


# %%
@claim(
    "notes-387",
    says=r"The target entropy is typically $-|A|$, the negative dimension of the action space",
    verdict=Conditional(given="actions are continuous, scaled to about [-1, 1]; finite choices never get so low"),
    about=(target_entropy, gaussian_entropy, temperature_loss_gradient),
)
def negative_dimension():
    yield equal([target_entropy(n) for n in (1, 3, 6)], [-1, -3, -6], "1, 3 and 6 coordinates")
    width = 1 / (e * sqrt(2 * pi * e))
    yield close(gaussian_entropy([width] * 3).sum(), -3, 1e-12, "rounding", "three coordinates, σ = 0.089 each")
    sure = temperature_loss_gradient(1, [Fraction(0)], target_entropy(4))[0]
    yield against(sure == 4, "four actions, target -4: the slope in α at H = 0, the least, is 4; α can only fall")
    yield against(bool(log(sympy.Rational(1, 5)) < -1), "on [-0.1, 0.1] the uniform density, the most, has -1.61")


negative_dimension


# %%
def tuned(alpha, target, steps=200):
    """H after descending the temperature's loss in log α, the policy over Q = (0, 1) being Boltzmann's at every step."""
    for _ in range(steps):
        h = float(entropy(boltzmann([0.0, 1.0], alpha)))
        alpha *= np.exp(-0.5 * alpha * temperature_loss_gradient(alpha, -h, target))
    return h


@claim(
    "notes-388",
    says="If the entropy falls below the target α increases, if it is above α decreases, so that the constraint is met",
    verdict=Holds(note="on the average over the states drawn, not in each; a target below every entropy sends α to 0"),
    about=(temperature_loss_gradient, tuned),
)
def thermostat():
    h, target = sympy.symbols("h t", real=True)
    yield proved(temperature_loss_gradient(TAU, [-h], target)[0] - (h - target), "slope in α: entropy less target")
    after = HALF - QUARTER * temperature_loss_gradient(HALF, fractions(2, 0), -1)
    yield equal(after, [3 * QUARTER, QUARTER], "target -1, from α = ½: H = -2 raises it, H = 0 lowers it")
    for start in (0.1, 3.0):
        yield close(tuned(start, 0.5), 0.5, 1e-6, "200 steps", f"two actions, from α = {start}: H meets its target")
    yield equal(sum(temperature_loss_gradient(HALF, fractions(0, -2), 1)), 0, "H = 0 and 2, target 1: α rests")


thermostat

# %% [markdown]
# ## More ways to succeed
#
# The soft-optimal policy does what the document says: equally good actions get equal shares, and an action worse by $d$ gets $e^{-d/\alpha}$ of the
# best one's. SAC's actor, by the document's own account a Gaussian, cannot. Let $Q(a) = -(a^2 - 1)^2$: going left and going right are equally
# good. When α ≈ 0.317 the actor's gradient comes to rest at $\mu = \tfrac{13}{14}$, $\sigma = \tfrac3{14}$, and goes left 7 times in a million; or at the mirror
# image; or over both, σ ≈ 0.632, with its mean where Q is worst. Means over the noise are taken with five points that have the moments of a
# normal variable up to degree 5: exact for every Q of degree 4.


# %%
ALPHA = Fraction(1521, 4802)  # 8σ² - 24σ⁴ at σ = 3/14
FIVE = np.array(fractions(-2, -1, 0, 1, 2)), np.array([ONE / 12, ONE / 6, HALF, ONE / 6, ONE / 12])


def uphill(mean, std, slope, temperature):
    """d/dμ and d/dσ of E[Q(μ + σz)] + αH, `slope` being dQ/da, a polynomial of degree 3 at most."""
    noise, chances = FIVE
    found = gaussian_actor_gradient([std] * 5, noise, [slope(mean + std * z) for z in noise], temperature)
    return [-(chances @ found.mean), -(chances @ found.std)]


def left_or_right(a, tilt=0):  # dQ/da of Q = -(a² - 1)² + tilt · a
    return -4 * a * (a * a - 1) + tilt


@claim(
    "notes-389",
    says="MaxEnt RL finds a distribution over all approximately equally good behaviours; SAC discovers all of them",
    verdict=Wrong(
        because="SAC's actor is one Gaussian (line 2010): of two equally good ways it rests on one, the other is lost",
        instead="the soft optimum over *all* policies takes equally good actions equally often, those worse by d e^{-d/α} as often",
    ),
    about=(boltzmann, uphill),
)
def ways_to_succeed():
    shares = boltzmann([0, 0, -TAU * log(10)], TAU)
    yield equal(shares, [Fraction(x, 21) for x in (10, 10, 1)], "two alike, one α log 10 worse")
    rest = Fraction(13, 14), Fraction(3, 14)
    at = uphill(*rest, left_or_right, ALPHA) + uphill(-rest[0], rest[1], left_or_right, ALPHA)
    yield equal(at, [0, 0, 0, 0], "the Gaussian is at rest on the right, and as well on the left")
    m, s = sympy.symbols("m s", positive=True)
    slopes = uphill(m, s, left_or_right, ALPHA)
    curvature = sympy.Matrix(slopes).jacobian([m, s]).subs({m: rest[0], s: rest[1]})
    yield shows(bool(curvature[0, 0] < 0 < curvature.det()), "a maximum there, not a saddle")
    yield proved(slopes[1].subs(m, 0) * s - (ALPHA + 4 * s**2 - 12 * s**4), "μ = 0: at rest where 12σ⁴ - 4σ² = α")
    yield against(erfc(13 / 3 / sqrt(2)) / 2 < 1e-5, "from the right, 7 in a million go left; the soft optimum: half")


ways_to_succeed


# %%
@figure
def one_of_two():
    """Soft-optimal density of the action (two humps), and where SAC's Gaussian comes to rest; the other way is lost."""
    from matplotlib import pyplot as plt

    a = np.linspace(-1.8, 1.8, 361)
    best = np.exp(-((a**2 - 1) ** 2) / float(ALPHA))
    best /= best.sum() * (a[1] - a[0])
    fig, ax = plt.subplots(figsize=(6.4, 3.0))
    ax.plot(a, best, color=COLOURS[0], label=r"$e^{Q/\alpha}/Z$")
    ax.plot(a, np.exp(gaussian_log_density(a, 13 / 14, 3 / 14)), color=COLOURS[1], label="SAC's Gaussian")
    ax.set(xlabel="action", ylabel="density", ylim=(0, 2.1))
    ax.legend(frameon=False, loc="upper left")
    return fig


one_of_two

# %% [markdown]
# ## A smoother landscape
#
# Averaging over a Gaussian blurs Q, which removes what is narrower than σ. Tilt the last Q: $-(a^2-1)^2 + a$ has a lesser hump on the
# left, on which a deterministic actor gets stuck. At σ = ½ the mean slope in μ is $\mu - 4\mu^3 + 1$, positive for all μ < 0: the hump is gone. At
# σ = 1/10 it is still there. Without the tilt, at σ = ¾, the blur removes both humps and leads to μ = 0, between them, where Q is worse than at either. And
# where Q is quadratic nothing was to be smoothed: the mean slope is the deterministic one, with noise added.


# %%
@claim(
    "notes-390",
    says="A stochastic policy is simply easier to optimise: its landscape is smoother, and it gets stuck less in sharp local optima",
    verdict=Conditional(given="the bad optima are narrower than σ, the good ones wider; and sampling adds variance"),
    about=(uphill, gaussian_actor_gradient),
)
def smoother():
    tilted = partial(left_or_right, tilt=1)
    m = sympy.Symbol("m", positive=True)
    left = uphill(-m, sympy.Rational(1, 2), tilted, 0)[0]
    parts = [4 * (m - sympy.Rational(1, 3)) ** 2 * (m + sympy.Rational(2, 3)), m / 3 + sympy.Rational(19, 27)]
    yield proved_at_most(0, left, parts, "σ = ½: to the right from every μ < 0")
    ends = [uphill(mean, ONE / 10, tilted, 0)[0] for mean in (-ONE, -3 * QUARTER)]
    yield against(ends[0] > 0 > ends[1], "σ = 1/10: to the right at -1, to the left at -3/4, a hump between")
    wide = [uphill(mean, 3 * QUARTER, left_or_right, 0)[0] for mean in (-HALF, HALF)]
    yield against(wide == [Fraction(15, 8), -Fraction(15, 8)], "no tilt, σ = ¾: from ±½ to 0, where Q = -1, not 0")
    sampled = gaussian_actor_gradient([HALF] * 5, FIVE[0], [-2 * (ONE + HALF * z) for z in FIVE[0]], 0).mean
    mean = FIVE[1] @ sampled
    yield equal(mean, 2, "Q = -a² at μ = 1: the mean slope of -Q is the deterministic one")
    yield against(FIVE[1] @ (sampled - mean) ** 2 == 1, "but it has variance c²σ² = 1, the deterministic one none")


smoother

# %% [markdown]
# ## The three side by side
#
# One transition that pays 1, γ = ½, critics that say 4 and 2 of the next action, whose log-probability is -2. The three targets differ as the summary
# says. "Fixes" is too big a word for what TD3 does to overestimation: it turns ½ too high into ⅛ too low on two equal actions (above).
# A deterministic actor without noise repeats itself; SAC samples. Entropy pushes σ up with the slope α/σ, harder as σ shrinks, so that with
# $Q = -\tfrac12 c a^2$ the width comes to rest at $\sigma^2 = \alpha/c$.


# %%
@claim(
    "notes-386",
    "notes-391",
    says="All off-policy actor-critics with a buffer and target networks: DDPG with a deterministic policy and one critic; TD3 with two, delay and "
    "smoothing; SAC stochastic, with MaxEnt and a tuned temperature: it needs no explicit exploration noise, and entropy keeps it so",
    verdict=Holds(note="SAC too has two critics, and no target actor; its width is as α and the critic allow"),
    about=(ddpg_target, td3_target, sac_target, delayed_updates, smoothed_target_actions, gaussian_exploration, uphill),
)
def side_by_side():
    r, q1, q2, log_pi = (fractions(x) for x in (1, 4, 2, -2))
    yield equal(ddpg_target(r, q1, [False], HALF), [3], "DDPG: 1 + 4/2")
    yield equal(td3_target(r, q1, q2, [False], HALF), [2], "TD3: 1 + min(4, 2)/2")
    yield equal(sac_target(r, q1, q2, log_pi, [False], HALF, HALF), [Fraction(5, 2)], "SAC: 1 + (2 + ½ · 2)/2")
    yield equal(sac_target(r, q1, q2, log_pi, [False], HALF, 0), [2], "SAC at α = 0: TD3's")
    yield equal(delayed_updates(4, 2), [False, True, False, True], "TD3's actor: every second step")
    near = smoothed_target_actions(fractions(0, 0), Fraction(1, 5), fractions(1, 4), HALF, -1, 1)
    yield equal(near, [Fraction(1, 5), HALF], "TD3's smoothing: σ = 1/5, clipped at 1/2")
    noise, actor = fractions(-1, 0, 2), [HALF] * 3
    yield equal(gaussian_exploration(actor, 0, noise, -1, 1), actor, "a deterministic actor: one action")
    yield equal(gaussian_exploration(actor, QUARTER, noise, -1, 1), [QUARTER, HALF, 1], "the same with noise")
    flat = [uphill(0, std, lambda a: 0 * a, HALF)[1] for std in (HALF, ONE / 50)]
    yield equal(flat, [1, 25], "SAC, a critic without opinion: the slope in σ is α/σ, upwards, α = ½")
    curved = [uphill(0, std, lambda a: -2 * a, HALF)[1] for std in (QUARTER, HALF, ONE)]
    yield equal(curved, [Fraction(3, 2), 0, -Fraction(3, 2)], "Q = -a²: wider at σ = ¼, at rest at ½, narrower at 1")


side_by_side


# %%
@claim(
    "notes-392",
    says="In practice SAC tends to be the most reliable of the three, hence its dominance in continuous control",
    verdict=Qualitative(why="a judgement of practice: no quantity here defines 'reliable', and benchmarks disagree"),
)
def most_reliable():
    return
    yield


most_reliable
