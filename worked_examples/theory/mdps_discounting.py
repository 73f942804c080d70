# %% [markdown]
# # What a model is, and what discounting does
#
# *Document `theory`, lines 3 to 19.* The chapter opens with the parts of a Markov decision process, gives the discount factor
# three purposes, and compares two reward streams whose order flips as the agent grows patient. Most of it holds. What is
# left out: the sign of the rewards in a bound, the third of all value that lies beyond the "effective horizon", most of
# what a chess position is, and a few printed digits.

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
    shows,
    sourced,
    tight,
)
from rlexact.exact.evaluation import action_value, expected_return, policy_value
from rlexact.exact.paths import expect, path_probability, paths
from rlexact.mdp import MDP, InvalidMDP
from rlexact.plotting import against_gamma, figure
from rlexact.policy import deterministic, uniform

SECTION = Section("theory", "mdps_discounting", "What a model is, and what discounting does")

NINE_TENTHS, PATIENT, VERY_PATIENT = Fraction(9, 10), Fraction(99, 100), Fraction(999, 1000)

# %% [markdown]
# ## The parts of a model
#
# A definition is judged by what it must make true. The tuple with its start law must give every trajectory a probability,
# and these must sum to one; the expected return must come out the same whether the paths are enumerated or the linear
# system $J = \rho^\top (I - \gamma P_\pi)^{-1} r_\pi$ is solved. A model of three states that always ends within two steps
# lets both be done exactly.


