# SPDX-License-Identifier: GPL-2.0-only
"""Mutants of a patch series, made by rule from the lines that it adds.

Each condition is inverted, as a whole and operand by operand; each statement is left out; each
value that something is initialised with is 0.  All are in one kernel: ``mutant=NUMBER`` on its
command line says which is alive, so that a boot chooses and nothing is compiled again.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ALIVE = "({{ extern int mutant_number; mutant_number == {number}; }})"
"""Whether a mutant is the one of this boot.  Declared where it is used: no header changes."""
DEFINITION = """\
int mutant_number;

static int __init mutant_setup(char *number)
{
	return !kstrtoint(number, 10, &mutant_number);
}
__setup("mutant=", mutant_setup);

""".splitlines()

INVERTED, WITHOUT, ZERO = "inverted", "left out", "is 0"

_HUNK = re.compile(r"@@ -(\d+(?:,\d+)?) \+(\d+),(\d+) @@(.*)", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SETTING = re.compile(  # of a field, or of a variable where it is declared
    r"(?:\.\w+|(?:(?:const|unsigned|signed|static|struct)\s+)*\w+\s+\**\w+)\s*=[^=]"
)
_STATEMENT = re.compile(
    r"(?:[\w.>\[\]-]+\s*[-+|&]?=[^=]|(?![A-Z_]+\()\w+\(|continue;|break;|goto \w+;|return\b)"
)
_NO_OTHER = {
    re.compile(r"case .*:"): "a case is chosen when it is compiled",
    re.compile(r"(?:for|while|switch) ?\(.*|for_each\w*\(.*"): "the head of a loop or switch",
}
"""What does something and has no mutant; other lines are declarations, heads and comments."""
_FORM = re.compile(r"[{}]+;?|\w+:|else \{|\} else \{")
_UNCHANGED = {"0", "false", "NULL"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is wrong with the code; ``line`` is in the patched file."""

    number: int
    file: str
    line: int
    text: str
    change: str

    @property
    def name(self) -> str:
        """What it is called wherever the series has it: not by its line, which moves."""
        return f"{self.file}: {self.text}: {self.change}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Added code that no mutant could be made of, and why."""

    file: str
    line: int
    text: str
    why: str


@dataclass(slots=True)
class Mutated:
    """The text of a patch with its mutants in it."""

    text: str = ""
    mutants: list[Mutant] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def series(patches: Sequence[Path]) -> list[Mutated]:
    """The mutants of patches in their order, numbered from 1; the last one defines the number."""
    made: list[Mutated] = []
    numbers = iter(range(1, 1000))
    for path in patches:
        made.append(_patch(path.read_text(encoding="utf-8"), numbers))
    last = next(each for each in reversed(made) if each.mutants)
    last.text = _with_definition(last.text, last.mutants[-1].file)
    names = [mutant.name for each in made for mutant in each.mutants]
    for each in made:
        each.mutants = [_numbered(mutant, names) for mutant in each.mutants]
    return made


def _numbered(mutant: Mutant, names: list[str]) -> Mutant:
    """The same text more than once in a file: told apart by order."""
    if names.count(mutant.name) == 1:
        return mutant
    nth = [*_same(mutant, names)].index(mutant.number) + 1
    return Mutant(mutant.number, mutant.file, mutant.line, f"{mutant.text} ({nth})", mutant.change)


def _same(mutant: Mutant, names: list[str]) -> Iterator[int]:
    return (number for number, name in enumerate(names, 1) if name == mutant.name)


def _patch(text: str, numbers: Iterator[int]) -> Mutated:
    made = Mutated()
    out: list[str] = []
    lines = text.split("\n")
    file, number, place = "", 0, 0
    while place < len(lines):
        line = lines[place]
        if line.startswith("+++ "):
            file = line.removeprefix("+++ b/").split("\t")[0]
        elif match := _HUNK.match(line):
            number = int(match[2])
        elif number and line.startswith("+") and _is_code(file):
            end = place
            while lines[end].startswith("+"):
                end += 1
            block = [each[1:] for each in lines[place:end]]
            after = next((each[1:] for each in lines[end:] if each.startswith(" ")), "")
            mutated = _Block(file, number, block, after, numbers, made).lines()
            out += [f"+{each}" for each in mutated]
            number += end - place
            place = end
            continue
        elif number and line.startswith((" ", "+")):
            number += 1
        elif line.startswith("-- "):
            number = 0
        out.append(line)
        place += 1
    made.text = "\n".join(out)
    return made


def _is_code(file: str) -> bool:
    """Of the kernel itself, and compiled."""
    return file.endswith(".c") and not file.startswith("tools/")


def _with_definition(text: str, file: str) -> str:
    """Define the number before the first function that a patch adds to a file."""
    lines = text.split("\n")
    start = lines.index(f"+++ b/{file}")
    place = next(
        i for i, line in enumerate(lines) if i > start and re.match(r"\+(/\*|static \w)", line)
    )
    head = next(i for i in range(place, start, -1) if _HUNK.match(lines[i]))
    match = _HUNK.match(lines[head])
    assert match is not None
    count = int(match[3]) + len(DEFINITION)
    lines[head] = f"@@ -{match[1]} +{match[2]},{count} @@{match[4]}"
    lines[place:place] = [f"+{line}" for line in DEFINITION]
    return "\n".join(lines)


