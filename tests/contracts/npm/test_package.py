"""The packed package has the right size, files and types, and is made from the contracts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from tests.contracts.npm.project import NAME, NODE_MODULES, PACKAGE, Project, node_program, run_node

PACKED_BYTES_MAX = 12_000
STRICT = {
    "strict": True,
    "noEmit": True,
    "target": "es2022",
    "module": "nodenext",
    "types": [],
    "lib": ["es2022"],
}


def test_its_abi_and_typed_data_are_those_of_the_contracts() -> None:
    run_node("generate.mjs", "--check")


def test_it_is_small_and_has_no_dependencies(project: Project) -> None:
    assert project.packed["size"] == (project.folder / project.packed["filename"]).stat().st_size < PACKED_BYTES_MAX
    files = {file["path"] for file in project.packed["files"]}
    assert files == {"README.md", "dist/index.d.ts", "dist/index.js", "package.json"}
    package = json.loads((PACKAGE / "package.json").read_text())
    assert not package.keys() & {"dependencies", "optionalDependencies"}
    assert package["peerDependenciesMeta"] == {name: {"optional": True} for name in package["peerDependencies"]}


def test_it_says_what_to_run_where_the_tools_that_build_it_are_missing(tmp_path: Path) -> None:
    alone = tmp_path / "contracts" / "npm"
    alone.mkdir(parents=True)
    shutil.copy(PACKAGE / "build.mjs", alone)
    done = subprocess.run([node_program(), "build.mjs"], cwd=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    told = "build.mjs: no typescript/bin/tsc; in the repository's root, run: python tools/npm.py ci --prefix hardhat"
    assert done.stderr.splitlines() == [told]


def test_strict_typescript_and_viem_take_its_types(project: Project) -> None:
    # viem's own declarations do not pass every strict check
    strict = STRICT | {"exactOptionalPropertyTypes": True, "noUncheckedIndexedAccess": True, "skipLibCheck": True}
    files = ["types.ts", "example.ts", "publish.ts"]
    _compile(project, {"compilerOptions": strict | {"lib": ["es2022", "dom"]}, "files": files})
    # the package's own declarations need neither DOM's types nor those of Node.js
    _compile(project, {"compilerOptions": STRICT, "files": [f"node_modules/{NAME}/dist/index.d.ts"]})


def _compile(project: Project, settings: object) -> None:
    (project.folder / "tsconfig.json").write_text(json.dumps(settings))
    run_node(NODE_MODULES / "typescript" / "bin" / "tsc", "-p", ".", folder=project.folder)


def test_what_is_declared_is_what_is_there(project: Project) -> None:
    text = (project.installed / "dist" / "index.d.ts").read_text()
    declared = re.findall(r"^export declare (?:const|function|class) (\w+)", text, re.MULTILINE)
    script = f'import * as all from "{NAME}"; console.log(JSON.stringify(Object.keys(all)))'
    (project.folder / "names.mjs").write_text(script)
    assert sorted(declared) == sorted(json.loads(run_node("names.mjs", folder=project.folder)))
