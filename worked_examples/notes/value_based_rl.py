# %% [markdown]
# # From advantages to values
#
# *Document `notes`, lines 894 to 967.* Why keep a policy, if the advantages say which action is best? The road from actor-critic to value
# iteration. Its formulas are the usual ones, with an expectation missing here and there. The sentence that carries the chapter is
# not right: the argmax of the advantages *of a policy* is a better policy, not the optimal one.

# %%
from fractions import Fraction

import numpy as np

from rlexact import gallery
from rlexact.claims import (
    Conditional,
    Holds,
    Section,
    Wrong,
    against,
    at_most,
    below,
    claim,
    differs,
    equal,
    same_as,
    shows,
    swept,
    tight,
)
from rlexact.exact.bellman import backup, bellman_optimal
from rlexact.exact.evaluation import action_value, advantage, expected_return, policy_value
from rlexact.exact.expected_updates import expected_q_learning, sarsa_update
from rlexact.exact.gradient import finite_horizon_gradient, policy_gradient
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.paths import paths
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.gallery.generators import random_mdp
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, deterministic_policies, first_best, uniform

SECTION = Section("notes", "value_based_rl", "From advantages to values")

ONE, HALF, QUARTER, TENTH = Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)


def fractions(*rows):
    """An object array of Fractions."""
    return np.array(rows, dtype=object) * ONE


# %% [markdown]
# ## The policy gradient with advantages
#
# The document's $U$ is the *undiscounted* sum of rewards (line 113); its values, and with them $A^\pi$, are discounted (lines 528 and 907). The display is
# $\nabla U$ when γ = 1 and the sum runs to the end of the episode. Take two steps: *a* leads to a door that pays 0 or 6, *b* pays 1 and leads to
# a door that pays 2 or 0; all choices even. At γ = 1 the doors are worth 3 and 1, and $A$ = ±1/2, ±3, ±1.


# %%
def two_doors(gamma=ONE, behind=(0, 6)):
    """State 0: a leads to door 1, b pays 1 and leads to door 2. Door 1 pays one of `behind`, door 2 pays 2 or 0. Then the end."""
    table = {(0, 0): [(ONE, 1, 0, False)], (0, 1): [(ONE, 2, 1, False)]}
    table |= {(1, a): [(ONE, None, pay, True)] for a, pay in enumerate(behind)}
    table |= {(2, a): [(ONE, None, pay, True)] for a, pay in enumerate((2, 0))}
    return MDP.from_outcomes(table, gamma, 0)


def displayed(mdp, steps=2):
    """E over trajectories of Σ_t ∇ log π(a_t | s_t) A^π(s_t, a_t), in the logits of an even policy: (S, A)."""
    policy = uniform(mdp)
    a, total = advantage(mdp, policy), 0 * mdp.r
    for path in paths(mdp, policy, steps):
        for s, action in zip(path.states, path.actions, strict=False):
            total[s] += path.probability * (np.eye(2, dtype=int)[action] - policy[s]) * a[s, action]
    return total


@claim(
    "notes-150",
    says=r"$\nabla_\theta U(\theta) = E_\tau\big[\sum_{t=0}^T \nabla_\theta \log \pi_\theta(a_t|s_t)\, A^\pi(s_t, a_t)\big]$",
    verdict=Conditional(
        given="γ = 1, as U is an undiscounted sum, and the episode is over by T; a discounted U needs γ^t in each term"
    ),
    about=(displayed, finite_horizon_gradient, advantage),
)
def policy_gradient_with_advantages():
    whole, half = two_doors(), two_doors(HALF)
    yield equal(advantage(whole, uniform(whole)), [[HALF, -HALF], [-3, 3], [1, -1]], "A at γ = 1, by hand")
    by_hand = fractions([QUARTER, -QUARTER], [-3 * QUARTER, 3 * QUARTER], [QUARTER, -QUARTER])
    truth = finite_horizon_gradient(whole, softmax_at(whole, uniform(whole)), 2)
    yield equal(truth, by_hand, "∇U: visits times π A, (1, 1/2, 1/2) · 1/2 · A")
    yield equal(displayed(whole), by_hand, "the display at γ = 1")
    yield equal(displayed(half)[0], [0, 0], "at γ = 1/2 the first choice looks even: 3/2 and 1 + 1/2")
    yield differs(displayed(half), truth, "against ∇U")
    discounted = finite_horizon_gradient(half, softmax_at(half, uniform(half)), 2)
    yield equal(2 * discounted[1:], by_hand[1:], "the gradient of a discounted U counts the second step by half")
    yield differs(displayed(half), discounted, "against that")
    cut = finite_horizon_gradient(whole, softmax_at(whole, uniform(whole)), 1)
    yield equal(
        [cut[0, 0], displayed(whole, 1)[0, 0]], [-QUARTER, QUARTER], "stopped after one step: ∇U, and the display"
    )


