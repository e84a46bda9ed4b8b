"""Several accounts and regions at once: which ones (`entries`), what one has up (`glance`), and all of them side by side (`glances`)."""
