"""A link between two regions as a pure state machine: state and event in, state and effects out."""
