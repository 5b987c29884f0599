"""The fake of Glue: job runs only. No script runs."""
