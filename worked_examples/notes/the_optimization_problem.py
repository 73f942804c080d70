# %% [markdown]
# # The optimization problem
#
# *Document `notes`, lines 1392 to 1540.* How an exact formula becomes an algorithm: replace the states of π by those of μ, and keep π near μ.
# The mathematics at the end, which trades sums over time for averages over visited states, is right. On the way an unconstrained problem
# is called constrained, a mismatch that is *ignored* is said to be corrected, and a factor 1/(1 - γ) is dropped. "Near" is not a number
# either: what counts is how far apart the policies are compared with 1 - γ.

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
    at_most,
    below,
    claim,
    differs,
    equal,
    exceeds,
    proved,
    same_as,
    shows,
    swept,
    tight,
)
from rlexact.exact.difference import mean_advantage, occupancy_shift, performance_difference, surrogate_gain
from rlexact.exact.evaluation import advantage, expected_return, occupancy, visits
from rlexact.exact.paths import expect, path_probability
from rlexact.exact.policy_distance import chi_square, kl, total_variation
from rlexact.exact.trust_region import conservative_bound, conservative_witness, state_law
from rlexact.formulas.kl_optimum import kl_regularised_policy
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic_policies, mixture, uniform

SECTION = Section("notes", "the_optimization_problem", "The optimization problem")

ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)
NINE_TENTHS = Fraction(9, 10)

# %% [markdown]
# ## Two models
#
# At the *crossing* an action leads to 1 or to 2, action 1 more often to 2. There 0 or 4 can be had, here 0 or 12, and that is the end;
# γ = 1/2. μ chooses evenly, π takes action 1 three times out of four. By hand: $V^\mu = (2, 2, 6)$, and the mean advantages of π are
# $\bar A = (\tfrac14, 1, 3)$.
#
# The other model is the one that makes bounds tight: *leaving* state 0, for good, pays 1, and every attempt to leave state 1 costs 1. μ stays; π leaves with
# probability w.


# %%
def crossing():
    """(model, π, μ): from 0 to 2 with probability 1/4 or 3/4, else to 1; then 0 or 4 at 1, 0 or 12 at 2, and the end."""
    table = {(0, a): [(ONE - p, 1, 0, False), (p, 2, 0, False)] for a, p in enumerate((QUARTER, 3 * QUARTER))}
    table |= {(s, a): [(ONE, None, a * pay, True)] for s, pay in ((1, 4), (2, 12)) for a in (0, 1)}
    model = MDP.from_outcomes(table, HALF, 0)
    return model, np.array([[QUARTER, 3 * QUARTER]] * 3), uniform(model)


def leaving(w, gamma=NINE_TENTHS):
    """(model, π, μ): μ stays, π leaves with probability w in both states."""
    model, leave, stay = conservative_witness(1 + 0 * w, gamma)
    return model, mixture(model, stay, leave, w), stay


def pairs(path):
    return enumerate(zip(path.states, path.actions, strict=False))


def discounted_along(model, table):
    """path -> Σ_t γ^t table(s_t, a_t)."""
    return lambda path: sum((model.gamma**t * table[s, a] for t, (s, a) in pairs(path)), start=0 * model.gamma)


# %% [markdown]
# ## No constraint yet
#
# The problem is announced as constrained, and printed without a constraint. Since $J(\mu)$ is a number it is the whole control problem over again: its
# maximiser does not care what μ is, nor how far away. A budget on the distance changes the answer.


# %%
def leaving_once(w):
    """The policy that leaves state 0 with probability w, and does nothing in state 1."""
    return np.array([[1 - w, w], [ONE, 0 * ONE]])


@claim(
    "notes-248",
    says=r"$\max_\pi (J(\pi) - J(\mu))$ is a constrained optimisation problem",
    verdict=Wrong(
        because="line 1401 has no constraint: it is the control problem itself, less a number, and its maximiser may be as far from μ as a policy can",
        instead="an unconstrained problem with the maximisers of J; the constraint D(π, μ) ≤ δ is first spoken of at line 1440",
    ),
    about=(expected_return, total_variation),
)
def nothing_is_constrained():
    model, _, stay = leaving(ONE)
    best = leaving_once(ONE)
    top = max(expected_return(model, p) for p in deterministic_policies(model))
    yield equal([expected_return(model, best), top, expected_return(model, stay)], [1, 1, 0], "leave once: the best")
    distance = max(total_variation(model, best, stay))
    yield equal(distance, 1, "distance of the maximiser from μ")
    yield against(distance == 1, "the printed problem accepts a policy that shares no action with μ in state 0")
    near = [expected_return(model, leaving_once(w * ONE / 100)) for w in range(11)]
    yield equal(max(near), Fraction(10, 19), "with total variation at most 1/10: .1/(1 - .9 · .9)")
    yield differs(Fraction(10, 19), top, "a constrained problem has another answer")


