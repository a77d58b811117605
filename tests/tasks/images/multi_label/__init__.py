"""Tests of images with any number of labels."""
