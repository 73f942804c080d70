# %% [markdown]
# # Values, Bellman equations, and the optimal policy
#
# *Document `theory`, lines 19 to 33.* The section defines the objective and the two value functions (their displays are lost, so
# the standard forms are stated and verified), derives the Bellman equation in three steps, and says what an optimal policy
# is. The equations hold. The derivation starts from its own conclusion; two theorems need conditions that the chapter's own
# set-up, with its horizon H, does not grant.

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
    below,
    claim,
    differs,
    equal,
    exceeds,
    proved,
    refuses,
    shows,
)
from rlexact.exact.bellman import backup, bellman_optimal, bellman_policy, optimal_actions
from rlexact.exact.evaluation import action_value, expected_return, policy_value
from rlexact.exact.horizon import backward_induction
from rlexact.exact.paths import expect
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP, InvalidPolicy
from rlexact.plotting import figure, heatmap
from rlexact.policy import deterministic, deterministic_policies, uniform

SECTION = Section("theory", "mdps_bellman", "Values, Bellman equations, and the optimal policy")

NINE_TENTHS = Fraction(9, 10)

# %% [markdown]
# ## The objective and the two values, by enumeration
#
# The lost displays are $J(\pi) = \mathbb{E}_\tau\left[\sum_t \gamma^t r(s_t, a_t)\right]$,
# $V^\pi(s) = \mathbb{E}\left[\sum_t \gamma^t r_t \mid s_0 = s\right]$ and
# $Q^\pi(s, a) = \mathbb{E}\left[\sum_t \gamma^t r_t \mid s_0 = s, a_0 = a\right]$ (Sutton and Barto 2018, (3.12), (3.13);
# the start law makes $J = \sum_s \rho_0(s) V^\pi(s)$). In a model whose episodes all end, the expectations are finite sums
# over paths; the linear solve must give the same rationals.


# %%
def branching_model():
    """Four states, two actions, stochastic, and over after at most three steps."""
    half, third = Fraction(1, 2), Fraction(1, 3)
    P = np.full((4, 2, 4), Fraction(0), dtype=object)
    P[0, 0, [1, 2]], P[0, 1, [1, 3]] = half, [third, 2 * third]
    P[1, 0, 2], P[1, 1, [2, 3]] = 1, half
    P[2, :, 3] = 1
    rewards = [[1, 0], [2, -1], [3, Fraction(1, 2)], [0, 0]]
    return MDP(P, rewards, NINE_TENTHS, initial=[half, half, 0, 0], terminal=[3])


def tilted(mdp):
    """A policy that is neither deterministic nor uniform: first action with probability 1/4 in every state."""
    return np.tile([Fraction(1, 4), Fraction(3, 4)], (mdp.n_states, 1))


def discounted(path):
    return sum(NINE_TENTHS**t * reward for t, reward in enumerate(path.rewards))


@claim(
    "theory-025",
    "theory-026",
    says=r"$J(\pi) = E[\sum_t \gamma^t r_t]$ over trajectories, and $V^\pi(s)$ is the same from $s_0 = s$",
    verdict=Holds(note="the weight γ^t is part of it: without it the numbers are another objective's"),
    about=(policy_value, expected_return),
)
def objective_and_value():
    mdp = branching_model()
    pi = tilted(mdp)
    from_each = [expect(mdp, pi, 3, discounted, start=s) for s in range(4)]
    yield equal(policy_value(mdp, pi), from_each, "V: linear solve against every path")
    yield equal(expected_return(mdp, pi), expect(mdp, pi, 3, discounted), "J: linear solve against every path")


objective_and_value


# %%
@claim(
    "theory-032",
    "theory-033",
    says=r"$Q^\pi(s,a)$ takes $a$ first and follows $\pi$ after, so $Q^\pi = r + \gamma P V^\pi$ and $V^\pi = \sum_a \pi Q^\pi$",
    verdict=Holds(),
    about=action_value,
)
def action_values():
    mdp = branching_model()
    pi = tilted(mdp)
    q = action_value(mdp, pi)
    for s in range(3):
        for a in range(2):
            onward = sum(p * expect(mdp, pi, 2, discounted, start=nxt) for p, nxt, _, _ in mdp.outcomes(s, a))
            yield equal(q[s, a], mdp.r[s, a] + NINE_TENTHS * onward, f"Q({s}, {a}), paths after the first action")
    from_each = [expect(mdp, pi, 3, discounted, start=s) for s in range(3)]
    yield equal((pi * q).sum(axis=1)[:3], from_each, "their average under π is V, by every path")


