"""HTML pages: the layout around them, their assets, elements with escaped text, and the page of an error."""
