"""Rollouts: a new model on a live endpoint, in steps, watched by alarms that take it back by themselves.

`facts` reads what is there, `plan` says what will happen (no call), `operations` does it through an interface, `state`
tells how far it is, `record` keeps it on this machine so that anybody may attach again.
"""
