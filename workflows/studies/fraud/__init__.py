"""The fraud detection study: four LinearLearner variants, one leaderboard, thresholds from a stated requirement."""
