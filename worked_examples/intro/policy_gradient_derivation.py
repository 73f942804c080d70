# %% [markdown]
# # Seven lines from the objective to the gradient
#
# *Document `intro`, lines 29 to 60.* The page derives the policy gradient in seven lines, and ends with an honest doubt: it
# cannot explain how more poison is balanced by less salad. The doubt is right. It is not balanced. Line (2) drops a term that
# is not zero, line (4) drops another, and line (7) turns a mean into a sum without its weights; yet the formula in between is
# the right one, for the right $d_\pi$.
#
# The page's own example decides every line. An eater starts with salad, which pays 1 a bite; poison pays -1; whatever is being
# eaten, the next bite is poison with chance $x$. The only parameter is $x$. With $m = 1 - 2x$ everything is known by hand:
#
# $$ V(salad) = 1 + \tfrac{\gamma m}{1-\gamma}, \quad V(poison) = V(salad) - 2, \quad
# d = (1 - \gamma x,\ \gamma x), \quad \nabla J = -\tfrac{2\gamma}{1-\gamma} . $$

# %%
from fractions import Fraction

import numpy as np
import sympy

from rlexact import gallery
from rlexact.claims import Conditional, Holds, Section, Wrong, against, claim, differs, equal, proved, refuses
from rlexact.door import InvalidPolicy
from rlexact.exact.evaluation import action_value, expected_return, occupancy, policy_value, visits
from rlexact.exact.gradient import policy_gradient, trajectory_gradient, undiscounted_direction, weighted_gradient
from rlexact.exact.parameterisation import direct, with_jacobian
from rlexact.mdp import MDP
from rlexact.plotting import COLOURS, figure
from rlexact.policy import deterministic

SECTION = Section("intro", "policy_gradient_derivation", "Seven lines from the objective to the gradient")

NINE_TENTHS, THIRD = Fraction(9, 10), Fraction(1, 3)
SALAD, POISON = 0, 1
x, gamma = sympy.symbols("x gamma", positive=True)
SLOPE_OF_PI = [-1, 1]  # of (1 - x, x), in either state


def table(x=x, gamma=gamma):
    """The eater and its policy."""
    one = gamma * 0 + 1
    bite = [[one, 0 * one], [0 * one, one]]
    mdp = MDP([bite, bite], [[1, 1], [-1, -1]], gamma, initial=[one, 0 * one], states=("salad", "poison"))
    return mdp, np.array([[1 - x, x], [1 - x, x]], dtype=object)


def moving(x=x, gamma=gamma):
    """The eater and its policy with the slope in x."""
    mdp, pi = table(x, gamma)
    return mdp, with_jacobian(mdp, pi, np.array([[[-1], [1]], [[-1], [1]]], dtype=object))


RETURN = 1 + gamma * (1 - 2 * x) / (1 - gamma)
TRUE_SLOPE = -2 * gamma / (1 - gamma)


def at_a_third(expression):
    return sympy.sympify(expression).subs({x: sympy.Rational(1, 3), gamma: sympy.Rational(9, 10)})


table(THIRD, NINE_TENTHS)[0]

# %% [markdown]
# ## What can be bypassed
#
# Both the visits and the values change with θ. The policy gradient theorem needs the *derivative* of neither: it needs the visits
# themselves, which sampling provides, and Q.


# %%
@claim(
    "intro-011",
    says="Total reward is what counts; states and values both change with θ, yet almost all of that can be bypassed",
    verdict=Holds(note="no derivative of the visits is needed; the visits themselves are"),
    about=(visits, policy_value, policy_gradient),
)
def what_can_be_bypassed():
    mdp, pi = table()
    d_eta = [sympy.diff(e, x) for e in visits(mdp, pi)]
    yield proved([d_eta[0] + gamma / (1 - gamma), d_eta[1] - gamma / (1 - gamma)], "the visits move: ∓γ/(1-γ)")
    d_v = [sympy.diff(v, x) for v in policy_value(mdp, pi)]
    yield proved([d - TRUE_SLOPE for d in d_v], "and so do the values, by -2γ/(1-γ)")
    yield proved(
        policy_gradient(*moving())[0] - sympy.diff(RETURN, x), "the theorem finds ∇J without either derivative"
    )


what_can_be_bypassed

# %% [markdown]
# ## The logarithm, and what may stand for ψ
#
# $\nabla\pi = \pi\nabla\log\pi$ wherever π > 0. The reason given, that one cannot differentiate through sampling, is true for discrete actions;
# a Gaussian action $\mu + \sigma z$ can be differentiated through (Kingma and Welling 2014).


