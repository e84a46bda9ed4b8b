"""Application auto scaling of endpoint variants: targets, policies, and what they did."""
