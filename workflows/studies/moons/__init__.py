"""The moons case study: a small PyTorch net for two interleaved half circles."""
