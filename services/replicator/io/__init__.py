"""The replicator's calls to regions, with limits on how long any of them may take."""
