# %% [markdown]
# # How far to step: the exercise
#
# *Document `theory`, lines 184 to 192.* An exercise sets out to bound the gap between two policies' returns. It states one
# inequality, proves another, and ends with a third, which is false for what it is said to bound. What is true of each, and
# of which quantity it is true, fits in a model with a single state.

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
    at_most,
    claim,
    differs,
    equal,
    exceeds,
    proved,
    proved_at_most,
    same_as,
    sourced,
    swept,
    tight,
)
from rlexact.exact.difference import (
    mean_advantage,
    occupancy_shift,
    performance_difference,
    simulation_lemma,
    surrogate,
)
from rlexact.exact.evaluation import advantage, expected_return, occupancy
from rlexact.exact.policy_distance import total_variation
from rlexact.exact.trust_region import coupling_bound, penalty_bound, penalty_witness
from rlexact.mdp import MDP

SECTION = Section("theory", "trust_regions_exercise", "How far to step: the exercise")

ONE, HALF = Fraction(1), Fraction(1, 2)
FIFTH, HUNDREDTH = Fraction(1, 5), Fraction(1, 100)
GAMMA = Fraction(99, 100)

# %% [markdown]
# ## The exercise
#
# It restates the performance difference lemma, then asks for $|V(\pi) - V(\pi')| \le \frac{2\varepsilon\gamma}{(1-\gamma)^2} \max_s D_{TV}$.

# %%
the_lemma_again = same_as(
    "theory-202",
    of="theory-167",
    says="the performance difference lemma, restated with the same visits, advantages and factor",
)
the_lemma_again

# %% [markdown]
# One state and two arms that pay 1 and -1 for ever settle what is possible. The old policy is even; the new one moves α from the worse to the
# better arm, and gains $2\alpha\varepsilon/(1-\gamma)$ with ε = 1. At γ = 0, which the document admits, the bound to be proved is 0.


# %%
def one_state(alpha, gamma):
    """(model, new, old): arms that pay 1 and -1 for ever, total variation α ≤ 1/2, ε = 1."""
    one = 1 + 0 * alpha
    model = MDP([[[one], [one]]], [[one, -one]], gamma, [one])
    return model, np.array([[one / 2 + alpha, one / 2 - alpha]]), np.array([[one / 2, one / 2]])


def stated_bound(alpha, epsilon, gamma):
    """Line 185: 2 ε γ / (1 - γ)² · α."""
    return 2 * epsilon * gamma * alpha / (1 - gamma) ** 2


def ten_at_most(alpha, start=ONE):
    """(model, new, old) with ε = 10, γ = 0.99 and total variation α, started in state 0 with probability `start`."""
    model, new, old = penalty_witness(alpha, GAMMA)
    return MDP(model.P, 10 * model.r, GAMMA, [start, 1 - start]), new, old


def random_pair(seed, gamma):
    model = gallery.random_mdp(seed, 3, 2, gamma=gamma)
    weights = np.random.default_rng(seed).integers(1, 9, (2, 3, 2)) * ONE
    return model, *(w / w.sum(axis=1)[:, None] for w in weights)


def gap_of(model, new, old):
    return abs(performance_difference(model, new, old).left)


def sizes(model, new, old):
    """(α, ε) of a pair of policies."""
    return max(total_variation(model, new, old)), abs(advantage(model, old)).max()


@claim(
    "theory-203",
    says=r"$|V(\pi) - V(\pi')| \le 2 \varepsilon \gamma / (1-\gamma)^2 \max_s D_{TV}$",
    verdict=Conditional(
        given="γ ≥ ½; the bound that holds for every γ is 2εα/(1 - γ), which is smaller exactly then, and is attained"
    ),
    about=(performance_difference, total_variation),
)
def the_bound_to_prove():
    alpha = Fraction(1, 10)
    for gamma in (0 * ONE, Fraction(2, 5)):
        model, new, old = one_state(alpha, gamma)
        yield equal(gap_of(model, new, old), 2 * alpha / (1 - gamma), f"γ = {gamma}: the gap is 2αε/(1 - γ)")
        yield equal(total_variation(model, new, old), [alpha], "its total variation")
        yield exceeds(
            gap_of(model, new, old), stated_bound(alpha, 1, gamma), f"γ = {gamma}: gap against the stated bound"
        )
    k, a, eps = sympy.symbols("k alpha epsilon", nonnegative=True)
    gamma = (1 + k) / (2 + k)  # every γ in [1/2, 1)
    yield proved_at_most(
        2 * a * eps / (1 - gamma), stated_bound(a, eps, gamma), [2 * a * eps * k * (2 + k)], "for γ ≥ ½"
    )
    model, new, old = one_state(alpha, HALF)
    yield at_most(gap_of(model, new, old), stated_bound(alpha, 1, HALF), "at γ = ½")
    yield tight(gap_of(model, new, old), stated_bound(alpha, 1, HALF), "attained there")

    def gap(seed):
        pair = random_pair(seed, HALF)
        return gap_of(*pair) - stated_bound(*sizes(*pair), HALF)

    yield swept(gap, range(20), "random models at γ = ½")


