"""JSONPath beyond reference paths, with Jayway's grammar and semantics: what Step Functions runs.

`parser` turns text into the tree of `syntax`, `compiler` turns the tree into closures. See docs/decisions for why the
grammar is our own.
"""
