"""API Gateway's operations for REST APIs."""
