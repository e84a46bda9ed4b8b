"""The embedded SageMaker: an HTTP server on loopback that speaks the AWS wire protocols and really trains and serves."""

__version__ = "0.1.0"
