"""What is new upstream, and how it gets into the recipes.

python.org's API says which releases there are (`listing`); a release is taken only when its
signature holds over the bytes that were downloaded and hashed here (`update`); its line goes into
the recipe file, whose other lines stay as they are (`editing`).
"""

from ftbuild.upstream.update import Added, Rejected, Update, folder_to_update, update

__all__ = ["Added", "Rejected", "Update", "folder_to_update", "update"]
