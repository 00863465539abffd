"""The rules of the embedded cloud: each a small function, recorded in `registry` with what is known of AWS."""
