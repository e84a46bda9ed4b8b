"""IAM's policies: their documents, AWS's managed ones, and what they allow."""
