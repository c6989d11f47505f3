"""A policy page with a launch measurement pinned in it: a copy of another page, changed in two places only."""

from __future__ import annotations

import re
from dataclasses import replace

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.policy import Policy, Unchecked, Word, parse_policy
from provenance_oracle.verifier.snp.launch import LaunchInputs

_NAME = re.compile(r"^name: .*$", re.MULTILINE)
# The rule in block style, as every shipped page has it: the word `any`, or a list of one line a value.
_RULE = re.compile(r"^  measurement:(?: any|((?:\n(?:    - \"[0-9a-f]{96}\"|    #.*))+))$", re.MULTILINE)


def pin_measurement(base: Policy, text: str, name: str, measurement: bytes, inputs: LaunchInputs) -> str:
    """Return the page `text` of the policy `base` under another name, with a measurement more in `pins.measurement`.

    The digests of the inputs stand in a comment above the value. Comments are part of the page's digest, and change no
    rule.

    Raises:
        UsageError: the page has the rule in another form, or the name is not one for a policy.
    """
    rule = _RULE.search(text)
    if not rule or len(_NAME.findall(text)) != 1:
        wanted = "name: NAME, and under pins: measurement: any, or one quoted value a line"
        raise UsageError(
            "the policy has its rules in another form", where=base.source, got="another form", wanted=wanted
        )
    known = base.pins.measurement
    if known is not Word.ANY and measurement in known:
        raise UsageError("the policy pins it already", where=base.source, got=measurement.hex(), wanted="a new one")
    lines = "".join(f"\n    # {line}" for line in _comment(inputs))
    pinned = f'  measurement:{rule[1] or ""}{lines}\n    - "{measurement.hex()}"'
    page = _NAME.sub(lambda _: f"name: {name}", text[: rule.start()] + pinned + text[rule.end() :])
    _match_rules(base, parse_policy(page.encode(), "the new policy"), name, measurement)
    return page


def _comment(inputs: LaunchInputs) -> list[str]:
    """Return the inputs in lines, none of which holds a text that others chose."""
    machine = f"{inputs.vcpus} vCPUs of signature {inputs.vcpu_signature:#x}, {inputs.vmm}"
    lines = [f"{machine}, guest features {inputs.guest_features:#x}"]
    lines.append(f"OVMF launch digest {inputs.ovmf.launch_digest.hex()}")
    if inputs.kernel is None:
        return [*lines, "no kernel, initrd or command line measured"]
    parts = {"kernel": inputs.kernel, "initrd": inputs.initrd, "command line": inputs.command_line}
    return [*lines, *(f"{part} sha256 {digest.hex()}" for part, digest in parts.items())]


def _match_rules(base: Policy, made: Policy, name: str, measurement: bytes) -> None:
    """Raise unless the new page has the rules of the old one, and the measurement besides."""
    known: tuple[bytes, ...] | Unchecked = base.pins.measurement
    pins = (*(() if known is Word.ANY else known), measurement)
    wanted = replace(base, name=name, pins=replace(base.pins, measurement=pins), digest=made.digest, source=made.source)
    if made != wanted:
        raise _other_form(base, "a page that would read otherwise")


def _other_form(base: Policy, got: str) -> UsageError:
    wanted = "the form of the shipped pages: name: NAME, and under pins: measurement: any, or one quoted value a line"
    return UsageError("the policy has its rules in another form", where=base.source, got=got, wanted=wanted)
