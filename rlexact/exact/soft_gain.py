"""Soft control without a discount: can entropy pay for going on for ever?

Let every pair of the support (available, μ > 0) be taken now and then: that is what soft-optimal policies do. In an *end
component* C of such pairs (`end_components`) a policy can stay for ever, and the most it can then earn per step, entropy
included, is the soft gain g of C: the one number for which some h has

    g + h(s) = τ log Σ_{a ∈ C(s)} μ(a | s) exp((r(s, a) + Σ_s' p(s' | s, a) h(s')) / τ),   s ∈ C.      [L1]

For any h at all, min_C (T_C h - h) ≤ g ≤ max_C (T_C h - h) (Collatz and Wielandt; Akian and Gaubert 2003), so a good h
certifies the sign of g. Where steps are deterministic, g = τ log of the spectral radius of M[s, s'] = Σ_a μ exp(r / τ), and
exp(V / τ) = Σ_n Mⁿ b (Todorov 2007): it is finite just if every g < 0. In general, at γ = 1,

    some g > 0      V* = +∞: stay in C for n steps, then leave.
    all g < 0       V* is finite wherever the support leads to an end.
    C never left    every policy stays for ever: V* = ±∞ by the sign of g; 0 if C pays exactly nothing (r = 0 and
                    nothing to choose, or a reference to follow): such a trap counts as an end.

An h is found by soft policy iteration on the average: x solves r̃_π + P_π x = x + x(s₀), whose gain is x(s₀).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array, NotExact, SingularSystem
from rlexact.exact.chain import closed_classes, named
from rlexact.exact.end_components import end_components
from rlexact.exact.soft_bellman import SoftControl, soft_control
from rlexact.exact.soft_bounds import soft_residual
from rlexact.exact.soft_evaluation import charged
from rlexact.mdp import MDP
from rlexact.solution import NotConverged, Unbounded


@dataclass(frozen=True, eq=False)
class SoftGain:
    """An end component and `lower` ≤ g ≤ `upper` around its soft gain, in reward per step.

    `states` (n,) and `pairs` (S, A) are the component, `h` (n,) proves the bounds by [L1].
    """

    states: list[int]
    pairs: Array
    h: Array
    lower: Any
    upper: Any


def soft_gains(mdp: MDP, temperature: Any, reference: Array | None = None) -> list[SoftGain]:
    """The soft gain of every maximal end component of the support, each enclosed [L1].  -> one `SoftGain` each.

    At γ = 1 the soft optimum is finite if every `upper` is below 0, and not if a `lower` is above 0.
    """
    return gains(soft_control(mdp, temperature, reference))


def gains(control: SoftControl) -> list[SoftGain]:
    mdp = control.mdp
    staying = control.support & ~ar.apart(mdp.ends, 0)
    pairs, component = end_components(ar.support(mdp.kernel), staying)
    owner = np.where(pairs.any(axis=1), component, -1)
    return [gain(control, pairs & (owner == c)[:, None]) for c in np.unique(owner[owner >= 0])]


def gain(control: SoftControl, pairs: Array) -> SoftGain:
    """Improve h until the sign of the gain is certain, or the gain no longer rises."""
    inner = restricted(control, pairs)
    policy, best = inner.base(), -np.inf
    while True:
        h, rate = relative_value(inner, policy)
        _, _, gap, error = soft_residual(inner, h)
        found = SoftGain(
            np.flatnonzero(pairs.any(axis=1)).tolist(), pairs, h, -ar.largest(error - gap), ar.largest(gap + error)
        )
        if found.lower > 0 or found.upper < 0 or not rate > best:
            return found
        policy, best = inner.greedy(h), rate


def relative_value(control: SoftControl, policy: Array) -> tuple[Array, Any]:
    """h with h(s₀) = 0, and the soft gain of a policy that visits every state: (S, A) -> (S,), a number."""
    P, r = charged(control, policy).under(policy)
    n = r.size
    column = ar.assemble(P, np.arange(n), np.zeros(n, dtype=int), ar.ones(r, n), (n, n))
    try:
        x = ar.solve(ar.eye(P) - P + column, r)
    except SingularSystem:  # some shares have underflowed: the chain falls apart
        return relative_value(control, (policy + control.base()) / 2)
    return x - x[0], x[0]


def restricted(control: SoftControl, pairs: Array) -> SoftControl:
    """The soft problem on an end component: its states, its pairs (S, A), γ = 1."""
    mdp, width, states = control.mdp, control.mdp.n_actions, np.flatnonzero(pairs.any(axis=1))
    place = np.full(mdp.n_states, -1)
    place[states] = np.arange(states.size)
    rows, cols, p = ar.entries(mdp.kernel)
    kept = pairs.ravel()[rows]
    rows, cols, p = place[rows[kept] // width] * width + rows[kept] % width, place[cols[kept]], p[kept]
    allowed, nothing = pairs[states], ar.zeros(mdp.r, (states.size, width))
    r = np.where(allowed, mdp.r[states], nothing)
    parts = replace(
        mdp._parts,
        kernel=ar.assemble(mdp.kernel, rows, cols, p, (states.size * width, states.size)),
        R=r,
        r=r,
        ends=nothing,
        gamma=ar.number(mdp.r, 1),
        terminal=np.zeros(states.size, dtype=bool),
        available=allowed,
        initial=None,
        states=None,
        law=None,
    )
    return SoftControl(
        MDP.of_parts(door.freeze(parts)), control.tau, np.where(allowed, control.weights[states], nothing)
    )


# -- what makes a total finite ----------------------------------------------------------------------------------------


def ending_control(control: SoftControl, has_reference: bool) -> SoftControl:
    """At γ = 1, the same problem with traps that pay nothing as terminal states; below, the problem itself.

    Raises `Unbounded` where the soft optimum is certainly not finite, `NotConverged` where rounding hides whether it is, and
    `NotExact` in exact worlds.
    """
    mdp = control.mdp
    if ar.is_exact(mdp.r):
        raise NotExact(
            f"a soft optimum of {mdp.world} numbers is transcendental: take the model to_float(), or enclose the value by "
            "rlexact.exact.enclosure"
        )
    if mdp.gamma != 1:
        return control
    control = ended(control, free_traps(control, has_reference))
    for found in gains(control):
        refuse(control, found)
    return control


def free_traps(control: SoftControl, has_reference: bool) -> Array:
    """States that every policy stays around for ever, for exactly nothing: (S,) booleans."""
    free = np.zeros(control.mdp.n_states, dtype=bool)
    for trap in closed_classes(control.mdp, control.base()):
        free[trap] = pays_nothing(control, trap, has_reference)
    return free


def pays_nothing(control: SoftControl, trap: list[int], has_reference: bool) -> bool:
    support = control.support[trap]
    nothing_to_choose = has_reference or bool((support.sum(axis=1) == 1).all())
    return nothing_to_choose and not ar.apart(control.mdp.r[trap][support], 0).any()


def ended(control: SoftControl, states: Array) -> SoftControl:
    """The same problem with the marked states terminal: (S,) booleans."""
    if not states.any():
        return control
    mdp, stop = control.mdp, states[:, None]
    nothing = ar.zeros(mdp.r, mdp.r.shape)
    available = mdp.available & ~stop
    parts = replace(
        mdp._parts,
        kernel=ar.kernel_from(ar.keep_rows(mdp.kernel, available.ravel())),
        r=np.where(stop, nothing, mdp.r),
        ends=np.where(stop, nothing, mdp.ends),
        terminal=mdp.terminal | states,
        available=available,
    )
    return SoftControl(MDP.of_parts(door.freeze(parts)), control.tau, np.where(stop, nothing, control.weights))


def refuse(control: SoftControl, found: SoftGain) -> None:
    """Raise `Unbounded` or `NotConverged` unless the gain is below 0 and there is a way out."""
    where = named(control.mdp, found.states)
    per_step = f"between {float(found.lower):.6g} and {float(found.upper):.6g} per step"
    if found.lower > 0:
        raise Unbounded(
            f"at gamma = 1 and temperature = {control.tau} a policy that stays in {where} gains {per_step} for ever, "
            "entropy or divergence included: the soft optimum is +inf. Lower the temperature, raise the cost of a step, "
            "or give a gamma below 1"
        )
    if not found.upper < 0:
        raise NotConverged(
            f"at gamma = 1 the soft gain of staying in {where} is {per_step}: rounding hides whether the soft optimum is "
            "finite. Change the temperature or the rewards a little, or give a gamma below 1",
            found,
        )
    if found.states in closed_classes(control.mdp, control.base()):
        raise Unbounded(
            f"at gamma = 1 no action leaves {where} and every policy pays there for ever, {per_step}: the soft "
            "optimum is -inf. Give a gamma below 1 or a way out"
        )
