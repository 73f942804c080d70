"""What is best for an agent that sees observations and not states, over a finite horizon.

    V_t(b) = max_a [ r_b(a) + γ Σ_o Pr(o | b, a) V_{t+1}(b'_{a,o}) ]                                 [P1]  belief_value
    V_t(b) = max_{α in Γ_t} Σ_s b(s) α(s),   Γ_H = {g}                                               [P2]  alpha_vectors
    Γ_t = ∪_a { r(·, a) + γ Σ_o M_{a,o} α_o  :  α_o in Γ_{t+1} },   M_{a,o}[s, s'] = p(s' | s, a) O(o | s', a)

Smallwood and Sondik (1973). [P1] walks the beliefs that can be met from one, with `belief_update`; [P2] holds for all
beliefs at once. Each vector is the value of a policy tree, state by state; one that is best at no belief is dropped (Monahan
1982), observation by observation as the sums of [P2] grow (Zhang and Liu 1996). Whether it is best somewhere is a game:

    max_b min_{α' ≠ α} b · (α - α') > 0                                                              [P3]

so that the sets are the smallest that hold V_t. In exact numbers every comparison is exact. In floats a vector is dropped
only where [P2] surely loses no more by it than `pruned` counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, NotExact
from rlexact.door import InvalidMDP
from rlexact.exact.belief import belief_update, observation_probability, seen_after
from rlexact.exact.horizon import counted, final_values
from rlexact.exact.matrix_game import matrix_game
from rlexact.mdp import MDP

Tree = tuple[Array, tuple[int, ...]]  # a vector (S,), and the next stage's vector for each observation so far


class TooManyVectors(ValueError):
    """The sums of [P2] are more than the limit: the message says how many."""


@dataclass(frozen=True, eq=False)
class AlphaVectors:
    """Γ_t, one policy tree to a row: `vectors` (k, S), first `actions` (k,), and `after` (k, O), where row i of the next
    stage goes on from `after[i, o]` once o is seen. After the last step the action is -1. V_t is at most `pruned` more
    (0 if exact).
    """

    vectors: Array
    actions: Array
    after: Array
    pruned: Any

    def best_at(self, belief: Array) -> int:
        """The first row that is best at a belief: (S,) -> i.  `actions[i]` is what to do."""
        _, ties = ar.best((self.vectors @ belief)[None, :], np.ones((1, len(self.vectors)), dtype=bool))
        return int(ties[0].argmax())

    def value_at(self, belief: Array) -> Any:
        """V_t(b) [P2]: (S,) -> a number."""
        return self.vectors[self.best_at(belief)] @ belief


def alpha_vectors(
    mdp: MDP, observation: Any, steps: int, *, terminal_values: Array | None = None, limit: int = 20_000
) -> tuple[AlphaVectors, ...]:
    """Γ_0, ..., Γ_H for H = `steps` [P2]: (S, O) or (S, A, O) -> H + 1 `AlphaVectors`, in the order of time.

    Raises `TooManyVectors` where a sum has more than `limit` vectors before it is pruned, `InvalidMDP` where the actions to
    choose from would tell states apart, `InvalidObservation`, `ValueError` as `backward_induction`, `NotExact` for symbols.
    """
    if mdp.world == "symbolic":
        raise NotExact("which vector is best is undecided among symbols: take the model to_rational() or to_float()")
    g = final_values(mdp, terminal_values)
    stages = [AlphaVectors(g[None, :], np.array([-1]), np.empty((1, 0), dtype=int), ar.number(mdp.r, 0))]
    links = [seen_links(mdp, observation, int(a)) for a in shared_actions(mdp)]
    for _ in range(counted(steps)):
        stages.append(stage_before(mdp, links, stages[-1], limit))
    return tuple(stages[::-1])


def shared_actions(mdp: MDP) -> Array:
    """The actions of every state that is not terminal, which must be the same: -> (k,)."""
    live = mdp.available[~mdp.terminal]
    if (live != live[:1]).any():
        s = int(np.flatnonzero(~mdp.terminal)[(live != live[:1]).any(axis=1).argmax()])
        raise InvalidMDP(f"state {s} offers other actions than the first: whoever sees no states cannot know which")
    return np.flatnonzero(live[:1].any(axis=0))


def seen_links(mdp: MDP, observation: Any, a: int) -> tuple[int, list[Any]]:
    """An action and its γ M_{a,o} for each observation: -> a, O of (S, S) kernels."""
    O = seen_after(mdp, observation, a)  # noqa: E741
    P = ar.take_rows(mdp.kernel, np.arange(mdp.n_states) * mdp.n_actions + a)
    return a, [mdp.gamma * ar.columns_from(P, O[:, o]) for o in range(O.shape[1])]


def stage_before(mdp: MDP, links: list[tuple[int, list[Any]]], after: AlphaVectors, limit: int) -> AlphaVectors:
    """Γ_t from Γ_{t+1} [P2]."""
    trees: list[Tree] = []
    firsts: list[int] = []
    lost = mdp.gamma * after.pruned
    for a, seen in links:
        sums: list[Tree] = [(mdp.r[:, a], ())]
        for M in seen:
            sums, loss = pruned(crossed(sums, M, after.vectors, limit))
            lost = lost + loss
        trees, firsts = trees + sums, firsts + [a] * len(sums)
    kept, loss = undominated(np.array([v for v, _ in trees]))
    return AlphaVectors(
        np.array([trees[i][0] for i in kept]).reshape(-1, mdp.n_states),
        np.array([firsts[i] for i in kept], dtype=int),
        np.array([trees[i][1] for i in kept], dtype=int),
        lost + loss,
    )


def crossed(sums: Sequence[Tree], M: Any, vectors: Array, limit: int) -> list[Tree]:
    """Every sum with every continuation of one more observation, of which only the useful ones are tried."""
    count = len(sums) * len(vectors)
    if count > limit:
        raise TooManyVectors(f"{count:,} vectors to sum, above the limit of {limit:,}: fewer steps, or limit=")
    images = (M @ vectors.T).T
    return [(v + w, (*after, i)) for v, after in sums for i, w in enumerate(images)]


def pruned(trees: list[Tree]) -> tuple[list[Tree], Any]:
    kept, loss = undominated(np.array([v for v, _ in trees]))
    return [trees[i] for i in kept], loss


def undominated(vectors: Array) -> tuple[list[int], Any]:
    """The smallest set of rows with the same maximum over all beliefs, and what is lost at most: (k, S) -> rows, loss."""
    kept = pointwise_best(vectors)
    loss = 0 * vectors[0, 0]
    for i in list(kept):
        others = [j for j in kept if j != i]
        if not others:
            break
        game = matrix_game((vectors[i] - vectors[others]).T)  # [P3]: the belief plays against the other vectors
        if not ar.negative(-np.array([game.lower])).any():
            kept, loss = others, loss + max(game.upper, 0 * loss)
    return kept, loss


def pointwise_best(vectors: Array) -> list[int]:
    """Rows that no other row equals or exceeds in every state, the first of equal ones: (k, S) -> rows."""
    kept: list[int] = []
    for i, v in enumerate(vectors):
        if any(not ar.negative(vectors[j] - v).any() for j in kept):
            continue
        kept = [j for j in kept if ar.negative(v - vectors[j]).any()] + [i]
    return kept


def belief_value(mdp: MDP, observation: Any, belief: Any, steps: int) -> Any:
    """V_0(b) over `steps` steps [P1]: (S, O) or (S, A, O), (S,) or a state -> a number.  Works for symbols that need no choice.

    Walks (actions · observations)^steps beliefs at most. Raises as `alpha_vectors`.
    """
    b = mdp.replace(initial=belief).initial
    if not counted(steps):
        return 0 * mdp.gamma
    q = [worth(mdp, observation, b, int(a), steps) for a in shared_actions(mdp)]
    return ar.best(np.array([q]), np.ones((1, len(q)), dtype=bool))[0][0]


def worth(mdp: MDP, observation: Any, b: Array, a: int, steps: int) -> Any:
    """The bracket of [P1]."""
    later = sum(
        chance * belief_value(mdp, observation, after, steps - 1)
        for chance, after in successors(mdp, observation, b, a)
    )
    return ar.tidy(np.array([b @ mdp.r[:, a] + mdp.gamma * later]))[0]


def successors(mdp: MDP, observation: Any, b: Array, a: int) -> Iterator[tuple[Any, Array]]:
    """Each observation's probability and the belief it leaves."""
    chances = observation_probability(mdp, observation, b, a)
    for o in np.flatnonzero(ar.apart(chances, 0)):
        yield chances[o], belief_update(mdp, observation, b, a, int(o))
