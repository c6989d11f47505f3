"""Put loaded tensors into a torch module: every parameter and persistent buffer is accounted for, and ties are kept.

A tensor of the module is written in place if it has memory and the dtype of the files. Otherwise a new one takes its
place under all its names, so that tied weights stay one tensor.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.weights.model_state import (
    entries_by_name,
    list_names,
    other_names,
    part_of,
    refuse_other_parts,
    refuse_saved,
)
from provenance_oracle.verifier.digest.weights.places import LoaderMap, NameMap, TensorPlaces, locate
from provenance_oracle.verifier.digest.weights.tensors import view_tensor
from provenance_oracle.verifier.digest.weights.weight_files import WeightsFile
from provenance_oracle.verifier.errors import ChangedError, TemporaryError, UsageError, VerificationError


@dataclass(frozen=True)
class Slots:
    """The tensors of a module by name: parameters and persistent buffers, each name of a tied tensor included.

    `transient` are the names of buffers that the module does not save (`persistent=False`).
    """

    tensors: Mapping[str, Any]
    transient: tuple[str, ...]


@dataclass(frozen=True)
class PlacingPlan:
    """Where the tensors of the files go in a module, and the names that are accepted unchecked."""

    slots: Slots
    places: TensorPlaces
    unsaved: tuple[str, ...]


def slots_of(module: object) -> Slots:
    """Return the tensors of a torch module.

    Raises:
        UsageError: the object is no torch module.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None or not isinstance(module, torch.nn.Module):
        got = f"{type(module).__module__}.{type(module).__qualname__}"
        raise UsageError("the object is not a module", where="module", got=got, wanted="a torch.nn.Module")
    tensors = dict(module.named_parameters(remove_duplicate=False))
    transient = []
    for path, owner in module.named_modules(remove_duplicate=False):
        for leaf, buffer in owner.named_buffers(recurse=False, remove_duplicate=False):
            name = f"{path}.{leaf}".lstrip(".")
            if leaf in owner._non_persistent_buffers_set:
                transient.append(name)
            else:
                tensors[name] = buffer
    return Slots(tensors, tuple(transient))


def plan_placing(
    files: Iterable[WeightsFile],
    module: object,
    unsaved: Collection[str],
    names: NameMap | None,
    loader: LoaderMap | None,
) -> PlacingPlan:
    """Decide where each tensor of the files goes. Nothing is written yet.

    Raises:
        VerificationError: the module has a parameter or persistent buffer that no file holds and `unsaved` does not
            name, or lacks one of the files (check `file-digests`).
        UsageError: the object is no module; a buffer that the module does not save is on the meta device; or `unsaved`
            or `names` are wrong.
    """
    slots = slots_of(module)
    entries = entries_by_name(files)
    places = locate(entries, slots.tensors.keys(), names, loader)
    refuse_saved(unsaved, entries, places)
    missing = [name for name, place in places.of.items() if place.name not in slots.tensors]
    filled = {_identity(slots.tensors[name]) for name in places.used & slots.tensors.keys()}
    extra = sorted(
        name for name, tensor in slots.tensors.items() if _identity(tensor) not in filled and name not in unsaved
    )
    if missing or extra:
        raise other_names(missing, extra, places.note)
    refuse_other_parts(places, {name: tuple(slots.tensors[name].shape) for name in places.used})
    empty = [name for name in slots.transient if module.get_buffer(name).device.type == "meta"]  # type: ignore[attr-defined]
    if empty:
        wanted = "a module whose unsaved buffers have values; build it on the CPU, or compute them first"
        got = f"on the meta device: {list_names(empty)}"
        raise UsageError("no file holds these buffers, and they have no values", where="module", got=got, wanted=wanted)
    return PlacingPlan(slots, places, (*unsaved, *(name for name in slots.transient if name not in unsaved)))


