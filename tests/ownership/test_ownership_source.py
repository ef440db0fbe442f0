"""Every call that creates, removes, cuts, renames or replaces a file is in the package `ownership`.

The source is read, not run: a call elsewhere fails here before it has touched anybody's file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from each import each

PACKAGE = Path(__file__).parents[2] / "src" / "ptpfast"

# Functions of these modules that change what a folder holds, or how much a file does.
CHANGING = {
    "os": {
        *("unlink", "remove", "rmdir", "removedirs", "rename", "renames", "replace", "truncate"),
        *("ftruncate", "link", "symlink", "mkdir", "makedirs", "mkfifo", "mknod", "chmod"),
        *("fchmod", "chown", "fchown", "lchown", "open", "fdopen"),
    },
    "shutil": {"rmtree", "move", "copy", "copy2", "copyfile", "copytree", "copyfileobj"},
    "tempfile": {"mkstemp", "mkdtemp", "mktemp", "NamedTemporaryFile", "TemporaryFile"},
}
# Methods of paths. `replace` of a path has one argument, that of a text two.
METHODS = {
    *("unlink", "rmdir", "rename", "touch", "mkdir", "write_text", "write_bytes", "symlink_to"),
    *("hardlink_to", "chmod", "lchmod"),
}
WRITING = re.compile(r"O_(CREAT|TRUNC|WRONLY|RDWR|APPEND|EXCL|TMPFILE)")

# Where such a call stands elsewhere, how often, and why it may.
ALLOWED = {
    "cli/narrow.py": {".write_text": 1},  # of click's help, which is no file
    "cli/output.py": {"os.open": 1},  # /dev/null, for a standard output that nobody reads
    "engine/sink.pyx": {
        "os.open": 2,  # `Descriptor`, with which ownership opens; `FileSink`, at its caller's path
        "os.ftruncate": 5,  # `FileSink`, of the open file it was given or has opened
    },
}


def sources() -> list[Path]:
    found = [path for path in PACKAGE.rglob("*.py") if "ownership" not in path.parts]
    assert len(found) > 100
    return sorted(found)


def changing_calls(tree: ast.AST) -> Iterator[str]:
    """The calls in a module that change files, by name."""
    imported = {}  # from os import unlink as u
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in CHANGING:
            imported |= {
                alias.asname or alias.name: (node.module, alias.name) for alias in node.names
            }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from changed_by(node, imported)


def changed_by(call: ast.Call, imported: dict[str, tuple[str, str]]) -> Iterator[str]:
    function = call.func
    if isinstance(function, ast.Name):
        module, name = imported.get(function.id, ("", function.id))
        if name in CHANGING.get(module, ()):
            yield f"{module}.{name}"
        elif name == "open" and is_writing(call.args[1:2] + [key.value for key in call.keywords]):
            yield "open"
        elif (
            name in ("Descriptor", "FileSink") and WRITING.search(ast.dump(call))
        ) or name == "rename_new":
            yield name
    elif isinstance(function, ast.Attribute):
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        name = function.attr
        if name in CHANGING.get(owner, ()):
            yield f"{owner}.{name}"
        elif owner in CHANGING or owner in ("files", "folders"):
            return
        elif name in METHODS or (name == "replace" and len(call.args) == 1 and not call.keywords):
            yield f".{name}"
        elif name == "open" and is_writing(call.args[:1] + [key.value for key in call.keywords]):
            yield ".open"


def is_writing(values: list[ast.expr]) -> bool:
    texts = [value.value for value in values if isinstance(value, ast.Constant)]
    return any(
        isinstance(text, str)
        and re.fullmatch(r"[rwaxbt+]{1,4}", text)
        and re.search("[wax+]", text)
        for text in texts
    )


@each(sources())
def test_files_are_created_removed_cut_and_replaced_by_ownership_alone(path: Path) -> None:
    found = list(changing_calls(ast.parse(path.read_text())))
    # These write through a descriptor that ownership has opened.
    found = [name for name in found if name != "open" or not writes_to_descriptors(path)]
    allowed = ALLOWED.get(str(path.relative_to(PACKAGE)), {})
    assert {name: found.count(name) for name in found} == allowed


def writes_to_descriptors(path: Path) -> bool:
    """Whether every `open` for writing in a module is given a descriptor and leaves it open."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id != "open" or not is_writing(node.args[1:2]):
            continue
        if not any(key.arg == "closefd" for key in node.keywords):
            return False
    return True


def test_compiled_modules_change_files_only_where_they_say_so() -> None:
    pattern = re.compile(
        r"\bos\.(?:"
        + "|".join(sorted(CHANGING["os"]))
        + r")\(|\b(?:unlink|truncate|rename|remove)\("
    )
    for path in sorted(PACKAGE.rglob("*.pyx")):
        found = [name.rstrip("(") for name in pattern.findall(path.read_text())]
        assert {name: found.count(name) for name in found} == ALLOWED.get(
            str(path.relative_to(PACKAGE)), {}
        )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import os; os.unlink(x)", "os.unlink"),
        ("from os import replace as r; r(x, y)", "os.replace"),
        ("path.unlink(missing_ok=True)", ".unlink"),
        ("path.replace(other)", ".replace"),
        ("open(path, 'wb')", "open"),
        ("open(path, mode='a')", "open"),
        ("path.open('w')", ".open"),
        ("path.with_name(x).write_text(y)", ".write_text"),
        ("import shutil; shutil.rmtree(x)", "shutil.rmtree"),
        ("import tempfile; tempfile.mkstemp()", "tempfile.mkstemp"),
        ("Descriptor(path, os.O_RDWR | os.O_CREAT)", "Descriptor"),
        ("rename_new(a, b)", "rename_new"),
    ],
)
def test_such_a_call_is_found(text: str, name: str) -> None:
    assert name in list(changing_calls(ast.parse(text)))


@pytest.mark.parametrize("text", ["'a'.replace('b', 'c')", "open(path, 'rb')", "path.open('rb')"])
def test_what_changes_no_file_is_not_found(text: str) -> None:
    assert list(changing_calls(ast.parse(text))) == []
