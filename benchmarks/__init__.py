"""What the pipeline's inner loops cost, beside what they could cost at best and what a plain loop costs."""
