"""Every promise of the system, each checked by a test that is named after it."""
