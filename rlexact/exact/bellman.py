"""The Bellman operators.

    (Q V)(s, a) = r(s, a) + γ Σ_s' p(s' | s, a) V(s')        `backup`
    (T^π V)(s) = Σ_a π(a | s) (Q V)(s, a)                    `bellman_policy`
    (T V)(s) = max_a (Q V)(s, a)                             `bellman_optimal`

Puterman (1994), §6.2; Sutton and Barto (2018), (3.14) and (3.19). Both operators are monotone, and contractions in the
maximum norm with modulus γ · (largest row sum).
"""

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.mdp import MDP
from rlexact.policy import first_best


def backup(mdp: MDP, v: Array) -> Array:
    """Action values one step before `v`: (S,) -> (S, A), r + γ P v."""
    return ar.tidy(mdp.r + mdp.gamma * (mdp.kernel @ checked_v(mdp, v)).reshape(mdp.r.shape))


def bellman_policy(mdp: MDP, policy: Array, v: Array) -> Array:
    """T^π v: (S, A), (S,) -> (S,)."""
    return ar.average(mdp.admit(policy), backup(mdp, v))


def bellman_optimal(mdp: MDP, v: Array) -> Array:
    """T v, the best over available actions (0 at terminal states): (S,) -> (S,).  Raises `NotExact` on undecided symbols."""
    top, _ = ar.best(backup(mdp, v), mdp.available)
    return top


def greedy(mdp: MDP, v: Array) -> Array:
    """The deterministic policy of first maximisers of r + γ P v: (S,) -> (S, A)."""
    return first_best(mdp, backup(mdp, v))


def optimal_actions(mdp: MDP, v: Array) -> Array:
    """Every maximiser of r + γ P v, ties told exactly: (S,) -> (S, A) booleans."""
    _, ties = ar.best(backup(mdp, v), mdp.available)
    return ties


def checked_v(mdp: MDP, v: Array) -> Array:
    array = mdp.beside("v", v)
    if array.shape != (mdp.n_states,):
        raise ValueError(f"v has shape {array.shape}, the model has {mdp.n_states} states")
    if not (good := ar.finite(array)).all():
        s = int(np.flatnonzero(~good)[0])
        raise ValueError(f"v[{s}] = {array[s]} is not a finite number")
    return array
