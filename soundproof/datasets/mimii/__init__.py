"""MIMII: fans, pumps, slide rails and valves in factory noise of three levels."""
