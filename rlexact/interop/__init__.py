"""Somebody else's model as an `MDP`.  Nothing is imported from the other library until a function here needs it."""