nothing_is_constrained


# %%
@claim(
    "notes-249",
    says=r"$\max_\pi (J(\pi) - J(\mu)) = \max_\pi E_{\tau \sim p_\pi}[\sum_t \gamma^t A^\mu(s_t, a_t)]$",
    verdict=Holds(note="the two are equal for every π, so their maxima and maximisers are"),
    about=(performance_difference, expected_return, advantage),
)
def one_maximum():
    model, _, even = crossing()
    a = advantage(model, even)
    gains = [expected_return(model, p) - expected_return(model, even) for p in deterministic_policies(model)]
    sums = [expect(model, p, 2, discounted_along(model, a)) for p in deterministic_policies(model)]
    yield equal(gains, sums, "crossing: all eight deterministic policies, over every path")
    yield equal(max(sums), 3, "the largest: (4/4 + 12 · 3/4)/2 - 2")
    sides = [performance_difference(model, p, even) for p in deterministic_policies(model)]
    yield equal([[s.left, s.right] for s in sides], [[g, g] for g in gains], "both sides of the lemma")


one_maximum

# %% [markdown]
# ## Old data
#
# That the sum needs π's own trajectories is true of a plain average. An average weighted with the ratios of all actions of the trajectory can be taken
# over μ's data. (Its variance is another matter.)


# %%
def weight(path, new, old):
    """Π_t π(a_t | s_t) / μ(a_t | s_t) over the whole path."""
    return np.prod([new[s, a] / old[s, a] for _, (s, a) in pairs(path)])


@claim(
    "notes-250",
    says="To evaluate the expression one must run π and collect fresh data at every update; old data cannot be reused",
    verdict=Conditional(
        given="plain averages; weighted with the action ratios of whole trajectories, data of any μ that tries what π tries can be used"
    ),
    about=(advantage, expect),
)
def fresh_data():
    model, new, old = crossing()
    along = discounted_along(model, advantage(model, old))
    yield equal(expect(model, new, 2, along), Fraction(11, 8), "π's paths: 1/4 + (3/8 · 1 + 5/8 · 3)/2")
    yield equal(expect(model, old, 2, along), 0, "μ's paths, unweighted: the mean advantage of μ is zero")
    reused = expect(model, old, 2, lambda path: weight(path, new, old) * along(path))
    yield against(reused == Fraction(11, 8), "μ's paths, weighted: the same 11/8, and π has not been run")


fresh_data


# %%
@claim(
    "notes-251",
    says=r"A trajectory: $s_0 \sim p(s_0)$, $a_t \sim \pi(\cdot|s_t)$, $s_{t+1} \sim p(\cdot|s_t, a_t)$, and so on",
    verdict=Holds(),
    about=(path_probability, expect),
)
def the_factors():
    model, new, _ = crossing()
    model = model.replace(initial=[HALF, QUARTER, QUARTER])
    yield equal(
        path_probability(model, new, [0, 2], [1]), Fraction(9, 32), "s_0 = 0, a_0 = 1, s_1 = 2: 1/2 · 3/4 · 3/4"
    )
    yield equal(
        path_probability(model, new, [0, 1], [0]), Fraction(3, 32), "s_0 = 0, a_0 = 0, s_1 = 1: 1/2 · 1/4 · 3/4"
    )
    whole = expect(model, new, 2, lambda path: int((path.states, path.actions) == ((0, 2), (1, 1))))
    yield equal(whole, Fraction(27, 128), "and a_1 = 1: times 3/4")
    yield equal(expect(model, new, 2, lambda path: 1), 1, "all paths together")


the_factors