policy_gradient_with_advantages

# %% [markdown]
# ## What an advantage is
#
# $r(s_t, a_t) + \gamma V^\pi(s_{t+1})$ is a *sample* of the action value, and contains a state that $(s_t, a_t)$ does not determine. A coin that leads
# to a state worth 1 or to one worth 0 makes it 1 or 0; $Q$ is 1/2. What defines $Q$, and $A$ with it, is the mean over $s_{t+1}$, which line 947
# writes and line 907 does not.


# %%
def coin():
    """State 0 leads to state 1, which pays 1, or to state 2, which pays 0, with probability 1/2 each; γ = 1."""
    there = [(HALF, 1, 0, False), (HALF, 2, 0, False)]
    return MDP.from_outcomes({(0, 0): there, (1, 0): [(ONE, None, 1, True)], (2, 0): [(ONE, None, 0, True)]}, ONE, 0)


def sampled_values(mdp, policy):
    """The values r + γ V^π(s') of the first step, one for each s' that can follow: [(probability, s, a, value)]."""
    v = np.append(policy_value(mdp, policy), 0 * ONE)
    return [(p.probability, 0, p.actions[0], p.rewards[0] + mdp.gamma * v[p.states[1]]) for p in paths(mdp, policy, 1)]


@claim(
    "notes-151",
    says=r"The advantage is formally defined as $A^\pi(s_t, a_t) = r(s_t, a_t) + \gamma V^\pi(s_{t+1}) - V^\pi(s_t)$",
    verdict=Wrong(
        because="s_{t+1} stands on the right only: for a coin the right side is 1/2 or -1/2, the advantage is 0; it is the TD error",
        instead="A^π = r + γ E[V^π(s_{t+1}) | s_t, a_t] - V^π(s_t); without the mean only where moves are certain",
    ),
    about=(sampled_values, advantage, policy_value),
)
def a_definition_with_a_draw():
    toss = coin()
    v = policy_value(toss, uniform(toss))
    yield equal(v, [HALF, 1, 0], "the coin's values")
    errors = sorted(x - v[0] for *_, x in sampled_values(toss, uniform(toss)))
    yield equal(errors, [-HALF, HALF], "r + γ V(s') - V(s), for each way the coin falls")
    a = advantage(toss, uniform(toss))[0, 0]
    yield equal(a, 0, "with a single action, none is better than average")
    yield differs(errors[1], a, "the display, against the advantage")
    yield equal(sum(p * (x - v[0]) for p, *_, x in sampled_values(toss, uniform(toss))), a, "its mean over s'")
    sure = two_doors()
    single = {action: x for _, _, action, x in sampled_values(sure, uniform(sure))}
    yield equal(
        [single[k] - Fraction(5, 2) for k in (0, 1)], advantage(sure, uniform(sure))[0], "two doors, certain moves"
    )


a_definition_with_a_draw


# %%
@claim(
    "notes-152",
    says=r"$r(s_t, a_t) + \gamma V^\pi(s_{t+1})$ represents the Q-value of the pair",
    verdict=Conditional(
        given="s_{t+1} is determined by (s_t, a_t), or the mean over it is taken: E[V^π(s_{t+1}) | s_t, a_t]"
    ),
    about=(sampled_values, action_value),
)
def a_sample_of_q():
    sure, policy = two_doors(), uniform(two_doors())
    found = {a: x for _, _, a, x in sampled_values(sure, policy)}
    yield equal([found[0], found[1]], [3, 2], "certain moves: 0 + 3 and 1 + 1")
    yield equal(action_value(sure, policy)[0], [3, 2], "Q")
    toss = coin()
    ahead = sampled_values(toss, uniform(toss))
    yield equal(sorted(x for *_, x in ahead), [0, 1], "the coin: r + γ V(s') is 0 or 1")
    yield equal(action_value(toss, uniform(toss))[0, 0], HALF, "Q is 1/2")
    yield differs(ahead[0][3], action_value(toss, uniform(toss))[0, 0], "one draw against Q")
    yield equal(sum(p * x for p, *_, x in ahead), HALF, "the mean over s' is Q")


