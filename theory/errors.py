"""The error that a caller can cause and mend."""


class InvalidInput(ValueError):
    """An argument that cannot be used.

    The message is one line that names the argument, the offending index and value where there is one, and the
    remedy. The command prints it as it stands and ends with exit status 2.
    """
