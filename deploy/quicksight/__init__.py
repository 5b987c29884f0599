"""The dashboard in QuickSight, generated from the tables' columns, and the files of the console's way; no data is read.

`template` writes the stack ``bi``. Its text is committed, so that `up` sends what was reviewed.
"""
