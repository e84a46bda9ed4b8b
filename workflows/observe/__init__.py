"""What is on SageMaker now: pure functions on a platform that answer frozen rows, and raise `Problem`."""
