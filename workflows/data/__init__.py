"""The data sets of the studies: what they are, where they are, how they are fetched, imported, checked and audited."""
