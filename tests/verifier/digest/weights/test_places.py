"""Names that wrappers and loaders change are found; parts of fused tensors must make them up, each element once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from provenance_oracle.verifier.digest.weights.loader_names import transformers_map
from provenance_oracle.verifier.digest.weights.places import (
    Index,
    NameMap,
    TensorPlace,
    TensorPlaces,
    locate,
    tile_exactly,
)
from provenance_oracle.verifier.digest.weights.safetensors_header import TensorEntry
from provenance_oracle.verifier.errors import UsageError


def entries_of(*names: str, shape: tuple[int, ...] = (2, 3)) -> dict[str, TensorEntry]:
    return {name: TensorEntry(name, "F32", shape, 0, 24) for name in names}


def placed(name: str, memory: str, names: NameMap | None = None) -> TensorPlace:
    return locate(entries_of(name), {memory}, names, None).of[name]


@pytest.mark.parametrize(
    "memory",
    [
        "a.w",
        "module.a.w",
        "module.module.a.w",
        "_orig_mod.a.w",
        "module._orig_mod.a.w",
        "_orig_mod.module.a.w",
        "a._orig_mod.w",
        "_fsdp_wrapped_module.a._fsdp_wrapped_module.w",
        "a._checkpoint_wrapped_module.w",
        "_forward_module.a.w",
        "base_model.model.a.w",
        "base_model.model.a.base_layer.w",
        "a.original_module.w",
    ],
)
def test_the_parts_that_wrappers_add_are_known(memory: str) -> None:
    assert placed("a.w", memory) == TensorPlace(memory)


@pytest.mark.parametrize("memory", ["net.a.w", "a.module.w", "amodule.a.w", "a.w2", "my_orig_mod.a.w"])
def test_other_names_are_not_guessed(memory: str) -> None:
    assert placed("a.w", memory) == TensorPlace("a.w")


def test_the_name_itself_comes_before_a_wrapped_one() -> None:
    assert locate(entries_of("a.w"), {"module.a.w", "a.w"}, None, None).of == {"a.w": TensorPlace("a.w")}


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ({"a.w": "b"}, TensorPlace("b")),
        ({"a.w": ("b", 3, slice(0, 2))}, TensorPlace("b", (3, slice(0, 2)))),
        (lambda name: f"net.{name}", TensorPlace("net.a.w")),
        ({}, TensorPlace("a.w")),
    ],
    ids=["text", "part", "function", "empty"],
)
def test_the_caller_s_map_decides(names: NameMap, wanted: TensorPlace) -> None:
    assert placed("a.w", "a.w", names) == wanted


@pytest.mark.parametrize(
    "names",
    [{"c": "a.w"}, {"a.w": 3}, {"a.w": ()}, {"a.w": (3, "a.w")}, {"a.w": ("a.w", True)}, lambda _: None],
    ids=["no such name", "number", "empty", "reversed", "truth value", "function without a name"],
)
def test_an_unusable_map_is_told(names: Any) -> None:
    with pytest.raises(UsageError):
        placed("a.w", "a.w", names)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([()], True),
        ([(0,), (1,), (2,), (3,)], True),
        ([(slice(0, 1),), (slice(1, 4),)], True),
        ([(i, slice(j, j + 3)) for i in range(4) for j in (0, 3)], True),
        ([(slice(None), 0), (slice(None), slice(1, 6))], True),
        ([(slice(0, 2),), (slice(2, None), slice(0, 3)), (slice(2, 4), slice(3, 6))], True),
        ([(0,), (1,), (2,)], False),
        ([(0,), (0,), (1,), (2,), (3,)], False),
        ([(0,), (1,), (2,), (4,)], False),
        ([(0,), (1,), (2,), (-1,)], False),
        ([(slice(0, 4, 2),), (slice(1, 4, 2),)], False),
        ([(slice(0, 3),), (slice(2, 4),)], False),
        ([(), ()], False),
        ([(0, 0, 0)], False),
        ([], False),
    ],
)
def test_parts_make_up_a_tensor_exactly(parts: list[Index], whole: bool) -> None:
    assert tile_exactly((4, 6), parts) is whole


def test_the_tiling_of_many_parts_is_linear() -> None:
    """20,000 experts with two parts each: a comparison of all pairs would take 800 million steps."""
    calls = 0

    class Counted(int):
        def __lt__(self, other: int) -> bool:
            nonlocal calls
            calls += 1
            return int(self) < int(other)

    parts: list[Index] = [(Counted(i), slice(j, j + 1)) for i in range(20_000) for j in range(2)]
    assert tile_exactly((20_000, 2), parts)
    assert calls < 10 * 20_000


# The maps of transformers, by stand-ins for its classes


class Renaming:
    """Changes one part of a name, as the `WeightRenaming` of transformers does."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def rename_source_key(self, name: str) -> tuple[str, str | None]:
        return (name.replace(self.old, self.new), self.old) if self.old in name else (name, None)


