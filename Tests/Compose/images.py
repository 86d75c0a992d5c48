"""The images that compose.yaml needs, made where no registry can be reached: from Debian's packages, and from the
programs that are built already. The shipped Dockerfile itself makes the image of the suite."""

import re
import shutil
import tempfile
from pathlib import Path

from engine import ROOT, has_image, podman, run

PREFIX = "localhost/martlet-test"
DEBIAN, MIRROR = "bookworm", "http://deb.debian.org/debian"


def debian():
    """Debian's minimal system, once on a machine."""
    name = f"{PREFIX}-debian:{DEBIAN}"
    if not has_image(name):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            run("debootstrap", "--variant=minbase", "--include=ca-certificates", DEBIAN, root, MIRROR)
            for cache in ("var/cache/apt/archives", "var/lib/apt/lists"):
                shutil.rmtree(root / cache, ignore_errors=True)
            own = Path("/usr/local/share/ca-certificates")
            # A machine behind a proxy of its own has that one's certificate here.
            if own.is_dir():
                shutil.copytree(own, root / own.relative_to("/"), dirs_exist_ok=True)
            run("tar", "-C", root, "-cf", f"{folder}/root.tar", ".")
            podman("import", f"{folder}/root.tar", name)
    return name


def build(name, base, files=(), lines=()):
    with tempfile.TemporaryDirectory() as folder:
        for source, target in files:
            place = Path(folder) / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, place, symlinks=True) if Path(source).is_dir() else shutil.copy2(source, place)
        (Path(folder) / "Containerfile").write_text("\n".join([f"FROM {base}", *lines]) + "\n")
        podman("build", "--quiet", "--tag", name, folder)
    return name


def runtime(binaries):
    """What the official `swift:…-slim` image is: a Debian with the Swift runtime."""
    name = f"{PREFIX}-runtime"
    linked = run("ldd", Path(binaries) / "martlet-suite").stdout
    libraries = sorted(set(re.findall(r"=> (/\S+/swift/linux/\S+\.so)", linked)))
    assert libraries, f"which Swift runtime?\n{linked}"
    return build(
        name,
        debian(),
        [(library, f"swift/{Path(library).name}") for library in libraries],
        [
            # As in the official image.
            "RUN apt-get update && apt-get install -y --no-install-recommends libxml2 && rm -rf /var/lib/apt/lists/*",
            "COPY swift/ /usr/lib/swift/linux/",
            "RUN echo /usr/lib/swift/linux > /etc/ld.so.conf.d/swift.conf && ldconfig && update-ca-certificates",
        ],
    )


def programs(binaries):
    """A builder image in which everything is built already."""
    with tempfile.TemporaryDirectory() as folder:
        run(ROOT / "compose" / "programs", binaries, folder)
        return build(f"{PREFIX}-programs", debian(), [(folder, "out")], ["COPY out/ /out/"])


def debian_with(program, user):
    return build(
        f"{PREFIX}-{program}",
        debian(),
        lines=[
            f"RUN apt-get update && apt-get install -y --no-install-recommends {program} && rm -rf /var/lib/apt/lists/*",
            f"USER {user}",
        ],
    )


def prometheus():
    """Debian's, under the paths of the official image."""
    return build(
        f"{PREFIX}-prometheus",
        debian(),
        lines=[
            "RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/*",
            "RUN install -d -o prometheus -g prometheus /prometheus",
            "USER prometheus",
            'ENTRYPOINT ["prometheus"]',
        ],
    )
