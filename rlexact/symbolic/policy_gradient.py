"""The policy-gradient theorem, by states and by trajectories, and the difference of two policies.

    ∇J = Σ_s d(s) Σ_a ∇π(a | s) Q(s, a) = Σ_s d(s) Σ_a π(a | s) ∇log π(a | s) A(s, a)                      [P1]
    ∇J_T = E[ (Σ_t ∇log π(a_t | s_t)) (Σ_t γ^t r_t) ] = E[ Σ_t γ^t ∇log π(a_t | s_t) G_t ]                [P2]
    J(π') - J(π) = Σ_s d^π'(s) Σ_a π'(a | s) A^π(s, a)                                                    [P3]

d counts discounted visits and is not normalised. π moves along any direction: π(1 | s) + ε h_s; the theorem for parameters is
this one and the chain rule.  Sutton et al. (2000), Theorem 1; Williams (1992); Kakade and Langford (2002), Lemma 6.1.
"""

from itertools import product
from typing import Any

import sympy

from rlexact.symbolic.identity import identity
from rlexact.symbolic.notation import along, eps, gamma, reals
from rlexact.symbolic.small_model import A, S, both, mixed, model, mu, pi, pi_new, proper, proper_twice

h = reals("h", 2)
moving = both([pi[s, 0] + eps * h[s] for s in S])
change = along(moving)  # (2, 2): h_s for the first action, -h_s for the second
score = sympy.Matrix(2, 2, lambda s, a: change[s, a] / pi[s, a])  # ∇ log π(a | s)

SUTTON = "Sutton et al. (2000), Theorem 1"


@identity(r"\nabla J = \sum_s d^\pi(s) \sum_a \nabla\pi(a|s)\, Q^\pi(s,a)", SUTTON, *proper)
def policy_gradient_theorem() -> Any:
    d, q = model.visits(pi), model.action_value(pi)
    return along(model.objective(moving)), sum(d[s] * mixed(change, q, s) for s in S)


@identity(
    r"\nabla J = \sum_s d^\pi(s) \sum_a \pi(a|s) \nabla\log\pi(a|s)\, A^\pi(s,a)",
    "Sutton et al. (2000), with V as the baseline",
    *proper,
)
def policy_gradient_by_advantages() -> Any:
    d, adv = model.visits(pi), model.advantage(pi)
    return along(model.objective(moving)), sum(d[s] * pi[s, a] * score[s, a] * adv[s, a] for s in S for a in A)


@identity(r"\nabla V = (I - \gamma P_\pi)^{-1} \sum_a \nabla\pi\, Q^\pi", SUTTON + ", in its proof", *proper)
def gradient_of_values() -> Any:
    """For every start at once: the recursion of the proof, solved."""
    q = model.action_value(pi)
    return along(model.value(moving)), model.resolvent(pi) * sympy.Matrix([mixed(change, q, s) for s in S])


@identity(
    r"J(\pi') - J(\pi) = \sum_s d^{\pi'}(s) \sum_a \pi'(a|s) A^\pi(s,a)",
    "Kakade and Langford (2002), Lemma 6.1",
    *proper_twice,
)
def performance_difference() -> Any:
    d, adv = model.visits(pi_new), model.advantage(pi)
    return model.objective(pi_new) - model.objective(pi), sum(d[s] * mixed(pi_new, adv, s) for s in S)


@identity(
    r"V^{\pi'} - V^\pi = (I-\gamma P_{\pi'})^{-1}(T^{\pi'}V^\pi - V^\pi)",
    "Puterman (1994), §6.4.2",
    *proper_twice,
)
def policy_improvement_identity() -> Any:
    v = model.value(pi)
    gain = model.rewards(pi_new) + gamma * model.kernel(pi_new) * v - v
    return model.value(pi_new) - v, model.resolvent(pi_new) * gain


def paths() -> Any:
    """Every path of two steps: (probability, states, actions)."""
    for s0, a0, s1, a1 in product(S, A, S, A):
        step = model.p[s0, a0] if s1 == 0 else 1 - model.p[s0, a0]
        yield mu[s0] * pi[s0, a0] * step * pi[s1, a1], (s0, s1), (a0, a1)


def finite_objective() -> Any:
    """J_2 of the moving policy, by backward induction."""
    last = model.rewards(moving)
    return (mu.T * (model.rewards(moving) + gamma * model.kernel(moving) * last))[0]


@identity(
    r"\nabla J_T = \mathbb{E}\left[\sum_t \nabla\log\pi(a_t|s_t)\ \sum_t \gamma^t r_t\right]",
    "Williams (1992)",
    "T = 2 steps, every path summed",
    *proper,
)
def policy_gradient_over_trajectories() -> Any:
    """REINFORCE with the whole return: left by backward induction, right by path enumeration."""

    def sample(s: Any, a: Any) -> Any:
        r = [model.r[x, y] for x, y in zip(s, a, strict=True)]
        return (score[s[0], a[0]] + score[s[1], a[1]]) * (r[0] + gamma * r[1])

    return along(finite_objective()), sum(w * sample(s, a) for w, s, a in paths())


@identity(
    r"\nabla J_T = \mathbb{E}\left[\sum_t \gamma^t \nabla\log\pi(a_t|s_t)\, G_t\right]",
    "Sutton and Barto (2018), §13.3, the γ^t of the pseudocode",
    "T = 2 steps, every path summed",
    *proper,
)
def policy_gradient_with_reward_to_go() -> Any:
    """What came before an action does not depend on it; γ^t stays."""

    def sample(s: Any, a: Any) -> Any:
        r = [model.r[x, y] for x, y in zip(s, a, strict=True)]
        return score[s[0], a[0]] * (r[0] + gamma * r[1]) + gamma * score[s[1], a[1]] * r[1]

    return along(finite_objective()), sum(w * sample(s, a) for w, s, a in paths())


@identity(
    r"\nabla J = \nabla L,\quad L(\pi') = J(\pi) + \sum_s d^{\pi}(s) \sum_a \pi'(a|s) A^\pi(s,a)",
    "Schulman et al. (2015), (4)",
    *proper,
)
def surrogate_touches_the_objective() -> Any:
    """The surrogate has the gradient of J at the policy it is built on."""
    d, adv = model.visits(pi), model.advantage(pi)
    return along(model.objective(moving)), along(sum(d[s] * mixed(moving, adv, s) for s in S))
