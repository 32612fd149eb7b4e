"""Real processes, killed and cut off under load: nothing acknowledged is lost, regions agree again."""
