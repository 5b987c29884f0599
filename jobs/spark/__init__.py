"""The Spark session: settings, Java, and S3A. No query runs here."""
