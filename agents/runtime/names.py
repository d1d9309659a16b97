"""The names the runtime gives to things on the cluster. Everybody who creates, checks or reads them asks here."""

FAUST_LOGGER = "faust.worker"
"""Where Faust's classes, ours among them, say what matters only when something is wrong."""


def changelog(application: str, stage: str) -> str:
    """Return the changelog topic of a stage (the name Faust derives for its table)."""
    return f"{application}-{stage}-changelog"


def transactional_id(application: str, stage: str, partition: int) -> str:
    """Return the producer identity of a partition: whoever asks for it last owns the partition."""
    return f"{application}-{stage}-{partition}"
