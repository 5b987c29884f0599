"""The command line: parsers, arguments, typed configuration, console output and exit codes. Nothing runs here."""