# %%
@claim(
    "notes-252",
    says=r"The policy decides which states are visited: $p_\pi(s_t)$ at time t, $d^\pi(s)$ for the discounted visitation",
    verdict=Holds(
        note="together with the transitions and the start; d is the mixture of the p_π(s_t), not more general"
    ),
    about=(state_law, occupancy, visits),
)
def which_states():
    model, new, old = crossing()
    laws = [[0, Fraction(3, 8), Fraction(5, 8)], [0, HALF, HALF]]
    for policy, law in zip((new, old), laws, strict=True):
        yield equal(state_law(model, policy, 0), [1, 0, 0], "t = 0: the start")
        yield equal(state_law(model, policy, 1), law, "t = 1, by hand")
        yield equal(visits(model, policy), [1, law[1] / 2, law[2] / 2], "weighted with γ^t and summed")
        yield equal(occupancy(model, policy), [HALF, law[1] / 4, law[2] / 4], "and scaled by 1 - γ")


which_states

# %% [markdown]
# ## The surrogate
#
# Two things are said of the replacement $p_\pi(s_t) \to p_\mu(s_t)$: that it *corrects* for the mismatch, and that it is an approximation. It is the
# second. A correction would weight each state by $p_\pi(s_t)/p_\mu(s_t)$, and give 11/8 at the crossing; leaving the weights out gives 5/4.


# %%
@claim(
    "notes-253",
    says=r"Collect data under μ and correct for the distribution mismatch, rewriting the expectation over π's trajectories",
    verdict=Wrong(
        because="only the actions are drawn from π; the mismatch of the states is left as it is, which is why the result is an approximation",
        instead="the mismatch is ignored; correcting it means weighting with p_π(s_t)/p_μ(s_t), for instance by the ratios of all earlier actions",
    ),
    about=(surrogate_gain, performance_difference, mean_advantage),
)
def ignored_not_corrected():
    model, new, old = crossing()
    truth = performance_difference(model, new, old).right
    yield equal([surrogate_gain(model, new, old), truth], [Fraction(5, 4), Fraction(11, 8)], "by hand")
    yield differs(surrogate_gain(model, new, old), truth, "'corrected', against π's own trajectories")
    mean = mean_advantage(model, new, old)

    def corrected(path):
        total, ratio = 0 * ONE, ONE
        for t, (s, a) in pairs(path):
            total, ratio = total + HALF**t * ratio * mean[s], ratio * new[s, a] / old[s, a]
        return total

    yield equal(expect(model, old, 2, corrected), truth, "μ's paths, each state with the ratios of earlier actions")
    ratios = [state_law(model, new, 1)[s] / state_law(model, old, 1)[s] for s in (1, 2)]
    yield equal(
        mean[0] + HALF * HALF * (ratios[0] * mean[1] + ratios[1] * mean[2]), truth, "or with p_π/p_μ = 3/4, 5/4"
    )


ignored_not_corrected

# %% [markdown]
# How good is the approximation? For the leaving policy the surrogate promises $w/(1-\gamma)$, and errs by $2\gamma w^2 / ((1-\gamma)(1 - \gamma(1-w)))$, which is as
# much as Kakade and Langford's bound allows. The *relative* error is $2\gamma w / (1 - \gamma(1 - w))$: small when w is small beside 1 - γ. At w = 1 the
# surrogate says 10 and the truth is -8.


# %%
@claim(
    "notes-254",
    says=r"$E_{\tau \sim p_\pi}[\sum_t \gamma^t A^\mu] \approx \sum_t E_{s_t \sim p_\mu} E_{a_t \sim \pi}[\gamma^t A^\mu(s_t, a_t)]$",
    verdict=Conditional(
        given="π is near μ on the scale of 1 - γ; the error is then of second order, and far away even the sign may be wrong"
    ),
    about=(surrogate_gain, performance_difference, conservative_bound),
)
def an_approximation():
    model, new, old = crossing()
    by_time = sum(HALF**t * (state_law(model, old, t) @ mean_advantage(model, new, old)) for t in (0, 1))
    yield equal([by_time, surrogate_gain(model, new, old)], [Fraction(5, 4)] * 2, "the right side as printed")
    w, gamma = sympy.symbols("w gamma", positive=True)
    error = surrogate_gain(*leaving(w, gamma)) - performance_difference(*leaving(w, gamma)).left
    by_hand = 2 * gamma * w**2 / ((1 - gamma) * (1 - gamma * (1 - w)))
    yield proved(error - by_hand, "leaving: error, any w and γ")
    model, leave, stay = conservative_witness(ONE, NINE_TENTHS)
    for w, share in ((Fraction(1, 1000), Fraction(1, 50)), (ONE / 10, ONE)):
        bound = conservative_bound(model, leave, stay, w)
        yield equal(bound.left, 18 * w**2 / (1 - NINE_TENTHS * (1 - w)), f"w = {w}: the error, by hand")
        yield at_most(bound.left, bound.right, f"w = {w}: within the bound")
        yield tight(bound.left, bound.right, f"w = {w}: and no better bound")
        yield below(bound.left, share * 10 * w, f"w = {w}: less than {share} of the gain that is promised")
    far = leaving(ONE)
    yield differs(surrogate_gain(*far), performance_difference(*far).left, "w = 1")
    yield equal([surrogate_gain(*far), performance_difference(*far).left], [10, -8], "promise and truth, by hand")


