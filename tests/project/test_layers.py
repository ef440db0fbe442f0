"""The layers of the package: who may import whom, held by reading every import there is.

Imports inside functions and under TYPE_CHECKING count too: a layer that needs another only
sometimes needs it all the same.
"""

import ast
import re
import sys
from pathlib import Path

from each import each

PACKAGE = Path(__file__).parents[2] / "src" / "ptpfast"
ROOT = "__init__"

# Folders whose own folders are layers too, each with its row: `library/plan`.
DIVIDED = {"library"}
# Folder of the package → what else of the package it may import. From the bottom up; each knows
# only what is above it in this table.
MAY_IMPORT = {
    "_version": set(),
    "network": set(),
    "engine": set(),
    "logs": {"engine"},
    "ptp": {"engine"},
    "raw": set(),
    "transport": {"engine", "ptp"},
    "vendors": {"engine", "ptp", "transport"},
    "ownership": {"engine"},
    "state": {"engine", "ptp", "vendors", "ownership"},
    "link": {"engine", "logs", "ptp", "vendors", "transport", "state"},
    "listing": {"engine", "logs", "ptp", "vendors", "state", "link"},
    "transfer": {"engine", "logs", "ptp", "raw", "vendors", "transport", "ownership", "link"},
    "trace": {"_version", "engine", "ptp", "vendors", "transport", "ownership"},
    "session": {"_version", "engine", "logs", "ptp", "vendors", "transport", "state", "link"}
    | {"listing", "transfer", "trace"},
    "sim": {"engine", "ptp", "vendors", "transport", "trace"},
    "discovery": {"network", "engine", "ptp", "vendors", "transport", "session"},
}
BELOW_LIBRARY = {"_version", "engine", "logs", "ptp", "vendors", "transport", "ownership", "state"}
BELOW_LIBRARY |= {"link", "listing", "transfer", "trace", "session"}
# A copy is named, and finds its room, as the file itself does: `keep` stands on `plan`.
MAY_IMPORT |= {
    "library/report": {"engine", "logs", "ptp", "transfer"},
    "library/plan": {"engine", "ptp", "ownership", "state", "link", "listing", "transfer"}
    | {"session", "library/report"},
    "library/keep": {"engine", "ptp", "ownership", "link", "listing", "transfer", "session"}
    | {"library/report", "library/plan"},
    "library/remote": {"engine", "ptp", "ownership", "state", "link", "listing", "transfer"}
    | {"session", "library/report", "library/plan", "library/keep"},
}
LIBRARY = {"library/report", "library/plan", "library/keep", "library/remote", "library"}
BELOW_EDGES = {*BELOW_LIBRARY, *LIBRARY, ROOT, "network"}
MAY_IMPORT |= {
    "library": BELOW_LIBRARY | LIBRARY - {"library"},
    "watching": BELOW_LIBRARY | LIBRARY,
    ROOT: BELOW_LIBRARY | LIBRARY | {"discovery", "watching"},
    "measure": BELOW_EDGES,
    "ptpip": BELOW_EDGES,
    "testing": {"vendors", "sim"},
    "doctor": {*BELOW_EDGES, "discovery"},
    "pick": BELOW_EDGES - {ROOT, "network"} | {"watching"},
    "filesystem": BELOW_EDGES,
    "metrics": BELOW_EDGES,
    "cli": {
        *BELOW_EDGES,
        "discovery",
        "watching",
        "sim",
        "measure",
        "doctor",
        "metrics",
        "cluster",
        "pick",
    },  # `ptpfast bench` is the command of measure
    "aio": BELOW_EDGES | {"watching"},
    "cluster": BELOW_EDGES,
    "__main__": {"cli"},
}

# What may be needed beyond Python and numpy, and by whom alone.
EXTRAS = {
    "anyio": {"aio"},
    "click": {"cli", "__main__"},
    "rich": {"cli"},
    "platformdirs": {"cli", "library"},
    "xxhash": {"transfer"},
    "resvg_py": {"measure"},
    "zeroconf": {"discovery", "sim"},
    "ifaddr": {"discovery"},
    "pytest": {"testing"},
    "starlette": {"pick"},
    "uvicorn": {"pick"},
    "fsspec": {"filesystem", "library/remote"},
    "distributed": {"cluster"},
    "prometheus_client": {"metrics"},
    "opentelemetry": {"metrics"},
}
# Cython's own modules; `posix` and `libc` are C headers.
CYTHON = {"cython", "cpython", "libc", "posix"}

PYX_IMPORT = re.compile(r"^\s*(?:from\s+(\S+)\s+)?c?import\s+\(?([^#\n)]*)", re.MULTILINE)


def sources():
    return sorted(
        path for pattern in ("*.py", "*.pyi", "*.pyx", "*.pxd") for path in PACKAGE.rglob(pattern)
    )


def layer_of(path):
    top, *below = path.relative_to(PACKAGE).parts
    return f"{top}/{below[0]}" if top in DIVIDED and below[1:] else top.partition(".")[0]


