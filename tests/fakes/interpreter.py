"""A ``python`` for commands of a shell: jobs that need Spark run in the process of the test, whose Spark is warm.

The command line is the one that make and the shell give it. Only the start of a Python and of a Java is spared, and
the gate and the report are those of the other runs in this process. All else goes to the real ``python``.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, suppress
from importlib import import_module
from pathlib import Path

HANDED_OVER = ("jobs.pipeline", "jobs.ingest", "jobs.features", "jobs.segments", "jobs.sample")
VARIABLE = "PORT_OF_THE_TEST"
"""Where this process listens. Without it everything goes to the real ``python``."""

SCRIPT = """\
#!{python} -IS
import json, os, socket, sys
port, module = os.environ.get({variable!r}), (sys.argv[2] if sys.argv[1:2] == ["-m"] else "")
if not port or module not in {handed_over}:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with socket.create_connection(("127.0.0.1", int(port))) as connection:
    connection.sendall(json.dumps([module, sys.argv[3:], os.getcwd()]).encode() + b"\\n")
    sys.exit(int(connection.makefile().readline() or 70))
"""

SECONDS_BETWEEN_LOOKS = 0.05


def link_environment(folder: Path) -> None:
    """Make a folder that is the environment of the tests, but for its ``python``."""
    (folder / "bin").mkdir(parents=True)
    for path in [*Path(sys.prefix).iterdir(), *Path(sys.prefix, "bin").iterdir()]:
        link = folder / path.relative_to(sys.prefix)
        if link.name not in ("bin", "python"):
            link.symlink_to(path)
    python = folder / "bin" / "python"
    python.write_text(SCRIPT.format(python=sys.executable, variable=VARIABLE, handed_over=HANDED_OVER))
    python.chmod(0o755)


def run_here(command: list[str], *, cwd: Path, env: Mapping[str, str], log: Path) -> int:
    """Run a command, and in this process the jobs that it starts by the ``python`` of `link_environment`.

    Args:
        command: with its arguments.
        cwd: its folder, and that of the jobs.
        env: its environment. The jobs have that of this process.
        log: takes what it writes itself.

    Returns:
        Its exit code.
    """
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        log.open("w") as file,
        subprocess.Popen(
            command,
            cwd=cwd,
            env={**env, VARIABLE: str(server.getsockname()[1])},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        server.settimeout(SECONDS_BETWEEN_LOOKS)
        while process.poll() is None:
            with suppress(TimeoutError):
                connection, _ = server.accept()
                with connection, connection.makefile("rw") as lines:
                    lines.write(f"{_ended(*json.loads(lines.readline()))}\n")
        return process.returncode


def _ended(module: str, arguments: list[str], folder: str) -> int:
    """Run a job in its folder, and return its exit code."""
    with chdir(folder):
        code: int = import_module(module).main(arguments)
    return code
