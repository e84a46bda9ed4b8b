"""Rollouts in the terms of the two interfaces: `base` (the protocol), `low` (boto3), `high` (SageMaker SDK v3)."""
