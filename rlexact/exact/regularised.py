"""The best distribution over actions that stays near a reference: one state, three divergences.

    maximise Σ_a π(a) A(a) - λ D(π)        for a given multiplier λ > 0
    maximise Σ_a π(a) A(a)                 subject to D(π) ≤ δ, for a given budget δ > 0

    D = KL(π ‖ μ)     π(a) = μ(a) exp((A(a) - ν) / λ),    ν = λ log Σ_a μ(a) exp(A(a) / λ)               [I1]  near_kl
    D = KL(μ ‖ π)     π(a) = λ μ(a) / (ν - A(a)),         Σ_a π(a) = 1, ν ≥ max A                        [I2]  near_reverse_kl
    D = ½ ‖π - μ‖₁    π(a) = 0 where A(a) < ν,            ν = max A - λ                                  [I3]  near_variation

λ is the price of a unit of D and ν what normalises π. [I1] is the oracle of AWR, Peng, Kumar, Zhang and Levine (2019),
(9), and ν the optimum of the penalised problem; [I2] has ν as the root of a decreasing function, above max A unless an action
that μ never takes is so good that it holds what is left; in [I3] the mass of the worst actions moves to the best until a unit
of it gains less than λ. In the constrained problem λ is 0 where the budget admits the best action outright; else D(π) = δ. Some
documents write total variation without the ½: halve their budget and double their λ. [I1] and [I2] are for floats, [I1] with
a given λ also for symbols; [I3] is exact in rationals.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.door import ROW_SUM_TOLERANCE, InvalidPolicy
from rlexact.exact.trpo import SMALLEST_BUDGET, InvalidBudget, excess, root


@dataclass(frozen=True, eq=False)
class Improvement:
    """`policy` π (A,), `multiplier` λ and `normaliser` ν of its formula, `gain` Σ π A - Σ μ A, and `divergence` D(π)."""

    policy: Array
    multiplier: Any
    normaliser: Any
    gain: Any
    divergence: Any


def near_kl(advantages: Any, reference: Any, *, multiplier: Any = None, budget: Any = None) -> Improvement:
    """The best π for KL(π ‖ μ) [I1]: (A,), (A,), one of λ and δ -> `Improvement`.  Actions that μ never takes stay out.

    Raises `InvalidPolicy` for a reference that is no distribution, `InvalidBudget` for a λ or δ that is not positive,
    `ValueError` unless exactly one is given, `NotExact` in rationals.
    """
    A, mu, lam, delta = problem(advantages, reference, multiplier, budget)

    def answer(x: Any) -> Improvement:
        nu, shares = ar.soft_best(A[None, :], mu[None, :], x)
        return Improvement(shares[0], x, nu[0], gained(A, shares[0], mu), kl(shares[0], mu))

    if delta is None:
        return answer(lam)
    delta = floats_only(A, delta)
    top, ties = ar.best(A[None, :], (mu > 0)[None, :])
    best = np.where(ties[0], mu, 0.0) / mu[ties[0]].sum()
    if (most := kl(best, mu)) <= delta:
        return Improvement(best, 0.0, float(top[0]), gained(A, best, mu), most)
    return answer(root(lambda x: answer(x).divergence, delta, guess(A, mu, delta)))


def near_reverse_kl(advantages: Any, reference: Any, *, multiplier: Any = None, budget: Any = None) -> Improvement:
    """The best π for KL(μ ‖ π) [I2]: (A,), (A,), one of λ and δ -> `Improvement`.  Raises as `near_kl`; floats only.

    An action that μ never takes costs nothing: only the best such, the first, may receive anything.
    """
    A, mu, lam, delta = problem(advantages, reference, multiplier, budget)
    size = floats_only(A, lam if delta is None else delta)
    slack = A.max() - A

    def answer(x: float) -> Improvement:
        above = float(excess(mu[None, :], slack[None, :], x)[0])
        pi = np.where(mu > 0, x * mu / (above + slack), 0.0)
        unused = (mu == 0) & (slack == 0)
        if unused.any():
            pi[unused.argmax()] += max(0.0, 1 - pi.sum())
        return Improvement(pi, x, A.max() + above, gained(A, pi, mu), kl(mu, pi))

    if delta is None:
        return answer(size)
    if not (slack * mu).any():
        return Improvement(mu, 0.0, float(A.max()), 0.0, 0.0)
    return answer(root(lambda x: answer(x).divergence, size, guess(A, mu, size)))


def near_variation(advantages: Any, reference: Any, *, multiplier: Any = None, budget: Any = None) -> Improvement:
    """The best π for ½ ‖π - μ‖₁ [I3]: (A,), (A,), one of λ and δ -> `Improvement`, exact in rationals.

    An action that gains exactly λ by moving stays; with a budget, λ is what one more unit of it would gain. The first of the
    best actions receives. Raises as `near_kl`; `NotExact` for symbols.
    """
    A, mu, lam, delta = problem(advantages, reference, multiplier, budget)
    if ar.of(A).NAME == "symbolic":
        raise NotExact("which symbolic advantage is larger is undecided: give the symbols numbers")
    order = sorted(range(A.size), key=lambda a: A[a])
    best = int(A.argmax())
    slack, pi = A[best] - A, mu.copy()
    left = delta
    for a in order:
        if a == best or slack[a] == 0 or (left is None and not slack[a] > lam):
            continue
        moved = mu[a] if left is None else min(mu[a], left)
        pi[a], pi[best] = pi[a] - moved, pi[best] + moved
        left = None if left is None else left - moved
    if delta is not None:
        lam = ar.largest(slack[ar.apart(pi, 0)])
    return Improvement(pi, lam, A[best] - lam, gained(A, pi, mu), np.abs(pi - mu).sum() / 2)


def problem(advantages: Any, reference: Any, multiplier: Any, budget: Any) -> tuple[Array, Array, Any, Any]:
    """A, μ, λ and δ in one world, λ or δ None."""
    if (multiplier is None) == (budget is None):
        raise ValueError("give multiplier= for the penalised problem or budget= for the constrained one, and not both")
    numbers = ar.read({"advantages": advantages, "reference": reference, "multiplier": multiplier, "budget": budget})
    A, mu = np.asarray(numbers["advantages"]), np.asarray(numbers["reference"])
    if A.ndim != 1 or A.shape != mu.shape or not ar.finite(A).all():
        raise ValueError(
            f"advantages have shape {A.shape}, the reference {mu.shape}: give one finite number per action"
        )
    if not ar.finite(mu).all() or ar.negative(mu).any() or ar.apart(np.array([mu.sum()]), 1, ROW_SUM_TOLERANCE).any():
        raise InvalidPolicy(f"reference = {mu}: give probabilities that sum to 1")
    name = "budget" if multiplier is None else "multiplier"
    given = np.ravel(numbers[name])
    positive = given.size == 1 and ar.finite(given).all() and not ar.negative(given).any() and ar.apart(given, 0).all()
    if not positive:
        raise InvalidBudget(f"{name} = {given}: give a positive number. At 0 the problem is not regularised, or π is μ")
    return A, mu, *((None, given[0]) if multiplier is None else (given[0], None))


def floats_only(A: Array, given: Any) -> float:
    if ar.of(A).NAME != "float64":
        raise NotExact("the root of a transcendental equation is not rational: give floats")
    if given < SMALLEST_BUDGET:
        raise InvalidBudget(f"{given} is below {SMALLEST_BUDGET:g}: float64 cannot tell π from its limit")
    return float(given)


def gained(A: Array, pi: Array, mu: Array) -> Any:
    return ar.average((pi - mu)[None, :], A[None, :])[0]


def kl(p: Array, q: Array) -> Any:
    """Σ p log (p / q), infinite where p is not 0 and q is: (A,), (A,) -> a number."""
    live = ar.apart(p, 0)
    return ar.average(p[None, live], ar.surprise(p[None, live], q[None, live]))[0]


def guess(A: Array, mu: Array, delta: float) -> float:
    """λ of the quadratic model, where both divergences are Var(A) / 2λ²."""
    spread = float(mu @ (A - mu @ A) ** 2)
    return float(np.sqrt(spread / (2 * delta))) if spread > 0 else 1.0
