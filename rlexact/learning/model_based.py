"""A model out of data, and what is done with it: planning as if it were true, and short rollouts from real states.

    p̂(s', r | s, a) = N(s, a, r, s') / N(s, a)                   maximum likelihood                      [C1]
    V̂ = the optimum of that model                               certainty equivalence                   [C2]
    s_0 ~ buffer,  a_i ~ π(· | s_i),  (s_{i+1}, r_i) ~ p̂,  i < k   branched rollouts                       [C3]

[C1] maximises Π p(s', r | s, a) over all laws; each of its entries is a mean of N(s, a) indicators, with variance
p (1 - p) / N(s, a). Kumar and Varaiya (1986), ch. 11, for [C2]; Janner, Fu, Zhang and Levine (2019), Algorithm 2, for [C3]:
a rollout is at most k steps from a state that was really visited, so that the error of the model compounds k times only.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.exact.estimator_law import counted
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.learning.curve import floats, seeded
from rlexact.learning.replay import Experience, Transition
from rlexact.learning.simulate import Rng, choosing
from rlexact.mdp import MDP
from rlexact.solution import Solution


def counts_model(mdp: MDP, data: Iterable[Transition]) -> MDP:
    """The maximum-likelihood model [C1] of transitions seen in `mdp`, in its numbers: same shape, names, discount and start.

    Rewards keep their law. A pair never tried is not available, and a state never left is terminal. Cut steps count as any
    other. Raises `ValueError` without data.
    """
    outcomes = Counter((t.state, t.action, t.following, t.reward) for t in data)
    if not outcomes:
        raise ValueError("no transitions: a model cannot be counted. Give at least one")
    tried: Counter[tuple[int, int]] = Counter()
    for (s, a, *_), n in outcomes.items():
        tried[s, a] += n
    table: dict[tuple[Any, Any], list[Any]] = {pair: [] for pair in tried}
    for (s, a, following, reward), n in outcomes.items():
        share, ended = ar.number(mdp.r, Fraction(n, tried[s, a])), following < 0
        table[s, a].append((share, None if ended else following, reward, ended))
    never_left = sorted(set(range(mdp.n_states)) - {s for s, _ in tried})
    start = mdp.initial if mdp.has_initial else None
    places: dict[str, Sequence[int]] = {"states": range(mdp.n_states), "actions": range(mdp.n_actions)}
    model = MDP.from_outcomes(table, mdp.gamma, start, terminal=never_left, **places)
    return model.replace(states=mdp.states, actions=mdp.actions)


def certainty_equivalent(mdp: MDP, data: Iterable[Transition]) -> Solution:
    """The optimum of the counted model [C2]: what planning makes of the data.  Raises as `counts_model`."""
    return policy_iteration(counts_model(mdp, data))


def branched_rollouts(
    model: MDP, policy: Array, starts: Sequence[Transition], horizon: int, rng: Rng | int
) -> list[list[Transition]]:
    """One rollout in the model from the state of each of `starts`, of at most `horizon` steps [C3].

    `starts` is a sample of a replay buffer; a rollout ends early where the model says so. Raises `ValueError` for a horizon
    below 1, no starts, or a start in which the model knows no action, `InvalidPolicy` for a bad policy.
    """
    counted(len(starts), "starts")
    if lost := [t.state for t in starts if model.terminal[t.state]]:
        raise ValueError(f"state {lost[0]} is terminal in the model: nothing can be rolled out from it")
    exact, draws = model.to_float(), seeded(rng)
    act, begin = choosing(exact, floats(model.admit(policy)), draws), np.eye(model.n_states)[starts[0].state]
    agent = Experience(exact, draws, begin, counted(horizon, "steps"))

    def rollout(start: Transition) -> list[Transition]:
        agent.restart(start.state)
        return agent.episode(act)

    return [rollout(t) for t in starts]
