# %% [markdown]
# # Models: learning them, planning with them, branching from them
#
# *Document `reference`, lines 164 to 187.* Three ways to write a model, model-predictive control, Dyna, and the branched rollouts of MBPO.
#
# These are recipes more than theorems. Each is judged by what it has to make true, in worlds small enough to enumerate: a plan by the action it
# leads to, a memory by the values that planning makes of it, a rollout by the law of what it stores.

# %%
from fractions import Fraction
from itertools import product

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import Conditional, Holds, Section, against, below, claim, differs, equal, proved, refuses, shows
from rlexact.exact.evaluation import policy_value
from rlexact.exact.gradient import policy_gradient
from rlexact.exact.horizon import backward_induction, policy_values_over_horizon
from rlexact.exact.parameterisation import softmax_at
from rlexact.exact.planning import branched_states, branched_value, mpc_policy
from rlexact.formulas.batch import InvalidBatch
from rlexact.formulas.branched_rollouts import branched_return
from rlexact.formulas.dyna import dyna_mean_step, dyna_model, dyna_planning
from rlexact.formulas.model_predictive import delta_model, delta_model_loss, predicted_states, random_shooting
from rlexact.learning.model_based import counts_model
from rlexact.learning.replay import Transition
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("reference", "model_based", "Models: learning them, planning with them, branching from them")

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
A, B, END = 0, 1, 2
LEFT, RIGHT = 0, 1


def fractions(x):
    return np.array(x) * Fraction(1)


# %% [markdown]
# ## A function, a law, a change
#
# A deterministic model is a function: applied over and over it says where a sequence of actions leads. Fitted by squares to a
# random world it predicts the mean of what may follow.


# %%
@claim(
    "reference-110",
    says=r"Deterministic model: $s_{t+1} = f_\theta(s_t, a_t)$",
    verdict=Holds(
        note="as a form; where the world is random, the best fit by squares is a mean that may be no state at all"
    ),
    about=predicted_states,
)
def a_function():
    found = predicted_states(lambda s, a: 2 * s - a, Fraction(1), fractions([3, -2, 1]))
    yield equal(found, [1, -1, 0, -1], "f = 2s - a from 1: 2 - 3, -2 + 2, 0 - 1")


a_function


# %%
@claim(
    "reference-111",
    says=r"Stochastic model: $s_{t+1} \sim P_\theta(\cdot|s_t, a_t)$",
    verdict=Holds(note="as a form; by maximum likelihood a table of laws is the table of frequencies"),
    about=counts_model,
)
def a_law():
    world = MDP.chain([[HALF, HALF], [HALF, HALF]], [0, 0], HALF)
    data = [Transition(0, 0, Fraction(0), s, False) for s in (1, 1, 0, 1)] + [Transition(1, 0, Fraction(0), 0, False)]
    yield equal(
        counts_model(world, data).P[:, 0], [[QUARTER, 3 * QUARTER], [1, 0]], "seen from 0: 1, 1, 0, 1; from 1: 0"
    )
    p = sympy.Symbol("p", positive=True)
    slope = sympy.diff(3 * sympy.log(p) + sympy.log(1 - p), p)
    yield proved(slope.subs(p, sympy.Rational(3, 4)), "the likelihood p³(1 - p) of those four has no slope at p = 3/4")


a_law

# %% [markdown]
# Every function is $s$ plus a change, and the squared error of the change is that of the next state. So the delta form says the same. What
# makes it *easier* is where learning starts: a network that says 0 predicts that nothing moves. That is the better guess while changes are small beside
# the states. Where each step leads to the same place whatever the state, the next state is a constant, and the change is not.


