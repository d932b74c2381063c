"""What every service needs and no domain: settings, logging, the clock, signed cursors. Imports no other member."""
