"""Access to AWS: requests as values, files in S3, waiting, and the options that all verbs share. No verb is here."""
