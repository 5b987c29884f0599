"""The record of an audience: who was on a list, and in which arm. No query, and nothing that makes or measures one."""
