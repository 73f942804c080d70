"""The long run of a policy: stationary laws and average reward.

    d P_π = d,   Σ_s d(s) = 1                                      [S1]  stationary, stationary_laws
    d(s) ∝ E_c[visits to s before the return to c]                 [S2]  the same law, by excursions from a state c
    g(s) = lim_n (1/n) E_s[Σ_{t<n} r_t] = Σ_C Pr_s(reach C) d_C · r_π    [S3]  average_reward

One law for each closed class C (a set that is never left and never ends); [S1] has one solution in it. Levin, Peres
and Wilmer (2017), §1.5 and Proposition 1.14 for [S2]; Puterman (1994), §8.2 and Appendix A for [S3]. Dropping the
balance equation of one state c of the class and fixing y(c) = 1 leaves the regular system of [S2]; its solution is
then normalised.
"""

from typing import Any

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array
from rlexact.door import InvalidPolicy
from rlexact.exact.chain import closed_classes, named
from rlexact.exact.reach import reach_probability
from rlexact.mdp import MDP


def stationary(mdp: MDP, policy: Array) -> Array:
    """The stationary law of the policy's chain [S1]: (S, A) -> (S,), zero outside its closed class.

    Raises `InvalidPolicy`, naming the classes, unless there is exactly one; `stationary_laws` has a law for each.
    """
    classes = closed_classes(mdp, policy)
    if len(classes) > 1:
        shown = ", ".join(named(mdp, states) for states in classes)
        raise InvalidPolicy(
            f"the policy has {len(classes)} closed classes, {shown}: stationary_laws has a law for each"
        )
    if not classes:
        raise InvalidPolicy("under this policy every episode ends: no closed class is left to have a stationary law")
    return np.asarray(stationary_laws(mdp, policy)[0])


def stationary_laws(mdp: MDP, policy: Array) -> Array:
    """One stationary law per closed class, in the order of `closed_classes`: (S, A) -> (C, S).

    Every stationary law of the chain is a mixture of these rows.
    """
    P, _ = mdp.under(policy)
    laws = [excursions(P, states) for states in closed_classes(mdp, policy)]
    return np.array(laws).reshape(-1, mdp.n_states)


def average_reward(mdp: MDP, policy: Array) -> Array:
    """Long-run reward per step, by start state [S3]: (S, A) -> (S,).

    The same number throughout when one closed class is reached from everywhere. An episode that ends earns 0 per step.
    """
    _, r = mdp.under(policy)
    gain = ar.zeros(mdp.r, mdp.n_states)
    for states, law in zip(closed_classes(mdp, policy), stationary_laws(mdp, policy), strict=True):
        gain = gain + reach_probability(mdp, policy, states) * (law * r).sum()
    return ar.tidy(gain)


def excursions(P: Any, states: list[int]) -> Array:
    """[S2] for one closed class: (S, S) -> (S,)."""
    others, home = np.zeros(P.shape[0], dtype=bool), ar.zeros(P, P.shape[0])
    others[states[1:]] = True
    home[states[0]] = ar.number(P, 1)
    y = ar.solve(ar.eye(P) - ar.keep_rows(P.T, others), home)
    return ar.tidy(y / y.sum())
