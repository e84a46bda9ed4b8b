"""A/B tests on an endpoint's variants: defined, fed with rewards by InferenceId, looked at whenever one likes, concluded.

`definition` (what is compared), `journal` (what happened, append-only), `tally` (what it adds up to), `report` (what it says),
`operations` (start, weigh, feed, stop, promote), `replaying` (labelled data as traffic). Importing it is cheap.
"""
