"""What can be asked; each route is a sentence, and no file here imports another."""
