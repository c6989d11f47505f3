"""Tests from a folder to its identities: changes that alter a root, changes that do not, and refused folders."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import pytest

from provenance_oracle.verifier.disk import (
    EROFS_1_5,
    LAYOUTS,
    PRIVATEMODE,
    DiskDigest,
    digest_disk,
    hash_salted_blocks,
    parse_published_disk,
    plan_disk,
    tinfoil,
)
from provenance_oracle.verifier.disk.recipes import EROFS_1_9, EROFS_CURRENT
from provenance_oracle.verifier.errors import ChangedError, FormatError, TemporaryError, UsageError, VerificationError

T1_ROOTS = {
    "erofs-1.9": "c2783825d439ca85146169b8d00203579cb7634fb5c06a6234fd288a4e3c3d55",
    "erofs-1.8.6+": "d0677b1b485a83e00c9033cf30d3f55790f660219f2ab294b3b7c923307fb70d",
}
T1_FILES = {
    "erofs-1.9": "0f569c218a314a74be9e9f1977c9ef95a3f11d01d0080fecddf15da876d3a2fd",
    "erofs-1.8.6+": "22ec6603f692634c465e321ec06a5c3a480eedcfc9764a3b2e0fe9f2c57c0b45",
}


@pytest.fixture
def t1(tmp_path):
    folder = tmp_path / "t1"
    folder.mkdir()
    (folder / "a").write_text("hello\n")
    return folder


@pytest.fixture
def model(tmp_path):
    """Return a model with a file in full blocks, one that ends inside a block, an inline one, and a folder."""
    folder = tmp_path / "model"
    (folder / "tok").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 800)
    (folder / "odd.bin").write_bytes(b"odd" * 5001)
    (folder / "config.json").write_text("{}\n")
    (folder / "tok/vocab").write_text("a b c\n")
    (folder / "link").symlink_to("config.json")
    return folder


def roots(folder, recipe=PRIVATEMODE, **options):
    return [digest.root.hex() for digest in digest_disk(plan_disk(folder, recipe, **options)).digests]


def entry(layout: str = "erofs-1.9", **changes) -> bytes:
    fields = {
        "model_source": "https://huggingface.co/some/t1",
        "commit_hash": "0" * 40,
        "excluded_files": "",
        "root_hash": T1_ROOTS[layout],
        "hash_offset": "4096",
        "erofs_version": "1.9",
        "veritysetup_version": "2.8.4",
        "file_hash_sha256": T1_FILES[layout],
    }
    return json.dumps({**fields, **changes}).encode()


# --- comparison with a published disk ------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["erofs-1.9", "erofs-1.8.6+"])
def test_the_published_variant_is_found_and_named(t1, layout):
    result = digest_disk(plan_disk(t1, PRIVATEMODE), published=parse_published_disk(entry(layout), "side-car"))
    assert result.matched is not None
    assert result.matched.layout == layout
    assert result.matched.file_sha256.hex() == T1_FILES[layout]
    assert {digest.layout: digest.root.hex() for digest in result.digests} == T1_ROOTS


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hash_offset": "8192"}, "hash_offset"),
        ({"root_hash": "ab" * 32}, "root_hash"),
        ({"file_hash_sha256": "ab" * 32}, "file_hash_sha256"),
        ({"hash_offset": "8192", "root_hash": "ab" * 32}, "hash_offset"),
    ],
)
def test_the_first_field_that_differs_is_named(t1, changes, field):
    published = parse_published_disk(entry(**changes), "side-car")
    with pytest.raises(VerificationError, match=f": {field} differs") as caught:
        digest_disk(plan_disk(t1, PRIVATEMODE), published=published)
    assert caught.value.where == "side-car"
    assert caught.value.wanted.startswith(changes[field])


def test_a_root_that_differs_shows_every_variant(t1):
    with pytest.raises(VerificationError) as caught:
        digest_disk(plan_disk(t1, PRIVATEMODE), published=parse_published_disk(entry(root_hash="ab" * 32), "x"))
    assert all(root in caught.value.got for root in T1_ROOTS.values())


def test_a_wrong_offset_is_found_before_anything_is_read(t1):
    published = parse_published_disk(entry(hash_offset="8192"), "side-car")
    with pytest.raises(VerificationError):
        digest_disk(plan_disk(t1, PRIVATEMODE), published=published, hash_leaves=None)


# --- changes that alter a root -------------------------------------------------------------------------------


def test_every_change_of_content_or_name_changes_every_root(model):
    def flip(name, position):
        data = bytearray((model / name).read_bytes())
        data[position] ^= 1
        (model / name).write_bytes(data)

    seen = [*roots(model)]
    changes = [
        lambda: flip("config.json", 0),  # inline in block 0
        lambda: flip("odd.bin", 15002),  # in a tail behind its inode
        lambda: flip("weights.bin", 5000),  # in a full block
        lambda: (model / "config.json").chmod(0o755),
        lambda: (model / "config.json").rename(model / "config.jsom"),
        lambda: (model / "empty").touch(),
        lambda: (model / "folder").mkdir(),
        lambda: ((model / "link").unlink(), (model / "link").symlink_to("config.jsom")),
        lambda: ((model / "link").unlink(), (model / "link").write_text("config.jsom")),
    ]
    for change in changes:
        change()
        seen += roots(model)
    assert len(set(seen)) == len(seen) == 20


def test_times_and_what_git_does_not_keep_change_nothing(model):
    before = roots(model)
    os.utime(model / "config.json", (1, 1))
    (model / "config.json").chmod(0o600)
    (model / "tok").chmod(0o700)
    (model / ".git").mkdir()
    (model / ".git/HEAD").write_text("ref: x\n")
    assert roots(model) == before


def test_extended_attributes_change_nothing(model):
    before = roots(model)
    try:
        os.setxattr(model / "config.json", "user.note", b"x")
    except OSError:
        pytest.skip("no extended attributes on this file system")
    assert roots(model) == before


def test_a_nested_git_folder_stays(model):
    before = roots(model)
    (model / "tok/.git").mkdir()
    assert roots(model) != before


def test_the_order_of_the_directory_does_not_matter(model, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for path in sorted(model.rglob("*"), reverse=True):
        target = other / path.relative_to(model)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(os.readlink(path))
        elif path.is_file():
            target.write_bytes(path.read_bytes())
    assert roots(other) == roots(model)


def test_tinfoil_depends_on_model_and_revision(model):
    recipes = [tinfoil("a/b", "0" * 40), tinfoil("a/b", "1" * 40), tinfoil("a/c", "0" * 40)]
    assert len({roots(model, recipe)[0] for recipe in [*recipes, PRIVATEMODE]}) == 4


def test_tinfoil_has_one_layout_unless_told(model):
    by_default = digest_disk(plan_disk(model, tinfoil("a/b", "0" * 40))).digests
    asked = digest_disk(plan_disk(model, tinfoil("a/b", "0" * 40, LAYOUTS))).digests
    assert [digest.layout for digest in by_default] == ["erofs-1.5"]
    assert [digest.layout for digest in asked] == ["erofs-1.8.6+", "erofs-1.9"]


def test_layouts_of_two_plans_are_no_recipe():
    with pytest.raises(UsageError, match="cannot share one pass"):
        tinfoil("a/b", "0" * 40, (*LAYOUTS, EROFS_1_5))
    with pytest.raises(UsageError, match="cannot share one pass"):
        tinfoil("a/b", "0" * 40, ())


@pytest.mark.parametrize(
    "name", [("a", "0" * 39), ("a", "A" * 40), ("a b", "0" * 40), ("a/b/c", "0" * 40), ("", "0" * 40)]
)
def test_tinfoil_needs_a_model_and_a_commit(name):
    with pytest.raises(UsageError, match="not a model and revision"):
        tinfoil(*name)


def test_tinfoil_uuid_and_salt():
    """The values come from the reference that modelwrap prints (tinfoilsh/modelwrap, pull request 25)."""
    recipe = tinfoil("hf-internal-testing/tiny-random-GPT2Model", "d6694b0d8fe17978761c9305dc151780506b192e")
    assert str(recipe.volume_uuid) == "905785b4-b198-5ed6-b97d-e7c36a0be1df" == str(recipe.verity.uuid)
    assert recipe.verity.salt.hex() == "0cfd0d8eafe96c10db5ec4ac930c38ac372cc50144a20975feec5d2a6ee9641d"


def test_tinfoil_leaves_the_downloaders_cache_out(model):
    recipe = tinfoil("a/b", "0" * 40)
    before = roots(model, recipe)
    (model / ".cache").mkdir()
    (model / ".cache/x").write_text("x")
    (model / "config.json").chmod(0o755)
    assert roots(model, recipe) == before


# --- results -------------------------------------------------------------------------------------------------


def test_a_result_names_all_that_shapes_the_root(t1):
    result = digest_disk(plan_disk(t1, PRIVATEMODE))
    assert result.matched is None
    assert result.digests[1].to_json() == {
        "recipe": "privatemode",
        "layout": "erofs-1.9",
        "algorithm": "sha256",
        "hash_format": 1,
        "data_block_bytes": 4096,
        "hash_block_bytes": 4096,
        "salt": "00",
        "uuid": "00000000-0000-0000-0000-000000000000",
        "data_blocks": 1,
        "hash_offset": 4096,
        "root_hash": T1_ROOTS["erofs-1.9"],
    }


def test_progress_ends_at_the_offset(model):
    seen = []
    disk = plan_disk(model, PRIVATEMODE)
    digest_disk(disk, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (disk.hash_offset, disk.hash_offset)


def test_leaves_and_nodes_go_through_the_function_given(model):
    calls = []

    def counted(data, salt):
        calls.append((len(data), salt))
        return hash_salted_blocks(data, salt)

    disk = plan_disk(model, PRIVATEMODE)
    assert digest_disk(disk, hash_leaves=counted) == digest_disk(disk)
    assert all(size % 4096 == 0 and salt == b"\0" for size, salt in calls)
    assert sum(size for size, _ in calls) >= disk.hash_offset


def test_a_recipe_may_have_one_layout(t1):
    for layout in (EROFS_CURRENT, EROFS_1_9):
        (digest,) = digest_disk(plan_disk(t1, replace(PRIVATEMODE, layouts=(layout,)))).digests
        assert digest.root.hex() == T1_ROOTS[layout.name]


# --- images --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["erofs-1.9", "erofs-1.8.6+"])
def test_the_image_written_is_the_published_variant(t1, tmp_path, layout):
    image = tmp_path / "image"
    digest_disk(plan_disk(t1, PRIVATEMODE), published=parse_published_disk(entry(layout), "x"), image=image)
    assert sha256(image.read_bytes()).hexdigest() == T1_FILES[layout]


def test_the_image_has_the_file_hash_of_the_first_variant(model, tmp_path):
    image = tmp_path / "image"
    image.write_text("an older one")
    result = digest_disk(plan_disk(model, PRIVATEMODE), image=image, file_hash=True)
    assert sha256(image.read_bytes()).digest() == result.digests[0].file_sha256
    without_image = digest_disk(plan_disk(model, PRIVATEMODE), file_hash=True, spill_folder=tmp_path)
    assert without_image == result
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image", "model"]


def test_no_image_appears_when_the_disk_is_another(t1, tmp_path):
    published = parse_published_disk(entry(root_hash="ab" * 32), "x")
    with pytest.raises(VerificationError):
        digest_disk(plan_disk(t1, PRIVATEMODE), published=published, image=tmp_path / "image")
    assert [path.name for path in tmp_path.iterdir()] == ["t1"]


def test_an_image_goes_to_a_file_outside_the_folder(t1, tmp_path):
    disk = plan_disk(t1, PRIVATEMODE)
    (t1 / "link").symlink_to(tmp_path / "elsewhere")  # the image would replace it
    for place in (t1 / "image", t1 / "link", tmp_path, t1):
        with pytest.raises(UsageError):
            digest_disk(disk, image=place)
    with pytest.raises(TemporaryError, match="cannot write"):
        digest_disk(disk, image=tmp_path / "missing/image")


# --- files that cannot be on such a disk, and files that change ----------------------------------------------


def test_special_files_are_refused_by_name(t1):
    os.mkfifo(t1 / "pipe")
    with pytest.raises(FormatError, match=r"pipe: .*a FIFO"):
        plan_disk(t1, PRIVATEMODE)
    (t1 / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(t1)
        try:
            server.bind("sock")
        finally:
            os.chdir(here)
        with pytest.raises(FormatError, match=r"sock: .*a socket"):
            plan_disk(t1, PRIVATEMODE)


def test_devices_are_refused_by_name(t1):
    try:
        os.mknod(t1 / "null", 0o20666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(FormatError, match=r"null: .*a character device"):
        plan_disk(t1, PRIVATEMODE)


def test_two_names_of_one_file_are_refused(t1):
    os.link(t1 / "a", t1 / "b")
    with pytest.raises(FormatError, match=r"[ab]: file-set: hard links are not supported: got the same file as [ab]"):
        plan_disk(t1, PRIVATEMODE)


def test_a_link_from_outside_the_folder_changes_nothing(t1, tmp_path):
    """Measured with mkfs.erofs 1.9.1: the link count on the disk counts names on the disk."""
    before = roots(t1)
    os.link(t1 / "a", tmp_path / "outside")
    assert roots(t1) == before


def test_a_folder_is_needed(tmp_path):
    with pytest.raises(UsageError, match="missing: no such folder: got No such file"):
        plan_disk(tmp_path / "missing", PRIVATEMODE)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file: no such folder: got Not a directory"):
        plan_disk(tmp_path / "file", PRIVATEMODE)


def test_deep_folders_are_refused(tmp_path):
    (tmp_path / "/".join("d" * 66)).mkdir(parents=True)
    with pytest.raises(FormatError, match="nested too deeply"):
        plan_disk(tmp_path, PRIVATEMODE)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def grow(path):
    path.write_bytes(path.read_bytes() + b"x")


def rewrite(path):
    """Write the file again with the same content and another time."""
    path.write_bytes(path.read_bytes())
    os.utime(path, (1, 1))


def swap(path):
    """Replace the file by another one of the same name and size."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


