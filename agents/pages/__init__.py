"""Reports as HTML pages that need nothing else: no script, no fonts, no network."""
