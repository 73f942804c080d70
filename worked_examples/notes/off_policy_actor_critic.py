# %% [markdown]
# # An actor-critic that learns from old data
#
# *Document `notes`, lines 1773 to 1832.* A critic of the current policy, learned from a replay buffer, and an actor that climbs it; why the
# data may be old, what distinguishes this from Q-learning, and why Q may be maximised in place of the advantage.
#
# The critic's equations are sound: a target that draws its next action from π asks nothing about who chose the one before. The first
# display draws its actions from the wrong policy and so has no actor in it. And the last step, Q in place of A, is right for a critic that is
# *held*; said of the advantage of π_θ itself it is empty, because that mean is 0 for every θ.

# %%
from fractions import Fraction

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
    same_as,
    shows,
    sourced,
)
from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import action_value, advantage, expected_return, policy_value, visits
from rlexact.exact.expected_updates import expected_q_learning, expected_sarsa
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.linear_quadratic import LinearQuadratic, optimal_gain
from rlexact.exact.linear_td import linear_td
from rlexact.exact.parameterisation import softmax_at
from rlexact.formulas.ddpg import gaussian_exploration
from rlexact.formulas.dqn import one_step_targets, squared_td_loss, squared_td_loss_gradient
from rlexact.formulas.importance import importance_sampling_estimate
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic_policies

SECTION = Section("notes", "off_policy_actor_critic", "An actor-critic that learns from old data")

ONE, HALF, QUARTER, THIRD = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 3)


def fractions(*numbers):
    return [Fraction(x) for x in numbers]


def choose(p, q):
    """The policy that goes on with probability p in state 0 and takes the 4 with probability q in state 1."""
    return np.array([[1 - p, p], [1 - q, q]])


COIN = choose(HALF, HALF)
REPLAYED = np.array([2 * THIRD, THIRD])  # states that the coin meets: 0 always, 1 every second time

# %% [markdown]
# ## The model
#
# In state 0 one may *stop*, for 1, or *go on* to state 1. There a *zero* and a *four* may be taken, and that is the end. The discount is 1/2. A
# policy that goes on with $p$ and takes the four with $q$ has
#
# $$Q(0, \cdot) = (1,\ 2q), \quad Q(1, \cdot) = (0, 4), \quad V = (1 - p + 2pq,\ 4q) .$$


# %%
def stop_or_go(stop=1, start=0):
    """0: stop and end, or go on to 1 for nothing. 1: end with 0, or end with 4. γ = 1/2."""
    first = [[(ONE, None, stop, True)], [(ONE, 1, 0, False)]]
    return MDP.from_outcomes([first, [[(ONE, None, 0, True)], [(ONE, None, 4, True)]]], HALF, start)


def mean_value(states, policy, q):
    """E of q(s, a) for s from `states` and a from `policy`."""
    return (np.asarray(states)[:, None] * policy * q).sum()


action_value(stop_or_go(), COIN), policy_value(stop_or_go(), COIN)

# %% [markdown]
# ## An objective without an actor
#
# The display takes states *and actions* from μ. Then θ stands nowhere but in the critic, which is held while the actor moves: nothing is
# left to maximise. Even were Q evaluated afresh for every policy, in a bandit $Q^\pi$ is the reward, the same for all policies. Line 1823 has the
# actions from π_θ, as it must be.


# %%
@claim(
    "notes-333",
    says=r"The objective is $\max_\theta E_{s, a \sim \mu}[Q^\pi_\phi(s, a)]$",
    verdict=Wrong(
        because="actions drawn from μ do not depend on θ, so every policy scores the same against the same critic",
        instead="max_θ E[Q^π_φ(s, a)] with s from μ and a from π_θ(· | s)",
    ),
    about=(mean_value, action_value),
)
def whose_actions():
    p, q = sympy.symbols("p q", positive=True)
    critic = action_value(stop_or_go(), COIN)
    yield equal(critic, [[1, 1], [0, 4]], "the critic of the coin")
    printed = mean_value(REPLAYED, COIN, critic)
    yield equal(printed, 2 * THIRD + 2 * THIRD, "as printed: 2/3 · 1 + 1/3 · 2, whatever θ is")
    arms = gallery.bandit((0, 1))
    scores = [
        mean_value([ONE], np.array([[HALF, HALF]]), action_value(arms, pi)) for pi in deterministic_policies(arms)
    ]
    yield against(scores == [HALF, HALF], "as printed, Q afresh: the worse and the better arm score 1/2 both")
    scores = [mean_value([ONE], pi, action_value(arms, pi)) for pi in deterministic_policies(arms)]
    yield equal(scores, [0, 1], "actions from π: they do not")
    actor = mean_value(REPLAYED, choose(p, q), critic)
    yield proved(sympy.diff(actor, q) - sympy.Rational(4, 3), "and in the model: a slope of 1/3 · 4 towards the four")


