"""What a person reads: words, terms, and the faces of a result."""
