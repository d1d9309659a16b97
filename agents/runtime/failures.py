"""What can go wrong in a tenure, by what must happen next. Exits are in `agents.errors`; these stay in the runtime.

TenureFailure
├── ClusterAwayError     no broker answers, or none leads: wait and build the task again, as often as it takes
├── UnknownOutcomeError  a transaction's end or growth stayed unanswered: build again under a new epoch
├── ProducerLapsedError  the broker has forgotten the producer (idle for a week, timed out): build again
├── WriterReplacedError  the stage's writer began a new term meanwhile: build again
├── InputMovedError      the position is out of the input's reach: build again, which names the refusal
│                        (these four a few times in a row, then the worker ends)
└── FencedOffError       another producer of the same name exists: no failure while a rebalance takes the partition away
"""


class TenureFailure(Exception):  # noqa: N818 - the base is a category; its cases end in Error
    """The tenure is over: nothing after the last acknowledged commit counts."""


class ClusterAwayError(TenureFailure):
    """The cluster cannot serve the partition just now."""


class UnknownOutcomeError(TenureFailure):
    """Nobody answered: committed or not, unknown. Only a new producer epoch may go on."""


class ProducerLapsedError(TenureFailure):
    """The broker no longer knows the producer's id or epoch, without anybody having taken its name."""


class WriterReplacedError(TenureFailure):
    """The stage's writer is not the one any more under which the partition was being opened."""


class InputMovedError(TenureFailure):
    """The broker answered that the position to fetch is out of range."""


class FencedOffError(TenureFailure):
    """The broker answered that a newer producer has this name."""
