"""What a process of this project does around its work: it says how far it has come, and stops when it is to."""
