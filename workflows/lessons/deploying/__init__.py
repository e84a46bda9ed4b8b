"""Lesson 3: a model behind an endpoint, and behind a web page."""
