"""How things are kept: item, index entries and change are written in one durable transaction."""
