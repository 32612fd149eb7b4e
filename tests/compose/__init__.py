"""The whole of compose.yaml in a container engine: brought up, used, broken, healed, taken down."""