whose_actions

# %% [markdown]
# ## What old data can teach
#
# The equation $Q^\pi(s, a) = r + \gamma\,\mathbb{E}[Q^\pi(s', a')]$, $a' \sim \pi$, holds at every pair, also at one that π never takes. So a target
# made with a fresh $a'$ is right in the mean whoever chose $a$.


# %%
@claim(
    "notes-341",
    says=r"The Bellman equation for $Q^\pi$ holds at any pair $(s, a)$, whichever policy generated the data",
    verdict=Holds(
        note="given that r and s' come from the environment; which pairs are in the data decides what is learned"
    ),
    about=(action_value, backup),
)
def any_pair():
    p, q = sympy.symbols("p q", positive=True)
    values = action_value(stop_or_go().to_symbolic(), choose(p, q))
    yield proved(values - np.array([[1, 2 * q], [0, 4]]), "Q of every policy, path by path")
    never = choose(Fraction(0), ONE)
    found = action_value(stop_or_go(), never)
    yield equal(found[0, 1], 2, "a policy that never goes on: going on, then π, is worth 4/2")
    yield equal(backup(stop_or_go(), (never * found).sum(axis=1)), found, "and the equation holds at all four pairs")


any_pair

# %% [markdown]
# Whether Q^π is *learned* is another question. Pairs that the data lack keep the value they started with, and pass it on. And where values share
# parameters, old data can make the same update diverge: two states worth $w$ and $2w$, the first leading to the second, which leads to
# itself. Updated at the second, where the policy stays, the error shrinks; updated at the first alone, it grows.


# %%
@claim(
    "notes-334",
    says=r"$Q^\pi$ can be learned from any data in the replay buffer, since its Bellman equation needs no on-policy data",
    verdict=Conditional(
        given="the data hold every pair that π reaches, or takes, after them, and the critic is a table (or what it shares between "
        "pairs does not make off-policy updates diverge)"
    ),
    about=(expected_sarsa, linear_td),
)
def any_data():
    pi, truth = choose(QUARTER, QUARTER), [[1, HALF], [0, 4]]
    nothing = np.full((2, 2), Fraction(0))
    found = expected_sarsa(stop_or_go(), pi, nothing, 1, np.full((2, 2), ONE), 2)
    yield equal(found, truth, "two sweeps over all pairs, a' from π: Q^π, by hand 1, 4/4 · 1/2, 0, 4")
    yield equal(expected_sarsa(stop_or_go(), pi, found, HALF, COIN), found, "where the coin's data leave it")
    lacking = np.array([[ONE, ONE], [ONE, Fraction(0)]])
    poor = expected_sarsa(stop_or_go(), pi, nothing, 1, lacking, 9)
    yield differs(poor, found, "data in which the four is never taken")
    pair, only = MDP.chain([[0, 1], [0, 1]], [0, 0], Fraction(9, 10)), np.array([[ONE], [ONE]])
    own, old = (
        linear_td(pair, only, np.array([[1], [2]]) * ONE, fractions(*d)).update(HALF)([ONE])[0]
        for d in ((0, 1), (1, 0))
    )
    yield equal(own, Fraction(4, 5), "w and 2w, data of the state where π stays: 1 - 4 (1 - γ)/2")
    yield against(
        old == Fraction(7, 5), "data of the first state alone: the error grows by 1 + (2γ - 1)/2 at every step"
    )


any_data

# %% [markdown]
# ## The critic's loss and its target
#
# With the target made by a frozen network, the loss is a regression; it is least where Q is the mean target. The target itself leaves out one
# thing: an episode that has ended has no next action.


