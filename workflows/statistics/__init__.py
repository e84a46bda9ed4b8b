"""Statistics that may be looked at while data comes in: every interval and every test here holds at all times at once.

Plain functions and small mutable tallies that know nothing of SageMaker. The functions take floats or NumPy arrays alike;
NumPy and SciPy are imported only for arrays.
"""
