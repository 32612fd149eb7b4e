"""The feed on a real broker, stopped, killed and emptied."""
