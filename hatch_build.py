"""Build hook: compiles verifier/digest/tree/_native.c where there is a compiler.

It never fails an installation: without the library the same digests come from hashlib, more slowly.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledPart(BuildHookInterface[Any]):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leave the library beside its source, where an editable installation finds it, and put it into the wheel."""
        sources = str(Path(self.root, "src"))
        sys.path.insert(0, sources)
        try:
            from provenance_oracle.verifier.digest.tree.native import LIBRARY, build_library, load_native

            library = build_library()
            native = load_native(library)
        except Exception as error:
            self.app.display_warning(f"Without the compiled part, hashing will be slower: {error}")
            return
        finally:
            sys.path.remove(sources)
        self.app.display_info(f"Compiled part: {native.path_name if native else 'of no use on this processor'}")
        if version == "standard":
            build_data["force_include"][str(library)] = str(LIBRARY.relative_to(sources))
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{platform}"
