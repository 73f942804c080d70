"""Preferences: Bradley-Terry, and direct preference optimisation derived from it.

    P(w ≻ l) = e^{r_w} / (e^{r_w} + e^{r_l}) = σ(r_w - r_l)                                                [T1]
    π*(y) = π_ref(y) e^{r(y)/β} / Z      r(y) = β log π*(y)/π_ref(y) + β log Z                              [T2]
    P(w ≻ l) = σ(β log π*(w)/π_ref(w) - β log π*(l)/π_ref(l)),  Z cancels                                   [T3]
    ∇ -log σ(u) = -σ(-u) ∇u,   u = β (log π(w)/π_ref(w) - log π(l)/π_ref(l))                                 [T4]

Bradley and Terry (1952); Rafailov et al. (2023), (4)-(7); Luce (1959) and Plackett (1975) for rankings.
"""

from typing import Any

import sympy

from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import beta, gradient, mean, normalised, reals, sigmoid_of, simplex, softmax_of

N = 3
r, z = reals("r", N), reals("z", N)
reference = simplex("w", N)
u = sympy.Symbol("u", real=True)
tilted = [m * sympy.exp(x / beta) for m, x in zip(reference, r, strict=True)]
optimum = normalised(tilted)
pi = softmax_of(z)
WINNER, LOSER = 0, 1
RAFAILOV = "Rafailov et al. (2023), "


def implicit_reward(policy: Any, i: int) -> Any:
    """β log π(y_i) / π_ref(y_i)."""
    return beta * (sympy.log(policy[i]) - sympy.log(reference[i]))


def margin(policy: Any) -> Any:
    return implicit_reward(policy, WINNER) - implicit_reward(policy, LOSER)


def bradley_terry_probability(winner: Any, loser: Any) -> Any:
    return sympy.exp(winner) / (sympy.exp(winner) + sympy.exp(loser))


@identity(r"\frac{e^{r_w}}{e^{r_w}+e^{r_l}} = \sigma(r_w - r_l)", "Bradley and Terry (1952)")
def bradley_terry() -> Any:
    return bradley_terry_probability(r[0], r[1]), sigmoid_of(r[0] - r[1])


@identity(r"P(r + c) = P(r)", "Bradley and Terry (1952): only differences are identified")
def bradley_terry_ignores_a_shift() -> Any:
    c = sympy.Symbol("c", real=True)
    return bradley_terry_probability(r[0] + c, r[1] + c), bradley_terry_probability(r[0], r[1])


@identity(r"\sigma' = \sigma(1-\sigma),\quad \sigma(-u) = 1 - \sigma(u),\quad (\log\sigma)' = \sigma(-u)", "Cox (1958)")
def sigmoid_facts() -> Any:
    g = sigmoid_of(u)
    return [sympy.diff(g, u), sigmoid_of(-u), sympy.diff(sympy.log(g), u)], [g * (1 - g), 1 - g, sigmoid_of(-u)]


@identity(r"\frac{\partial}{\partial r}\mathrm{NLL} = (\sigma(r_w - r_l) - 1)\,(1,-1)", "Bradley and Terry (1952)")
def bradley_terry_gradient() -> Any:
    loss, gap = -sympy.log(bradley_terry_probability(r[0], r[1])), sigmoid_of(r[0] - r[1])
    return gradient(loss, r[:2]), [gap - 1, 1 - gap]


@inequality(r"0 \le \frac{d^2}{du^2}\left(-\log\sigma(u)\right)", "Bradley and Terry (1952): the loss is convex")
def logistic_loss_is_convex() -> Any:
    """The curvature is e^u / (1 + e^u)²."""
    return 0, sympy.diff(-sympy.log(sigmoid_of(u)), u, 2), [sympy.exp(u) / (1 + sympy.exp(u)) ** 2]


@identity(r"\sum_{\text{rankings with } w \succ l} P(\text{ranking}) = \sigma(r_w - r_l)", "Luce (1959), n = 3")
def plackett_luce_contains_bradley_terry() -> Any:
    """Summed over where the third answer stands."""
    e = [sympy.exp(x) for x in r]

    def ranking(i: int, j: int, k: int) -> Any:
        return e[i] / sum(e) * e[j] / (e[j] + e[k])

    return ranking(0, 1, 2) + ranking(0, 2, 1) + ranking(2, 0, 1), sigmoid_of(r[0] - r[1])


@identity(r"r(y) = \beta\log\frac{\pi^*(y)}{\pi_{ref}(y)} + \beta\log Z", RAFAILOV + "(5)")
def implicit_reward_identity() -> Any:
    return r, [implicit_reward(optimum, i) + beta * sympy.log(sum(tilted)) for i in range(N)]


@identity(
    r"P(w \succ l) = \sigma(\hat r(w) - \hat r(l)),\quad \hat r = \beta\log\frac{\pi^*}{\pi_{ref}}", RAFAILOV + "(6)"
)
def dpo_derivation() -> Any:
    """The normaliser cancels: Bradley-Terry of the true rewards, written with the optimal policy alone."""
    return sympy.log(bradley_terry_probability(r[WINNER], r[LOSER])), sympy.log(sigmoid_of(margin(optimum)))


@identity(
    r"\nabla\left(-\log\sigma(\hat r_w - \hat r_l)\right) = -\beta\,\sigma(\hat r_l - \hat r_w)"
    r"\left(\nabla\log\pi(w) - \nabla\log\pi(l)\right)",
    RAFAILOV + "§4, the gradient",
    "softmax logits",
)
def dpo_gradient() -> Any:
    loss = -sympy.log(sigmoid_of(margin(pi)))
    scores = gradient(sympy.log(pi[WINNER]) - sympy.log(pi[LOSER]), z)
    return gradient(loss, z), -beta * sigmoid_of(-margin(pi)) * scores


@identity(
    r"\nabla_z\left(-\log\sigma(\hat r_w-\hat r_l)\right) = \beta\,\sigma(\hat r_l-\hat r_w)\,(-1, 1, 0)",
    "the score of a softmax difference",
    "softmax logits",
)
def dpo_moves_two_logits() -> Any:
    """In tabular logits only the two answers compared move, by the same amount."""
    step = beta * sigmoid_of(-margin(pi))
    return gradient(-sympy.log(sigmoid_of(margin(pi))), z), [-step, step, 0]


@identity(
    r"\frac{d}{du}\left(p\log\sigma(u) + (1-p)\log\sigma(-u)\right) = p - \sigma(u)", "Cox (1958): best at σ(u) = p"
)
def preference_likelihood_is_calibrated() -> Any:
    """At the optimum of the population likelihood σ(u) is the true frequency of preference."""
    p, q = simplex("w", 2)
    likelihood = mean([p, q], [sympy.log(sigmoid_of(u)), sympy.log(sigmoid_of(-u))])
    return sympy.diff(likelihood, u), p - sigmoid_of(u)
