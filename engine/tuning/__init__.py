"""Hyperparameter tuning: which training job to try next, until the best is found."""
