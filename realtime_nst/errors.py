"""What can go wrong outside of the program, as one small tree.

    NSTError            the command line prints it as one line and exits with 1
    ├── SourceError     a camera, video or photo that cannot be read
    ├── SinkError       a window, file or disk that cannot be written
    │   └── DiskFullError   no space left
    ├── StyleError      a weight file or style name that cannot be used
    ├── BackendError    an engine or precision that this machine does not have
    ├── ExportError     a network that cannot be written as it was asked for
    ├── ControlError    what is asked of a running show from outside, and cannot be done
    ├── ClusterError    a cluster that cannot be reached, or cannot do what is asked of it
    └── TrainingError   photos, paintings or VGG weights that training cannot start from

Mistakes in calls are `ValueError` and `TypeError` and are never caught. Messages say what happened, with the
value received, what was expected, and what to do.
"""

NO_MEMORY = ("bad_alloc", "RESOURCE_EXHAUSTED", "OOM when allocating")
"""What OpenVINO, JAX and TensorFlow say where memory is short."""


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short; each framework has an exception of its own for that."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY)


class NSTError(Exception):
    """Base of everything that the outside world can do wrong."""


class SourceError(NSTError):
    """A camera, video or photo cannot be read."""


class SinkError(NSTError):
    """A window, file or disk cannot be written."""


class StyleError(NSTError):
    """A weight file or a style name cannot be used."""


class BackendError(NSTError):
    """This machine lacks the engine or precision that was asked for."""


class ExportError(NSTError):
    """A network cannot be written for other programs as it was asked for."""


class ControlError(NSTError):
    """A running show cannot do what is asked of it, or cannot be reached where it should be."""


class ClusterError(NSTError):
    """A cluster cannot be reached, or cannot do what is asked of it."""


class TrainingError(NSTError):
    """Training cannot start or go on."""


class DiskFullError(SinkError):
    """A file cannot grow because its disk is full."""
