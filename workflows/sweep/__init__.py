"""Finds what is left over in an account, tells why and what protects it, and deletes what somebody chose.

`plan` finds, `removal` deletes, `watch` does both again and again for as long as somebody lets it run.
"""
