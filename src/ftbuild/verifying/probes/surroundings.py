"""Who runs this interpreter, which one it is, and what it takes text for, as one JSON object."""

import json
import locale
import os
import sys

print(
    json.dumps(
        {
            "prefix": sys.prefix,
            "user": str(os.getuid()),
            "locale": locale.getencoding(),
            "files": sys.getfilesystemencoding(),
        }
    )
)
