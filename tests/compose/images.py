"""The two images that compose.yaml takes from outside: the public ones, else stand-ins of the same shape.

A stand-in is a Debian made with debootstrap and imported: one with Python for BASE_IMAGE, one with etcd for ETCD_IMAGE.
Both are kept as archives in the cache directory.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.compose.engine import CACHE, Engine, UnavailableError

SUITE = "bookworm"
MIRROR = tuple(filter(None, [os.environ.get("DEBIAN_MIRROR")]))
"""debootstrap has a default of its own."""
PACKAGES = ("python3", "python3-venv", "python3-pip", "ca-certificates", "etcd-server", "etcd-client")
COMPOSE_FILE = Path(__file__).resolve().parents[2] / "compose.yaml"
STAND_INS = {"BASE_IMAGE": f"kubehop-stand-in-python:{SUITE}", "ETCD_IMAGE": f"kubehop-stand-in-etcd:{SUITE}"}
# paths to leave out of the archive: what neither needs, then what only the other needs
WASTE = (
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/locale/*",
    "./dev/*",
)
ONLY_OTHERS = {
    "BASE_IMAGE": ("./usr/bin/etcd", "./usr/bin/etcdctl"),
    "ETCD_IMAGE": (
        "./usr/lib/python3*",
        "./usr/bin/python3*",
        "./usr/share/python*",
        "./usr/lib/gcc",
        "./var/lib/dpkg/info/*",
    ),
}


def parameters(engine: Engine) -> dict[str, str]:
    """Values of BASE_IMAGE and ETCD_IMAGE that the engine holds."""
    return {name: _public(engine, name) or _stand_in(engine, name) for name in STAND_INS}


def _public(engine: Engine, name: str) -> str:
    """The pinned default of compose.yaml, if it is there or can be pulled."""
    found = re.search(rf"\$\{{{name}:-([^}}]+)}}", COMPOSE_FILE.read_text())
    assert found, f"compose.yaml has no default for {name}"
    image = found[1]
    if engine.has_image(image):
        return image
    try:
        engine.docker("pull", "--quiet", image, timeout=180)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        print(f"{image} cannot be pulled, a stand-in takes its place: {str(error)[-200:]}")
        return ""
    return image


def _stand_in(engine: Engine, name: str) -> str:
    image = STAND_INS[name]
    if not engine.has_image(image):
        archive = CACHE / f"{name.lower()}-{SUITE}.tar"
        if not archive.exists():
            _bootstrap()
        engine.docker("import", str(archive), image, timeout=300)
    return image


def _bootstrap() -> None:
    """Make a Debian and pack it twice."""
    debootstrap = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if debootstrap is None or os.getuid() != 0:
        raise UnavailableError("public images cannot be pulled, and stand-ins need debootstrap and root")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="debian-", dir=CACHE) as directory:
        root = Path(directory) / "root"
        done = subprocess.run(
            [debootstrap, "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), *MIRROR],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise UnavailableError(f"debootstrap failed: {done.stdout[-500:]}")
        for name, others in ONLY_OTHERS.items():
            made = Path(directory) / f"{name}.tar"
            excluded = [f"--exclude={pattern}" for pattern in (*WASTE, *others)]
            subprocess.run(["tar", *excluded, "-C", str(root), "-cf", str(made), "."], check=True)
            made.rename(CACHE / f"{name.lower()}-{SUITE}.tar")
