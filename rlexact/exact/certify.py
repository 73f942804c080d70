"""What is certain about values that somebody else computed: bounds on V*, on the error, and on acting greedily.

    lower ≤ V* ≤ upper                     the span bounds around Tv (MacQueen 1966, Porteus 1971)             [K1]
    ‖v - V*‖ ≤ max(upper - v, v - lower),   ‖v - V*‖ ≥ max(lower - v, v - upper)                               [K2]
    V* - V^g ≤ upper - (lower bound on V^g),   g the greedy policy of v                                        [K3]

and the same around V^π where a policy is given. Nothing depends on how v was found: a v whose last change was 10⁻⁶ at
γ = 0.999 can be 10⁻³ off, and [K2] says so. Small models are bounded in rationals, floats being read as the binary fractions
they are, so that no rounding enters; larger ones in floats, with every rounding counted (`contraction`).
"""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array, NotExact
from rlexact.conversion import carry
from rlexact.door import InvalidPolicy
from rlexact.exact.bellman import checked_v, greedy
from rlexact.exact.certified import evaluate
from rlexact.exact.contraction import down, moduli, span_bounds, up
from rlexact.exact.optimal_bound import optimal_bound
from rlexact.mdp import MDP

SMALL = 50_000  # entries of P, S·A·S, up to which a float model is bounded in rationals

Verdict = Literal["met", "missed", "undecided"]


@dataclass(frozen=True, eq=False)
class Bounds:
    """What is certain about v: `lower` ≤ truth ≤ `upper` (S,), the truth being V*, or V^π of a given policy.

    ‖v - truth‖∞ lies between `least_error` and `error_bound`. `regret` (S,) bounds V* - V^policy, for the `policy` (S, A) that
    was given or is greedy for v; it is None at γ = 1 where that policy has no finite value. `exact` says that no rounding was
    counted because none happened.
    """

    lower: Array
    upper: Array
    error_bound: Any
    least_error: Any
    regret: Array | None
    policy: Array
    exact: bool

    def verdict(self, tol: Any) -> Verdict:
        """Is ‖v - truth‖∞ ≤ tol?  'met', 'missed', or 'undecided' where the bounds leave it open: solve again, closer."""
        return "met" if self.error_bound <= tol else "missed" if self.least_error > tol else "undecided"

    def __repr__(self) -> str:
        worst = "no finite value" if self.regret is None else f"{float(ar.largest(self.regret)):.3g}"
        error = f"{float(self.least_error):.3g} ≤ error ≤ {float(self.error_bound):.3g}"
        return f"Bounds({error}, regret ≤ {worst}, {'rationals' if self.exact else 'floats, rounding counted'})"


def certify(mdp: MDP, v: Array, *, policy: Array | None = None, exact: bool | None = None) -> Bounds:
    """Bounds on V* (or on V^π of a policy), on the error of v, and on the regret of acting on it [K1-K3]: (S,) -> `Bounds`.

    `exact` asks for rationals (True) or for the model's own numbers (False); by default rationals where the model is small
    and discounted. Floats are read as binary fractions. Raises `NotExact` where exact=True cannot be had, `InvalidMDP`
    where γ times a row sum reaches 1 below γ = 1, and at γ = 1 what `policy_iteration` raises, and `InvalidPolicy` where the
    given policy has no finite value.
    """
    policy = None if policy is None else mdp.admit(policy)
    read = mdp if exact is False else in_rationals(mdp, policy, insist=exact is True)
    values = checked_v(read, as_guess(read, v))
    pi = greedy(read, values) if policy is None else read.admit(binary(policy) if read is not mdp else policy)
    best = optimal_bound(read, values)
    acting = bounds_if_finite(read, values, pi) if policy is None else policy_bounds(read, values, pi)
    low, high = best if policy is None or acting is None else acting
    return Bounds(
        lower=low,
        upper=high,
        error_bound=up(ar.largest(np.concatenate([high - values, values - low]))),
        least_error=down(largest_positive(np.concatenate([low - values, values - high]))),
        regret=None if acting is None else up(positive(best[1] - acting[0])),
        policy=pi,
        exact=ar.is_exact(read.r),
    )


