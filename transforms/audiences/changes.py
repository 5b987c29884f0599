"""Changes: what became of a customer from one list of an audience to the next, and who is written to because of it."""

CAME, LEFT, MOVED, UPDATED = CHANGES = ("came", "left", "moved", "updated")
"""In the later list alone, in the earlier one alone, in another segment, and with another value of a further column."""

WRITTEN_TO = (CAME, MOVED)
"""Who is written to because of a change. Who left is not, and an update is no new reason to."""