an_approximation

# %% [markdown]
# The same scale decides whether the states are similar. Wherever the policies differ by at most α in total variation, $\|p_\pi(s_t) - p_\mu(s_t)\|_1 \le
# 2(1 - (1-\alpha)^t)$ and $\|d^\pi - d^\mu\|_1 \le 2\gamma\alpha/(1-\gamma)$; a small KL makes α small (Pinsker). So a small D says that the states are similar
# *for a while*. With α = 1/100 they have nothing in common after 1000 steps.


# %%
@claim(
    "notes-255",
    "notes-260",
    says=r"If $D(\pi(\cdot|s), \mu(\cdot|s))$ is small, the two policies visit similar states, $p_\pi(s) \sim p_\mu(s)$",
    verdict=Conditional(
        given="D is small in every state that μ visits, beside 1/t for the states at time t and beside 1 - γ for the discounted ones"
    ),
    about=(state_law, occupancy_shift, total_variation, kl),
)
def similar_for_a_while():
    w, gamma = sympy.symbols("w gamma", positive=True)
    symbolic = leaving(w, gamma)
    yield proved(total_variation(*symbolic) - w, "distance w in both states")
    apart = kl(symbolic[0], symbolic[2], symbolic[1])
    yield proved([sympy.exp(-d) - (1 - w) for d in apart], "KL(μ ‖ π) = -log(1 - w) in both, about w")
    yield proved([state_law(symbolic[0], symbolic[1], t)[0] - (1 - w) ** t for t in (1, 2, 5)], "still in 0: (1 - w)^t")
    close = occupancy_shift(*leaving(Fraction(1, 10**6)))
    yield at_most(close.left, 18 * ONE / 10**6, "γ = .9: ‖d_π - d_μ‖ ≤ 2γα/(1 - γ)")
    yield tight(close.left, 18 * ONE / 10**6, "at α = 10⁻⁶")
    yield equal(close.right, 18 * ONE / 10**6, "the library's bound")
    model, once, stay = leaving(ONE)[0], leaving_once(ONE), leaving(ONE)[2]
    yield equal(total_variation(model, once, stay), [1, 0], "leaving once: nothing differs in state 1")
    yield against((state_law(model, once, 1) == [0, 1]).all(), "and yet π is there at time 1, where μ never is")
    near = Fraction(1, 100)
    yield equal(
        abs(state_law(*leaving(near)[:2], 1) - state_law(leaving(near)[0], leaving(near)[2], 1)).sum(),
        2 * near,
        "t = 1",
    )
    late = state_law(*leaving(near)[:2], 1000)[0]
    yield against(
        late < near**2 / 2, "α = 1/100: after 1000 steps less than 1/20000 of π's mass is where all of μ's is"
    )
    shift = occupancy_shift(*leaving(near, Fraction(999, 1000))).left
    yield against(shift > Fraction(9, 5), "and at γ = .999 the discounted states are 1.8 apart, of at most 2")


similar_for_a_while


# %%
@figure
def how_long_they_stay_together():
    """Mass of π that is still where all of μ's is. A small difference in every state is a large one after 1/α steps."""
    from matplotlib import pyplot as plt

    t = np.arange(0, 401)
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    for colour, alpha in zip(COLOURS, (0.001, 0.01, 0.1), strict=False):
        ax.plot(t, (1 - alpha) ** t, color=colour, label=rf"$\alpha = {alpha}$")
    ax.set(xlabel="time t", ylabel=r"$p_\pi(s_t = 0)$;  $p_\mu(s_t = 0) = 1$", ylim=(0, 1.05))
    ax.legend(loc="upper right")
    return fig


