"""Soft (maximum-entropy, KL-regularised) control: its Bellman operators.

A policy is paid τ log(μ(a | s) / π(a | s)) on top of every reward:

    Q = r + γ P V                                                     `bellman.backup`: the same in soft control
    (T^π V)(s) = Σ_a π(a | s) (Q(s, a) - τ log(π(a | s) / μ(a | s)))  [F1]  `soft_bellman_policy`
    (T V)(s) = max_π (T^π V)(s) = τ log Σ_a μ(a | s) exp(Q(s, a) / τ) [F2]  `soft_bellman_optimal`
    π(a | s) = μ(a | s) exp((Q(s, a) - (T V)(s)) / τ)                 [F3]  `soft_greedy`, the maximiser in [F2]

With a reference policy μ this is KL control: -τ KL(π ‖ μ) is paid per step (Todorov 2007; Geist, Scherrer and Pietquin
2019). Without one, μ is the counting measure, μ = 1 on available actions, and +τ H(π) is paid: maximum entropy (Ziebart
2010; Haarnoja et al. 2017, Theorem 1). One is the other with rewards shifted by τ log μ: `as_entropy_control`,
`as_kl_control`. A terminal state has soft value 0: nothing is chosen there, so nothing is paid.

T and T^π are monotone, and contractions in the maximum norm with the modulus of the hard backup.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.bellman import backup
from rlexact.mdp import MDP
from rlexact.policy import first_best, uniform


@dataclass(frozen=True, eq=False)
class SoftControl:
    """A model, a temperature τ > 0 and weights μ (S, A) ≥ 0 that need not sum to 1: what the soft operators read."""

    mdp: MDP
    tau: Any
    weights: Array

    @property
    def support(self) -> Array:
        """The pairs that a soft-optimal policy takes: (S, A) booleans."""
        return np.asarray(self.mdp.available & ar.apart(self.weights, 0))

    def optimal(self, v: Array) -> Array:
        """[F2]: (S,) -> (S,)."""
        top, _ = ar.soft_best(backup(self.mdp, v), self.weights, self.tau)
        return ar.tidy(top)

    def greedy(self, v: Array) -> Array:
        """[F3]: (S,) -> (S, A)."""
        _, shares = ar.soft_best(backup(self.mdp, v), self.weights, self.tau)
        return self.on_every_row(shares)

    def base(self) -> Array:
        """The weights as a policy, μ / Σ_a μ: (S, A)."""
        total = np.where(self.mdp.terminal, ar.ones(self.tau, self.mdp.n_states), self.weights.sum(axis=1))
        return self.on_every_row(ar.tidy(self.weights / total[:, None]))

    def on_every_row(self, policy: Array) -> Array:
        """Terminal rows filled as the makers of policies fill them."""
        live = ~self.mdp.terminal[:, None]
        return np.where(live, policy, first_best(self.mdp, ar.zeros(self.mdp.r, policy.shape)))

    def price(self, policy: Array) -> Array:
        """τ log(π / μ), what is charged for each action, 0 where π is 0: (S, A) -> (S, A).

        Raises `InvalidPolicy` where it is infinite.
        """
        return ar.tidy(self.tau * ar.surprise(self.covered(policy), self.positive_weights()))

    def covered(self, policy: Array) -> Array:
        """The policy in the model's numbers.  Raises `InvalidPolicy` where it acts and μ is 0."""
        pi = self.mdp.admit(policy)
        infinite = ar.apart(pi, 0) & ~ar.apart(self.weights, 0)
        if infinite.any():
            s, a = np.argwhere(infinite)[0]
            raise InvalidPolicy(
                f"policy[{s}, {a}] = {pi[s, a]} where the reference has no mass: the divergence is infinite. "
                "Give a reference that covers the policy"
            )
        return pi

    def positive_weights(self) -> Array:
        """μ, and 1 where it is 0: (S, A)."""
        return np.where(self.support, self.weights, ar.ones(self.mdp.r, self.weights.shape))


