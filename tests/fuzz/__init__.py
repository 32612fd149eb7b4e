"""Requests by the service model, at random: whatever is asked of a region, it answers, and in the service's form."""
