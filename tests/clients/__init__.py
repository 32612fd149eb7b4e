"""Clients that others wrote, unchanged, against a region's process."""
