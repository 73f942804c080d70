"""What deep-RL code computes on a batch: arrays in, arrays out, NumPy and SciPy only.

One file per name that people say: `gae`, `ppo`, `dpo`, `sac`. Every function states its equation, shapes, sign (a loss is
minimised, an objective maximised) and source; beside each loss `f` stands its gradient `f_gradient` in closed form. Numbers
keep their world: floats stay floats (float32 too), Fractions stay Fractions, and where an exponential is needed an exact
number is refused by name (`NotExact`). docs/formulas.md lists them all.
"""
