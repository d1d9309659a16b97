"""`tierstream doctor`: looks at everything around a deployment, changes nothing, and says what to do about it.

One module per thing that is looked at; `run.py` holds them together, `findings.py` is what they all return.
"""
