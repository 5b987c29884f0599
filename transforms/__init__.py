"""What the project knows: functions from frames or columns to frames or columns.

No session, no path, no clock, no log line: the jobs bring those.
"""
