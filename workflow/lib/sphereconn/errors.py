"""The one exception that users are meant to read."""


class InputError(ValueError):
    """A mistake in what the user gave: one sentence with the file, key or column, what is wrong and what is allowed.

    Scripts print it without a traceback; any other exception is a defect of ours.
    """
