"""What was measured on: the machine, the versions, and what an fsync costs at the moment."""

import os
import platform
import re
import shutil
import subprocess
from datetime import date


def fsync(programs):
    """What waiting for the disk costs now; beside every block, because everything durable depends on it."""
    said = programs.run("fsync", programs.folder / "probe", programs.size(1000, 20))["delays"]
    return f"{said['p50']:.0f} µs, p99 {said['p99']:.0f} µs"


def described():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        f"{date.today().isoformat()}, {os.cpu_count()} cores ({processor()}), {memory:.0f} GB, {system()}, "
        f"Linux {platform.release()}, load {load}",
        ", ".join(f"{name} {version}" for name, version in versions()),
    ]
    return "\n".join(lines)


def processor():
    text = open("/proc/cpuinfo").read()
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def system():
    release = platform.freedesktop_os_release()
    return release.get("PRETTY_NAME", "Linux")


def versions():
    commands = {
        "Swift": (["swift", "--version"], r"Swift version ([\d.]+)"),
        "Redis": (["redis-server", "--version"], r"v=([\d.]+)"),
        "nats-server": (["nats-server", "--version"], r"v([\d.]+)"),
    }
    for name, (words, pattern) in commands.items():
        if shutil.which(words[0]):
            said = subprocess.run(words, capture_output=True, text=True)
            if found := re.search(pattern, said.stdout + said.stderr):
                yield name, found.group(1)
    for package in ["libzmq5", "libsqlite3-0", "libsodium23"]:
        said = subprocess.run(["dpkg-query", "-Wf", "${Version}", package], capture_output=True, text=True)
        if said.returncode == 0:
            yield package, said.stdout.strip()