action_values

# %% [markdown]
# ## The Bellman equation
#
# With every probability, reward and the discount a symbol, the fixed-point property of a two-state model is an identity
# between rational functions, proved once for all numbers.


# %%
def symbolic_model():
    """Two states, two actions, all numbers symbols; and a policy of symbols."""
    p = sympy.symbols("p:4", positive=True)
    r = sympy.symbols("r:4", real=True)
    x, y, gamma = sympy.symbols("x y gamma", positive=True)
    P = [[[p[0], 1 - p[0]], [p[1], 1 - p[1]]], [[p[2], 1 - p[2]], [p[3], 1 - p[3]]]]
    mdp = MDP(P, [[r[0], r[1]], [r[2], r[3]]], gamma)
    return mdp, np.array([[x, 1 - x], [y, 1 - y]], dtype=object)


@claim(
    "theory-027",
    "theory-031",
    "theory-039",
    says=r"$V^\pi(s) = E_a[r + \gamma E_{s'} V^\pi(s')]$, and the same for $Q^\pi$ with $E_{a'} Q^\pi(s', a')$",
    verdict=Holds(note="for a policy that does not change with time, and an infinite horizon or a random end"),
    about=(policy_value, action_value),
)
def bellman_equations():
    mdp, pi = symbolic_model()
    v, q = policy_value(mdp, pi), action_value(mdp, pi)
    one_step = [
        sum(
            pi[s, a] * (mdp.r[s, a] + mdp.gamma * sum(p * v[nxt] for p, nxt, _, _ in mdp.outcomes(s, a)))
            for a in range(2)
        )
        for s in range(2)
    ]
    yield proved([a - b for a, b in zip(one_step, v, strict=True)], "V^π solves its equation, all numbers symbols")
    again = [
        mdp.r[s, a] + mdp.gamma * sum(p * (pi[nxt] * q[nxt]).sum() for p, nxt, _, _ in mdp.outcomes(s, a))
        for s in range(2)
        for a in range(2)
    ]
    yield proved([a - b for a, b in zip(again, q.flat, strict=True)], "Q^π solves its equation, all numbers symbols")


bellman_equations

# %% [markdown]
# **The derivation.** It promises to start "from the definition", and its first display is the Bellman equation itself: the
# conclusion. That is not harmless, because the equation does not define $V^\pi$ where the definition does. At γ = 1 a state that
# keeps the agent and pays nothing satisfies $V = V$ for *every* number, while the sum of its rewards is 0.


# %%
@claim(
    "theory-028",
    says="The derivation of the Bellman equation starts from the definition of the value",
    verdict=Wrong(
        because="its first display is the Bellman equation, the conclusion; that equation alone does not define the value",
        instead=r"start from $V^\pi(s) = E[\sum_t \gamma^t r_t \mid s_0 = s]$, split off $r_0$, condition on $(a_0, s_1)$",
    ),
    about=(bellman_policy, policy_value),
)
def a_circular_start():
    idle = MDP([[["1"]]], [0], 1)
    five = np.array([Fraction(5)])
    yield equal(bellman_policy(idle, uniform(idle), five), [5], "V = 5 satisfies the equation of an idle loop at γ = 1")
    yield differs(five, policy_value(idle, uniform(idle)), "but the sum of its rewards")
    mdp = branching_model()
    split = [
        expect(mdp, tilted(mdp), 3, lambda path: path.rewards[0] + discounted_rest(path), start=s) for s in range(3)
    ]
    yield equal(policy_value(mdp, tilted(mdp))[:3], split, "from the definition: first reward, plus γ times the rest")


def discounted_rest(path):
    return NINE_TENTHS * sum(NINE_TENTHS**t * reward for t, reward in enumerate(path.rewards[1:]))


a_circular_start


