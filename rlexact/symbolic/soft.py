"""Entropy and KL regularisation: the optimum, its multiplier and its exact gap.

    max_π  Σ π q + τ H(π) = τ log Σ e^{q/τ} = V          π* = e^{(q - V)/τ}                                [F1]
    Σ π q - β KL(π‖μ) = β log Z - β KL(π‖π*),   π* = μ e^{q/β} / Z                                         [F2]
    the Lagrangian's slope q - β (log π/μ + 1) - ν vanishes at π*, with ν = β (log Z - 1)                   [F3]

Ziebart (2010), §6; Haarnoja et al. (2018), Lemma 2; Peters, Mülling and Altün (2010); Nair et al. (2020), appendix A.
"""

from typing import Any

import sympy

from rlexact.symbolic.convexity import log_gap
from rlexact.symbolic.identity import identity, inequality
from rlexact.symbolic.notation import (
    below_one,
    beta,
    entropy_of,
    gamma,
    gradient,
    kl_of,
    mean,
    normalised,
    positives,
    reals,
    simplex,
    softmax_of,
    tau,
)

N = 3
q, pi, reference = reals("q", N), simplex("v", N), simplex("w", N)
soft_policy = softmax_of(q, tau)
soft_value = tau * sympy.log(sum(sympy.exp(x / tau) for x in q))
tilted = [m * sympy.exp(x / beta) for m, x in zip(reference, q, strict=True)]
optimum, normaliser = normalised(tilted), sum(tilted)
ZIEBART, NAIR = "Ziebart (2010), §6.2", "Nair et al. (2020), appendix A"


@identity(r"\sum \pi q + \tau H(\pi) = \tau\log\sum e^{q/\tau} - \tau\,\mathrm{KL}(\pi\|\pi^*)", ZIEBART)
def soft_value_with_its_gap() -> Any:
    return mean(pi, q) + tau * entropy_of(pi), soft_value - tau * kl_of(pi, soft_policy)


@inequality(r"\sum \pi q + \tau H(\pi) \le \tau\log\sum e^{q/\tau}", ZIEBART)
def soft_value_is_the_maximum() -> Any:
    terms = [tau * a * log_gap(b / a) for a, b in zip(pi, soft_policy, strict=True)]
    return mean(pi, q) + tau * entropy_of(pi), soft_value, terms


@identity(r"V = \sum \pi^* q + \tau H(\pi^*)", "Haarnoja et al. (2018), (3)")
def soft_value_of_the_soft_policy() -> Any:
    return soft_value, mean(soft_policy, q) + tau * entropy_of(soft_policy)


@identity(r"\tau\log\pi^*(a) = Q(a) - V", "Nachum et al. (2017), Theorem 1")
def soft_optimality() -> Any:
    """The consistency that holds action by action, so off-policy too."""
    return [tau * sympy.log(x) for x in soft_policy], [x - soft_value for x in q]


@identity(
    r"V(s_0) - \gamma^2 V(s_2) = \sum_{t<2}\gamma^t(r_t - \tau\log\pi^*_t)",
    "Nachum et al. (2017), Corollary 2",
    *below_one(gamma),
)
def path_consistency() -> Any:
    """Two deterministic steps, two actions in each state, action values q and p of which the first are taken."""
    p, v_2, r = reals("p", 2), sympy.Symbol("v_2", real=True), reals("r", 2)
    q_1 = [r[1] + gamma * v_2, p[1]]
    v_1 = tau * sympy.log(sum(sympy.exp(x / tau) for x in q_1))
    q_0 = [r[0] + gamma * v_1, p[0]]
    v_0 = tau * sympy.log(sum(sympy.exp(x / tau) for x in q_0))
    chosen = [q_0[0] - v_0, q_1[0] - v_1]  # τ log π*, as `soft_optimality` has it
    return v_0 - gamma**2 * v_2, r[0] - chosen[0] + gamma * (r[1] - chosen[1])


@identity(
    r"\frac{\partial V}{\partial q} = \pi^*,\quad \frac{\partial V}{\partial\tau} = H(\pi^*)", "the envelope theorem"
)
def soft_value_envelope() -> Any:
    return [*gradient(soft_value, q), sympy.diff(soft_value, tau)], [*soft_policy, entropy_of(soft_policy)]


@identity(r"\sum\pi q - \beta\,\mathrm{KL}(\pi\|\mu) = \beta\log Z - \beta\,\mathrm{KL}(\pi\|\pi^*)", NAIR)
def kl_regularised_optimum() -> Any:
    return mean(pi, q) - beta * kl_of(pi, reference), beta * sympy.log(normaliser) - beta * kl_of(pi, optimum)


@inequality(r"\sum\pi q - \beta\,\mathrm{KL}(\pi\|\mu) \le \beta\log\sum\mu e^{q/\beta}", "Donsker and Varadhan (1975)")
def kl_regularised_maximum() -> Any:
    terms = [beta * a * log_gap(b / a) for a, b in zip(pi, optimum, strict=True)]
    return mean(pi, q) - beta * kl_of(pi, reference), beta * sympy.log(normaliser), terms


@identity(r"q - \beta\left(\log\tfrac{\pi^*}{\mu} + 1\right) = \nu = \beta(\log Z - 1)", NAIR)
def kl_regularised_multiplier() -> Any:
    """The slope of the objective in every π(a), at π*: all equal to the multiplier of Σ π = 1."""
    free = positives("x", N)
    slopes = gradient(mean(free, q) - beta * kl_of(free, reference), free)
    at = dict(zip(free, optimum, strict=True))
    return slopes.subs(at), [beta * (sympy.log(normaliser) - 1)] * N


@identity(
    r"\frac{d}{d\beta}\beta\left(\log Z + \varepsilon\right) = \varepsilon - \mathrm{KL}(\pi^*\|\mu)",
    "Peters, Mülling and Altün (2010)",
)
def dual_slope_is_the_unused_budget() -> Any:
    """The dual of KL(π‖μ) ≤ ε: its minimum over β spends the budget exactly."""
    budget = sympy.Symbol("e", positive=True)
    return sympy.diff(beta * (sympy.log(normaliser) + budget), beta), budget - kl_of(optimum, reference)


@identity(r"\tau H = \tau\log n - \tau\,\mathrm{KL}(\pi\|u)", "a uniform reference is an entropy bonus")
def entropy_bonus_is_kl_to_the_uniform() -> Any:
    uniform = [sympy.Rational(1, N)] * N
    return tau * entropy_of(pi), tau * sympy.log(N) - tau * kl_of(pi, uniform)
