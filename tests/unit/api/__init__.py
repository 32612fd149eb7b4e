"""The edge: what requests become, how they are refused, and what replies look like."""
