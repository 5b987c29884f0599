"""What runs: one entry point per step, and all reading and writing. No business rule."""

import sys

from jobs.cli import interruptions

# Python's own sign of `python -m`, while it looks for the module. The imports of a step take seconds.
if sys.argv[:1] == ["-m"]:
    interruptions.for_the_whole_process()
