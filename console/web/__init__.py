"""The console in a browser: `mlconsole serve`."""
