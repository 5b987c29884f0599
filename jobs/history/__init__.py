"""Segments from run to run: the run before, the history and the changes that a run writes, and their figures.

What a change and its causes are is in `transforms.changes`, and not here.
"""
