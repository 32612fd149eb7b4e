"""The engine of a whole region that is opened inside the test's process."""
