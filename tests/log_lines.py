"""What a program writes to stderr where it is no terminal: log lines, and the one line of an error."""


def without_logs(stderr: str) -> list[str]:
    """The lines that are no log lines."""
    return [line for line in stderr.splitlines() if not line.startswith("time=")]


def fields_of(line: str) -> dict[str, str]:
    """The fields of a log line in the form key=value, none of whose values has a blank but the quoted event."""
    event = line.partition('event="')[2].partition('"')[0]
    fields = dict(part.split("=", 1) for part in line.replace(f'event="{event}"', "").split())
    return {**fields, "event": event}