# %%
@claim(
    "theory-029",
    says="Step 1: the return is the first reward plus the return of the trajectory from s1",
    verdict=Holds(note="the step forgets the γ before the second part; step 3 has it"),
    about=expect,
)
def the_return_splits():
    mdp = branching_model()
    whole = expect(mdp, tilted(mdp), 3, discounted)
    first = expect(mdp, tilted(mdp), 3, lambda path: path.rewards[0])
    rest = expect(mdp, tilted(mdp), 3, discounted_rest)
    yield equal(whole, first + rest, "G_0 = r_0 + γ G_1, in the mean over every path")
    by_hand = (policy_value(mdp, tilted(mdp)) * mdp.initial).sum()
    yield equal(whole, by_hand, "and by the linear solve")


the_return_splits

# %% [markdown]
# Step 2 says that the Markov property makes the expected continuation equal to $V^\pi(s_1)$. The dynamics alone do not: the
# *policy* must not change with time either, and the clock must not run out; here $\pi(a|s)$ is followed for ever. A single state where the policy earns 1 now and
# 0 later has $V = 1$, but a continuation worth 0.


# %%
@claim(
    "theory-030",
    says="Step 2: by the Markov property the expected future reward from s1 on is exactly V^π(s1)",
    verdict=Holds(
        note="π(a|s) is followed 'forever after' (line 20): a policy that changes with time, or a fixed horizon, needs the time in V, as for "
        "theory-027"
    ),
    about=policy_value,
)
def the_continuation():
    chain = gallery.three_state_chain()
    v = policy_value(chain, uniform(chain))
    later = expect(chain, uniform(chain), 3, discounted_rest, start="A")
    yield equal(later, NINE_TENTHS * v[1], "stationary: what follows the first step from A is γ V(B)")
    yield equal(v[1], 8, "V(B)")
    lone = MDP([[["1"], ["1"]]], [[1, 0]], NINE_TENTHS)
    first_then_idle = 1 + NINE_TENTHS * policy_value(lone, deterministic(lone, [1]))[0]
    yield equal(first_then_idle, 1, "earn 1 now, 0 later: a V of 1, and nothing follows")
    steady = MDP([[["1"]]], [1], NINE_TENTHS)
    two, one = (expect(steady, None, steps, discounted, start=0) for steps in (2, 1))
    yield below(one, two, "two steps of reward 1: the continuation has one step, V has two")


the_continuation

# %% [markdown]
# ## Optimal values
#
# For a finite model the maxima are attained, at deterministic policies: brute force over all of them and the optimality
# equation must agree.


# %%
def brute_force(mdp):
    """V*: the best value of any deterministic policy, state by state."""
    return np.max([policy_value(mdp, policy) for policy in deterministic_policies(mdp)], axis=0)


@claim(
    "theory-034",
    "theory-035",
    says=r"$V^*(s) = \max_\pi V^\pi(s)$ and $Q^*(s, a) = \max_\pi Q^\pi(s, a)$",
    verdict=Holds(note="a maximum in finite models; with infinitely many actions it may only be a supremum"),
    about=(policy_value, action_value),
)
def optimal_values():
    loop = gallery.left_right_loop()
    yield equal(brute_force(loop), [Fraction(300, 19), Fraction(270, 19)], "V*, by the geometric series of the loop")
    q = np.max([action_value(loop, policy) for policy in deterministic_policies(loop)], axis=0)
    yield equal(q, [[Fraction(289, 19), Fraction(300, 19)], [Fraction(270, 19), 10]], "Q*, by .9 of it")
    mixed = [
        np.array([[x, 1 - x], [y, 1 - y]])
        for x in (Fraction(1, 7), Fraction(1, 2))
        for y in (Fraction(1, 3), Fraction(6, 7))
    ]
    yield shows(all((policy_value(loop, pi) <= brute_force(loop)).all() for pi in mixed), "mixed policies do no better")


optimal_values


