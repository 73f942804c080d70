"""The law of the return, and what is left of it on a fixed support or as a few quantiles.

    law of r + γ G',  (r, s') one step of s under π,  G' ~ law(s')             [Z1]  bellman_law: (T^π law)(s)
    n-step return = (T^π)^n applied to the point mass at 0                     [Z2]  return_laws, return_law
    C51: mass at x goes to the neighbours z_j ≤ x ≤ z_{j+1} in proportion to nearness, beyond the ends to the end    [Z3]
    quantiles F⁻¹((2i - 1) / 2n), i = 1 ... n, F⁻¹(u) = min{x : F(x) ≥ u}      [Z4]  the nearest n equal masses in W_1
    W_p^p = ∫₀¹ |F⁻¹(u) - G⁻¹(u)|^p du,     ℓ₂² = ∫ (F(x) - G(x))² dx          [Z5]  wasserstein, cramer

Bellemare, Dabney and Munos (2017), (7) for [Z3]; Dabney et al. (2018), Lemma 2 for [Z4]; Rowland et al. (2018), §2 and
Proposition 1 for ℓ₂. A law is a dictionary {value: probability}; in rationals equal values meet, every mass is exact, and
[Z3] keeps the mass and, between the ends of the support, the mean. In floats values meet only where they are the same float.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.mdp import MDP
from rlexact.outcomes import outcomes_of

Law = dict[Any, Any]


class TooManyAtoms(ValueError):
    """A law has more values than the limit: the message says after how many steps."""


def return_law(mdp: MDP, policy: Array, steps: int, start: Any = None, *, limit: int = 100_000) -> Law:
    """The law of Σ_{t<steps} γ^t r_t [Z2]: (S, A) -> {value: probability}, values ascending.

    `start` is a state or a (S,) distribution, `mdp.initial` by default. Raises `TooManyAtoms` above `limit` values.
    """
    rho = mdp.initial if start is None else mdp.replace(initial=start).initial
    return mixed(zip(rho, return_laws(mdp, policy, steps, limit=limit), strict=True))


def return_laws(mdp: MDP, policy: Array, steps: int, *, limit: int = 100_000) -> list[Law]:
    """The law of the return of `steps` steps from every state [Z2]: (S, A) -> [{value: probability}, ...]."""
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 0:
        raise ValueError(f"steps = {steps!r}: give a whole number of steps, 0 or more")
    laws = [nothing(mdp)] * mdp.n_states
    for n in range(steps):
        laws = bellman_law(mdp, policy, laws)
        if (most := max(map(len, laws))) > limit:
            raise TooManyAtoms(
                f"after {n + 1} of {steps} steps a law has {most:,} values, above {limit:,}: fewer, or limit="
            )
    return laws


def bellman_law(mdp: MDP, policy: Array, laws: Sequence[Mapping[Any, Any]]) -> list[Law]:
    """T^π on laws [Z1]: one law per state -> one per state; a terminal state's is the point mass at 0."""
    pi = mdp.admit(policy)

    def after(reward: Any, nxt: int | None) -> Law:
        following = nothing(mdp) if nxt is None or mdp.terminal[nxt] else laws[nxt]
        return {settled(reward + mdp.gamma * x): p for x, p in following.items()}

    def backed_up(s: int) -> Law:
        actions = np.flatnonzero(ar.apart(pi[s], 0))
        return mixed((pi[s, a] * p, after(r, nxt)) for a in actions for p, nxt, r, _ in outcomes_of(mdp, s, int(a)))

    return [nothing(mdp) if mdp.terminal[s] else backed_up(s) for s in range(mdp.n_states)]


def categorical_backup(mdp: MDP, policy: Array, probabilities: Array, support: Any) -> Array:
    """One backup of C51 in expectation, T^π and then [Z3]: (S, n) masses on the support -> (S, n)."""
    laws = bellman_law(mdp, policy, [law_on(support, row) for row in probabilities])
    return np.array([project_categorical(law, support) for law in laws])


# -- laws -------------------------------------------------------------------------------------------------------------


def law_on(values: Any, probabilities: Any) -> Law:
    """Masses on values as a law: (n,), (n,) -> {value: probability}, without the values that have no mass."""
    read = ar.read({"values": values, "probabilities": probabilities})
    return mixed((p, {x: p * 0 + 1}) for x, p in zip(read["values"], read["probabilities"], strict=True))


