"""Somebody else's model as an `MDP`.  Nothing is imported from the other library until a function here needs it."""

from rlexact.interop.gymnasium import Recovered, from_gymnasium, recover

__all__ = ["Recovered", "from_gymnasium", "recover"]
