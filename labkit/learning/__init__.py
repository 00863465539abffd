"""What the learner does: a copy to work in, predictions, tasks with hints, quizzes, and what has been done so far."""
