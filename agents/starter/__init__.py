"""`tierstream init`: a folder with everything that a company needs to see its own customers move."""
