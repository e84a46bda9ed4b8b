"""A run as one HTML file that opens offline: a renderer of its recorded events, as the console and the command line are.

`files.write` makes the file, `page.render` its text; `figures` draws what studies tell as inline SVG.
"""
