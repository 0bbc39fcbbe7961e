"""The lines that a document tells its reader to add, and the places where it says that they go.

A place is a sentence before a block of code. It names a file by a link, and one of

- ``after `NAME` ``: a function or class of that name, or the one line that reads so;
- ``at the end of `NAME` ``: a list, tuple or dictionary of that name, over several lines;
- ``in place of `LINE` ``: the one line that reads so;
- ``at its end``.

Or it is ``In the new file `PATH`:``. Paths are relative to the document.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^(?P<fence>`{3,})(?P<language>\w+)\n(?P<code>.*?)^(?P=fence)$", re.M | re.S)

NEW = re.compile(r"In the new file `(?P<path>[^`\n]+)`:")
PLACE = re.compile(
    r"^In \[[^\]]+\]\((?P<path>[^)\s]+)\), "
    r"(?:(?P<where>after|at the end of|in place of)\s(?P<ticks>`+)(?P<name>[^\n]+)(?P=ticks)"
    r"|(?P<end>at its end)):$",
    re.M,
)


@dataclass(frozen=True)
class Instruction:
    """Lines of code and where they go.

    Attributes
    ----------
    path : Path
        Of the file.
    where : str
        "after", "at the end of", "in place of", "at its end" or "new".
    name : str
        What stands there; empty for "at its end" and "new".
    code : str
        Whole lines.
    """

    path: Path
    where: str
    name: str
    code: str

    def carry_out(self) -> None:
        """Change the file.

        Raises
        ------
        LookupError
            There is no such place in the file, or more than one.
        """
        if self.where == "new":
            if self.path.exists():
                raise LookupError(f"{self.path}: it is not new")
            self.path.write_text(self.code, "utf-8")
            return
        lines = self.path.read_text("utf-8").splitlines(keepends=True)
        code = self.code.splitlines(keepends=True)
        if self.where == "at its end":
            lines += ["\n", *code]
        elif self.where == "at the end of":
            at = self._end_of_definition(ast.Assign, ast.AnnAssign) - 1
            if lines[at].strip() not in ("]", ")", "}"):
                raise LookupError(f"{self.path}: {self.name} does not end in a line of its own")
            lines[at:at] = code
        elif self.where == "after" and self.name.isidentifier():
            at = self._end_of_definition(ast.FunctionDef, ast.ClassDef)
            lines[at:at] = ["\n", "\n", *code]
        else:
            at = self._line(lines)
            lines[at + (self.where == "after") : at + 1] = code
        self.path.write_text("".join(lines), "utf-8")

    def _end_of_definition(self, *kinds: type[ast.AST]) -> int:
        """Return the last line, counted from 1, of what has the name at the top of the module."""
        found = [
            node.end_lineno
            for node in ast.parse(self.path.read_text("utf-8")).body
            if isinstance(node, kinds) and self.name in _names(node)
        ]
        if len(found) != 1 or found[0] is None:
            raise LookupError(f"{self.path}: found {len(found)} definitions of {self.name}")
        return found[0]

    def _line(self, lines: list[str]) -> int:
        """Return the index of the one line that reads as the name."""
        found = [at for at, line in enumerate(lines) if line.strip() == self.name]
        if len(found) != 1:
            raise LookupError(f"{self.path}: found {len(found)} lines that read {self.name}")
        return found[0]


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {target.id for target in targets if isinstance(target, ast.Name)}
    return {getattr(node, "name", "")}


def instructions(document: Path) -> tuple[list[Instruction], list[str]]:
    """Return the instructions of a document, and the commands in its blocks of shell.

    Raises
    ------
    LookupError
        The paragraph before a block of code is no place.
    """
    text = document.read_text("utf-8")
    found, commands = [], []
    for block in BLOCK.finditer(text):
        if block["language"] == "sh":
            commands += block["code"].replace("\\\n", "").splitlines()
            continue
        paragraph = text[: block.start()].rstrip("\n").rpartition("\n\n")[2]
        if new := NEW.fullmatch(paragraph):
            path = (document.parent / new["path"]).resolve()
            found.append(Instruction(path, "new", "", block["code"]))
            continue
        place = PLACE.fullmatch(paragraph)
        if place is None:
            raise LookupError(f"{document}: found no place in {paragraph!r}")
        path = (document.parent / place["path"]).resolve()
        where, name = (place["end"] or place["where"]), (place["name"] or "").strip()
        found.append(Instruction(path, where, name, block["code"]))
    return found, commands
