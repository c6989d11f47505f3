"""The tensors of a model in memory, and their comparison with the files by name, dtype and shape."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights.places import LoaderMap, NameMap, TensorPlaces, locate, tile_exactly
from provenance_oracle.verifier.digest.weights.safetensors_header import TensorEntry
from provenance_oracle.verifier.digest.weights.tensors import LiveTensor, view_tensor
from provenance_oracle.verifier.digest.weights.weight_files import WeightsFile
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.text import printable

_NAMED_MAX = 5  # tensors in one message


@dataclass(frozen=True)
class MatchedState:
    """The tensors of a model whose names, dtypes and shapes match the files. Their bytes are not compared yet.

    `tensors` go by their names in the files; one of them may be a part of a fused tensor in memory.
    `aliases` are pairs (name, name in the files) of tensors that share their memory with a tensor of the files.
    `unsaved` are the names of tensors that no file holds and the caller accepted.
    """

    tensors: Mapping[str, LiveTensor]
    aliases: tuple[tuple[str, str], ...]
    unsaved: tuple[str, ...]


def state_of(model: object) -> Mapping[str, object]:
    """Return the tensors of a torch module or a state dict by name, including buffers that the module does not save.

    Raises:
        UsageError: `model` is neither a module nor a mapping with text keys.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        every = dict(model.state_dict())
        # The tensors that the module computes with. Its own `state_dict`, or a hook, may put others under these names.
        every.update(model.named_parameters(remove_duplicate=False))
        every.update(model.named_buffers(remove_duplicate=False))
        return every
    if isinstance(model, Mapping) and all(isinstance(name, str) for name in model):
        return model
    got = f"{type(model).__module__}.{type(model).__qualname__}"
    wanted = "a torch module, or a mapping of names to tensors"
    raise UsageError("the object is not a model", where="model", got=got, wanted=wanted)


def match_state(
    files: Iterable[WeightsFile],
    state: Mapping[str, object],
    unsaved: Collection[str],
    names: NameMap | None = None,
    loader: LoaderMap | None = None,
) -> MatchedState:
    """Compare the tensors' names, dtypes and shapes with the headers of the files. No byte of a tensor is read.

    Args:
        state: the tensors by name, as `state_of` returns them.
        unsaved: names of tensors that no file holds and the caller accepts unchecked.
        names: the caller's map from names in the files to names in the model.
        loader: the map of the library that loaded the model.

    Raises:
        VerificationError: a tensor is missing, in no file, renamed, cast, reshaped, fused otherwise, or not a plain
            tensor (check `file-digests`).
        FormatError: two files hold a tensor of the same name.
        UsageError: `unsaved` names a tensor that a file holds, or `names` one that no file holds.
    """
    entries = entries_by_name(files)
    places = locate(entries, state.keys(), names, loader)
    refuse_saved(unsaved, entries, places)
    missing = [name for name, place in places.of.items() if place.name not in state]
    held = {name: view_tensor(state[name], name) for name in sorted(places.used & state.keys())}
    names_of_places = {held[p.name].place: name for name, p in places.of.items() if p.name in held and not p.index}
    names_of_places |= {held[p.name].place: name for name, p in places.of.items() if p.name in held and p.index}
    aliases, extra = [], []
    for name in sorted(state.keys() - held.keys() - set(unsaved)):
        found = names_of_places.get(_place(state[name], name)) if _has_bytes(state[name]) else None
        if found is None:
            extra.append(name)
        else:
            aliases.append((name, found))
    if missing or extra:
        raise other_names(missing, extra, places.note)
    refuse_other_parts(places, {name: tensor.shape for name, tensor in held.items()})
    tensors = {
        name: view_tensor(part_of(state[place.name], place.index), name) if place.index else held[place.name]
        for name, place in places.of.items()
    }
    for name, tensor in tensors.items():
        _match_form(entries[name], tensor)
    return MatchedState(tensors, tuple(aliases), tuple(sorted(set(unsaved) & state.keys())))


def refuse_saved(unsaved: Collection[str], entries: Mapping[str, TensorEntry], places: TensorPlaces) -> None:
    """Raise a UsageError if `unsaved` names a tensor that a file holds."""
    for name in unsaved:
        if name in entries or name in places.used:
            got, wanted = f"{printable(name)}, which a file holds", "only tensors that no file holds"
            raise UsageError("a file holds a tensor listed in unsaved", where="unsaved", got=got, wanted=wanted)


