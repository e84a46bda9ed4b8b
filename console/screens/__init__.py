"""The screens. Each is composed when it is first visited, and observes only while somebody looks at it."""
