"""What can be known exactly about a finite MDP: no sampling, every number with a guarantee."""