# %%
@claim(
    "reference-112",
    says=r"Delta model, easier to learn: $s_{t+1} = s_t + \Delta f_\theta(s_t, a_t)$",
    verdict=Conditional(given="changes vary less than next states do; the form itself loses nothing and gains nothing"),
    about=delta_model_loss,
)
def a_change():
    def f(s, a):
        return s * s - a

    s, a = fractions([1, 2, 5]), fractions([0, 3, 1])
    same = delta_model(lambda s, a: f(s, a) - s)
    yield equal(same(s, a), [1, 1, 24], "s² - a by way of its change")
    states, nothing = fractions([[10], [11], [12]]), fractions([[0]] * 3)
    yield equal(
        delta_model_loss(nothing, states, states + 1), [HALF] * 3, "each step adds 1: 'no change' is wrong by 1"
    )
    direct = delta_model_loss(nothing, 0 * states, states + 1)
    yield equal(direct, [Fraction(n * n, 2) for n in (11, 12, 13)], "'the next state is 0' by 11, 12 and 13")
    reset = delta_model_loss(nothing, states, 0 * states)
    yield equal(reset, [50, Fraction(121, 2), 72], "each step leads to 0: now 'no change' is wrong by 10, 11 and 12")
    yield differs(reset, [Fraction(0)] * 3, "and 'the next state is 0' is never wrong: the change is the harder one")


a_change

# %% [markdown]
# ## Model-predictive control
#
# The argmax is a sequence of $H + 1$ actions; $a_t^*$ is its first. With the world's own model, every plan of the loop between A and B can be
# tried out (B right pays 10 and ends). It is the best plan for $H + 1$ undiscounted rewards, which is what backward induction finds too. Is it the
# right action for the discounted return that the document starts from? At γ = 9/10 it is right to walk back from B, and a plan of two rewards
# takes the 10. At γ = 1/2 it is right to take the 10, and a plan of three rewards walks back, for 0 + 3 + 10. At A the plan is 1 + 3 + 10. So, planning
# anew at each step, it stays at A for ever.


# %%
NEXT = np.array([[A, B], [A, END], [END, END]])
PAID = fractions([[1, 3], [0, 10], [0, 0]])


def best_plan(start, horizon):
    """The best of all plans a_t, ..., a_{t+H} in the loop, by enumeration."""
    plans = np.array(list(product((LEFT, RIGHT), repeat=horizon + 1))).T
    return random_shooting(lambda s, a: NEXT[s, a], lambda s, a: PAID[s, a], start, plans)


@claim(
    "reference-113",
    says=r"$a_t^* = \arg\max_{a_t, \ldots, a_{t+H}} \sum_{k=0}^{H} r(s_{t+k}, a_{t+k})$",
    verdict=Conditional(
        given="a_t* is the plan's first action, and H + 1 undiscounted rewards are what counts; for the discounted return it "
        "needs γ^k and a value after the plan"
    ),
    about=(random_shooting, backward_induction, mpc_policy),
)
def best_for_some_steps():
    loop = gallery.left_right_loop(1)
    for horizon in (0, 1, 2, 5):
        totals = [best_plan(s, horizon).objective for s in (A, B)]
        yield equal(
            totals, backward_induction(loop, horizon + 1).v[0], f"H = {horizon}: all plans, and backward induction"
        )
    yield equal(best_plan(B, 2).objective, 13, "H = 2 from B: 0 + 3 + 10")
    hasty = mpc_policy(loop, 2)
    yield equal(hasty[B], [0, 1], "H = 1: at B the plan takes the 10")
    long = gallery.left_right_loop()
    yield differs(policy_value(long, hasty)[B], Fraction(270, 19), "at γ = 9/10 walking back is worth 270/19")
    late = mpc_policy(loop, 3)
    yield equal(late[B], [1, 0], "H = 2: at B it walks back")
    short = gallery.left_right_loop(HALF)
    yield differs(policy_value(short, late)[B], Fraction(10), "at γ = 1/2 the 10 is worth 10, and it is never taken")
    valued = mpc_policy(long, 1, terminal_values=[Fraction(300, 19), Fraction(270, 19)])
    yield equal(valued, [[0, 1], [1, 0]], "one discounted step and the value after it: optimal at γ = 9/10")


best_for_some_steps


