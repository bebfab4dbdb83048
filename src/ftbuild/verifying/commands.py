"""What the recorded compile and link commands of a build prove.

Flags that are given to make, as those of the last stage are, never reach sysconfig: the commands
as make ran them are the only evidence of profile-guided and link-time optimisation.
"""

from __future__ import annotations

_PROFILE_USE = ("-fprofile-use", "-fprofile-instr-use")
"""gcc's option and clang's, each alone or with `=PATH`."""


def options(command: str) -> tuple[str, ...]:
    """The options of a compiler command, in order; file names and option arguments left out."""
    return tuple(word for word in command.split() if word.startswith("-") and word != "-o")


def uses_profile(command: str) -> bool:
    """Whether a compile command optimises by a training run's profile."""
    return any(option.partition("=")[0] in _PROFILE_USE for option in options(command))


def links_whole_program(command: str) -> bool:
    """Whether a link command optimises across the whole program (`-flto`, `-flto=thin`)."""
    return any(option.partition("=")[0] == "-flto" for option in options(command))
