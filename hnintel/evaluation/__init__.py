"""The quality of answers: an engine and a prompt are scored on labelled texts before they are paid for every day."""
