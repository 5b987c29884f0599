"""What the project knows: schemas, weeks, transactions, purchases, RFM and the score card.

Everything here is a function from frames (or columns) to frames (or columns). No session, no path,
no clock, no log line: the jobs bring those.
"""
