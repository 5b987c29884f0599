"""Bundles for Glue and EMR: archives of the project and of its locked wheels. Nothing is uploaded here."""
