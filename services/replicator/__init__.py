"""Brings every other region's changes to its own region, in order, resuming where it stopped."""