# %%
def short_model(first=Fraction(1, 2)):
    """Three states, two actions; every episode ends within two steps, so every path can be listed."""
    P = [[[0, first, 1 - first], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]
    rewards = [[1, 2], [3, Fraction(-1, 3)], [0, 0]]
    return MDP(P, rewards, NINE_TENTHS, initial=[Fraction(2, 3), Fraction(1, 3), 0], terminal=[2])


def discounted(path, gamma=NINE_TENTHS):
    return sum(gamma**t * reward for t, reward in enumerate(path.rewards))


@claim(
    "theory-001",
    "theory-005",
    "theory-023",
    "theory-024",
    says="A model is S, A, p(s'|s,a), r(s,a), a start law, γ and a horizon H of steps; with a policy π(a|s) it generates "
    "trajectories (s0, a0, r0, s1, …, sH)",
    verdict=Holds(
        note="H steps have H rewards and H + 1 states; with both γ and H the model has two horizons, see theory-037"
    ),
    about=(paths, expect, expected_return),
)
def the_tuple_makes_trajectories():
    mdp = short_model()
    policy = uniform(mdp)
    every = list(paths(mdp, policy, 2))
    yield equal(sum(path.probability for path in every), 1, "the trajectories' probabilities sum to 1")
    yield shows(all(len(p.states) == len(p.rewards) + 1 for p in every), "one state more than rewards in each")
    by_hand = Fraction(2, 3) * (Fraction(3, 2) + NINE_TENTHS * Fraction(3, 4) * Fraction(4, 3)) + Fraction(
        1, 3
    ) * Fraction(4, 3)
    yield equal(expect(mdp, policy, 2, discounted), by_hand, "expected return by enumeration")
    yield equal(expected_return(mdp, policy), by_hand, "expected return by the linear solve")


the_tuple_makes_trajectories


# %%
@claim(
    "theory-002",
    says="p(· | s, a) is a probability distribution over next states for every state and action",
    verdict=Holds(note="'terminal' actions have no next state: they need a zero row, or a state that absorbs"),
    about=path_probability,
)
def rows_are_distributions():
    mdp = short_model()
    onward = [path_probability(mdp.replace(initial=0), deterministic(mdp, [0, 0, 0]), [0, s]) for s in range(3)]
    yield equal(onward, [0, Fraction(1, 2), Fraction(1, 2)], "where the first action leads from state 0")
    yield equal(sum(onward), 1)
    short = [[[Fraction(9, 10)]]]
    yield refuses(InvalidMDP, lambda: MDP(short, [1], NINE_TENTHS), "a row that sums to 9/10 is no model")


rows_are_distributions


# %%
@claim(
    "theory-003",
    says="The reward is a function r(s, a) of state and action",
    verdict=Holds(
        note="enough for values: a random reward may be replaced by its mean there, though not for the return's law"
    ),
    about=policy_value,
)
def a_reward_of_state_and_action():
    half = Fraction(1, 2)
    coin = MDP.from_outcomes([[[(half, 0, 0, False), (half, 0, 2, False)]]], NINE_TENTHS, 0)
    sure = MDP.from_outcomes([[[(Fraction(1), 0, 1, False)]]], NINE_TENTHS, 0)
    yield equal(policy_value(coin, uniform(coin)), [10], "a coin of 0 or 2 for ever: 1 / (1 - .9)")
    yield equal(policy_value(sure, uniform(sure)), [10], "its mean, 1, for ever")


a_reward_of_state_and_action


# %%
@claim(
    "theory-004",
    says="The discount γ lies in [0, 1): 0 is allowed, 1 is not",
    verdict=Holds(note="at γ = 0 only the first reward counts; at γ = 1 a constant stream has no value"),
    about=policy_value,
)
def the_range_of_the_discount():
    steady = MDP([[["1"]]], [1], 0)
    yield equal(policy_value(steady, uniform(steady)), [1], "γ = 0 keeps the first reward")
    gamma = sympy.Symbol("gamma")
    yield proved(
        policy_value(steady.replace(gamma=gamma), uniform(steady)) - 1 / (1 - gamma), "1/(1 - γ), finite on [0, 1) only"
    )
    undiscounted = steady.replace(gamma=Fraction(1))
    yield refuses(ValueError, lambda: policy_value(undiscounted, uniform(undiscounted)), "γ = 1 has no value here")


the_range_of_the_discount

# %% [markdown]
# ## The Markov property
#
# Given the current state *and action*, the past says nothing more about the next state. Even a policy that looks back
# cannot change that; a model whose dynamics look back does break it, until the state carries what it looks at.


# %%
def next_state_law(joint, now, past):
    """P(s2 = 0 | s1 = now, s0 = past) from a joint law {(s0, s1, s2): probability}."""
    given = {path: p for path, p in joint.items() if path[:2] == (past, now)}
    return sum(p for path, p in given.items() if path[2] == 0) / sum(given.values())


def two_step_law(mdp, policy):
    joint = {}
    for path in paths(mdp, policy, 2):
        joint[path.states] = joint.get(path.states, 0) + path.probability
    return joint


def two_state_chain():
    third = Fraction(1, 3)
    return MDP.chain([[third, 2 * third], [3 * third / 4, third * 9 / 4]], initial=[third, 2 * third])


@claim(
    "theory-006",
    says=r"$P(s_{t+1} \mid s_t, a_t, s_{t-1}, a_{t-1}, \ldots) = P(s_{t+1} \mid s_t, a_t)$",
    verdict=Holds(note="the prose beside it, 'depends only on the current state', leaves out the action"),
    about=paths,
)
def the_past_says_nothing_more():
    mdp = two_state_chain()
    joint = two_step_law(mdp, uniform(mdp))
    yield equal(sum(joint.values()), 1, "the joint law of three states")
    for now, stated in ((0, Fraction(1, 3)), (1, Fraction(1, 4))):
        for past in (0, 1):
            yield equal(next_state_law(joint, now, past), stated, f"P(s2 = 0 | s1 = {now}, s0 = {past})")
    echo = {(s0, 0, s0): Fraction(1, 2) for s0 in (0, 1)}
    gap = next_state_law(echo, 0, 0) - next_state_law(echo, 0, 1)
    yield equal(gap, 1, "a process with s2 = s0 is not Markov: its past decides everything")


the_past_says_nothing_more

# %% [markdown]
# The document's example is chess: "the board position tells you everything". It does not. Whose move it is, which castling
# rights remain, whether a pawn has just advanced two squares, how long ago a pawn moved and how often the position has
# occurred all change what may happen next. The smallest instance: white king on e1 and rook on h1, black king on e8. The
# number of legal moves depends on whether the white king has moved before.


# %%
def white_moves(may_castle):
    """Legal white moves with K e1, R h1 against k e8, counted square by square."""
    squares = {(f, r) for f in range(8) for r in range(8)}
    king, rook, enemy = (4, 0), (7, 0), (4, 7)

    def near(a, b):
        return max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1

    steps = [s for s in squares if near(s, king) and not near(s, enemy) and s != rook]
    up = [(7, r) for r in range(1, 8)]
    left = [(f, 0) for f in (6, 5)]
    return len(steps) + len(up) + len(left) + (1 if may_castle else 0)


@claim(
    "theory-007",
    says="In chess the board position is a Markov state: it tells everything",
    verdict=Wrong(
        because="the same pieces on the same squares allow different moves, and end differently, by what happened before",
        instead="the board with the side to move, castling and en-passant rights, the fifty-move count and the repetitions",
    ),
    about=white_moves,
)
def a_board_is_not_a_state():
    yield differs(
        white_moves(True), white_moves(False), "moves of K e1, R h1 against k e8 with and without the right to castle"
    )
    yield equal(white_moves(False), 5 + 7 + 2, "king, rook up the file, rook along the rank")
    yield equal(white_moves(True), 5 + 7 + 2 + 1, "and castling")
    yield sourced(
        "FIDE Laws of Chess, 9.2: positions are the same only if the rights to castle and to capture en passant are"
    )


a_board_is_not_a_state

# %% [markdown]
# ## Three purposes of the discount
#
# **Time preference.** The weights are as printed.


# %%
@claim(
    "theory-008",
    "theory-009",
    says="With γ = .99 a reward one step away weighs 0.99, and one 100 steps away 0.99^100 = 0.366",
    verdict=Holds(),
    about=(policy_value, gallery.two_streams),
)
def weights_of_later_rewards():
    for delay, digits in ((2, "0.9801"), (100, "0.366")):
        late = gallery.two_streams(PATIENT, delay=delay, late=Fraction(1, 100))
        yield agrees(
            printed(digits), policy_value(late, uniform(late))[2] * PATIENT, f"a unit of value {delay} steps away"
        )
    yield equal(printed("0.99").value, PATIENT, "one step away")
    yield agrees(printed("0.366"), PATIENT**100, ".99^100")


weights_of_later_rewards

# %% [markdown]
# **Convergence.** Without a discount the sum may grow for ever, or swing, or converge. With one it is bounded, but by the
# largest *absolute* reward. Read with a signed $r_{\max}$, the bound fails on the side that a cautious reader needs: always
# losing 1 with $r_{\max} = 0$ sums to −10, outside a bound of 0.


# %%
@claim(
    "theory-010",
    says="With γ = 1 the infinite sum of rewards might not converge",
    verdict=Holds(note="'might': it grows, it swings, or it converges"),
    about=policy_value,
)
def undiscounted_sums():
    steady = MDP([[["1"]]], [1], 1)
    yield refuses(ValueError, lambda: policy_value(steady, uniform(steady)), "1, 1, 1, …")
    swing = MDP([[["0", 1]], [[1, 0]]], [1, -1], 1)
    yield refuses(ValueError, lambda: policy_value(swing, uniform(swing)), "1, -1, 1, …")
    ends = gallery.three_state_chain(Fraction(1))
    yield equal(policy_value(ends, uniform(ends)), [8, 9, 10], "a chain that ends: -1 - 1 + 10")


undiscounted_sums


# %%
@claim(
    "theory-011",
    says=r"With γ < 1 the sum is always bounded by $r_{\max}/(1-\gamma)$",
    verdict=Conditional(given="r_max is the supremum of |r|, and finite; the bound is two-sided"),
    about=policy_value,
)
def the_bound_on_the_return():
    gain, loss = (MDP([[["1"]]], [reward], NINE_TENTHS) for reward in (1, -1))
    best, worst = policy_value(gain, uniform(gain))[0], policy_value(loss, uniform(loss))[0]
    yield at_most([best, -worst], 10, "|r| ≤ 1 at γ = .9: both sides")
    yield tight(best, 10, "always +1")
    yield tight(-worst, 10, "always -1")
    yield exceeds(abs(worst), 0, "rewards {0, -1} have signed r_max = 0, yet always -1 sums to -10")
    doubling = [Fraction(1, 2) ** t * 2**t for t in range(50)]
    yield equal(sum(doubling), 50, "r_t = 2^t at γ = 1/2: each term is 1, the sum grows without bound")


the_bound_on_the_return

# %% [markdown]
# **Effective horizon.** 1/(1 − γ) is the mean of a geometric lifetime: an agent that survives each step with probability γ
# lives 100 steps on average at γ = 0.99, and maximises the same objective. As a planning *cutoff* it misleads: $\gamma^{1/(1-\gamma)}
# \approx 1/e$, so more than a third of a constant stream lies past it, and a reward just beyond it can decide.


# %%
@claim(
    "theory-012",
    says="The effective horizon is about 1/(1 - γ): at γ = .99 the agent effectively plans about 100 steps ahead",
    verdict=Conditional(
        given="'effective' means the mean lifetime of an agent that survives each step with probability γ"
    ),
    about=(policy_value, action_value),
)
def the_effective_horizon():
    alive = MDP.from_outcomes([[[(PATIENT, 0, 1, False), (1 - PATIENT, None, 1, True)]]], Fraction(1), 0)
    yield equal(policy_value(alive, uniform(alive)), [printed("100").value], "mean lifetime, undiscounted, by a solve")
    yield agrees(printed("0.366"), PATIENT**100, "the share of a constant stream that lies past 100 steps")
    yield exceeds(PATIENT**100, Fraction(1, 3), "it is not negligible")
    beyond = gallery.two_streams(NINE_TENTHS, delay=11, late=Fraction(4, 10))
    q = action_value(beyond, uniform(beyond))[0]
    now = Fraction(1)
    yield against(q[1] > now, "at γ = .9, horizon 10: value worth 4 that starts at step 11 beats a reward of 1 now")
    yield equal(q[1], 4 * NINE_TENTHS**11, "it is worth 1.255")


the_effective_horizon


# %%
@claim(
    "theory-013",
    says="γ = .999 gives about 1000 steps",
    verdict=Holds(note="the arithmetic; in what sense it is a horizon is theory-012"),
    about=policy_value,
)
def a_thousand_steps():
    alive = MDP.from_outcomes([[[(VERY_PATIENT, 0, 1, False), (1 - VERY_PATIENT, None, 1, True)]]], Fraction(1), 0)
    yield equal(policy_value(alive, uniform(alive)), [printed("1000").value])


a_thousand_steps


# %%
@figure
def how_much_lies_beyond():
    """The share of a constant stream's value after k steps: at the effective horizon (dots) more than a third is left."""
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots()
    for gamma in (0.9, 0.99, 0.999):
        k = np.linspace(0, 3 / (1 - gamma), 200)
        (line,) = ax.plot(k * (1 - gamma), gamma**k, label=f"γ = {gamma}")
        ax.plot(1, gamma ** (1 / (1 - gamma)), "o", color=line.get_color())
    ax.axhline(np.exp(-1), color="0.4", ls=":", lw=1.2)
    ax.text(2.4, np.exp(-1) + 0.02, "1/e")
    ax.set(xlabel="steps, in effective horizons 1/(1 - γ)", ylabel="share of value still to come", ylim=(0, 1))
    ax.legend()
    return fig


how_much_lies_beyond

# %% [markdown]
# ## Two streams
#
# Strategy A earns 1 at every step; strategy B nothing for ten steps and 2 at every step after. In the gallery's model the
# start offers both, and one solve gives the two action values. The decisions are as the document says. Of the digits,
# three are not: a product taken with a rounded factor, a formula with the wrong discount in it, and a value rounded too soon.


# %%
def streams(gamma):
    """(value of A, value of B) at the start, by one exact solve."""
    model = gallery.two_streams(gamma)
    return tuple(action_value(model, uniform(model))[0])


@claim(
    "theory-014",
    "theory-015",
    "theory-017",
    says="At γ = .9: V(A) = 10, V(B) = .9^10 · 20 = 6.97 with .9^10 = .349, so A wins",
    verdict=Holds(note="the ten zeros are at steps 0 to 9, so the first 2 comes at step 10"),
    about=(action_value, gallery.two_streams),
)
def impatient():
    a, b = streams(NINE_TENTHS)
    yield equal(a, printed("10"), "V(A)")
    yield agrees(printed("6.97"), b, "V(B)")
    yield equal(b, 20 * NINE_TENTHS**10, "V(B), by the shifted geometric series")
    yield agrees(printed("0.349"), NINE_TENTHS**10)
    yield below(b, a, "A wins")


impatient


# %%
@claim(
    "theory-016",
    says="0.349 · 20 = 6.97",
    verdict=Wrong(
        because="the factor was rounded before the product was printed",
        instead="0.349 · 20 = 6.98, while 0.9^10 · 20 = 6.97",
    ),
)
def a_rounded_factor():
    yield differs(printed("6.97"), printed("0.349").value * 20)
    yield agrees(printed("6.97"), NINE_TENTHS**10 * 20, "with the unrounded factor")


a_rounded_factor


# %%
@claim("theory-018", says="At γ = .99: V(A) = 100", verdict=Holds(), about=action_value)
def patient_a():
    yield equal(streams(PATIENT)[0], printed("100"), "1 / (1 - .99)")


patient_a


# %%
@claim(
    "theory-019",
    says="1/(1 - 0.01) = 100",
    verdict=Wrong(
        because="1 - γ is 0.01, so the expression subtracts it twice",
        instead="1/(1 - 0.99) = 100; 1/(1 - 0.01) is 100/99",
    ),
)
def the_wrong_discount():
    yield differs(printed("100"), 1 / (1 - printed("0.01").value))
    yield equal(printed("100"), 1 / (1 - PATIENT), "with γ = .99")


the_wrong_discount


# %%
@claim("theory-020", says="0.99^10 = 0.904", verdict=Holds())
def ten_steps_of_patience():
    yield agrees(printed("0.904"), PATIENT**10)


ten_steps_of_patience


# %%
@claim(
    "theory-021",
    says="At γ = .99: V(B) = 0.99^10 · 200 = 180.8",
    verdict=Wrong(because="the factor 0.904 was rounded first", instead="180.876…, so 180.9"),
    about=action_value,
)
def patient_b():
    b = streams(PATIENT)[1]
    yield differs(printed("180.8"), b)
    yield equal(b, 200 * PATIENT**10, "by the shifted geometric series")
    yield agrees(printed("180.9"), b, "rounded once, at the end")
    yield agrees(printed("180.8"), printed("0.904").value * 200, "what the printed factors give")


patient_b


# %%
@claim(
    "theory-022",
    says="At γ = .99 B wins: the comparison flips between .9 and .99",
    verdict=Holds(note="at 2γ^10 = 1, that is γ = 2^(-1/10) ≈ 0.9330, and nowhere else"),
    about=action_value,
)
def the_flip():
    a, b = streams(PATIENT)
    yield below(a, b, "B wins at .99")
    gamma = sympy.Symbol("gamma", positive=True)
    a, b = streams(gamma)
    yield proved((b - a) * (1 - gamma) - (2 * gamma**10 - 1), "V(B) - V(A) = (2γ^10 - 1) / (1 - γ)")
    yield proved((2 * gamma**10 - 1).subs(gamma, sympy.Rational(1, 2) ** sympy.Rational(1, 10)), "zero at 2^(-1/10)")


the_flip


# %%
@figure
def which_stream():
    """Values of the two streams: patience beyond γ ≈ 0.933 waits for the larger reward."""
    gammas = np.linspace(0.85, 0.98, 80)
    curves = {"A: 1 at every step": 1 / (1 - gammas), "B: 2 after ten steps": 2 * gammas**10 / (1 - gammas)}
    return against_gamma(curves, gammas, [0.5**0.1]).figure


which_stream
