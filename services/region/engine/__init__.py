"""In which order things happen: the steps of each operation, from a command to its result."""
