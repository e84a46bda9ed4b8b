"""The ``mlconsole`` command: one module per noun, imported when the noun is used."""
