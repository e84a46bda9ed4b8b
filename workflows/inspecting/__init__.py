"""Any resource as AWS describes it: its document, what it belongs together with, and the code that asks for the same."""