# %%
@claim(
    "notes-335",
    says=r"The critic's loss is $L(\phi) = E_{s,a,r,s' \sim RB}[(Q_\phi(s, a) - y(s, a))^2]$",
    verdict=Holds(note="y is made of target parameters, so nothing of it is differentiated"),
    about=(squared_td_loss, squared_td_loss_gradient),
)
def a_regression():
    q = sympy.Symbol("q", real=True)
    batch = np.array([q] * 3), np.array(sympy.sympify([1, 1, 4]))
    loss = squared_td_loss(*batch, reduction="mean")
    yield proved(loss - ((q - 2) ** 2 + 2), "targets 1, 1, 4: least at their mean 2, where their variance is left")
    yield proved(squared_td_loss_gradient(*batch, reduction="mean").sum() - 2 * (q - 2), "its slope")


a_regression


# %%
@claim(
    "notes-336",
    says=r"$y(s, a) = r(s, a) + \gamma E_{s' \sim p, a' \sim \pi_\theta}[Q^{target}_{\bar\phi}(s', a')]$",
    verdict=Conditional(given="the step does not end the episode; there y = r"),
    about=(one_step_targets, action_value),
)
def the_target():
    pi = choose(QUARTER, 3 * QUARTER)
    ahead = (pi[1] * fractions(0, 4)).sum()
    found = one_step_targets(fractions(0, 1), [ahead, Fraction(8)], [False, True], HALF)
    yield equal(found, [3 * HALF, 1], "going on: (3/4 · 4)/2; stopping: 1")
    yield equal(action_value(stop_or_go(), pi)[0], [1, 3 * HALF], "from the true Q it gives the true Q")
    printed = one_step_targets(fractions(1), fractions(8), [False], HALF)
    yield differs(printed, fractions(1), "as printed for the stop, the network saying 8 of the state after the end")


the_target


# %%
@claim(
    "notes-337",
    says=r"In practice the target is computed from a sampled $a' \sim \pi_\theta(\cdot|s')$",
    verdict=Holds(
        note="the mean slope of the loss is the same; the loss itself is larger by the variance of the target"
    ),
    about=(one_step_targets, squared_td_loss, squared_td_loss_gradient),
)
def one_sample():
    q = sympy.Symbol("q", real=True)
    sampled = one_step_targets([0] * 4, fractions(0, 4, 4, 4), [False] * 4, HALF)
    yield equal(sampled, [0, 2, 2, 2], "a' as often as π = (1/4, 3/4) says")
    yield equal(sampled.sum() / 4, 3 * HALF, "their mean is the target")
    four = np.array([q] * 4), np.array([sympy.Integer(int(y)) for y in sampled])
    gap = q - sympy.Rational(3, 2)
    yield proved(squared_td_loss_gradient(*four, reduction="mean").sum() - 2 * gap, "the slope with the mean target")
    yield proved(squared_td_loss(*four, reduction="mean") - gap**2 - sympy.Rational(3, 4), "larger by 3/4")


one_sample

# %% [markdown]
# ## Who collects
#
# The two roles are right: μ acts, π_θ chooses $a'$ in the target. That π_θ does *not* collect is true of DDPG as long as there is noise on
# its actions. Nothing depends on it, though: the present policy may collect, as SAC's does, and line 1908 allows even the current iteration.


# %%
@claim(
    "notes-338",
    says=r"$\pi_\theta$ does not directly collect data; it selects the action at $s'$ in the target",
    verdict=Conditional(
        given="exploration noise is added, or θ has moved since; without either π_θ itself collects, as SAC's policy does, and the target is as right"
    ),
    about=(gaussian_exploration, expected_sarsa),
)
def who_collects():
    own = fractions(0, HALF)
    noisy = gaussian_exploration(own, QUARTER, fractions(1, -2))
    yield equal(noisy, [QUARTER, 0], "noise 1/4 times 1 and -2 on the actor's 0 and 1/2: neither is the actor's action")
    yield against(
        (gaussian_exploration(own, 0, fractions(1, -2)) == own).all(), "σ = 0: the actor's own actions are stored"
    )
    yield sourced("Haarnoja et al. (2018), algorithm 1: a ~ π_φ(· | s) is what SAC executes and stores", against=True)
    pi, truth = choose(HALF, QUARTER), [[1, HALF], [0, 4]]
    for data in (COIN, pi):
        yield equal(
            expected_sarsa(stop_or_go(), pi, truth * np.full((2, 2), ONE), HALF, data),
            truth,
            "Q^π rests, whoever collects",
        )


who_collects

# %% [markdown]
# ## What differs from Q-learning
#
# Not the data. Q-learning, too, learns from whatever a behaviour has stored, and DQN has its replay buffer (line 1226 of the document says the same). What
# differs is the target, the maximum there and the mean over π here, and with it what is learned: Q\* or Q^π.