a_sample_of_q

# %%
advantage_is_q_less_v = same_as(
    "notes-153", of="reference-016", says=r"$A^\pi(s_t, a_t) = Q^\pi(s_t, a_t) - V^\pi(s_t)$"
)
advantage_is_q_less_v

# %% [markdown]
# **Collect, evaluate, improve.** True advantages and a small step do improve the policy. One rollout is something else: of a sure 1 and a coin that
# pays 4 or -4, one that shows the 4 makes the coin look better by 3, and favouring it costs return. On average over rollouts the comparison is right.


# %%
def sure_or_coin():
    """One choice: 1 for sure, or 4 or -4 by a coin."""
    return MDP.from_outcomes(
        {(0, 0): [(ONE, None, 1, True)], (0, 1): [(HALF, None, 4, True), (HALF, None, -4, True)]}, ONE, 0
    )


def favoured(mdp, estimates):
    """An even policy after a step of 1/10 toward the action with the highest estimated advantage."""
    return (1 - TENTH) * uniform(mdp) + TENTH * first_best(mdp, estimates)


@claim(
    "notes-154",
    says="Collect trajectories, estimate how good actions were, improve the policy by favouring higher estimated advantages",
    verdict=Conditional(
        given="the estimates rank the actions rightly, by averaging enough; and a small step in the policy"
    ),
    about=(favoured, expected_return, advantage),
)
def the_workflow():
    choice = sure_or_coin()
    step = favoured(choice, fractions([1, -1]))
    yield equal(step, [[Fraction(11, 20), Fraction(9, 20)]], "a step of 1/10 from an even policy")
    start, true = expected_return(choice, uniform(choice)), advantage(choice, uniform(choice))
    yield equal(true, [[HALF, -HALF]], "advantages of 1 and of a mean of 0, over an even policy")
    yield equal([start, expected_return(choice, favoured(choice, true))], [HALF, HALF + Fraction(1, 20)], "J rises")
    seen = [fractions([1, x]) - HALF for x in (4, -4)]
    yield equal((seen[0] + seen[1]) / 2, true, "one rollout of each action: the mean of the estimates")
    lucky = expected_return(choice, favoured(choice, seen[0]))
    yield equal(lucky, HALF - Fraction(1, 20), "after a rollout with the 4")
    yield against(lucky < start, "favouring the higher estimate made the policy worse")


the_workflow

# %% [markdown]
# ## Does the argmax of a policy's advantages give the optimal policy?
#
# $A^\pi(s, a)$ knows what action $a$ is worth *if π is followed afterwards*. Put -10 and 6 behind the first door. An even policy makes that door worth
# -2, so the argmax of its advantages, known perfectly, takes the other one: 1 + 2 = 3. The optimum walks through the first door and takes the 6. The
# argmax is one step of policy improvement: never worse, and optimal once nothing changes. Here a second round gets there.


# %%
def improved(mdp, policy):
    """π'(s) = argmax_a A^π(s, a), the first of equal ones."""
    return first_best(mdp, advantage(mdp, policy))


