"""The resource REST as a client meets it: over HTTP, against a region's process."""
