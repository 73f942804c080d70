"""Models on which function approximation fails: divergence off-policy, by fitting, and on-policy without linearity.

    baird_star      seven states, eight features: off-policy TD(0) diverges for every step size
    doubling        two states worth w and 2w: w ← w + α(2γ - 1)w, and least squares that diverges too
    three_ring      a walk around three states, on which nonlinear on-policy TD(0) spirals away

Every reward is 0, so the true values are 0 everywhere and whatever grows is error. A `LinearExample` adds what the model
does not hold: the policy, the features and the law of the updated state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.gallery.classics import ONE
from rlexact.mdp import MDP, Outcome
from rlexact.policy import deterministic, uniform

GAMMA = Fraction(99, 100)


@dataclass(frozen=True, eq=False)
class LinearExample:
    """A model, a policy (S, A) to evaluate, features (S, K), the law (S,) of the updated state, and where θ starts (K,)."""

    mdp: MDP
    policy: Array
    features: Array
    weights: Array
    start: Array


def baird_star(gamma: Any = GAMMA) -> MDP:
    """Baird's star of Sutton and Barto (2018), Example 11.1: seven states, started in any of them.

    'dashed' goes to one of the first six, 'solid' to the seventh; every reward is 0.
    """
    sixth = Fraction(1, 6)
    steps: list[list[Outcome]] = [[(sixth, s, 0, False) for s in range(6)], [(ONE, 6, 0, False)]]
    return MDP.from_outcomes([steps] * 7, gamma, [Fraction(1, 7)] * 7, actions=("dashed", "solid"))


def baird(gamma: Any = GAMMA) -> LinearExample:
    """The star with its eight features: Sutton and Barto (2018), Figures 11.1 and 11.2, after Baird (1995).

    Values are 2w_i + w_8 in the first six states, w_7 + 2w_8 in the seventh. The target policy is always solid; dashed
    with probability 6/7 visits all states alike. At γ = .99 the least Re λ(A) is -0.239.
    """
    mdp = baird_star(gamma)
    features = [[2 * (s == k) + (k == 7) for k in range(8)] for s in range(6)] + [[0] * 6 + [1, 2]]
    return example(mdp, deterministic(mdp, [1] * 7), features, [Fraction(1, 7)] * 7, [1, 1, 1, 1, 1, 1, 10, 1])


def doubling(epsilon: Any = Fraction(1, 10), gamma: Any = GAMMA) -> MDP:
    """Two states worth w and 2w: Sutton and Barto (2018), Example 11.2, after Tsitsiklis and Van Roy (1996).

    The first leads to the second, which stays with probability 1 - ε and ends with ε. Started in the first.
    """
    end = Fraction(epsilon) if isinstance(epsilon, str) else epsilon
    table: list[list[list[Outcome]]] = [[[(ONE, 1, 0, False)]], [[(1 - end, 1, 0, False), (end, None, 0, True)]]]
    return MDP.from_outcomes(table, gamma, 0, actions=("go",))


def w_to_2w(epsilon: Any = Fraction(1, 10), gamma: Any = GAMMA) -> LinearExample:
    """Only the step from w to 2w is ever updated: w ← w + α(2γ - 1)w.  Sutton and Barto (2018), §11.2.

    It diverges exactly where γ > 1/2, whatever α and ε are.
    """
    mdp = doubling(epsilon, gamma)
    return example(mdp, uniform(mdp), [[1], [2]], [1, 0], [1])


def tsitsiklis_van_roy(epsilon: Any = Fraction(1, 10), gamma: Any = GAMMA) -> LinearExample:
    """Both states alike, w fitted by least squares at each step: w ← (6 - 4ε)γ/5 · w.  Sutton and Barto (2018), Example 11.2.

    It diverges exactly where γ > 5/(6 - 4ε), although each fit is the best there is.
    """
    mdp = doubling(epsilon, gamma)
    return example(mdp, uniform(mdp), [[1], [2]], [Fraction(1, 2)] * 2, [1])


def example(
    mdp: MDP, policy: Array, features: Sequence[Any], weights: Sequence[Any], start: Sequence[Any]
) -> LinearExample:
    """Everything in the model's numbers."""
    names = {"features": features, "weights": weights, "start": start}
    return LinearExample(mdp, policy, *(mdp.beside(name, np.array(x, dtype=object)) for name, x in names.items()))


def three_ring(gamma: Any = GAMMA) -> MDP:
    """The walk of Tsitsiklis and Van Roy (1997): stay, or go to the state before, each with probability 1/2."""
    half = Fraction(1, 2)
    steps = [[[(half, s, 0, False), (half, (s - 1) % 3, 0, False)]] for s in range(3)]
    return MDP.from_outcomes(steps, gamma, [Fraction(1, 3)] * 3, actions=("walk",))


@dataclass(frozen=True, eq=False)
class Spiral:
    """Nonlinear on-policy TD(0) of one parameter θ on the three states of `three_ring`.

        V'(θ) = (Q + εI) V(θ),   1·V(0) = 0                     the values that the parameter can make
        θ'(t) = ⅓ V'(θ) · (γP - I) V(θ) = ⅓ V(θ)ᵀ drift V(θ)    expected TD(0), states drawn from the stationary law
        d‖V‖²/dθ = 2 Vᵀ (Q + εI) V = 2ε ‖V‖²                    the spiral widens in θ

    On the plane 1·V = 0 the form Vᵀ drift V is `growth` ‖V‖² with growth = 3γ/8 - ε(1 - γ/4). Where that and ε are
    positive, θ rises for ever and the values with it, away from the true ones, 0.
    """

    mdp: MDP
    generator: Array  # Q + εI (3, 3)
    drift: Array  # (Q + εI)ᵀ (γP - I), (3, 3)
    epsilon: Any

    @property
    def growth(self) -> Any:
        """Vᵀ drift V / ‖V‖², one number on the whole plane 1·V = 0."""
        v = self.mdp.beside("direction", [1, -1, 0])
        return ar.tidy(np.array([v @ self.drift @ v / 2]))[0]


def spiral(epsilon: Any = Fraction(1, 20), gamma: Any = GAMMA) -> Spiral:
    """The on-policy divergence of Tsitsiklis and Van Roy (1997), as the matrices of its differential equations."""
    mdp = three_ring(gamma)
    half, e = Fraction(1, 2), mdp.beside("epsilon", [epsilon])[0]
    Q = mdp.beside("generator", [[1, half, 3 * half], [3 * half, 1, half], [half, 3 * half, 1]])
    P, _ = mdp.under(uniform(mdp))
    I = ar.eye(P)  # noqa: E741
    generator = ar.kernel_from(Q) + e * I
    return Spiral(mdp, ar.dense_array(generator), ar.dense_array(generator.T @ (mdp.gamma * P - I)), e)