# %%
@claim(
    "notes-339",
    says="The crucial difference from standard Q-learning is that the data were collected by μ and not by π_θ",
    verdict=Wrong(
        because="Q-learning's data need not come from its greedy policy either: it rests at Q* on the data of either of two behaviours",
        instead="the target differs: a' from π_θ instead of the maximum, so that Q^π is learned, and an actor improves on it",
    ),
    about=(expected_q_learning, expected_sarsa),
)
def not_the_data():
    best, own = np.array([[1, 2], [0, 4]]) * ONE, np.array([[1, HALF], [0, 4]])
    behaviours = COIN, choose(Fraction(1, 5), Fraction(1, 10))
    rests = [expected_q_learning(stop_or_go(), best, HALF, mu) for mu in behaviours]
    yield equal(rests[0], [[1, 2], [0, 4]], "Q-learning, the coin's data: Q* stays, by hand 1, 4/2, 0, 4")
    yield against((rests[1] == best).all(), "and on another behaviour's: it is off-policy as well")
    pi = choose(HALF, QUARTER)
    yield equal(expected_sarsa(stop_or_go(), pi, own, HALF, COIN), [[1, HALF], [0, 4]], "a' from π: Q^π stays")
    moved = expected_sarsa(stop_or_go(), pi, best, 1, np.full((2, 2), ONE))
    yield equal(moved, own, "and Q* does not: the target of going on is (1/4 · 4)/2")


not_the_data


# %%
@claim(
    "notes-340",
    says="On-policy methods must use fresh data for every update: with old data the gradient estimates would be biased",
    verdict=Conditional(
        given="samples are not weighted; with the ratio π/μ old data of a policy that tries what π tries have the right mean, "
        "which is how PPO uses a batch more than once"
    ),
    about=(importance_sampling_estimate, policy_gradient),
)
def stale_samples():
    arms, pi = gallery.bandit((0, 4)), np.array([[QUARTER, 3 * QUARTER]])
    truth = policy_gradient(arms, softmax_at(arms, pi))[0, 1]
    yield equal(truth, 3 * QUARTER, "∂J in the logit of the arm that pays 4: p (1 - p) · 4")
    pushes = fractions(0, 4 * QUARTER)  # reward times score, of either arm, as often as an old, even policy took them
    stale = importance_sampling_estimate(fractions(1, 1), pushes)
    yield equal(stale, HALF, "even data, unweighted")
    yield shows(stale != truth, "biased")
    weighted = importance_sampling_estimate([pi[0, 0] / HALF, pi[0, 1] / HALF], pushes)
    yield against(weighted == truth, "the same old data, weighted with π/μ: no bias")


stale_samples

# %% [markdown]
# ## What the actor's objective measures
#
# $\mathbb{E}_{s \sim d^\mu}[Q(s, \pi(s))]$ with $Q = Q^\pi$ is the mean of $V^\pi$ over the states that μ left: the return of episodes that *start* there. It need
# not order policies as the return from the true start does. With the critic of the policy *before* the step it is the value of acting once as π
# and then as before.


# %%
@claim(
    "notes-342",
    says=r"$E_{s \sim d^\mu}[Q_\phi(s, \pi_\theta(s))]$ is an off-policy evaluation of $\pi_\theta$ on μ's states",
    verdict=Conditional(
        given="Q_φ = Q^π of the very π_θ that is asked about; the critic of the policy before the step values acting once as π_θ and then as before"
    ),
    about=(mean_value, action_value, expected_return),
)
def evaluated_where():
    stop, go = choose(Fraction(0), ONE), choose(ONE, Fraction(5, 8))
    found = [mean_value(REPLAYED, pi, action_value(stop_or_go(), pi)) for pi in (stop, go)]
    yield equal(found, [2, Fraction(5, 3)], "V = (1, 4) and (5/4, 5/2), weighted 2/3 and 1/3")
    started = [expected_return(stop_or_go(start=REPLAYED), pi) for pi in (stop, go)]
    yield equal(started, [2, Fraction(5, 3)], "the returns from starts drawn like the replayed states")
    true = [expected_return(stop_or_go(), pi) for pi in (stop, go)]
    yield shows(true[0] < true[1] and found[0] > found[1], "not J: from state 0 they are 1 and 5/4: the other order")
    old = mean_value(REPLAYED, go, action_value(stop_or_go(), COIN))
    yield differs(old, found[1], "with the coin's critic instead of the policy's own")


