"""Bounds on V* around values that came from anywhere.

Where the backup contracts they are the span bounds [B3] of `contraction`: cheap, and as close as v is. At γ = 1 nothing need
contract, and the bounds are those of the optimum that policy iteration finds from the greedy policy of v.
"""

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.bellman import checked_v
from rlexact.exact.contraction import moduli, span_bounds, up
from rlexact.exact.ending import ending_model
from rlexact.exact.policy_iteration import from_values
from rlexact.mdp import MDP


def optimal_bound(mdp: MDP, v: Array) -> tuple[Array, Array]:
    """(lower, upper) with lower ≤ V* ≤ upper on every state, the closer the nearer v is to V*: (S,) -> (S,), (S,).

    The span bounds of `contraction`; where nothing contracts, at γ = 1, policy iteration from the greedy policy of v.
    Raises `Unbounded` and `NotConverged` there as `policy_iteration` does.
    """
    if mdp.gamma != 1 or moduli(mdp).contracts:
        return span_bounds(mdp, v)
    best = from_values(mdp, ending_model(mdp), checked_v(mdp, v))
    pad = up(best.error_bound + 4 * ar.unit_roundoff(mdp.r) * np.abs(best.v))
    return best.v - pad, best.v + pad
