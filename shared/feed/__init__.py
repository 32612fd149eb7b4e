"""What carries changes between regions: in order, at least once, and never silently past a gap."""