evaluated_where

# %% [markdown]
# ## Infinitely many actions
#
# That there is no list to search is right. It is the *shape* of Q that decides whether the maximum can be had: of a quadratic in $a$ it is one
# division, and in a linear-quadratic problem $Q^*$ is one. Of an unknown shape, finitely many trials can miss the top entirely.


# %%
def best_of_grid(q, trials):
    """The largest of q at a/trials, a = 0, ..., trials."""
    return max(q(Fraction(a, trials)) for a in range(trials + 1))


@claim(
    "notes-343",
    says="In continuous action spaces one cannot take an argmax over infinitely many actions",
    verdict=Conditional(
        given="nothing is known of the shape of Q in the action; of a concave quadratic the argmax is a closed form"
    ),
    about=(best_of_grid, optimal_gain),
)
def over_a_continuum():
    def bump(a):
        return max(Fraction(0), 1 - 40 * abs(a - Fraction(9, 20)))

    yield equal(bump(Fraction(9, 20)), 1, "a bump of width 1/20: its top")
    yield equal(
        [best_of_grid(bump, 10), best_of_grid(bump, 20)], [0, 1], "the best of eleven actions, and of twenty-one"
    )
    one = LinearQuadratic([[ONE]], [[ONE]], [[3 * HALF]], [[ONE]], HALF)
    gain = optimal_gain(one)
    x, u = sympy.symbols("x u", real=True)
    q = -(3 * x**2 / 2 + u**2) - (x + u) ** 2  # Q*(x, u) with V*(x) = -2x²
    (top,) = sympy.solve(sympy.diff(q, u), u)
    yield proved(q.subs(u, top) + 2 * x**2, "x' = x + u, costs 3x²/2 + u², γ = 1/2: the maximum over all u is V* again")
    yield equal(gain.K, [[HALF]], "the argmax, for every state at once: u = -x/2")
    yield against(sympy.simplify(top + x / 2) == 0, "so here an argmax over infinitely many actions is taken")


over_a_continuum

# %% [markdown]
# ## Q in place of A
#
# The definition first; it is the usual one.

# %%
the_advantage = same_as("notes-344", of="theory-138", says=r"$A^\pi(s, a) = Q^\pi(s, a) - V^\pi(s)$")
the_advantage


# %%
@claim(
    "notes-345",
    says=r"$\max_\theta E_{a \sim \pi_\theta}[A^\pi] = \max_\theta E_{a \sim \pi_\theta}[Q^\pi - V^\pi]$",
    verdict=Holds(
        note="by the definition; if π is π_θ itself both sides are 0 for every θ, and there is nothing to maximise"
    ),
    about=(advantage, mean_value),
)
def written_out():
    p, q, x, y = sympy.symbols("p q x y", positive=True)
    model, old, new = stop_or_go().to_symbolic(), choose(p, q), choose(x, y)
    gaps = action_value(model, old) - policy_value(model, old)[:, None]
    held = mean_value(REPLAYED, new, advantage(model, old))
    yield proved(held - mean_value(REPLAYED, new, gaps), "for all policies, old and new")
    by_hand = sympy.Rational(2, 3) * (x - p) * (2 * q - 1) + sympy.Rational(4, 3) * (y - q)
    yield proved(held - by_hand, "2/3 (x - p)(2q - 1) + 1/3 (y - q) 4")
    yield proved(by_hand.subs({x: p, y: q}), "0 where the two are the same")


written_out

# %% [markdown]
# "$V^\pi(s)$ is a constant, because θ does not affect which states we visit." Two things have to stand still: the states, which the buffer sees to, and
# the *function* $V^\pi$, which it does not. $V^{\pi_\theta}$ at a given state changes with θ. It is a constant because the critic, and π in it,
# is held at the policy before the step.