# %%
@claim(
    "reference-114",
    says=r"subject to $s_{t+k+1} = f(s_{t+k}, a_{t+k})$",
    verdict=Holds(note="exact where f is the world; the last of these states is reached but pays nothing in the sum"),
    about=(predicted_states, random_shooting),
)
def states_of_a_plan():
    run = predicted_states(lambda s, a: NEXT[s, a], B, [LEFT, RIGHT, RIGHT])
    yield equal([int(s) for s in run], [B, A, B, END], "from B: left, right, right")
    plan = best_plan(B, 2)
    paid = [PAID[s, a] for s, a in zip(run, plan.actions, strict=False)]
    yield equal([int(a) for a in plan.actions], [LEFT, RIGHT, RIGHT], "the best plan of three")
    yield equal(plan.objective, sum(paid), "its objective: the rewards in those states")


states_of_a_plan

# %% [markdown]
# Why execute only the first action? Because the world may answer. A coin opens one of two doors, and only the open one pays 1. A plan made in
# advance is right half the time; replanned after the coin, always. In a world without surprises there is nothing to gain, and a horizon that moves along
# can put off its reward for ever, as in the loop at γ = 1/2: 4 for the plan carried out, 1 for replanning.


# %%
def doors():
    """From 0 a coin leads to 1 or 2; at 1 the left door pays 1, at 2 the right one; then it is over."""
    table = {(0, a): [(HALF, 1, 0, False), (HALF, 2, 0, False)] for a in (LEFT, RIGHT)}
    table |= {(s, a): [(Fraction(1), None, int(a == s - 1), True)] for s in (1, 2) for a in (LEFT, RIGHT)}
    return MDP.from_outcomes(table, 1, 0)


@claim(
    "reference-115",
    says="Execute only the first action, then replan",
    verdict=Holds(
        note="pays where the world is random or the model wrong; without either it may even put a reward off for ever"
    ),
    about=(mpc_policy, policy_values_over_horizon),
)
def look_again():
    putting_off = mpc_policy(gallery.left_right_loop(1), 3)
    yield equal(
        putting_off,
        [[1, 0], [1, 0]],
        "the loop, H = 2: left at B for 0 + 3 + 10, left at A for 1 + 3 + 10, at every turn",
    )
    mdp = doors()
    fixed = [[deterministic(mdp, [a] * 3) for a in plan] for plan in product((LEFT, RIGHT), repeat=2)]
    blind = max(policy_values_over_horizon(mdp, plan, 2).v[0][0] for plan in fixed)
    yield equal(blind, HALF, "the best plan carried out to its end")
    yield equal(policy_value(mdp, mpc_policy(mdp, 2))[0], 1, "replanned after the first action")
    short = gallery.left_right_loop(HALF)
    again = policy_value(short, putting_off)[B]
    yield equal(again, 1, "worth 0 + 1/2 + 1/4 + … from B at γ = 1/2")
    yield below(again, HALF * 3 + QUARTER * 10, "against the first plan carried out: 0 + 3/2 + 10/4")


look_again


# %%
@figure
def what_a_horizon_sees():
    """Value at B of replanning with H + 1 undiscounted rewards, beside the best, by γ."""
    import matplotlib.pyplot as plt

    gammas = [Fraction(k, 40) for k in range(16, 39)]
    fig, ax = plt.subplots()
    for (H, colour), style in zip(enumerate(COLOURS[1:4]), ("-", "--", "-"), strict=False):
        policy = mpc_policy(gallery.left_right_loop(1), H + 1)
        values = [float(policy_value(gallery.left_right_loop(g), policy)[B]) for g in gammas]
        ax.plot([float(g) for g in gammas], values, style, color=colour, label=f"H = {H}")
    best = [max(10.0, float(3 * g / (1 - g * g))) for g in gammas]
    ax.plot([float(g) for g in gammas], best, ":", color=COLOURS[0], linewidth=3, label="optimal")
    ax.set(xlabel="γ", ylabel="value at B", title="Planning H + 1 rewards of the loop")
    ax.legend()
    return fig


what_a_horizon_sees

# %% [markdown]
# ## Dyna
#
# The table keeps the last transition of each pair. In a deterministic world that is the world: the optimal $Q$ is then what planning leaves alone. If a coin
# decides whether an action pays 1, the table knows only the last toss.


# %%
def loop_memory():
    """All four pairs of the loop, seen once; END has a row, untouched."""
    return dyna_model(
        [A, A, B, B], [LEFT, RIGHT] * 2, fractions([1, 3, 0, 10]), [A, B, A, END], [False, False, False, True], 3, 2
    )


