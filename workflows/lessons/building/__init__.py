"""Lesson 2: building models and batch transform."""
