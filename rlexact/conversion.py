"""The same model in other numbers: every array is carried over and goes through the door's checks again."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from numbers import Rational
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array, NotExact
from rlexact.door import Parts
from rlexact.outcomes import outcomes_of
from rlexact.places import names_of

if TYPE_CHECKING:
    from rlexact.mdp import MDP

Entry = Callable[[Any], Any]


def model(parts: Parts) -> "MDP":
    from rlexact.mdp import MDP

    door.check_row_sums(parts.kernel, parts.available, parts.ends)
    door.check_gamma(parts.gamma)
    door.check_initial(parts.initial, parts.available.shape[0])
    return MDP.of_parts(door.freeze(parts))


def carry(parts: Parts, entry: Entry, dtype: type = object) -> Parts:
    """Every number changed by `entry`; expected rewards are taken anew from what was given."""

    def array(x: Array) -> Array:
        out: Array = np.empty(np.shape(x), dtype=dtype)
        for i, e in enumerate(np.asarray(x).flat):
            out.flat[i] = entry(e)
        return out

    n_states, n_actions = parts.r.shape
    R = parts.R
    if scipy.sparse.issparse(R):
        R = ar.dense_array(R).reshape(n_states, n_actions, n_states)
    law = parts.law and (*parts.law[:2], array(parts.law[2]), array(parts.law[3]))
    carried = replace(
        parts,
        kernel=ar.kernel_from(array(ar.dense_array(parts.kernel))),
        R=array(R),
        ends=array(parts.ends),
        gamma=entry(parts.gamma),
        initial=None if parts.initial is None else array(parts.initial),
        law=law,
    )
    r = expected(carried)
    return replace(carried, r=r, R=carried.R if law is None else r)


def expected(parts: Parts) -> Array:
    """r(s, a) from the law of the rewards, or from R."""
    n_states, n_actions = parts.available.shape
    if parts.law is not None:
        rows, _, p, rewards = parts.law
        r = ar.zeros(p, n_states * n_actions)
        np.add.at(r, rows, p * rewards)
        return ar.tidy(r.reshape(n_states, n_actions))
    r = door.expected_rewards(ar.dense_array(parts.kernel), parts.R, n_states, n_actions)
    return np.where(parts.available, r, ar.zeros(r, r.shape))


def one_reading(x: float) -> Fraction:
    decimal, binary = Fraction(repr(x)), Fraction(x)
    if decimal != binary:
        raise NotExact(
            f"the float {x!r} is {decimal} as a decimal and {binary} in binary: say which by "
            "to_rational('decimal'), to_rational('binary') or a function"
        )
    return decimal


READINGS: dict[Any, Callable[[float], Fraction]] = {
    None: one_reading,
    "decimal": lambda x: Fraction(repr(x)),
    "binary": Fraction,
}


def to_rational(mdp: "MDP", floats: str | Callable[[float], Fraction] | None) -> "MDP":
    if mdp.world == "rational":
        return mdp
    if mdp.world == "symbolic":
        return model(carry(mdp._parts, rational_of_symbol))
    if not callable(floats) and floats not in READINGS:
        raise ValueError(f"floats={floats!r}: give 'decimal', 'binary' or a function from float to Fraction")
    reading = floats if callable(floats) else READINGS[floats]

    def exactly(x: Any) -> Fraction:
        found = reading(float(x))
        if not isinstance(found, Rational):
            raise NotExact(f"floats({x!r}) gave {found!r}: the function returns a Fraction or an integer")
        return Fraction(found)

    return model(from_law(carry(mdp._parts, exactly)))


def from_law(parts: Parts) -> Parts:
    """Transition probabilities and ends added up again from the law, where each sum was rounded as a float."""
    if parts.law is None:
        return parts
    rows, following, p, _ = parts.law
    flat, ends = ar.zeros(p, parts.kernel.shape), ar.zeros(p, parts.ends.size)
    stays = following >= 0
    np.add.at(flat, (rows[stays], following[stays]), p[stays])
    np.add.at(ends, rows[~stays], p[~stays])
    return replace(parts, kernel=ar.kernel_from(flat), ends=ends.reshape(parts.ends.shape))


def rational_of_symbol(x: Any) -> Fraction:
    if not x.is_Rational:
        raise NotExact(f"{x} is not a rational number: replace its symbols first")
    return Fraction(int(x.p), int(x.q))


def to_float(mdp: "MDP") -> "MDP":
    return model(carry(mdp._parts, float_of, np.float64)) if ar.is_exact(mdp.kernel) else mdp


def float_of(x: Any) -> float:
    try:
        return float(x)
    except TypeError:
        raise NotExact(f"{x} has no float value: replace its symbols first") from None
    except OverflowError:
        raise NotExact("an entry lies beyond the largest float: scale the rewards first") from None


def to_sparse(mdp: "MDP") -> "MDP":
    if mdp.world == "sparse float64":
        return mdp
    parts = to_float(mdp)._parts
    return model(replace(parts, kernel=ar.kernel_from(scipy.sparse.csr_array(parts.kernel))))


def to_dense(mdp: "MDP") -> "MDP":
    return model(replace(mdp._parts, kernel=ar.dense_array(mdp.kernel))) if mdp.world == "sparse float64" else mdp


def to_symbolic(mdp: "MDP", **values: Any) -> "MDP":
    import sympy

    if mdp.world == "symbolic":
        return mdp.replace(**values) if values else mdp
    if not ar.is_exact(mdp.kernel):
        mdp = to_rational(mdp, None)
    exact = model(carry(mdp._parts, lambda x: sympy.Rational(x.numerator, x.denominator)))
    return exact.replace(**values) if values else exact


def read_beside(mdp: "MDP", changes: Mapping[str, Any]) -> "MDP":
    """`replace`: new numbers are read beside the model's own, so that worlds join as they do in `MDP(...)`."""
    from rlexact.mdp import MDP

    like = mdp.r.flat[0]
    given = {name: changes[name] for name in ("gamma", "initial") if name in changes}
    if door.is_place(given.get("initial"), names_of("states", changes.get("states", mdp.states))):
        del given["initial"]
    numbers = door.read({**given, "the model": like})
    joined = numbers.pop("the model")
    if ar.of(joined) is not ar.of(like):
        mdp = to_symbolic(mdp)
    return MDP.of_parts(door.redress(mdp._parts, **{**changes, **numbers}))


