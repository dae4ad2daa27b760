"""A Debian with a real systemd in it, looked at from outside.

`Root` is a directory with a Debian release, made once and kept in the cache.
`Machine` boots it with systemd-nspawn; what is changed in it is thrown away.
`Talk` is a program inside that is spoken with: telnet, nc.

Nothing here waits for a fixed time: `wait_until` and `Talk.expect` poll for
an event, with a deadline.
"""

import codecs
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import termios
import threading
import time

DEADLINE = 20.0  # seconds; generous, since the machine may be busy

# What the tests use inside, and what the package depends on: the container
# has no network to fetch anything.
PACKAGES = [
    "dbus",
    "inetutils-telnet",
    "init-system-helpers",
    "iproute2",
    "jq",
    "libpam-systemd",
    "man-db",
    "netcat-openbsd",
    "procps",
    "systemd",
    "systemd-sysv",
]

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """An expectation that was not met; the text is for the reader."""


def wait_until(what, holds, deadline=DEADLINE):
    """Returns the first true value of `holds()`."""
    end = time.monotonic() + deadline
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {deadline:g} s in vain: {what}")
        time.sleep(0.02)


class Root:
    """A Debian release as a directory, in the cache."""

    def __init__(self, release):
        self.release = release
        cache = os.environ.get("CHATHUB_TEST_CACHE") or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
            "chathub-tests",
        )
        # Another list of packages is another directory.
        key = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
        self.path = pathlib.Path(cache) / f"{release}-{key}"

    def make(self):
        if self.path.is_dir():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        mirror = os.environ.get("CHATHUB_TEST_MIRROR", "http://deb.debian.org/debian")
        try:
            subprocess.run(
                [
                    "mmdebstrap",
                    "--quiet",
                    "--mode=root",
                    "--variant=minbase",
                    f"--include={','.join(PACKAGES)}",
                    self.release,
                    str(partial),
                    mirror,
                ],
                check=True,
            )
            try:
                partial.rename(self.path)
            except OSError:  # somebody else was faster
                if not self.path.is_dir():
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)


