"""Lesson 5: updating a model: A/B test, blue/green, drift, retraining, roll back."""