# %%
@claim(
    "intro-012",
    "intro-019",
    says=r"$\nabla\pi = \pi \nabla\log\pi$, so $\sum_s d \sum_a \psi \nabla\pi = \sum_{s,a} d\, \pi\, \psi \nabla\log\pi$, with dπ a joint "
    "probability",
    verdict=Conditional(
        given="π(a|s) > 0 for every action that θ can move; and d is normalised, for dπ to be a probability"
    ),
    about=(with_jacobian, policy_gradient, occupancy),
)
def the_logarithm():
    mdp, family = moving()
    for s in (SALAD, POISON):
        for a, p in enumerate((1 - x, x)):
            gap = family.jacobian[s, a, 0] - p * sympy.diff(sympy.log(p), x)
            yield proved(gap, f"∇π = π ∇log π in state {s}, action {a}")
    joint = occupancy(mdp, family.policy)[:, None] * family.policy
    yield proved(joint.sum() - 1, "dπ sums to 1 for the normalised d")
    arms = gallery.two_armed_bandit()
    corner = deterministic(arms, ["left"])
    slope = policy_gradient(arms, direct(arms, corner))[0]
    yield equal(slope, [1, 3], "a table as θ, at 'always left' of a bandit that pays 1 and 3: slopes 1 and 3")
    yield differs([Fraction(1), Fraction(0)], slope, "the sum over actions that have a logarithm")


the_logarithm


# %%
@claim(
    "intro-013",
    says="Any of a range of functions that assess states may stand for ψ",
    verdict=Conditional(
        given="ψ(s, a) is Q up to a function of s (Q, the advantage, the TD error); a function of the state alone gives 0"
    ),
    about=(action_value, policy_value),
)
def what_may_stand_for_psi():
    mdp, pi = table()
    q, v, eta = action_value(mdp, pi), policy_value(mdp, pi), [(1 - gamma * x) / (1 - gamma), gamma * x / (1 - gamma)]
    reward, anything = [1, -1], sympy.symbols("b1:3")
    choices = {
        "Q": q,
        "advantage Q - V": q - v[:, None],
        "TD error r + γ V(s') - V(s)": [[reward[s] + gamma * v[a] - v[s] for a in (0, 1)] for s in (0, 1)],
        "Q - b(s) for any b": [[q[s, a] - anything[s] for a in (0, 1)] for s in (0, 1)],
    }
    direction = lambda psi: sum(eta[s] * SLOPE_OF_PI[a] * psi[s][a] for s in (0, 1) for a in (0, 1))  # noqa: E731
    for name, psi in choices.items():
        yield proved(direction(psi) - TRUE_SLOPE, f"ψ = {name}")
    by_state = direction([[v[s]] * 2 for s in (0, 1)])
    yield differs(at_a_third(by_state), at_a_third(TRUE_SLOPE), "ψ = V(s), x = 1/3, γ = .9")


what_may_stand_for_psi

# %% [markdown]
# *The sum over all steps is stabilised by the decay of the rewards.* The decay keeps each $\psi_t$ finite. It does not keep a sum of them finite:
# here every step adds $-2\gamma$ on average, for ever, unless a factor $\gamma^t$ stands before it. Line (7) has none.


# %%
def summed(steps, weight):
    """Σ_{t < steps} weight^t E[Q ∇log π], with the law of each s_t by hand: salad first, then poison with chance x."""
    mdp, pi = table()
    q = action_value(mdp, pi)
    local = [sum(SLOPE_OF_PI[a] * q[s, a] for a in (0, 1)) for s in (0, 1)]
    return local[SALAD] + sum(weight**t * ((1 - x) * local[SALAD] + x * local[POISON]) for t in range(1, steps))


@claim(
    "intro-014",
    says="Summing over all time steps is stabilised by the exponential decay of the rewards",
    verdict=Conditional(
        given="γ^t stands before each term as well, or episodes end; decay inside ψ alone leaves the sum infinite"
    ),
    about=action_value,
)
def what_decay_stabilises():
    yield proved(
        summed(12, gamma) - TRUE_SLOPE * (1 - gamma**12), "with γ^t: 12 terms are ∇J up to the factor 1 - γ^12"
    )
    sizes = [at_a_third(summed(steps, sympy.Integer(1))) for steps in (10, 100)]
    yield equal(sizes, [-18, -180], "without: 10 and 100 terms at γ = .9, -2γ each")
    yield differs(sizes, [at_a_third(TRUE_SLOPE)] * 2, "and ∇J")
    third = moving(THIRD, NINE_TENTHS)
    yield refuses(InvalidPolicy, lambda: undiscounted_direction(*third), "the infinite sum does not exist")


