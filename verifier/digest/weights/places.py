"""The place of each tensor of the files in a model's memory: loaders and wrappers rename tensors, and fuse some.

A place is the name of a tensor in memory, and an index if the file's tensor is a part of it: one expert of a stack. The
index only selects memory. A wrong place makes the digest of the file differ; it never makes weights pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.digest.weights.safetensors_header import TensorEntry
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

Index = tuple[int | slice, ...]
# The name in the model of each name in the files: text, or a tuple of the name and the part's index.
NameMap = Mapping[str, str | tuple[Any, ...]] | Callable[[str], str | tuple[Any, ...]]

# Parts of names that wrappers add. DataParallel, DDP and others: module; torch.compile: _orig_mod; FSDP:
# _fsdp_wrapped_module; activation checkpointing: _checkpoint_wrapped_module; Lightning Fabric: _forward_module; PEFT:
# base_model.model at the start, base_layer and original_module around the layer that it adapts.
_ADDED_IN_FRONT = re.compile(r"^(?:(?:module|_forward_module|base_model\.model)\.)+")
_ADDED_ANYWHERE = re.compile(
    r"(?<![^.])(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|base_layer|original_module)\."
)


@dataclass(frozen=True)
class TensorPlace:
    """A tensor in memory by its name, and the part of it that equals the file's tensor; an empty index is all of it."""

    name: str
    index: Index = ()


@dataclass(frozen=True)
class TensorPlaces:
    """The place of every tensor of the files, by its name there. `note` says why the loader's map was of no use."""

    of: Mapping[str, TensorPlace]
    note: str = ""

    @property
    def used(self) -> set[str]:
        """Names of the tensors in memory that hold a tensor of the files, or a part of one."""
        return {place.name for place in self.of.values()}


# A loader's own maps, the likeliest first: the places of the files' tensors, from their entries and a function that
# finds a name in memory.
LoaderMap = Callable[[Mapping[str, TensorEntry], Callable[[str], str]], Iterator[TensorPlaces]]


def locate(
    entries: Mapping[str, TensorEntry], state: Collection[str], names: NameMap | None, loader: LoaderMap | None
) -> TensorPlaces:
    """Return the place of every tensor of the files. A name that is nowhere in memory keeps its name.

    The caller's map comes first. Other tensors have their own names, apart from the parts that known wrappers add, if
    the model then has all of them; otherwise the names that the loader's map gives them, if the model has all of those.

    Args:
        state: the names in memory.
        names: the caller's map from names in the files to names in memory; names that are not in it stay.
        loader: the maps of the library that loaded the model, if known.

    Raises:
        UsageError: the map names a tensor that no file holds, or has an unusable value.
    """
    find = _finder(state)
    given = _given(entries, names)
    own = {name: given.get(name) or TensorPlace(find(name)) for name in entries}
    if loader is None or all(place.name in state for place in own.values()):
        return TensorPlaces(own)
    note = ""
    for mapped in loader(entries, find):
        renamed = {name: given.get(name) or mapped.of.get(name) or own[name] for name in entries}
        if all(place.name in state for place in renamed.values()):
            return TensorPlaces(renamed)
        note = note or mapped.note
    return TensorPlaces(own, note)


def _finder(state: Collection[str]) -> Callable[[str], str]:
    """Return a function that finds a name in memory, with or without the parts that wrappers add."""
    unwrapped: dict[str, str] = {}
    for name in state:
        plain = _ADDED_ANYWHERE.sub("", _ADDED_IN_FRONT.sub("", _ADDED_ANYWHERE.sub("", name)))
        unwrapped.setdefault(plain, name)
    return lambda name: name if name in state else unwrapped.get(name, name)


def _given(entries: Mapping[str, TensorEntry], names: NameMap | None) -> dict[str, TensorPlace]:
    if names is None:
        return {}
    if callable(names):
        found: Iterable[tuple[str, object]] = ((name, names(name)) for name in entries)
    else:
        found = names.items()
        for name in names:
            if name not in entries:
                got, wanted = printable(str(name)), "names of tensors in the files, each with its name in the model"
                raise UsageError("no file holds a tensor of this name", where="names", got=got, wanted=wanted)
    return {name: _as_place(name, value) for name, value in found}


def _as_place(name: str, value: object) -> TensorPlace:
    parts = (value,) if isinstance(value, str) else value
    if (
        isinstance(parts, tuple)
        and parts
        and isinstance(parts[0], str)
        and all(type(part) in (int, slice) for part in parts[1:])
    ):
        return TensorPlace(parts[0], parts[1:])
    wanted = "a name in the model; or a tuple of a name and integers or slices, one for each leading dimension"
    raise UsageError("the map of names has an unusable value", where=f"names, {name}", got=repr(value), wanted=wanted)


def tile_exactly(shape: tuple[int, ...], parts: Iterable[Index]) -> bool:
    """Return whether the parts of a tensor of this shape cover each of its elements exactly once.

    The parts must form a grid: those that begin at the same place of a dimension end at the same place of it.
    """
    boxes = []
    for index in parts:
        if len(index) > len(shape):
            return False
        box = []
        for item, size in zip(index, shape, strict=False):
            begin, end, step = item.indices(size) if isinstance(item, slice) else (item, item + 1, 1)
            if step != 1 or not 0 <= begin < end <= size:
                return False
            box.append((begin, end))
        boxes.append((*box, *((0, size) for size in shape[len(index) :])))
    return _tile(boxes, shape, 0)


def _tile(boxes: list[tuple[tuple[int, int], ...]], shape: tuple[int, ...], dimension: int) -> bool:
    if dimension == len(shape):
        return len(boxes) == 1
    groups: dict[tuple[int, int], list[tuple[tuple[int, int], ...]]] = {}
    for box in boxes:
        groups.setdefault(box[dimension], []).append(box)
    position = 0
    for begin, end in sorted(groups):
        if begin != position:
            return False
        position = end
    return position == shape[dimension] and all(_tile(group, shape, dimension + 1) for group in groups.values())