@claim(
    "reference-116",
    says=r"Model update: $Model(s, a) \leftarrow (r, s')$, the observed transition",
    verdict=Conditional(given="the world is deterministic; of a random one it remembers the last draw, not the law"),
    about=(dyna_model, dyna_mean_step),
)
def last_seen():
    best = optimal_table()
    yield equal(dyna_mean_step(best, loop_memory(), 1, Fraction(9, 10)), best, "Q* of the loop: planning moves nothing")
    tosses = dyna_model([0, 0, 0], [0, 0, 0], fractions([1, 1, 0]), [0, 0, 0], [True] * 3, 1, 1)
    yield equal(tosses.rewards, [[0]], "three tosses that paid 1, 1, 0")
    planned = dyna_mean_step([[HALF]], tosses, 1, HALF)
    yield differs(planned, [[HALF]], "the truth, 1/2, is not left alone: planning takes the last toss for the world")


def optimal_table():
    """Q* of the loop at γ = 9/10, by 3/(1 - .81), and 0 at the end."""
    a, b = Fraction(300, 19), Fraction(270, 19)
    return np.array([[1 + Fraction(9, 10) * a, a], [b, Fraction(10)], [Fraction(0), Fraction(0)]])


last_seen


# %%
@claim(
    "reference-117",
    says="Planning: s, a is a random pair among those observed before",
    verdict=Holds(note="any law will do that gives every seen pair a chance; Dyna draws evenly"),
    about=(dyna_planning, dyna_mean_step),
)
def only_what_was_seen():
    memory = dyna_model([A, B], [RIGHT, RIGHT], fractions([3, 10]), [B, END], [False, True], 3, 2)
    q = fractions([[1, 2], [3, 4], [0, 0]])
    one = [dyna_planning(q, memory, [s], [RIGHT], HALF, HALF) for s in (A, B)]
    yield equal(one[0][A, RIGHT], Fraction(7, 2), "A right drawn: 2 + (3 + 4/2 - 2)/2")
    yield equal(
        sum(one) / 2,
        dyna_mean_step(q, memory, HALF, HALF),
        "the mean of a draw: the average of the two, by the closed form",
    )
    yield equal(dyna_mean_step(q, memory, HALF, HALF)[:, LEFT], q[:, LEFT], "what was never seen stays")
    yield refuses(InvalidBatch, lambda: dyna_planning(q, memory, [A], [LEFT], HALF, HALF), "and cannot be drawn")


only_what_was_seen


# %%
@claim(
    "reference-118",
    says=r"Planning: $r, s' \leftarrow Model(s, a)$",
    verdict=Holds(note="it returns what was stored last"),
    about=dyna_model,
)
def what_was_stored():
    memory = loop_memory()
    for s, a, r, following in ((A, LEFT, 1, A), (A, RIGHT, 3, B), (B, LEFT, 0, A), (B, RIGHT, 10, END)):
        yield equal([memory.rewards[s, a], int(memory.next_states[s, a])], [r, following], f"asked for ({s}, {a})")


what_was_stored


# %%
@claim(
    "reference-119",
    says=r"Planning: $Q(s, a) \leftarrow Q(s, a) + \alpha [r + \gamma \max_{a'} Q(s', a') - Q(s, a)]$",
    verdict=Holds(note="Q is 0 in a state where it is over: its row starts at 0 and is never drawn"),
    about=dyna_planning,
)
def q_learning_in_the_model():
    memory, pairs = loop_memory(), ([B, A, B, A], [RIGHT, RIGHT, LEFT, LEFT])
    q = fractions([[0, 0], [0, 0], [0, 0]])
    once = dyna_planning(q, memory, *pairs, HALF, Fraction(9, 10))
    by_hand = [[Fraction(35, 16), Fraction(15, 4)], [Fraction(27, 16), 5], [0, 0]]
    yield equal(once, by_hand, "B right: 5; A right: (3 + .9·5)/2; B left: .9·(15/4)/2; A left: (1 + .9·(15/4))/2")
    for _ in range(60):
        q = dyna_planning(q, memory, *pairs, 1, Fraction(9, 10))
    error = abs(q - optimal_table()).max()
    yield shows(
        0 < error <= Fraction(9, 10) ** 60 * Fraction(300, 19), "60 rounds with α = 1: within 0.9^60 · 300/19 of Q*"
    )