class Done:
    """What became of a command."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def text(self):
        return self.out + self.err


class Transcript:
    """All that was done and seen, for the one who has to find out why."""

    def __init__(self):
        self.lines = []
        self.start = time.monotonic()
        self.lock = threading.Lock()

    def add(self, who, text):
        stamp = f"{time.monotonic() - self.start:7.2f}"
        with self.lock:
            for line in text.rstrip("\n").split("\n"):
                self.lines.append(f"{stamp} {who} {line}")


class Machine:
    """A booted container. Use it as a context manager: leaving it stops it."""

    counter = 0

    def __init__(self, root, share):
        Machine.counter += 1
        self.root = root
        self.share = share
        self.name = f"chathub-{os.getpid()}-{Machine.counter}"
        self.transcript = Transcript()
        self.console = pathlib.Path(share) / f"{self.name}.console"
        self.nspawn = None
        self.leader = None
        self.cgroups = []
        self.talks = []

    # Boot and stop

    def __enter__(self):
        try:
            self._boot()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def _nspawn(self, *arguments):
        """The command line that both ways of using the root share."""
        command = [
            "systemd-nspawn",
            "--quiet",
            f"--directory={self.root.path}",
            f"--machine={self.name}",
            "--register=no",
            "--private-network",
            "--volatile=overlay",
            f"--bind={self.share}:/share",
            "--system-call-filter=bpf",  # IPAddressDeny= and DevicePolicy= are BPF programs
            "--console=pipe",
        ]
        if not os.path.isdir("/run/systemd/system"):
            # No systemd out here that could make a scope for it.
            command.append("--keep-unit")
        return command + list(arguments)

    def _environment(self):
        # systemd 257 boots with the unified hierarchy only, and the host may
        # have another one.
        return {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}

    def _settle(self):
        """Runs in the child: a cgroup of its own, and no life without us.

        Containers that are started from one cgroup would share their
        payload's cgroup, too, and kill each other's processes.
        """
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.setsid()
        for group in self.cgroups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def _make_cgroups(self):
        if os.path.isdir("/run/systemd/system"):
            return
        top = pathlib.Path("/sys/fs/cgroup")
        # Hybrid machines have two hierarchies that systemd uses, others one.
        hybrid = [top / "systemd", top / "unified"]
        for parent in [p for p in hybrid if p.is_dir()] or [top]:
            group = parent / self.name
            group.mkdir()
            self.cgroups.append(group)

    def _boot(self):
        self._make_cgroups()
        with open(self.console, "wb") as console:
            self.nspawn = subprocess.Popen(
                self._nspawn("--kill-signal=SIGRTMIN+3", "--boot"),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=self._environment(),
                preexec_fn=self._settle,
            )

        def leader():
            if self.nspawn.poll() is not None:
                raise Failed(f"systemd-nspawn ended:\n{self._console()}")
            return self._find_leader()

        try:
            self.leader = wait_until("the container has a process 1", leader, 120)
            wait_until(
                "its systemd listens",
                lambda: os.path.exists(self.inside("/run/systemd/private")),
                120,
            )
            wait_until(
                "its systemd has booted",
                lambda: self.run("systemctl", "is-system-running", "--wait", deadline=120).out.strip()
                in ("running", "degraded"),
                120,
            )
        except Failed as error:
            raise Failed(f"{error}\n{self._console()}") from None

    def _console(self):
        return self.console.read_text(errors="replace")

    def _find_leader(self):
        """The systemd among nspawn's children that is process 1 inside."""
        for child in children(self.nspawn.pid):
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{child}/status").read_text()
                pids = re.search(r"^NSpid:(.*)$", status, re.M).group(1).split()
                name = re.search(r"^Name:\t(.*)$", status, re.M).group(1)
                if len(pids) > 1 and pids[-1] == "1" and name == "systemd":
                    return child
        return None

    def _stop(self):
        for talk in self.talks:
            talk.close()
        if self.nspawn is not None:
            self.nspawn.terminate()  # it passes --kill-signal on
            try:
                self.nspawn.wait(20)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        for group in self.cgroups:
            remove_cgroup(group)

    # Commands inside

    def inside(self, path):
        """A path of the container, as seen from out here."""
        return f"/proc/{self.leader}/root{path}"

    def read(self, path):
        return pathlib.Path(self.inside(path)).read_text()

    def write(self, path, text):
        self.transcript.add("#", f"write {path}:\n{text}")
        # Not through /proc/PID/root: a new directory needs `mkdir -p` anyway.
        done = self.sh('mkdir -p "$(dirname "$0")" && cat >"$0"', path, stdin=text)
        if done.status:
            raise Failed(f"cannot write {path}: {done.text}")

    def _enter(self, command, user=None):
        enter = ["nsenter", f"--target={self.leader}"]
        enter += ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        enter += ["--root", "--wdns=/", "--", "env", "-i"]
        enter += ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TERM=xterm"]
        enter += ["DEBIAN_FRONTEND=noninteractive"]
        if user is not None:
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return enter + list(command)

    def run(self, *command, user=None, stdin="", deadline=60):
        """Runs a command inside to its end."""
        shown = " ".join(command) + (f"   (as {user})" if user else "")
        self.transcript.add("#", shown)
        try:
            done = subprocess.run(
                self._enter(command, user),
                input=stdin.encode(),
                capture_output=True,
                timeout=deadline,
            )
        except subprocess.TimeoutExpired as error:
            output = (error.stdout or b"") + (error.stderr or b"")
            raise Failed(
                f"`{shown}` took longer than {deadline} s; so far: {output.decode(errors='replace')}"
            ) from None
        done = Done(
            done.returncode,
            done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )
        if done.text:
            self.transcript.add(" ", done.text)
        if done.status:
            self.transcript.add(" ", f"exit status {done.status}")
        return done

    def sh(self, script, *arguments, **options):
        return self.run("sh", "-c", script, *arguments, **options)

    def must(self, *command, **options):
        """Like `run`, for what has to succeed."""
        done = self.run(*command, **options)
        if done.status:
            raise Failed(f"`{' '.join(command)}` ended with {done.status}: {done.text.strip()}")
        return done

    def without_systemd(self, script):
        """Runs a script in the same Debian with nothing else running in it."""
        done = subprocess.run(
            self._nspawn("--as-pid2", "sh", "-ec", script),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._environment(),
            preexec_fn=self._settle,
            timeout=300,
        )
        self.transcript.add("#", script)
        self.transcript.add(" ", done.stdout + done.stderr)
        return Done(done.returncode, done.stdout, done.stderr)

    # systemd inside

    def show(self, unit, key):
        return self.run("systemctl", "show", "--value", f"--property={key}", unit).out.strip()

    def state(self, unit):
        return self.show(unit, "ActiveState")

    def wait_state(self, unit, *states, deadline=DEADLINE):
        return wait_until(
            f"{unit} is {' or '.join(states)}", lambda: self.state(unit) in states, deadline
        )

    def journal(self, *arguments):
        """What the journal has, once journald has taken what was sent to it.

        What the daemon logs it may send a moment later, so whoever expects an
        entry asks again: see `cases.journal_says`.
        """
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", "--output=short-precise", *arguments).out

    # Connections

    def connect(self, host="::1", port=6969, source=None, deadline=DEADLINE):
        """A socket of ours, connected inside the container."""
        return self.connect_all(1, host, port, source, deadline)[0]

    def connect_all(self, count, host="::1", port=6969, source=None, deadline=DEADLINE):
        """So many of them, one right after the other.

        A thread may move to another network namespace on its own, and the
        sockets made there work in every thread.
        """
        made, failed = [], []

        def there():
            with open(f"/proc/{self.leader}/ns/net", "rb") as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    failed.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                for _ in range(count):
                    made.append(socket.create_connection((host, port), deadline, source))
            except OSError as error:
                failed.append(error)

        thread = threading.Thread(target=there)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return made

    def admin(self, command, **arguments):
        """One request on the admin socket, and its answer."""
        request = {"id": 1, "cmd": command, "args": arguments}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DEADLINE)
            connection.connect(self.inside("/run/chathub/admin.sock"))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile("rb").readline()
        self.transcript.add(">", json.dumps(request))
        self.transcript.add("<", line.decode(errors="replace"))
        return json.loads(line)

    def talk(self, name, *command, terminal=False, user=None):
        talk = Talk(self, name, self._enter(command, user), terminal)
        self.talks.append(talk)
        return talk


