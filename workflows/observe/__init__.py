"""What is on SageMaker now: functions on a gateway that answer frozen rows and raise `Problem`.

`jobs`, `endpoints`, `logs` and `metrics` hold the functions, `rows` what they answer, `gateway` what they need.
"""
