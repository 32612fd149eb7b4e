"""The resource REST without HTTP: plain JSON, paths and preconditions."""
