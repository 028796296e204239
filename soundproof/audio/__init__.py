"""Sound: read a file or a member of a zip, bring it to a rate and a length, mix two sounds."""
