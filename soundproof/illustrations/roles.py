"""Roles of a sound beside a clip: the clip, its fault's stem, what a map marks of it, the rest.

The last two sum to the first.
"""

CLIP, FAULT, MARKED, LEFT = "clip", "fault", "marked", "left"
