"""Follow, apply and resync: the replicator's tasks, which carry out what links decide."""
