"""A cluster on one machine: hosts in namespaces with files and a network of their own. Linux, as root."""
