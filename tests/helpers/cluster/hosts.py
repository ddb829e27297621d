"""Hosts of a cluster on one machine: each has a network, files, a name and processes of its own (Linux namespaces).

A host sees the machine's programs (`/usr`, `/etc`), the folders that it is shown, a disk of its own at `/host` (with
`/tmp` on it) and, as on NFS, `/shared`. Nothing here has a name outside: the namespaces, and with them the network
interfaces, mounts and processes, end with the first process of each host, which ends with the test process. So a run
that was killed leaves nothing behind, and two runs beside each other do not meet.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from helpers.doors.servers import die_with_parent, start

# Inside of the namespaces only.
_NETWORK = "10.77.0"
_MACHINE = ("/usr", "/etc", "/opt", "/dev", "/sys")
# Links into /usr on a Debian of today, folders on an older one.
_PROGRAMS = ("/bin", "/sbin", "/lib", "/lib64")


class Host:
    """One host; `Hosts.add` makes it.

    Attributes:
        address: in the cluster's network.
        disk: its `/host`, seen from outside; not where the disk has a size.
    """

    def __init__(self, name: str, address: str, folder: Path, namespaces: Sequence[str]) -> None:
        self.name, self.address = name, address
        self.disk = folder / "disks" / name
        self.disk.mkdir(parents=True)
        # The first process of the host: where it ends, the system ends all others.
        self._outer = subprocess.Popen(
            ["unshare", *namespaces, "--kill-child", "--fork", "sh", "-c", "while :; do sleep 3600 & wait $!; done"],
            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip
        self.pid = _only_child(self._outer)
        self._root = folder / "roots" / name
        self._root.mkdir(parents=True)

    def command(self, command: Sequence[str | Path], **environment: str) -> list[str]:
        """What runs a program on this host, with these variables and few others, in its folder `/host`."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--net", "--uts", "--ipc", "--pid"]
        variables = {"HOME": "/host", "LANG": "C.UTF-8", "TERM": "dumb", "TZ": "UTC", "PATH": os.environ["PATH"]}
        for name in ("JAVA_HOME", "SPARK_SUBMIT_OPTS", "SPARK_LAUNCHER_OPTS"):
            if name in os.environ:
                variables[name] = os.environ[name]
        variables |= {"SPARK_LOCAL_IP": self.address} | environment
        settings = [f"{name}={value}" for name, value in variables.items()]
        inside = ["chroot", str(self._root), "env", "--ignore-environment", "--chdir=/host", *settings]
        return [*enter, *inside, *map(str, command)]

    def run(self, command: Sequence[str | Path], **environment: str) -> str:
        """Runs a program to its end and returns its output.

        Raises:
            RuntimeError: with what the program said, if it failed.
        """
        return _run(self.command(command, **environment))

    def spawn(self, command: Sequence[str | Path], log: str, **environment: str) -> subprocess.Popen[str]:
        """Starts a program; `log` is the file on the host's disk that gets its output."""
        return start(self.command(command, **environment), folder=self.disk, log=self.disk / log)

    def processes(self, text: str) -> list[int]:
        """The programs of this host whose command line has a text, by the process ids of the machine."""
        namespace = os.readlink(f"/proc/{self.pid}/ns/pid")
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " ")
                if text in command and os.readlink(entry / "ns" / "pid") == namespace:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # It has ended since, or is not of this machine's user.
        return found

    def send_signal(self, text: str, number: int = signal.SIGKILL) -> int:
        """Sends a signal to the programs whose command line has a text, and returns how many these are."""
        found = self.processes(text)
        for pid in found:
            os.kill(pid, number)
        return len(found)

    def path(self, name: str) -> Path:
        """A file of this host, for the test process; programs of the host may be writing it."""
        return self._seen(self._root / name.lstrip("/"))

    def stop(self) -> None:
        """The host loses its power."""
        self._outer.kill()
        self._outer.wait()

    def mount(self, *arguments: str | Path) -> None:
        """`mount` in the view of this host, before its root is all that it sees."""
        _run(["nsenter", "--target", str(self.pid), "--mount", "--pid", "mount", *map(str, arguments)])

    def furnish(self, shared: Path, shown: Mapping[Path, Path], megabytes: int | None, hostname: str) -> None:
        """Gives the host its files and its name.

        Args:
            shown: folders or files of the machine, which it may read, and where.
            megabytes: the size of its disk, which is in memory then.
        """
        root = self._root
        self.mount("-t", "tmpfs", "none", root)
        for name in _MACHINE:
            self._bind(Path(name), name)
        for name in _PROGRAMS:
            if os.path.islink(name):
                os.symlink(os.readlink(name), self._seen(root / name[1:]))
            elif os.path.isdir(name):
                self._bind(Path(name), name)
        self._make("/proc")
        self.mount("-t", "proc", "proc", root / "proc")
        if megabytes is None:
            self._bind(self.disk, "/host")
        else:
            self._make("/host")
            self.mount("-t", "tmpfs", "-o", f"size={megabytes}m", "none", root / "host")
        self._make("/host/tmp", 0o1777)
        self._bind(root / "host" / "tmp", "/tmp")
        self._bind(shared, "/shared")
        for name in ("/var/log", "/var/lib", "/run"):
            self._make(name)
        for source, place in shown.items():
            self._bind(source, str(place), read_only=True)
        names = self.disk / "hosts"
        names.write_text(f"127.0.0.1 localhost\n{self.address} {hostname}\n", encoding="utf-8")
        self.mount("--bind", names, root / "etc" / "hosts")
        _run(["nsenter", "--target", str(self.pid), "--uts", "hostname", hostname])

    def _seen(self, path: Path) -> Path:
        """A path in this host's view of the machine, for the test process."""
        return Path(f"/proc/{self.pid}/root{path}")

    def _make(self, name: str, mode: int = 0o755) -> None:
        place = self._seen(self._root / name[1:])
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(mode)

    def _bind(self, source: Path, name: str, read_only: bool = False) -> None:
        place = self._seen(self._root / name[1:])
        if self._seen(source).is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        self.mount("--bind" if read_only else "--rbind", source, self._root / name[1:])
        if read_only:
            self.mount("-o", "remount,ro,bind", self._root / name[1:])


