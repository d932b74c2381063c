"""One module a figure, or a family of them."""
