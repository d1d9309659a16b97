"""The codec of everything but the journal: inputs in any accepted form, outputs as CloudEvents 1.0."""

from schemas.decoding import decode_input
from schemas.publishing import OUTPUT_CLASSES, Published, decode_output, encode_output

__all__ = ["OUTPUT_CLASSES", "Published", "decode_input", "decode_output", "encode_output"]
