"""The lab's parts, each alone: no region and no replicator runs here."""
