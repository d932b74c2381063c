"""What Aurum reaches against the limits of the machine and against a stock stack, measured side by side."""