how_long_they_stay_together

# %% [markdown]
# Written without t, the surrogate loses a factor. With the normalised $d^\mu$ that the document defines (line 1473), the sum over time is
# $\tfrac{1}{1-\gamma}$ times the average. The maximisers are the same; the value, and the meaning of any penalty set against it, is not.


# %%
@claim(
    "notes-256",
    says=r"The surrogate is $E_{s \sim d^\mu} E_{a \sim \pi}[A^\mu(s, a)]$",
    verdict=Conditional(
        given="up to the factor 1/(1 - γ), which leaves the maximisers alone; as an equality, only with unnormalised visits for $d^\\mu$"
    ),
    about=(occupancy, mean_advantage, surrogate_gain, visits),
)
def the_lost_factor():
    model, new, old = crossing()
    mean, gain = mean_advantage(model, new, old), surrogate_gain(model, new, old)
    average = occupancy(model, old) @ mean
    yield equal([mean[0], mean[1], mean[2]], [QUARTER, 1, 3], "mean advantages, by hand")
    yield equal(average, Fraction(5, 8), "E over d: 1/2 · 1/4 + 1/8 · 1 + 1/8 · 3")
    yield differs(average, gain, "against the sum over time")
    yield equal(average / (1 - HALF), gain, "with 1/(1 - γ): the sum over time, 5/4")
    yield equal(visits(model, old) @ mean, gain, "or with unnormalised visits")
    every = deterministic_policies(model)
    scores = [[occupancy(model, old) @ mean_advantage(model, p, old), surrogate_gain(model, p, old)] for p in every]
    yield shows(np.argmax(scores, axis=0).tolist() == [7, 7], "one maximiser: action 1 everywhere")


the_lost_factor

# %% [markdown]
# A replay buffer hands out the states of an episode evenly; $d^\mu$ weights those at time t by $\gamma^t$. Without these weights an average over the buffer
# estimates something else, and a buffer that also holds other policies' episodes has their states.


# %%
def in_the_buffer(weighted, *policies):
    """Mean number of times that an episode in the buffer is in each state, plainly or weighted with γ^t."""
    model = crossing()[0]

    def seen(path):
        return sum((HALF**t if weighted else ONE) * np.eye(3, dtype=int)[s] for t, (s, _) in pairs(path))

    return sum(expect(model, p, 2, seen) for p in policies) / len(policies)


@claim(
    "notes-257",
    says=r"The expectation over $d^\mu$ can be estimated from a replay buffer filled with μ's experiences",
    verdict=Conditional(
        given="each transition is weighted with γ^t (t its time in the episode), and the buffer holds μ's episodes only, begun by p(s_0)"
    ),
    about=(occupancy, expect),
)
def states_in_a_buffer():
    model, new, old = crossing()
    d = occupancy(model, old)
    yield equal(d, [HALF, HALF / 4, HALF / 4], "d of μ, by hand")
    yield equal((1 - HALF) * in_the_buffer(True, old), d, "the buffer, weighted with (1 - γ) γ^t")
    plain = in_the_buffer(False, old)
    yield equal(plain / plain.sum(), [HALF, QUARTER, QUARTER], "drawn evenly: half, a quarter, a quarter")
    yield differs(plain / plain.sum(), d / d.sum(), "against d, as shares")
    yield differs((1 - HALF) * in_the_buffer(True, old, new), d, "half of the episodes by another policy")


states_in_a_buffer

# %% [markdown]
# ## A price instead of a budget
#
# "We add a constraint" introduces a *penalty*. The two are related: with $D = \chi^2$ and two arms, 5 and 1, even choices have advantages ±2,
# and the penalised maximiser is $\pi = \mu(1 + A/2\alpha)$, by completing the square. It also solves the problem with the budget that it happens to spend,
# $\delta = \operatorname{Var}_\mu(A)/4\alpha^2$. But for a fixed α that budget depends on the scale of the advantages: double the rewards, and four times as much is spent.


# %%
def arms(scale=1):
    return gallery.bandit((5 * scale, scale))


