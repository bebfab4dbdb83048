"""Invoke's `Program` with what its grammar lacks: several words, two-word tasks, our exit codes.

- One parameter of a task, declared with `words`, takes the plain words of the command line:
  `verify 3.13 3.14t` is `verify --versions 3.13 --versions 3.14t`.
- `image build` is the task `image.build`.
- What stands after `--` reaches the task word by word (`shlex.split(c.remainder)`), quoting intact.
- `FtbuildError` becomes text and its exit code; invoke's usage errors exit 2 as ours do.
"""

from __future__ import annotations

import errno
import functools
import inspect
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import invoke.program
from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError, UnexpectedExit
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.tasks import Task, task

from ftbuild import console
from ftbuild.errors import EnvironmentFault, FtbuildError, Interrupted, UsageError
from ftbuild.files import full_disk
from ftbuild.model.versions import nearest

_OF_THE_SYSTEM = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP}
    | {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE}
)
"""What is wrong with a path or a disk, wherever a task comes across it, and no fault of ours."""


class Command(Task[Any]):
    """A task of the command line.

    Attributes:
        words: The parameter that takes the plain words of the command line, or None.
        texts: A line on every option.
    """

    words: str | None = None
    texts: Mapping[str, str]

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The task's options. Invoke uses up its help texts when it answers this; we keep ours."""
        self.help = dict(self.texts)
        return super().get_arguments(ignore_unknown_help)


def command(
    *,
    name: str | None = None,
    words: str | None = None,
    help: Mapping[str, str],  # noqa: A002 - invoke's name
) -> Callable[[Callable[..., None]], Command]:
    """Declare a task of the command line.

    Options that default to an empty tuple may be given several times; there are no one-letter flags
    that invoke would invent. An `FtbuildError` ends the task with its text and exit code, also
    under invoke's own `inv`.

    Args:
        name: Its name, where that cannot be the function's.
        words: The parameter that takes the plain words of the command line.
        help: A line on every option; entries for options that the task lacks are ignored, so that
            a table can serve many tasks.
    """

    def declare(function: Callable[..., None]) -> Command:
        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> None:
            try:
                function(*args, **options)
            except FtbuildError as error:
                raise Exit(console.error_text(error), error.exit_code) from error
            except OSError as error:
                if error.errno not in _OF_THE_SYSTEM:
                    raise
                fault = full_disk(error) or EnvironmentFault(
                    f"{error.filename or 'the disk'}: {error.strerror}"
                )
                raise Exit(console.error_text(fault), fault.exit_code) from error

        signature = inspect.signature(function)
        parameters = [
            # Invoke takes the type of a default for the type of the option, and knows only lists.
            parameter.replace(default=[]) if parameter.default == () else parameter
            for parameter in signature.parameters.values()
        ]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        made: Command = task(
            klass=Command,
            name=name,
            iterable=[parameter.name for parameter in parameters if parameter.default == []],
            auto_shortflags=False,
        )(run)
        declared = {parameter.name for parameter in parameters}
        made.words = words
        made.texts = {option: text for option, text in help.items() if option in declared}
        return made

    return declare


