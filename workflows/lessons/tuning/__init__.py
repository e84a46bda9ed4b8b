"""Lesson 4: hyperparameter tuning, and whether it was worth it."""
