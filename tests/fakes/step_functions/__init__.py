"""The fake of Step Functions: executions only. It does not interpret the state machine."""
