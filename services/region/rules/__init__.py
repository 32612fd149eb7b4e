"""What should happen: decisions from a request and the stored row alone, safe to run twice. Pure."""
