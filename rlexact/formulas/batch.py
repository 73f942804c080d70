"""The door of the numeric layer: what a batch must satisfy, said once.

Numbers of one world, finite, of one shape (or scalars), at least one of them; flags are booleans; parameters lie in their
range. Shapes are never broadcast against each other: (B, 1) beside (B,) would quietly become (B, B).
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.rows import ROW_SUM_TOLERANCE


class InvalidBatch(ValueError):
    """A batch that a formula cannot be computed on: the message says which argument, what was found, what to do."""


def read(*, optional: Collection[str] = (), **given: Any) -> list[Array]:
    """Arguments by name -> arrays of one world, each finite; None stays None where it is `optional`, and is refused elsewhere.

    float32 and float16 arrays keep their precision where no float64 array stands beside them; complex numbers pass, so that
    derivatives can be taken by a complex step. Raises `InvalidBatch` (NaN, infinity) and `MixedNumbers`.
    """
    for name, value in given.items():
        if value is None and name not in optional:
            raise InvalidBatch(f"{name} is missing: give numbers")
    if any(np.iscomplexobj(x) for x in given.values() if x is not None):
        arrays: Mapping[str, Any] = {name: None if x is None else np.asarray(x) for name, x in given.items()}
    else:
        try:
            arrays = ar.read(given)
        except ar.NotANumber as error:
            raise InvalidBatch(str(error)) from None
    for name, array in arrays.items():
        if array is not None:
            refuse_where(~np.asarray(ar.finite(array)), name, array, "that are finite")
    narrow = narrow_float(given)
    return [x if x is None or narrow is None or x.dtype == object else x.astype(narrow) for x in arrays.values()]


def narrow_float(given: Mapping[str, Any]) -> np.dtype[Any] | None:
    """The float narrower than float64 that all float arrays share the most of, or None."""
    kinds = {x.dtype for x in given.values() if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.ndim}
    widest = np.result_type(*kinds) if kinds else np.dtype(np.float64)
    return widest if widest.itemsize < 8 else None


def numbers(*, optional: Collection[str] = (), **given: Any) -> list[Array]:
    """Arguments by name -> arrays of one world and one shape, scalars left as they are.  Raises `InvalidBatch`."""
    arrays = read(optional=optional, **given)
    same_shape({name: x for name, x in zip(given, arrays, strict=True) if x is not None})
    return arrays


def same_shape(arrays: Mapping[str, Array]) -> tuple[int, ...]:
    """The one shape that all arrays share, () for scalars alone.  Raises `InvalidBatch` where they differ or are empty."""
    shaped = {name: x.shape for name, x in arrays.items() if x.ndim}
    if len(set(shaped.values())) > 1:
        said = ", ".join(f"{name} {shape}" for name, shape in shaped.items())
        raise InvalidBatch(f"shapes differ: {said}. Give arrays of one shape, or scalars")
    shape = next(iter(shaped.values()), ())
    if 0 in shape:
        raise InvalidBatch(f"{next(iter(shaped))} has shape {shape}: an empty batch has no answer")
    return shape


def flags(shape: tuple[int, ...], **given: Any) -> list[Array]:
    """Boolean arrays of this shape; None becomes False throughout.  Raises `InvalidBatch` for numbers: 1.0 is no flag."""
    out = []
    for name, value in given.items():
        array = np.zeros(shape, dtype=bool) if value is None else np.asarray(value)
        if array.dtype != bool:
            raise InvalidBatch(f"{name} has dtype {array.dtype}: give booleans")
        if array.shape != shape:
            raise InvalidBatch(f"{name} has shape {array.shape}, the numbers have {shape}")
        out.append(array)
    return out


def within(low: Any, high: Any, **given: Array) -> None:
    """Every entry lies in [low, high]; None leaves a side open.  Raises `InvalidBatch`."""
    said = f"at least {low}" if high is None else f"at most {high}" if low is None else f"in [{low}, {high}]"
    for name, x in given.items():
        if low is not None:
            refuse_where(ar.negative(np.real(x) - low), name, x, said)
        if high is not None:
            refuse_where(ar.negative(high - np.real(x)), name, x, said)


def positive(**given: Array) -> None:
    """Every entry is above 0.  Raises `InvalidBatch`."""
    for name, x in given.items():
        refuse_where(ar.negative(np.real(x)) | ~ar.apart(np.real(x), 0), name, x, "above 0")


def of_shape(shape: tuple[int, ...], **given: Array) -> None:
    """Every array has this shape or is a scalar.  Raises `InvalidBatch`."""
    for name, x in given.items():
        if x.shape not in (shape, ()):
            raise InvalidBatch(f"{name} has shape {x.shape}: give shape {shape} or a scalar")


def vectors(**given: Array) -> tuple[int, ...]:
    """The shape (..., n) that all share.  Raises `InvalidBatch` for scalars: a sum over coordinates needs their axis."""
    for name, x in given.items():
        if x.ndim == 0:
            raise InvalidBatch(f"{name} is a scalar: give its coordinates on the last axis, shape (n,) or (..., n)")
    return same_shape(given)


def floats(**given: Any) -> list[Array]:
    """As `numbers`, for functions that NumPy and SciPy have in floats only.  Raises `NotExact` for exact numbers."""
    arrays = numbers(**given)
    for name, x in zip(given, arrays, strict=True):
        if x is not None and ar.is_exact(x):
            raise ar.NotExact(f"{name} is exact, and this function of it is not rational: give floats")
    return arrays


def refuse_where(bad: Any, name: str, x: Array, said: str) -> None:
    if np.any(bad):
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f"[{', '.join(map(str, index))}]" if index else ""
        raise InvalidBatch(f"{name}{where} = {np.asarray(x)[index]}: give numbers {said}")


def distributions(**given: Any) -> list[Array]:
    """Arguments by name -> arrays of one world and one shape whose last axis holds the probabilities of one distribution.

    Each row sums to 1: within 1e-8 for floats (their own rounding, where they are narrower), exactly for exact numbers.
    """
    arrays = numbers(**given)
    for name, p in zip(given, arrays, strict=True):
        if p.ndim == 0:
            raise InvalidBatch(f"{name} is a scalar: give probabilities on the last axis, shape (..., N)")
        sum_to_one(name, p, -1)
    return arrays


def sum_to_one(name: str, p: Array, axis: int | tuple[int, ...]) -> None:
    """Entries of at least 0 that sum to 1 along the axis.  Raises `InvalidBatch`."""
    within(0, None, **{name: p})
    rounding = 8 * np.finfo(p.dtype).eps if p.dtype.kind == "f" else 0.0
    sums = np.asarray(np.real(p).sum(axis=axis))
    refuse_where(ar.apart(sums, 1, max(ROW_SUM_TOLERANCE, rounding)), f"the sum of {name}", sums, "that sum to 1")


def beside(samples: Mapping[str, Array], **rows: Array) -> tuple[int, ...]:
    """The shape of the samples; each of `rows` has it with one more axis at its end (actions, atoms, quantiles).

    Raises `InvalidBatch` where shapes differ, where a row is a scalar, and for empty batches and rows.
    """
    for name, x in rows.items():
        if x.ndim == 0:
            raise InvalidBatch(f"{name} is a scalar: give a row for each sample, shape (..., N)")
    same_shape(rows)
    return same_shape({**samples, **{name: x[..., 0] for name, x in rows.items()}})


def taken(x: Array, actions: Any) -> Array:
    """(..., A), (...) integers -> (...): of each row the entry that its action names.  Raises `InvalidBatch`."""
    a = np.asarray(actions)
    if a.dtype.kind not in "iu" or a.shape != x.shape[:-1]:
        raise InvalidBatch(f"actions {a.dtype} {a.shape} beside rows {x.shape}: give one integer for each row")
    within(0, x.shape[-1] - 1, actions=a)
    return np.asarray(np.take_along_axis(x, a[..., None], axis=-1)[..., 0])


def time_major(**given: Array) -> tuple[int, ...]:
    """The shape (T, ...) that all share.  Raises `InvalidBatch` for scalars: a trajectory needs its time axis."""
    for name, x in given.items():
        if x.ndim == 0:
            raise InvalidBatch(f"{name} is a scalar: give its time axis first, shape (T,) or (T, B)")
    return same_shape(given)
