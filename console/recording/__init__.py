"""Sessions of the console, recorded as asciicast v2 and shown again: `mlconsole record`, `mlconsole replay`."""
