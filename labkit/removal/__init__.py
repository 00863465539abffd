"""Taking a lab away: the plan, its execution, the proof, the receipt."""
