"""What the project knows: functions from frames or columns to frames or columns.

No session, no path, no clock, no log: `jobs` has those.
"""
