"""Batch transform as a workflow: what is asked for (`request`, `draft`), what can be done (`operations`), what came out
(`output`)."""
