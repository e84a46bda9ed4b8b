"""Training jobs of SageMaker's built-in algorithms: `request` (what they are made of), `images`, `draft` (from files and defaults)."""
