"""What holds for every request over HTTP, whoever makes it: URLs, and bodies that are decoded and bounded."""
