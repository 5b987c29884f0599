"""What every room shares about AWS: its environment variables and one table of errors. No client of a service."""
