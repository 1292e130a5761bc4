"""Days as partitions: the stages of a day, what each is made of, how it stands, and which are to be done."""
