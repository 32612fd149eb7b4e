"""One frozen request and result type per operation, whichever wire it came by. Pure."""
