# %% [markdown]
# # The two-state loop
#
# *Document `theory`, lines 34 to 40.* Two states, two actions each. From A, *right* pays 3 and leads to B, *left* pays 1
# and stays. From B, *right* pays 10 and ends, *left* pays nothing and leads back to A. The discount is 9/10.
#
# The document computes Q\* by hand and concludes that from B it is better to walk back to A than to take the 10. The
# conclusion is right. Four of the numbers on the way to it are not, because one step takes max Q\*(B, ·) to be 10, and
# three lines later the same table holds 10.8 for B.

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import Holds, Section, Wrong, below, claim, differs, equal, printed, proved, shows
from rlexact.exact.bellman import backup, bellman_optimal, greedy
from rlexact.exact.evaluation import action_value, policy_value
from rlexact.plotting import against_gamma, figure
from rlexact.policy import deterministic, deterministic_policies

SECTION = Section("theory", "mdps_two_state_loop", "The two-state loop")

A, B = 0, 1
LEFT, RIGHT = 0, 1

# %% [markdown]
# ## The truth, without iterating
#
# There are four deterministic policies. Each has a value by a 2 × 2 rational solve, and the best of the four at every
# state is $V^*$: no operator, no convergence, nothing to round.


# %%
def best_of_all_policies(gamma=Fraction(9, 10)):
    """Q* by brute force: one backup of the best value that any deterministic policy has at each state."""
    loop = gallery.left_right_loop(gamma)
    best = np.max([policy_value(loop, policy) for policy in deterministic_policies(loop)], axis=0)
    return backup(loop, best)


best_of_all_policies()

# %% [markdown]
# ## The model
#
# The rewards and moves are as the document gives them. A second route to Q\* confirms that the model is well posed: the
# backup of $V^*$ is a fixed point of the optimality operator.


# %%
@claim(
    "theory-042",
    says="A: left pays 1 and stays, right pays 3 and goes to B. B: left pays 0 and goes to A, right pays 10 and ends; γ = .9",
    verdict=Holds(note="a well-posed model: its optimality equation has the brute-force optimum as its solution"),
    about=(gallery.left_right_loop, backup),
)
def the_model_is_well_posed():
    loop = gallery.left_right_loop()
    yield equal(loop.r, [[1, 3], [0, 10]], "rewards")
    yield equal(loop.outcomes("B", "right"), [(1, None, 10, True)], "B right ends")
    v = best_of_all_policies().max(axis=1)
    yield equal(v, [Fraction(300, 19), Fraction(270, 19)], "V*, by 3/(1 - .81) and .9 of it")
    yield equal(bellman_optimal(loop, v), v, "T V* = V*")


the_model_is_well_posed

# %% [markdown]
# ## The two numbers that need no maximum
#
# Taking the 10 ends the episode, so its action value is the 10. And the *equation* for going left from B is right; it is
# the number put into it later that is not.


# %%
@claim("theory-043", says="Q*(B, right) = 10", verdict=Holds(), about=action_value)
def taking_the_ten():
    loop = gallery.left_right_loop()
    yield equal(best_of_all_policies()[B, RIGHT], printed("10"), "Q*, by brute force")
    for policy in deterministic_policies(loop):
        yield equal(action_value(loop, policy)[B, RIGHT], 10, "whatever is done elsewhere")


taking_the_ten


# %%
@claim("theory-044", says=r"$Q^*(B, left) = 0 + 0.9 \max_a Q^*(A, a)$", verdict=Holds(), about=backup)
def going_back_equation():
    q = best_of_all_policies()
    yield equal(q[B, LEFT], Fraction(9, 10) * max(q[A]))
    yield equal(q[B, LEFT], Fraction(270, 19), "its value, by .9 · 3/(1 - .81)")


going_back_equation

# %% [markdown]
# ## Where the hand computation goes wrong
#
# To find Q\*(A, right) one needs max Q\*(B, ·), which needs Q\*(B, left), which needs max Q\*(A, ·): the equation refers to
# itself. The document cuts the circle by taking the maximum at B to be 10. With going left at B,
#
# $$V(A) = 3 + 0.9 \cdot 0.9\, V(A) \quad\Longrightarrow\quad V(A) = \frac{3}{1 - 0.81} = \frac{300}{19} \approx 15.79 .$$


# %%
@claim(
    "theory-045",
    says="Q*(A, right) = 3 + 0.9 · 10 = 12",
    verdict=Wrong(
        because="it takes max Q*(B, ·) = 10, but going left from B is worth 270/19", instead="300/19 ≈ 15.79"
    ),
    about=(policy_value, backup),
)
def right_at_a():
    q = best_of_all_policies()
    yield differs(printed("12"), q[A, RIGHT], "Q*(A, right)")
    yield equal(q[A, RIGHT], Fraction(300, 19), "3 / (1 - .81)")
    yield equal(q[A, RIGHT], 3 + Fraction(9, 10) * max(q[B]), "the optimality equation")


right_at_a


# %%
@claim(
    "theory-046",
    says="max Q*(B, ·) = 10 inside the expression for Q*(A, right)",
    verdict=Wrong(
        because="walking the loop from B is worth more; the document's own Q*(B, left) = 10.8 already exceeds 10",
        instead="max Q*(B, ·) = Q*(B, left) = 270/19 ≈ 14.21",
    ),
    about=backup,
)
def the_maximum_at_b():
    q = best_of_all_policies()
    yield differs(printed("10"), max(q[B]), "max Q*(B, ·)")
    yield shows(printed("10.8").value > printed("10").value, "the document prints 10.8 > 10 for the same state")
    yield equal(max(q[B]), Fraction(270, 19))
    yield equal(max(q[B]), q[B, LEFT], "attained by going left")


