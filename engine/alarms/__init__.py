"""CloudWatch alarms: what they watch, when they change state, and what happened to them."""