def same_model(one: "MDP", other: "MDP") -> bool:
    """World, numbers and names agree."""
    a, b = one._parts, other._parts
    if one.world != other.world or a.r.shape != b.r.shape or (a.initial is None) != (b.initial is None):
        return False
    if (a.states, a.actions) != (b.states, b.actions) or a.gamma != b.gamma:
        return False
    pairs = [(a.r, b.r), (a.ends, b.ends), (a.terminal, b.terminal), (a.available, b.available)]
    if a.initial is not None and b.initial is not None:
        pairs.append((a.initial, b.initial))
    return all(np.array_equal(x, y) for x, y in pairs) and same_kernel(a, b) and same_law(one, other)


def same_kernel(a: Parts, b: Parts) -> bool:
    mine, theirs = ar.entries(a.kernel), ar.entries(b.kernel)
    return all(np.array_equal(x, y) for x, y in zip(mine, theirs, strict=True))


def same_law(one: "MDP", other: "MDP") -> bool:
    """The rewards of each transition agree, not only their means."""
    plain = [m._parts.law is None and not scipy.sparse.issparse(m.R) and m.R.ndim < 3 for m in (one, other)]
    if all(plain):
        return True
    if one._parts.law is None and other._parts.law is None:
        return np.array_equal(paid(one._parts), paid(other._parts))
    pairs = [(s, a) for s in range(one.n_states) for a in range(one.n_actions)]
    return all(set(outcomes_of(one, s, a)) == set(outcomes_of(other, s, a)) for s, a in pairs)


def paid(parts: Parts) -> Array:
    """The reward on each transition that can happen, in the order of the kernel's entries."""
    rows, cols, _ = ar.entries(parts.kernel)
    if scipy.sparse.issparse(parts.R):
        return np.asarray(parts.R[rows, cols])
    return parts.R.reshape(parts.kernel.shape)[rows, cols] if parts.R.ndim == 3 else parts.r.ravel()[rows]
