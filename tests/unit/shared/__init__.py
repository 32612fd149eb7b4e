"""What both services share beyond the formats: topology, settings, errors."""