class _Block:
    """Adjacent added lines, statement by statement."""

    def __init__(
        self,
        file: str,
        first: int,
        block: list[str],
        after: str,
        numbers: Iterator[int],
        made: Mutated,
    ) -> None:
        self._file, self._first, self._after = file, first, after
        self._numbers, self._made = numbers, made
        blank = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), "\n".join(block))
        self._bare = blank.split("\n")
        self._block = block

    def lines(self) -> list[str]:
        """The block with its mutants."""
        out: list[str] = []
        place = 0
        while place < len(self._bare):
            end = self._end(place)
            raw = "\n".join(self._block[place:end])
            bare = "\n".join(self._bare[place:end])
            out += self._statement(place, end, raw, bare).split("\n")
            place = end
        return out

    def _end(self, place: int) -> int:
        """One behind the last line of the statement, or head of one, that begins here."""
        depth = 0
        for end in range(place, len(self._bare)):
            line = self._bare[end]
            depth += line.count("(") - line.count(")")
            if depth == 0 and not line.rstrip().endswith(("&&", "||", "=", "?")):
                return end + 1
        return len(self._bare)

    def _statement(self, place: int, end: int, raw: str, bare: str) -> str:
        text = " ".join(bare.split())
        line = self._first + place
        if not text or text.startswith(("#", "*")) or _FORM.fullmatch(text):
            return raw
        if text.startswith("if ("):
            begin = raw.index("(") + 1
            return self._condition(line, raw, begin, _closing(raw, begin))
        if text.startswith("return ") and self._is_last(end):
            return self._value(line, raw, text)
        if _STATEMENT.match(text) and not _SETTING.match(text) and text.endswith(";"):
            indent = len(raw) - len(raw.lstrip())
            alive = self._new(line, text.rstrip(";"), WITHOUT)
            return f"{raw[:indent]}if (!{alive}) {raw[indent:]}"
        if _SETTING.match(text):
            return self._setting(line, raw, text)
        for form, why in _NO_OTHER.items():
            if form.fullmatch(text):
                self._left_out(line, text.rstrip(" {"), why)
        return raw

    def _is_last(self, end: int) -> bool:
        """Whether a function ends here."""
        return (self._bare[end] if end < len(self._bare) else self._after).startswith("}")

    def _condition(self, line: int, raw: str, begin: int, end: int) -> str:
        """Invert what is from begin to end, and each operand if there are several."""
        operands = _parts(raw, begin, end, ("&&", "||"))
        spans = [(begin, end)] + (operands if len(operands) > 1 else [])
        opening: dict[int, str] = {}
        closing: dict[int, str] = {}
        for left, right in spans:
            alive = self._new(line, " ".join(raw[left:right].split()), INVERTED)
            opening[left] = opening.get(left, "") + f"({alive} ^ !!("
            closing[right] = "))" + closing.get(right, "")
        return "".join(
            closing.get(i, "") + opening.get(i, "") + (raw[i] if i < len(raw) else "")
            for i in range(len(raw) + 1)
        )

    def _value(self, line: int, raw: str, text: str) -> str:
        """The last return of a function cannot be left out; what it returns can be another."""
        begin = raw.index("return ") + len("return ")
        question = raw.find(" ? ", begin)
        if question > 0:
            return self._condition(line, raw, begin, question)
        if "&&" in raw or "||" in raw:
            return self._condition(line, raw, begin, raw.rindex(";"))
        self._left_out(line, text.rstrip(";"), "the last return of a function")
        return raw

    def _setting(self, line: int, raw: str, text: str) -> str:
        begin = raw.index("=") + 1
        begin += len(raw[begin:]) - len(raw[begin:].lstrip())
        end = len(raw.rstrip()) - 1
        value = raw[begin:end].strip()
        if value in _UNCHANGED or not text.endswith((",", ";")):
            return raw
        if value.startswith("{") or len(_parts(raw, begin, end, (",",))) > 1:
            self._left_out(line, text.rstrip(",;"), "several values at once")
            return raw
        alive = self._new(line, text.rstrip(",;"), ZERO)
        return f"{raw[:begin]}{alive} ? 0 : ({raw[begin:end]}){raw[end:]}"

    def _new(self, line: int, text: str, change: str) -> str:
        number = next(self._numbers)
        self._made.mutants.append(Mutant(number, self._file, line, text, change))
        return ALIVE.format(number=number)

    def _left_out(self, line: int, text: str, why: str) -> None:
        self._made.left_out.append(LeftOut(self._file, line, text, why))


def _closing(raw: str, begin: int) -> int:
    """Where the parenthesis that was opened before ``begin`` is closed."""
    depth = 1
    for place in range(begin, len(raw)):
        depth += {"(": 1, ")": -1}.get(raw[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"no end of a condition: {raw}")


def _parts(raw: str, begin: int, end: int, marks: tuple[str, ...]) -> list[tuple[int, int]]:
    """What is between marks outside of parentheses, without the white space around it."""
    found, depth, start = [], 0, begin
    for place in range(begin, end):
        depth += {"(": 1, ")": -1}.get(raw[place], 0)
        if depth == 0 and raw.startswith(marks, place):
            found.append((start, place))
            start = place + len(marks[0])
    found.append((start, end))
    return [
        (
            left + len(raw[left:right]) - len(raw[left:right].lstrip()),
            right - len(raw[left:right]) + len(raw[left:right].rstrip()),
        )
        for left, right in found
    ]
