"""The Spark session: settings, Java, and S3A. No query is run here."""
