"""Ask people: a page of questions made from a finished study, and what their answers say."""