def penalised(model, p, alpha, distance):
    """E_π A - α D(π, μ) for π = (p, 1 - p) and even μ."""
    policy, even = np.array([[p, 1 - p]]), uniform(model)
    return mean_advantage(model, policy, even)[0] - alpha * distance(model, policy, even)[0]


@claim(
    "notes-258",
    says=r"A constraint keeps π near μ: the constrained problem is $\max_\pi E_{s \sim d^\mu}[E_{a \sim \pi} A^\mu - \alpha D(\pi, \mu)]$",
    verdict=Conditional(
        given="α is the multiplier of the budget wanted; a fixed α is a price, and how far π goes for it depends on the scale of the advantages"
    ),
    about=(chi_square, mean_advantage),
)
def a_price_and_a_budget():
    p = sympy.Symbol("p", positive=True)
    away = 16 * (p - sympy.Rational(5, 8)) ** 2
    yield proved(
        penalised(arms(sympy.Integer(1)), p, 4, chi_square) - sympy.Rational(1, 4) + away, "α = 4: 1/4 - 16 (p - 5/8)²"
    )
    best = np.array([[Fraction(5, 8), Fraction(3, 8)]])
    spent = chi_square(arms(), best, uniform(arms()))[0]
    yield equal(spent, ONE / 16, "what the maximiser spends: Var(A)/4α² = 4/64")
    inside = [n for n in range(65) if (Fraction(n, 64) - HALF) ** 2 * 4 <= spent]
    gains = [
        mean_advantage(arms(), np.array([[Fraction(n, 64), 1 - Fraction(n, 64)]]), uniform(arms()))[0] for n in inside
    ]
    yield equal([max(gains), inside[gains.index(max(gains))]], [HALF, 40], "the best within that budget: p = 40/64")
    doubled = [penalised(arms(2), Fraction(n, 64), 4, chi_square) for n in range(65)]
    top = Fraction(doubled.index(max(doubled)), 64)
    yield equal([top, max(doubled)], [Fraction(3, 4), 1], "rewards doubled, α = 4 still: p = 3/4")
    yield exceeds(chi_square(arms(2), np.array([[top, 1 - top]]), uniform(arms()))[0], ONE / 16, "the budget")
    again = [penalised(arms(2), Fraction(n, 64), 8, chi_square) for n in range(65)]
    yield equal(Fraction(again.index(max(again)), 64), Fraction(5, 8), "α doubled with them: p = 5/8")


a_price_and_a_budget

# %% [markdown]
# Which D is priced decides what is done. KL tilts the odds, $\chi^2$ adds in proportion, total variation does all or nothing.


# %%
@claim(
    "notes-259",
    says="The divergence can be KL, total variation and others, and each leads to a different algorithm",
    verdict=Holds(note="for small steps KL and half of χ² agree to second order"),
    about=(kl_regularised_policy, kl, chi_square, total_variation),
)
def three_prices():
    p, three = sympy.Symbol("p", positive=True), sympy.log(3)
    model = gallery.bandit((2 * three, sympy.Integer(0)))  # advantages ±log 3 under even choices
    tilted = kl_regularised_policy([sympy.Rational(1, 2)] * 2, [three, -three], 1)
    yield proved(tilted - np.array([sympy.Rational(9, 10), sympy.Rational(1, 10)]), "KL, α = 1: odds 3 : 1/3")
    slope = sympy.diff(penalised(model, p, 1, kl), p)
    yield proved(slope.subs(p, sympy.Rational(9, 10)), "where the penalised objective is level")
    linear = sympy.Rational(1, 2) + three / 4
    level = sympy.diff(penalised(model, p, 1, chi_square), p)
    yield proved(level.subs(p, linear), "χ², α = 1: level at 1/2 + (log 3)/4 ≈ .775")
    grid = [Fraction(n, 10) for n in range(11)]
    cheap, dear = ([penalised(arms(), q, alpha, total_variation) for q in grid] for alpha in (3, 5))
    yield equal([max(cheap), grid[cheap.index(max(cheap))]], [HALF, 1], "total variation at price 3: all the way")
    yield equal([max(dear), grid[dear.index(max(dear))]], [0, HALF], "at price 5: not at all")
    proportional = [penalised(arms(), q, 5, chi_square) for q in grid]
    yield equal(grid[proportional.index(max(proportional))], Fraction(6, 10), "χ² at price 5: a little")


