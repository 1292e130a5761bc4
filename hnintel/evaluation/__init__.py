"""How good answers are: an engine and a prompt judged on labelled texts, before either is paid for every day."""
