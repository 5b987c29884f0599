"""Checks of this repository itself. Nothing here belongs to the pipeline or reaches its users."""