three_prices


# %%
@figure
def what_each_price_makes():
    """Two arms, 5 and 1: where the penalised objective is largest, as the price α goes up."""
    from matplotlib import pyplot as plt

    alpha = np.linspace(0.5, 8, 301)
    fig, ax = plt.subplots(figsize=(6.0, 3.2))
    ax.plot(alpha, 1 / (1 + np.exp(-4 / alpha)), color=COLOURS[0], label=r"KL$(\pi\,\|\,\mu)$")
    ax.plot(alpha, np.minimum(0.5 + 1 / (2 * alpha) * 1, 1), color=COLOURS[1], label=r"$\chi^2$")
    ax.plot(alpha, np.where(alpha < 4, 1.0, 0.5), color=COLOURS[2], label="total variation")
    ax.set(xlabel=r"price $\alpha$", ylabel="probability of the better arm", ylim=(0.45, 1.05))
    ax.legend(loc="upper right")
    return fig


what_each_price_makes

# %% [markdown]
# ## From time to states
#
# The identity, the definition of $d^\pi$ and its normalisation are judged elsewhere in the same words.

# %%
sums_over_time = same_as(
    "notes-261",
    of="theory-163",
    says=r"$E_{\tau \sim p_\pi}[\sum_t \gamma^t f(s_t, a_t)] = \frac{1}{1-\gamma} E_{s \sim d^\pi} E_{a \sim \pi}[f(s, a)]$",
)
sums_over_time

# %%
the_visitation = same_as("notes-263", of="theory-053", says=r"$d^\pi(s) = (1-\gamma) \sum_t \gamma^t p_\pi(s_t = s)$")
the_visitation

# %%
its_normaliser = same_as(
    "notes-264", of="theory-054", says=r"the factor 1 - γ makes $d^\pi$ a probability distribution"
)
its_normaliser

# %% [markdown]
# The derivation starts with sums over paths. At the crossing, with f = (3, -1), (2, 5), (7, 0), its first lines are counted path by path.


# %%
@claim(
    "notes-265",
    "notes-266",
    "notes-267",
    says=r"$E_\tau[\sum_t \gamma^t f(s_t, a_t)] = \sum_t \gamma^t E_\tau[f(s_t, a_t)] = \sum_t \gamma^t E_{s_t \sim p_\pi} E_{a_t \sim \pi}[f(s_t, a_t)]$",
    verdict=Holds(note="f bounded and γ < 1, so that the infinite sum may be exchanged; f counts as 0 after an end"),
    about=(expect, state_law),
)
def exchanged():
    model, new, _ = crossing()
    f = np.array([[3, -1], [2, 5], [7, 0]]) * ONE
    yield equal(
        expect(model, new, 2, discounted_along(model, f)), Fraction(43, 32), "the mean of the sum, over every path"
    )
    at = [expect(model, new, 2, lambda path, t=t: f[path.states[t], path.actions[t]]) for t in (0, 1)]
    yield equal(at, [0, Fraction(43, 16)], "the mean at each time, over every path")
    yield equal(sum(HALF**t * x for t, x in enumerate(at)), Fraction(43, 32), "summed: 0 + 43/32")
    inner = (new * f).sum(axis=1)
    yield equal(inner, [0, Fraction(17, 4), Fraction(7, 4)], "E over actions, by hand")
    yield equal([state_law(model, new, t) @ inner for t in (0, 1)], at, "E over the states at time t")


exchanged

# %% [markdown]
# For the infinite sum take a *switch* that is turned over with probability x at every step: $p_\pi(s_t = 0) = \tfrac12(1 + (1-2x)^t)$, two geometric series. Then
# $d^\pi(0) = \tfrac12\left(1 + \frac{1-\gamma}{1 - \gamma(1-2x)}\right)$, for every γ and x.


