"""Kinds of source, one file each: how its raw tables are found, and how they become transactions. No rule of rows."""
