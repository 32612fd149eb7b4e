"""The replicator's decisions and tasks, with simulated regions and feeds."""
