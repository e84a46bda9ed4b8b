"""Batch transform: a model's container is started, fed with the objects below a prefix, and ended."""
