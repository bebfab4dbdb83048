"""Which training profile a build uses: one that was given, one that is stored, or its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

import ftbuild
from ftbuild.errors import EnvironmentFault, Refused
from ftbuild.model.events import Emit, Warned
from ftbuild.model.manifest import Installation
from ftbuild.model.spec import BuildSpec
from ftbuild.model.training import FORMAT, TrainingProfile
from ftbuild.store.layout import Layout
from ftbuild.store.profiles import (
    frozen_digest,
    place_frozen,
    place_of,
    profile_digest,
    read_frozen,
    read_profile,
    save,
)
from ftbuild.store.profiles import place as place_profile


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """A profile that was made earlier.

    Attributes:
        kind: `stored` or `given`.
        path: Where it lies.
        profile: Its record.
        frozen: Whether the modules that its training build has frozen are there, too.
    """

    kind: str
    path: Path
    profile: TrainingProfile
    frozen: bool = False


def given(paths: Iterable[Path], emit: Emit) -> tuple[Training, ...]:
    """The profiles that the user names; a damaged one is warned of and left out."""
    found = (_read("given", path, emit) for path in paths)
    return tuple(training for training in found if training is not None)


def with_given(spec: BuildSpec, profiles: Iterable[Training]) -> BuildSpec:
    """A specification that asks for the profile among those given that fits it, if one does."""
    fitting = (t.profile.sha256 for t in profiles if not t.profile.unfit(spec))
    return msgspec.structs.replace(spec, profile_data=next(fitting, None)) if spec.pgo else spec


def warn_of_unfit(profiles: Iterable[Training], specs: Sequence[BuildSpec], emit: Emit) -> None:
    """Say of each given profile that no build uses why that is so."""
    for training in profiles:
        profile = training.profile
        if any(profile.sha256 == spec.profile_data for spec in specs):
            continue
        # The build it comes nearest to is that of its own variant.
        near = sorted(specs, key=lambda spec: spec.variant != profile.spec.variant)
        reason = profile.unfit(near[0]) if near else "nothing is to be built"
        emit(Warned(text=f"{training.path} is not used: {reason}"))


def training_for(
    spec: BuildSpec, place: Path, profiles: Iterable[Training], emit: Emit, *, retrain: bool
) -> Training | None:
    """The profile that a build is to use, or None where it has to train.

    Args:
        spec: What is built.
        place: Where its own profile would be stored.
        profiles: Those that were given.
        emit: Receives a warning where the stored one is damaged.
        retrain: Leave the stored one unused.
    """
    if not spec.pgo:
        return None
    if spec.profile_data is not None:
        return next(t for t in profiles if t.profile.sha256 == spec.profile_data)
    if retrain or not place.is_file():
        return None
    training = _read("stored", place, emit)
    if training is None or training.profile.unfit(spec):
        return None
    frozen = bool(read_frozen(place, training.profile))
    return msgspec.structs.replace(training, frozen=frozen)


def prepare(training: Training, tree: Path) -> None:
    """Put a profile into a build tree, as if the training had been there.

    Raises:
        Refused: It was damaged since it was looked at.
        OSError: The tree cannot be written.
    """
    place_profile(training.path, tree)
    if training.frozen:
        place_frozen(training.path, training.profile, tree)


def store(spec: BuildSpec, place: Path, tree: Path, emit: Emit) -> None:
    """Keep the profile that a build tree's training made; where that fails, only say so."""
    sha256 = profile_digest(tree)
    if sha256 is None:
        return
    profile = TrainingProfile(
        format=FORMAT,
        spec=spec,
        sha256=sha256,
        frozen=frozen_digest(tree),
        ftbuild=ftbuild.__version__,
    )
    try:
        save(place, profile, tree)
    except EnvironmentFault as fault:
        emit(Warned(text=f"the training profile is not kept: {fault.message}"))


def profile_place(spec: BuildSpec, layout: Layout, default_profile: str) -> Path:
    """Where the profile that a build trains is stored."""
    return place_of(layout, spec.friendly_name(default_profile), spec.training_key)


def stored_profiles(
    found: Iterable[Installation], layout: Layout, default_profile: str
) -> dict[Path, TrainingProfile]:
    """The profiles that are stored for installed builds.

    Raises:
        Refused: One of them is damaged.
    """
    places = (profile_place(item.spec, layout, default_profile) for item in found if item.spec.pgo)
    return {place: read_profile(place) for place in places if place.is_file()}


def copied(profiles: Mapping[Path, TrainingProfile], folder: Path) -> dict[Path, TrainingProfile]:
    """Copy profiles to a folder, which is made if need be.

    Raises:
        EnvironmentFault: They cannot be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {Path(shutil.copy(path, folder)): item for path, item in profiles.items()}
    except OSError as error:
        raise EnvironmentFault(f"{error.filename} cannot be written: {error.strerror}") from error


def _read(kind: str, path: Path, emit: Emit) -> Training | None:
    try:
        return Training(kind=kind, path=path, profile=read_profile(path))
    except Refused as refusal:
        emit(Warned(text=refusal.message))
        return None
