"""The names the runtime gives to things on the cluster. Everybody who creates, checks or reads them asks here."""

FAUST_LOGGER = "faust.worker"
"""Where Faust's classes, ours among them, say what matters only when something is wrong."""


def changelog(application: str, stage: str) -> str:
    """Return the changelog topic of a stage (the name Faust derives for its table)."""
    return f"{application}-{stage}-changelog"


def transactional_prefix(application: str, stage: str) -> str:
    """Return what all transactional ids of a stage begin with."""
    return f"{application}-{stage}-"


def claim_id(application: str, stage: str, partition: int) -> str:
    """Return the transactional id under which a partition is claimed: whoever asks for it last may claim it."""
    return f"{transactional_prefix(application, stage)}{partition}"


def writer_id(application: str, stage: str, member: str) -> str:
    """Return the transactional id under which a worker writes for all its partitions of a stage."""
    return f"{transactional_prefix(application, stage)}writer-{member}"