@claim(
    "notes-155",
    says=r"With perfect knowledge of $A^\pi(s, a)$ for all pairs we could construct the optimal policy by taking the argmax",
    verdict=Wrong(
        because="A^π values an action by what π does afterwards: the argmax for an even policy is worth 3 where 6 is possible",
        instead="the argmax is at least as good as π; repeated with the advantages of each new policy, or taken of A*, it is optimal",
    ),
    about=(improved, policy_value, advantage),
)
def one_argmax_is_not_enough():
    mdp = two_doors(behind=(-10, 6))
    first = improved(mdp, uniform(mdp))
    yield equal(first, [[0, 1], [0, 1], [1, 0]], "the argmax for the even policy: b first")
    yield equal(advantage(mdp, uniform(mdp))[0], [-2, 2], "A of the even policy at the start: -2 and 1 + 1, less 0")
    best = max(policy_value(mdp, p)[0] for p in deterministic_policies(mdp))
    yield equal([policy_value(mdp, first)[0], best], [3, 6], "the argmax, and the best of all deterministic policies")
    yield differs(policy_value(mdp, first)[0], best, "value at the start")
    yield below(policy_value(mdp, uniform(mdp)), policy_value(mdp, first), "better than the even policy, everywhere")
    second = improved(mdp, first)
    yield equal(policy_value(mdp, second)[0], 6, "the argmax of the new policy's advantages")
    yield equal(improved(mdp, second), second, "a third round changes nothing: it is greedy for itself")


one_argmax_is_not_enough


# %%
@figure
def rounds_of_argmax():
    """River swim, γ = 0.95: distance to V* after each round of argmax over exact advantages, and after each sweep of value iteration."""
    import matplotlib.pyplot as plt

    mdp = gallery.river_swim().to_float()
    best = policy_iteration(mdp).v
    policy, v = deterministic(mdp, [0] * 6), np.zeros(6)
    rounds, sweeps = [], []
    for _ in range(7):
        rounds.append(abs(best - policy_value(mdp, policy)).max())
        policy = improved(mdp, policy)
    for _ in range(121):
        sweeps.append(abs(best - v).max())
        v = bellman_optimal(mdp, v)
    fig, ax = plt.subplots(figsize=(6.2, 3.3))
    exact = next(k for k, e in enumerate(rounds) if e < 1e-9)
    ax.semilogy(range(exact), rounds[:exact], "o-", color=COLOURS[0], label=f"argmax of A: exact after {exact} rounds")
    ax.plot([exact - 1, exact], [rounds[exact - 1], 0.012], ":", color=COLOURS[0])
    ax.plot(exact, 0.014, "v", color=COLOURS[0])
    ax.semilogy(sweeps, color=COLOURS[1], label="value iteration: never exact")
    ax.semilogy(
        [sweeps[0] * 0.95**k for k in range(121)], ":", color=COLOURS[6], label=r"$\gamma^k$ of the first error"
    )
    ax.set(xlabel="rounds, or sweeps", ylabel="largest error of V", ylim=(0.012, 15))
    ax.legend(fontsize=8)
    return fig


rounds_of_argmax

# %% [markdown]
# As a step of improvement the display is right. $V^\pi(s)$ is the same for all actions, so the argmax of $A^\pi$ is that of $Q^\pi$.


# %%
@claim(
    "notes-156",
    says=r"$\pi(s) \leftarrow \arg\max_a A^\pi(s, a)$",
    verdict=Holds(
        note="as one step of improvement, any maximiser will do: never worse anywhere; not optimal at once (notes-155)"
    ),
    about=(improved, policy_value),
)
def the_argmax():
    models = [random_mdp(seed) for seed in range(20)]
    loop = gallery.left_right_loop()
    right = deterministic(loop, ["right", "right"])
    yield equal(improved(loop, right), [[0, 1], [1, 0]], "two-state loop, right at both: Q is (11.8, 12), (10.8, 10)")
    yield equal(
        policy_value(loop, improved(loop, right)), [Fraction(300, 19), Fraction(270, 19)], "worth 3/(1 - .81), .9 of it"
    )
    yield shows(
        all((improved(m, uniform(m)) == first_best(m, action_value(m, uniform(m)))).all() for m in models),
        "20 random models: the same argmax as that of Q",
    )
    yield swept(
        lambda m: policy_value(m, uniform(m)) - policy_value(m, improved(m, uniform(m))),
        models,
        "V of an even policy less V after the argmax",
    )


the_argmax

# %% [markdown]
# ## The skeleton
#
# Estimated *perfectly*, $A^\pi$ and argmax in turn are policy iteration, which ends at the optimum. But step 1 acts with some exploration noise, and data
# of the noisy policy show the values of the noisy policy. A ledge leads to 8, a slip there costs 92; the long way round pays 5. An actor that slips
# once in twenty is right to find the ledge worth 3 and goes round, for ever. The greedy policy that it is meant to evaluate would take the ledge.


