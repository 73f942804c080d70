"""Models as files that read back equal: `.npz` for floats, `.json` with "p/q" strings for rationals.

A file holds what a model holds (kernel or P, R, r, ends, gamma, initial, terminal, available, the law of the rewards) and
a header with its world, its names and the version of this format. Reading goes through the checks of `MDP(...)` once more,
so a file that was damaged or edited is either a model or an `InvalidMDP` that says which file and what is wrong.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array, NotExact
from rlexact.door import InvalidMDP, Parts
from rlexact.formats import FORMAT, LAW, VERSION, names_in, names_out, read_json, read_npz, write_json, write_npz

if TYPE_CHECKING:
    from rlexact.mdp import MDP

SUFFIXES = {"float64": ".npz", "sparse float64": ".npz", "rational": ".json"}
REWARD_TOLERANCE = 1e-9  # stored and recomputed means differ by the order of a float sum, and by no more


def save(mdp: "MDP", path: str | os.PathLike[str]) -> None:
    """Write a float model to `.npz`, a rational one to `.json`.

    Raises `NotExact` for a symbolic model, `ValueError` for another suffix or a name that no file can hold.
    """
    if mdp.world not in SUFFIXES:
        raise NotExact("a symbolic model has no file form: give its symbols numbers and take it to_rational() first")
    wanted, target = SUFFIXES[mdp.world], Path(path)
    if target.suffix != wanted:
        raise ValueError(f"{target}: a {mdp.world} model is saved as {wanted}")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "world": mdp.world,
        "states": names_out(mdp.states),
        "actions": names_out(mdp.actions),
    }
    write = write_npz if wanted == ".npz" else write_json
    unfinished = target.with_name(target.name + ".part")
    try:
        write(unfinished, header, arrays_of(mdp._parts))
        unfinished.replace(target)  # an older file is replaced only by a whole one
    finally:
        unfinished.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> "MDP":
    """Read what `save` wrote.  Raises `InvalidMDP` if the file is damaged, `ValueError` for another suffix."""
    from rlexact.mdp import MDP

    source = Path(path)
    if source.suffix not in SUFFIXES.values():
        raise ValueError(f"{source}: models are saved as .npz (floats) or .json (rationals)")
    read = read_npz if source.suffix == ".npz" else read_json
    content = source.read_bytes()  # a missing file is no damaged one
    try:
        header, arrays = read(source, content)
        return MDP.of_parts(door.freeze(parts_of(header, arrays)))
    except InvalidMDP as error:
        raise InvalidMDP(f"{source}: {error}") from None
    except Exception as error:  # zip, zlib, NumPy, JSON and SciPy each refuse damaged bytes in their own way
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise InvalidMDP(f"{source} is damaged or no saved model ({what}): save the model again") from None


# -- what is written ------------------------------------------------------------------------------------------------------


def arrays_of(parts: Parts) -> dict[str, Any]:
    """The numbers of a model by name, None where it has none."""
    law = dict(zip(LAW, parts.law or (None,) * 4, strict=True))
    return {
        "P": parts.kernel,
        "R": parts.R,
        "r": parts.r,
        "ends": parts.ends,
        "gamma": parts.gamma,
        "initial": parts.initial,
        "terminal": parts.terminal,
        "available": parts.available,
        **law,
    }


def parts_of(header: Any, arrays: dict[str, Any]) -> Parts:
    """Checked parts; the stored means and law of the rewards are kept where they agree with the rest."""
    shape = np.shape(arrays["available"])
    if len(shape) != 2:
        raise InvalidMDP(f"available has shape {shape}: give (S, A)")
    parts = door.admit(
        P=arrays["P"] if scipy.sparse.issparse(arrays["P"]) else np.reshape(arrays["P"], (*shape, -1)),
        states=names_in("states", header["states"]),
        actions=names_in("actions", header["actions"]),
        **{name: arrays[name] for name in ("R", "gamma", "initial", "terminal", "available", "ends")},
    )
    if (world := ar.of(parts.kernel).NAME) != header["world"]:
        raise InvalidMDP(f"its numbers are {world}, its header says {header['world']!r}")
    parts = with_means(parts, arrays["r"])
    return parts if arrays[LAW[0]] is None else with_law(parts, *(arrays[name] for name in LAW))


def with_means(parts: Parts, r: Any) -> Parts:
    stored = door.beside(parts, "r", r)
    if stored.shape != parts.r.shape:
        raise InvalidMDP(f"r has shape {stored.shape}, the model has {parts.r.shape}")
    wrong = ar.apart(stored, parts.r, REWARD_TOLERANCE * (1.0 + scale(parts)))
    if wrong.any():
        s, a = np.argwhere(wrong)[0]
        raise InvalidMDP(f"r[{s}, {a}] = {stored[s, a]} is not the mean of its rewards, {parts.r[s, a]}")
    return replace(parts, r=stored)


def scale(parts: Parts) -> float:
    values = parts.R.data if scipy.sparse.issparse(parts.R) else parts.R
    return 0.0 if ar.is_exact(parts.r) else float(np.abs(values).max(initial=0.0))


def with_law(parts: Parts, rows: Any, following: Any, p: Any, rewards: Any) -> Parts:
    """The law of the rewards, which must add up to the kernel, to the ends and to the mean rewards."""
    rows, following = (indices(x) for x in (rows, following))
    p, rewards = door.beside(parts, "law", p), door.beside(parts, "law", rewards)
    n_pairs, n_states = parts.kernel.shape
    if not rows.shape == following.shape == p.shape == rewards.shape:
        raise InvalidMDP("the law's rows, next states, probabilities and rewards differ in number")
    outside = (rows < 0) | (rows >= n_pairs) | (following < -1) | (following >= n_states)
    if (outside | ~ar.finite(p) | ar.negative(p) | ~ar.finite(rewards)).any():
        raise InvalidMDP("the law of the rewards holds a place outside the model, or a number that does not fit")
    total = ar.zeros(parts.r, (n_pairs, n_states + 1))  # the last column is the mass that ends
    np.add.at(total, (rows, following), p)
    mean = ar.zeros(parts.r, n_pairs)
    np.add.at(mean, rows, p * rewards)
    whole = np.column_stack([ar.dense_array(parts.kernel), parts.ends.ravel()])
    tolerance = REWARD_TOLERANCE * (1.0 + (0.0 if ar.is_exact(p) else float(np.abs(rewards).max(initial=0.0))))
    if ar.apart(total, whole, door.ROW_SUM_TOLERANCE).any() or ar.apart(mean, parts.r.ravel(), tolerance).any():
        raise InvalidMDP("the law of the rewards does not add up to P, ends and r")
    return replace(parts, law=(rows, following, p, rewards), R=parts.r)


def indices(x: Any) -> Array:
    array = np.asarray(x)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise InvalidMDP("the law's rows and next states are lists of integers")
    return array.astype(np.int64)
