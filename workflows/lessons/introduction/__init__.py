"""Lesson 1: introduction to deployment."""
