"""V* as a linear program, and its dual read as visits.

    minimise ρ · v       subject to  v(s) ≥ r(s, a) + γ Σ_s' p(s' | s, a) v(s')                for all s, a     [L1]
    maximise Σ r x       subject to  Σ_a x(s, a) = ρ(s) + γ Σ_{s', a} p(s | s', a) x(s', a),   x ≥ 0            [L2]

V* is the least v that [L1] allows, whatever the weights ρ > 0. In [L2] x(s, a) is how often, discounted, a is taken in s by
a policy that starts from ρ; π(a | s) = x(s, a) / Σ_a x(s, a) recovers it. Both have the value ρ · V*. D'Epenoux (1963);
Puterman (1994), §6.9. At γ = 1 they are those of the `ending_model`, where the same holds if every state has a path to an
end: a v that [L1] allows bounds every policy that ends.

Floats are solved by HiGHS, and the distance of v from V* is certified from v alone. For an exact model HiGHS solves its
rounding, and proposes a basis, which is a policy; v and x are then solved exactly for that policy, and both programs'
constraints hold exactly once no action is strictly better: if HiGHS was misled by rounding, `howard` pivots on from there.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
import scipy.sparse

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.chain import closed_classes
from rlexact.exact.contraction import up
from rlexact.exact.ending import Ending, ending_model, marked, moved
from rlexact.exact.evaluation import visits
from rlexact.exact.howard import howard
from rlexact.exact.optimal_bound import optimal_bound
from rlexact.mdp import MDP
from rlexact.policy import first_best
from rlexact.solution import NotConverged, Unbounded

INFEASIBLE = 2  # scipy.optimize's status


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Both solutions: `v` (S,) of [L1], `x` (S, A) of [L2], the `policy` (S, A) that x plays, and two guarantees.

    `gap` is ρ · v - Σ r x, 0 at an optimum; `error_bound` is at least ‖v - V*‖∞. Both are 0 in exact worlds.
    """

    v: Array
    x: Array
    policy: Array
    gap: Any
    error_bound: Any


def linear_program(mdp: MDP, *, weights: Array | None = None) -> LinearProgram:
    """V* from [L1] and visits from [L2], for `weights` ρ (S,), a start law without zeros (default: uniform).

    At γ = 1 `x` leaves out the steps that go round in a component for nothing.
    Raises `ValueError` unless every weight is positive, `Unbounded` at γ = 1 where V* is not finite, `NotConverged` where
    HiGHS gives up, `NotExact` where symbols have no value.
    """
    rho = start_law(mdp, weights)
    ending = ending_model(mdp) if mdp.gamma == 1 else unchanged(mdp)
    model = ending.mdp.replace(initial=moved(rho, ending.root))
    v, x, policy = solved_exactly(ending, model) if ar.is_exact(mdp.r) else solved(ending, model)
    gap = ar.tidy(np.array([(model.initial * v).sum() - (model.r * x).sum()]))[0]
    lifted = ending.lift(v)
    low, high = optimal_bound(mdp, lifted)
    bound = up(ar.largest(np.concatenate([high - lifted, lifted - low])))
    return LinearProgram(lifted, x[:, : mdp.n_actions], ending.policy(mdp, policy), gap, bound)


def start_law(mdp: MDP, weights: Array | None) -> Array:
    rho = ar.ones(mdp.r, mdp.n_states) / mdp.n_states if weights is None else mdp.replace(initial=weights).initial
    if not ar.apart(rho, 0).all():
        s = int(np.flatnonzero(~ar.apart(rho, 0))[0])
        raise ValueError(f"weights[{s}] is 0: only positive weights make v the value of every state")
    return rho


def unchanged(mdp: MDP) -> Ending:
    """What `ending_model` is at γ = 1, where nothing needs collapsing."""
    states = np.arange(mdp.n_states)
    nothing = np.zeros(mdp.available.shape, dtype=bool)
    return Ending(mdp, first_best(mdp, mdp.r), states, nothing, np.full((states.size, 2), -1))


def solved(ending: Ending, model: MDP) -> tuple[Array, Array, Array]:
    """v (S,), x (S, A) and the policy that x plays, by HiGHS in floats; `start` plays where x never comes."""
    pairs = np.flatnonzero(model.available)
    own = scipy.sparse.csr_array((np.ones(pairs.size), (pairs, pairs // model.n_actions)), shape=model.kernel.shape)
    room = (model.gamma * model.to_sparse().kernel - own)[pairs]  # [L1] as room @ v <= -r
    fixed = np.where(model.terminal, 0.0, np.inf)
    bounds = np.stack([-fixed, fixed], axis=1)
    answer = scipy.optimize.linprog(model.initial, room, -model.r.ravel()[pairs], bounds=bounds, method="highs")
    if answer.status == INFEASIBLE and model.gamma == 1:
        raise Unbounded("at gamma = 1 no v satisfies v >= r + P v: some policy can gain for ever, so V* = +inf")
    if answer.status != 0:
        raise NotConverged(f"HiGHS gave no optimum: {answer.message}", answer)
    x = np.zeros(model.r.shape)
    x.flat[pairs] = np.maximum(-answer.ineqlin.marginals, 0.0)
    total = x.sum(axis=1, keepdims=True)
    return (
        answer.x,
        x,
        np.where(total > 0, x / np.where(total > 0, total, 1.0), ar.apart(ending.start, 0).astype(float)),
    )


def solved_exactly(ending: Ending, model: MDP) -> tuple[Array, Array, Array]:
    """The same exactly: the basis that HiGHS proposes for the rounded model, verified, and improved if it must be."""
    _, _, proposed = solved(ending, model.to_float())
    first = marked(model, proposed.argmax(axis=1))
    ends = model.gamma != 1 or not closed_classes(model, first)
    policy, v, _ = howard(model, first if ends else ending.start)
    x = visits(model, policy)[:, None] * model.admit(policy)
    return v, ar.tidy(x), policy
