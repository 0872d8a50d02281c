"""Program that decodes untrusted files, in a process of its own. Its modules import nothing of the site."""
