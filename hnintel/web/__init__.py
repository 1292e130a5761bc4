"""The only way out to pages: guarded, bounded, polite; and the text taken out of them."""
