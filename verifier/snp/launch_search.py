"""Explain a launch measurement that is not the expected one: try the parts that are known until one fits.

A measurement is a hash, so it does not tell which part differs. Other vCPU counts and types, guest features and VMMs
are few, so they can be tried. Another kernel, initrd, command line or firmware can be tried if its digest is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations, islice, product
from typing import Any

from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.launch import (
    VCPUS_MAX,
    VMMS,
    LaunchInputs,
    digest_of_command_line,
    launch_digest,
    launch_digests,
    vcpu_signatures,
)

_DIFFERENCES_MAX = 4
_GUEST_FEATURES = (0x1, 0x21)  # with and without DebugSwap, which newer kernels turn on
_TRIALS_MAX = 2000  # each of up to 512 measurements; some ten seconds in all


@dataclass(frozen=True)
class Explanation:
    """The inputs that give a measurement. `differing` names the fields in which they differ from those expected."""

    inputs: LaunchInputs
    differing: tuple[str, ...]


def explain_launch(
    expected: LaunchInputs, measured: bytes, known: Sequence[LaunchInputs] = (), command_line: str | None = None
) -> Explanation | None:
    """Return inputs that give `measured` (48 bytes), with as few differences from `expected` as possible.

    Args:
        known: inputs of other launches, whose parts are tried too.
        command_line: the text of the expected command line, so that white space at its end can be tried.

    Returns:
        None if no trial fits.

    Raises:
        UsageError: the extra `measure` is not installed.
    """
    others = _others(expected, known, command_line)
    trials = islice(_trials(expected, others), _TRIALS_MAX)
    for candidate, every_count in trials:
        count = _fitting_count(candidate, measured, every_count)
        if count:
            found = replace(candidate, vcpus=count)
            names = [field.name for field in fields(found)]
            return Explanation(found, tuple(n for n in names if getattr(found, n) != getattr(expected, n)))
    return None


def _others(
    expected: LaunchInputs, known: Sequence[LaunchInputs], command_line: str | None
) -> dict[str, tuple[Any, ...]]:
    """Return for each field, but the number of vCPUs, the other values to try."""
    found: dict[str, list[Any]] = {
        field.name: [getattr(other, field.name) for other in known]
        for field in fields(expected)
        if field.name != "vcpus"
    }
    found["kernel"].append(None)
    if command_line is not None:
        texts = (command_line + "\n", command_line + " ", command_line.rstrip(), "")
        found["command_line"] += [digest_of_command_line(text) for text in texts]
    found["vcpu_signature"] += vcpu_signatures().values()
    found["guest_features"] += _GUEST_FEATURES
    found["vmm"] += VMMS
    return {
        name: tuple(dict.fromkeys(value for value in values if value != getattr(expected, name)))
        for name, values in found.items()
    }


def _trials(expected: LaunchInputs, others: dict[str, tuple[Any, ...]]) -> Iterator[tuple[LaunchInputs, bool]]:
    """Yield inputs by their number of differences, and whether every number of vCPUs is to be tried with them."""
    for count in range(1, _DIFFERENCES_MAX + 1):
        yield from ((candidate, False) for candidate in _with_differences(expected, others, count))
        yield from ((candidate, True) for candidate in _with_differences(expected, others, count - 1))


def _with_differences(expected: LaunchInputs, others: dict[str, tuple[Any, ...]], count: int) -> Iterator[LaunchInputs]:
    for names in combinations(others, count):
        for values in product(*(others[name] for name in names)):
            yield replace(expected, **dict(zip(names, values, strict=True)))


def _fitting_count(candidate: LaunchInputs, measured: bytes, every_count: bool) -> int:
    """Return the number of vCPUs with which the inputs give `measured`, or 0."""
    try:
        if not every_count:
            return candidate.vcpus if launch_digest(candidate) == measured else 0
        digests = launch_digests(candidate, VCPUS_MAX)
        return next((count for count, digest in enumerate(digests, 1) if digest == measured), 0)
    except FormatError:  # these parts do not fit together, such as a kernel and firmware that takes none
        return 0
