"""Parts that the routes about forward curves have in common."""