q_learning_in_the_model

# %% [markdown]
# ## Branched rollouts
#
# From a state of the real buffer, $\pi$ chooses, the model answers, and what happened is stored. Lines 180 to 185, walked through with all their
# chances, give the law of every state of the branch. Here the buffer holds state 0 three times and state 1 once.


# %%
PI = np.array([[Fraction(1, 3), Fraction(2, 3)], [HALF, HALF]])


def model():
    return MDP(
        [[[HALF, HALF], [QUARTER, 3 * QUARTER]], [[1, 0], [Fraction(1, 5), Fraction(4, 5)]]], [[1, 2], [0, 4]], HALF
    )


def loop_of_the_document(K):
    """Every way through lines 180 to 185 as (probability, states s_0 ... s_{K+1}, rewards r_0 ... r_K)."""
    branch, found = model(), [(3 * QUARTER, (0,), ()), (QUARTER, (1,), ())]
    for _ in range(K + 1):
        found = [
            (w * PI[states[-1], a] * p, (*states, s), (*rewards, branch.r[states[-1], a]))
            for w, states, rewards in found
            for a in (0, 1)
            for s, p in enumerate(branch.P[states[-1], a])
        ]
    return found


@claim(
    "reference-120",
    "reference-122",
    "reference-123",
    says=r"$s_0 \sim D_{env}$; then $a_k \sim \pi(\cdot|s_k)$ and $s_{k+1} \sim P_\theta(\cdot|s_k, a_k)$",
    verdict=Holds(note="the current policy acts, in the model, from states that were really visited"),
    about=branched_states,
)
def law_of_a_branch():
    found = loop_of_the_document(2)
    law = [[sum(w for w, states, _ in found if states[k] == s) for s in (0, 1)] for k in range(4)]
    yield equal(branched_states(model(), PI, 3, [3 * QUARTER, QUARTER]), law, "Pr(s_k), k = 0, …, 3, over all ways")
    yield equal(law[0], [3 * QUARTER, QUARTER], "the branch starts as the buffer is filled")
    first = 3 * QUARTER * (Fraction(1, 3) * HALF + Fraction(2, 3) * QUARTER) + QUARTER * (HALF + HALF * Fraction(1, 5))
    yield equal(law[1][0], first, "Pr(s_1 = 0): both states, both actions, by hand")


law_of_a_branch

# %% [markdown]
# Counting $k$ from 0 to $K$ makes $K + 1$ steps, one more than a $K$-step rollout. More serious is that the loop does not stop. In the loop between A
# and B, right at B is the end. Data contain no step from there, so whatever a model says of what follows is invented: 5 a step, for instance.


# %%
@claim(
    "reference-121",
    says="for k = 0 to K",
    verdict=Conditional(
        given="the branch stops where the episode ends. It has K + 1 steps, one more than a K-step rollout"
    ),
    about=(branched_return, branched_value),
)
def how_long():
    K, value = 2, 0
    for w, _, rewards in loop_of_the_document(K):
        value = value + w * sum(HALF**k * r for k, r in enumerate(rewards))
    from_states = branched_value(model(), model(), PI, K + 1, values=[Fraction(0), Fraction(0)])
    yield equal(3 * QUARTER * from_states[0] + QUARTER * from_states[1], value, "K = 2: the worth of three model steps")
    paid, nothing = fractions([[10], [5], [5]]), fractions([0])
    stopped = branched_return(paid, [[True], [False], [False]], nothing, HALF)
    yield equal(stopped, [10], "right at B pays 10 and ends")
    literal = branched_return(paid, [[False]] * 3, nothing, HALF)
    yield differs(literal, stopped, "the loop goes on to K = 2: 10 + 5/2 + 5/4")


how_long

# %% [markdown]
# A reward model that knows only $(s, a)$ predicts the mean of a reward that depends on the next state. Values need no more than that.


