"""What a document tells its reader to add goes where it says, or the document is wrong."""

from pathlib import Path

import pytest

from parity_tests.meta.instructions import instructions

MODULE = """import math

NAMES = [
    "a",
]
SHORT = ["a"]


def f():
    return math.pi


def g():
    return 1


f = print(f)
"""


def changed(folder: Path, place: str, code: str) -> str:
    """Return the module after the one instruction of a document."""
    (folder / "module.py").write_text(MODULE, "utf-8")
    (folder / "docs").mkdir(exist_ok=True)
    page = folder / "docs" / "page.md"
    page.write_text(f"# Page\n\nText.\n\n{place}\n\n```python\n{code}```\n", "utf-8")
    (instruction,) = instructions(page)[0]
    instruction.carry_out()
    return (folder / "module.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("place", "before", "code"),
    [
        ("after `f`", "    return math.pi\n", "\n\ndef h():\n    pass\n"),
        ("at the end of `NAMES`", '    "a",\n', '    "b",\n'),
        ("after `f = print(f)`", "f = print(f)\n", "g = print(g)\n"),
        ("after `` def g(): ``", "def g():\n", "    print()\n"),
    ],
)
def test_lines_are_put_where_the_page_says(
    tmp_path: Path, place: str, before: str, code: str
) -> None:
    """A page that is followed in another way than it reads."""
    found = changed(tmp_path, f"In [`it`](../module.py), {place}:", code.lstrip("\n"))
    assert found == MODULE.replace(before, before + code)


def test_a_line_is_replaced_and_the_end_is_set_off(tmp_path: Path) -> None:
    """A page that is followed in another way than it reads."""
    found = changed(
        tmp_path, "In [it](../module.py), in place of\n`import math`:", "import cmath\n"
    )
    assert found == MODULE.replace("import math", "import cmath")
    found = changed(tmp_path, "In [it](../module.py), at its end:", "# end\n")
    assert found == MODULE + "\n# end\n"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("Here is the code:", "found no place in 'Here is the code:'"),
        ("In `module.py`, after `f`:", "found no place"),
        ("In [`it`](../module.py), above `f`:", "found no place"),
        ("In [`it`](../module.py), after `h`:", "found 0 definitions of h"),
        ("In [`it`](../module.py), at the end of `OTHERS`:", "found 0 definitions of OTHERS"),
        ("In [`it`](../module.py), at the end of `SHORT`:", "does not end in a line of its own"),
        ("In [`it`](../module.py), after `import cmath`:", "found 0 lines that read import cmath"),
    ],
)
def test_a_place_that_is_not_there_is_told(tmp_path: Path, place: str, said: str) -> None:
    """A page that has become wrong, and that is followed all the same."""
    with pytest.raises(LookupError, match=said):
        changed(tmp_path, place, "pass\n")


def test_what_is_there_twice_is_no_place(tmp_path: Path) -> None:
    """A page that leaves open where its lines go."""
    (tmp_path / "page.md").write_text("In [it](it.py), after `x = 1`:\n\n```python\ny = 2\n```\n")
    (tmp_path / "it.py").write_text("x = 1\nx = 1\n")
    ((instruction,), _) = instructions(tmp_path / "page.md")
    with pytest.raises(LookupError, match="found 2 lines that read x = 1"):
        instruction.carry_out()


def test_a_new_file_is_written_once(tmp_path: Path) -> None:
    """A page that replaces what is there."""
    page = tmp_path / "page.md"
    page.write_text("In the new file `it.md`:\n\n````markdown\n```python\nx\n```\n````\n")
    ((instruction,), _) = instructions(page)
    instruction.carry_out()
    assert (tmp_path / "it.md").read_text() == "```python\nx\n```\n"
    with pytest.raises(LookupError, match=r"it\.md: it is not new"):
        instruction.carry_out()


def test_commands_are_read_to_their_end(tmp_path: Path) -> None:
    """Half of a command that is run for the whole."""
    (tmp_path / "page.md").write_text("Text.\n\n```sh\npytest a \\\n    b\nmake lint\n```\n")
    assert instructions(tmp_path / "page.md") == ([], ["pytest a     b", "make lint"])
