"""Small named MDPs that examples, tests and users share: exact wherever their numbers are rational.

    worked           the worked examples of the study documents
    grids            gridworlds of Sutton and Barto, Russell and Norvig, and Gymnasium
    classics         chains, games and maintenance problems of the textbooks
    generators       Garnet and random models, drawn from a seed
    counterexamples  where function approximation fails; the module adds policies and features (`baird`, `w_to_2w`, ...)

Each docstring names its source and what is paid when. A reward is paid on the step that leaves a state; a parameter
such as `gamma` takes a Fraction, a decimal string or a SymPy symbol (`to_float()` makes floats of the finished
model).
"""

from rlexact.gallery.classics import (
    bandit,
    chain,
    corridor,
    forest,
    gambler,
    puterman_two_state,
    racing,
    random_walk,
    river_swim,
    short_corridor,
)
from rlexact.gallery.counterexamples import baird_star, doubling, three_ring
from rlexact.gallery.generators import garnet, random_mdp
from rlexact.gallery.grids import (
    aima_grid,
    cliff_walk,
    frozen_lake,
    sutton_barto_grid,
    sutton_barto_small_grid,
    windy_grid,
)
from rlexact.gallery.worked import (
    fork,
    foundations_decision_process,
    foundations_process,
    foundations_reward_process,
    foundations_sticky_process,
    go_then_stay,
    half_contraction,
    left_right_loop,
    three_state_chain,
    two_armed_bandit,
    two_streams,
)

__all__ = [
    "aima_grid",
    "baird_star",
    "bandit",
    "chain",
    "cliff_walk",
    "corridor",
    "doubling",
    "forest",
    "fork",
    "foundations_decision_process",
    "foundations_process",
    "foundations_reward_process",
    "foundations_sticky_process",
    "frozen_lake",
    "gambler",
    "garnet",
    "go_then_stay",
    "half_contraction",
    "left_right_loop",
    "puterman_two_state",
    "racing",
    "random_mdp",
    "random_walk",
    "river_swim",
    "short_corridor",
    "sutton_barto_grid",
    "sutton_barto_small_grid",
    "three_ring",
    "three_state_chain",
    "two_armed_bandit",
    "two_streams",
    "windy_grid",
]
