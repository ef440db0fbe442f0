"""The text of the project: sizes, names and words that may and may not be in it."""

import ast
import re
from pathlib import Path

from each import each

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "ptpfast"
TESTS = Path(__file__).parents[1]

MAX_FILE = 400
MAX_FUNCTION = 60
# A file that is longer says so, and why, in its first lines.
HEAD = 40
REASON = re.compile(r"over 400 lines", re.IGNORECASE)

TOO_VAGUE = {"utils", "util", "helpers", "helper", "base", "common", "misc", "core"}


def files(folder, *suffixes):
    return sorted(path for path in folder.rglob("*") if path.suffix in suffixes)


every_source = each(files(PACKAGE, ".py", ".pyx", ".pxd", ".pyi"))
every_python = each(files(PACKAGE, ".py"))
every_cython = each(files(PACKAGE, ".pyx", ".pxd"))
every_test = each(files(TESTS, ".py"))


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path):
    """(name, number of lines) of every function of a Python file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


def cython_functions(path):
    """(name, number of lines) of every function of a Cython file, by its indentation."""
    text = lines(path)
    starts = re.compile(r"^(\s*)(?:c?p?def)\s+(?!class|enum|struct|extern)[^=]*?(\w+)\s*\(")
    for number, line in enumerate(text):
        if match := starts.match(line):
            body = number
            signature_open = not re.search(r":\s*(#.*)?$", line)
            for at in range(number + 1, len(text)):
                indent = len(text[at]) - len(text[at].lstrip())
                if text[at].strip() and indent <= len(match[1]):
                    if not signature_open:
                        break
                    signature_open = not re.search(r":\s*(#.*)?$", text[at])
                elif text[at].strip():
                    body = at
            yield match[2], body - number + 1


@every_source
def test_file_is_short_or_says_at_its_top_why_it_is_not(path):
    text = lines(path)
    says_why = bool(REASON.search("\n".join(text[:HEAD])))
    assert len(text) <= MAX_FILE or says_why, f"{len(text)} lines"


@every_python
def test_function_of_a_python_file_fits_on_a_page(path):
    assert [row for row in functions(path) if row[1] > MAX_FUNCTION] == []


@every_cython
def test_function_of_a_cython_file_fits_on_a_page(path):
    assert [row for row in cython_functions(path) if row[1] > MAX_FUNCTION] == []


def test_functions_of_a_cython_file_are_found_and_measured(tmp_path):
    path = tmp_path / "some.pyx"
    path.write_text(
        "cdef class A:\n    cdef int x\n    cdef int f(self) except -1:\n        return 1\n\n"
        "    def g(\n        self,\n    ):\n        a = 1\n\n        return a\n\n"
        "cpdef enum B:\n    C = 1\n\ncdef inline int h(int x) noexcept nogil:\n    return x\n"
        "cdef object y = f(1)\n"
    )
    assert list(cython_functions(path)) == [("f", 2), ("g", 6), ("h", 2)]


@every_python
def test_python_file_does_not_print_nor_catch_everything_unnamed(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"line {node.lineno}: say it through rich or logging"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: except without a class"


@every_cython
def test_cython_file_does_not_print_nor_catch_everything_unnamed(path):
    text = "\n".join(lines(path))
    assert re.findall(r"(?<![.\w])print\s*\(", text) == []
    assert re.findall(r"^\s*except\s*:", text, re.MULTILINE) == []


@every_source
def test_only_the_wire_module_knows_layouts_so_nothing_uses_struct(path):
    # SO_LINGER takes a C struct; that is the kernel's layout and not the wire's.
    uses = [line for line in lines(path) if re.search(r"\bstruct\.\w", line)]
    assert [line for line in uses if "SO_LINGER" not in line] == []


@each(
    [path for folder in ("src", "bench", "tests") for path in files(ROOT / folder, ".py", ".pyx")],
)
def test_nothing_is_left_for_later_in_a_comment(path):
    marks = [line for line in lines(path) if re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", line)]
    assert [mark for mark in marks if "re.search" not in mark] == []


@each([path for path in files(PACKAGE, ".py") if "vendors" not in path.parts])
def test_vendor_is_named_in_its_own_file_only(path):
    assert re.findall("nikon", path.read_text(encoding="utf-8"), re.IGNORECASE) == []


def test_vendor_has_one_folder_and_a_line_in_the_registry():
    named = {
        path.relative_to(PACKAGE / "vendors").parts[0]
        for path in files(PACKAGE / "vendors", ".py")
        if "nikon" in path.read_text(encoding="utf-8").lower()
    }
    assert named == {"nikon", "__init__.py"}


@every_source
def test_file_name_says_what_is_in_it(path):
    assert path.stem.strip("_") not in TOO_VAGUE


def names_of_tests(path):
    """Names of the tests of a file."""
    for node in ast.walk(tree(path)):
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if function and node.name.startswith("test_"):
            yield node.name


@every_test
def test_name_of_a_test_is_a_sentence_of_four_words_or_more(path):
    short = [
        name for name in names_of_tests(path) if len(name.removeprefix("test_").split("_")) < 4
    ]
    assert short == []


@every_test
def test_name_of_a_test_does_not_end_in_a_number_of_its_own(path):
    assert [name for name in names_of_tests(path) if re.search(r"_\d$", name)] == []


@every_test
def test_name_of_a_test_is_there_once_so_that_none_hides_another(path):
    names = list(names_of_tests(path))
    assert sorted(names) == sorted(set(names))


@every_test
def test_test_waits_for_what_happens_and_does_not_sleep(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            function = node.func
            called = getattr(function, "attr", None) or getattr(function, "id", None)
            assert called != "sleep", f"line {node.lineno}: wait for what happens"
