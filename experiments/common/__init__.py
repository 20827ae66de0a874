"""What the scripts share: data, command line, machine, figures."""