def in_rationals(mdp: MDP, policy: Array | None, insist: bool) -> MDP:
    """A float model read in binary, its rows as they are, where that is affordable; else the model itself."""
    if ar.is_exact(mdp.r):
        return mdp
    affordable = mdp.kernel.shape[0] * mdp.kernel.shape[1] <= SMALL
    sound = mdp.gamma != 1 and (policy is None or (binary(policy).sum(axis=1)[~mdp.terminal] == 1).all())
    if insist and not sound:
        raise NotExact(
            "read in binary, this policy's rows do not sum to 1, or gamma = 1 and those of P do not: "
            "give rationals, or exact=False"
        )
    return MDP.of_parts(door.freeze(carry(mdp._parts, Fraction))) if sound and (affordable or insist) else mdp


def binary(x: Any) -> Array:
    """Floats as the binary fractions they are, exact numbers unchanged."""
    array = np.asarray(x)
    out = np.empty(array.shape, dtype=object)
    out.reshape(-1)[:] = [ar.as_fraction(entry) for entry in array.flat]
    return out


def as_guess(mdp: MDP, v: Any) -> Array:
    """Values to be judged: floats beside an exact model are read in binary, since nothing is lost by it."""
    exact_v = ar.is_exact(np.asarray(v))
    return binary(v) if ar.is_exact(mdp.r) and not exact_v else np.asarray(v)


def policy_bounds(mdp: MDP, v: Array, policy: Array) -> tuple[Array, Array]:
    """(lower, upper) around V^π.  Raises `InvalidPolicy` at γ = 1 where it is not finite."""
    if mdp.gamma != 1 or moduli(mdp, policy).contracts:
        return span_bounds(mdp, v, policy)
    truth = evaluate(mdp, policy)
    pad = up(truth.error_bound + 4 * ar.unit_roundoff(mdp.r) * np.abs(truth.v))
    return truth.v - pad, truth.v + pad


def bounds_if_finite(mdp: MDP, v: Array, policy: Array) -> tuple[Array, Array] | None:
    try:
        return policy_bounds(mdp, v, policy)
    except InvalidPolicy:
        return None


def positive(x: Array) -> Array:
    return np.where(ar.negative(x), ar.zeros(x, x.shape), x)


def largest_positive(x: Array) -> Any:
    return ar.largest(positive(x))


# -- from the command line --------------------------------------------------------------------------------------------


def main_certify(path_model: str | Path, path_v: str | Path, tol: float | None = None) -> int:
    """`rlexact certify MODEL V`: print what is certain about V.  -> 0, or 1 where `tol` is not certainly met.

    MODEL is what `MDP.save` wrote; V is `.npy`, or a JSON list of numbers and "p/q" strings, or one number per line.
    """
    mdp, v = MDP.load(path_model), read_values(path_v)
    found = certify(mdp, v)
    print(f"{mdp}\n{found}")
    print(f"{'state':>12} {'lower':>24} {'v':>24} {'upper':>24}")
    names = mdp.states or range(mdp.n_states)
    for name, *row in list(zip(names, found.lower, v, found.upper, strict=True))[:20]:
        print(f"{name!s:>12} " + " ".join(f"{float(x):>24.17g}" for x in row))
    if mdp.n_states > 20:
        print(f"({mdp.n_states - 20} more states)")
    if tol is None:
        return 0
    verdict = found.verdict(tol)
    print(f"tolerance {tol:g}: {verdict}")
    return 0 if verdict == "met" else 1


def read_values(path: str | Path) -> Array:
    """Values from a file: (S,).  Raises `ValueError` where it holds none."""
    source = Path(path)
    if source.suffix == ".npy":
        values = np.load(source, allow_pickle=False)
    else:
        text = source.read_text(encoding="utf-8")
        values = ar.read({"v": json.loads(text) if source.suffix == ".json" else text.split()})["v"]
    if np.ndim(values) != 1:
        raise ValueError(f"{source} holds an array of shape {np.shape(values)}: give one value per state")
    return np.asarray(values)
