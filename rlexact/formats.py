"""The two file formats of `storage`: named arrays and a header, as NumPy's archive or as JSON.

`.npz` holds float arrays bit by bit (a sparse matrix as data, indices, indptr and shape) and the header as a JSON string;
`.json` holds nested lists with every rational as "p/q". What is read back is not yet a model: `storage` judges it.
"""

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.invalid import InvalidMDP

FORMAT, VERSION = "rlexact MDP", 1
LAW = ("law_rows", "law_next", "law_probabilities", "law_rewards")
ARRAYS = ("P", "R", "r", "ends", "gamma", "initial", "terminal", "available", *LAW)


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