# %%
@claim(
    "notes-346",
    says=r"$V^\pi(s)$ is constant in the optimisation over θ, since the states come from μ's buffer",
    verdict=Wrong(
        because="that the states are given does not hold V: V of π_θ at a given state moves with θ, by 4 per unit in state 1",
        instead="it is constant where π in V^π is held at the policy before the step, as a fixed critic holds it",
    ),
    about=(policy_value, mean_value),
)
def what_is_constant():
    x, y = sympy.symbols("x y", positive=True)
    old = policy_value(stop_or_go(), COIN)
    yield equal(old, [1, 2], "V of the policy before the step: numbers")
    q = action_value(stop_or_go(), COIN)
    gap = mean_value(REPLAYED, choose(x, y), q) - mean_value(REPLAYED, choose(x, y), q - old[:, None])
    yield proved(gap - sympy.Rational(4, 3), "held: the two objectives are 2/3 · 1 + 1/3 · 2 apart, at every θ")
    moving = policy_value(stop_or_go().to_symbolic(), choose(x, y))
    yield against(sympy.diff(moving[1], y) == 4, "V of π_θ at state 1 is 4y: it has a slope though the state is given")


what_is_constant

# %% [markdown]
# Last, the display equates two *maxima* and draws its states from π_θ. The maxima are a mean of V apart. The maximisers agree for states from
# μ; for states from π_θ, as printed, V is no constant again: a policy is credited with the values of the states that it reaches. Let the stop pay 5/2
# and the old policy go on every second time and then take the four. Going on is worth 2. It has the larger mean Q along its way, 8/3, and the smaller
# advantage.


# %%
def along_its_way(model, policy, q):
    """E of q(s, a) with states in proportion to the policy's own discounted visits."""
    met = visits(model, policy)
    return mean_value(met / met.sum(), policy, q)


@claim(
    "notes-347",
    says=r"$\max_\theta E_{s,a \sim \pi_\theta}[Q^\pi - V^\pi] = \max_\theta E_{s,a \sim \pi_\theta}[Q^\pi]$, with the same maximiser",
    verdict=Wrong(
        because="the maxima differ by the mean of V^π, and with states from π_θ, as printed, the maximisers can differ as well",
        instead="argmax = argmax for states from the buffer and Q^π, V^π held; the maxima are E V^π apart",
    ),
    about=(along_its_way, mean_value, visits),
)
def the_same_maximiser():
    model, old = stop_or_go(), COIN
    q, v = action_value(model, old), policy_value(model, old)
    policies = deterministic_policies(model)
    plain = [mean_value(REPLAYED, pi, q) for pi in policies]
    centred = [mean_value(REPLAYED, pi, q - v[:, None]) for pi in policies]
    own = [mean_value(REPLAYED, pi, advantage(model, pi)) for pi in policies]
    yield against(not any(own), "read with π = π_θ: E[Q - V] is 0 for each, and every policy a maximiser")
    yield equal(max(plain), 2, "critic held, states from the buffer: max E Q = 2/3 + 4/3")
    yield differs(max(centred), max(plain), "max E[Q - V]")
    best = [{k for k, x in enumerate(scores) if x == max(scores)} for scores in (plain, centred)]
    yield equal(best[0], best[1], "the maximisers are the same policies")
    paid, before, stop, go = stop_or_go(stop=5 * HALF), choose(HALF, ONE), choose(Fraction(0), ONE), choose(ONE, ONE)
    q, v = action_value(paid, before), policy_value(paid, before)
    met = [along_its_way(paid, pi, q) for pi in (stop, go)]
    yield equal(met, [5 * HALF, Fraction(8, 3)], "states from π_θ: E Q of stopping, of going on, (2 + 4/2)/(3/2)")
    centred = [along_its_way(paid, pi, q - v[:, None]) for pi in (stop, go)]
    yield equal(centred, [QUARTER, -Fraction(1, 6)], "E[Q - V]: 5/2 - 9/4, and (2 - 9/4)/(3/2)")
    yield against(met[0] < met[1] and centred[0] > centred[1], "each has its own maximiser")


the_same_maximiser


# %%
@figure
def three_objectives():
    """Three objectives against the chance y of taking the four, the other choice a coin: two parallel lines, and nothing to climb."""
    import matplotlib.pyplot as plt

    y = np.linspace(0, 1, 51)
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.plot(y, 2 / 3 + 4 / 3 * y, color=COLOURS[0], label=r"$E[Q]$, critic held")
    ax.plot(y, 4 / 3 * y - 2 / 3, color=COLOURS[1], label=r"$E[Q - V]$, critic held")
    ax.plot(y, 0 * y, color=COLOURS[2], label=r"$E[A^{\pi_\theta}]$, of $\pi_\theta$ itself")
    ax.set(xlabel="y", ylabel="objective", title="The same slope, or none")
    ax.legend()
    return fig


three_objectives
