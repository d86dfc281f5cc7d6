"""Errors that a user can mend; the command line prints their one sentence and exits with status 2."""


class HessbenchError(Exception):
    """Something the user can mend: the message says what is wrong, where, and what to do."""


class ConfigurationError(HessbenchError):
    """A profile or params.yaml does not fit the schema."""


class TrainingError(HessbenchError):
    """A training cannot start or go on."""


class PotentialError(HessbenchError):
    """A potential could not be evaluated at some geometry."""


class DataError(HessbenchError):
    """A data file cannot be used.

    Parameters
    ----------
    path
        The offending file.
    problem
        What is wrong with it, and the remedy.
    reaction
        The reaction (HDF5 group) in which it was found, if any.
    """

    def __init__(self, path: object, problem: str, reaction: str | None = None) -> None:
        self.path = path
        self.problem = problem
        self.reaction = reaction
        place = f"{path}, reaction {reaction}" if reaction else f"{path}"
        super().__init__(f"{place}: {problem}")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Let the error travel between processes."""
        return type(self), (self.path, self.problem, self.reaction)
