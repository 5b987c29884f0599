"""How the project gets to AWS: one module per verb of ``python -m deploy``, and their rooms. No Spark here."""
