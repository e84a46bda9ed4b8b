"""Whether an endpoint is asked other things than before: captured data against a baseline, without labels.

`captured` reads what SageMaker's data capture has stored, `baseline` what it is compared with, `samples` turns payloads into texts
or tables; `words` and `columns` test, `comparison` puts the families of tests together, `operations` does all of it.
"""
