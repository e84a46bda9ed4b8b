"""The code of the first lesson's model: it trains like any other, and tells what its container looks like from inside."""
