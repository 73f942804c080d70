"""Models as files that read back equal: `.npz` for floats, `.json` with "p/q" strings for rationals.

A file holds what a model holds (kernel or P, R, r, ends, gamma, initial, terminal, available, the law of the rewards) and
a header with its world, its names and the version of this format. Reading goes through the checks of `MDP(...)` once more,
so a file that was damaged or edited is either a model or an `InvalidMDP` that says which file and what is wrong.
"""

import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array, NotExact
from rlexact.door import InvalidMDP, Parts

if TYPE_CHECKING:
    from rlexact.mdp import MDP

FORMAT, VERSION = "rlexact MDP", 1
SUFFIXES = {"float64": ".npz", "sparse float64": ".npz", "rational": ".json"}
LAW = ("law_rows", "law_next", "law_probabilities", "law_rewards")
ARRAYS = ("P", "R", "r", "ends", "gamma", "initial", "terminal", "available", *LAW)
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


# -- NumPy's archive ------------------------------------------------------------------------------------------------------


def write_npz(path: Path, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    flat: dict[str, Any] = {}
    for name, x in arrays.items():
        if scipy.sparse.issparse(x):
            flat |= {f"{name}_{part}": getattr(x, part) for part in ("data", "indices", "indptr", "shape")}
        elif x is not None:
            flat[name] = x
    with path.open("wb") as file:
        np.savez_compressed(file, header=np.array(json.dumps(header)), **flat)


def read_npz(path: Path, content: bytes) -> tuple[Any, dict[str, Any]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        header = checked_header(json.loads(str(archive["header"])))
        flat = {name: archive[name] for name in archive.files}

    def array(name: str) -> Any:
        if f"{name}_indptr" not in flat:
            return flat.get(name) if name in ("initial", *LAW) else flat[name]
        data, where, starts, shape = (flat[f"{name}_{part}"] for part in ("data", "indices", "indptr", "shape"))
        matrix = scipy.sparse.csr_array((data, where, starts), shape=tuple(int(n) for n in shape))
        matrix.check_format(full_check=True)
        return matrix

    return header, {name: array(name) for name in ARRAYS}


# -- JSON -----------------------------------------------------------------------------------------------------------------


def write_json(path: Path, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    n_states, n_actions = arrays["available"].shape
    P = ar.dense_array(arrays["P"]).reshape(n_states, n_actions, n_states)
    plain = {name: listed(x) for name, x in {**arrays, "P": P}.items()}
    lines = (
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in {**header, **plain}.items()
    )
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def listed(x: Any) -> Any:
    """Nested lists with every rational as "p/q"; truth values and indices as they are."""
    if x is None:
        return None
    array = np.asarray(x)
    return array.tolist() if array.dtype != object else nested(str, array.tolist())


def nested(each: Callable[[Any], Any], x: Any) -> Any:
    return [nested(each, y) for y in x] if isinstance(x, list) else each(x)


def read_json(path: Path, content: bytes) -> tuple[Any, dict[str, Any]]:
    data = checked_header(json.loads(content.decode("utf-8")))
    arrays = {name: data[name] for name in ARRAYS}
    for name in set(ARRAYS) - {"terminal", "available", "law_rows", "law_next"}:
        nested(partial(check_string, name), arrays[name])
    return data, arrays


def check_string(name: str, x: Any) -> None:
    if not (isinstance(x, str) or x is None):
        raise InvalidMDP(f'{name} holds {x!r}: every number is a string such as "1/3"')


# -- header and names -----------------------------------------------------------------------------------------------------


def checked_header(header: Any) -> Any:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InvalidMDP("this is no saved model")
    if header.get("version") != VERSION:
        raise InvalidMDP(f"its format is version {header.get('version')}, this rlexact reads {VERSION}: update rlexact")
    return header


def names_out(names: tuple[Any, ...] | None) -> Any:
    return None if names is None else [name_out(name) for name in names]


def name_out(name: Any) -> Any:
    """Strings, truth values, integers, floats and None as JSON writes them; a tuple as {"tuple": [...]}."""
    if type(name) is tuple:
        return {"tuple": [name_out(part) for part in name]}
    if name is None or type(name) in (str, bool, int, float):
        return name
    raise ValueError(
        f"no file form for the name {name!r} of type {type(name).__name__}: replace(states=...) with strings"
    )


def names_in(what: str, names: Any) -> Any:
    if names is not None and not isinstance(names, list):
        raise InvalidMDP(f"{what} = {names!r}: a list of names, or null")
    return None if names is None else [name_in(name) for name in names]


def name_in(name: Any) -> Any:
    return tuple(name_in(part) for part in name["tuple"]) if isinstance(name, dict) else name