def soft_control(mdp: MDP, temperature: Any, reference: Array | None = None) -> SoftControl:
    """The soft problem in the model's own numbers.  Raises `ValueError` unless the temperature is positive and finite."""
    tau = ar.number(mdp.r, temperature)
    if not ar.finite(np.array([tau])).all() or ar.negative(np.array([tau])).any() or tau == 0:
        raise ValueError(
            f"temperature = {temperature}: give a positive number. At 0 the soft operators are those of "
            "rlexact.exact.bellman"
        )
    none = ar.zeros(mdp.r, mdp.r.shape)
    weights = np.where(mdp.available, 1 + none, none) if reference is None else mdp.admit(reference)
    return SoftControl(mdp, tau, weights)


def soft_bellman_optimal(mdp: MDP, v: Array, temperature: Any, reference: Array | None = None) -> Array:
    """T v, the soft maximum of r + γ P v [F2]: (S,) -> (S,), 0 at terminal states.  Raises `NotExact` in rationals."""
    return soft_control(mdp, temperature, reference).optimal(v)


def soft_bellman_policy(mdp: MDP, policy: Array, v: Array, temperature: Any, reference: Array | None = None) -> Array:
    """T^π v [F1]: (S, A), (S,) -> (S,).  Raises `NotExact` in rationals, `InvalidPolicy` where KL(π ‖ μ) is infinite."""
    price = soft_control(mdp, temperature, reference).price(policy)
    return ar.average(mdp.admit(policy), backup(mdp, v) - price)


def soft_greedy(mdp: MDP, v: Array, temperature: Any, reference: Array | None = None) -> Array:
    """The policy that attains T v, μ exp((Q - T v) / τ) [F3]: (S,) -> (S, A).  Raises `NotExact` in rationals."""
    return soft_control(mdp, temperature, reference).greedy(v)


def entropy(mdp: MDP, policy: Array) -> Array:
    """H(π(· | s)) in nats, 0 at terminal states: (S, A) -> (S,).  Raises `NotExact` in rationals."""
    return ar.tidy(-divergence(mdp, policy))


def divergence(mdp: MDP, policy: Array, reference: Array | None = None) -> Array:
    """KL(π(· | s) ‖ μ(· | s)) in nats: (S, A), (S, A) -> (S,); minus the entropy where there is no reference.

    Raises `NotExact` in rationals, `InvalidPolicy` where it is infinite.
    """
    return ar.average(mdp.admit(policy), soft_control(mdp, 1, reference).price(policy))


# -- one as the other -------------------------------------------------------------------------------------------------


def as_entropy_control(mdp: MDP, temperature: Any, reference: Array) -> MDP:
    """The model whose maximum-entropy problem is the KL problem of this one: rewards r + τ log μ.

    Actions without reference mass are no longer available. Only expected rewards are kept.
    """
    control = soft_control(mdp, temperature, reference)
    return rewarded(mdp, mdp.r + control.tau * ar.log(control.positive_weights()), control.support)


def as_kl_control(mdp: MDP, temperature: Any, reference: Array | None = None) -> MDP:
    """The model whose KL problem, for this reference (`uniform`), is the maximum-entropy one of `mdp`: r - τ log μ.

    Only expected rewards are kept. Raises `InvalidPolicy` where the reference leaves out an available action.
    """
    mu = uniform(mdp) if reference is None else reference
    control = soft_control(mdp, temperature, mu)
    if (missing := mdp.available & ~control.support).any():
        s, a = np.argwhere(missing)[0]
        raise InvalidPolicy(f"reference[{s}, {a}] = 0: an action that entropy allows needs reference mass")
    return rewarded(mdp, mdp.r - control.tau * ar.log(control.positive_weights()), mdp.available)


def rewarded(mdp: MDP, r: Array, available: Array) -> MDP:
    """The model with expected rewards r (S, A) on the available pairs, the others gone."""
    nothing = ar.zeros(mdp.r, r.shape)
    paid, ends = np.where(available, ar.tidy(r), nothing), np.where(available, mdp.ends, nothing)
    kernel = ar.kernel_from(ar.keep_rows(mdp.kernel, available.ravel()))
    parts = replace(mdp._parts, kernel=kernel, R=paid, r=paid, ends=ends, available=available, law=None)
    return MDP.of_parts(door.freeze(parts))
