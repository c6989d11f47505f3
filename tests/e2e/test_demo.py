"""The demo, as a user runs it: it succeeds, names the simulated parts, and changes no other files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.demo.folder import prepare_folder
from provenance_oracle.oracle.demo.genuine import ask_verifier, genuine_folder
from provenance_oracle.oracle.demo.model import make_tiny_model
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from tests.support.hub_caches import to_cache

pytestmark = [pytest.mark.chain, pytest.mark.usefixtures("anvil_program")]


def _demo(folder: Path, *options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main"]
    command = [*program, "demo", "--folder", str(folder), "--keep-seconds", "0", *options]
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@dataclass(frozen=True)
class UsersModel:
    """A demo of a model of the user's, which was also the working directory.

    The model is a snapshot in a cache of the Hub, of links to `blobs`, with a file of the user's own. A module in it
    has the name of a package that the commands import, and makes the file `ran` if it runs.
    """

    model: Path
    blobs: Path
    digest: str
    before: dict[str, bytes]
    folder: Path
    found: subprocess.CompletedProcess[str]
    ran: Path


@pytest.fixture(scope="module")
def users_model(tmp_path_factory: pytest.TempPathFactory) -> UsersModel:
    root = tmp_path_factory.mktemp("demo")
    files, ran = root / "files", root / "ran"
    make_tiny_model(files)
    (files / "click.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    snapshot = to_cache(files, root / "hub")
    model = snapshot.rename(snapshot.with_name("My model, v2"))
    (model / "README.md").unlink()
    (model / "README.md").write_bytes((files / "README.md").read_bytes())
    before = _contents(root / "hub")
    found = _demo(root / "demo", "--model", ".", cwd=model)
    digest = digest_files(files, list_files(files)).model_digest.hex()
    return UsersModel(model, root / "hub" / "models--org--model" / "blobs", digest, before, root / "demo", found, ran)


def _contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, with where a link leads."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {f"{path} {path.is_symlink() and path.readlink()}": path.read_bytes() for path in files}


def test_it_records_and_checks_a_model_of_the_user_s(users_model: UsersModel) -> None:
    found = users_model.found
    assert found.returncode == 0, found.stdout
    assert "SIMULATED" in found.stdout
    assert "demo/My-model-v2" in found.stdout
    assert "an active record of this release" in found.stdout
    assert "in a claimed namespace" in found.stdout
    assert re.search(r"ok +publisher-identity +key [0-9a-f]{64} ", found.stdout)
    assert "reverts: RecordIsSimulated" in found.stdout
    assert "exit code 4" in found.stdout  # the flipped bit
    assert users_model.digest in found.stdout
    assert _contents(users_model.blobs.parents[1]) == users_model.before
    assert not (users_model.model / "provenance").exists()


def test_it_proves_the_release_and_genuine_evidence_if_that_is_at_hand(users_model: UsersModel) -> None:
    assert "proven           the SIMULATOR's signature checked by the EVM, block " in users_model.found.stdout
    if genuine_folder():
        assert "GENUINE evidence under AMD's own keys (AmdVerifier, milan-v2-enarx-" in users_model.found.stdout
    else:
        assert "Genuine evidence under AMD's own keys: not shown" in users_model.found.stdout


def test_the_evm_checks_genuine_evidence_to_the_message(
    anvil: EmbeddedChain, vectors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVENANCE_VECTORS", str(vectors))
    folder = genuine_folder()
    assert folder is not None
    found = ask_verifier(anvil.rpc_url, folder)
    assert (found.verifier, found.is_bound, found.is_signed) == ("AmdVerifier", True, True)
    for name, at, wanted in (("request.csr", -1, (True, False)), ("vcek.der", -1, None), ("report.bin", 0x90, None)):
        changed = tmp_path / name
        shutil.copytree(folder, changed)
        data = bytearray((changed / name).read_bytes())
        data[at] ^= 1
        (changed / name).write_bytes(data)
        if wanted is None:
            with pytest.raises(TemporaryError, match="refuses genuine evidence"):
                ask_verifier(anvil.rpc_url, changed)
        else:
            found = ask_verifier(anvil.rpc_url, changed)
            assert (found.is_bound, found.is_signed) == wanted
    monkeypatch.setenv("PROVENANCE_VECTORS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert genuine_folder() is None


def test_none_of_a_hostile_model_s_files_is_run(users_model: UsersModel) -> None:
    assert (users_model.model / "click.py").read_text().startswith("open(")
    assert users_model.found.returncode == 0, users_model.found.stdout
    assert not users_model.ran.exists()


def test_its_chain_stops(users_model: UsersModel) -> None:
    _wait_for_the_end(json.loads((users_model.folder / "chain.json").read_text())["pid"])


def test_it_prints_what_the_first_page_says_and_serves_the_explorer_until_the_chain_stops(tmp_path: Path) -> None:
    found = _demo(tmp_path / "demo", "--keep", "--keep-seconds", "600")
    assert found.returncode == 0, found.stdout
    printed = iter(found.stdout.replace(str(tmp_path / "demo"), ".demo").splitlines())
    for line in _promised():
        assert any(line.fullmatch(one) for one in printed), f"the demo does not print this, or not here: {line.pattern}"
    address = next(line.split()[0] for line in printed if line.startswith("  http://"))
    with urlopen(address, timeout=10) as page, urlopen(f"{address}api/v1/recent", timeout=10) as records:
        assert b'<script src="app.js"' in page.read()
        [entry] = json.loads(records.read())["entries"]
    assert entry["name"] == "demo/tiny-model"
    chain = tmp_path / "demo" / "chain.json"
    process = json.loads(chain.read_text())["pid"]
    chain.unlink()
    _wait_for_the_end(process)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and _answers(address):
        time.sleep(0.2)
    assert not _answers(address)


def _wait_for_the_end(process: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and Path(f"/proc/{process}").exists():
        time.sleep(0.2)
    assert not Path(f"/proc/{process}").exists()


def _answers(address: str) -> bool:
    try:
        urlopen(address, timeout=10).close()
    except URLError:
        return False
    return True


def _promised() -> list[re.Pattern[str]]:
    """The lines of the demo in README.md as patterns: `...` matches any text, digests and times match any others."""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    lines = text.partition("<!-- demo -->\n```\n")[2].partition("```")[0].splitlines()
    varying = {
        r"\.\.\.": ".*",
        r"[0-9a-f]{16}…": "[0-9a-f]{16}…",
        r"[0-9-]{10} [0-9:]{8}Z": "[0-9-]{10} [0-9:]{8}Z",
        " {2,}": " +",
    }
    either = re.compile("|".join(f"({pattern})" for pattern in varying))
    meanings = list(varying.values())
    patterns = []
    for line in filter(None, lines):
        fixed = either.split(line)[:: len(meanings) + 1]
        between = [meanings[one.lastindex - 1] for one in either.finditer(line) if one.lastindex]
        patterns.append(re.compile("".join(re.escape(a) + b for a, b in zip(fixed, [*between, ""], strict=True))))
    return patterns


def test_a_folder_that_is_not_its_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    found = _demo(tmp_path)
    assert found.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_only_what_the_demo_made_is_ever_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    release = prepare_folder(folder, None)
    assert prepare_folder(folder, None) == release  # the demo's own files are replaced
    for stranger in (folder / "notes.txt", folder / "releases" / "mine"):
        stranger.write_text("mine")
        with pytest.raises(UsageError, match="the folder holds files that the demo did not make"):
            prepare_folder(folder, None)
        assert stranger.read_text() == "mine"
        assert release.exists()
        stranger.unlink()


def test_model_and_demo_may_not_lie_in_each_other(tmp_path: Path) -> None:
    release = prepare_folder(tmp_path / "demo", None)
    for folder, model in ((tmp_path / "demo", release), (tmp_path / "demo", tmp_path), (tmp_path, tmp_path)):
        with pytest.raises(UsageError, match="overlap"):
            prepare_folder(folder, model)
    assert release.exists()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path)
    for path in (tmp_path / "file", tmp_path / "link"):
        with pytest.raises(UsageError):
            prepare_folder(path, None)


def test_a_linked_folder_is_not_followed_and_a_hidden_model_gets_a_name(tmp_path: Path) -> None:
    model = tmp_path / ".hidden"
    make_tiny_model(model)
    assert prepare_folder(tmp_path / "demo", model).name == "hidden"
    (model / "loop").symlink_to(tmp_path)
    with pytest.raises(FormatError, match="link"):
        prepare_folder(tmp_path / "demo2", model)


def test_a_model_of_links_is_copied_and_a_broken_one_refused(users_model: UsersModel, tmp_path: Path) -> None:
    assert (users_model.model / "model.safetensors").is_symlink()
    assert users_model.found.returncode == 0
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"weights")
    snapshot = to_cache(tmp_path / "model", tmp_path / "hub")
    (snapshot / "model.safetensors").resolve().unlink()
    assert _demo(tmp_path / "demo", "--model", str(snapshot)).returncode == 3


def test_a_model_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert _demo(tmp_path / "demo", "--model", str(tmp_path / "nothing")).returncode == 2


def test_a_liar_records_nothing_and_two_honest_oracles_record_once(tmp_path: Path) -> None:
    found = _demo(tmp_path / "demo", "--quorum", "3")
    assert found.returncode == 0, found.stdout
    alone, lied, together = (found.stdout.partition(f"\n{number}. ")[2] for number in (3, 4, 5))
    assert "judged, waits for other oracles: weight 1 of 2\n" in alone
    assert re.search(r"waits for other oracles: weight 1 of 2; oracle 0x\w+ signed another record: reported_tcb", lied)
    assert "folder:tiny-model: final" in together
    assert "signed by 2 oracles of set 1, weight 2, threshold 2" in together
    assert found.stdout.count("published: demo/tiny-model 1.0") == 1
    assert re.search(r"published: demo/tiny-model 1.0, by oracles 0, 2 of set 1", together)
