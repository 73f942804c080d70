"""Control at γ = 1: the model in which staying where nothing is paid is an action of its own.

The aim is V*(s) = sup_π E_π[Σ_t r_t], the total reward. What can go wrong without a discount is what a policy can do
for ever, and that is an end component (`end_components`).

1. *A loop that pays nothing.* Going round where r(s, a) = 0 is worth 0, yet V = TV does not say so: any large enough
   constant on the loop solves it. So the maximal end components C of the pairs with r = 0 that never end are
   collapsed: each becomes one state, whose actions are those that leave C or pay, and `stop`, worth 0, which stands
   for staying. Expected rewards suffice, since only an expected total is asked for.
2. *No end.* In the collapsed model, a state without a path to an end has every policy paid in some loop for ever: +∞,
   -∞ or no limit, so it is `Unbounded`. If every state has a path, going one step nearer to the end, where possible,
   ends with probability 1 (`start`): policy iteration begins there.
3. *A loop that gains.* Let μ end with probability 1, V = V^μ, and let π differ from μ only where it is strictly
   better. If π has a closed class C with stationary law d, then d · r_π = d · (r_π + P_π V - V) > 0, for π ≠ μ
   somewhere on C, which μ would have left. So π gains for ever: V* = +∞, `Unbounded`. Otherwise π ends as well and
   V^π ≥ V^μ, and policy iteration passes through finitely many policies that end.
4. *A loop that pays 0 on average.* At last V = TV. With δ(s, a) = V(s) - r(s, a) - Σ_s' p(s' | s, a) V(s') ≥ 0, every
   policy has

       E[Σ_{t<n} r_t] = V(s) - E[V(s_n)] - E[Σ_{t<n} δ(s_t, a_t)].

   A run that never ends stays in an end component. If some δ > 0 there, the last term goes to -∞. Otherwise all pairs
   of the component are *tight*, δ = 0, and E[V(s_n)] decides: where V ≥ 0 no policy beats V; where V < 0 staying
   beats every policy that ends while its total does not settle (+1, -1, +1, ... beside a costly exit): `Unbounded`.

Bertsekas and Tsitsiklis (1991) prove 3 for models where 1 and 4 do not occur; Puterman (1994), §7.1 to 7.3, treats
rewards of one sign; de Alfaro (1999) removes loops that pay nothing there.

The collapse keeps all S states. A component is entered at one member, its *root*, and two extra actions of each
member lead on to two others as in a binary heap; where a child is missing the action is `stop`. So the model stays
sparse and no state has more than A + 2 actions.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact import door
from rlexact.arithmetic import Array
from rlexact.door import InvalidMDP
from rlexact.exact.chain import bottom_components, closed_classes, named
from rlexact.exact.end_components import edges_of, end_components, toward
from rlexact.mdp import MDP
from rlexact.policy import spread
from rlexact.solution import Unbounded


@dataclass(frozen=True, eq=False)
class Ending:
    """The collapsed model `mdp`, a policy `start` (S, A') that ends on it, and the way back to the original.

    `root` (S,) sends each state to the one that stands for its component, `inside` (S, A) marks the pairs of the
    original that go round in a component for nothing, `child` (S, 2) says where the extra actions lead (-1: `stop`).
    A' is A, or A + 2 where something was collapsed.
    """

    mdp: MDP
    start: Array
    root: Array
    inside: Array
    child: Array

    def lift(self, v: Array) -> Array:
        """Values of the collapsed model as values of the original: (S,) -> (S,)."""
        return v[self.root]

    def policy(self, mdp: MDP, collapsed: Array) -> Array:
        """A policy of the collapsed model, deterministic on components, played in the original: (S, A') -> (S, A).

        Inside a component it walks to the state where the policy leaves, or goes round for ever where it stops.
        """
        exits = self.exits(collapsed)
        _, nearer = toward(ar.support(mdp.kernel), self.inside, exits)
        walk = np.where(np.any(nearer, axis=1)[:, None], nearer, self.inside) & ~exits[:, None]
        own = collapsed[:, : mdp.n_actions]
        return np.where(np.any(walk, axis=1)[:, None], marked(mdp, walk.argmax(axis=1)), own)

    def exits(self, collapsed: Array) -> Array:
        """The members whose own action is taken, found by going down from each root: (S, A') -> (S,) booleans."""
        action, n_actions = collapsed.argmax(axis=1), self.inside.shape[1]
        at = np.unique(self.root[np.any(self.inside, axis=1)])
        while (down := action[at] >= n_actions).any():
            at = np.where(down, self.child[at, np.maximum(action[at] - n_actions, 0)], at)
            at = at[at >= 0]
        out = np.zeros(action.shape, dtype=bool)
        out[at] = True
        return out


def ending_model(mdp: MDP) -> Ending:
    """The model in which staying where nothing is paid is an action of its own, worth 0.

    Raises `InvalidMDP` unless γ = 1, and `Unbounded` where some states have no path to an end.
    """
    if mdp.gamma != 1:
        raise InvalidMDP(f"gamma = {mdp.gamma}: only at gamma = 1 does control need an ending model")
    free = mdp.available & ~ar.apart(mdp.r, 0) & ~ar.apart(mdp.ends, 0)
    inside, component = end_components(ar.support(mdp.kernel), free)
    root, child = heaps(np.any(inside, axis=1), component)
    ending = collapse(mdp, inside, root, child) if inside.any() else mdp
    return Ending(ending, ending_policy(ending), root, inside, child)


def heaps(member: Array, component: Array) -> tuple[Array, Array]:
    """Components as binary heaps: the root of every state (S,), the children of every member (S, 2) or -1."""
    order = np.flatnonzero(member)
    order = order[np.argsort(component[order], kind="stable")]
    _, start, which, size = np.unique(component[order], return_index=True, return_inverse=True, return_counts=True)
    root = np.arange(member.size)
    root[order] = order[start[which]]
    child = np.full((member.size, 2), -1)
    place = 2 * (np.arange(order.size) - start[which])[:, None] + [1, 2]
    found = place < size[which][:, None]
    child[order] = np.where(found, order[np.where(found, start[which][:, None] + place, 0)], -1)
    return root, child


def collapse(mdp: MDP, inside: Array, root: Array, child: Array) -> MDP:
    """The model with components entered at their roots, their own pairs gone, and two extra actions per member."""
    n_states, n_actions = inside.shape
    width = n_actions + 2
    member = np.any(inside, axis=1)
    rows, cols, p = ar.entries(ar.keep_rows(mdp.kernel, ~inside.ravel()))
    down, slot = np.nonzero(child >= 0)
    kernel = ar.assemble(
        mdp.kernel,
        np.concatenate([rows // n_actions * width + rows % n_actions, down * width + n_actions + slot]),
        np.concatenate([root[cols], child[down, slot]]),
        np.concatenate([p, ar.ones(mdp.r, down.size)]),
        (n_states * width, n_states),
    )
    nothing, stop = ar.zeros(mdp.r, child.shape), ar.ones(mdp.r, child.shape)
    r = np.hstack([mdp.r, nothing])
    parts = replace(
        mdp._parts,
        kernel=kernel,
        R=r,
        r=r,
        ends=np.hstack([mdp.ends, np.where(member[:, None] & (child < 0), stop, nothing)]),
        available=np.hstack([mdp.available & ~inside, np.repeat(member[:, None], 2, axis=1)]),
        initial=moved(mdp.initial, root) if mdp.has_initial else None,
        actions=None,
        law=None,
    )
    return MDP.of_parts(door.freeze(parts))


def moved(initial: Array, root: Array) -> Array:
    out = ar.zeros(initial, initial.size)
    np.add.at(out, root, initial)
    return out


def ending_policy(mdp: MDP) -> Array:
    """A deterministic policy that ends with probability 1 from everywhere: (S, A).  Raises `Unbounded`."""
    graph = ar.support(mdp.kernel)
    ends = mdp.available & ar.apart(mdp.ends, 0)
    reached, nearer = toward(graph, mdp.available, mdp.terminal | ends.any(axis=1))
    if not reached.all():
        raise Unbounded(endless(mdp, graph, reached))
    return marked(mdp, np.where(ends.any(axis=1), ends.argmax(axis=1), nearer.argmax(axis=1)))


def endless(mdp: MDP, graph: Any, reached: Array) -> str:
    """Why states that have no path to an end have no finite value."""
    rows, cols = graph.tocoo().coords
    states = bottom_components(edges_of(rows // mdp.n_actions, cols, mdp.n_states), reached)[0]
    paid = mdp.r[states][mdp.available[states]]
    if not ar.negative(paid).any():
        why = "gains there for ever: V* = +inf"
    elif not ar.negative(-paid).any():
        why = "pays there for ever: V* = -inf"
    else:
        why = "sees rewards of both signs there for ever: its total is infinite or does not settle"
    return (
        f"at gamma = 1 no action leaves {named(mdp, states)} and every policy {why}. Give a gamma below 1 or a way out"
    )


def marked(mdp: MDP, action: Array) -> Array:
    """One action per state as a policy of the model: (S,) -> (S, A)."""
    return spread(mdp, np.eye(mdp.n_actions, dtype=bool)[action])


def refuse_gain(mdp: MDP, policy: Array) -> None:
    """Raise `Unbounded` where a policy strictly better than one that ends is itself trapped (case 3)."""
    traps = closed_classes(mdp, policy)
    if traps:
        raise Unbounded(
            f"at gamma = 1 a policy can gain for ever in {named(mdp, traps[0])}: V* = +inf. "
            "Give a gamma below 1, or make the loop cost something"
        )


def refuse_tight_loops(ending: Ending, v: Array, tight: Array) -> None:
    """Raise `Unbounded` where tight pairs (S, A') of the collapsed model go round below 0 (case 4): v (S,)."""
    pairs, component = end_components(ar.support(ending.mdp.kernel), tight & ~ar.apart(ending.mdp.ends, 0))
    losing = pairs.any(axis=1) & ar.negative(v)
    if losing.any():
        states = [int(s) for s in np.flatnonzero(pairs.any(axis=1) & (component == component[losing.argmax()]))]
        raise Unbounded(
            f"at gamma = 1 a policy can stay for ever in {named(ending.mdp, states)}, where its rewards cancel out: "
            "the total does not settle, yet beats every policy that ends. Give a gamma below 1"
        )
