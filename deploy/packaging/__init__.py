"""Archives for Glue and EMR, from the project and its locked wheels. Nothing is uploaded here."""
