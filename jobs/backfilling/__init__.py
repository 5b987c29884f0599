"""Runs as of many days, made in one go: which days, the command line, and the summary. No step of a run."""
