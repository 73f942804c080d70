"""A primal-dual certificate: an answer that a checker of a few lines can verify without trusting any solver.

A pair of feasible points of the two linear programs of the model (Puterman 1994, §6.9),

    v(s) ≥ r(s, a) + γ Σ_s' p(s' | s, a) v(s')                                                          primal  [K4]
    x ≥ 0,   Σ_a x(s', a) = start(s') + γ Σ_{s,a} x(s, a) p(s' | s, a)                                    dual  [K5]
    gap = start · v - Σ r x ≥ 0                                                                                 [K6]
    w(s) ≥ 1 + γ Σ_s' p(s' | s, a) w(s')                                              every policy has a value  [K7]

so that Σ r x ≤ start · V* ≤ start · v, and V* ≤ v on every state: by [K7] the backup is monotone and contracts in the norm
max |v| / w, at γ = 1 too, so repeating it takes v down to V*. Values that violate [K4] by at most c are mended by adding
c w. `rlexact/certificate_check.py` checks all of it from the model's file, and shares no code with this one.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array, NotExact
from rlexact.exact.bellman import backup, checked_v, greedy
from rlexact.exact.certify import as_guess, largest_positive
from rlexact.exact.contraction import contraction_modulus
from rlexact.exact.evaluation import visits
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.exact.reach import indicator
from rlexact.mdp import MDP
from rlexact.solution import Unbounded


@dataclass(frozen=True, eq=False)
class Certificate:
    """A primal-dual pair [K4-K7]: `values` (S,), `occupancy` (S, A), the `start` (S,) it belongs to, `steps` w (S,), `gap`.

    Σ r x ≤ start · V* ≤ start · v; with gap 0 and a start that is positive wherever something can be done, v = V*.
    """

    values: Array
    occupancy: Array
    start: Array
    steps: Array
    gap: Any

    def save(self, path: str | Path) -> None:
        """Write it as JSON, every number a string "p/q"."""
        numbers = {name: listed(getattr(self, name)) for name in ("values", "occupancy", "start", "steps", "gap")}
        text = json.dumps({"format": "rlexact certificate", "version": 1, **numbers}, indent=1)
        Path(path).write_text(text + "\n", encoding="utf-8")


def certificate(mdp: MDP, v: Array | None = None, *, start: Any = None) -> Certificate:
    """A primal-dual certificate [K4-K7] around given values, or around V* (gap 0): (S,) -> `Certificate`.

    `start` is a state or a (S,) distribution, even over the states that are not terminal by default. Values that are not
    feasible are raised along w until they are. Raises `NotExact` unless the model is rational (`to_rational()` first), and
    `Unbounded` at γ = 1 where some policy never ends.
    """
    if mdp.world != "rational":
        raise NotExact(f"certificates hold rationals and the model is {mdp.world}: take it to_rational() first")
    w, rho = remaining_steps(mdp), start_law(mdp, start)
    guess = policy_iteration(mdp).v if v is None else checked_v(mdp, as_guess(mdp, v))
    guess = np.where(mdp.terminal, ar.zeros(mdp.r, mdp.n_states), guess)
    short = (backup(mdp, guess) - guess[:, None])[mdp.available]
    raised = guess + largest_positive(short) * w
    pi = greedy(mdp, raised)
    x = np.where(mdp.available, visits(mdp.replace(initial=rho), pi)[:, None] * pi, ar.zeros(mdp.r, mdp.r.shape))
    return Certificate(raised, x, rho, w, (rho * raised).sum() - (x * mdp.r).sum())


def remaining_steps(mdp: MDP) -> Array:
    """w [K7]: 1 / (1 - m) with the modulus m of the model; at γ = 1 the most steps that any policy expects."""
    live = indicator(mdp, ~mdp.terminal)
    if mdp.gamma != 1:
        return np.asarray(live / (1 - contraction_modulus(mdp)))
    one = indicator(mdp, mdp.available)
    try:
        return policy_iteration(MDP.of_parts(door.freeze(replace(mdp._parts, R=one, r=one, law=None)))).v
    except Unbounded as error:
        raise Unbounded(f"at gamma = 1 a certificate needs every policy to end ({error})") from None


def start_law(mdp: MDP, start: Any) -> Array:
    if start is not None:
        return mdp.replace(initial=start).initial
    live = indicator(mdp, ~mdp.terminal)
    return np.asarray(live / live.sum())


def listed(x: Any) -> Any:
    return [listed(y) for y in x] if isinstance(x, np.ndarray) else str(x)