class Talk:
    """A program inside that one speaks with, on a terminal or through pipes."""

    def __init__(self, machine, name, command, terminal):
        self.name = name
        self.transcript = machine.transcript
        self.seen = ""  # all that came
        self.read_to = 0  # what `expect` has gone through
        self.changed = threading.Condition()
        self.ended = False
        if terminal:
            ours, theirs = pty.openpty()
            # The terminal does not echo: what is seen was sent by the program.
            attributes = termios.tcgetattr(theirs)
            attributes[3] &= ~termios.ECHO
            termios.tcsetattr(theirs, termios.TCSANOW, attributes)
            self.process = subprocess.Popen(
                ["setsid", "--ctty", *command], stdin=theirs, stdout=theirs, stderr=theirs
            )
            os.close(theirs)
            self.input = self.output = ours
        else:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
            )
            self.input = self.process.stdin.fileno()
            self.output = self.process.stdout.fileno()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may come in two pieces
        while True:
            try:
                data = os.read(self.output, 65536)
            except OSError:  # a terminal without a program
                data = b""
            with self.changed:
                text = decoder.decode(data, final=not data)
                self.seen += text
                self.ended = not data
                self.changed.notify_all()
            if not data:
                self.transcript.add(f"{self.name} <", "(ended)")
                return
            self.transcript.add(f"{self.name} <", text.replace("\r", ""))

    def say(self, line):
        self.transcript.add(f"{self.name} >", line)
        os.write(self.input, line.encode() + b"\n")

    def expect(self, pattern, deadline=DEADLINE):
        """Waits for the pattern in what has not been gone through yet."""
        end = time.monotonic() + deadline
        with self.changed:
            while True:
                found = re.search(pattern, self.seen[self.read_to :], re.M)
                if found:
                    self.read_to += found.end()
                    return found
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    how = "ended" if self.ended else f"did not within {deadline:g} s"
                    raise Failed(
                        f"{self.name} was to show {pattern!r} and {how}; "
                        f"unread: {self.seen[self.read_to:]!r}"
                    )
                self.changed.wait(left)

    def expect_end(self, deadline=DEADLINE):
        wait_until(f"{self.name} is disconnected", lambda: self.ended, deadline)

    def close(self):
        # nsenter has forked: the program itself is further down.
        for process in [*descendants(self.process.pid), self.process.pid]:
            if self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        self.process.wait()


def children(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def descendants(pid):
    """Deepest first."""
    for child in children(pid):
        yield from descendants(child)
        yield child


def remove_cgroup(group):
    """A cgroup can be removed when nothing lives in it or below it."""
    for below in sorted(group.rglob("*/"), reverse=True):
        with contextlib.suppress(OSError):
            below.rmdir()
    with contextlib.suppress(OSError):
        group.rmdir()
