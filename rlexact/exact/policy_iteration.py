"""Policy iteration: V* by improving a policy until no action is strictly better.

The iteration is `howard`. In rationals it ends at V* exactly; in floats the answer carries a bound taken from its own
residual, and every action that may be best within it is marked. At γ = 1 it runs in the `ending_model`, where it
meets only policies that end, or finds a loop that gains for ever.
"""

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import backup, greedy
from rlexact.exact.chain import closed_classes
from rlexact.exact.contraction import enclosed_backup, enclosed_step, span_bounds, up
from rlexact.exact.ending import Ending, ending_model, refuse_tight_loops
from rlexact.exact.ending_bounds import ending_bounds
from rlexact.exact.howard import howard, q_errors
from rlexact.mdp import MDP
from rlexact.policy import first_best
from rlexact.solution import NotConverged, Solution


def policy_iteration(mdp: MDP, *, policy: Array | None = None) -> Solution:
    """V*, Q* and an optimal policy, begun at `policy` (S, A) or at the best immediate reward.

    `iterations` counts the policies evaluated; `error_bound` is 0 in exact worlds. At γ = 1 the answer's `policy` ends,
    or stays where it is paid nothing; other choices among the optimal actions may not.
    Raises `Unbounded` at γ = 1 where V* is not finite, `InvalidPolicy` where the first policy never ends, `NotExact` on
    undecided symbols, and `NotConverged` where floats cannot bound the answer.
    """
    if mdp.gamma == 1:
        return without_discount(mdp, policy)
    _, v, steps = howard(mdp, first_best(mdp, mdp.r) if policy is None else mdp.admit(policy))
    return solution(mdp, v, first_best(mdp, backup(mdp, v)), steps, span_bounds(mdp, v))


def without_discount(mdp: MDP, policy: Array | None) -> Solution:
    ending = ending_model(mdp)
    return improved_to_the_end(mdp, ending, ending.start if policy is None else begun(mdp, ending, policy))


def from_values(mdp: MDP, ending: Ending, v: Array) -> Solution:
    """The answer at γ = 1 from the greedy policy of values of the ending model, if it ends, else from its `start`: (S,)."""
    first = greedy(ending.mdp, v)
    return improved_to_the_end(mdp, ending, ending.start if closed_classes(ending.mdp, first) else first)


def improved_to_the_end(mdp: MDP, ending: Ending, first: Array) -> Solution:
    """The answer at γ = 1 from a first policy (S, A') of the ending model that ends."""
    last, v, steps = howard(ending.mdp, first)
    q = backup(ending.mdp, v)
    *_, error = q_errors(ending.mdp, last, v)
    refuse_tight_loops(ending, v, within(ending.mdp, q, error))
    first = first_best(ending.mdp, q)
    best = last if closed_classes(ending.mdp, first) else first
    lifted = ending.lift(v)
    return solution(mdp, lifted, ending.policy(mdp, best), steps, ending_bounds(mdp, ending, lifted, last))


def begun(mdp: MDP, ending: Ending, policy: Array) -> Array:
    """A first policy for the collapsed model: the given one outside the components, which are not left."""
    given, width = mdp.admit(policy), ending.mdp.n_actions - mdp.n_actions
    padded = np.hstack([given, ar.zeros(given, (mdp.n_states, width))])
    return np.where(np.any(ending.inside, axis=1)[:, None], ending.start, padded)


def within(mdp: MDP, q: Array, error: Array) -> Array:
    """The pairs that may be best when each entry of q can be wrong by `error`: (S, A), (S, A) -> (S, A) booleans."""
    surely, _ = ar.best(q - error, mdp.available)
    return np.asarray(mdp.available & ~ar.negative(ar.tidy(q + error - surely[:, None])))


def solution(mdp: MDP, v: Array, policy: Array, steps: int, bounds: tuple[Array, Array]) -> Solution:
    """The answer with its distance from the truth, and every action that may be best within it."""
    low, high = bounds
    bound = up(ar.largest(np.concatenate([high - v, v - low])))
    q, slop = enclosed_backup(mdp, v)
    if not ar.finite(np.array([bound])).all():
        answer = Solution(v, q, policy, mdp.available, steps, bound)
        raise NotConverged("no bound on V* at gamma = 1: a loop pays 0 up to rounding. Try mdp.to_rational()", answer)
    reach, more = enclosed_step(mdp, bound + ar.zeros(v, v.shape))
    return Solution(v, q, policy, within(mdp, q, slop + reach + more), steps, bound)
