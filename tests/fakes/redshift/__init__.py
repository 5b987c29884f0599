"""The fake of the Redshift Data API over a real PostgreSQL. Redshift Serverless, the control plane, is not here."""
