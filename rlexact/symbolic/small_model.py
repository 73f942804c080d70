"""Two states, two actions, every number free: the model on which statements about all MDPs are proved.

    p(1 | s, a) = p_sa    r(s, a) = r_sa    π(1 | s) = x_s    μ(1) = m

What holds here identically holds for every pair of states and actions; statements for any size are the same matrix algebra.
"""

from dataclasses import dataclass
from typing import Any

import sympy

from rlexact.symbolic.notation import below_one, gamma

S = A = range(2)


def chances(name: str) -> Any:
    """(2, 2) symbols between 0 and 1, indexed by s and a."""
    return sympy.Matrix(2, 2, lambda s, a: sympy.Symbol(f"{name}_{s}{a}", positive=True))


def policy_named(name: str) -> Any:
    """(2, 2) action probabilities with one free number per state."""
    return both([sympy.Symbol(f"{name}_{s}", positive=True) for s in S])


def both(chance: Any) -> Any:
    """Rows (x, 1 - x)."""
    return sympy.Matrix([[x, 1 - x] for x in chance])


pi, pi_new = policy_named("x"), policy_named("y")
mu = both([sympy.Symbol("m", positive=True)]).T
reward = sympy.Matrix(2, 2, lambda s, a: sympy.Symbol(f"r_{s}{a}", real=True))
p = chances("p")


@dataclass(frozen=True, eq=False)
class Model:
    """p(1 | s, a) and r(s, a), each (2, 2)."""

    p: Any
    r: Any

    def kernel(self, policy: Any) -> Any:
        """P_π: (2, 2), p(s' | s) = Σ_a π(a | s) p(s' | s, a)."""
        return both([mixed(policy, self.p, s) for s in S])

    def rewards(self, policy: Any) -> Any:
        """r_π: (2, 1)."""
        return sympy.Matrix([mixed(policy, self.r, s) for s in S])

    def resolvent(self, policy: Any) -> Any:
        """(I - γ P_π)⁻¹."""
        return inverse(sympy.eye(2) - gamma * self.kernel(policy))

    def value(self, policy: Any) -> Any:
        """V = (I - γ P_π)⁻¹ r_π: (2, 1)."""
        return self.resolvent(policy) * self.rewards(policy)

    def action_value(self, policy: Any) -> Any:
        """Q(s, a) = r(s, a) + γ Σ p(s' | s, a) V(s'): (2, 2)."""
        return self.backup(self.value(policy))

    def backup(self, v: Any) -> Any:
        return sympy.Matrix(2, 2, lambda s, a: self.r[s, a] + gamma * (self.p[s, a] * v[0] + (1 - self.p[s, a]) * v[1]))

    def advantage(self, policy: Any) -> Any:
        v = self.value(policy)
        return self.backup(v) - v * sympy.ones(1, 2)

    def visits(self, policy: Any) -> Any:
        """d = (I - γ P_πᵀ)⁻¹ μ: (2, 1), the discounted number of visits, not normalised."""
        return self.resolvent(policy).T * mu

    def objective(self, policy: Any) -> Any:
        """J = μᵀ V."""
        return (mu.T * self.value(policy))[0]


def mixed(policy: Any, x: Any, s: int) -> Any:
    """Σ_a π(a | s) x(s, a)."""
    return sum(policy[s, a] * x[s, a] for a in A)


def inverse(m: Any) -> Any:
    """adj(m) / det(m)."""
    return m.adjugate() / m.det()


model = Model(p, reward)
proper = below_one(gamma, *p, pi[0, 0], pi[1, 0], mu[0])
proper_twice = (*proper, *below_one(pi_new[0, 0], pi_new[1, 0]))
