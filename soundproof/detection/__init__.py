"""Measures of a detector: do its scores tell anomalous clips from normal ones?"""
