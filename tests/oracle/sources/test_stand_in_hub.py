"""The stand-in has the shapes of the hub: the hub's own client can list and download from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stand_in_hub import StandInHub, stand_in_hub

FILES = {"config.json": b"{}", "w.bin": bytes(range(256)) * 10, "provenance/cvm-key.pem": b"key"}


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as found:
        yield found


def test_the_hub_s_own_client_reads_the_stand_in(hub: StandInHub, tmp_path: Path) -> None:
    library = pytest.importorskip("huggingface_hub", reason="the package huggingface_hub is not installed")
    hub.page_items = 2
    commits = {f"acme/{name}": hub.push(f"acme/{name}", {**FILES, "name": name.encode()}) for name in "abc"}
    api = library.HfApi(endpoint=hub.url, token=False)
    models = list(api.list_models(author="acme", expand=["sha", "lastModified"]))
    assert {model.id: model.sha for model in models} == commits
    assert {model.last_modified.year for model in models} == {2026}
    assert api.model_info("acme/a", revision="main", expand=["sha"]).sha == commits["acme/a"]
    tree = list(api.list_repo_tree("acme/a", revision=commits["acme/a"], recursive=True))
    files = {item.path: item for item in tree if isinstance(item, library.hf_api.RepoFile)}
    assert {path: item.size for path, item in files.items()} == {p: len(d) for p, d in FILES.items()} | {"name": 1}
    large = files["w.bin"].lfs
    assert large is not None and large.size == len(FILES["w.bin"])
    for path, data in FILES.items():
        place = library.hf_hub_download(
            "acme/a", path, revision=commits["acme/a"], endpoint=hub.url, cache_dir=tmp_path, token=False
        )
        assert Path(place).read_bytes() == data
