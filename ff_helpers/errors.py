"""The base of every error that is the user's to mend.

Each room defines small named errors on it whose constructor writes the whole sentence: what was
wrong (file, line, field, value), what is allowed, and the command that mends it. The command line
prints that sentence and exits non-zero; anything else is a defect of ours and keeps its traceback.
"""


class FFError(Exception):
    """Something the user can mend; `str(error)` is the sentence they read."""
