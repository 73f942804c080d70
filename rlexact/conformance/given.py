"""What somebody hands in, read into the model's own numbers: floats as the binary fractions they are."""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotANumber
from rlexact.conformance.findings import InvalidValues
from rlexact.conformance.wrong_models import Table
from rlexact.door import ROW_SUM_TOLERANCE
from rlexact.interop.gymnasium import from_gymnasium, is_environment, outcome_table
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import deterministic


def modelled(model: Any, gamma: Any) -> tuple[MDP, Table | None]:
    """The model, and the outcomes as its environment lists them where there is one."""
    if isinstance(model, MDP):
        if gamma is not None and gamma != model.gamma:
            raise InvalidMDP(
                f"the model has gamma = {model.gamma}, not {gamma}: audit model.replace(gamma=...) instead"
            )
        return model, None
    if not is_environment(model):
        raise InvalidMDP(
            f"a {type(model).__name__} is no model: give an MDP, an environment with a table P, or a table"
        )
    if gamma is None:
        raise InvalidMDP("an environment has no discount: give gamma")
    return from_gymnasium(model, gamma), outcome_table(model)


def read_values(mdp: MDP, name: str, given: Any) -> Array:
    """Somebody's numbers in the model's own, 0 where nothing is asked.  Raises `InvalidValues`."""
    asked = np.ones(mdp.n_states, dtype=bool) if name == "v" else mdp.available
    try:
        array = np.asarray(given)
    except ValueError:
        raise InvalidValues(f"{name} is ragged: its rows differ in length") from None
    if array.shape != asked.shape:
        hint = ": transpose it" if array.shape == asked.shape[::-1] else ""
        raise InvalidValues(f"{name} has shape {array.shape}, the model asks for {asked.shape}{hint}")
    out = ar.zeros(mdp.r, asked.shape)
    for index in map(tuple, np.argwhere(asked)):
        try:
            out[index] = ar.number(mdp.r, ar.as_fraction(array[index]))
        except NotANumber:
            where = ", ".join(map(str, index))
            raise InvalidValues(f"{name}[{where}] = {array[index]} is not a finite number") from None
    return out


def read_policy(mdp: MDP, given: Any) -> Array:
    """Somebody's policy in the model's own numbers: (S,) actions or (S, A) -> (S, A).  Raises `InvalidPolicy`."""
    shape = mdp.r.shape
    try:
        array = np.asarray(given)
    except ValueError:
        raise InvalidPolicy("policy is ragged: its rows differ in length") from None
    if array.ndim == 1:
        return deterministic(mdp, array.tolist())
    if array.shape == shape[::-1] != shape:
        raise InvalidPolicy(f"policy has shape {array.shape}, the model has {shape}: transpose it")
    try:
        return mdp.admit(lifted(mdp, array))
    except InvalidPolicy as error:
        if array.shape == shape[::-1] and np.allclose(np.sum(array, axis=0).astype(float), 1):
            raise InvalidPolicy(f"{error}; its columns do: transpose it") from None
        raise


def lifted(mdp: MDP, array: Array) -> Array:
    """Floats in the model's own numbers; rows that miss 1 by the rounding of their dtype are divided by their sum."""
    if array.shape != mdp.r.shape or array.dtype.kind != "f" or not np.isfinite(array).all():
        return array
    numbers = np.array([[ar.number(mdp.r, ar.as_fraction(x)) for x in row] for row in array.tolist()])
    sums = numbers.sum(axis=1)[:, None]
    rounding = max(ROW_SUM_TOLERANCE, mdp.n_actions * float(np.finfo(array.dtype).eps))
    return np.where(np.abs(sums - 1) <= rounding, numbers / np.where(sums == 0, 1 + 0 * sums, sums), numbers)