class MergeModulelist(SimpleNamespace):
    pass


class Concatenate(SimpleNamespace):
    pass


class Transpose(SimpleNamespace):
    pass


class Converter:
    """Maps `N.<source>` for each number N to one target, as a `WeightConverter` does for a list of experts."""

    def __init__(self, sources: list[str], target: str, operations: list[Any]) -> None:
        self.source_patterns, self.target, self.operations = sources, target, operations

    def rename_source_key(self, name: str) -> tuple[str, str | None]:
        source = name.rpartition(".")[2]
        return (self.target, source) if source in self.source_patterns else (name, None)


class PreTrainedModel:
    """The base class of transformers' models."""


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """A stand-in for transformers; the test fills in what is registered."""
    registered: dict[str, list[Any]] = {}
    mapping = SimpleNamespace(get_checkpoint_conversion_mapping=registered.get)
    monkeypatch.setitem(sys.modules, "transformers.conversion_mapping", mapping)  # type: ignore[misc]
    modeling = SimpleNamespace(PreTrainedModel=PreTrainedModel)
    monkeypatch.setitem(sys.modules, "transformers.modeling_utils", modeling)  # type: ignore[misc]
    return registered


def mapped(names: dict[str, TensorEntry], state: set[str], kind: str = "kind") -> TensorPlaces:
    return locate(names, state, None, transformers_map({}, lambda: (kind,)))


def test_renamed_tensors_are_found(library: dict[str, list[Any]]) -> None:
    library["kind"] = [Renaming("query", "q_proj"), Renaming("encoder.", "")]
    assert mapped(entries_of("encoder.query.w"), {"q_proj.w"}).of == {"encoder.query.w": TensorPlace("q_proj.w")}
    assert mapped(entries_of("encoder.query.w"), {"module.q_proj.w"}).of["encoder.query.w"] == TensorPlace(
        "module.q_proj.w"
    )


def test_the_library_s_map_is_used_only_if_the_model_has_all_its_names(library: dict[str, list[Any]]) -> None:
    library["kind"] = [Renaming("query", "q_proj")]
    assert mapped(entries_of("query.w"), {"query.w", "q_proj.w"}).of == {"query.w": TensorPlace("query.w")}
    assert mapped(entries_of("query.w", "x"), {"q_proj.w"}).of == {
        "query.w": TensorPlace("query.w"),
        "x": TensorPlace("x"),
    }


def test_experts_are_found_in_their_stack_in_the_order_of_their_numbers(library: dict[str, list[Any]]) -> None:
    library["kind"] = [Converter(["down"], "experts", [MergeModulelist(dim=0)])]
    found = mapped(entries_of(*(f"{n}.down" for n in range(12))), {"experts"})
    full = slice(None)
    assert found.of == {f"{n}.down": TensorPlace("experts", (n, full, full)) for n in range(12)}
    assert tile_exactly((12, 2, 3), [place.index for place in found.of.values()])


