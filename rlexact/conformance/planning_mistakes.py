"""What the usual mistakes make of a model: each one is a wrong model, whose own exact answer is what the mistake computes.

    a step ends with probability e(s, a), paying r_e(s, a) in expectation; ρ is the start law

    done flag ignored           p(s' | s, a) counts the successors of steps that end
    reset bootstrapped          p(s' | s, a) + e(s, a) ρ(s'): the observation after an automatic reset
    ending reward dropped       r - r_e
    ending reward for ever      r + r_e γ / (1 - γ): an absorbing state that goes on paying
    reward late, early          γ r, r / γ: discounted once too often, once too seldom
    reward of the wrong state   r(s') for r(s), or r(s) for r(s')
    outcomes overwritten        of equal successors only the last counts
    transposed                  p(a' | ...) with state and action axes exchanged, r likewise; P_πᵀ for P_π
    ε-soft                      (1 - ε) p + ε Σ_a p / A: what on-policy learning with ε-greedy converges to
    costs                       -r for r; the minimum for the maximum
    wrong discount              another γ

The parts come from `wrong_models`. Models are floats here: a cause has to match far better than the truth, not
exactly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from rlexact import arithmetic as ar
from rlexact.arithmetic import Array, SingularSystem
from rlexact.conformance.wrong_models import (
    LARGE,
    Table,
    all_successors,
    altered,
    arrival_reward,
    ending_rewards,
    everything,
    placed,
    restarted,
    soft,
    swapped,
)
from rlexact.exact.bellman import backup
from rlexact.exact.evaluation import policy_value
from rlexact.exact.policy_iteration import policy_iteration
from rlexact.mdp import MDP, InvalidMDP, InvalidPolicy
from rlexact.policy import uniform
from rlexact.solution import NotConverged, Solution, Unbounded

DISCOUNTS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
EPSILONS = (0.01, 0.05, 0.1, 0.2)
NO_ANSWER = (Unbounded, NotConverged, InvalidMDP, InvalidPolicy, SingularSystem)

Wrong = tuple[str, str, Callable[[], MDP]]
Solver = Callable[[MDP], Solution]


@dataclass(frozen=True, eq=False)
class Mistake:
    """A named mistake and what it computes: `v` (S,), `q` (S, A) and, for control, the actions it calls optimal (S, A)."""

    name: str
    says: str
    v: Array
    q: Array
    optimal_actions: Array | None = None


def planning_mistakes(mdp: MDP, policy: Array | None, table: Table | None, optimal_policy: Array) -> Iterator[Mistake]:
    """Every mistake that gives an answer for this float model, of control, or of one policy where it is given.

    `table` holds the outcomes as an environment lists them, with successors even of steps that end. The wrong models
    are solved from `optimal_policy`, which is seldom far.
    """
    solved = partial(optimum, start=optimal_policy)
    answers = [partial(answered, *wrong, policy, solved) for wrong in wrong_models(mdp, table)]
    for answer in answers + list(wrong_questions(mdp, policy, solved)):
        try:
            yield answer()
        except NO_ANSWER:
            continue  # a mistake without a finite answer did not produce the answer at hand


def optimum(mdp: MDP, start: Array) -> Solution:
    """The optimum, found from `start` (S, A); at γ = 1 from scratch, since in a wrong model it may never end."""
    return policy_iteration(mdp, policy=None if mdp.gamma == 1 else start)


def answered(name: str, says: str, model: Callable[[], MDP], policy: Array | None, solved: Solver) -> Mistake:
    """The answer of a wrong model to the question that was asked."""
    if policy is None:
        return controlled(name, says, model, solved)
    return valued(name, says, lambda: policy_value(model(), policy), model)


def controlled(name: str, says: str, model: Callable[[], MDP], solved: Solver, sign: int = 1) -> Mistake:
    best = solved(model())
    return Mistake(name, says, sign * best.v, sign * best.q, best.optimal_actions)


def valued(name: str, says: str, values: Callable[[], Array], model: Callable[[], MDP]) -> Mistake:
    v = values()
    return Mistake(name, says, v, backup(model(), v))


def wrong_questions(mdp: MDP, policy: Array | None, solved: Solver) -> Iterator[Callable[[], Mistake]]:
    """Answers to another question about the right model."""

    def ask(name: str, says: str, values: Callable[[], Array]) -> Callable[[], Mistake]:
        return partial(valued, name, says, values, lambda: mdp)

    says = "an average over actions stands where a maximum, or the policy, belongs"
    yield ask("value of the uniform policy", says, lambda: policy_value(mdp, uniform(mdp)))
    if policy is None:
        negated = partial(altered, mdp, r=-mdp.r)
        yield partial(controlled, "minimum for maximum", "rewards are maximised; these are costs", negated, solved, -1)
        for epsilon in EPSILONS:
            says = "on-policy learning has this limit, not the optimum (Sutton and Barto 2018, §5.4)"
            yield ask(f"best ε-soft policy, ε = {epsilon}", says, partial(soft_value, mdp, epsilon, solved))
    else:
        says = "a maximum stands where the policy's average belongs"
        yield ask("optimum", says, lambda: solved(mdp).v)
        says = "solve with P_π, not with its transpose"
        yield ask("transition matrix transposed", says, partial(transposed, mdp, policy))


def wrong_models(mdp: MDP, table: Table | None) -> Iterator[Wrong]:
    """(name, what to do about it, the wrong model), the plainer mistakes first."""
    yield from ends_wrong(mdp, table)
    yield from rewards_wrong(mdp)
    if table is not None:
        yield from repeats_wrong(mdp, table)
    if mdp.n_states == mdp.n_actions:
        yield (
            "axes (A, S, S) for (S, A, S)",
            "P[s, a, s'] has the state first",
            lambda: altered(mdp, kernel=swapped(mdp)),
        )
        yield "rewards (A, S) for (S, A)", "transpose R", lambda: altered(mdp, r=mdp.r.T.copy())
    yield "rewards negated", "a reward is to be large, a cost small", lambda: altered(mdp, r=-mdp.r)
    if not mdp.available[~mdp.terminal].all():
        says = "actions that are not available enter the maximum with the value 0: mask them"
        yield "unavailable actions counted", says, lambda: altered(mdp, available=everything(mdp))
    for gamma in DISCOUNTS:
        if gamma != mdp.gamma and (mdp.r.size <= LARGE or gamma <= max(mdp.gamma, 0.99)):
            yield f"gamma = {gamma}", f"the model has gamma = {mdp.gamma}", partial(altered, mdp, gamma=gamma)


def ends_wrong(mdp: MDP, table: Table | None) -> Iterator[Wrong]:
    """Mistakes about the steps that end: by themselves, or in a terminal state."""
    into = (mdp.kernel @ mdp.terminal.astype(float)).reshape(mdp.r.shape)
    ending = mdp.ends + into
    if not ending.any():
        return
    if table is not None:
        says = "steps that end bootstrap from their successor: multiply the bootstrap by 1 - terminated"
        yield "done flag ignored", says, lambda: altered(mdp, kernel=all_successors(mdp, table), ends=0 * mdp.ends)
    if mdp.has_initial:
        says = "steps that end bootstrap from the state after the reset: keep the true last observation, or cut"
        yield "reset bootstrapped", says, lambda: altered(mdp, kernel=restarted(mdp, ending), ends=0 * mdp.ends)
    paid = ending_rewards(mdp, into)
    if paid is None or not paid.any():
        return
    yield "ending reward dropped", "a step that ends still pays its reward", lambda: altered(mdp, r=mdp.r - paid)
    if mdp.gamma < 1:
        says = "the reward of ending is paid once: an absorbing state pays nothing"
        again = mdp.gamma / (1 - mdp.gamma)
        yield "ending reward paid for ever", says, lambda: altered(mdp, r=mdp.r + again * paid)


def rewards_wrong(mdp: MDP) -> Iterator[Wrong]:
    """Mistakes about when a reward is paid."""
    if 0 < mdp.gamma < 1:
        late, early = "r_t is worth γ^t: it is discounted once too often", "r_t is worth γ^t: one discount is missing"
        yield "reward one step late", late, lambda: altered(mdp, r=mdp.gamma * mdp.r)
        yield "reward one step early", early, lambda: altered(mdp, r=mdp.r / mdp.gamma)
    if np.ndim(mdp.R) == 1:
        says = "R[s] is paid for leaving s, not for arriving there"
        yield "reward on arrival", says, lambda: altered(mdp, r=(mdp.kernel @ mdp.R).reshape(mdp.r.shape))
    if (reward := arrival_reward(mdp)) is not None:
        says = "the reward belongs to the state arrived in, not to the one that is left"
        departing = np.where(mdp.available, reward[:, None], 0.0)
        yield "reward on departure", says, lambda: altered(mdp, r=departing)


def repeats_wrong(mdp: MDP, table: Table) -> Iterator[Wrong]:
    """Mistakes about outcomes that name the same successor more than once."""
    last = {(s * mdp.n_actions + a, o[1]): o for (s, a), listed in table.items() for o in listed}
    if len(last) == sum(map(len, table.values())):
        return
    says = "the same successor is listed more than once: add the probabilities, and average the rewards"
    p_all, reward_last = all_successors(mdp, table), placed(mdp, {key: o[2] for key, o in last.items()})
    averaged = (p_all * reward_last).sum(axis=1)
    going_on = placed(mdp, {key: o[0] for key, o in last.items() if not o[3]})
    p_last = placed(mdp, {key: o[0] for key, o in last.items()})
    lost = (p_last * reward_last).sum(axis=1)
    yield "rewards overwritten", says, lambda: altered(mdp, r=np.reshape(averaged, mdp.r.shape))
    yield "probabilities overwritten", says, lambda: altered(mdp, kernel=going_on)
    yield "outcomes overwritten", says, lambda: altered(mdp, kernel=going_on, r=np.reshape(lost, mdp.r.shape))


def transposed(mdp: MDP, policy: Array) -> Array:
    """(I - γ P_πᵀ)⁻¹ r_π: (S, A) -> (S,)."""
    P, r = mdp.under(policy)
    return ar.solve((ar.eye(P) - mdp.gamma * P).T, r)


def soft_value(mdp: MDP, epsilon: float, solved: Solver) -> Array:
    """The value of the best policy that explores with probability ε: (S,)."""
    return solved(soft(mdp, epsilon)).v