what_decay_stabilises

# %% [markdown]
# ## Lines (1) and (2): what is pulled out
#
# Line (1) differentiates the objective of section 2. If $d_\pi$ is the law of the first state, that objective is the return, and since no
# policy moves the first state, line (2) is right as well. If $d_\pi$ is what the page says, induced by the policy, then the objective is
# not the return, $\nabla d_\pi$ is not zero, and line (2) lacks $\sum_s \nabla d_\pi(s) V(s)$.


# %%
def weighed_values():
    """Σ d V with the discounted distribution that the policy induces."""
    mdp, pi = table()
    return sum(d * v for d, v in zip(occupancy(mdp, pi), policy_value(mdp, pi), strict=True))


@claim(
    "intro-015",
    says=r"(1) $\nabla J = \nabla \sum_s d_\pi(s) V_\pi(s)$",
    verdict=Conditional(
        given="d is the law of the first state; for the induced distribution this is not the gradient of the return"
    ),
    about=(expected_return, occupancy, policy_value),
)
def line_one():
    yield proved(sympy.diff(expected_return(*table()), x) - TRUE_SLOPE, "weights of the first state: -2γ/(1-γ)")
    slope = sympy.diff(weighed_values(), x)
    yield proved(slope - TRUE_SLOPE + 2 * gamma, "weights of the discounted visits: less by 2γ")
    yield differs(at_a_third(slope), at_a_third(TRUE_SLOPE), "at γ = .9")


line_one


# %%
@claim(
    "intro-016",
    says=r"(2) $\nabla \sum_s d_\pi(s) V_\pi(s) = \sum_s d_\pi(s) \nabla V_\pi(s)$",
    verdict=Wrong(
        because="d_π moves with θ: the term Σ ∇d_π(s) V(s), here -2γ, is dropped",
        instead="Σ d ∇V + Σ V ∇d; or d is the law of the first state, which no policy moves",
    ),
    about=(occupancy, policy_value),
)
def line_two():
    mdp, pi = table()
    d, v = occupancy(mdp, pi), policy_value(mdp, pi)
    left = sympy.diff(weighed_values(), x)
    kept = sum(d[s] * sympy.diff(v[s], x) for s in (0, 1))
    dropped = sum(sympy.diff(d[s], x) * v[s] for s in (0, 1))
    yield differs(at_a_third(kept), at_a_third(left), "x = 1/3, γ = .9: line (2) against line (1)")
    yield proved(kept - TRUE_SLOPE, "Σ d ∇V = -2γ/(1-γ)")
    yield proved(dropped + 2 * gamma, "Σ V ∇d = γ (V(poison) - V(salad)) = -2γ")
    yield proved(left - kept - dropped, "the product rule")


line_two

# %% [markdown]
# ## Lines (3) and (4): what ψ is
#
# $V = \sum_a \pi \psi$ makes ψ the action value of this very policy. Then ψ moves with θ, and line (4) may not treat it as a constant; it
# drops $\gamma \sum_a \pi \sum_{s'} p \nabla V(s')$. A frozen function does not move, but then line (3) is no equality.


# %%
@claim(
    "intro-017",
    says=r"(3) $V_\pi(s) = \sum_a \pi(a|s) \psi(s, a)$",
    verdict=Conditional(
        given="ψ = Q^π exactly, at every θ; for a frozen or approximate ψ value and gradient both differ"
    ),
    about=(policy_value, action_value),
)
def line_three():
    mdp, pi = table()
    v, q = policy_value(mdp, pi), action_value(mdp, pi)
    yield proved([v[0] - RETURN, v[1] - RETURN + 2], "V by hand")
    yield proved([(pi[s] * q[s]).sum() - v[s] for s in (0, 1)], "Σ π Q = V")
    frozen = [[e.subs(x, 0) for e in row] for row in q]
    fitted = sum(pi[SALAD][a] * frozen[SALAD][a] for a in (0, 1))
    yield differs(at_a_third(fitted), at_a_third(v[SALAD]), "ψ = the Q of another policy (x = 0), at x = 1/3")
    yield differs(at_a_third(sympy.diff(fitted, x)), at_a_third(TRUE_SLOPE), "and its slope")


