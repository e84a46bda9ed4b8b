"""What a person sees: the Textual application and the ``mlconsole`` command."""

__version__ = "0.1.0"
