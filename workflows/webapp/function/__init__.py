"""What is packed for AWS Lambda as it is: the handler and the page. Its other modules are `algorithms.reviews`."""
