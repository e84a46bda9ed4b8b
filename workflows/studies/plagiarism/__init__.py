"""The plagiarism case study: features of copied text, a small classifier, and how much of its score is luck."""
