"""What an agent believes that sees observations and not states.

    Pr(o | b, a) = Σ_s' O(o | s', a) Σ_s p(s' | s, a) b(s)                     [B1]  observation_probability
    b'(s') = O(o | s', a) Σ_s p(s' | s, a) b(s) / Pr(o | b, a)                 [B2]  belief_update

Kaelbling, Littman and Cassandra (1998), §3.3. An observation model is `O[s', o]`, (S, O), or `O[s', a, o]`, (S, A, O),
where it also depends on the action just taken; every row sums to 1. Nothing is observed of an episode that is
over: from a terminal state, or where a step ends without a successor, that mass is missing from [B1], and [B2] is
conditional on the episode going on.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import ROW_SUM_TOLERANCE
from rlexact.mdp import MDP, InvalidPolicy


class InvalidObservation(ValueError):
    """An observation model that does not fit its MDP, or an observation that cannot be made."""


def observation_probability(mdp: MDP, observation: Any, belief: Any, action: Any) -> Array:
    """Law of the next observation [B1]: (S, O) or (S, A, O), (S,), an action -> (O,).

    `belief` is a distribution or one state.  Raises `InvalidMDP` (a bad belief), `InvalidPolicy` (an action that is not
    available where there is belief), `InvalidObservation`.
    """
    a = mdp.action(action)
    return ar.tidy(seen_after(mdp, observation, a).T @ predicted(mdp, belief, a))


def belief_update(mdp: MDP, observation: Any, belief: Any, action: Any, observed: int) -> Array:
    """Bayes' rule after one action and one observation [B2]: (S, O) or (S, A, O), (S,), action, o -> (S,).

    Raises `InvalidObservation` for an observation of probability 0: no belief is consistent with it.
    """
    a = mdp.action(action)
    O = seen_after(mdp, observation, a)  # noqa: E741
    if isinstance(observed, bool) or not isinstance(observed, (int, np.integer)) or not 0 <= observed < O.shape[1]:
        raise InvalidObservation(f"observed = {observed!r}: observations are 0 to {O.shape[1] - 1}")
    joint = ar.tidy(O[:, observed] * predicted(mdp, belief, a))
    total = ar.tidy(np.array([joint.sum()]))
    if not ar.apart(total, 0).any():
        raise InvalidObservation(
            f"observation {observed} has probability 0 after action {action!r} from this belief: no state explains it"
        )
    return ar.tidy(joint / total)


def predicted(mdp: MDP, belief: Any, action: int) -> Array:
    """Σ_s p(s' | s, a) b(s), before anything is seen: -> (S,)."""
    mdp = mdp.replace(initial=belief)
    b = mdp.initial
    stuck = ar.apart(b, 0) & ~mdp.terminal & ~mdp.available[:, action]
    if stuck.any():
        s = int(np.flatnonzero(stuck)[0])
        raise InvalidPolicy(f"action {action} is not available in state {s}, which has belief {b[s]}")
    chosen = ar.zeros(mdp.r, mdp.r.shape)
    chosen[:, action] = ar.number(mdp.r, 1)
    return ar.tidy(np.asarray(ar.mix(chosen, mdp.kernel).T @ b))


def seen_after(mdp: MDP, observation: Any, action: int) -> Array:
    """The checked observation law after one action, in the model's numbers: -> (S, O)."""
    try:
        O = mdp.beside("observation", observation)  # noqa: E741
    except (ar.NotANumber, ar.MixedNumbers) as error:
        raise InvalidObservation(str(error)) from None
    if O.ndim not in (2, 3) or O.shape[:-1] != mdp.r.shape[: O.ndim - 1]:
        n, m = mdp.r.shape
        raise InvalidObservation(
            f"observation has shape {O.shape}: give ({n}, O), or ({n}, {m}, O) by state and action"
        )
    law = O if O.ndim == 2 else O[:, action]
    wrong = ~ar.finite(law) | ar.negative(law)
    if wrong.any():
        s, o = np.argwhere(wrong)[0]
        raise InvalidObservation(f"observation {o} in state {s} has probability {law[s, o]}")
    off = ar.apart(law.sum(axis=1), 1, ROW_SUM_TOLERANCE)
    if off.any():
        s = int(np.flatnonzero(off)[0])
        raise InvalidObservation(f"observations in state {s} sum to {law[s].sum()}: each state's law must sum to 1")
    return np.asarray(law)
