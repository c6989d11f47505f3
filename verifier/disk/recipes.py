"""Named recipes: everything that two builders must agree on, next to the files, to get the same root hash."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from provenance_oracle.verifier.disk.erofs import Plan, plan_erofs
from provenance_oracle.verifier.disk.erofs_1_5 import plan_erofs_1_5
from provenance_oracle.verifier.disk.tree import Kind, Node
from provenance_oracle.verifier.disk.verity import VerityParameters
from provenance_oracle.verifier.errors import UsageError

_MODEL = re.compile(r"[A-Za-z0-9._-]{1,96}(/[A-Za-z0-9._-]{1,96})?")
_REVISION = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Layout:
    """A layout by the releases of erofs-utils that write it. Those with the same `plan` differ in block 0 only."""

    name: str
    feature_incompat: int = 0
    plan: Callable[[Node], Plan] = plan_erofs


# Release 1.9 alone marks plain images as zero-padded LZ4. The tag v1.9.1, which no longer does, also prints "1.9".
EROFS_CURRENT = Layout("erofs-1.8.6+")
EROFS_1_9 = Layout("erofs-1.9", feature_incompat=1)
EROFS_1_5 = Layout("erofs-1.5", plan=plan_erofs_1_5)
LAYOUTS = (EROFS_CURRENT, EROFS_1_9)


def as_found(node: Node) -> int:
    """Keep the permissions that are on disk."""
    return node.permissions


def as_git_checks_out(node: Node) -> int:
    """Git keeps one bit: the owner may run it. The rest is a umask of 022."""
    if node.kind is Kind.SYMLINK:
        return 0o777
    return 0o755 if node.kind is Kind.DIRECTORY or node.permissions & 0o100 else 0o644


def as_downloaded(node: Node) -> int:
    """A download over HTTP keeps no bit. The rest is a umask of 022."""
    return as_git_checks_out(replace(node, permissions=0))


@dataclass(frozen=True)
class Recipe:
    """How an image is made of a folder.

    Attributes:
        volume_uuid: in the EROFS superblock.
        verity: algorithm, block sizes, salt and the uuid of the verity superblock.
        removed: names in the root folder that never go on the disk.
        permissions: the mode bits that an entry has on the disk.
        layouts: the variants to compute; all come out of one pass, so they share a plan.

    Raises:
        UsageError: layouts that place files differently.
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
            raise UsageError("layouts that need a pass each", where=self.name, got=names, wanted="layouts of one plan")

    def plan(self, root: Node) -> Plan:
        """Lay a shaped tree out. Raises as `plan_erofs` does."""
        return self.layouts[0].plan(root)

    def shape(self, root: Node) -> Node:
        """Return the tree with the recipe's permissions and without what it removes."""
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
    """Return the recipe of Tinfoil's modelwrap: uuid and salt come from `<model>@<revision>`.

    modelwrap pins erofs-utils 1.5. For a while it had 1.8.6 (github.com/tinfoilsh/modelwrap, pull request 25): give
    `layouts=LAYOUTS` for images from then.

    Raises:
        UsageError: not a model of the Hugging Face Hub, or not a full commit hash.
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
