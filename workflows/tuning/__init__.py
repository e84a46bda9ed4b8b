"""Hyperparameter tuning as a workflow: what is asked for (`request`, `draft`), what can be done (`operations`, `defaults`),
and what the trials tell (`analysis`, `importance`, `forecast`, `comparison`)."""
