"""The maximum of unknown means, estimated: E max_a X_a is too high, E Y_{argmax X} is too low, each exactly so.

    single      max_a X_a                              Pr(max ≤ x) = Π_a F_a(x)                          [M1]  single_max_law
    double      Y_A,  A the first maximiser of X       Pr(A = a) = Σ_x p_a(x) Π_{b<a} F_b(x⁻) Π_{b>a} F_b(x)
                                                       E = Σ_a Pr(A = a) E Y_a                           [M2]  double_max_law

for independent estimates X_a of the means, with finite laws {value: probability}, and second ones Y_a independent of the
first. By Jensen's inequality E max_a X_a ≥ max_a E X_a; a weighted mean of means is at most their maximum, so [M2] is never
above it. `sample_mean` makes the law of an estimate from that of one draw. Van Hasselt (2010), §2 and Lemma 1.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import ROW_SUM_TOLERANCE
from rlexact.exact.distribution import Law, TooManyAtoms, ascending, in_order, mixed, settled
from rlexact.exact.estimator_law import EstimatorLaw, counted, law_of

Laws = Sequence[Mapping[Any, Any]]


def single_max_law(laws: Laws) -> EstimatorLaw:
    """Mean, variance and bias of max_a X_a [M1]: one {value: probability} per action -> law, its target max_a E X_a."""
    grid, p = on_one_grid(laws)
    upto = p.cumsum(axis=1)
    mass = ar.tidy(upto.prod(axis=0) - (upto - p).prod(axis=0))
    return law_of(mass, grid, highest_mean(grid, p))


def double_max_law(laws: Laws, second: Laws | None = None) -> EstimatorLaw:
    """Mean, variance and bias of Y_A [M2]: X by `laws`, Y by `second`, which has the same laws if not given -> law.

    The target is max_a E Y_a, which is max_a E X_a where both are without bias.
    """
    grid, p = on_one_grid(laws)
    values, q = (grid, p) if second is None else on_one_grid(second)
    if len(q) != len(p):
        raise ValueError(f"{len(p)} laws to choose by and {len(q)} to value by: give one of each for every action")
    return law_of(ar.tidy(first_maximiser(p) @ q), values, highest_mean(values, q))


def chosen_first(laws: Laws) -> Array:
    """Pr(A = a), A the first maximiser of X: one law per action -> (A,)."""
    return first_maximiser(on_one_grid(laws)[1])


def sample_mean(law: Mapping[Any, Any], n: int, *, limit: int = 100_000) -> Law:
    """The law of the mean of n independent draws: {value: probability} -> the same.  Raises `TooManyAtoms` above `limit`."""
    one = checked_law(law)
    total = one
    for _ in range(counted(n, "draws") - 1):
        total = mixed((p * q, {x + y: p * 0 + 1}) for (x, p), (y, q) in product(total.items(), one.items()))
        if len(total) > limit:
            raise TooManyAtoms(f"the mean of {n} draws has more than {limit:,} values: fewer draws, or limit=")
    share = ar.number(np.array(list(one)), Fraction(1, n))
    return ascending({settled(share * x): p for x, p in total.items()})


# -- the pieces -------------------------------------------------------------------------------------------------------


def first_maximiser(p: Array) -> Array:
    """Masses (A, n) on one ascending grid -> Pr(first maximiser is a), (A,)."""
    upto = p.cumsum(axis=1)
    below = upto - p
    wins = [p[a] * below[:a].prod(axis=0) * upto[a + 1 :].prod(axis=0) for a in range(len(p))]
    return ar.tidy(np.array(wins).sum(axis=1))


def highest_mean(grid: Array, p: Array) -> Any:
    return ar.largest(ar.tidy(p @ grid))


def on_one_grid(laws: Laws) -> tuple[Array, Array]:
    """Laws of one world as masses on the union of their values, ascending: -> (n,), (A, n)."""
    if not len(laws):
        raise ValueError("no laws: give one {value: probability} for each action")
    checked = [checked_law(law) for law in laws]
    everything = ar.read({f"laws[{a}]": list(law) + list(law.values()) for a, law in enumerate(checked)})
    read = [everything[f"laws[{a}]"] for a in range(len(laws))]
    atoms = [dict(zip(x[: x.size // 2], x[x.size // 2 :], strict=True)) for x in read]
    grid, _ = in_order({x: 0 for law in atoms for x in law})
    like = read[0]
    p = ar.zeros(like, (len(atoms), len(grid)))
    for a, law in enumerate(atoms):
        p[a] = [law.get(x, 0) for x in grid]
    values = ar.zeros(like, len(grid))
    values[:] = grid
    return values, p


def checked_law(law: Mapping[Any, Any]) -> Law:
    """A finite law in the numbers of one world.  Raises `ValueError` unless it is one."""
    read = ar.read({"values": list(law), "probabilities": list(law.values())})
    x, p = read["values"], read["probabilities"]
    if not x.size or not (ar.finite(x) & ar.finite(p)).all() or ar.negative(p).any():
        raise ValueError(f"{dict(law)} is no law: give {{value: probability}}, finite values, probabilities at least 0")
    if ar.apart(np.asarray(p.sum()), 1, ROW_SUM_TOLERANCE).any():
        raise ValueError(f"probabilities of {dict(law)} sum to {p.sum()}: they must sum to 1")
    return mixed((q, {v: q * 0 + 1}) for v, q in zip(x, p, strict=True))
