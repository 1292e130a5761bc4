"""The flows from a shell: command lines, Prefect's home, and a server for as long as a run takes."""
