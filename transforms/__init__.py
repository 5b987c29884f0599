"""What the project knows: schemas, weeks, transactions, purchases, RFM, the score card and clusters.

Everything here is a function from frames (or columns) to frames (or columns). No session, no path,
no clock, no log line: the jobs bring those.
"""