the_maximum_at_b


# %%
@claim(
    "theory-047",
    says="Q*(A, left) = 1 + 0.9 · 12 = 11.8",
    verdict=Wrong(because="it inherits the 12", instead="1 + 0.9 · 300/19 = 289/19 ≈ 15.21"),
    about=backup,
)
def left_at_a():
    q = best_of_all_policies()
    yield differs(printed("11.8"), q[A, LEFT])
    yield equal(q[A, LEFT], Fraction(289, 19))


left_at_a


# %%
@claim(
    "theory-048",
    says="Q*(B, left) = 0.9 · 12 = 10.8",
    verdict=Wrong(because="it inherits the 12", instead="0.9 · 300/19 = 270/19 ≈ 14.21"),
    about=backup,
)
def left_at_b():
    q = best_of_all_policies()
    yield differs(printed("10.8"), q[B, LEFT])
    yield equal(q[B, LEFT], Fraction(270, 19))


left_at_b

# %% [markdown]
# What, then, did the document compute? Exactly the action values of the policy that goes right at both states: one round
# of policy evaluation and the start of one improvement step. Stopping there is what gives the right policy with the
# wrong values.

# %%
loop = gallery.left_right_loop()
action_value(loop, deterministic(loop, ["right", "right"]))

# %% [markdown]
# ## The policy and its margins
#
# Right at A and left at B is optimal, and uniquely so at γ = 0.9. The margins are larger than the document's.


# %%
@claim(
    "theory-049",
    says="Optimal: right at A, left at B",
    verdict=Holds(note="for γ above (√409 - 3)/20 ≈ 0.8612; below it, taking the 10 is better"),
    about=(policy_value, greedy),
)
def the_optimal_policy():
    loop = gallery.left_right_loop()
    stated = deterministic(loop, ["right", "left"])
    v = policy_value(loop, stated)
    yield equal(v, [Fraction(300, 19), Fraction(270, 19)], "its value, by the geometric series of the loop")
    yield equal(greedy(loop, v), stated, "greedy with respect to its own value")
    others = [p for p in deterministic_policies(loop) if (p != stated).any()]
    yield shows(all((policy_value(loop, p) <= v).all() for p in others), "no other policy is better anywhere")
    yield shows(all((policy_value(loop, p) < v).any() for p in others), "each other policy is worse somewhere")


the_optimal_policy


# %%
@claim(
    "theory-050",
    says="At A: 12 against 11.8, a margin of 0.2",
    verdict=Wrong(because="both numbers come from the truncated loop", instead="300/19 - 289/19 = 11/19 ≈ 0.579"),
    about=backup,
)
def margin_at_a():
    q = best_of_all_policies()
    margin = q[A, RIGHT] - q[A, LEFT]
    yield differs(printed("0.2"), margin)
    yield equal(margin, Fraction(11, 19))


margin_at_a


# %%
@claim(
    "theory-051",
    says="At B: 10.8 against 10, a margin of 0.8",
    verdict=Wrong(
        because="10.8 is one more loop and then the 10, not the loop for ever", instead="270/19 - 10 = 80/19 ≈ 4.21"
    ),
    about=backup,
)
def margin_at_b():
    q = best_of_all_policies()
    margin = q[B, LEFT] - q[B, RIGHT]
    yield differs(printed("0.8"), margin)
    yield equal(margin, Fraction(80, 19))


margin_at_b

# %% [markdown]
# ## Is the stream worth more than the 10, and from which discount on?
#
# With γ a symbol the same solver gives the values of both policies as rational functions. From B, walking the loop is
# worth $3\gamma/(1-\gamma^2)$; it beats 10 once $10\gamma^2 + 3\gamma - 10 > 0$, above $(\sqrt{409}-3)/20$.


# %%
def loop_value_at_b():
    gamma = sympy.Symbol("gamma", positive=True)
    loop = gallery.left_right_loop(gamma)
    return gamma, policy_value(loop, deterministic(loop, ["right", "left"]))[B]


@claim(
    "theory-052",
    says="Looping A → B → A makes a discounted stream of +3 that exceeds the one-shot +10",
    verdict=Holds(note="the stream is 3, 0, 3, 0, …; true above γ = (√409 - 3)/20 ≈ 0.8612, and so at 0.9"),
    about=policy_value,
)
def the_stream_beats_the_ten():
    loop = gallery.left_right_loop()
    v = policy_value(loop, deterministic(loop, ["right", "left"]))
    yield equal(v[A], Fraction(300, 19), "from A, 3 + 0 + .81 · 3 + …")
    yield below(10, v[A], "from A")
    yield below(10, v[B], "from B, where the choice is made")
    gamma, at_b = loop_value_at_b()
    yield proved(at_b - 3 * gamma / (1 - gamma**2), "V(B) = 3γ / (1 - γ²) for every γ")
    switch = (sympy.sqrt(409) - 3) / 20
    yield proved((at_b - 10).subs(gamma, switch), "the loop and the 10 are worth the same at (√409 - 3)/20")


the_stream_beats_the_ten


# %%
@figure
def when_to_walk_back():
    """The two choices at B as the discount varies: walking the loop overtakes the 10 at γ ≈ 0.8612."""
    gammas = np.linspace(0.5, 0.95, 91)
    loops = [3 * g / (1 - g**2) for g in gammas]
    ax = against_gamma({"walk back, for ever": loops, "take the 10": np.full(91, 10.0)}, gammas, [(409**0.5 - 3) / 20])
    return ax.set_title("From B") and ax.figure


when_to_walk_back
