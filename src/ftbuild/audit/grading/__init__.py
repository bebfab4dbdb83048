"""What each package ships for the target: tags of wheels, what is inside, the nearest version."""

from ftbuild.audit.grading.contents import looked, sources
from ftbuild.audit.grading.grade import graded
from ftbuild.audit.grading.nearest import nearest_of

__all__ = ["graded", "looked", "nearest_of", "sources"]
