"""What stands behind `engine.series`: bins, their archive on disk, statistics and metric math."""
