"""A tiny model for the demo: safetensors, a configuration and a model card. It has a few kilobytes, always the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

_SHAPES = {"embedding.weight": (64, 32), "head.bias": (64,), "head.weight": (64, 32)}


def make_tiny_model(folder: Path) -> None:
    """Write the model into `folder`, which must not exist."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(
        json.dumps({"architectures": ["TinyModel"], "hidden_size": 32}, indent=2) + "\n", "utf-8"
    )
    (folder / "README.md").write_text("# tiny-model\nMade by the demo; it knows nothing.\n", "utf-8")
    (folder / "model.safetensors").write_bytes(_safetensors())


def _safetensors() -> bytes:
    """Format: 8-byte little-endian header length, JSON header padded with spaces to 8, then the tensors' bytes."""
    header: dict[str, object] = {}
    data = b""
    for name, shape in sorted(_SHAPES.items()):
        count = 1
        for size in shape:
            count *= size
        values = hashlib.shake_128(name.encode()).digest(2 * count)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data