# %%
@claim(
    "theory-036",
    says=r"The optimal policy satisfies $\pi^*(s) = \arg\max_a Q^*(s, a)$",
    verdict=Conditional(given="the maximiser is unique at every state; else any law on the maximisers is optimal"),
    about=(optimal_actions, policy_value),
)
def the_greedy_policy():
    loop = gallery.left_right_loop()
    yield equal(
        optimal_actions(loop, brute_force(loop)), [[False, True], [True, False]], "unique maximisers in the loop"
    )
    twins = MDP([[["1"], ["1"]]], [[1, 1]], NINE_TENTHS)
    half = np.array([[Fraction(1, 2), Fraction(1, 2)]])
    yield equal(policy_value(twins, half), [10], "with two equal actions, tossing a coin is optimal")
    yield against(
        bool(optimal_actions(twins, brute_force(twins)).all()), "so 'the' argmax is not one action, nor the policy"
    )


the_greedy_policy

# %% [markdown]
# **One policy for every state.** That a single deterministic policy is best everywhere is true for the discounted, infinite
# horizon. The chapter's tuple also has a horizon H, and there it fails. With three steps to go it pays to stay once and
# then to leave, in time to collect: the best choice depends on the clock, so no stationary policy is optimal, not even a
# random one.


# %%
def leave_in_time():
    """Stay for 1 per step, or leave for 0 and collect 3 on the next step."""
    outcomes = {
        ("here", "stay"): [(Fraction(1), "here", 1, False)],
        ("here", "leave"): [(Fraction(1), "door", 0, False)],
        ("door", "leave"): [(Fraction(1), None, 3, True)],
    }
    return MDP.from_outcomes(outcomes, NINE_TENTHS, "here", states=("here", "door"), actions=("stay", "leave"))


def three_steps(q):
    """Expected discounted reward of three steps when every visit to 'here' leaves with probability q."""
    mdp = leave_in_time() if not isinstance(q, sympy.Expr) else leave_in_time().to_symbolic()
    return expect(mdp, np.array([[1 - q, q], [0 * q, 1 + 0 * q]], dtype=object), 3, discounted_symbolic(q))


def discounted_symbolic(q):
    gamma = sympy.Rational(9, 10) if isinstance(q, sympy.Expr) else NINE_TENTHS
    return lambda path: sum(gamma**t * reward for t, reward in enumerate(path.rewards))


@claim(
    "theory-037",
    says="Every finite MDP has one deterministic policy that maximises the value at all states at once",
    verdict=Conditional(
        given="the objective is discounted over an infinite horizon; with H steps the policy must see the clock"
    ),
    about=(policy_value, expect, backward_induction),
)
def one_policy_for_all_states():
    loop = gallery.left_right_loop()
    best = brute_force(loop)
    attained = [p for p in deterministic_policies(loop) if (policy_value(loop, p) == best).all()]
    yield equal(len(attained), 1, "of the loop's four policies, those that are best at both states")
    yield equal(best, [Fraction(300, 19), Fraction(270, 19)])
    clocked = 1 + NINE_TENTHS * (0 + NINE_TENTHS * 3)
    plan = backward_induction(leave_in_time(), 3)
    yield equal(plan.v[0, 0], clocked, "backward induction over three steps: 1 + .9 · 0 + .81 · 3")
    yield equal([int(plan.policy[t, 0].argmax()) for t in (0, 1)], [0, 1], "stay, then leave")
    q = sympy.Symbol("q", nonnegative=True)
    value = sympy.Poly(three_steps(q), q)
    crossings = sympy.Poly(value - sympy.Rational(clocked.numerator, clocked.denominator), q).count_roots(0, 1)
    yield equal(three_steps(Fraction(0)), Fraction(271, 100), "always stay, three steps")
    yield equal(three_steps(Fraction(1)), Fraction(27, 10), "always leave, three steps")
    yield against(
        crossings == 0 and three_steps(Fraction(1, 3)) < clocked, "no stationary policy, random or not, earns 343/100"
    )
    yield exceeds(
        clocked, three_steps(Fraction(68, 100)), "stay once and then leave, against nearly the best random one"
    )


one_policy_for_all_states


# %%
@figure
def one_policy_everywhere():
    """A gridworld of Sutton and Barto (2018, Figure 3.5): every best action, from every cell at once; A and B jump for 10 and 5."""
    grid = gallery.sutton_barto_grid()
    best = policy_iteration(grid)
    return heatmap(best.v, (5, 5), best.optimal_actions, actions=grid.actions).figure


one_policy_everywhere


