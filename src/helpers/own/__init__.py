"""A study of one's own: from a table or a question to a folder that runs, and an assignment that is graded."""
