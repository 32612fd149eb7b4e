"""What both services must agree on, byte for byte, and nothing else."""
