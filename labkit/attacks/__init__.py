"""Questions and attacks: tokens that nobody issued, sent to an API, and what the rules said beforehand."""
