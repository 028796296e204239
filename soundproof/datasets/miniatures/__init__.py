"""Small trees of the true names, synthesised: what needs a data set can run without it."""
