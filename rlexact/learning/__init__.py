"""The tabular algorithms of the documents: an MDP and a seeded generator in, what was learned and its curve out.

    values      td (TD(0), n-step, TD(λ)), monte_carlo
    control     sarsa, q_learning (also double, soft, DQN on a table), dyna, monte_carlo
    policies    reinforce, actor_critic (online and A2C), a3c, natural_gradient, ppo, trpo, soft_actor_critic
    search      evolution (CEM, CMA-ES, NES)
    offline     iql, cql, model_based (the model of a data set); rlhf (preferences: reward model and RL, beside DPO)

Each takes a seed or generator and returns a `Learned` (`curve`) whose curve measures the error against the exact truth.
"""
