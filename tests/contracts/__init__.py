"""One suite per seam, run on each of its implementations."""
