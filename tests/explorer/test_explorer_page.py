"""docs/explorer.md says what the page and its server do."""

from __future__ import annotations

import html
import re

from provenance_oracle.oracle.web.explorer.page_files import content_policy
from tests.explorer.site import PAGE

_DOCS = (PAGE.parents[2] / "docs" / "explorer.md").read_text()
_INDEX = (PAGE / "index.html").read_text()


def _directives(policy: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (one.strip().partition(" ") for one in policy.split(";"))}


def test_the_policy_on_the_page_is_the_one_that_the_server_sends() -> None:
    shown = _DOCS.split("<!-- csp -->\n```\n", 1)[1].split("\n```", 1)[0]
    assert shown == content_policy(["NODE"])


def test_the_files_have_the_same_policy_but_for_the_node_and_for_frames() -> None:
    found = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', _INDEX)
    assert found
    of_file, of_server = _directives(html.unescape(found[1])), _directives(content_policy(["NODE"]))
    assert of_file.pop("connect-src") == "'self' https: http:"
    assert of_server.pop("connect-src") == "'self' NODE"
    assert of_server.pop("frame-ancestors") == "'none'"  # no `meta` can say it
    assert of_file == of_server


def test_the_number_of_files_is_right() -> None:
    numbers = {4: "four", 5: "five", 6: "six"}
    assert f"The page is {numbers[len(list(PAGE.iterdir()))]} files" in _DOCS


def test_the_block_of_data_has_the_names_that_the_page_reads() -> None:
    block = _DOCS.split('id="config">\n', 1)[1].split("</script>", 1)[0]
    for name in ("rpcUrl", "deployment", "evidence", "api"):
        assert f'"{name}"' in block
        assert f'"{name}"' in _INDEX
