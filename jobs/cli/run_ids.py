"""The ids of runs, as the command line and the files of runs have them. Imports nothing, so that the storage has it."""

import re

RUN_ID = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[A-Za-z0-9._-]{0,150}")
"""The as-of date and then letters, digits, ``.``, ``_`` or ``-``: the name of a folder, and never a way out of one."""