def package_of(path):
    """The dotted package a relative import in this file starts from."""
    return ["ptpfast", *path.relative_to(PACKAGE).parent.parts]


def statements(path):
    """(level, module, names) of every import in a file; names is empty for `import module`."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".py", ".pyi"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                yield node.level, node.module or "", [alias.name for alias in node.names]
            elif isinstance(node, ast.Import):
                yield from ((0, alias.name, []) for alias in node.names)
        return
    for source, names in PYX_IMPORT.findall(text):
        names = [name.split()[0] for name in names.split(",") if name.strip()]
        if source:
            module = source.lstrip(".")
            yield len(source) - len(module), module, names
        else:
            yield from ((0, name, []) for name in names)


def imports(path):
    """Absolute dotted names of all a file imports; `from . import x` is `ptpfast.x`."""
    for level, module, names in statements(path):
        package = package_of(path)
        prefix = package[: len(package) - level + 1] if level else []
        dotted = ".".join([*prefix, module] if module else prefix)
        if dotted == "ptpfast" and names:
            yield from (f"ptpfast.{name}" for name in names)
        else:
            yield dotted


def own_imports(path):
    """Layers of the package a file imports, without its own."""
    layers = {layer_of(source) for source in sources()}
    for dotted in imports(path):
        head, *rest = dotted.split(".")
        if head == "ptpfast":
            ways = ("/".join(rest[:2]), *rest[:1], ROOT)
            layer = next(way for way in ways if way in layers or way == ROOT)
            if layer != layer_of(path):
                yield layer


def foreign_imports(path):
    """Top-level names a file imports from outside the package and Python itself."""
    heads = {dotted.partition(".")[0] for dotted in imports(path)}
    return heads - {"ptpfast"} - CYTHON - set(sys.stdlib_module_names)


every_source = each(sources())


@every_source
def test_source_belongs_to_a_layer_that_has_its_place_here(path):
    assert layer_of(path) in MAY_IMPORT


@every_source
def test_source_imports_only_what_lies_below_it(path):
    wrong = set(own_imports(path)) - MAY_IMPORT[layer_of(path)]
    assert wrong == set(), f"{layer_of(path)} must not import {', '.join(sorted(wrong))}"


@every_source
def test_source_needs_only_numpy_and_the_extras_of_its_layer(path):
    allowed = {extra for extra, users in EXTRAS.items() if layer_of(path) in users}
    if path.suffix == ".pyi":  # read by type checkers alone, and each brings this along
        allowed.add("typing_extensions")
    assert foreign_imports(path) - {"numpy"} - allowed == set()


def test_places_have_no_way_around_in_a_circle():
    done = set()
    while ready := {layer for layer, below in MAY_IMPORT.items() if below <= done} - done:
        done |= ready
    assert done == set(MAY_IMPORT)


def modules():
    """Dotted name of every Python module of the package → the modules of it that it imports."""
    paths = {
        ".".join(["ptpfast", *path.relative_to(PACKAGE).with_suffix("").parts]): path
        for path in PACKAGE.rglob("*.py")
    }
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    found = {}
    for name, path in paths.items():
        found[name] = set()
        for level, module, names in statements(path):
            prefix = package_of(path)[: 1 - level or None] if level else []
            dotted = ".".join([*prefix, module] if module else prefix)
            below = {f"{dotted}.{each}" for each in names} & set(paths)
            found[name] |= below or {dotted} & set(paths)
    return found


def test_modules_import_each_other_in_no_circle():
    left = modules()
    assert left["ptpfast.sim.effects.breaks"] >= {"ptpfast.sim.kinds", "ptpfast.sim.peer"}
    while ready := [name for name, below in left.items() if not below & set(left) - {name}]:
        for name in ready:
            del left[name]
    assert left == {}


def test_simulated_camera_is_imported_by_command_line_and_testing_alone():
    assert {layer_of(path) for path in sources() if "sim" in set(own_imports(path))} == {
        "cli",
        "testing",
    }
    assert {layer for layer, below in MAY_IMPORT.items() if "sim" in below} == {"cli", "testing"}


def test_reading_of_imports_sees_every_way_to_write_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    for name in ("__init__.py", "codes.py", "session.py", "wire.pyx"):
        (tmp_path / name).touch()
    (tmp_path / "vendors").mkdir()
    python = tmp_path / "vendors" / "some.py"
    python.write_text(
        "from .. import session\nfrom ..codes import X\nimport ptpfast.wire\nimport numpy as np\n"
        "from ptpfast import connect\nfrom . import other\ndef late():\n    import rich.table\n"
    )
    compiled = tmp_path / "wire.pyx"
    compiled.write_text(
        "from . cimport codes\nfrom .session import (\n    A,\n)\nfrom ptpfast.vendors cimport x\n"
        "cimport cython\nfrom libc.stdint cimport uint8_t\nimport os, numpy\n"
    )
    assert set(own_imports(python)) == {"session", "codes", "wire", ROOT}
    assert foreign_imports(python) == {"numpy", "rich"}
    assert set(own_imports(compiled)) == {"codes", "session", "vendors"}
    assert foreign_imports(compiled) == {"numpy"}
