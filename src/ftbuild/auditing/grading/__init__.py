"""What each package ships for the target: tags of wheels, what is inside, the nearest version."""

from ftbuild.auditing.grading.contents import looked, sources
from ftbuild.auditing.grading.grade import graded
from ftbuild.auditing.grading.nearest import nearest_of

__all__ = ["graded", "looked", "nearest_of", "sources"]
