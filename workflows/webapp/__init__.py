"""A web page in front of a model: a role, a function, a REST API and the page, made by one action, tested, and undone with proof."""