line_three


# %%
@claim(
    "intro-018",
    says=r"(4) ψ is independent of θ: $\nabla \sum_a \pi \psi = \sum_a \psi \nabla\pi$",
    verdict=Wrong(
        because="ψ = Q contains the values that follow, and they move with θ",
        instead="Σ ψ ∇π + γ Σ π Σ p ∇V(s'); unrolled, the second term turns the law of the first state into all visits",
    ),
    about=(action_value, policy_gradient),
)
def line_four():
    mdp, pi = table()
    q = action_value(mdp, pi)
    dq = [[sympy.diff(e, x) for e in row] for row in q]
    yield against(bool(at_a_third(dq[0][0]) != 0), f"∂Q/∂x = {at_a_third(dq[0][0])} at γ = .9")
    kept = sum(SLOPE_OF_PI[a] * q[SALAD, a] for a in (0, 1))
    yield differs(at_a_third(kept), at_a_third(TRUE_SLOPE), "Σ ψ ∇π at the first state, against ∇V there")
    yield proved(kept + 2 * gamma, "what is kept: γ (V(poison) - V(salad)) = -2γ")
    yield proved(kept + gamma * TRUE_SLOPE - TRUE_SLOPE, "with γ Σ p ∇V(s') added it is ∇V")
    yield proved(policy_gradient(*moving())[0] - kept / (1 - gamma), "summed over all discounted visits it is ∇J")


line_four

# %% [markdown]
# ## Lines (6) and (7): from a mean to a sum
#
# An expectation over states needs a $d$ that sums to 1. With the normalised visits line (6) is $(1-\gamma)\nabla J$: the right direction, a tenth of the
# length at γ = .9. Line (7) then sums over time without weights, which is no longer the same thing, nor the same direction.


# %%
@claim(
    "intro-020",
    says=r"(6) $\nabla J = \mathbb{E}[\psi(s,a) \nabla\log\pi(a|s)]$, one state and action drawn",
    verdict=Conditional(
        given="states are drawn from the normalised discounted visits, and the factor 1/(1-γ) is put back"
    ),
    about=(occupancy, weighted_gradient),
)
def line_six():
    mdp, family = moving()
    mean = weighted_gradient(mdp, family, occupancy(mdp, family.policy))[0]
    yield proved(mean + 2 * gamma, "the mean is -2γ")
    yield proved(mean / (1 - gamma) - TRUE_SLOPE, "times 1/(1-γ): ∇J")
    yield differs(at_a_third(mean), at_a_third(TRUE_SLOPE), "without the factor, γ = .9")


line_six


# %%
def two_bites(discount):
    """Two decisions and the end: a first one whose 'right' (chance x) pays 1 and leads on, a second with chance x of paying 1."""
    one = discount * 0 + 1
    outcomes = [
        [[(one, None, 0 * one, True)], [(one, 1, one, False)]],
        [[(one, None, 0 * one, True)], [(one, None, one, True)]],
    ]
    mdp = MDP.from_outcomes(outcomes, discount, 0)
    jacobian = np.array([[[-1], [1]], [[-1], [1]]], dtype=object)
    return mdp, with_jacobian(mdp, [[1 - x, x], [1 - x, x]], jacobian)


@claim(
    "intro-021",
    says=r"(7) the mean over one state and action equals $\mathbb{E}[\sum_{t=0}^\infty \psi_t \nabla\log\pi(a_t|s_t)]$",
    verdict=Wrong(
        because="a sum over time is not a mean, and without γ^t it weighs late steps too much; in the eater's case it is infinite",
        instead="∇J = E[Σ γ^t ψ_t ∇log π(a_t|s_t)]; the unweighted sum only where γ = 1 and episodes end",
    ),
    about=(undiscounted_direction, policy_gradient, trajectory_gradient),
)
def line_seven():
    j = x + gamma * x**2
    mdp, family = two_bites(gamma)
    unweighted = undiscounted_direction(mdp, family)[0]
    yield proved(unweighted - (1 + gamma * x) - x, "two decisions: Σ_t E[Q ∇log π] = 1 + γx + x")
    yield differs(at_a_third(unweighted), at_a_third(sympy.diff(j, x)), "∇J at x = 1/3, γ = .9")
    eta, q_gap = (1, gamma * x), (1 + gamma * x, 1)
    yield proved(sum(e * g for e, g in zip(eta, q_gap, strict=True)) - sympy.diff(j, x), "with γ^t: 1 + γx + γx = ∇J")
    yield proved(policy_gradient(mdp, family)[0] - sympy.diff(j, x), "as the library finds by states")
    yield proved(trajectory_gradient(mdp, family, 2)[0] - sympy.diff(j, x), "and by every path")
    drawn = weighted_gradient(mdp, family, [e / sum(eta) for e in eta])[0]
    yield differs(at_a_third(unweighted), at_a_third(drawn), "nor is it the mean over one drawn state")


