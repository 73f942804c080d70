"""The two refusals at the door."""


class InvalidMDP(ValueError):
    """A model that is not a finite MDP: the message says where, what was found, and what to do."""


class InvalidPolicy(ValueError):
    """A policy that does not fit its model: wrong shape, world, sums, or mass where no action is available."""
