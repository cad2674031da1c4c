"""The errors that pyfennix raises for a user to read: one clear sentence each."""


class FennixError(Exception):
    """Base of every error that pyfennix raises on purpose; its text is one sentence."""


class InputError(FennixError):
    """A keyword, file or argument given by the user cannot be used."""


class ModelError(FennixError):
    """A model cannot be read, does not fit the system, or returned something unusable."""
