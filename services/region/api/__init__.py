"""The edge: requests are checked once here, become commands, and results become replies."""
