"""Repositories and packages as they are written: rpm-md and Debian indexes, rpm and deb files. Bytes in, values out."""
