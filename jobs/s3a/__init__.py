"""Hadoop's S3A filesystem on a laptop: its libraries, its settings, and its failures in words."""
