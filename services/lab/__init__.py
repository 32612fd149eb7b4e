"""Starts, stops, loads, breaks and compares several regions on one machine."""
