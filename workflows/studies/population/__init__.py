"""The population segmentation study: PCA and K-Means on the US census, with segments that have names and keep their numbers."""