# %%
def switch():
    """(model, policy, d by hand): payments f(s, a), the discount and the chance x of turning are symbols."""
    gamma, x = sympy.symbols("gamma x", positive=True)
    f = sympy.symbols("f:4", real=True)
    model = MDP([[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [f[:2], f[2:]], gamma, initial=0)
    here = (1 + (1 - gamma) / (1 - gamma * (1 - 2 * x))) / 2
    return model, np.array([[1 - x, x]] * 2), np.array([here, 1 - here])


@claim(
    "notes-269",
    "notes-270",
    "notes-271",
    says=r"$\sum_t (1-\gamma) \gamma^t E_{p_\pi(s_t)}[g] = \sum_s d^\pi(s) g(s) = E_{s \sim d^\pi}[g]$, the sums over t and s interchanged",
    verdict=Holds(note="γ < 1"),
    about=(occupancy, state_law),
)
def sums_swapped():
    model, policy, by_hand = switch()
    g, gamma, turn = np.array(sympy.symbols("g:2", real=True)), model.gamma, 1 - 2 * policy[0, 1]
    for t in (0, 1, 2, 5):
        law = [(1 + turn**t) / 2, (1 - turn**t) / 2]
        yield proved(state_law(model, policy, t) - np.array(law), f"p(s_t) at t = {t}")
    steady, fading = (1 - gamma) / (1 - gamma), (1 - gamma) / (1 - gamma * turn)
    over_time = (g[0] + g[1]) / 2 * steady + (g[0] - g[1]) / 2 * fading
    yield proved(over_time - by_hand @ g, "the series over t, summed, against the sum over s")
    yield proved(occupancy(model, policy) @ g - over_time, "and the library's d")


sums_swapped


# %%
@claim(
    "notes-262",
    "notes-268",
    "notes-272",
    says=r"Multiplied and divided by 1 - γ, the sum over time is $\frac{1}{1-\gamma} E_{s \sim d^\pi} E_{a \sim \pi}[f]$, in which no time occurs",
    verdict=Holds(note="for γ < 1; at γ = 1 there is nothing to divide by, and visits take the place of d"),
    about=(expected_return, occupancy, visits),
)
def without_time():
    model, policy, by_hand = switch()
    inner, gamma = (policy * model.r).sum(axis=1), model.gamma
    over_time = expected_return(model, policy)  # f as rewards: solved backwards, as a value
    yield proved(over_time - by_hand @ inner / (1 - gamma), "Σ γ^t f against E over d by hand, any f, γ and x")
    yield proved(occupancy(model, policy) @ inner / (1 - gamma) - over_time, "and with the library's d")
    model, new, _ = crossing()
    f = (new * np.array([[3, -1], [2, 5], [7, 0]])).sum(axis=1)
    yield equal(occupancy(model, new) @ f / (1 - HALF), Fraction(43, 32), "crossing: the 43/32 of its paths")
    yield equal(visits(model.replace(gamma=ONE), new) @ f, Fraction(43, 16), "γ = 1: visits, 0 + 43/16")


without_time

# %% [markdown]
# With $f = A^\mu$ the lemma takes its other form: at the crossing $2\,(\tfrac12 \cdot \tfrac14 + \tfrac{3}{32} \cdot 1 + \tfrac{5}{32} \cdot 3) = \tfrac{11}{8}$.


# %%
@claim(
    "notes-273",
    says=r"$J(\pi) - J(\mu) = E_{\tau \sim p_\pi}[\sum_t \gamma^t A^\mu] = \frac{1}{1-\gamma} E_{s \sim d^\pi} E_{a \sim \pi}[A^\mu(s, a)]$",
    verdict=Holds(note="γ < 1, d of π, and one start for both policies"),
    about=(performance_difference, occupancy, advantage, expected_return),
)
def the_lemma_over_states():
    model, new, old = crossing()
    gap = expected_return(model, new) - expected_return(model, old)
    yield equal(gap, Fraction(11, 8), "J(π) - J(μ) = 27/8 - 2")
    yield equal(expect(model, new, 2, discounted_along(model, advantage(model, old))), gap, "over every path")
    yield equal(occupancy(model, new) @ (new * advantage(model, old)).sum(axis=1) / (1 - HALF), gap, "over states")
    yield equal(performance_difference(model, new, old).right, gap, "the library's lemma")

    def apart(seed):
        model = gallery.random_mdp(seed, 3, 2)
        weights = np.random.default_rng(seed).integers(1, 9, (2, 3, 2)) * ONE
        new, old = (w / w.sum(axis=1)[:, None] for w in weights)
        gained = occupancy(model, new) @ mean_advantage(model, new, old) / (1 - model.gamma)
        return abs(gained - performance_difference(model, new, old).left)

    yield swept(apart, range(20), "random models and policies")


the_lemma_over_states
