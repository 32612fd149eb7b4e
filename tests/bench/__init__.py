"""How fast a region is, measured beside a bare server and beside its peers."""
