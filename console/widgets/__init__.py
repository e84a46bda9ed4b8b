"""Widgets of the console that Textual does not have: they draw lines themselves and repaint what changed."""
