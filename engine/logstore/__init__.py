"""What stands behind `engine.streams`: the catalog of groups and streams, a stream's file, filter patterns."""
