"""Plagiarism in short answers: a corpus, its features, its split and what a classifier gets wrong; ``source/`` trains and serves."""