the_bound_to_prove


# %%
@claim(
    "theory-204",
    says="A bound on the gap between two policies is called the Simulation Lemma",
    verdict=Wrong(
        because="the simulation lemma compares two models under one policy",
        instead="a corollary of the performance difference lemma; the simulation lemma bounds what a wrong model costs",
    ),
    about=simulation_lemma,
)
def the_name():
    yield sourced("Kearns and Singh (2002), Lemma 4 (Simulation Lemma): two models, any one policy", against=True)
    first, second = (MDP([[[ONE]]], [[reward]], Fraction(9, 10)) for reward in (2 * ONE, 3 * ONE))
    lemma = simulation_lemma(first, second, [[ONE]])
    yield equal(lemma.identity.left, [-10], "two models, one policy: 2/(1 - γ) - 3/(1 - γ)")
    yield equal(lemma.identity.right, [-10], "the lemma's resolvent form")
    yield equal(
        [lemma.bound.left, lemma.bound.right], [10, 10], "its bound by the largest error of the rewards, attained"
    )


the_name

# %% [markdown]
# The solution's first three steps are sound.

# %%
step_one = same_as("theory-205", of="theory-167", says="Step 1 quotes the performance difference lemma unchanged")
step_one


# %%
@claim(
    "theory-206",
    says=r"Step 2: $|E_{a \sim \pi} A^{\pi'}(s, a)| \le 2 \alpha \varepsilon$ with α the largest total variation",
    verdict=Holds(),
    about=(mean_advantage, coupling_bound),
)
def step_two():
    model, new, old = one_state(Fraction(1, 10), HALF)
    bound = coupling_bound(model, new, old)
    yield equal(mean_advantage(model, new, old), [FIFTH], "6/10 - 4/10")
    yield equal(bound.right, [FIFTH], "2 α ε")
    yield at_most(bound.left, bound.right)
    yield tight(bound.left[0], bound.right[0], "attained")

    def gap(seed):
        model, new, old = random_pair(seed, HALF)
        A = advantage(model, old)
        by_parts = (abs(new - old) * abs(A)).sum(axis=1)  # Σ π A = Σ (π - π') A
        return abs(mean_advantage(model, new, old)) - by_parts, by_parts - coupling_bound(model, new, old).right

    yield swept(gap, range(20), "|Σ (π - π') A| ≤ Σ |π - π'| |A| ≤ 2 α ε")


step_two


# %%
@claim(
    "theory-207",
    says=r"Step 3, first half: $\|d^\pi - d^{\pi'}\|_1 \le 2 \gamma \alpha / (1-\gamma)$",
    verdict=Holds(
        note="approached as α → 0; the mean of the total variation over the old policy's states would do for α"
    ),
    about=(occupancy_shift, occupancy),
)
def the_states_shift():
    alpha, gamma = Fraction(1, 10**6), Fraction(9, 10)
    model, new, old = penalty_witness(alpha, gamma)
    shift = occupancy_shift(model, new, old)
    yield equal(occupancy(model, new)[1], gamma * alpha / (1 - gamma * (1 - alpha)), "mass that has left, by hand")
    yield equal(shift.left, 2 * gamma * alpha / (1 - gamma * (1 - alpha)), "so much on either side")
    yield at_most(shift.left, 2 * gamma * alpha / (1 - gamma), "against the bound")
    yield tight(shift.left, 2 * gamma * alpha / (1 - gamma), "α = 10⁻⁶")
    yield equal(shift.right, 2 * gamma * alpha / (1 - gamma), "the library's bound by the mean distance")

    def gap(seed):
        model, new, old = random_pair(seed, gamma)
        alpha = max(total_variation(model, new, old))
        return abs(occupancy(model, new) - occupancy(model, old)).sum() - 2 * gamma * alpha / (1 - gamma)

    yield swept(gap, range(20), "random models and policies")


the_states_shift


