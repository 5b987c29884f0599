"""Requests to AWS as values, files in S3, and the options that every verb shares. No verb is here."""
