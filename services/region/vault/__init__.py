"""Keys and envelopes: no data key is kept in the clear, and a file is opened by its own key only."""