# %%
@figure
def the_clock_matters():
    """Three steps in the leave-in-time model: no fixed probability of leaving reaches what staying once and then leaving earns."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots()
    chances = [Fraction(k, 50) for k in range(51)]
    ax.plot(
        [float(q) for q in chances], [float(three_steps(q)) for q in chances], label="leave with probability q, always"
    )
    ax.axhline(3.43, color="C1", ls="--", label="stay once, then leave")
    ax.set(xlabel="q", ylabel="value of three steps", ylim=(2.6, 3.6))
    ax.legend()
    return fig


the_clock_matters

# %% [markdown]
# The theorem also seems to contradict a later line of the document (line 65: "sometimes the optimal policy is stochastic",
# for rock-paper-scissors). It depends on what is meant. Against a *fixed* opponent the game is a one-step MDP, and some pure
# move is best. Against an opponent who *adapts* it is a game, not an MDP, and only mixing is safe.


# %%
PAYOFF = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])


@claim(
    "theory-038",
    says="Deterministic optimality in every finite MDP against the later 'sometimes the optimal policy is stochastic' (line 65)",
    verdict=Conditional(given="line 65 is about games or hidden states, not about a finite, fully observed MDP"),
    about=gallery.bandit,
)
def when_chance_is_needed():
    opponent = np.array([Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)])
    game = gallery.bandit(list(PAYOFF @ opponent))
    values = [policy_value(game, policy)[0] for policy in deterministic_policies(game)]
    yield equal(max(values), Fraction(1, 4), "against rock half the time, paper wins a quarter")
    yield equal(policy_value(game, uniform(game)), [0], "mixing evenly wins nothing there")
    yield equal(min(PAYOFF.T @ np.full(3, Fraction(1, 3))), 0, "against the worst reply, mixing evenly loses nothing")
    yield against(all(min(PAYOFF[a]) < 0 for a in range(3)), "while every pure move loses 1 against its worst reply")


when_chance_is_needed

# %% [markdown]
# ## The optimality equation


# %%
@claim(
    "theory-040",
    says=r"Under $\pi^*$ the expectation over the next action is a maximum: $E_{a' \sim \pi^*} Q^*(s', a') = \max_{a'} Q^*(s', a')$",
    verdict=Holds(
        note="the reason given, all probability on *the* best action, is too narrow: ties may be split in any way"
    ),
    about=backup,
)
def expectation_is_maximum():
    loop = gallery.left_right_loop()
    q = backup(loop, brute_force(loop))
    best = deterministic(loop, ["right", "left"])
    yield equal((best * q).sum(axis=1), [Fraction(300, 19), Fraction(270, 19)], "unique maximisers")
    yield equal((best * q).sum(axis=1), q.max(axis=1))
    twins = MDP([[["1"], ["1"]]], [[1, 1]], NINE_TENTHS)
    tied = backup(twins, brute_force(twins))
    yield equal((np.array([[Fraction(1, 3), Fraction(2, 3)]]) * tied).sum(axis=1), [10], "a tie, split 1 to 2")


expectation_is_maximum


# %%
@claim(
    "theory-041",
    says=r"$Q^* = r + \gamma E \max Q^*$, and Q* is the unique fixed point of that operator",
    verdict=Conditional(
        given="γ < 1 (the chapter grants it) and bounded Q; the three lines shown prove a fixed point, not its uniqueness"
    ),
    about=bellman_optimal,
)
def a_unique_fixed_point():
    loop = gallery.left_right_loop()
    best = brute_force(loop)
    yield equal(bellman_optimal(loop, best), best, "T V* = V*")
    shifted = best + Fraction(1)
    yield below(bellman_optimal(loop, shifted), shifted, "a shift up comes down: T(V* + 1) < V* + 1")
    idle = MDP([[["1"]]], [0], 1)
    for x in (Fraction(0), Fraction(5)):
        yield equal(bellman_optimal(idle, np.array([x])), [x], "at γ = 1 an idle loop keeps every number")
    yield differs(Fraction(0), Fraction(5), "two fixed points of one operator")
    paid = MDP([[["1"]]], [1], 1)
    yield refuses(
        InvalidPolicy, lambda: policy_value(paid, uniform(paid)), "and with reward 1 there is none: V = 1 + V"
    )


a_unique_fixed_point
