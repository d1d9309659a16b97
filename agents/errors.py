"""What can stop tierstream, and what the operator can do about it. Nothing here acts.

TierstreamError                 what, where, why, and the next command
├── FixError                    a person must change something, then start again
│   ├── ConfigurationError      2   a setting, a policy or a command is wrong
│   ├── RefusedPositionError    12  topic recreated, retention passed, repartitioned; states of an unread version
│   ├── BreakerOpenError        14  a partition refuses nearly everything
│   ├── EmbeddedServerError     17  the servers on this machine cannot start
│   └── AccessError             19  Kafka does not trust us, we do not trust it, or a right is missing
├── RestartError                starting again is the cure; a supervisor may do it
│   ├── FencedError             10  another worker owns the partition now
│   ├── UnknownOutcomeError     11  a commit stayed unanswered and the task could not be rebuilt
│   ├── StalledError            13  input was there, but nothing was committed
│   ├── BrokerUnreachableError  16  no broker answered
│   └── RedisUnreachableError   18  Redis did not answer a command that needs it
└── BugError                    15  our fault: report it; nothing was acknowledged

The number is the process's exit code; the command line prints the error and exits with it.
"""

import errno
from typing import ClassVar


class TierstreamError(Exception):
    """A failure with a name, an exit code of its own, and a remedy."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        """One sentence: what went wrong, in the user's words."""
        self.where = where
        """File and line, topic and partition, or setting; empty when nowhere in particular."""
        self.why = why
        """The cause, as far as it is known."""
        self.next_step = next_step
        """The command to run or the thing to change next."""

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  where: {self.where}"] if self.where else []
        lines += [f"  why:   {self.why}".replace("   \n", "\n")] if self.why else []
        lines += [f"  next:  {self.next_step}"] if self.next_step else []
        return "\n".join(lines)


class FixError(TierstreamError):
    """A person must change something first; starting again alone changes nothing."""


class ConfigurationError(FixError):
    """A setting, a policy file or the command line is wrong."""

    exit_code = 2


def told_of_disk(error: OSError) -> ConfigurationError | None:
    """A full or read-only disk or a missing right as the user's own matter, wherever it came up; None for all else."""
    trouble = disk_trouble(error)
    if trouble is None:
        return None
    where = str(error.filename) if error.filename else ""
    return ConfigurationError("A file cannot be written or read.", where=where, why=trouble[0], next_step=trouble[1])


def disk_trouble(error: OSError) -> tuple[str, str] | None:
    """What is wrong with a disk or a place on it, and what helps; None where that is not the user's own matter."""
    return _DISK.get(error.errno or 0)


_ELSEWHERE = "name another folder, or change its rights"
_DISK = {
    errno.ENOSPC: ("the disk is full", "make room, or name a folder on another disk"),
    errno.EDQUOT: ("the quota of the disk is used up", "make room, or name a folder on another disk"),
    errno.EROFS: ("the disk is read-only", _ELSEWHERE),
    errno.EACCES: ("this user has not the right", _ELSEWHERE),
}


class RefusedPositionError(FixError):
    """What is stored does not fit: a topic recreated, past its retention or regrown, states of an unread version."""

    exit_code = 12


class BreakerOpenError(FixError):
    """A partition refused so large a share of its input that going on would only fill the dead letters."""

    exit_code = 14


class EmbeddedServerError(FixError):
    """Kafka on this machine cannot start: no Java, no jars, or the server itself gave up."""

    exit_code = 17


class AccessError(FixError):
    """Kafka was reached, but a certificate, a password or a right is missing or wrong."""

    exit_code = 19


class RestartError(TierstreamError):
    """The process must end; a new one goes on where this one stopped."""


class FencedError(RestartError):
    """Another worker took over the partition while this one was away."""

    exit_code = 10


class UnknownOutcomeError(RestartError):
    """A commit stayed without an answer, and rebuilding the task from the changelog failed too."""

    exit_code = 11


class StalledError(RestartError):
    """A partition had input but committed nothing within the watchdog's limit."""

    exit_code = 13


class BrokerUnreachableError(RestartError):
    """No broker answered at the start."""

    exit_code = 16


class RedisUnreachableError(RestartError):
    """Redis did not answer a command that needs it; the projection itself waits instead."""

    exit_code = 18


class BugError(TierstreamError):
    """An assumption of the code was broken. Nothing of the batch was acknowledged."""

    exit_code = 15
