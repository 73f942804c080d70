"""The ground truth of reinforcement learning."""
