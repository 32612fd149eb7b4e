"""Laws that hold for all inputs, searched for counterexamples."""
