"""Jobs that workers carry out."""