# %%
@claim(
    "theory-208",
    says=r"Step 3, second half: $|E_{d^\pi} f - E_{d^{\pi'}} f| \le \|d^\pi - d^{\pi'}\|_1 \max|f|"
    r" \le \frac{2\gamma\alpha}{1-\gamma} 2 \alpha \varepsilon$",
    verdict=Holds(note="for f the new policy's mean advantage, as Step 2 has it"),
    about=(occupancy, mean_advantage),
)
def shift_times_size():
    def three(model, new, old):
        alpha, eps = sizes(model, new, old)
        f, moved = mean_advantage(model, new, old), occupancy(model, new) - occupancy(model, old)
        return abs(moved @ f), abs(moved).sum() * abs(f).max(), 4 * model.gamma * alpha**2 * eps / (1 - model.gamma)

    alpha = Fraction(1, 10**6)
    left, middle, right = three(*penalty_witness(alpha, HALF))
    yield equal(left, 4 * alpha**2 / (1 + alpha), "2α against -2α, on a mass of α/(1 + α) that has left (γ = ½)")
    yield equal(left, middle, "Hölder's step is attained")
    yield at_most(middle, right, "and the product bounded")
    yield tight(left, right, "α = 10⁻⁶")

    def gap(seed):
        left, middle, right = three(*random_pair(seed, HALF))
        return left - middle, middle - right

    yield swept(gap, range(20), "random models and policies")


shift_times_size

# %% [markdown]
# Step 4 adds the two. The sum is a bound, and more than is needed: Step 1 already has the expectation under the new policy's
# visits, to which Step 2 applies directly, so $2\alpha\varepsilon/(1-\gamma)$ alone will do.


# %%
def step_four(alpha, epsilon, gamma):
    return 2 * alpha * epsilon / (1 - gamma) * (1 + 2 * gamma * alpha / (1 - gamma))


def step_five(alpha, epsilon, gamma):
    return 4 * epsilon * gamma * alpha**2 / (1 - gamma) ** 2


@claim(
    "theory-209",
    says=r"Step 4: $|V - V'| \le \frac{2\alpha\varepsilon}{1-\gamma} [1 + \frac{2\gamma\alpha}{1-\gamma}]$",
    verdict=Holds(note="the first term alone is already a bound"),
    about=(performance_difference, step_four),
)
def the_sum():
    alpha, gamma = Fraction(1, 10**6), Fraction(9, 10)
    gap = gap_of(*one_state(alpha, gamma))
    yield equal(gap, 20 * alpha, "one state, α = 10⁻⁶: 2αε/(1 - γ)")
    yield equal(step_four(FIFTH, 1, gamma), Fraction(92, 5), "the sum at α = ⅕: 4 · (1 + 3.6)")
    yield at_most(gap, step_four(alpha, 1, gamma))
    yield tight(gap, step_four(alpha, 1, gamma), "approached as α → 0")

    def excess(seed):
        pair = random_pair(seed, gamma)
        alpha, eps = sizes(*pair)
        return gap_of(*pair) - 2 * alpha * eps / (1 - gamma), gap_of(*pair) - step_four(alpha, eps, gamma)

    yield swept(excess, range(20), "random models: the first term, and so the sum")


the_sum

# %% [markdown]
# Step 5 then drops the first term, "bounding loosely". What is dropped is positive, so this makes the right side smaller. The result is
# quadratic in α, while the gap is linear: one state, α = 0.01 and γ = 0.9 give a gap of 0.2 and a "bound" of 0.036.


# %%
@claim(
    "theory-210",
    says=r"Step 5: loosened, this is at most $4 \varepsilon \gamma \alpha^2 / (1-\gamma)^2$",
    verdict=Wrong(
        because="the positive term 2αε/(1 - γ) is dropped from an upper bound; the gap is linear in α",
        instead="|V - V'| ≤ 2αε/(1 - γ); the quadratic term alone bounds |V - L|",
    ),
    about=(performance_difference, step_four),
)
def the_dropped_term():
    a, eps, gamma = sympy.symbols("alpha epsilon gamma", positive=True)
    dropped = 2 * a * eps / (1 - gamma)
    yield proved(step_four(a, eps, gamma) - step_five(a, eps, gamma) - dropped, "Step 4 is Step 5 plus 2αε/(1 - γ)")
    gap = gap_of(*one_state(HUNDREDTH, Fraction(9, 10)))
    yield equal(gap, FIFTH, "one state, α = .01, γ = .9: the gap")
    yield exceeds(gap, step_five(HUNDREDTH, 1, Fraction(9, 10)), "against Step 5")
    yield exceeds(gap_of(*one_state(HUNDREDTH, 0 * ONE)), step_five(HUNDREDTH, 1, 0 * ONE), "and at γ = 0")


