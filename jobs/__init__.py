"""What runs: one thin module per step, and all reading and writing."""
