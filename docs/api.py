"""Writes api.md, the reference of `import ftbuild`; with --check only tells if it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

import griffe

import ftbuild

PAGE = Path(__file__).with_name("api.md")
SOURCE = Path(ftbuild.__file__).parents[1]


def main() -> None:
    text = reference()
    if "--check" in sys.argv and PAGE.read_text() != text:
        sys.exit(f"{PAGE} is out of date: run `./ftbuild docs`")
    PAGE.write_text(text)


def reference() -> str:
    """What is in `ftbuild.__all__`, from docstrings and signatures."""
    package = griffe.load(
        "ftbuild",
        search_paths=[str(SOURCE)],
        try_relative_path=False,  # there is a file of that name, which is not the package
        docstring_parser="google",
        docstring_options={"returns_multiple_items": False},
    )
    described = {name: package[name].final_target for name in ftbuild.__all__}
    lines = ["# ftbuild as a library", "", "Written by `./ftbuild docs`; do not edit.", ""]
    lines += [*_described(package["api"]), "## Functions", ""]
    for name, found in described.items():
        if found.is_function:
            lines += [f"### `{name}`", "", "```python", f"ftbuild.{_signature(found)}", "```", ""]
            lines += _described(found)
    lines += ["## Types", ""]
    for name, found in described.items():
        if found.is_class:
            lines += [f"### `{name}`", "", *_described(found)]
    return "\n".join(lines)


def _signature(function: griffe.Function) -> str:
    """A function as it is called; the table below it tells the types."""
    parts: list[str] = []
    for parameter in function.parameters:
        variadic = parameter.kind is griffe.ParameterKind.var_positional
        named_only = parameter.kind is griffe.ParameterKind.keyword_only
        if named_only and not any(part.startswith("*") for part in parts):
            parts.append("*")
        default = "" if variadic or parameter.default is None else f"={parameter.default}"
        parts.append(f"{'*' if variadic else ''}{parameter.name}{default}")
    return f"{function.name}({', '.join(parts)}) -> {function.returns}"


def _described(thing: griffe.Object) -> list[str]:
    """What a docstring says, in Markdown: its text, and a table of what it lists."""
    lines: list[str] = []
    rows: list[tuple[str, object, str]] = []
    for section in thing.docstring.parsed if thing.docstring else ():
        kind, value = section.kind, section.value
        if kind is griffe.DocstringSectionKind.text:
            lines += [value, ""]
        elif kind is griffe.DocstringSectionKind.returns:
            rows += [("*returns*", item.annotation, item.description) for item in value]
        elif kind is griffe.DocstringSectionKind.raises:
            rows += [("*raises*", item.annotation, item.description) for item in value]
        else:
            rows += [(f"`{item.name}`", item.annotation, item.description) for item in value]
    bases = tuple(map(str, thing.bases)) if isinstance(thing, griffe.Class) else ()
    for name, member in thing.attributes.items() if thing.is_class else ():
        if "property" in member.labels and member.docstring:
            rows.append((f"`{name}`", member.annotation, member.docstring.value))
        elif "enum.StrEnum" in bases and member.annotation is None:
            rows.append((f"`{name}`", "str", f"`{member.value}`"))
    if rows:
        lines += ["| | | |", "|---|---|---|"]
        lines += [
            f"| {name} | {_code(kind)} | {' '.join(text.split())} |" for name, kind, text in rows
        ]
        lines.append("")
    return lines


def _code(annotation: object) -> str:
    return f"`{annotation}`".replace("|", "\\|") if annotation else ""


if __name__ == "__main__":
    main()