# %%
def ledge():
    """State 0: a goes to the ledge, b round it for 5. On the ledge a pays 8, b costs 92. Then the end."""
    table = {(0, 0): [(ONE, 1, 0, False)], (0, 1): [(ONE, None, 5, True)]}
    table |= {(1, 0): [(ONE, None, 8, True)], (1, 1): [(ONE, None, -92, True)]}
    return MDP.from_outcomes(table, ONE, 0)


def skeleton(mdp, rounds, noise=0 * ONE):
    """Rounds of the argmax over advantages of the acting policy: greedy, but an even choice with probability `noise`."""
    policy = uniform(mdp)
    for _ in range(rounds):
        policy = improved(mdp, noise * uniform(mdp) + (1 - noise) * policy)
    return policy


@claim(
    "notes-157",
    says="Collect with the current policy and some exploration, estimate A^π as perfectly as possible, set π' to the argmax",
    verdict=Conditional(
        given="the estimate is of A^π for the greedy π, not for the exploring policy that acts, and its errors are below half the margins"
    ),
    about=(skeleton, policy_value),
)
def whose_advantages():
    mdp = ledge()
    yield equal(skeleton(mdp, 3), [[1, 0], [1, 0]], "advantages of π itself: the ledge, and 8")
    yield equal(policy_value(mdp, skeleton(mdp, 3)), [8, 8], "the best there is")
    slips = skeleton(mdp, 3, noise=TENTH)
    yield equal(
        slips, [[0, 1], [1, 0]], "advantages of what acts: the ledge is worth 8 · 19/20 - 92/20 = 3, so go round"
    )
    yield equal(skeleton(mdp, 4, noise=TENTH), slips, "and so it stays")
    yield against(policy_value(mdp, slips)[0] == 5, "the policy found is worth 5, not 8")


whose_advantages

# %% [markdown]
# ## What 'off-policy' means
#
# Not that no gradient of the policy is taken. SARSA takes none and is on-policy: it comes to rest at the values of whatever acts, 3 for the
# ledge walker who slips. And a policy gradient can be computed from another policy's data: weights π/b do it. What makes learning off-policy is
# that the policy learned about is not the one that acts, as for Q-learning, at rest at Q* for both actors.


# %%
def weighted_gradient(mdp, policy, behaviour):
    """E_b[π(a)/b(a) ∇ log π(a) r(a)] of a bandit, in the logits: the policy gradient from another policy's actions."""
    ratio = policy[0] / behaviour[0]
    score = np.eye(mdp.n_actions, dtype=int) - policy[0]
    return (behaviour[0] * ratio * mdp.r[0]) @ score


@claim(
    "notes-158",
    says="The argmax update is 'off-policy' in the sense that no gradients of the policy are computed",
    verdict=Wrong(
        because="SARSA takes no gradient of the policy and is on-policy; importance-weighted policy gradients are off-policy",
        instead="off-policy: the policy that is evaluated or improved is not the one that acts, as in Q-learning",
    ),
    about=(sarsa_update, expected_q_learning, weighted_gradient, policy_gradient),
)
def what_off_policy_means():
    mdp = ledge()
    actors = [noise * uniform(mdp) + (1 - noise) * deterministic(mdp, [0, 0]) for noise in (TENTH, HALF)]
    rests = [sarsa_update(mdp, b, HALF, b).fixed_point().reshape(2, 2)[0, 0] for b in actors]
    yield equal(rests, [3, -17], "SARSA, argmax and no gradient: the ledge, for slips of 1/20 and 1/4")
    yield against(rests[0] != rests[1], "what it learns depends on who acts: on-policy")
    best = fractions([8, 5], [8, -92])
    for b in actors:
        yield equal(expected_q_learning(mdp, best, HALF, b), best, "Q-learning stays at Q*, whoever acts")
    choice = sure_or_coin()
    policy, coin_toss = fractions([QUARTER, 3 * QUARTER]), uniform(choice)
    yield equal(
        weighted_gradient(choice, policy, coin_toss),
        [Fraction(3, 16), -Fraction(3, 16)],
        "a policy gradient from other data",
    )
    truth = policy_gradient(choice, softmax_at(choice, policy))[0]
    yield equal(truth, [Fraction(3, 16), -Fraction(3, 16)], "is the policy gradient: ±p(1 - p), p = 1/4")