def mean(law: Mapping[Any, Any]) -> Any:
    """Σ_x x p(x)."""
    return settled(sum(x * p for x, p in law.items()))


def nothing(mdp: MDP) -> Law:
    return {ar.number(mdp.r, 0): ar.number(mdp.r, 1)}


def settled(x: Any) -> Any:
    return ar.tidy(np.asarray(x))[()]


def mixed(weighted: Any) -> Law:
    """Σ weight · law over pairs (weight, law): equal values meet, values without mass go, the rest ascends."""
    total: defaultdict[Any, Any] = defaultdict(int)
    for weight, law in weighted:
        for x, p in law.items():
            total[x] += weight * p
    found = {x: settled(p) for x, p in total.items()}
    return ascending({x: p for x, p in found.items() if p != 0})


def ascending(law: Law) -> Law:
    """The law in the order of its values, where numbers have an order; undecided symbols stay as they came."""
    try:
        return dict(sorted(law.items(), key=lambda item: item[0]))
    except TypeError:
        return law


def in_order(law: Mapping[Any, Any]) -> tuple[list[Any], list[Any]]:
    """Values, ascending, and their cumulative masses.  Raises `NotExact` where symbols leave the order open."""
    try:
        values = sorted(law)
    except TypeError:
        raise NotExact("which value is larger depends on the symbols: give them numbers first") from None
    return values, list(accumulate(law[x] for x in values))


# -- projections and distances ----------------------------------------------------------------------------------------


def project_categorical(law: Mapping[Any, Any], support: Any) -> Array:
    """Masses on a fixed ascending support [Z3]: law, (n,) -> (n,), adding up to the mass of the law."""
    values, _ = in_order(law)
    z = ar.read({"support": support, "values": values})["support"]
    if z.size < 2 or not all(a < b for a, b in pairwise(z)):
        raise ValueError(f"support = {list(z)}: give at least two values, ascending")
    masses = ar.zeros(z, z.size)
    for x in values:
        inside = min(max(x, z[0]), z[-1])
        j = min(bisect_right(z, inside), z.size - 1) - 1
        share = (inside - z[j]) / (z[j + 1] - z[j])
        masses[j] += law[x] * (1 - share)
        masses[j + 1] += law[x] * share
    return masses


def project_quantiles(law: Mapping[Any, Any], n: int) -> Array:
    """The n values, of mass 1/n each, nearest to the law in W_1 [Z4]: -> (n,), ascending."""
    if n < 1:
        raise ValueError(f"n = {n}: give 1 quantile or more")
    values, reached = in_order(law)
    return np.array([values[first(reached, 2 * n, 2 * i + 1)] for i in range(n)])


def first(reached: list[Any], denominator: int, numerator: int) -> int:
    """The first index where the cumulative mass is at least numerator / denominator (the last one if none, by rounding)."""
    return next((k for k, mass in enumerate(reached) if mass * denominator >= numerator), len(reached) - 1)


def wasserstein(one: Mapping[Any, Any], other: Mapping[Any, Any], order: int = 1) -> Any:
    """W_p^p, the p-th power of the Wasserstein distance of order p = 1, 2, ... [Z5]: it is rational where the laws are."""
    if order < 1:
        raise ValueError(f"order = {order}: give 1 or more")
    (xs, F), (ys, G) = in_order(one), in_order(other)
    i = j = 0
    total = below = 0 * F[0]
    while i < len(xs) and j < len(ys):
        reached = min(F[i], G[j])
        total, below = total + (reached - below) * abs(xs[i] - ys[j]) ** order, reached
        i, j = i + (F[i] == reached), j + (G[j] == reached)
    return total


def cramer(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> Any:
    """ℓ₂² = ∫ (F - G)² dx, the square of the Cramér distance [Z5]."""
    grid, _ = in_order({**one, **other})
    gaps = accumulate(one.get(x, 0) - other.get(x, 0) for x in grid)
    return sum(
        (gap * gap * (right - left) for gap, left, right in zip(gaps, grid, grid[1:], strict=False)), start=0 * grid[0]
    )