def part_of(tensor: Any, index: tuple[int | slice, ...]) -> Any:
    """Return a view of a part of a torch tensor or NumPy array. `refuse_other_parts` has compared the index."""
    return tensor[index] if index else tensor


def refuse_other_parts(places: TensorPlaces, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a tensor in memory unless the tensors of the files are its parts, each element once.

    Args:
        shapes: the shapes of the tensors in memory by their names there.

    Raises:
        VerificationError: parts overlap, or leave an element unchecked (check `file-digests`).
    """
    parts: dict[str, list[tuple[int | slice, ...]]] = {}
    for place in places.of.values():
        parts.setdefault(place.name, []).append(place.index)
    for name, indexes in parts.items():
        if indexes != [()] and not tile_exactly(shapes[name], indexes):
            problem = "the tensors of the files do not make up this tensor, each element once"
            got = f"{len(indexes)} tensors of the files for {list(shapes[name])}"
            wanted = "parts that neither overlap nor leave a gap; see names=..."
            raise VerificationError(problem, check=Check.FILE_DIGESTS, where=f"tensor {name}", got=got, wanted=wanted)


def _has_bytes(value: object) -> bool:
    """Return whether a tensor has any element. Tensors without memory of their own are no aliases of each other."""
    size = getattr(value, "nbytes", 0)
    return isinstance(size, int) and size > 0


def entries_by_name(files: Iterable[WeightsFile]) -> dict[str, TensorEntry]:
    """Return the tensors of all files by name, or raise a FormatError if two files hold one of the same name."""
    entries: dict[str, TensorEntry] = {}
    for file in files:
        for entry in file.header.tensors:
            if entry.name in entries:
                raise FormatError(
                    "two files hold a tensor of this name",
                    check=Check.FILE_DIGESTS,
                    where=f"{file.path}, tensor {entry.name}",
                    got="a name twice",
                    wanted="files of one model; name them yourself (files=...)",
                )
            entries[entry.name] = entry
    return entries


def _place(value: object, name: str) -> tuple[object, ...]:
    """Return the place of a tensor that no file holds; an empty tuple if it is not a plain tensor."""
    try:
        return view_tensor(value, name).place
    except VerificationError:
        return ()


def other_names(missing: Sequence[str], extra: Sequence[str], note: str = "") -> VerificationError:
    """Return the error for tensors of the files that are not in the model, or the reverse, with the next step."""
    got = []
    if missing:
        got.append(f"not in the model: {list_names(missing)}")
    if extra:
        got.append(f"in the model and in no file: {list_names(extra)}")
    if note:
        got.append(note)
    renamed = [name for name in extra if missing and (name.endswith(missing[0]) or missing[0].endswith(name))]
    wanted = "exactly the tensors of the files"
    if renamed:
        wanted += f" by their names there, so {printable(missing[0])} and not {printable(renamed[0])}"
    elif extra and not missing:
        wanted += "; if code makes these and you accept them unchecked, name them in unsaved"
        wanted += "; if they share another's memory when the model runs, tie them first"
    if missing and extra:
        wanted += "; if the loader renamed or fused tensors, give a map of names (names=...), or the module itself"
    problem = "the tensors in memory are not those of the files"
    return VerificationError(problem, check=Check.FILE_DIGESTS, where="model", got="; ".join(got), wanted=wanted)


def _match_form(entry: TensorEntry, tensor: LiveTensor) -> None:
    if (tensor.dtype, tensor.shape) == (entry.dtype, entry.shape):
        return
    change = "cast" if tensor.dtype != entry.dtype else "reshaped"
    raise VerificationError(
        f"the tensor was {change} after it was loaded, so its bytes differ from the file; check before that step",
        check=Check.FILE_DIGESTS,
        where=f"tensor {entry.name}",
        got=f"{tensor.dtype} {list(tensor.shape)}",
        wanted=f"{entry.dtype} {list(entry.shape)}",
    )


def list_names(names: Sequence[str]) -> str:
    """Return a text for a message with the first few names and the number of the others."""
    shown = ", ".join(printable(name, 100) for name in names[:_NAMED_MAX])
    return f"{shown} and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else shown