what_off_policy_means

# %% [markdown]
# ## Just pick the best action
#
# If every error of $\hat A$ is below half the margin, the argmax is right. *Good* is not that: with errors of ε, however small, it may take an action that
# is 2ε worse at every step, and loses $2\varepsilon/(1-\gamma)$. A hundredth at γ = 0.99 is 2. And picking needs a list of actions: with torques and steering angles,
# says line 89 of the same document, there is none.


# %%
def nearly_even(margin, gamma):
    """One state: a pays 0, b costs `margin`, for ever."""
    return MDP([[[ONE], [ONE]]], [[0, -margin]], gamma, initial=[1])


def picked(mdp, error):
    """V of the argmax of advantages that are wrong by `error`, against the better action and for the other."""
    truth = advantage(mdp, deterministic(mdp, [0]))
    return policy_value(mdp, first_best(mdp, truth + fractions([-error, error])))[0]


@claim(
    "notes-159",
    says="No policy parameters or learning rates are needed: with good advantage estimates, just pick the best action",
    verdict=Conditional(
        given="errors are below half the margin between actions, and the actions can be listed; else errors of ε cost up to 2ε/(1 - γ)"
    ),
    about=(picked, policy_value),
)
def just_pick():
    small, gamma = Fraction(1, 100), Fraction(99, 100)
    mdp = nearly_even(Fraction(199, 10000), gamma)
    yield equal(picked(mdp, Fraction(99, 10000)), 0, "a margin of .0199, errors of .0099: the better action")
    lost = -picked(mdp, small)
    yield equal(lost, Fraction(199, 100), "errors of .01: the worse one, .0199 at each of 100 steps")
    yield against(lost > 100 * small, "a loss of more than a hundred errors")
    yield at_most(lost, 2 * small / (1 - gamma), "2ε/(1 - γ)")
    closer = -picked(nearly_even(Fraction(19999, 1000000), gamma), small)
    yield tight(closer, 2 * small / (1 - gamma), "a margin of .019999")


just_pick

# %% [markdown]
# ## Value iteration
#
# The skeleton above, $A^\pi$ and argmax in turn, has a name: it is *policy* iteration. Value iteration is another dynamic program. It evaluates no
# policy: after one sweep from 0 its $V$ is the best single reward, which no policy has for a value. On the two-state loop policy
# iteration is exact after two rounds; value iteration never is.


# %%
@claim(
    "notes-160",
    says="The algorithm that formalises this idea is called dynamic programming or value iteration",
    verdict=Wrong(
        because="estimating A^π and taking the argmax is policy iteration; value iteration evaluates no policy",
        instead="both are dynamic programming; value iteration replaces each evaluation by one backup of the maximum",
    ),
    about=(bellman_optimal, policy_value),
)
def which_dynamic_program():
    loop = gallery.left_right_loop()
    best = fractions(Fraction(300, 19), Fraction(270, 19))
    policy = improved(loop, improved(loop, uniform(loop)))
    yield equal(policy_value(loop, policy), best, "evaluate and argmax, twice: V*, exactly")
    v = fractions(0, 0)
    for _ in range(50):
        v = bellman_optimal(loop, v)
    yield against(bool((v < best).all()), "50 sweeps of value iteration: still below V*, at both states")
    alone = MDP([[[ONE]]], [[1]], HALF)
    yield equal(bellman_optimal(alone, fractions(0)), [1], "one state, one action, paying 1, γ = 1/2: the first sweep")
    yield differs([ONE], policy_value(alone, uniform(alone)), "the value of the only policy")


which_dynamic_program


# %%
@claim(
    "notes-161",
    says=r"$Q(s, a) = r(s, a) + \gamma E_{s'}[V(s')]$",
    verdict=Holds(note="for Q and V of the same policy, and for the optimal ones; after an end V is 0"),
    about=(action_value, backup),
)
def bellman_for_q():
    loop = gallery.left_right_loop()
    stated = [[Fraction(289, 19), Fraction(300, 19)], [Fraction(270, 19), 10]]
    best = np.max([policy_value(loop, p) for p in deterministic_policies(loop)], axis=0)
    yield equal(backup(loop, best), stated, "two-state loop: of V*, 1 + .9 · 300/19, 3 + .9 · 270/19, .9 · 300/19, 10")
    doors = two_doors(HALF)
    by_paths = 0 * doors.r[0]
    for p in paths(doors, uniform(doors), 2):
        by_paths[p.actions[0]] += 2 * p.probability * (p.rewards[0] + HALF * p.rewards[1])
    yield equal(action_value(doors, uniform(doors))[0], by_paths, "of a policy: the two doors, over all paths")


