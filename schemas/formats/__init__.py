"""Formats of other systems, brought into our own events: pure decoders, and what a mapping file may say.

A decoder takes a record as it lies on a topic and answers with events, each of them checked, with named refusals, or
with why the record means nothing here. No input makes it raise.
"""
