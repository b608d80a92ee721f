"""What goes to a journal or an archive: certificate, bundle, plan, and the lists of the README."""