def link(path):
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def remove(path):
    path.unlink()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [truncate, grow, rewrite, swap, remove, pipe])
@pytest.mark.parametrize("name", ["weights.bin", "config.json", "odd.bin"])
def test_a_change_between_plan_and_reading_is_an_error(model, change, name):
    disk = plan_disk(model, PRIVATEMODE)
    change(model / name)
    with pytest.raises(FormatError if change is pipe else ChangedError, match=name):
        digest_disk(disk)


def test_a_link_in_the_place_of_a_file_is_not_followed(model):
    disk = plan_disk(model, PRIVATEMODE)
    link(model / "weights.bin")
    with pytest.raises(FormatError, match=r"weights.bin"):
        digest_disk(disk)


@pytest.mark.parametrize("change", [truncate, grow, rewrite])
def test_a_change_while_reading_is_an_error(tmp_path, change):
    """The file is larger than a chunk, so it is open when the first leaves are hashed."""
    folder = tmp_path / "big"
    folder.mkdir()
    (folder / "weights").write_bytes(bytes(9 << 20))
    disk = plan_disk(folder, PRIVATEMODE)
    changed = []

    def hash_and_change(data, salt):
        if not changed:
            changed.append(change(folder / "weights"))
        return hash_salted_blocks(data, salt)

    with pytest.raises(ChangedError, match="weights"):
        digest_disk(disk, hash_leaves=hash_and_change)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_read_permission_is_named(model):
    disk_files = model / "weights.bin"
    disk_files.chmod(0)
    with pytest.raises(TemporaryError, match=r"weights.bin"):
        digest_disk(plan_disk(model, PRIVATEMODE))


def test_memory_stays_bounded(tmp_path):
    """Hash 256 MiB with tree and file hash: the process stays far below 300 MB."""
    folder = tmp_path / "sparse"
    folder.mkdir()
    with (folder / "weights").open("wb") as file:
        file.truncate(1 << 28)
    code = (
        "import sys; from pathlib import Path; from provenance_oracle.verifier.disk import *\n"
        "digest_disk(plan_disk(Path(sys.argv[1]), PRIVATEMODE), file_hash=True)\n"
        # not ru_maxrss, which a child inherits from a large parent
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 100 * 1024  # KiB


def test_identities_are_values(t1):
    first, second = digest_disk(plan_disk(t1, PRIVATEMODE)), digest_disk(plan_disk(t1, PRIVATEMODE))
    assert first == second
    assert isinstance(first.digests[0], DiskDigest)