line_seven

# %% [markdown]
# ## Salad and poison
#
# A normalised distribution keeps its total, so what some states gain the others lose: $\sum_s \nabla d(s) = 0$. Counted visits need not: a policy that
# ends episodes later visits more, and nothing is visited less.


# %%
@claim(
    "intro-022",
    says="If a tweak makes some states more visited, the others become less visited by exactly the same amount",
    verdict=Conditional(
        given="d is normalised to 1; expected visits in episodes that end can grow in one state and shrink in none"
    ),
    about=(occupancy, visits),
)
def shares_and_counts():
    change = [sympy.diff(d, x) for d in occupancy(*table())]
    yield proved([change[0] + gamma, change[1] - gamma], "shares: poison gains γ, salad loses γ")
    mdp, family = two_bites(sympy.Integer(1))
    counts = [sympy.diff(e, x) for e in visits(mdp, family.policy)]
    yield proved([counts[0], counts[1] - 1], "visits of two decisions that may end early: 0 and +1")
    yield against(bool(sum(counts) != 0), "the second state gains and none loses")


shares_and_counts

# %% [markdown]
# But salad is worth more than poison. A zero sum of changes says nothing about a *weighted* sum of changes: it is $-2\gamma$ here, and would vanish for
# every change only if all states had the same value. Nothing is ignored in the theorem either. The effect of being led to
# poison sits in Q, which compares the states that each action leads to.


# %%
@claim(
    "intro-023",
    says=r"The changes of $d_\pi$ cancel, so they can be ignored when the gradient of Σ d V is taken",
    verdict=Wrong(
        because="Σ ∇d(s) = 0 does not make Σ ∇d(s) V(s) zero: states differ in value",
        instead="Σ ∇d V = γ (V(poison) - V(salad)) = -2γ; the theorem keeps that effect inside Q",
    ),
    about=(occupancy, policy_value, action_value),
)
def no_balance():
    mdp, pi = table()
    d, v, q = occupancy(mdp, pi), policy_value(mdp, pi), action_value(mdp, pi)
    change = [sympy.diff(e, x) for e in d]
    weighted = sum(c * w for c, w in zip(change, v, strict=True))
    yield proved(sum(change), "the changes add up to 0")
    yield differs(sympy.Integer(0), at_a_third(weighted), "weighed with V, γ = .9")
    yield proved(weighted + 2 * gamma, "their weighted sum: -2γ")
    yield proved(
        [v[SALAD] - v[POISON] - 2, q[0, 1] - q[0, 0] + 2 * gamma],
        "values differ by 2; Q(·, poison) - Q(·, salad) = -2γ",
    )
    even = policy_value(MDP([[[1, 0], [0, 1]]] * 2, [[1, 1], [1, 1]], gamma, initial=[1, 0]), pi)
    yield proved(
        sum(c * w for c, w in zip(change, even, strict=True)), "with equal rewards all states are worth the same: 0"
    )


no_balance


# %%
@figure
def where_the_lines_part():
    """The lines at γ = 0.9 for the induced distribution: (2) meets ∇J because ∇V is the same in both states, no other does."""
    from matplotlib import pyplot as plt

    g = 0.9
    lines = {
        "∇J, the truth": -2 * g / (1 - g),
        "(1)": -2 * g / (1 - g) - 2 * g,
        "(2), (3)": -2 * g / (1 - g),
        "(4), (5), (6)": -2 * g,
        "(7), 20 terms": -2 * g * 20,
    }
    fig, ax = plt.subplots(figsize=(6.0, 2.8))
    bars = ax.barh(list(lines), list(lines.values()), color=[COLOURS[2], *[COLOURS[0]] * 4])
    ax.bar_label(bars, fmt="%.1f", padding=4)
    ax.set_xlim(-42, 0)
    ax.invert_yaxis()
    ax.set_xlabel("slope in x")
    return fig


where_the_lines_part