class Hosts:
    """Hosts on one switch.

    Args:
        folder: for their disks and what they share.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared = folder / "shared"
        self.shared.mkdir(parents=True)
        self._all: list[Host] = []
        self._switch = Host("switch", "", folder, ["--net", "--pid"])

    def __enter__(self) -> Self:
        self._in_switch("link", "add", "br0", "type", "bridge")
        self._in_switch("link", "set", "br0", "up")
        return self

    def __exit__(self, *error: object) -> None:
        for host in [*self._all, self._switch]:
            host.stop()

    def add(
        self,
        name: str,
        shown: Mapping[Path, Path] | None = None,
        megabytes: int | None = None,
        hostname: str | None = None,
    ) -> Host:
        """Sets a host up.

        Args:
            name: here; also what it calls itself, without a `hostname`.
            shown: what of the machine it sees beside its programs, and where; the Python that virtual environments
                are made of is always there.
            megabytes: the size of its disk, where that matters.
        """
        address = f"{_NETWORK}.{len(self._all) + 1}"
        own = ["--mount", "--net", "--uts", "--ipc", "--pid", "--propagation", "private"]
        host = Host(name, address, self.folder, own)
        self._all.append(host)
        python = Path(sys.base_prefix).resolve()
        host.furnish(self.shared, {python: python} | dict(shown or {}), megabytes, hostname or name)
        cable = ["link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", str(host.pid)]
        self._in_switch(*cable)
        self._in_switch("link", "set", f"v-{name}", "master", "br0", "up")
        for command in (f"addr add {address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            _run(["nsenter", "--target", str(host.pid), "--net", "ip", *command.split()])
        return host

    def cut(self, host: Host) -> None:
        """Pulls the plug of a host: packets from and to it are lost."""
        self._in_switch("link", "set", f"v-{host.name}", "down")

    def heal(self, host: Host) -> None:
        self._in_switch("link", "set", f"v-{host.name}", "up")

    def _in_switch(self, *command: str) -> None:
        _run(["nsenter", "--target", str(self._switch.pid), "--net", "ip", *command])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}{done.stdout[-500:]}"
        )
    return done.stdout


def _only_child(process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline and process.poll() is None:
        if found := Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            return int(found[0])
        time.sleep(0.01)
    raise RuntimeError("unshare made no namespaces, as it must be allowed to: root, and on some systems more than that")