bellman_for_q

# %% [markdown]
# The two updates in turn, from $V = 0$. Together they are one application of $T$.


# %%
@claim(
    "notes-162",
    "notes-163",
    says=r"Update 1: $Q(s,a) \leftarrow r(s,a) + \gamma E_{s'}[V(s')]$; update 2: $V(s) \leftarrow \max_a Q(s,a)$",
    verdict=Holds(note="the new V needs the whole old V, or fresh entries as they come: both converge for γ < 1"),
    about=(backup, bellman_optimal),
)
def two_updates():
    loop, v, seen = gallery.left_right_loop(), fractions(0, 0), []
    for _ in range(3):
        q = backup(loop, v)
        v = q.max(axis=1)
        seen.append((q, v))
    yield equal([list(x) for _, x in seen], [[3, 10], [12, 10], [12, Fraction(54, 5)]], "V after three rounds, by hand")
    yield equal(
        seen[1][0], [[Fraction(37, 10), 12], [Fraction(27, 10), 10]], "Q in the second: 1 + 2.7, 3 + 9, 2.7, 10"
    )
    yield equal(bellman_optimal(loop, seen[1][1]), seen[2][1], "the pair of updates is T")


two_updates

# %% [markdown]
# **The guarantee** needs γ < 1, and line 21 of the document allows γ = 1. There the sweeps can grow for ever, circle, or settle at a value that
# nobody can earn: a state that may be left for -1 or kept at 0 is worth 0, and from $V = 5$ the sweeps stay at 5.


# %%
def sweeps(mdp, v, n):
    """V after n sweeps of value iteration."""
    for _ in range(n):
        v = bellman_optimal(mdp, v)
    return v


@claim(
    "notes-164",
    says="In tabular settings the iteration is guaranteed to converge to the optimal Q-function",
    verdict=Conditional(
        given="γ < 1 (or every policy ends); with γ = 1, which line 21 allows, it may grow, circle or settle elsewhere"
    ),
    about=(sweeps, bellman_optimal),
)
def the_guarantee():
    loop, best = gallery.left_right_loop(), fractions(Fraction(300, 19), Fraction(270, 19))
    for start in (fractions(0, 0), fractions(99, -99)):
        first = max(abs(start - best))
        left = [max(abs(sweeps(loop, start, k) - best)) for k in (1, 10, 60)]
        yield shows(
            all(e <= Fraction(9, 10) ** k * first for e, k in zip(left, (1, 10, 60), strict=True)),
            f"γ = .9, from {start[0]}, {start[1]}: the error of V is at most γ^k of the first",
        )
        off = abs(backup(loop, sweeps(loop, start, 60)) - backup(loop, best))
        yield shows(
            bool((off <= Fraction(9, 10) ** 61 * first).all()), "and that of Q after 60 sweeps at most γ^61 of it"
        )
    paid = MDP([[[ONE]]], [[1]], 1)
    yield equal(sweeps(paid, fractions(0), 9), [9], "γ = 1, a state that pays 1: nine sweeps")
    yield against(sweeps(paid, fractions(0), 99)[0] == 99, "99 sweeps: 99, without end")
    swap = MDP([[[0 * ONE, ONE]], [[ONE, 0 * ONE]]], [[0], [0]], 1)
    yield equal([sweeps(swap, fractions(1, 0), k) for k in (1, 2)], [[0, 1], [1, 0]], "two states that swap: a circle")
    stay = MDP.from_outcomes({(0, 0): [(ONE, 0, 0, False)], (0, 1): [(ONE, None, -1, True)]}, ONE, 0)
    yield differs(
        sweeps(stay, fractions(5), 9), fractions(0), "stay for 0 or leave for -1, from V = 5; the optimum is 0"
    )


the_guarantee