the_dropped_term


# %%
@claim(
    "theory-211",
    says=r"$|V - V'| \le 4 \varepsilon \gamma \alpha^2 / (1-\gamma)^2$ is TRPO's bound",
    verdict=Wrong(
        because="TRPO's theorem bounds the surrogate's error |V - L|, not the gap between the two returns",
        instead="|V(π) - L(π)| ≤ 4εγα²/(1 - γ)²",
    ),
    about=(penalty_bound, performance_difference, surrogate),
)
def whose_bound():
    model, new, old = one_state(HUNDREDTH, Fraction(9, 10))
    yield equal(surrogate(model, new, old), FIFTH, "one state: the surrogate is exact")
    bound = penalty_bound(model, new, old)
    yield equal([bound.left, bound.right], [0, Fraction(9, 250)], "|V - L| = 0, within TRPO's .036")
    yield equal(gap_of(model, new, old), FIFTH, "|V - V'| = 2αε/(1 - γ)")
    yield exceeds(gap_of(model, new, old), bound.right, "against the same .036")


whose_bound


# %%
@claim(
    "theory-212",
    says="The bound to be proved (linear in α, line 185) is the one reached (quadratic in α, line 191)",
    verdict=Wrong(
        because="one is 1/(2α) times the other; with the numbers of line 177, 1980 and 39.6",
        instead="two statements about two quantities: |V - V'|, linear in α, and |V - L|, quadratic",
    ),
    about=(penalty_bound, stated_bound),
)
def two_bounds():
    numbers = (HUNDREDTH, 10, GAMMA)
    reached = penalty_bound(*ten_at_most(HUNDREDTH)).right
    yield equal([stated_bound(*numbers), reached], [1980, Fraction(396, 10)], "ε = 10, γ = .99, α = .01")
    yield differs(stated_bound(*numbers), reached, "line 185 against line 191")
    a, eps, gamma = sympy.symbols("alpha epsilon gamma", positive=True)
    yield proved(step_five(a, eps, gamma) - 2 * a * stated_bound(a, eps, gamma), "the second is 2α times the first")


two_bounds

# %% [markdown]
# ## What is quadratic
#
# The error of the surrogate is; that is the insight, and it is right. The change of the return is not, nor need it be.


# %%
@claim(
    "theory-213",
    says="The bound is quadratic in α: halving the change of policy divides it by 4",
    verdict=Conditional(
        given="it bounds the surrogate's error |V - L|; the gap |V - V'|, which the exercise bounds, halves"
    ),
    about=(penalty_bound, performance_difference),
)
def halving():
    whole, half = (penalty_bound(*ten_at_most(alpha)).right for alpha in (HUNDREDTH, HUNDREDTH / 2))
    yield equal([whole, half], [Fraction(396, 10), Fraction(99, 10)], "the penalty at α = .01 and .005: a quarter")
    whole, half = (gap_of(*one_state(alpha, Fraction(9, 10))) for alpha in (HUNDREDTH, HUNDREDTH / 2))
    yield equal([whole, half], [FIFTH, FIFTH / 2], "the gap in one state")
    yield differs(4, whole / half, "what halving divides the gap by")


halving


# %%
@claim(
    "theory-214",
    says="The local approximation becomes ever more accurate as the trust region shrinks",
    verdict=Holds(note="also relative to the improvement it promises, which is linear in α"),
    about=(surrogate, expected_return),
)
def ever_more_accurate():
    a, gamma = sympy.symbols("alpha gamma", positive=True)
    model, new, old = penalty_witness(a, gamma)
    L, V = surrogate(model, new, old), expected_return(model, new)
    share = 2 * gamma * a / (1 - gamma * (1 - a))
    yield proved((L - V) - share * L, "the witness: error / promise = 2γα / (1 - γ(1 - α))")
    yield proved(share.subs(a, 0), "0 in the limit")
    slope = 2 * gamma * (1 - gamma) / (1 - gamma * (1 - a)) ** 2
    yield proved(sympy.diff(share, a) - slope, "and increasing in α: its slope is positive for γ < 1")

    def gap(seed):
        model, new, old = random_pair(seed, HALF)
        errors = []
        for weight in (ONE / 10, ONE / 100, ONE / 1000):
            near = (1 - weight) * old + weight * new
            errors.append(abs(surrogate(model, near, old) - expected_return(model, near)) / weight)
        return errors[1] - errors[0] / 5, errors[2] - errors[1] / 5

    yield swept(
        gap, range(12), "random models: per unit of step, less than a fifth of the error at a tenth of the step"
    )


ever_more_accurate