@pytest.mark.parametrize(("stack", "join"), [(0, 1), (-3, -2), (0, -1), (1, 0)])
def test_experts_of_two_lists_are_found_in_stacks_that_are_joined(
    library: dict[str, list[Any]], stack: int, join: int
) -> None:
    library["kind"] = [Converter(["gate", "up"], "experts", [MergeModulelist(dim=stack), Concatenate(dim=join)])]
    found = mapped(entries_of(*(f"{n}.{part}" for n in range(4) for part in ("gate", "up"))), {"experts"})
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")
    parts = {name: numpy.full((2, 3), number) for number, name in enumerate(found.of)}
    fused = numpy.concatenate(
        [numpy.stack([parts[f"{n}.{part}"] for n in range(4)], stack) for part in ("gate", "up")], join
    )
    for name, place in found.of.items():
        assert (fused[place.index] == parts[name]).all()
        assert fused[place.index].shape == (2, 3)
    assert tile_exactly(fused.shape, [place.index for place in found.of.values()])


def test_tensors_that_are_joined_are_found(library: dict[str, list[Any]]) -> None:
    library["kind"] = [Converter(["q", "k"], "qk", [Concatenate(dim=0)])]
    found = mapped(entries_of("a.q", "a.k"), {"qk"})
    full = slice(None)
    assert found.of == {"a.q": TensorPlace("qk", (slice(0, 2), full)), "a.k": TensorPlace("qk", (slice(2, 4), full))}


def test_what_is_no_stack_is_said(library: dict[str, list[Any]]) -> None:
    library["kind"] = [Converter(["q"], "t", [Transpose(dim0=0, dim1=1)])]
    assert mapped(entries_of("a.q"), {"t"}).note == "t is made by Transpose, which is no plain stack"


def broken(names: Callable[..., Any]) -> list[Any]:
    return [SimpleNamespace(rename_source_key=names)]


def stop(_: str) -> Any:
    return next(iter(()))


@pytest.mark.parametrize(
    "names", [stop, lambda: None, lambda _: None, lambda _: {}[1]], ids=("stops", "no-argument", "none", "key-error")
)
def test_another_version_of_the_library_is_told_and_ends_nothing(
    library: dict[str, list[Any]], names: Callable[..., Any]
) -> None:
    library["kind"] = broken(names)
    assert "the map of transformers cannot be used" in mapped(entries_of("a"), {"b"}).note


def test_names_of_a_stranger_are_not_matched_at_any_length(library: dict[str, list[Any]]) -> None:
    """The library's patterns may take time that grows with the square of a name."""
    lengths: list[int] = []

    def rename(name: str) -> tuple[str, None]:
        lengths.append(len(name))
        return name, None

    library["kind"] = broken(rename)
    mapped(entries_of("a" * 60_000, "a" * 500), {"b"})
    assert lengths
    assert max(lengths) <= 500


def test_the_inner_model_s_conversions_are_tried(
    library: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration names the class with a head; the conversions may be registered for the one inside."""
    members: dict[str, Any] = {}
    for name in ("KindForTask", "KindModel"):
        members[name] = type(name, (PreTrainedModel,), {"base_model_prefix": "kind"})
    monkeypatch.setitem(sys.modules, "transformers.models.kind.modeling_kind", SimpleNamespace(**members))  # type: ignore[misc]
    library["KindModel"] = [Renaming("query", "q_proj")]
    assert mapped(entries_of("query.w"), {"q_proj.w"}, "KindForTask").of == {"query.w": TensorPlace("q_proj.w")}


def test_without_the_library_there_is_no_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "transformers.conversion_mapping", raising=False)
    assert transformers_map({}, lambda: ()) is None


def test_the_map_s_places_come_one_after_the_other() -> None:
    def maps(_: Any, find: Callable[[str], str]) -> Iterator[TensorPlaces]:
        yield TensorPlaces({"a": TensorPlace("x")}, "the first")
        yield TensorPlaces({"a": TensorPlace("b")})

    assert locate(entries_of("a"), {"b"}, None, maps).of == {"a": TensorPlace("b")}
    assert locate(entries_of("a"), {"c"}, None, maps).note == "the first"
