"""One region's tables: an acknowledged write is durable, and found in the change log."""
