"""How the project gets to AWS: one module per verb of ``python -m deploy``. Nothing here runs Spark."""