# %%
@claim(
    "reference-124",
    says=r"$r_k = R_\theta(s_k, a_k)$",
    verdict=Holds(note="the mean reward of the pair: enough for values, not for their spread"),
    about=policy_value,
)
def mean_rewards():
    moves = [[HALF, HALF], [QUARTER, 3 * QUARTER]]
    arriving = MDP.chain(moves, [[4, 0], [0, 4]], HALF)
    means = MDP.chain(moves, [2, 3], HALF)
    v = [Fraction(32, 7), Fraction(40, 7)]
    by_hand = [2 + (v[0] + v[1]) / 4 - v[0], 3 + (v[0] + 3 * v[1]) / 8 - v[1]]
    yield equal(by_hand, [0, 0], "32/7 and 40/7 solve V = r + P V / 2 with mean rewards 2 and 3")
    yield equal(policy_value(means, uniform(means)), v, "paid by the pair")
    yield equal(policy_value(arriving, uniform(arriving)), v, "paid 4 for staying put: the same values")


mean_rewards


# %%
@claim(
    "reference-125",
    says=r"Add $(s_k, a_k, r_k, s_{k+1})$ to $D_{model}$",
    verdict=Holds(note="whoever trains on it also has to be told where an episode ended"),
    about=counts_model,
)
def what_is_stored():
    branch = model()
    stored = [
        Transition(s, a, branch.r[s, a], following, False)
        for s, a in product((0, 1), repeat=2)
        for following, p in enumerate(branch.P[s, a])
        for _ in range(int(20 * p))
    ]
    learned = counts_model(branch, stored)
    yield equal(
        learned.P,
        [[[HALF, HALF], [QUARTER, 3 * QUARTER]], [[1, 0], [Fraction(1, 5), Fraction(4, 5)]]],
        "20 of each pair",
    )
    yield equal(learned.r, [[1, 2], [0, 4]], "rewards: what is stored is the model")


what_is_stored

# %% [markdown]
# ## Learning from both buffers
#
# A step along $\nabla J$ raises $J$ if it is small. Taken on mixed data it is the gradient of a mixed world, and it helps as long as the model's
# share does not turn it round. The estimator must fit the data as well: rewards times scores, averaged over what other
# policies did, are no gradient. Two actions pay 1 and 0; a model that has them as 0 and 3 reverses the step even with half of the data real. MBPO's
# own pseudo-code trains the policy on model data alone; its authors' program mixes in a few per cent of real data.


# %%
def slope_of(rewards):
    """∂J/∂(logit of the first action) for a coin between two actions."""
    bandit = gallery.bandit(rewards)
    return policy_gradient(bandit, softmax_at(bandit, uniform(bandit)))[0, 0]


@claim(
    "reference-126",
    says=r"$\theta_\pi \leftarrow \theta_\pi + \alpha \nabla_\theta J(\theta_\pi)$ on $D_{env} \cup D_{model}$",
    verdict=Conditional(
        given="α is small, the estimator is made for data of other policies, and the model's error does not turn the gradient "
        "of the mixed data away from that of the world"
    ),
    about=policy_gradient,
)
def mixed_data():
    true = slope_of([Fraction(1), Fraction(0)])
    yield equal(true, QUARTER, "the world pays 1 and 0: p (1 - p) (1 - 0)")
    near = slope_of([Fraction(19, 20), Fraction(1, 10)])
    yield equal(near, Fraction(17, 80), "half of the data from a model with 9/10 and 1/5: the same direction")
    x = sympy.Symbol("x", real=True)
    J = 1 / (1 + sympy.exp(-x))
    yield proved(sympy.diff(J, x) - J * (1 - J), "J rises with the logit, everywhere: a step up raises it")
    turned = slope_of([HALF, Fraction(3, 2)])
    yield equal(turned, -QUARTER, "half of the data from a model with 0 and 3")
    yield against(true * turned < 0, "the step on mixed data lowers J")
    scores, paid = [HALF, -HALF], [Fraction(1), Fraction(0)]
    naive = sum(share * r * score for share, r, score in zip((0, 1), paid, scores, strict=True))
    yield differs(naive, true, "reward times score over a buffer that holds the second action only, all of it real")


mixed_data
