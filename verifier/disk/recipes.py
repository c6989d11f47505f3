"""Named recipes: the choices, besides the files, on which two builders must agree to get the same root hash.

Sources: for Privatemode, edgelesssys/privatemode-public v1.40.0, verity/verity.sh; for Tinfoil, tinfoilsh/modelwrap.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from provenance_oracle.verifier.disk.erofs import Plan, plan_erofs
from provenance_oracle.verifier.disk.erofs_1_5 import plan_erofs_1_5
from provenance_oracle.verifier.disk.tree import FileKind, Node
from provenance_oracle.verifier.disk.verity import VerityParameters
from provenance_oracle.verifier.errors import UsageError

_MODEL = re.compile(r"[A-Za-z0-9._-]{1,96}(/[A-Za-z0-9._-]{1,96})?")
_REVISION = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Layout:
    """A layout, named after the releases of erofs-utils that write it.

    `feature_incompat` is the superblock's field of that name. Layouts with the same `plan` differ in block 0 only.
    """

    name: str
    feature_incompat: int = 0
    plan: Callable[[Node], Plan] = plan_erofs


# Only release 1.9 marks plain images as zero-padded LZ4. Release 1.9.1 does not, but it also prints "1.9".
EROFS_CURRENT = Layout("erofs-1.8.6+")
EROFS_1_9 = Layout("erofs-1.9", feature_incompat=1)
EROFS_1_5 = Layout("erofs-1.5", plan=plan_erofs_1_5)
LAYOUTS = (EROFS_CURRENT, EROFS_1_9)


def as_found(node: Node) -> int:
    """Return the permissions that the entry has on disk."""
    return node.permissions


def as_git_checks_out(node: Node) -> int:
    """Return the permissions after a git checkout with umask 022. Git keeps only the owner's execute bit of files."""
    if node.kind is FileKind.SYMLINK:
        return 0o777
    return 0o755 if node.kind is FileKind.DIRECTORY or node.permissions & 0o100 else 0o644


def as_downloaded(node: Node) -> int:
    """Return the permissions after a download over HTTP with umask 022. A download keeps no mode bits."""
    return as_git_checks_out(replace(node, permissions=0))


@dataclass(frozen=True)
class Recipe:
    """The rules for making an image of a folder.

    Attributes:
        name: the name in records.
        volume_uuid: the uuid in the EROFS superblock.
        verity: algorithm, block sizes, salt and the uuid of the verity superblock.
        removed: names in the root folder that are left out of the disk.
        permissions: returns the mode bits that an entry has on the disk.
        layouts: the layout variants to compute. One pass computes all of them, so they must share a plan.

    Raises:
        UsageError: the layouts place files differently.
    """

    name: str
    volume_uuid: uuid.UUID
    verity: VerityParameters
    removed: tuple[bytes, ...] = ()
    permissions: Callable[[Node], int] = as_found
    layouts: tuple[Layout, ...] = LAYOUTS

    def __post_init__(self) -> None:
        if len({layout.plan for layout in self.layouts}) != 1:
            names = ", ".join(layout.name for layout in self.layouts)
            raise UsageError(
                "these layouts cannot share one pass", where=self.name, got=names, wanted="layouts of one plan"
            )

    def plan(self, root: Node) -> Plan:
        """Lay out a tree that `shape` returned.

        Raises:
            FormatError: as `plan_erofs` raises it.
        """
        return self.layouts[0].plan(root)

    def shape(self, root: Node) -> Node:
        """Return the tree with the recipe's permissions and without the entries that the recipe removes."""
        kept = tuple(child for child in root.children if child.name not in self.removed)
        return self._with_permissions(replace(root, children=kept))

    def _with_permissions(self, node: Node) -> Node:
        children = tuple(self._with_permissions(child) for child in node.children)
        return replace(node, permissions=self.permissions(node), children=children)


PRIVATEMODE = Recipe(
    name="privatemode",
    volume_uuid=uuid.UUID(int=0),
    verity=VerityParameters(salt=b"\0"),
    removed=(b".git",),
    permissions=as_git_checks_out,
)


def tinfoil(model: str, revision: str, layouts: tuple[Layout, ...] = (EROFS_1_5,)) -> Recipe:
    """Return the recipe of Tinfoil's modelwrap, which derives uuids and salt from `<model>@<revision>`.

    Args:
        model: the name of a model of the Hugging Face Hub.
        revision: the full commit hash, 40 hex digits.
        layouts: modelwrap pins erofs-utils 1.5, the default. It used 1.8.6 for some time
            (github.com/tinfoilsh/modelwrap, pull request 25); pass `LAYOUTS` for images from that time.

    Raises:
        UsageError: `model` or `revision` has another form.
    """
    if not _MODEL.fullmatch(model) or not _REVISION.fullmatch(revision):
        raise UsageError(
            "not a model and revision",
            where="tinfoil",
            got=f"{model}@{revision}",
            wanted="name/model and 40 hex digits",
        )
    name = f"{model}@{revision}"
    disk_uuid = uuid.uuid5(uuid.NAMESPACE_URL, f"{name}-inner")
    verity = VerityParameters(salt=sha256(name.encode()).digest(), uuid=disk_uuid)
    return Recipe("tinfoil", disk_uuid, verity, (b".cache",), as_downloaded, layouts)
