"""What runs: one entry point per step, and all reading and writing. No business rule."""
