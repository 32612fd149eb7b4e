"""Storage on real files: what is acknowledged stays, what is damaged is noticed."""
