"""What AWS is to every room: the environment and one table of errors. No client of a single service."""
