"""AWS Lambda on this machine: functions, their packages, their execution environments, their invocations."""
