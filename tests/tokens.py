"""Random runs of letters, which now and then spell a name that a test looks for."""

import re

RANDOM = re.compile(r"[\w-]{16,}")


def without_tokens(text):
    """What is said in `text`, without the tokens, keys and hashes in it."""
    return RANDOM.sub("", text)
