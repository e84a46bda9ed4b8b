"""API Gateway's REST APIs on this machine: what is stored of them, and the public surface that answers for them."""
