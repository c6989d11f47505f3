"""Build the Dockerfile without a Docker engine, and run the demo in the image as its user on a read-only root.

buildah builds with `--isolation chroot`, so root is enough and no daemon runs. The base image is made here: debootstrap
installs this machine's Debian from the mirror in its own apt sources. A private certificate authority of the machine
(PIP_CERT, SSL_CERT_FILE) is mounted during the build and is in no image.

Everything lies in .make/image and is deleted at the end, except the base image's archive.

    tools/image.py              build the target `demo`, which holds the target `oracle`, and check it
    tools/image.py --target T   build one target and keep it as localhost/provenance-oracle:T
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORK = ROOT / ".make" / "image"
TARGETS = ("oracle", "demo", "anvil", "gpu")
TOOLS = ("buildah", "debootstrap", "unshare", "apt-get")
USER_ID = 65532
BASE = "localhost/debian-base"
_CA_IN_BUILD = "/run/secrets/ca"
_CA_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
# Programs of a build. The final stage has none of them.
_FORBIDDEN = ("gcc", "cc", "ld", "as", "make", "pip", "pip3", "npm", "node", "git", "curl", "wget")
# The image's root becomes a read-only mount with a private /tmp, /data and /dev, no network but the loopback, and no
# capability. Arguments: the root, then the command.
_RUN = r"""
set -e
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm"; mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o uid=65532,gid=65532,mode=750 tmpfs "$root/data"
mount -o remount,bind,ro "$root"
python3 -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 1 | 64))'  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
exec chroot "$root" setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --inh-caps=-all \
    --bounding-set=-all -- "$@"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--target", choices=TARGETS, help="build this target and keep it; nothing is checked")
    asked = parser.parse_args()
    reason = missing()
    if reason:
        print(f"image: not built: {reason}")
        sys.exit(1 if os.environ.get("PROVENANCE_REQUIRE_ALL") == "1" else 0)
    started = time.monotonic()
    WORK.mkdir(parents=True, exist_ok=True)
    delete_storage()
    try:
        build_base()
        image = build(asked.target or "demo")
        said = "kept in .make/image/storage" if asked.target else check(image)
    finally:
        if not asked.target:
            delete_storage()
    print(f"image: passed in {time.monotonic() - started:.0f} s: {said}")


def missing() -> str:
    """Return the reason why no image can be built here, or "" if one can."""
    if os.geteuid() != 0:
        return "building a Debian base image needs root"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"{', '.join(lacking)} not installed; apt-get install buildah debootstrap"
    return "" if debian_mirror() else "the apt sources of this machine name no Debian mirror"


def debian_mirror() -> tuple[str, str] | None:
    """Return URL and code name of the first Debian archive with the component main in this machine's apt sources."""
    command = ["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(ORIGIN)", "Created-By: Packages"]
    listed = subprocess.run([*command, "Component: main"], capture_output=True, text=True, check=False).stdout
    for line in listed.splitlines():
        site, name, origin = (*line.split(maxsplit=2), "", "")[:3]
        if origin == "Debian" and re.fullmatch(r"[a-z]+", name):
            return site, name
    return None


def build_base() -> None:
    """Make the base image, from the archive of an earlier run if there is one."""
    archive = WORK / "base.tar"
    container = buildah("from", "scratch")
    root = Path(buildah("mount", container))
    if archive.exists():
        run("tar", "-C", root, "-xf", archive)
    else:
        site, name = debian_mirror() or ("", "")
        run("debootstrap", "--variant=minbase", name, root, site)
        for folder in ("var/cache/apt/archives", "var/lib/apt/lists", "var/log"):
            shutil.rmtree(root / folder, ignore_errors=True)
            (root / folder).mkdir()
        run("tar", "-C", root, "-cf", archive.with_suffix(".partial"), ".")
        archive.with_suffix(".partial").replace(archive)
    buildah("commit", "--quiet", "--rm", container, BASE)


def build(target: str) -> str:
    """Build a target of the Dockerfile and return the image's name."""
    image = f"localhost/provenance-oracle:{target}"
    options = ["--target", target, "--build-arg", f"BASE={BASE}", "--build-arg", f"REVISION={revision()}"]
    authority = next((path for name in _CA_VARIABLES if (path := os.environ.get(name)) and Path(path).is_file()), None)
    if authority:
        options += ["--secret", f"id=ca,src={authority}"]
        options += [f"--build-arg={name}={_CA_IN_BUILD}" for name in ("PIP_CERT", "NODE_EXTRA_CA_CERTS")]
    if index := os.environ.get("PIP_INDEX_URL"):
        options += ["--build-arg", f"PIP_INDEX_URL={index}"]
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "1580601600")
    # Docker's format: that of OCI has no HEALTHCHECK.
    options += ["--format", "docker", "--timestamp", epoch, "--build-arg", f"SOURCE_DATE_EPOCH={epoch}"]
    buildah("bud", "--isolation", "chroot", "--pull-never", *options, "--tag", image, ROOT)
    return image


