"""Film reviews as numbers. `words` and `bag` use the standard library only: they are packed into a Lambda function as they are."""
