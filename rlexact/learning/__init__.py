"""The tabular algorithms of the documents, sampled and seeded."""
