"""Several regions over the real decision code, in virtual time, under seeded faults."""
