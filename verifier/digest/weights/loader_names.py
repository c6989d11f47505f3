"""The names and the fusing that the library transformers (5 and later) applies while it loads a model.

Its model classes have lists of `WeightRenaming` and `WeightConverter`, which it applies to the names in the files. This
module lets them rename, and reads the converters' operations. It understands plain stacks and concatenations, whose
parts are parts of memory; tensors that are computed otherwise (permuted, transposed) are not found.

transformers is never imported here: only a process that has imported it has a model that it loaded.
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from provenance_oracle.verifier.digest.weights.places import Index, LoaderMap, TensorPlace, TensorPlaces
from provenance_oracle.verifier.digest.weights.safetensors_header import TensorEntry
from provenance_oracle.verifier.text import printable

_NAME_CHARS_MAX = 500  # the library's patterns are regular expressions with `.*`; longer names are not tried
_NUMBERS = re.compile(r"(\d{1,18})")
_MERGE, _JOIN = "MergeModulelist", "Concatenate"

# The interface is not frozen: whatever another version raises means that its map cannot be used.
_OTHER_VERSION = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError, re.error)


def transformers_map(model: object, architecture: Callable[[], tuple[str, ...]]) -> LoaderMap | None:
    """Return the maps of transformers for a model or a state dict that it loaded.

    Args:
        model: the module, which knows the conversions that were used; or a state dict.
        architecture: returns the class and the type that the release's configuration names. They are used for a state
            dict, since transformers registers conversions under them.

    Returns:
        The maps, or None if transformers is not imported or its version has no such maps.
    """
    if sys.modules.get("transformers.conversion_mapping") is None:
        return None

    def places(entries: Mapping[str, TensorEntry], find: Callable[[str], str]) -> Iterator[TensorPlaces]:
        try:
            for transforms in _transforms_of(model, architecture):
                yield _places(entries, copy.deepcopy(transforms), find)
        except _OTHER_VERSION as error:
            yield TensorPlaces({}, f"the map of transformers cannot be used: {type(error).__name__}: {error}")

    return places


def _transforms_of(model: object, architecture: Callable[[], tuple[str, ...]]) -> Iterator[list[Any]]:
    """Yield the conversions that were used to load the model, or else those registered for it."""
    torch: Any = sys.modules.get("torch")
    mapping: Any = sys.modules["transformers.conversion_mapping"]
    base: Any = sys.modules["transformers.modeling_utils"].PreTrainedModel
    if torch is not None and isinstance(model, torch.nn.Module):
        inner = next((part for part in model.modules() if isinstance(part, base)), None)
        if inner is not None:
            used = getattr(inner, "_weight_conversions", None)
            yield list(mapping.get_model_conversion_mapping(inner) if used is None else used)
        return
    names = architecture()
    legacy = mapping.get_checkpoint_conversion_mapping("legacy") or []
    for name in names:
        yield [*(mapping.get_checkpoint_conversion_mapping(name) or []), *legacy]
    for family in _families(names, base):
        transforms = mapping.get_checkpoint_conversion_mapping(family.__name__) or []
        for transform in transforms:  # as transformers does for the model inside one with a head
            transform.scope_prefix, transform.base_model_prefix = "", family.base_model_prefix
        yield [*transforms, *legacy]


def _families(names: Sequence[str], base: type) -> Iterator[type[Any]]:
    """Yield the model classes of the imported module that has the class named first, such as `ViTModel`."""
    for path, module in list(sys.modules.items()):
        if names and path.startswith("transformers.models.") and ".modeling_" in path:
            members = vars(module)
            if names[0] in members:
                yield from (one for one in members.values() if isinstance(one, type) and issubclass(one, base))
                return


def _places(entries: Mapping[str, TensorEntry], transforms: Sequence[Any], find: Callable[[str], str]) -> TensorPlaces:
    renamings = [item for item in transforms if not hasattr(item, "operations")]
    converters = [item for item in transforms if hasattr(item, "operations")]
    places: dict[str, TensorPlace] = {}
    fused: dict[tuple[str, int], dict[str, list[str]]] = {}
    for name in sorted(entries, key=_natural):
        if len(name) > _NAME_CHARS_MAX:
            continue
        renamed = name
        for renaming in renamings:
            renamed, _ = renaming.rename_source_key(renamed)
        for number, converter in enumerate(converters):
            target, pattern = converter.rename_source_key(renamed)
            if pattern is not None:
                fused.setdefault((target, number), {}).setdefault(pattern, []).append(name)
                break
        else:
            places[name] = TensorPlace(find(renamed))
    notes = []
    for (target, number), sources in fused.items():
        converter = converters[number]
        parts = _parts(entries, sources, converter)
        if parts is None:
            operations = ", ".join(type(operation).__name__ for operation in converter.operations)
            notes.append(f"{printable(target)} is made by {operations}, which is no plain stack")
            continue
        places |= {name: TensorPlace(find(target), index) for name, index in parts}
    return TensorPlaces(places, notes[0] if notes else "")


def _parts(
    entries: Mapping[str, TensorEntry], sources: Mapping[str, list[str]], converter: Any
) -> Iterator[tuple[str, Index]] | None:
    """Return the part of the fused tensor that each tensor is; None if the operations are no stack."""
    operations = [type(operation).__name__ for operation in converter.operations]
    dimensions = [operation.dim for operation in converter.operations if type(operation).__name__ in (_MERGE, _JOIN)]
    ordered = [sources[pattern] for pattern in converter.source_patterns if pattern in sources]
    if operations == [_MERGE] and len(ordered) == 1:
        return _stacked(entries, ordered, dimensions[0], None)
    if operations == [_MERGE, _JOIN]:
        return _stacked(entries, ordered, dimensions[0], dimensions[1])
    if operations == [_JOIN]:
        return _joined(entries, [name for names in ordered for name in names], dimensions[0])
    return None


def _stacked(
    entries: Mapping[str, TensorEntry], ordered: Sequence[Sequence[str]], stack: int, join: int | None
) -> Iterator[tuple[str, Index]]:
    """Yield the parts of stacks along dimension `stack`, one for each list, that are joined along `join`."""
    begin = 0
    for names in ordered:
        end = begin
        for number, name in enumerate(names):
            stacked = list(entries[name].shape)
            index: list[int | slice] = [slice(None)] * (len(stacked) + 1)
            stacked.insert(stack if stack >= 0 else stack + len(index), len(names))
            index[stack] = number
            if join is not None:
                end = begin + stacked[join]
                index[join] = slice(begin, end)
            yield name, tuple(index)
        begin = end


def _joined(entries: Mapping[str, TensorEntry], names: Sequence[str], dimension: int) -> Iterator[tuple[str, Index]]:
    begin = 0
    for name in names:
        shape = entries[name].shape
        index: list[int | slice] = [slice(None)] * len(shape)
        index[dimension] = slice(begin, begin + shape[dimension])
        begin += shape[dimension]
        yield name, tuple(index)


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Return a key by which `experts.10` comes after `experts.9`."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in _NUMBERS.split(name)]
