"""The contract: what crosses a topic. Types, codecs, the topic catalogue. No I/O but the package's own data files."""
