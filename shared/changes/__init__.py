"""The change record and its codec: what is written today can be read by every later release. Pure."""