class Program(invoke.program.Program):
    """The `ftbuild` command."""

    def run(self, argv: Any = None, exit: bool = True) -> None:  # noqa: A002, ARG002 - as invoke has it
        """Parse a command line, run its task, and exit with the code that tells how it went."""
        try:
            self.create_config()
            self.parse_core(argv)
            # Invoke switches bytecode caching off for its own sake; imports would be slow for ever.
            sys.dont_write_bytecode = False
            self.parse_collection()
            self.parse_tasks()
            self.parse_cleanup()
            self.update_config()
            self.execute()
        except FtbuildError as error:
            console.complain(error)
            self._leave(error.exit_code)
        except ParseError as error:
            console.complain(self._usage(error))
            self._leave(UsageError.exit_code)
        except Exit as error:
            if error.message:
                print(error.message, file=sys.stderr)  # noqa: T201 - formatted by `command`
            self._leave(error.code)
        except UnexpectedExit as error:
            self._leave(error.result.exited)
        except KeyboardInterrupt:
            console.complain(Interrupted("interrupted; nothing half-made is left"))
            self._leave(Interrupted.exit_code)

    def parse_tasks(self) -> None:
        """Parse what follows the core options; a word where a number belongs is a usage error."""
        try:
            super().parse_tasks()
        except ValueError as error:
            wrong = str(error).rpartition(": ")[2]
            raise UsageError(f"an option takes a number, not {wrong}") from None

    def normalize_argv(self, argv: Any) -> None:
        """Rewrite our grammar into invoke's."""
        super().normalize_argv(argv)
        program, *rest = self.argv
        line, after = rest, []
        if "--" in rest:
            cut = rest.index("--")
            line, after = rest[:cut], ["--", shlex.join(rest[cut + 1 :])]
        self.argv = [program, *self._rewrite(line), *after]

    def _rewrite(self, line: Sequence[str]) -> list[str]:
        start = next((i for i, word in enumerate(line) if not word.startswith("-")), None)
        if self.namespace is None or start is None:
            return list(line)
        contexts = {
            name: context
            for context in self.namespace.to_contexts()
            for name in (context.name, *context.aliases)
        }
        name, rest = line[start], line[start + 1 :]
        if rest and f"{name}.{rest[0]}" in contexts:
            name, rest = f"{name}.{rest[0]}", rest[1:]
        context = contexts.get(name)
        if context is None:
            self._require_no_group(name, rest)
        parameter = getattr(self.namespace[name], "words", None) if context else None
        if context is None or parameter is None:
            return [*line[:start], name, *rest]
        return [*line[:start], name, *_spread(rest, context, f"--{parameter}")]

    def _require_no_group(self, name: str, rest: Sequence[str]) -> None:
        """Say what there is where only the first word of a task's two was given."""
        assert self.namespace is not None  # noqa: S101 - the caller has looked
        if not any(known.startswith(f"{name}.") for known in self.namespace.task_names):
            return
        if rest and rest[0] in {"--help", "-h"}:
            console.say(f"Usage: {self.binary} {name} TASK [WORDS] [OPTIONS]\n")
            self._say_tasks(f"{name} ")
            self._leave(0)
        spoken = spoken_names(self.namespace).values()
        second = [task.partition(" ")[2] for task in spoken if task.startswith(f"{name} ")]
        word = rest[0] if rest and not rest[0].startswith("-") else None
        near = nearest(word, second, 1) if word else ()
        guess = f"Did you mean {name} {near[0]}? " if near else ""
        raise UsageError(
            f"there is no task {name} {word}" if word else f"{name} what?",
            hint=f"{guess}{name} goes with {', '.join(second)}; `{self.binary} {name} --help`.",
        )

    def print_help(self) -> None:
        """The tasks, and how to learn more about one."""
        console.say(f"{self.name} {self.version}: {self.summary}\n")
        console.say(f"Usage: {self.binary} TASK [WORDS] [OPTIONS]\n")
        self._say_tasks()
        console.say(f"\n`{self.binary} TASK --help` tells all about one of them.")

    def _say_tasks(self, start: str = "") -> None:
        """A line on every task, or on those whose names begin alike."""
        assert self.namespace is not None  # noqa: S101 - this Program always has one
        tasks = [
            (f"  {spoken}", (self.namespace[name].__doc__ or "").partition("\n")[0].strip())
            for name, spoken in spoken_names(self.namespace).items()
            if spoken.startswith(start)
        ]
        console.say(console.columns(tasks))

    def print_task_help(self, name: str) -> None:
        """What a task does and its options."""
        assert self.namespace is not None  # noqa: S101 - this Program always has one
        about = self.namespace[name]
        parameter = getattr(about, "words", None)
        given = f" [{parameter.upper()} …]" if parameter else ""
        spoken = spoken_names(self.namespace).get(name, name)
        console.say(f"Usage: {self.binary} {spoken}{given} [OPTIONS]\n")
        paragraphs = (about.__doc__ or "").strip().splitlines()
        console.say("\n".join(line.removeprefix("    ") for line in paragraphs) + "\n")
        options = [
            (f"  {flags}", text)
            for flags, text in self.parser.contexts[name].help_tuples()
            if f"--{parameter}" not in flags
        ]
        console.say(console.columns(options))

    @property
    def summary(self) -> str:
        """What the program is, in a line."""
        return "CPython with and without the GIL, built from verified source, side by side"

    def _usage(self, error: ParseError) -> UsageError:
        """Invoke's complaint with the nearest thing that would have been right."""
        text = str(error)
        word = text.partition("'")[2].partition("'")[0]
        known: tuple[str, ...] = ()
        if error.context is not None:
            known = (*error.context.flags, *error.context.inverse_flags)
        if not word.startswith("-") and self.namespace is not None:
            known = tuple(spoken_names(self.namespace).values())
        near = nearest(word, known, 1)
        guess = f"Did you mean {near[0]}? " if near else ""
        name = None
        if error.context is not None and self.namespace is not None:
            name = spoken_names(self.namespace).get(str(error.context.name), error.context.name)
        help_ = f"`{self.binary} {name} --help`" if name else f"`{self.binary} --help`"
        kind = "option" if word.startswith("-") else "task"
        what = f"there is no {kind} {word}" if text.startswith("No idea") else text
        return UsageError(what, hint=f"{guess}{help_} lists what there is.")

    def _leave(self, code: int) -> NoReturn:
        sys.exit(code)


def spoken_names(namespace: Collection) -> dict[str, str]:
    """What users call each task, by its name: `image build` for `image.build`.

    The task that a collection runs by default goes by the collection's name alone.
    """
    return {
        name: aliases[-1] if "." in name and aliases else name.replace(".", " ")
        for name, aliases in namespace.task_names.items()
    }


def _spread(line: Sequence[str], context: ParserContext, flag: str) -> list[str]:
    """Put a flag before every plain word that is not the value of an option."""
    spread: list[str] = []
    value_next = False
    for word in line:
        if value_next:
            spread.append(word)
            value_next = False
        elif word.startswith("-") and word != "-":
            spread.append(word)
            option = context.flags.get(word.partition("=")[0])
            value_next = option is not None and option.takes_value and "=" not in word
        else:
            spread += [flag, word]
    return spread
