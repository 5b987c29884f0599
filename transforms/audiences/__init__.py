"""Who is treated and who is held back, and what the difference is worth. No list, no file and no frame."""
