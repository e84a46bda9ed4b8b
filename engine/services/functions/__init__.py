"""AWS Lambda's operations."""
