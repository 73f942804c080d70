# %% [markdown]
# # The five documents, section by section
#
# Each checkable statement of five study documents of reinforcement learning has a place and a verdict: it *holds*, it holds
# under a condition that the document does not state (*conditional*), or it is *wrong*. The tables lead to the sections, each
# a notebook that tells what the document says, computes what is right, and shows the claims it settles. The lists lead from
# each finding to its cell. [ERRATA.md](../ERRATA.md) has every finding with its counterexample,
# [the worked examples](../docs/worked_examples.md) have every printed number beside the exact one, and
# [the formulas](../docs/formulas.md) are listed with their sources.

# %%
from rlexact.errata import contents, findings_of, pictures

# %% [markdown]
# ## `foundations`: Markov processes, values, and programs that estimate them

# %%
contents("foundations")

# %%
findings_of("foundations")

# %% [markdown]
# ## `theory`: from MDPs to preferences, with exercises, questions and code

# %%
contents("theory")

# %%
findings_of("theory")

# %% [markdown]
# ## `intro`: values, returns and the first derivation of the policy gradient

# %%
contents("intro")

# %%
findings_of("intro")

# %% [markdown]
# ## `reference`: formulas on a few pages

# %%
contents("reference")

# %%
findings_of("reference")

# %% [markdown]
# ## `notes`: lecture notes with derivations and questions to the reader

# %%
contents("notes")

# %%
findings_of("notes")

# %% [markdown]
# ## Pictures of the formulas
#
# Beside the documents' sections, these notebooks draw what deep-RL code computes and how the tabular algorithms learn.

# %%
pictures("formulas")

# %%
pictures("learning")