def place_tensors(module: Any, plan: PlacingPlan, loaded: Mapping[str, Any]) -> None:
    """Put loaded and checked tensors into a module. If this raises a `VerificationError`, nothing was written.

    Raises:
        VerificationError: a shape differs, tied tensors have different bytes in the files, or the module holds a tensor
            of another kind, such as a sharded one (check `file-digests`).
        ChangedError: the files have other tensors than when the plan was made.
        TemporaryError: there is not enough memory.
    """
    import torch

    if loaded.keys() != plan.places.of.keys():
        got, wanted = f"{len(loaded)} tensors", f"the {len(plan.places.of)} tensors of a moment ago"
        raise ChangedError("the weights changed while they were read", where="module", got=got, wanted=wanted)
    sources: dict[tuple[object, ...], list[str]] = {}
    for name, place in plan.places.of.items():
        _match_shape(plan.slots.tensors[place.name], place.index, loaded[name], name)
        sources.setdefault(_identity(plan.slots.tensors[place.name]), []).append(name)
    for names in sources.values():
        _refuse_disagreement(plan, loaded, names)
    names_of: dict[tuple[object, ...], list[str]] = {}
    for name, tensor in plan.slots.tensors.items():
        names_of.setdefault(_identity(tensor), []).append(name)
    with torch.no_grad():
        for identity, names in sources.items():
            _fill(module, plan, loaded, names, names_of[identity])


def _fill(module: Any, plan: PlacingPlan, loaded: Mapping[str, Any], names: list[str], owners: list[str]) -> None:
    """Write the tensors of the files named `names` into one tensor of the module, whose names are `owners`."""
    import torch

    target = plan.slots.tensors[owners[0]]
    dtype = loaded[names[0]].dtype
    in_place = target.device.type != "meta" and target.dtype == dtype
    device = "cpu" if target.device.type == "meta" else target.device
    try:
        filled = target if in_place else torch.empty(target.shape, dtype=dtype, device=device)
        for name in names:
            part_of(filled, plan.places.of[name].index).copy_(loaded[name])
    except (RuntimeError, MemoryError) as error:
        got, wanted = str(error).partition("\n")[0], "memory for the module's tensors"
        raise TemporaryError("the tensor cannot be written", where=owners[0], got=got, wanted=wanted) from error
    if in_place:
        return
    if isinstance(target, torch.nn.Parameter):
        filled = torch.nn.Parameter(filled, requires_grad=target.requires_grad)
        filled.__dict__.update(target.__dict__)  # marks that libraries leave on parameters
    for owner in owners:
        path, _, leaf = owner.rpartition(".")
        setattr(module.get_submodule(path), leaf, filled)


def _identity(tensor: Any) -> tuple[object, ...]:
    """Return a value that is equal for names of one tensor: the same object, or the same memory in the same form."""
    if tensor.device.type == "meta" or not tensor.numel():
        return (id(tensor),)
    return view_tensor(tensor, "of the module").place


def _match_shape(target: Any, index: tuple[int | slice, ...], loaded: Any, name: str) -> None:
    found = part_of(target, index)
    if found.shape == loaded.shape:
        return
    raise VerificationError(
        "the module's tensor has another shape than that of the release",
        check=Check.FILE_DIGESTS,
        where=f"tensor {name}",
        got=f"{list(found.shape)}",
        wanted=f"{list(loaded.shape)}; build the module by the release's configuration",
    )


def _refuse_disagreement(plan: PlacingPlan, loaded: Mapping[str, Any], names: list[str]) -> None:
    """Refuse tensors of the files that go to one tensor of the module and are no parts of it, but differ."""
    import torch

    first = loaded[names[0]]
    for name in names[1:]:
        one, tied = loaded[name], not plan.places.of[name].index
        if one.dtype != first.dtype or (tied and not torch.equal(_bytes(one), _bytes(first))):
            problem = "these tensors are one in the module, and differ in the release"
            got, wanted = f"{names[0]} and {name}", "a module that does not tie them"
            raise VerificationError(problem, check=Check.FILE_DIGESTS, where="module", got=got, wanted=wanted)


def _bytes(tensor: Any) -> Any:
    import torch

    return tensor.contiguous().reshape(-1).view(torch.uint8)
