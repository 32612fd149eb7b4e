"""Work in the background: small loops that survive any failure and go on where they stopped."""
