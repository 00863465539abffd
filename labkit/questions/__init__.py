"""What one asks a lab: calls, explanations, tokens read and compared."""