def revision() -> str:
    """Return the commit of this checkout, or "unknown"."""
    asked = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False) if shutil.which("git") else None
    return found.stdout.strip() if found and found.returncode == 0 else "unknown"


def check(image: str) -> str:
    """Check the files and the configuration of an image, run the demo in it, and return a line about the image."""
    inspected = json.loads(buildah("inspect", "--type", "image", image))
    check_configuration(inspected["Docker"]["config"])
    container = buildah("from", "--pull-never", image)
    root = Path(buildah("mount", container))
    check_files(root)
    python, healthcheck = "/opt/provenance/bin/python", "/usr/local/lib/provenance/healthcheck.py"
    native = "from provenance_oracle.verifier.digest.tree.native import load_native; print(load_native().path_name)"
    way = in_image(root, python, "-I", "-c", native)
    in_image(root, "/usr/bin/python3", "-I", healthcheck)
    in_image(root, "touch", "/written", wanted_exit=1)
    demo = in_image(root, "provenance", "demo", "--folder", "/data/demo", "--keep-seconds", "0")
    if "reverts: RecordIsSimulated" not in demo:
        sys.exit(f"the demo did not come to its end:\n{demo}")
    size = int(run("du", "-sk", "--one-file-system", root).split()[0])
    return f"{image}, {size // 1024} MB, demo as user {USER_ID} on a read-only root, hashing with {way.strip()}"


def check_configuration(config: dict[str, object]) -> None:
    """Exit unless the image's configuration is that of the Dockerfile, without anything of this machine."""
    wanted = {"User": f"{USER_ID}:{USER_ID}", "Entrypoint": ["provenance"], "WorkingDir": "/data"}
    wrong = {name: config.get(name) for name, value in wanted.items() if config.get(name) != value}
    if wrong or not config.get("Healthcheck"):
        sys.exit(f"the image's configuration is wrong: {wrong}, health check {config.get('Healthcheck')}")
    if _CA_IN_BUILD in json.dumps(config):
        sys.exit("the image's configuration names the certificate authority of the build")


def check_files(root: Path) -> None:
    """Exit if the image holds a program of its build, a cache, or a program with another user's rights."""
    folders = ("opt/provenance/bin", "usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin")
    found = [f"{folder}/{name}" for folder in folders for name in _FORBIDDEN if os.path.lexists(root / folder / name)]
    found += [str(path.relative_to(root)) for path in (root / "root").glob(".[!.]*") if path.is_dir()]
    found += run("find", root, "-xdev", "-type", "f", "-perm", "/6000").split()
    if found or os.path.lexists(f"{root}{_CA_IN_BUILD}"):
        sys.exit(f"the image holds files that it should not: {', '.join(found) or _CA_IN_BUILD}")


def in_image(root: Path, *command: str, wanted_exit: int = 0) -> str:
    """Run a command in the image as its user, on a read-only root and without a network; return what it printed."""
    environment = {"PATH": "/opt/provenance/bin:/usr/local/bin:/usr/bin:/bin", "HOME": "/data", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--net",
            "--ipc",
            "--uts",
            "sh",
            "-c",
            _RUN,
            "sh",
            str(root),
            *command,
        ],
        env={**environment, "PATH": f"/opt/provenance/bin:{os.environ.get('PATH', os.defpath)}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != wanted_exit:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}, wanted {wanted_exit}\n{done.stdout}")
    return done.stdout


def buildah(*arguments: str | Path) -> str:
    """Run buildah on the storage of this checkout."""
    storage = WORK / "storage"
    places = ("--root", storage / "root", "--runroot", storage / "run", "--storage-driver", storage_driver())
    return run("buildah", *places, *arguments).strip()


def delete_storage() -> None:
    """Delete every image, and the containers of this run or an earlier one with what they still have mounted."""
    storage = WORK / "storage"
    for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines()[::-1]:
        mounted = line.split()[4]
        if Path(mounted).is_relative_to(storage.resolve()):
            subprocess.run(["umount", "--lazy", mounted], check=False)
    shutil.rmtree(storage, ignore_errors=True)


@cache
def storage_driver() -> str:
    """Return "overlay" where this kernel lets us mount one, which saves copies of whole images; else "vfs"."""
    folder = WORK / "probe"
    layers = [folder / name for name in ("lower", "upper", "work", "merged")]
    for layer in layers:
        layer.mkdir(parents=True, exist_ok=True)
    lower, upper, work, merged = layers
    mount = ["mount", "-t", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", "overlay", merged]
    is_overlay = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    if is_overlay:
        run("umount", merged)
    shutil.rmtree(folder)
    return "overlay" if is_overlay else "vfs"


def run(*command: str | Path) -> str:
    """Run a program and return its standard output; exit with its last words if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        sys.exit(f"{' '.join(str(part) for part in command[:8])} failed with exit code {done.returncode}:\n{words}")
    return done.stdout


if __name__ == "__main__":
    main()
