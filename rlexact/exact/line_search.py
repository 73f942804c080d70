"""The trust-region step as its paper takes it: to second order in the parameters, then back until the truth agrees.

    F x = g by conjugate gradients                                                      [L1]  conjugate_gradients
    β = √(2δ / xᵀFx), the length at which the quadratic model spends the budget          [L2]
    θ + β kʲ x at the first j = 0, 1, ... with mean KL(old ‖ new) ≤ δ and a better surrogate   [L3]  line_search_step

g and F are the gradient of Σ_s w(s) Ā(s) and the Fisher matrix at θ, with the weights w of `trpo`, whose `trpo_step` is the exact
optimum of the same problem. Schulman et al. (2015), appendix C; Hestenes and Stiefel (1952) for [L1].
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.difference import mean_advantage, weighed
from rlexact.exact.fisher import fisher_product
from rlexact.exact.parameterisation import ParameterisedPolicy
from rlexact.exact.policy_distance import kl
from rlexact.exact.trpo import problem
from rlexact.mdp import MDP
from rlexact.solution import NotConverged

ROUNDINGS = 2**10  # units of roundoff in a residual that no further iteration improves


@dataclass(frozen=True, eq=False)
class LineSearchStep:
    """`family` and `theta` after the step; `gain` and `divergence` as in `TrustRegionStep`; `backtracks` j.

    `cg_residual` is ‖F x - g‖ / ‖g‖ after the iterations allowed: near 0 where they were enough.
    """

    family: ParameterisedPolicy
    theta: Array
    gain: float
    divergence: float
    backtracks: int
    cg_residual: float


def line_search_step(
    mdp: MDP,
    at: Callable[[Array], ParameterisedPolicy],
    theta: Array,
    budget: float,
    *,
    iterations: int = 10,
    shrink: float = 0.5,
    backtracks: int = 30,
) -> LineSearchStep:
    """The paper's step in the parameters of any family [L3]: `at(theta)` is the family at θ -> `LineSearchStep`.

    A θ where g = 0 is its own answer. Raises `InvalidBudget`, `NotExact`, `NotConverged` (with the family at θ as `best`)
    where no step kʲ, j ≤ backtracks, improves within the budget.
    """
    if iterations < 1:
        raise ValueError(f"iterations = {iterations}: conjugate gradients need one at least")
    here = at(theta)
    old, A, w, delta = problem(mdp, here.policy, budget)
    product = fisher_product(mdp, here, w)
    g = here.pull(w[:, None] * A).ravel()
    x, left = conjugate_gradients(product, g, iterations)
    if not g.any():
        return LineSearchStep(here, theta, 0.0, 0.0, 0, 0.0)
    step = (np.sqrt(2 * delta / (x @ product(x))) * x).reshape(here.shape)
    for j in range(backtracks + 1):
        moved = theta + shrink**j * step
        there = at(moved)
        gain = float(weighed(w, mean_advantage(mdp, there.policy, old)))
        divergence = float(w @ kl(mdp, old, there.policy))
        if gain > 0 and divergence <= delta:
            return LineSearchStep(there, moved, gain, divergence, j, float(np.linalg.norm(left) / np.linalg.norm(g)))
    raise NotConverged(
        f"no step down to {shrink:g}^{backtracks} of the quadratic model's improves the surrogate within the budget {delta:g}: "
        "allow more backtracks or conjugate-gradient iterations",
        here,
    )


def conjugate_gradients(product: Callable[[Array], Array], b: Array, iterations: int) -> tuple[Array, Array]:
    """F x = b from x = 0 for F ≥ 0 given by its product: -> x and b - F x, after at most `iterations`.

    Exact after rank F steps in exact arithmetic. x stays in the span of b, F b, ...: where F is singular and b is in its
    range, it is the solution of least norm [L1]. In floats it stops at a relative residual of about 10⁻¹³: what is left
    then is rounding, which a singular F would blow up.
    """
    x, left = 0 * b, b
    along, enough = left, (ROUNDINGS * ar.unit_roundoff(b)) ** 2 * (b @ b)
    for _ in range(iterations):
        size, pushed = left @ left, product(along)
        if size <= enough:
            break
        alpha = size / (along @ pushed)
        x, left = x + alpha * along, left - alpha * pushed
        along = left + (left @ left) / size * along
    return x, b - product(x)
